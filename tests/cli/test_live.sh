# SPDX-License-Identifier: BSD-2-Clause
# otolith live without a microphone: events, output, signals, sound that is lost, errors.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
"$make_files" raw a.raw 5 48000 16000 || exit 1
"$make_files" raw b.raw 6 48000 16000 || exit 1
head -c 64000 /dev/zero >pause.raw
cat a.raw pause.raw b.raw pause.raw >talk.raw # 10 s
live="$OTOLITH live --model=./tiny.oto --raw=s16le:16000:1 --min-confidence=0"

# Final lines; the same from a pipe, and at any speed.
run 0 $live --input=talk.raw --unpaced
[ "$(wc -l <out)" -ge 2 ] || fail "final lines: $(cat out)"
empty err
cp out lines
run 0 sh -c "cat talk.raw | $live --input=- --unpaced"
cmp -s out lines || fail "other text from a pipe"
head -c 256000 talk.raw >short.raw # no longer than what is kept while a busy machine does other things
run 0 $live --input=short.raw --unpaced
cp out short
run 0 $live --input=short.raw --pace=5
cmp -s out short || fail "other text at five times the speed"
run 0 $live --input=talk.raw --unpaced --beam=1 --passes=1
[ "$(wc -l <out)" -ge 2 ] || fail "one pass: $(cat out)"

# JSON lines: all kinds of events, and the account of samples.
run 0 $live --input=talk.raw --unpaced --format=jsonl --save-audio=saved.wav
if command -v jq >/dev/null; then
    jq -e . out >/dev/null || fail "not JSON: $(cat out)"
    jq -se 'all(.v == 1) and .[0].event == "listening" and .[0].source_rate_hz == 16000 and
        .[-1].event == "end" and .[-1].processed == 160000 and .[-1].captured == 160000 and .[-1].lost == 0 and
        ([.[] | select(.type == "partial")] | length) > 5 and all(.heard <= 10)' out >/dev/null ||
        fail "events: $(cat out)"
    jq -r 'select(.type == "final").text' out | cmp -s - lines || fail "jsonl and text differ"
    jq -se '[.[] | select(.type == "final")] | all(.start < .end and .end <= .heard) and
        (.[0].end <= .[1].start) and all(.start <= .words[0].start and .words[-1].end <= .end and
        ([.words[].word] | join(" ")) == .text and all(.words[]; .confidence >= 0 and .confidence <= 1))' out >/dev/null || fail "times: $(cat out)"
fi
run 0 "$OTOLITH" live --model=./tiny.oto --min-confidence=0 --input=saved.wav --unpaced
cmp -s out lines || fail "the saved sound gives another text"
[ "$(stat -c %s saved.wav)" -eq 320044 ] || fail "saved sound: $(stat -c %s saved.wav) bytes"

# With a grammar: sentences in the end, beginnings of sentences on the way.
printf '#JSGF V1.0;\ngrammar g;\npublic <s> = (bad | abe) [be] bad+;\n' >g.gram
run 0 $live --input=talk.raw --unpaced --grammar=g.gram --format=jsonl
if command -v jq >/dev/null; then
    jq -r 'select(.type == "final").text' out >finals
    grep -q ' ' finals || fail "no sentence: $(cat out)"
    grep -vxE '(bad|abe)( be)?( bad)+|' finals && fail 'live: not of the grammar'
    jq -r 'select(.type == "partial").text' out >partials
    grep -q . partials || fail "nothing on the way: $(cat out)"
    grep -vxE '(b(ad?)?|a(be?)?)?|(bad|abe)( be)?( bad)*( b(ad?)?)?|(bad|abe) be?' partials && fail 'live: no beginning of a sentence'
fi

# --output, --append
run 0 $live --input=talk.raw --unpaced --output=o.txt
empty out
cmp -s o.txt lines || fail "--output"
run 0 $live --input=talk.raw --unpaced --output=o.txt --append
cat lines lines | cmp -s - o.txt || fail "--append"
run 0 $live --input=talk.raw --unpaced --output=o.txt
cmp -s o.txt lines || fail "--output does not begin anew"

