# SPDX-License-Identifier: BSD-2-Clause
# otolith transcribe: formats, order, failures, standard input, full disk.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
model=--model=./tiny.oto
for i in 1 2 3 4 5 6 7 8; do
    "$make_files" wav s$i.wav $i $((10000 * (9 - i))) 16000 || exit 1 # the first is the longest
done
"$make_files" raw s1.raw 1 80000 16000 || exit 1
"$make_files" wav other.wav 1 70000 22050 || exit 1

# One file: its text alone.
run 0 "$OTOLITH" transcribe $model s1.wav
empty err
text=$(cat out)
[ "$(wc -l <out)" -eq 1 ] && [ "${#text}" -gt 10 ] || fail "unlikely text: $text"
run 0 "$OTOLITH" transcribe --model tiny.oto s1.wav
is out "$text"
run 0 "$OTOLITH" transcribe -m tiny.oto -- s1.wav
is out "$text"
OTOLITH_MODEL=./tiny.oto run 0 "$OTOLITH" transcribe s1.wav
is out "$text"
OTOLITH_MODEL_PATH=$work run 0 "$OTOLITH" transcribe --model=tiny s1.wav
is out "$text"
cp tiny.oto english.oto
OTOLITH_MODEL_PATH=$work run 0 "$OTOLITH" transcribe s1.wav
is out "$text"
run 0 "$OTOLITH" transcribe -v $model s1.wav
is out "$text"
has err 'model ./tiny.oto'
has err '5.0 s of audio'

# Standard input, with a header and without.
"$OTOLITH" transcribe $model - <s1.wav >out 2>err || fail "WAV on standard input: $?"
is out "$text"
"$OTOLITH" transcribe $model --raw=s16le:16000:1 - <s1.raw >out 2>err || fail "raw on standard input: $?"
is out "$text"
cat s1.wav | "$OTOLITH" transcribe $model --format=tsv - >out || fail "WAV from a pipe: $?"
is out "stdin	$text"
run 0 "$OTOLITH" transcribe $model --raw=s16le:16000:1 s1.raw
is out "$text"

# Several files: in their order, also when the first takes longest; the same for any number of jobs.
run 0 "$OTOLITH" transcribe $model s?.wav
cp out several
[ "$(cut -d: -f1 out | tr '\n' ' ')" = "s1.wav s2.wav s3.wav s4.wav s5.wav s6.wav s7.wav s8.wav " ] || fail "order: $(cat out)"
has out "s1.wav: $text"
has err '8 done, 0 failed'
for jobs in 2 4 16; do
    run 0 "$OTOLITH" transcribe $model --jobs=$jobs s?.wav
    cmp -s out several || fail "other output with $jobs jobs"
    run 0 "$OTOLITH" transcribe $model --threads=$jobs s?.wav
    cmp -s out several || fail "other output with $jobs threads"
done
run 0 "$OTOLITH" transcribe -q $model s?.wav
cmp -s out several || fail "-q hides results"
empty err

# tsv
mkdir -p sub.d && cp s1.wav sub.d/one.two.wav
run 0 "$OTOLITH" transcribe $model --format=tsv sub.d/one.two.wav s2.wav
[ "$(head -1 out)" = "one.two	$text" ] || fail "tsv: $(head -1 out)"
[ "$(cut -f1 out | tail -1)" = s2 ] || fail "tsv: $(tail -1 out)"

# json, with an awkward name
cp s1.wav 'a "b" \ c.wav'
run 0 "$OTOLITH" transcribe $model --format=json --n-best=3 'a "b" \ c.wav' s2.wav
if command -v jq >/dev/null; then
    [ "$(jq -r .file out | head -1)" = 'a "b" \ c.wav' ] || fail "json file: $(head -1 out)"
    [ "$(jq -r .text out | head -1)" = "$text" ] || fail "json text: $(head -1 out)"
    jq -se 'length == 2 and all(.v == 1 and .seconds > 0 and .log_prob < 0 and (.alternatives | length) == 3 and
        .alternatives[0].text == .text and .alternatives[0].log_prob >= .alternatives[1].log_prob)' out >/dev/null ||
        fail "json: $(cat out)"
    run 0 "$OTOLITH" transcribe $model --format=json --beam=1 s1.wav
    jq -se '.[0].alternatives | length == 1' out >/dev/null || fail "json: $(cat out)"
