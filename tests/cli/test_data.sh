# SPDX-License-Identifier: BSD-2-Clause
# otolith data: conversions there and back, outside readers of what is written, sets without common speakers, figures
# that follow from the corpus, problems and their exit code.
. "$SOURCE_DIR/tests/cli/common.sh"
tab=$(printf '\t')

# Nine utterances of three speakers, with texts that need care, below a folder of their own.
mkdir -p corpus/a corpus/b made
i=0
printf 'id\tpath\tseconds\tspeaker\ttext\n' >corpus/all.tsv
while IFS= read -r text; do
    i=$((i + 1))
    folder=$([ $((i % 2)) -eq 0 ] && echo a || echo b)
    "$make_files" wav corpus/$folder/$i.wav $i $((8000 + 1600 * i)) 16000 || exit 1
    printf 'u%d\t%s/%d.wav\t%s\tspk%d\t%s\n' $i $folder $i \
        "$(awk "BEGIN { print (8000 + 1600 * $i) / 16000 }")" $((i % 3)) "$text" >>corpus/all.tsv
done <<'END'
plain words
with, a comma
she said "yes"
l'été à Noël
你好，世界
مرحبا بالعالم
नमस्ते दुनिया
back\slash and | bar
 spaced  out
END

# There and back: the same lines, whatever lies between; paths fit where the manifest stands.
run 0 "$OTOLITH" data convert corpus/all.tsv made/all.csv
run 0 "$OTOLITH" data convert made/all.csv made/all.jsonl
run 0 "$OTOLITH" data convert made/all.jsonl made/kaldi
has err 'made/kaldi: 9 utterances as kaldi'
run 0 "$OTOLITH" data convert kaldi:made/kaldi corpus/back.tsv
# Kaldi's names begin with the speaker, its lines are sorted, and its words have one blank between.
normal() { tail -n +2 "$1" | sed "s/^spk[0-9]-//; s/  */ /g; s/$tab /$tab/g; s/ $//" | LC_ALL=C sort; }
[ "$(normal corpus/all.tsv)" = "$(normal corpus/back.tsv)" ] || fail "not the same after tsv, csv, jsonl, kaldi, tsv:
$(diff <(normal corpus/all.tsv) <(normal corpus/back.tsv))"
for pair in csv:csv jsonl:jsonl tsv:tsv; do
    run 0 "$OTOLITH" data convert --paths=relative corpus/all.tsv made/1."${pair#*:}"
    run 0 "$OTOLITH" data convert --paths=relative made/1."${pair#*:}" corpus/2.tsv
    cmp -s corpus/all.tsv corpus/2.tsv || fail "tsv, $pair, tsv is not the same: $(diff corpus/all.tsv corpus/2.tsv)"
done
has made/1.tsv "u1${tab}../corpus/b/1.wav${tab}0.6"
run 0 "$OTOLITH" data convert corpus/all.tsv corpus/3.csv
has corpus/3.csv 'b/1.wav,19244,plain words,u1,spk1,0.6'
has made/all.csv "$PWD/corpus/b/1.wav,19244,"
mkdir -p deep/er
run 0 "$OTOLITH" data convert --paths=relative --to=tsv corpus/all.tsv deep/er/list
has deep/er/list "${tab}../../corpus/a/2.wav${tab}"

# JSON lines by jq.
if command -v jq >/dev/null; then
    [ "$(jq -r .text made/all.jsonl | head -4)" = "$(cut -f5 corpus/all.tsv | sed 1d | head -4)" ] || fail "texts by jq"
    jq -es 'length == 9 and all(.[]; (.audio_filepath | startswith("/")) and (.duration | type) == "number"
        and (has("offset") | not))' made/all.jsonl >/dev/null || fail "jq: $(cat made/all.jsonl)"
else
    echo "not checked: JSON lines by jq, which is not here"
fi

