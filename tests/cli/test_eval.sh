# SPDX-License-Identifier: BSD-2-Clause
# otolith eval: rates that follow from the transcripts, table, JSON, hypotheses, failures.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
model=--model=./tiny.oto
mkdir -p a b
for i in 1 2 3 4; do
    "$make_files" wav a/s$i.wav $i $((8000 * i)) 16000 || exit 1
    "$make_files" wav b/s$i.wav $((i + 4)) $((9000 * i)) 16000 || exit 1
done

# References that are what the model writes: no errors. In capitals with punctuation: still none.
"$OTOLITH" transcribe $model --format=tsv a/s?.wav >a.hyp 2>err || fail "transcribe: $?"
{
    printf 'id\tpath\tseconds\tspeaker\ttext\n'
    i=0
    while IFS="$(printf '\t')" read -r name text; do
        i=$((i + 1))
        printf '%s\ta/%s.wav\t0\tann\t%s.\n' "$name" "$name" "$(printf %s "$text" | tr a-e A-E)"
    done <a.hyp
} >right.tsv
[ "$(wc -l <right.tsv)" -eq 5 ] || fail "the model writes too little: $(cat a.hyp)"
run 0 "$OTOLITH" eval $model --manifest=right.tsv --hyp=right.hyp
empty err
has out 'model       tiny (./tiny.oto), beam 8'
has out 'utterances  4, 4 of them without error'
has out 'WER         0.00 % of'
has out 'CER         0.00 % of'
has out '95 % interval 0.00 to 0.00 %'
has out 'real-time factor'
hasnt out failed
cmp -s right.hyp a.hyp || fail "--hyp is not what transcribe writes"

# As live: what is not heard yet changes the texts; threads do not.
run 0 "$OTOLITH" eval $model --manifest=right.tsv --latency=5000 --hyp=ahead.hyp
has out 'beam 8, live with 5000 ms look-ahead'
run 0 "$OTOLITH" eval $model --manifest=right.tsv --latency=90 --hyp=live.hyp
cmp -s live.hyp ahead.hyp && fail "a look-ahead of 90 ms is as good as one of 5 s"
run 0 "$OTOLITH" eval $model --manifest=right.tsv --latency=90 --hyp=jobs.hyp --jobs=3
cmp -s live.hyp jobs.hyp || fail "live texts depend on threads"
run 64 "$OTOLITH" eval $model --manifest=right.tsv --latency=-1

# References with two words the model never writes, which are also unknown to its alphabet.
n_words=$(cut -f2 a.hyp | wc -w)
sed '2,3s/\.$/ zyx/' right.tsv >wrong.tsv
run 0 "$OTOLITH" eval $model --manifest=wrong.tsv
has out 'utterances  4, 2 of them without error'
has out "of $((n_words + 2)): 0 substituted, 0 inserted, 2 deleted"
has out 'unknown     6 characters of the references'

# Where the errors are: two deletions of the same word, in the list, in JSON and side by side.
run 0 "$OTOLITH" eval $model --manifest=wrong.tsv --confusions=5 --alignments=wrong.pra
has out '    2  zyx -> (nothing)'
[ "$(grep -c ' -> ' out)" -eq 2 ] || fail "one confusion and the title expected: $(cat out)"
[ "$(grep -c '^id: ' wrong.pra)" -eq 4 ] || fail "4 alignments expected"
[ "$(grep -cE '^REF: .* zyx *$' wrong.pra)" -eq 2 ] || fail "no zyx in $(cat wrong.pra)"
[ "$(grep -cE '^HYP: .* \*\*\* *$' wrong.pra)" -eq 2 ] || fail "no gap in $(cat wrong.pra)"
[ "$(grep -cE '^Eval: +D *$' wrong.pra)" -eq 2 ] || fail "no D in $(cat wrong.pra)"
run 66 "$OTOLITH" eval $model --manifest=wrong.tsv --alignments=missing/x
if command -v jq >/dev/null; then
    run 0 "$OTOLITH" eval $model --manifest=wrong.tsv --confusions=5 --format=json
    jq -e '.confusions == [{"ref":"zyx","hyp":"","count":2}]' out >/dev/null || fail "confusions: $(cat out)"
fi

# The other folder: the texts of the first, so words differ. One row a speaker, folder or manifest.
sed 's,a/s,b/s,; s/ann/bob/; s/^s/t/' right.tsv >other.tsv
run 0 "$OTOLITH" eval $model --manifest=right.tsv,other.tsv --by=speaker --hyp=both.hyp
cp out one-job
[ "$(grep -cE '^(ann|bob) ' out)" -eq 2 ] || fail "not one row for each speaker: $(cat out)"
grep -qE '^ann +4 +0 +[0-9]+ +0\.00 ' out || fail "ann's row: $(grep ann out)"
grep -qE '^bob +4 +0 +[0-9]+ +[1-9]' out || fail "bob's row: $(grep bob out)"
[ "$(wc -l <both.hyp)" -eq 8 ] || fail "8 hypotheses expected"
run 0 "$OTOLITH" eval $model --manifest=right.tsv,other.tsv --by=folder
grep -qE '(^|/)b +4 ' out || fail "no row for folder b: $(cat out)"
run 0 "$OTOLITH" eval $model --manifest=right.tsv,other.tsv --by=manifest
grep -qE 'other\.tsv +4 ' out || fail "no row for other.tsv: $(cat out)"

