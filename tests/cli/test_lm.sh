# SPDX-License-Identifier: BSD-2-Clause
# otolith lm: build, query, convert, prune, interpolate, info.
. "$SOURCE_DIR/tests/cli/common.sh"
data=$SOURCE_DIR/tests/data

# build: the stored estimate has seven decimals.
run 0 "$OTOLITH" lm build --prune=0,0,1 --order=4 -o kn.arpa "$data/ngram_text.txt"
empty out
has err '150 sentences, 783 words, 22 different ones, 0 become <unk>'
has err '4-grams: 27 of 605; discounts 0.500 1.000 1.500 (too little text to estimate them)'
has kn.arpa 'ngram 4=27'
run 0 "$OTOLITH" lm build -q -n 4 --prune=0,0,1,1 --memory=1 --folder=. -o again.arpa "$data/ngram_text.txt"
empty err
cmp kn.arpa again.arpa || fail 'another estimate with less memory'
run 0 sh -c '"$1" lm build -q -n 4 --prune=0,0,1 < "$2"' sh "$OTOLITH" "$data/ngram_text.txt"
cmp kn.arpa out || fail 'another estimate from standard input'
run 0 sh -c 'tr a-z A-Z < "$2" | sed "s/$/ ./" | "$1" lm build -q -n 4 --prune=0,0,1 -' sh "$OTOLITH" "$data/ngram_text.txt"
cmp kn.arpa out || fail 'case or punctuation was not taken away'
for tool in gzip xz; do
    command -v $tool >/dev/null || continue
    $tool -c "$data/ngram_text.txt" >text.$tool
    if "$OTOLITH" lm build -q -n 4 --prune=0,0,1 -o packed.arpa text.$tool 2>err; then
        cmp kn.arpa packed.arpa || fail "another estimate from $tool"
        head -c 300 text.$tool >cut.$tool
        run 65 "$OTOLITH" lm build -q -o no.arpa cut.$tool
        has err "cut.$tool:"
        has err truncated
    else
        has err 'which this build cannot read'
    fi
done
[ ! -e no.arpa ] || fail 'a failed build left a file'
run 0 "$OTOLITH" lm build -q --vocabulary=10 --entropy=1e-3 -o small.otolm "$data/ngram_text.txt"
run 0 "$OTOLITH" lm info small.otolm
has out 'words         13'
has out '8 bits'
run 64 "$OTOLITH" lm build --prune=1 -o a.arpa "$data/ngram_text.txt"
has err "option --prune: found '1'"
run 64 "$OTOLITH" lm build --prune=0,2,1 -o a.arpa "$data/ngram_text.txt"
run 64 "$OTOLITH" lm build --prune=0,1, -o a.arpa "$data/ngram_text.txt"
run 64 "$OTOLITH" lm build --order=9 -o a.arpa "$data/ngram_text.txt"
run 64 "$OTOLITH" lm build -o a.txt "$data/ngram_text.txt"
has err "'a.txt': a name in .arpa or .otolm expected"
run 65 "$OTOLITH" lm build -o a.arpa /dev/null
has err 'the text has no words'
run 66 "$OTOLITH" lm build -o a.arpa missing.txt
printf 'good\nbad \377\n' >bad.txt
run 65 "$OTOLITH" lm build -o a.arpa bad.txt
has err 'bad.txt:2: '

# convert: exact with floats, near with 8 bits; query agrees with kenlm's stored numbers.
run 0 "$OTOLITH" lm convert --bits=0 kn.arpa kn.otolm
run 0 "$OTOLITH" lm convert kn.otolm -
cmp kn.arpa out || fail 'ARPA, binary, ARPA is not the same'
run 0 "$OTOLITH" lm convert kn.arpa kn8.otolm
for lm in kn.arpa kn.otolm kn8.otolm; do
    run 0 "$OTOLITH" lm query $lm "$data/ngram_sentences.txt"
    has err '150 sentences, '
    tolerance=1e-5
    [ $lm = kn8.otolm ] && tolerance=0.1
    # numbers of n-grams are the same; so are sums
    paste out "$data/ngram_scores.tsv" | awk -F'\t' -v t=$tolerance '
        { d = $1 - $3; if (d < 0) d = -d; if (d > t || $2 != $4) { print "line " NR ": " $0; bad = 1 } }
        END { exit bad || NR != 150 }' >diff || fail "$lm differs from kenlm: $(head -3 diff)"
done
run 0 "$OTOLITH" lm query --summary kn.arpa "$data/ngram_sentences.txt"
empty out
has err "$(awk -F'\t' '{ sum += $1; n += split($2, orders, " ") } END { printf "perplexity %.4f,", exp(-sum / n * log(10)) }' \
    "$data/ngram_scores.tsv")"
