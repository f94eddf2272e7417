#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Options of a training run that name files: lexicon, a model to start from, and folders of recordings in perturb.
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

mkdir "$dir/corpus" "$dir/nothing" "$dir/noises of all kinds"
"$maker" --make-corpus "$dir/corpus" || fail "no corpus"
cat > "$dir/recipe.conf" <<'RECIPE'
layers = 1
hidden = 8
epochs = 1
batch-seconds = 10
warmup-steps = 1
RECIPE

# train [OPTIONS]: a new run; its exit code
train() {
    rm -rf "$dir/run"
    "$OTOLITH" train --config="$dir/recipe.conf" --train="$dir/corpus/train.tsv" --dev="$dir/corpus/dev.tsv" --out="$dir/run" \
        --show=0 "$@" > "$dir/out" 2> "$dir/err" < /dev/null
}

# refused CODE TEXT [OPTIONS]: ends so, with that in its message, and before anything is learnt
refused() {
    local code=$1 text=$2 result
    shift 2
    train "$@"
    result=$?
    [ $result -eq "$code" ] || fail "$*: exit code $result, expected $code: $(cat "$dir/err")"
    grep -qF -- "$text" "$dir/err" || fail "$*: no '$text' in: $(cat "$dir/err")"
    [ ! -e "$dir/run/last.oto" ] || fail "$*: left a model"
}

# A lexicon in the recipe: the dev set is decoded with it, and the model keeps it.
printf 'abc\nbad\ncab\nd\n' > "$dir/words"
echo "lexicon = $dir/words" >> "$dir/recipe.conf"
train --dev-decode=beam || fail "with a lexicon: $(cat "$dir/err")"
"$OTOLITH" model info "$dir/run/last.oto" > "$dir/info" || fail "no model"
grep -qi 'lexicon.*4 words' "$dir/info" || fail "the model does not tell of its lexicon: $(cat "$dir/info")"
cut -f3 "$dir/run/best-dev.tsv" | tail -n +2 | tr ' ' '\n' | sort -u > "$dir/heard"
while read -r word; do
    [ -z "$word" ] || grep -qxF "$word" "$dir/words" || fail "heard '$word', which is not in the lexicon"
done < "$dir/heard"
refused 66 "$dir/missing" --lexicon="$dir/missing"
printf 'abc\nxyz\n' > "$dir/other"
refused 65 "other:2" --lexicon="$dir/other"
train --lexicon= || fail "the command line does not take the lexicon away: $(cat "$dir/err")"
! "$OTOLITH" model info "$dir/run/last.oto" | grep -qi 'lexicon.*words' || fail "a lexicon although none was given"
sed -i '/^lexicon/d' "$dir/recipe.conf"

# From a model: what may differ of its features is told, what may not is refused.
cp "$dir/run/last.oto" "$dir/start.oto"
train --init="$dir/start.oto" || fail "from a model: $(cat "$dir/err")"
! grep -q "was made with" "$dir/err" || fail "the same features are told of as others: $(cat "$dir/err")"
train --init="$dir/start.oto" --cmvn-margin=300 || fail "from a model, another cmvn-margin: $(cat "$dir/err")"
grep -qF "start: $dir/start.oto was made with --cmvn-margin=0, this run has 300" "$dir/err" || fail "another cmvn-margin is not told: $(cat "$dir/err")"
refused 78 "--init=$dir/start.oto: the model was made with --low-hz=20, this run has 100" --init="$dir/start.oto" --low-hz=100

# Recordings: each of their kinds learns, and names what it cannot use.
cp "$dir"/corpus/*0.wav "$dir/noises of all kinds"
noises="$dir/noises of all kinds"
train --perturb="noise:1:0:20:$noises,background:0.5:0:20:$noises,response:0.1:0:0:$noises,gain:1:0:1" --perturb-copies=2 ||
    fail "with recordings: $(cat "$dir/err")"
for kind in noise background response; do
    refused 66 "perturb: $kind: $dir/missing: " --perturb="$kind:1:0:20:$dir/missing"
    refused 65 "perturb: $kind: $dir/nothing: no audio in this folder" --perturb="$kind:1:0:20:$dir/nothing"
done
echo "no audio" > "$noises/broken.wav"
refused 65 "broken.wav" --perturb="background:1:0:20:$noises"
refused 65 "broken.wav" --perturb="noise:1:0:20:$noises"
refused 78 "expected a folder of recordings" --perturb=background:1:0:20
refused 78 "KIND being one of" --perturb=backgrounds:1:0:20
refused 78 "within 0.05 to 1.5" --perturb=room:1:0.1:9
