# SPDX-License-Identifier: BSD-2-Clause
# Shared by the lint scripts; sourced. Each script prints "FILE:LINE: what is wrong" for every fault and ends with finish.
SOURCE_DIR=${SOURCE_DIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD_DIR=${BUILD_DIR:-$SOURCE_DIR/build}
cd "$SOURCE_DIR" || exit 1
rooms="base audio features acoustic decoder models api training cli"
n_faults=0
n_checked=0

fault() {
    echo "$*"
    n_faults=$((n_faults + 1))
}

checked() { # [HOW MANY]
    n_checked=$((n_checked + ${1:-1}))
}

skip() {
    echo "skipped: $*"
    exit 77
}

# All files of ours with one of the given suffixes, without what is built or ignored and without the tests' data, which may
# be anything on purpose.
our_files() { # SUFFIX...
    local suffix
    for suffix in "$@"; do
        find . -path ./.git -prune -o -path './build*' -prune -o -path ./runs -prune -o \
            -name __pycache__ -prune -o -path ./tests/data -prune -o -path ./tests/fuzz/corpus -prune -o -type f -name "*$suffix" -print
    done | sed 's|^\./||' | sort -u
}

# A check that looked at nothing has found nothing: that is a fault, too.
finish() { # WHAT [AT LEAST]
    if [ "$n_checked" -lt "${2:-1}" ]; then
        echo "only $n_checked $1 checked, expected at least ${2:-1}: the check itself is broken"
        exit 1
    fi
    echo "$n_checked $1 checked, $n_faults faults"
    [ "$n_faults" -eq 0 ]
    exit
}