fi

# Other rates are converted; long input is cut.
run 0 "$OTOLITH" transcribe $model other.wav
[ -s out ] || fail "no text at another rate"
run 0 "$OTOLITH" transcribe $model --max-segment=1 s1.wav
[ -s out ] || fail "no text in segments"

# Failures: each is told, the others go on.
: >empty.wav
printf 'just some text\n' >text.wav
cp s1.wav locked.wav && chmod 000 locked.wav
run 1 "$OTOLITH" transcribe $model missing.wav s1.wav sub.d empty.wav text.wav s2.wav tiny.oto
has out "s1.wav: $text"
has out 's2.wav: '
[ "$(wc -l <out)" -eq 2 ] || fail "two results expected: $(cat out)"
for name in missing.wav sub.d empty.wav text.wav tiny.oto; do
    [ "$(grep -c "otolith: $name" err)" -eq 1 ] || fail "not one message about $name: $(cat err)"
done
[ "$(cut -d: -f3- err | sort -u | wc -l)" -eq "$(wc -l <err)" ] || fail "messages are not each their own: $(cat err)"
has err '2 done, 5 failed'
run 1 "$OTOLITH" transcribe -q --jobs=3 $model missing.wav s1.wav
has err 'missing.wav'
has err '1 done, 1 failed'
run 66 "$OTOLITH" transcribe $model missing.wav
empty out
run 65 "$OTOLITH" transcribe $model text.wav
run 65 "$OTOLITH" transcribe $model empty.wav
run 65 "$OTOLITH" transcribe $model sub.d
if [ "$(id -u)" -ne 0 ]; then
    run 77 "$OTOLITH" transcribe $model locked.wav
fi

# The model.
run 66 "$OTOLITH" transcribe --model=./none.oto s1.wav
has err './none.oto'
XDG_DATA_HOME=$work run 66 "$OTOLITH" transcribe --model=no-such-model s1.wav
has err "model 'no-such-model' not found; looked in $work/otolith/models"
run 65 "$OTOLITH" transcribe --model=./s1.wav s1.wav
has err 'not an Otolith model file'
head -c 4000 tiny.oto >short.oto
run 65 "$OTOLITH" transcribe --model=./short.oto s1.wav
has err 'truncated'
run 64 "$OTOLITH" transcribe $model --format=json --beam=2 --n-best=3 s1.wav
has err 'n_best: found 3, expected 1 to the beam of 2'

# A language model, words besides, and hot words. $(text OPTIONS...) is the text.
text() {
    run 0 "$OTOLITH" transcribe $model "$@" s1.wav
    cat out
}
printf 'bad abe\nabe bad bad\nbad\nabe ed\n' >text.txt
run 0 "$OTOLITH" lm build --order=2 -o lm.otolm text.txt
run 0 "$OTOLITH" lm convert lm.otolm lm.arpa
plain=$(text)
[ "$(text --lm=none)" = "$plain" ] || fail '--lm=none is not as without'
[ "$(text --lm=lm.otolm)" != "$plain" ] || fail '--lm changes nothing'
[ "$(text --lm=lm.arpa)" = "$(text --lm=lm.otolm)" ] || fail 'ARPA and binary differ'
[ "$(text --lm=lm.otolm --lm-weight=20)" != "$(text --lm=lm.otolm)" ] || fail '--lm-weight changes nothing'