run 0 sh -c 'echo "OF, for not." | "$1" lm query --case=lower --punctuation=strip kn.arpa' sh "$OTOLITH"
cp out normal
run 0 sh -c 'echo "of for not" | "$1" lm query kn.arpa -' sh "$OTOLITH"
cmp normal out || fail 'query normalises otherwise'
run 0 sh -c '"$1" lm query - "$2" < kn.arpa' sh "$OTOLITH" "$data/ngram_sentences.txt"
[ "$(wc -l <out)" -eq 150 ] || fail 'model from standard input'

run 0 "$OTOLITH" lm info kn.otolm
has out '4-grams       27'
if command -v jq >/dev/null; then
    run 0 "$OTOLITH" lm info --format=json kn8.otolm
    jq -e '.v == 1 and .order == 4 and .words == 25 and .ngrams == [25, 253, 112, 27] and .bits == 8 and .bytes > 1000' \
        out >/dev/null || fail "json: $(cat out)"
fi

# prune and interpolate.
run 0 "$OTOLITH" lm build -q -n 2 -o bi.arpa "$data/ngram_text.txt"
run 0 "$OTOLITH" lm prune --entropy=1e-3 kn.arpa less.arpa
has err '1-grams: 25 of 25'
has err ' of 27'
"$OTOLITH" lm query -s less.arpa "$data/ngram_text.txt" 2>less
"$OTOLITH" lm query -s kn.arpa "$data/ngram_text.txt" 2>more
[ "$(wc -c <less.arpa)" -lt "$(wc -c <kn.arpa)" ] || fail 'pruning made nothing smaller'
awk '{ p[NR] = $2 + 0 } END { exit !(p[1] > p[2] && p[1] < 1.5 * p[2]) }' less more || fail "pruned: $(cat less more)"
head -75 "$data/ngram_text.txt" >first.txt
tail -75 "$data/ngram_text.txt" | sed 's/the/zebra/g' >second.txt
"$OTOLITH" lm build -q -o first.arpa first.txt
"$OTOLITH" lm build -q -o second.arpa second.txt
run 0 "$OTOLITH" lm interpolate --tune=second.txt -o mixed.arpa first.arpa second.arpa
empty out
first=$(sed -n 's/^otolith: first.arpa: weight //p' err)
awk -v w="$first" 'BEGIN { exit !(w != "" && w >= 0 && w < 0.2) }' || fail "weight of the wrong model: $first"
tuned=$(sed -n 's/.*perplexity \([0-9.]*\) without.*/\1/p' err)
run 0 "$OTOLITH" lm query -s mixed.arpa second.txt
# listed n-grams have the tuned mixture's probability; the text's are all listed
has err "perplexity $tuned,"
run 0 "$OTOLITH" lm interpolate --weights=1,0 -o same.otolm --bits=0 first.arpa second.arpa
run 0 "$OTOLITH" lm query -s same.otolm first.txt
cp err same
run 0 "$OTOLITH" lm query -s first.arpa first.txt
cmp same err || fail "all weight on one model: $(cat same err)"
run 64 "$OTOLITH" lm interpolate first.arpa
run 64 "$OTOLITH" lm interpolate --weights=1 first.arpa second.arpa
run 64 "$OTOLITH" lm interpolate --weights=1,-1 first.arpa second.arpa
has err "option --weights: found '1,-1', expected 2 numbers"
run 64 "$OTOLITH" lm interpolate --weights=0,0 first.arpa second.arpa
run 64 "$OTOLITH" lm interpolate --weights=1,1 --tune=first.txt first.arpa second.arpa
run 65 "$OTOLITH" lm interpolate --tune=/dev/null first.arpa second.arpa
run 66 "$OTOLITH" lm interpolate first.arpa missing.arpa
run 64 "$OTOLITH" lm prune first.arpa
run 64 "$OTOLITH" lm prune --entropy=2 first.arpa second.otolm

# Faults.
head -c 500 kn.arpa >cut.arpa
run 65 "$OTOLITH" lm query cut.arpa "$data/ngram_sentences.txt"
has err 'cut.arpa:'
head -c 500 kn.otolm >cut.otolm
run 65 "$OTOLITH" lm info cut.otolm
has err 'cut.otolm: header: '
run 66 "$OTOLITH" lm info missing.arpa
run 65 "$OTOLITH" lm query kn.arpa /dev/null
run 64 "$OTOLITH" lm
run 64 "$OTOLITH" lm guess
has err "found 'guess'"
run 64 "$OTOLITH" lm query
run 64 "$OTOLITH" lm convert kn.arpa
run 64 "$OTOLITH" lm convert kn.arpa kn.bin
run 73 "$OTOLITH" lm convert kn.arpa no/folder.otolm
run 74 sh -c '"$1" lm query kn.arpa "$2" >/dev/full' sh "$OTOLITH" "$data/ngram_sentences.txt"
for action in build query convert prune interpolate info; do
    run 0 "$OTOLITH" lm $action --help
    has out "otolith lm $action"
done
run 0 "$OTOLITH" help lm
has out 'otolith lm build'
finish