# CSV by Python.
if command -v python3 >/dev/null; then
    python3 - <<'END' || fail "Python reads something else in made/all.csv"
import csv, os
rows = list(csv.DictReader(open("made/all.csv", encoding="utf-8", newline="")))
lines = [l.rstrip("\n").split("\t") for l in open("corpus/all.tsv", encoding="utf-8")][1:]
assert [r["transcript"] for r in rows] == [l[4] for l in lines], rows
assert [r["speaker"] for r in rows] == [l[3] for l in lines]
for r in rows:
    assert os.path.getsize(r["wav_filename"]) == int(r["wav_filesize"]), r
END
else
    echo "not checked: CSV by Python, which is not here"
fi

# A Kaldi folder as validate_data_dir.sh wants it: sorted, every key once, the same keys in all, speakers sorted, too.
valid_kaldi() {
    local file
    for file in "$1"/*; do
        LC_ALL=C sort -cu -k1,1 "$file" || fail "$file: not sorted, or a key twice"
        iconv -f UTF-8 -t UTF-8 "$file" >/dev/null || fail "$file: not UTF-8"
    done
    for file in utt2spk utt2dur $([ -f "$1/segments" ] && echo segments || echo wav.scp); do
        [ "$(cut -d' ' -f1 "$1/$file")" = "$(cut -d' ' -f1 "$1/text")" ] || fail "$1/$file has other keys than text"
    done
    LC_ALL=C sort -k2 "$1/utt2spk" | cmp -s - "$1/utt2spk" || fail "$1/utt2spk: not sorted by speaker"
    [ "$(awk '{ for (i = 2; i <= NF; i++) print $i, $1 }' "$1/spk2utt")" = "$(cat "$1/utt2spk")" ] ||
        fail "$1: spk2utt and utt2spk differ"
    while read -r _ file; do [ -f "$file" ] || fail "$1/wav.scp: no $file"; done <"$1/wav.scp"
    [ ! -f "$1/segments" ] || awk 'NF != 4 || !($4 > $3) { exit 1 }' "$1/segments" || fail "$1/segments: a bad line"
}
valid_kaldi made/kaldi
has made/kaldi/text 'spk2-u2 with, a comma'

# Parts of recordings: written as segments, offset and start; csv has no place for them.
printf 'id\tpath\tstart\tseconds\tspeaker\ttext\np1\ta/8.wav\t0\t0.5\ts\tone\np2\ta/8.wav\t0.5\t0.75\ts\ttwo\nw\ta/2.wav\t\t0\tt\tall\n' >corpus/parts.tsv
run 0 "$OTOLITH" data convert corpus/parts.tsv made/parts
valid_kaldi made/parts
has made/parts/segments 'p2 a_8 0.5 1.25'
[ "$(wc -l <made/parts/wav.scp)" -eq 2 ] || fail "one line for each recording expected: $(cat made/parts/wav.scp)"
run 0 "$OTOLITH" data convert made/parts made/parts.jsonl
has made/parts.jsonl '"duration": 0.75, "offset": 0.5, "text": "two"'
run 0 "$OTOLITH" data convert made/parts.jsonl corpus/4.tsv
has corpus/4.tsv "a/8.wav${tab}0.5${tab}0.75${tab}s${tab}two"
run 65 "$OTOLITH" data convert corpus/parts.tsv made/parts.csv
has err 'is a part of a longer recording, and csv has no place for that'
run 0 "$OTOLITH" data check --symbols=' abcdefghijklmnopqrstuvwxyz' made/parts
run 64 "$OTOLITH" data convert --to=ljspeech corpus/all.tsv made/lj
has err 'ljspeech is read, not written'
run 73 "$OTOLITH" data convert corpus/all.tsv no/such/folder.tsv

# The recogniser reads parts and all formats: the same utterances, the same hypotheses.
"$make_files" model tiny.oto 3 || exit 1
for manifest in corpus/all.tsv made/all.csv made/all.jsonl; do
    run 0 "$OTOLITH" eval --model=./tiny.oto --manifest=$manifest --hyp=hyp."${manifest##*.}"
done
cmp -s hyp.tsv hyp.csv && cmp -s hyp.tsv hyp.jsonl || fail "other hypotheses by format"
run 0 "$OTOLITH" eval --model=./tiny.oto --corpus-format=kaldi --manifest=made/parts --hyp=hyp.parts
run 0 "$OTOLITH" eval --model=./tiny.oto --manifest=made/parts.jsonl --hyp=hyp.jsonl
cmp -s hyp.parts hyp.jsonl || fail "other hypotheses of parts"
[ -s hyp.parts ] || fail "no hypotheses of parts"

# Sets by speaker: all utterances once, no speaker twice, the same for the same seed and in any order of the lines.
run 0 "$OTOLITH" data split --shares=50,25,25 --seed=3 corpus/all.tsv sets
[ "$(wc -l <out)" -eq 3 ] || fail "three rows expected: $(cat out)"
[ "$(cat sets/*.tsv | grep -v '^id' | cut -f1 | sort)" = "$(cut -f1 corpus/all.tsv | sed 1d | sort)" ] || fail "not each utterance once"
[ "$(for s in sets/*.tsv; do sed 1d $s | cut -f4 | sort -u; done | sort | uniq -d)" = "" ] || fail "a speaker in two sets"
{ head -1 corpus/all.tsv; sed 1d corpus/all.tsv | sort -r; } >corpus/reversed.tsv
run 0 "$OTOLITH" data split --shares=50,25,25 --seed=3 corpus/reversed.tsv sets2
for s in train dev test; do
    [ "$(sort sets/$s.tsv)" = "$(sort sets2/$s.tsv)" ] || fail "another $s for another order of lines"
done
for seed in 1 2 3 4 5 6; do
    run 0 "$OTOLITH" data split --shares=50,25,25 --seed=$seed corpus/all.tsv sets3
    sum sets3/dev.tsv >>seeds
done
[ "$(sort -u seeds | wc -l)" -gt 1 ] || fail "the seed does not matter"
run 0 "$OTOLITH" data split --shares=90,10,0 --to=jsonl --by=utterance corpus/all.tsv sets4
[ -f sets4/train.jsonl ] && [ -f sets4/dev.jsonl ] && [ ! -e sets4/test.jsonl ] || fail "sets: $(ls sets4)"
run 65 "$OTOLITH" data split corpus/parts.tsv sets5
has err '2 speakers cannot be parted into 3 sets'
run 64 "$OTOLITH" data split --shares=1,2 corpus/all.tsv sets5
has err 'expected three numbers for train, dev and test'

# Figures: those that follow from the corpus.
run 0 "$OTOLITH" data stats corpus/all.tsv
has out 'utterances  9'
has out 'speakers    3'
has out 'seconds     0.60 to 1.40, median 1.00, mean 1.00'
has out 'U+4F60 你'
has out 'U+0645 م'
if command -v jq >/dev/null; then
    run 0 "$OTOLITH" data stats --format=json made/all.csv
    jq -e '.utterances == 9 and (.seconds - 9 | fabs) < 1e-6 and (.speakers | length) == 3 and
        ([.speakers[].utterances] | add) == 9 and .characters["世"] == 1 and (.characters | has(",") | not) and
        .characters["é"] == 2 and .histogram.counts == [0,0,0,0,0,0,1,1,1,1,1,1,1,1,1] and .words == 22 and .unknown_lengths == 0' \
        out >/dev/null || fail "stats: $(cat out)"
    run 0 "$OTOLITH" data stats --format=json --punctuation=keep --case=upper made/all.csv
    jq -e '.characters[","] == 1 and .characters["É"] == 2' out >/dev/null || fail "stats with punctuation: $(cat out)"
fi

# Problems: named, counted, exit code 1; none is 0.
run 0 "$OTOLITH" data check --jobs=2 corpus/all.tsv
is out '9 utterances, 0.00 hours; 0 problems'
run 1 "$OTOLITH" data check --symbols=" 'abcdefghijklmnopqrstuvwxyz" corpus/all.tsv
has out "corpus/all.tsv:5: symbols: the text holds 'é' U+00E9, 'à' U+00E0, 'ë' U+00EB; expected"
run 1 "$OTOLITH" data check --model=./tiny.oto corpus/all.tsv
has out 'symbols'
printf 'symbols = "abcdefghijklmnopqrstuvwxyz "\ncase = keep\nstride = 30\nstack = 30\n' >recipe.conf
printf 'id\tpath\tseconds\ttext\nx\ta/2.wav\t0\tAbba\ny\ta/2.wav\t7\tabba\nz\tgone.wav\t0\ta\nz\tb/1.wav\t0\ta\n' >corpus/bad.tsv
for jobs in 1 3; do
    run 1 "$OTOLITH" data check --config=recipe.conf --jobs=$jobs corpus/bad.tsv
    cp out check.$jobs
done
cmp -s check.1 check.3 || fail "another report with 3 jobs"
[ "$(sed 's/: .*//' out | head -7 | sed 's/.*bad.tsv://' | sort | tr '\n' ' ')" = '2 2 3 3 3 4 5 ' ] || fail "lines: $(cat out)"
for kind in duplicate-id symbols too-short duration duplicate-audio missing-audio; do
    has out " $kind: "
done
has out '4 utterances, 0.00 hours; 7 problems: duplicate-id 1,'
# A network that pairs frames leaves fewer of them to CTC.
printf 'id\tpath\ttext\nx\tb/1.wav\tabcdefghijk\n' >corpus/short.tsv
for layers in '' 1 1,2; do
    printf 'symbols = "abcdefghijklmnopqrstuvwxyz "\nlayers = 4\nreduce-after = %s\n' "$layers" >pairs.conf
    code=1
    [ -n "$layers" ] || code=0
    run $code "$OTOLITH" data check --config=pairs.conf corpus/short.tsv
    cp out short.$layers
done
has short.1 'short.tsv:2: too-short: too short for CTC: 10 frames for 11 labels; expected 11'
has short.1,2 'short.tsv:2: too-short: too short for CTC: 5 frames for 11 labels; expected 11'
printf 'layers = 2\nreduce-after = 2\n' >pairs.conf
run 78 "$OTOLITH" data check --config=pairs.conf corpus/short.tsv
has err 'reduce-after = "2": expected rising layers from 1 to 1'
run 1 "$OTOLITH" data check --config=recipe.conf --case=lower corpus/bad.tsv
hasnt out 'symbols'
if command -v jq >/dev/null; then
    run 1 "$OTOLITH" data check --format=json --config=recipe.conf corpus/bad.tsv
    jq -e '.v == 1 and (.problems | length) == 7 and .counts["too-short"] == 2 and .utterances == 4 and
        (.problems[0] | .kind == "duplicate-id" and .id == "z" and .line == 5 and (.file | endswith("bad.tsv")))' \
        out >/dev/null || fail "check as JSON: $(cat out)"
fi
run 66 "$OTOLITH" data check nowhere.tsv
run 65 "$OTOLITH" data check tiny.oto
run 65 "$OTOLITH" data stats corpus/bad.tsv
run 0 "$OTOLITH" data stats --bad-lines=skip corpus/bad.tsv
run 64 "$OTOLITH" data
run 64 "$OTOLITH" data chekc corpus/all.tsv
has err "check, stats, convert or split expected, found 'chekc'"
run 64 "$OTOLITH" data convert corpus/all.tsv
run 64 "$OTOLITH" data check --model=./tiny.oto --symbols=abc corpus/all.tsv
finish
