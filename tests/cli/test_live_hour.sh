# SPDX-License-Identifier: BSD-2-Clause
# An hour of sound, or $OTOLITH_TEST_HOURS, as fast as it goes: nothing is lost, memory does not grow, times do not drift.
# With OTOLITH_TEST_MODEL=FILE and OTOLITH_TEST_TALK=FILE (s16le, 16 kHz, a multiple of 10 ms, with pauses) a real model hears real speech again and again.
. "$SOURCE_DIR/tests/cli/common.sh"
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0" # what was freed is to be free
command -v jq >/dev/null || {
    echo "skipped: no jq here"
    exit 77
}
hours=${OTOLITH_TEST_HOURS:-1}
model=${OTOLITH_TEST_MODEL:-./tiny.oto}
search='--min-confidence=0 --beam=4'
[ -z "${OTOLITH_TEST_MODEL:-}" ] || search=
"$make_files" model tiny.oto 3 || exit 1
"$make_files" raw a.raw 5 48000 16000 || exit 1
"$make_files" raw b.raw 6 64000 16000 || exit 1
head -c 64000 /dev/zero >pause.raw
cat a.raw pause.raw b.raw pause.raw pause.raw >talk.raw # 13 s
[ -z "${OTOLITH_TEST_TALK:-}" ] || cp "$OTOLITH_TEST_TALK" talk.raw
round=$(($(stat -c %s talk.raw) / 2)) # samples
rounds=$((3600 * hours * 16000 / round + 1))

"$OTOLITH" live --model="$model" $search --raw=s16le:16000:1 --input=- --unpaced --format=jsonl \
    < <(for i in $(seq $rounds); do cat talk.raw; done) >out 2>err &
pid=$!
: >memory
while kill -0 "$pid" 2>/dev/null; do
    rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" 2>/dev/null)
    heard=$(tail -c 4000 out | tail -2 | head -1 | sed -n 's/.*"heard":\([0-9]*\).*/\1/p')
    [ -n "$rss" ] && [ -n "$heard" ] && echo "$heard $rss" >>memory
    sleep 0.1
done
wait "$pid"
code=$?
[ $code -eq 0 ] || fail "exit code $code: $(cat err)"
empty err
jq -se --argjson n $((rounds * round)) '.[-1].event == "end" and .[-1].captured == $n and .[-1].processed == $n and
    .[-1].lost == 0 and all(.type != "gap")' <(grep -v partial out) >/dev/null || fail "account: $(tail -1 out)"
# From the tenth round on the utterances are the same in each round, to the sample.
jq -r --argjson round $round 'select(.type == "final" and .start * 16000 > 10 * $round) |
    [.start, .end, .words[-1].end] | map(. * 16000 | round % $round) | @tsv' out | sort | uniq -c >places
[ "$(awk '{ n += $1 } END { print n }' places)" -ge $((rounds - 20)) ] || fail "few utterances: $(cat places)"
[ "$(wc -l <places)" -le $((12 * ((round + 207999) / 208000))) ] || fail "times drift: $(wc -l <places) places, $(head -3 places)"
# Memory after the first tenth, of a day after its first hour.
awk -v most=$((hours > 10 ? 3600 : 360 * hours)) '$1 > most { if (!n++) first = $2; if ($2 > top) top = $2 }
    END { print n + 0, first, top; exit !(n < 2 || top - first <= 1024) }' memory >grown || fail "memory in KiB: $(cat grown)"
echo "memory samples, first and highest KiB: $(cat grown)"
echo "$(awk '{ n += $1 } END { print n }' places) utterances at $(wc -l <places) places of the round"
finish
