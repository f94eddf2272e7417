# SPDX-License-Identifier: BSD-2-Clause
# Noise is no speech: where words must be sure, the shipped English model writes at most one word a minute of it,
# and none of ten minutes of digital silence. What the default lets pass is in docs/live.md.
. "$SOURCE_DIR/tests/cli/common.sh"
noise=$SOURCE_DIR/../shared/corpora/noise
ls "$noise"/*.opus >/dev/null 2>&1 || {
    echo "skipped: no recordings of noise in $noise"
    exit 77
}
command -v jq >/dev/null || {
    echo "skipped: no jq here"
    exit 77
}
live="$OTOLITH live --model=$SOURCE_DIR/models/english.oto --unpaced --format=jsonl --min-confidence=0.65"
head -c 19200000 /dev/zero >zero.raw
run 0 $live --raw=s16le:16000:1 --input=zero.raw
grep -q '"final"' out && fail "words in digital silence: $(grep '"final"' out)"
jq -se '.[-1].heard == 600' out >/dev/null || fail "silence: $(tail -1 out)"
: >all
for file in "$noise"/*.opus; do
    run 0 $live --input="$file"
    jq -sc "[([.[] | select(.type == \"final\").words | length] | add + 0), .[-1].heard]" out >>all
    echo "$(basename "$file"): $(tail -1 all) words, seconds"
done
jq -se 'length > 0 and (map(.[0]) | add) <= (map(.[1]) | add) / 60' all >/dev/null || fail "more than a word a minute"
finish
