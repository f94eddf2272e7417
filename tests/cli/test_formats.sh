# SPDX-License-Identifier: BSD-2-Clause
# Result formats, each read by a program that is not ours; several at once, into a folder; what cannot be.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
model=--model=./tiny.oto
"$make_files" wav s1.wav 1 80000 16000 || exit 1
"$make_files" wav s2.wav 2 160000 16000 || exit 1
n_skipped=0

# without TOOL...: true where one of these is missing, which is told.
without() {
    for tool in "$@"; do
        command -v "$tool" >/dev/null && continue
        echo "not checked by $tool, which is not installed: $what"
        n_skipped=$((n_skipped + 1))
        return 0
    done
    return 1
}

# All formats but the second TextGrid at once, in a folder that is made.
all=text,tsv,csv,json,jsonl,srt,vtt,lrc,ctm,stm,textgrid
run 0 "$OTOLITH" transcribe $model --max-segment=1 --format=$all --output-dir=out.d s1.wav s2.wav
empty out
[ "$(ls out.d | tr '\n' ' ')" = "s1.TextGrid s1.csv s1.ctm s1.json s1.jsonl s1.lrc s1.srt s1.stm s1.tsv s1.txt s1.vtt \
s2.TextGrid s2.csv s2.ctm s2.json s2.jsonl s2.lrc s2.srt s2.stm s2.tsv s2.txt s2.vtt " ] || fail "files: $(ls out.d)"
run 0 "$OTOLITH" transcribe $model --max-segment=1 --format=textgrid-short --output-dir=short.d s2.wav

# One to standard output is what the file holds.
for f in text:txt tsv:tsv csv:csv json:json jsonl:jsonl srt:srt vtt:vtt lrc:lrc ctm:ctm stm:stm textgrid:TextGrid; do
    run 0 "$OTOLITH" transcribe $model --max-segment=1 --format=${f%%:*} s2.wav
    cmp -s out out.d/s2.${f##*:} || fail "${f%%:*}: standard output and file differ"
    [ -s out ] || fail "${f%%:*}: nothing written"
done
text=$(cat out.d/s2.txt)
words=$(wc -w <out.d/s2.txt)
[ "$words" -ge 8 ] || fail "a text of $words words proves little: $text"

# Two files one behind the other where that makes sense; the header of csv once, though the first file fails.
run 1 "$OTOLITH" transcribe $model --max-segment=1 --format=csv missing.wav s1.wav s2.wav
[ "$(grep -c '^file,start,end,confidence,word$' out)" -eq 1 ] && head -1 out | grep -q '^file,' || fail "csv header: $(head -2 out)"
[ "$(tail -n +2 out | cut -d, -f1 | uniq | tr '\n' ' ')" = "s1.wav s2.wav " ] || fail "csv of two files: $(cat out)"

# ctm, stm, lrc, csv: the words, in order, times that do not go back.
[ "$(cut -d' ' -f5 out.d/s2.ctm | tr '\n' ' ')" = "$text " ] || fail "ctm: $(cat out.d/s2.ctm)"
awk '{ if ($1 != "s2" || $2 != 1 || $3 + 0.0005 < end || $4 <= 0 || $6 < 0 || $6 > 1) bad = 1; end = $3 + $4 } END { exit bad || end > 10.001 }' \
    out.d/s2.ctm || fail "times of ctm: $(cat out.d/s2.ctm)"
[ "$(cut -d' ' -f6- out.d/s2.stm | tr '\n' ' ')" = "$text " ] || fail "stm: $(cat out.d/s2.stm)"
[ "$(sed 's/^\[[0-9:.]*\]//' out.d/s2.lrc | grep . | tr '\n' ' ')" = "$text " ] || fail "lrc: $(cat out.d/s2.lrc)"

what='json and jsonl'
if ! without jq; then
    [ "$(jq -r '[.words[].word] | join(" ")' out.d/s2.json)" = "$text" ] || fail "json: $(cat out.d/s2.json)"
    jq -e '.v == 1 and .text == ([.words[].word] | join(" ")) and (.words | all(.start < .end and .confidence >= 0 and .confidence <= 1))
        and ([.words[] | .start, .end] | . == sort) and .words[-1].end <= .seconds' out.d/s2.json >/dev/null || fail "json: $(cat out.d/s2.json)"
    [ "$(jq -rs '[.[].text] | join(" ")' out.d/s2.jsonl)" = "$text" ] || fail "jsonl: $(cat out.d/s2.jsonl)"
    jq -se 'all(.v == 1 and .type == "final" and .file == "s2.wav" and .start == .words[0].start and .end == .words[-1].end and
        .text == ([.words[].word] | join(" ")) and .confidence <= 1)' out.d/s2.jsonl >/dev/null || fail "jsonl: $(cat out.d/s2.jsonl)"
fi

what='csv, and names with quotes and commas'
if ! without python3; then
    cp s1.wav 'a "b", c.wav'
    run 0 "$OTOLITH" transcribe $model --format=csv 'a "b", c.wav' s2.wav
    python3 - <<'PY' || fail "csv: $(cat out)"
import csv
rows = list(csv.DictReader(open("out", encoding="utf8")))
assert {r["file"] for r in rows} == {'a "b", c.wav', "s2.wav"}, rows
assert all(float(r["start"]) <= float(r["end"]) and 0 <= float(r["confidence"]) <= 1 and r["word"] for r in rows)
PY
fi

