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

# same_files NAME FILE...: files of run NAME against those of the undisturbed run.
same_files() {
    local name=$1 file
    shift
    for file in "$@"; do
        cmp "$dir/whole/$file" "$dir/$name/$file" || fail "$name: $file is not that of the undisturbed run"
    done
}
