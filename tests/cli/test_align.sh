# SPDX-License-Identifier: BSD-2-Clause
# otolith align: times of a known text, formats, failures.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
model=--model=./tiny.oto
"$make_files" wav s1.wav 1 160000 16000 || exit 1
printf 'Bad  "ace",\n 17 cede\tabba bee\n' >s1.txt

# ctm is the default: every word as it is written, in order, the unknown one without duration.
run 0 "$OTOLITH" align $model s1.wav s1.txt
empty err
[ "$(cut -d' ' -f5 out | tr '\n' ' ')" = 'Bad "ace", 17 cede abba bee ' ] || fail "words: $(cat out)"
awk '{ if ($1 != "s1" || $3 + 0.0005 < end || ($5 == "17") != ($4 == 0) || ($5 == "17") != ($6 == 0)) bad = 1; end = $3 + $4 } END { exit bad || end > 10 }' out ||
    fail "times: $(cat out)"
cp out ctm
run 0 "$OTOLITH" align $model --threads=2 s1.wav s1.txt
cmp -s out ctm || fail "other times with two threads"
"$OTOLITH" align $model - s1.txt <s1.wav >out 2>err || fail "audio on standard input: $(cat err)"
cut -d' ' -f2- ctm | cmp -s - <(cut -d' ' -f2- out) || fail "other times from standard input"
"$OTOLITH" align $model s1.wav - <s1.txt >out 2>err || fail "text on standard input: $(cat err)"
cmp -s out ctm || fail "other times with the text from standard input"
gzip -k s1.txt
run 0 "$OTOLITH" align $model s1.wav s1.txt.gz
cmp -s out ctm || fail "other times with a packed text"

# Without gaps all sound belongs to the text; parts of the input do not matter to the order.
run 0 "$OTOLITH" align $model --no-gaps --max-segment=1 s1.wav s1.txt
[ "$(cut -d' ' -f5 out | tr '\n' ' ')" = 'Bad "ace", 17 cede abba bee ' ] || fail "words: $(cat out)"

# Other formats; what was not heard is a point in a TextGrid.
run 0 "$OTOLITH" align $model --format=json,srt,textgrid --output-dir=out.d s1.wav s1.txt
empty out
has out.d/s1.srt 'Bad "ace", 17'
has out.d/s1.TextGrid '"unheard"'
has out.d/s1.TextGrid 'text = """ace"","'
if command -v jq >/dev/null; then
    [ "$(jq -r .text out.d/s1.json)" = 'Bad "ace", 17 cede abba bee' ] || fail "json: $(cat out.d/s1.json)"
fi
if command -v praat >/dev/null; then
    printf 'form F\nsentence f\nendform\nRead from file: f$\nn = Get number of points: 3\nl$ = Get label of point: 3, 1\nwriteInfoLine: n, " ", l$\n' >p.praat
    run 0 "$OTOLITH" align $model --format=textgrid-short s1.wav s1.txt
    cp out short.TextGrid
    for file in out.d/s1.TextGrid short.TextGrid; do
        [ "$(praat --run p.praat "$work/$file")" = "1 17" ] || fail "praat reads the points of $file as: $(praat --run p.praat "$work/$file")"
    done
else
    echo "not checked by praat, which is not installed: points of TextGrids"
fi

# Failures.
run 64 "$OTOLITH" align $model s1.wav
has err '1 files named, expected a recording and its text'
run 64 "$OTOLITH" align $model - -
has err 'can be read once only'
run 66 "$OTOLITH" align $model missing.wav s1.txt
has err 'missing.wav'
run 66 "$OTOLITH" align $model s1.wav missing.txt
has err 'missing.txt'
printf 'bad\nb\377d\n' >latin.txt
run 65 "$OTOLITH" align $model s1.wav latin.txt
has err 'latin.txt:2: not UTF-8 text'
printf '12 34\n' >numbers.txt
run 65 "$OTOLITH" align $model s1.wav numbers.txt
has err 'numbers.txt: text: no character that the model knows, in 2 words'
run 65 "$OTOLITH" align $model s1.txt s1.txt
run 74 sh -c '"$1" align "$2" s1.wav s1.txt >/dev/full' sh "$OTOLITH" $model
has err 'standard output: No space left on device'
finish