# The same for any number of jobs; greedy may differ but is told.
for jobs in 2 8; do
    run 0 "$OTOLITH" eval $model --manifest=right.tsv,other.tsv --by=speaker --jobs=$jobs --hyp=jobs.hyp
    cmp -s both.hyp jobs.hyp || fail "other hypotheses with $jobs jobs"
    [ "$(grep -v '^time' out)" = "$(grep -v '^time' one-job)" ] || fail "another report with $jobs jobs"
done
run 0 "$OTOLITH" eval $model --manifest=right.tsv --beam=1
has out 'beam 1'


# Only words of the list: what stands in the hypotheses is one of them.
printf 'bad\nabe\nda\n' >words.txt
run 0 "$OTOLITH" eval $model --manifest=right.tsv --lexicon=words.txt --hyp=strict.hyp
[ -z "$(cut -f2 strict.hyp | tr ' ' '\n' | grep -vxE 'bad|abe|da|')" ] || fail "not of the list: $(cat strict.hyp)"
grep -q 'a' strict.hyp || fail 'nothing but empty texts'
run 66 "$OTOLITH" eval $model --manifest=right.tsv --lexicon=missing.txt
printf 'a b\n' >words.txt
run 65 "$OTOLITH" eval $model --manifest=right.tsv --lexicon=words.txt
has err 'words.txt:1: "a b" is more than one word'

# A language model of three words the network never writes by itself: with enough weight they are
# written, with none they are not; alone it leaves other words possible, with a lexicon it does not.
cat >toy.arpa <<'END'
\data\
ngram 1=6
ngram 2=2

\1-grams:
-3	<unk>
-99	<s>	-0.3
-1	</s>
-0.3	bad	-0.2
-0.6	abe	-0.1
-0.9	da	-0.4

\2-grams:
-0.2	bad abe
-0.1	abe bad

\end\
END
run 0 "$OTOLITH" eval $model --manifest=right.tsv --beam=300 --lm=toy.arpa --lm-weight=20 --hyp=lm.hyp
grep -qwE 'bad|abe|da' lm.hyp || fail "no word of the model: $(cat lm.hyp)"
run 0 "$OTOLITH" eval $model --manifest=right.tsv --beam=300 --lm=toy.arpa --lm-weight=0 --word-bonus=0 --unknown-weight=0 --hyp=zero.hyp
cmp -s zero.hyp lm.hyp && fail 'the weight changes nothing'
run 0 "$OTOLITH" eval $model --manifest=right.tsv --beam=300 --lm=toy.arpa --lm-weight=0 --word-bonus=10 --unknown-weight=0 --hyp=many.hyp
[ "$(wc -w <many.hyp)" -gt "$(wc -w <zero.hyp)" ] || fail 'a bonus for words gives no more of them'
printf 'bad\nabe\nec\n' >words.txt
run 0 "$OTOLITH" eval $model --manifest=right.tsv --lm=toy.arpa --lexicon=words.txt --hyp=strict.hyp
[ -z "$(cut -f2 strict.hyp | tr ' ' '\n' | grep -vxE 'bad|abe|ec|')" ] || fail "not of the list: $(cat strict.hyp)"
run 66 "$OTOLITH" eval $model --manifest=right.tsv --lm=missing.arpa
has err 'missing.arpa'
run 66 "$OTOLITH" eval $model --manifest=right.tsv --grammar=missing.gram
run 65 "$OTOLITH" eval $model --manifest=right.tsv --lm=words.txt
run 78 env OTOLITH_LM_WEIGHT=-1 "$OTOLITH" eval $model --manifest=right.tsv
run 64 "$OTOLITH" eval $model --manifest=right.tsv --unknown-weight=1

# Intervals repeat with the seed, and can be left out.
for seed in 1 1 2; do
    run 0 "$OTOLITH" eval $model --manifest=other.tsv,wrong.tsv --seed=$seed
    grep '95 %' out >>intervals
done
[ "$(sed -n 1p intervals)" = "$(sed -n 2p intervals)" ] || fail "the interval does not repeat: $(cat intervals)"
run 0 "$OTOLITH" eval $model --manifest=other.tsv --resamples=0
hasnt out interval