for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do cat talk.raw talk.raw; done >long.raw # 400 s

# At the speed of a microphone; Ctrl-C ends the utterance, tells it, and exits with 130.
: >out
$live --input=long.raw --format=jsonl >out 2>err &
pid=$!
wait_for 1 '"partial"' out
kill -INT $pid
wait_end $pid
[ $code -eq 130 ] || fail "exit code after Ctrl-C: $code"
grep -q '"final"' out || fail "the utterance was not finished: $(cat out)"
tail -1 out | grep -q '"end"' || fail "no end: $(tail -1 out)"
# Also while a pipe gives nothing.
mkfifo pipe
: >out
$live --input=pipe --format=jsonl >out 2>err &
pid=$!
exec 9>pipe
head -c 32000 talk.raw >&9
wait_for 1 '"partial"' out
kill -TERM $pid
wait_end $pid
exec 9>&-
[ $code -eq 143 ] || fail "exit code after SIGTERM: $code"
grep -q '"final"' out || fail "nothing of the utterance that was interrupted"

# Faster than it can be followed: lost sound is told and counted, and the end is reached.
run 0 $live --input=long.raw --pace=4000 --format=jsonl --beam=100
if command -v jq >/dev/null; then
    jq -se '([.[] | select(.type == "gap").samples] | add) as $lost | .[-1].lost == $lost and $lost > 0 and
        .[-1].processed > 0 and .[-1].captured == 6400000 and ((.[-1].heard - 400) | fabs) < 0.001' out >/dev/null ||
        fail "overload: $(grep -v partial out | tail -5)"
    jq -se '[.[] | select(.type == "gap")] | all(.end - .start - .samples / 16000 | fabs < 0.001)' out >/dev/null ||
        fail "gaps: $(grep gap out)"
fi
run 0 $live --input=long.raw --pace=4000 --beam=100
has out ' s of sound lost at '

# The whole program stands still for 40 s of sound: what its memory of 8 s does not hold is lost, and it goes on.
: >out
$live --input=long.raw --pace=40 --format=jsonl >out 2>err &
pid=$!
wait_for 1 '"final"' out
kill -STOP $pid
sleep 1
kill -CONT $pid
wait_end $pid
[ $code -eq 0 ] || fail "exit code after standing still: $code"
if command -v jq >/dev/null; then
    jq -se '([.[] | select(.type == "gap").samples] | add) as $lost | .[-1].lost == $lost and $lost > 160000 and
        .[-1].captured == 6400000 and
        ([.[] | select(.type == "gap")] | max_by(.samples).end) as $from | any(.[]; .type == "final" and .start > $from)' out \
        >/dev/null || fail "no recovery: $(grep -E 'gap|end"' out | tail -5)"
fi

# --list is what devices shows.
"$OTOLITH" devices >devices 2>/dev/null
code=$?
run $code "$OTOLITH" live --list
cmp -s out devices || fail "--list: $(cat out)"

# Usage and failures
run 64 "$OTOLITH" live extra
has err '--input=FILE'
run 64 "$OTOLITH" live --unpaced
run 64 "$OTOLITH" live --raw=s16le:16000:1
run 64 "$OTOLITH" live --append
run 64 "$OTOLITH" live --input=a --device=b
run 64 "$OTOLITH" live --latency=10
run 66 "$OTOLITH" live --model=./tiny.oto --input=missing.wav
has err 'missing.wav'
run 66 "$OTOLITH" live --model=missing
run 74 $live --input=talk.raw --unpaced --save-audio=/dev/full
has err '/dev/full'
run 73 $live --input=talk.raw --unpaced --output=/nowhere/at/all
run 74 $live --input=talk.raw --unpaced --output=/dev/full
$live --input=talk.raw --unpaced >/dev/full 2>err
[ $? -eq 74 ] || fail "full disk behind standard output"
run 0 "$OTOLITH" live --help
for option in device list input unpaced latency passes save-audio append format; do has out "--$option"; done

finish
