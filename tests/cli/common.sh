# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the shell tests: a scratch folder, small files, and checks that say what they found.
set -u
if [ ! -x "$OTOLITH" ]; then
    echo "skipped: this build has no program $OTOLITH (OTOLITH_AUDIO=OFF)"
    exit 77
fi
unset OTOLITH_MODEL_PATH OTOLITH_ISA XDG_DATA_HOME XDG_DATA_DIRS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
make_files=$BUILD_DIR/tests/make_files
n_failed=0

fail() {
    echo "FAILED: $*"
    n_failed=$((n_failed + 1))
}

# run CODE COMMAND...: runs it, output to the files out and err; checks the exit code.
run() {
    local expected=$1 code=0
    shift
    "$@" >out 2>err </dev/null || code=$?
    [ "$code" -eq "$expected" ] || {
        fail "exit code $code, expected $expected: $*"
        head -5 out err
    }
}

# has FILE TEXT: the file contains the text.
has() {
    grep -qF -- "$2" "$1" || {
        fail "no \"$2\" in $1:"
        head -20 "$1"
    }
}

# hasnt FILE TEXT
hasnt() {
    grep -qF -- "$2" "$1" && {
        fail "\"$2\" in $1:"
        head -20 "$1"
    }
}

# is FILE TEXT: the file is exactly the text and a line end.
is() {
    [ "$(cat "$1")" = "$2" ] || {
        fail "$1 is not \"$2\":"
        head -20 "$1"
    }
}

empty() {
    [ ! -s "$1" ] || {
        fail "$1 is not empty:"
        head -20 "$1"
    }
}

finish() {
    [ "$n_failed" -eq 0 ] || {
        echo "$n_failed checks failed"
        exit 1
    }
    exit 0
}
