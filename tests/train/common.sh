# SPDX-License-Identifier: BSD-2-Clause
# Sourced by the shell tests of training: the program, a scratch folder $dir, a small corpus in it, and a run in the background.
set -u
: "${OTOLITH:?}" "${BUILD_DIR:?}"
maker=$BUILD_DIR/tests/train_test_overfit
if [ ! -x "$OTOLITH" ] || [ ! -x "$maker" ]; then
    echo "SKIP: needs $OTOLITH and $maker"
    exit 77
fi
dir=$(mktemp -d "${TMPDIR:-/tmp}/otolith-train-XXXXXX")
trap 'rm -rf "$dir"' EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }
mkdir "$dir/corpus"
"$maker" --make-corpus "$dir/corpus" || fail "no corpus"

# train NAME [OPTIONS]: trains with recipe.conf of the scratch folder to its folder NAME, in the background; its number in $!
train() {
    local name=$1
    shift
    OTOLITH_DATE=2020-01-02 "$OTOLITH" train --config="$dir/recipe.conf" --train="$dir/corpus/train.tsv" \
        --dev="$dir/corpus/dev.tsv" --cache="$dir/cache" --out="$dir/$name" --name=toy --show=0 "$@" \
        > "$dir/$name.out" 2> "$dir/$name.err" < /dev/null &
}

# steps NAME: how many the run's metrics tell of; with --log-steps=1 all.
steps() {
    local n
    n=$(grep -c '"kind":"step"' "$dir/$1/metrics.jsonl" 2> /dev/null)
    echo "${n:-0}"
}

# halt NAME N: process $pid of run NAME stands still when N steps are done, and with it all others of the run. It stands still
# whenever it is looked at, so that a run cannot get through before a busy machine lets the test look. "kill -CONT $pid" lets it go
# on. False when it has ended before.
halt() {
    while kill -CONT $pid 2> /dev/null; do
        sleep 0.01
        kill -STOP $pid 2> /dev/null
        [ "$(steps "$1")" -lt "$2" ] || return 0
    done
    return 1
}

# same_files NAME FILE...: files of run NAME against those of the undisturbed run.
same_files() {
    local name=$1 file
    shift
    for file in "$@"; do
        cmp "$dir/whole/$file" "$dir/$name/$file" || fail "$name: $file is not that of the undisturbed run"
    done
}