what='ctm and stm'
if ! without sctk; then
    sctk sclite -r out.d/s2.stm stm -h out.d/s2.ctm ctm -o sum stdout >sclite.out 2>&1 || fail "sclite: $(cat sclite.out)"
    grep -E "Sum/Avg" sclite.out | tr -s ' |' ' ' | grep -qE "Sum/Avg [0-9]+ $words 100.0 0.0 0.0 0.0 0.0 0.0" ||
        fail "sclite finds errors between stm and ctm: $(grep -E 'Sum|#' sclite.out)"
fi

what='srt, vtt and lrc'
if ! without ffmpeg ffprobe jq; then
    for f in srt vtt lrc; do
        ffprobe -v error -of json -show_packets -show_streams out.d/s2.$f >probe.json 2>probe.err || fail "ffprobe: $f: $(cat probe.err)"
        [ ! -s probe.err ] || fail "ffprobe complains about $f: $(cat probe.err)"
    done
    grep -c -- '-->' out.d/s2.srt >n_cues
    for f in srt vtt; do
        ffprobe -v error -of json -show_packets out.d/s2.$f >probe.json
        [ "$(jq '.packets | length' probe.json)" = "$(cat n_cues)" ] || fail "$f: not $(cat n_cues) subtitles: $(cat out.d/s2.$f)"
        jq -e '[.packets[].pts_time | tonumber] | . == sort and .[-1] <= 10' probe.json >/dev/null || fail "$f: times $(cat probe.json)"
        # Read, written by ffmpeg as SubRip, our words.
        ffmpeg -v error -y -i out.d/s2.$f again.srt || fail "ffmpeg does not read $f"
        [ "$(grep -vE '^[0-9]+$|-->|^\s*$' again.srt | tr -d '\r' | tr '\n' ' ')" = "$text " ] || fail "ffmpeg reads $f as: $(cat again.srt)"
    done
fi

what='TextGrid, long and short'
if ! without praat; then
    cat >show.praat <<'PRAAT'
form Show
    sentence file
endform
Read from file: file$
tiers = Get number of tiers
end = Get end time
writeInfoLine: tiers, " ", fixed$ (end, 3)
n = Get number of intervals: 1
for i to n
    label$ = Get label of interval: 1, i
    start = Get start time of interval: 1, i
    confidence$ = Get label of interval: 2, i
    if label$ <> ""
        appendInfoLine: fixed$ (start, 3), " ", label$, " ", confidence$
    endif
endfor
PRAAT
    awk '{ print $3, $5, $6 }' out.d/s2.ctm >expected
    for file in out.d/s2.TextGrid short.d/s2.TextGrid; do
        praat --run show.praat "$work/$file" >praat.out 2>&1 || fail "praat does not read $file: $(head -3 praat.out)"
        [ "$(head -1 praat.out)" = "2 10.000" ] || fail "$file: tiers and end are $(head -1 praat.out)"
        tail -n +2 praat.out | cmp -s - expected || fail "praat reads $file as: $(head -5 praat.out)"
    done
fi

# Subtitles keep to their limits: 20 characters, one line, one second.
run 0 "$OTOLITH" transcribe $model --max-segment=1 --format=srt --max-chars=20 --max-lines=1 --max-duration=1 s2.wav
[ "$(grep -vE '^[0-9]+$|-->|^$' out | tr '\n' ' ')" = "$text " ] || fail "words of srt: $(cat out)"
grep -vE '^[0-9]+$|-->|^$' out | awk 'NF > 1 && length($0) > 20 { print "FAILED: longer than 20: " $0; bad = 1 } END { exit bad }' || n_failed=$((n_failed + 1))
awk '/-->/ { if (lines > 1) bad = 1; lines = 0; next } /^[0-9]+$/ || /^$/ { next } { lines++ } END { exit bad || lines > 1 }' out || fail "two lines: $(cat out)"
one=$(grep -c -- '-->' out)
run 0 "$OTOLITH" transcribe $model --max-segment=1 --format=srt --max-chars=20 --max-lines=3 s2.wav
three=$(grep -c -- '-->' out)
[ "$three" -lt "$one" ] || fail "$three subtitles of three lines, $one of one"
awk '/-->/ { if (lines > 3) bad = 1; most = lines > most ? lines : most; lines = 0; next } /^[0-9]+$/ || /^$/ { next } { lines++ } END { exit bad || most < 2 }' out ||
    fail "lines of a subtitle: $(cat out)"

# What cannot be.
run 64 "$OTOLITH" transcribe $model --format=text,pdf s1.wav
has err "format 'pdf' is none of text, tsv"
run 64 "$OTOLITH" transcribe $model --format=srt,srt --output-dir=x s1.wav
has err "named twice"
run 64 "$OTOLITH" transcribe $model --format=srt,json s1.wav
has err "several formats need --output-dir"
run 64 "$OTOLITH" transcribe $model --format=srt s1.wav s2.wav
has err "--format=srt of several files needs --output-dir"
run 64 "$OTOLITH" transcribe $model --format=textgrid,textgrid-short --output-dir=x s1.wav
has err "the same file"
mkdir -p sub && cp s1.wav sub/s1.flac
run 64 "$OTOLITH" transcribe $model --output-dir=x s1.wav sub/s1.flac
has err "results of s1.wav and sub/s1.flac would be written to the same file"
run 64 "$OTOLITH" transcribe $model --format=srt --n-best=3 s1.wav
has err "--n-best needs --format=json"
: >file
run 73 "$OTOLITH" transcribe $model --output-dir=file/x s1.wav
has err 'file/x: Not a directory'
run 74 "$OTOLITH" transcribe $model --output-dir=file s1.wav
has err 'file/s1.txt'
[ "$n_skipped" -eq 0 ] || [ "$n_failed" -gt 0 ] || { echo "skipped in part: $n_skipped programs missing, all else passed"; }
finish
