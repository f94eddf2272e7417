# SPDX-License-Identifier: BSD-2-Clause
# Hours of sound: memory that does not grow with them, and times that go on; transcribe and align.
. "$SOURCE_DIR/tests/cli/common.sh"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0" # what was freed is to be free
command -v python3 >/dev/null || { echo "skipped: no python3, which measures the memory"; exit 77; }

"$make_files" model tiny.oto 3 || exit 1
model=--model=./tiny.oto
"$make_files" raw speech.raw 1 240000 16000 || exit 1 # 15 s
{ cat speech.raw && head -c $((2 * 16000 * 3 / 2)) /dev/zero; } >part.raw # and 1.5 s of silence
raw=--raw=s16le:16000:1

# peak TIMES COMMAND...: standard input is so many parts; output to the file out; prints the peak of resident memory in KiB.
cat >peak.py <<'PY'
import resource, subprocess, sys
part = open("part.raw", "rb").read()
with open("out", "wb") as out:
    p = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=out)
    for _ in range(int(sys.argv[1])):
        p.stdin.write(part)
    p.stdin.close()
    if p.wait() != 0:
        sys.exit(f"exit code {p.returncode}")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY

# 11 minutes and 2 hours.
short=$(python3 peak.py 40 "$OTOLITH" transcribe -q $model $raw -) || fail "40 parts: $short"
long=$(python3 peak.py 436 "$OTOLITH" transcribe -q $model $raw -) || fail "436 parts: $long"
echo "transcribe: $short KiB for 11 minutes, $long KiB for 2 hours"
[ "$long" -lt $((short + 2048)) ] || fail "memory grows with the input: $short KiB for 11 minutes, $long KiB for 2 hours"
[ "$(wc -w <out)" -gt 436 ] || fail "only $(wc -w <out) words in 2 hours"

# Times go on: parts that are cut alike say the same, later by their length.
python3 peak.py 120 "$OTOLITH" transcribe -q $model $raw --format=json - >long.kib || fail "json"
python3 - <<'PY' || fail "times do not go on"
import json
r = json.load(open("out"))
words = [(w["start"], w["end"], w["word"]) for w in r["words"]]
assert abs(r["seconds"] - 120 * 16.5) < 0.01, r["seconds"]
assert all(a[1] <= b[0] + 1e-9 for a, b in zip(words, words[1:])), "words overlap"
assert words[-1][1] > 119 * 16.5, words[-1]
by_part = [[w for w in words if k * 16.5 <= (w[0] + w[1]) / 2 < (k + 1) * 16.5] for k in range(120)]
def alike(k, j):  # times have three digits
    return len(by_part[k]) == len(by_part[j]) and all(
        a[2] == b[2] and abs(b[0] - a[0] - (j - k) * 16.5) < 0.0011 and abs(b[1] - a[1] - (j - k) * 16.5) < 0.0011
        for a, b in zip(by_part[k], by_part[j]))
same = sum(alike(60, j) for j in range(120))
assert same >= 117, f"{same} of 120 parts are alike"
PY

# A known text of two hours.
python3 -c 'print("\n".join(["bad ace cede abba bee"] * 436))' >long.txt
head -40 long.txt >short.txt
short=$(python3 peak.py 40 "$OTOLITH" align -q $model $raw - short.txt) || fail "align 40 parts: $short"
long=$(python3 peak.py 436 "$OTOLITH" align -q $model $raw - long.txt) || fail "align 436 parts: $long"
echo "align: $short KiB for 11 minutes, $long KiB for 2 hours"
[ "$long" -lt $((short + 32768)) ] || fail "memory of align: $short KiB for 11 minutes, $long KiB for 2 hours"
[ "$(wc -l <out)" -eq $((436 * 5)) ] || fail "$(wc -l <out) words aligned"
finish
