# SPDX-License-Identifier: BSD-2-Clause
# otolith lm tune: its word errors are those of eval, its weights go into a model.
. "$SOURCE_DIR/tests/cli/common.sh"
"$make_files" model tiny.oto 3 || exit 1
for i in 1 2 3; do
    "$make_files" wav s$i.wav $i $((16000 * i)) 16000 || exit 1
done
printf 'id\tpath\ttext\na\ts1.wav\tbad abe\nb\ts2.wav\tabe ed bad\nc\ts3.wav\tbad bad cab\n' >dev.tsv
printf 'bad abe\nabe bad bad\nbad\nabe ed\ncab\n' >text.txt
run 0 "$OTOLITH" lm build --order=2 -o lm.otolm text.txt

run 0 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --manifest=dev.tsv --trials=12 -o tuned.oto
cp out lines
head -1 lines | grep -qE '^0	[0-9.]+	0\.5	1\.5	-2	0$' || fail "first line: $(head -1 lines)"
[ "$(cut -f2 lines | sort -rnu)" = "$(cut -f2 lines)" ] || fail "not better line by line: $(cat lines)"
run 0 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --manifest=dev.tsv --trials=12 --jobs=3
cmp -s out lines || fail 'three jobs find something else'

# The same priors, found from the same recordings.
run 0 "$OTOLITH" model set --priors=dev.tsv tiny.oto with.oto
run 0 "$OTOLITH" lm tune --model=./with.oto --lm=lm.otolm --manifest=dev.tsv --trials=12
cmp -s out lines || fail 'it finds other priors than model set'
cut -f6 lines | grep -qv '^0$' || fail "no prior scale is better than none: $(cat lines)"

# wer OPTIONS: as eval finds it
wer() {
    run 0 "$OTOLITH" eval --manifest=dev.tsv --resamples=0 --format=json "$@"
    sed -n 's/.*"wer":\([0-9.e-]*\).*/\1/p' out | awk '{printf "%.2f\n", 100 * $1}'
}
while IFS='	' read -r _ rate weight bonus unknown prior; do
    [ "$(wer --model=./with.oto --lm=lm.otolm --lm-weight=$weight --word-bonus=$bonus --unknown-weight=$unknown --prior-scale=$prior)" = "$rate" ] ||
        fail "eval finds another rate than $rate with $weight $bonus $unknown"
done <lines
[ "$(wer --model=./tuned.oto)" = "$(tail -1 lines | cut -f2)" ] || fail 'the tuned model is not as good as it was found'
run 0 "$OTOLITH" model info tuned.oto
has out "lm-weight           $(tail -1 lines | cut -f3)"
run 0 "$OTOLITH" lm tune --model=./tuned.oto --manifest=dev.tsv --trials=1
[ "$(cut -f2- out)" = "$(tail -1 lines | cut -f2-)" ] || fail 'it does not begin with the weights of the model'

# With a second pass, whose weight is looked for too; eval agrees.
run 0 "$OTOLITH" lm train-lstm -q --hidden=8 --embedding=4 --epochs=20 --batch-words=8 -o lm.otolstm text.txt
run 0 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --rescore=lm.otolstm --manifest=dev.tsv --trials=12 --jobs=2
cp out lines
head -1 lines | grep -qE '^0	[0-9.]+	0\.5	1\.5	-2	0	0\.5$' || fail "first line: $(head -1 lines)"
while IFS='	' read -r _ rate weight bonus unknown prior share; do
    [ "$(wer --model=./with.oto --lm=lm.otolm --lm-weight=$weight --word-bonus=$bonus --unknown-weight=$unknown --prior-scale=$prior --rescore=lm.otolstm --rescore-weight=$share)" = "$rate" ] ||
        fail "eval finds another rate than $rate with $weight $bonus $unknown $share"
done <lines
run 65 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --rescore=text.txt --manifest=dev.tsv

# It goes into the model, which is then tuned with it, or without.
run 0 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --rescore=lm.otolstm --manifest=dev.tsv --trials=12 -o second.oto
cmp -s out lines || fail 'one job finds something else'
[ "$(wer --model=./second.oto)" = "$(tail -1 lines | cut -f2)" ] || fail 'the model tuned with a second pass is not as good as it was found'
run 0 "$OTOLITH" model info second.oto
has out "rescore-weight      $(tail -1 lines | cut -f7)"
run 0 "$OTOLITH" lm tune --model=./second.oto --manifest=dev.tsv --trials=1
[ "$(cut -f2- out)" = "$(tail -1 lines | cut -f2-)" ] || fail 'it does not begin with the weights and the second pass of the model'
run 0 "$OTOLITH" lm tune --model=./second.oto --rescore=none --manifest=dev.tsv --trials=1 -o first.oto
awk -F'\t' 'NF != 6 { exit 1 }' out || fail "a second pass with --rescore=none: $(cat out)"
run 0 "$OTOLITH" model info first.oto
hasnt out 'rescore-weight'

run 64 "$OTOLITH" lm tune --model=./tiny.oto --manifest=dev.tsv
has err 'has no language model; name one with --lm=FILE'
run 64 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm
has err 'no manifest'
run 64 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --manifest=dev.tsv extra
run 66 "$OTOLITH" lm tune --model=./tiny.oto --lm=missing.otolm --manifest=dev.tsv
run 65 "$OTOLITH" lm tune --model=./tiny.oto --lm=text.txt --manifest=dev.tsv
printf 'id\tpath\ttext\na\tmissing.wav\tbad\n' >bad.tsv
run 66 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --manifest=bad.tsv
has err 'missing.wav'
run 73 "$OTOLITH" lm tune --model=./tiny.oto --lm=lm.otolm --manifest=dev.tsv --trials=1 -o no/where.oto
finish
