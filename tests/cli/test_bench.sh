# SPDX-License-Identifier: BSD-2-Clause
# otolith bench: figures that agree with each other, as text and as JSON; mistakes.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
"$make_files" wav a.wav 1 80000 16000 || exit 1
"$make_files" wav b.wav 2 44100 22050 || exit 1
model=--model=./tiny.oto

run 0 "$OTOLITH" bench $model --runs=2 a.wav b.wav
empty err
has out 'audio       7.0 s in 2 files, 2 runs, 1 thread'
has out 'real-time factor'
has out 'peak memory'
for stage in audio features network decoder other total; do
    grep -qE "^    $stage +[0-9]+\.[0-9]{3} +[0-9]+\.[0-9]{3} " out || fail "no line of $stage: $(cat out)"
done

# JSON: 70 portions of 100 ms a run (b.wav ends with a whole one), two files, three runs; every stage took time; the parts are the whole.
run 0 "$OTOLITH" bench $model --runs=3 --threads=2 --format=json a.wav b.wav
[ "$(wc -l <out)" -eq 1 ] || fail "more than a line: $(cat out)"
if command -v python3 >/dev/null; then
    python3 - out <<'PY' || n_failed=$((n_failed + 1))
import json, sys

b = json.load(open(sys.argv[1]))
wall = b["wall_ms_per_s"]
parts = [wall[k] for k in ("audio", "features", "network", "decoder")]
print(b)
assert b["v"] == 1 and b["files"] == 2 and b["runs"] == 3 and b["threads"] == 2 and b["portion_ms"] == 100
assert abs(b["audio_s"] - 7) < 0.01, b["audio_s"]
assert all(x > 0 for x in parts), parts
assert abs(b["real_time_factor"] - wall["total"] / 1000) < 1e-9
assert b["feed_ms"]["calls"] in (3 * 70, 3 * 71) and b["finish_ms"]["calls"] == 6
for name in ("feed_ms", "finish_ms"):
    x = b[name]
    assert 0 < x["p50"] <= x["p90"] <= x["p99"] <= x["max"], x
assert b["peak_memory_mb"] > 1 and b["load_ms"] > 0 and b["parameters"] > 0
PY
fi

# A longer portion, fewer calls.
run 0 "$OTOLITH" bench $model --runs=1 --portion=1000 --format=json a.wav
has out '"feed_ms":{"calls":5,'
has out '"finish_ms":{"calls":1,'

# With a language model, the model's own or another.
printf 'bad abe\nabe bad bad\n' >text.txt
run 0 "$OTOLITH" lm build --order=2 -o lm.otolm text.txt
run 0 "$OTOLITH" bench $model --runs=1 --lm=lm.otolm --hot-word=dabba a.wav
has out 'decoder'
run 0 "$OTOLITH" model set --lm=lm.otolm tiny.oto scored.oto
run 0 "$OTOLITH" bench --model=./scored.oto --runs=1 a.wav
run 0 "$OTOLITH" bench --model=./scored.oto --runs=1 --lm=none a.wav
run 66 "$OTOLITH" bench $model --runs=1 --lm=missing.otolm a.wav
printf '#JSGF V1.0;\ngrammar g;\npublic <s> = (bad | abe)+;\n' >g.gram
run 0 "$OTOLITH" bench $model --runs=1 --grammar=g.gram a.wav
run 66 "$OTOLITH" bench $model --runs=1 --grammar=missing.gram a.wav
run 65 "$OTOLITH" bench $model --runs=1 --lm=text.txt a.wav

run 64 "$OTOLITH" bench $model
has err 'no file named'
run 64 "$OTOLITH" bench $model -
has err 'once only'
run 66 "$OTOLITH" bench $model missing.wav
has err 'missing.wav'
run 66 "$OTOLITH" bench --model=./missing.oto a.wav
"$make_files" wav none.wav 1 0 16000 || exit 1
run 65 "$OTOLITH" bench $model none.wav
has err 'none.wav'
run 64 "$OTOLITH" bench $model --runs=0 a.wav
run 74 sh -c '"$1" bench --model=./tiny.oto --runs=1 a.wav >/dev/full' sh "$OTOLITH"
finish
