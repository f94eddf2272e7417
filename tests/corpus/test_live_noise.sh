# SPDX-License-Identifier: BSD-2-Clause
# Noise is no speech: at its defaults the shipped English model writes none of ten minutes of digital silence, at most
# one word a minute of noise, and what it leaves out of real speech on that account is little.
. "$SOURCE_DIR/tests/cli/common.sh"
corpora=$SOURCE_DIR/../shared/corpora
ls "$corpora"/noise/*.opus >/dev/null 2>&1 && [ -f "$corpora/english/dev.tsv" ] || {
    echo "skipped: no recordings of noise and English in $corpora"
    exit 77
}
command -v jq >/dev/null || {
    echo "skipped: no jq here"
    exit 77
}
live="$OTOLITH live --model=$SOURCE_DIR/models/english.oto --unpaced --format=jsonl"
head -c 19200000 /dev/zero >zero.raw
run 0 $live --raw=s16le:16000:1 --input=zero.raw
grep -q '"final"' out && fail "words in digital silence: $(grep '"final"' out)"
jq -se '.[-1].heard == 600' out >/dev/null || fail "silence: $(tail -1 out)"

count='[([.[] | select(.type == "final").words | length] | add + 0), .[-1].heard]'
: >all
for file in "$corpora"/noise/*.opus; do
    run 0 $live --input="$file"
    jq -sc "$count" out >>all
    echo "$(basename "$file"): $(tail -1 all) words, seconds"
done
jq -se 'length > 0 and (map(.[0]) | add) <= (map(.[1]) | add) / 60' all >/dev/null || fail "more than a word a minute"

# Every twelfth utterance of the development set: words with and without the criterion.
: >kept
: >every
awk -F '\t' 'NR % 12 == 2 { print $2 }' "$corpora/english/dev.tsv" >paths
while read -r path; do
    run 0 $live --input="$corpora/english/$path"
    jq -sc "$count" out >>kept
    run 0 $live --input="$corpora/english/$path" --min-confidence=0
    jq -sc "$count" out >>every
done <paths
kept=$(jq -s 'map(.[0]) | add' kept) every=$(jq -s 'map(.[0]) | add' every)
echo "speech: $kept of $every words"
[ "$every" -gt 250 ] && [ $((100 * kept)) -ge $((97 * every)) ] || fail "speech is taken for noise: $kept of $every words"
finish