# JSON
if command -v jq >/dev/null; then
    run 0 "$OTOLITH" eval $model --manifest=wrong.tsv,other.tsv --format=json --by=speaker
    [ "$(wc -l <out)" -eq 1 ] || fail "not one line of JSON"
    jq -e '.v == 1 and .model == "tiny" and .utterances == 8 and .failed == 0 and .by == "speaker" and
        (.groups | map(.name)) == ["ann", "bob"] and (.groups | map(.words) | add) == .words and
        .groups[0].wer_errors == {substitutions: 0, insertions: 0, deletions: 2} and
        .wer_low <= .wer and .wer <= .wer_high and .cer > 0 and .unknown_characters == 6 and
        .audio_seconds > 10 and .seconds > 0 and .real_time_factor > 0 and
        ((.wer_errors | add) / .words - .wer | fabs) < 1e-6' out >/dev/null || fail "JSON: $(cat out)"
fi

# Failures: told, counted, left out of the rates.
{
    cat right.tsv
    printf 'x1\tmissing.wav\t0\tann\ta\n'
    printf 'x2\tright.tsv\t0\tann\ta b\n'
    printf 'x3\ta/s1.wav\n'
} >holes.tsv
run 1 "$OTOLITH" eval $model --manifest=holes.tsv --hyp=holes.hyp
has out 'utterances  4, 4 of them without error; 3 failed and are not in the rates'
has out 'WER         0.00 %'
has err 'missing.wav'
has err 'right.tsv'
has err 'holes.tsv:8'
has err '4 done, 3 failed'
[ "$(tail -2 holes.hyp)" = "$(printf 'x1\t\nx2\t')" ] || fail "failed ones in --hyp: $(cat holes.hyp)"
printf 'id\tpath\ttext\nx1\tmissing.wav\ta\n' >none.tsv
run 1 "$OTOLITH" eval $model --manifest=none.tsv
has out 'utterances  0'
run 66 "$OTOLITH" eval $model --manifest=no-such.tsv
run 65 "$OTOLITH" eval $model --manifest=a/s1.wav
run 65 "$OTOLITH" eval --model=./right.tsv --manifest=right.tsv
run 64 "$OTOLITH" eval $model
has err 'no manifest'
run 64 "$OTOLITH" eval $model right.tsv
has err "unexpected argument 'right.tsv'"
run 66 "$OTOLITH" eval $model --manifest=right.tsv --hyp=no-such-folder/x.hyp
has err 'no-such-folder/x.hyp'
run 74 sh -c '"$1" eval "$2" --manifest=right.tsv >/dev/full' sh "$OTOLITH" $model
# Calibration: six recordings with what the model writes, four with something else. Afterwards the confidence is what it
# should be on these words, and nothing else of the model has changed.
mkdir -p c
"$make_files" model wordy.oto 1 || exit 1 # it writes many spaces
for i in 1 2 3 4 5 6 7 8 9 10; do
    "$make_files" wav c/s$i.wav $((i + 20)) 100000 16000 || exit 1
done
"$OTOLITH" transcribe -q --model=./wordy.oto --format=tsv c/s?.wav c/s10.wav >c.hyp 2>err || fail "transcribe: $?"
{
    printf 'id\tpath\ttext\n'
    awk -F'\t' '{ printf "%s\tc/%s.wav\t%s\n", $1, $1, NR % 5 < 2 ? "e" : $2 }' c.hyp
} >c.tsv
run 0 "$OTOLITH" eval --model=./wordy.oto --manifest=c.tsv --calibrate=cal.oto
has out ', when fitted to the other half of the utterances '
before=$(sed -n 's/.*calibration error \([0-9.]*\) %.*/\1/p' out)
run 0 "$OTOLITH" eval --model=./cal.oto --manifest=c.tsv
hasnt out 'other half'
after=$(sed -n 's/.*calibration error \([0-9.]*\) %.*/\1/p' out)
awk -v b="$before" -v a="$after" 'BEGIN { exit !(b > 0 && a < b / 2) }' || fail "calibration error $before % before, $after % after"
run 0 "$OTOLITH" model verify cal.oto
cp c.hyp expected
run 0 "$OTOLITH" transcribe -q --model=./cal.oto --format=tsv c/s?.wav c/s10.wav
cmp -s out expected || fail "the calibrated model writes other texts"
run 0 "$OTOLITH" eval --model=./cal.oto --manifest=c.tsv --calibrate=cal.oto --format=json # over itself
if command -v jq >/dev/null; then
    jq -e '.calibration_error >= 0 and .calibration_error_fitted <= 1' out >/dev/null || fail "json: $(cat out)"
fi
if command -v python3 >/dev/null; then
    run 0 python3 "$SOURCE_DIR/tests/golden/read_bundle.py" cal.oto
fi
run 65 "$OTOLITH" eval $model --manifest=right.tsv --calibrate=none.oto
has err 'expected 20 of both'
[ ! -e none.oto ] || fail "a model without a calibration was written"
run 64 "$OTOLITH" eval $model --manifest=c.tsv --calibrate=none.oto --latency=200
run 73 "$OTOLITH" eval --model=./wordy.oto --manifest=c.tsv --calibrate=missing/none.oto
finish