# A second pass by a model that knows the third best text's words, and has seen many others.
run 0 "$OTOLITH" transcribe $model --format=json --n-best=3 s1.wav
third=$(sed 's/.*"text":"\([^"]*\)".*/\1/' out)
[ -n "$third" ] && [ "$third" != "$plain" ] || fail "no third text: $third"
{
    for _ in 1 2 3 4 5 6 7 8; do echo "$third"; done
    seq 100
} >known.txt
run 0 "$OTOLITH" lm train-lstm -q --vocabulary=$((2 + $(echo "$third" | tr ' ' '\n' | sort -u | wc -l))) --hidden=8 --embedding=4 \
    --epochs=20 --batch-words=8 -o lm.otolstm known.txt
[ "$(text --rescore=lm.otolstm --rescore-weight=10)" = "$third" ] || fail "--rescore changes nothing: $(cat out), expected $third"
[ "$(text --rescore=lm.otolstm --rescore-weight=0)" = "$plain" ] || fail '--rescore-weight=0 changes the text'
[ "$(text --rescore=lm.otolstm --rescore-best=2 --rescore-weight=10)" != "$third" ] || fail '--rescore-best=2 looks at three'
run 66 "$OTOLITH" transcribe $model --rescore=missing.otolstm s1.wav
has err missing.otolstm
run 65 "$OTOLITH" transcribe $model --rescore=text.txt s1.wav
run 64 "$OTOLITH" transcribe $model --rescore=lm.otolstm --beam=1 s1.wav
has err 'rescore: a beam of 1 has no other texts'
has_word() { # WORD TEXT
    case " $2 " in
    *" $1 "*) ;;
    *) fail "no $1 in \"$2\"" ;;
    esac
}
has_word dabba "$(text --lm=lm.otolm --hot-word=dabba:60)"
has_word cb "$(text --hot-word=dabba:-5,cb:30)"
printf '# names\nDABBA\t60\nabba dee\n' >hot.txt
has_word dabba "$(text --lm=lm.otolm --hot-words=hot.txt)"
has_word dabba "$(text --lm=lm.otolm --hot-words=hot.txt --hot-word=dee)"
printf 'bad\nabe\n' >strict.txt
printf 'c\nbcb\n' >words.txt
[ -z "$(text --lexicon=strict.txt --words=words.txt | tr ' ' '\n' | grep -vxE 'bad|abe|c|bcb|')" ] || fail 'neither of lexicon nor of words'
[ "$(text --lexicon=strict.txt --words=words.txt)" != "$(text --lexicon=strict.txt)" ] || fail '--words changes nothing'
run 64 "$OTOLITH" transcribe $model --hot-word=bad:x s1.wav
has err '--hot-word: "bad": found "x", expected a number after the colon'
run 65 "$OTOLITH" transcribe $model --hot-word=bad,xyz s1.wav
has err "hot word 2: \"xyz\": 'x' (U+0078) is not in the model's alphabet"
run 64 "$OTOLITH" transcribe $model --words=words.txt s1.wav
has err 'words: neither a lexicon nor a language model to add them to'
printf 'a\tb\n' >bad.txt
for option in --hot-words --words; do
    run 66 "$OTOLITH" transcribe $model --lm=lm.otolm $option=missing.txt s1.wav
    has err 'missing.txt'
    run 65 "$OTOLITH" transcribe $model --lm=lm.otolm $option=bad.txt s1.wav
    has err 'bad.txt:1: found "b", expected a number after the tab'
done
run 65 "$OTOLITH" transcribe $model --lm=text.txt s1.wav
run 66 "$OTOLITH" transcribe $model --lm=missing.otolm s1.wav

# A full disk behind standard output is no success.
run 74 sh -c '"$1" transcribe "$2" s1.wav >/dev/full' sh "$OTOLITH" $model
has err 'standard output: No space left on device'
run 74 sh -c '"$1" transcribe --jobs=2 "$2" s?.wav >/dev/full' sh "$OTOLITH" $model
finish
