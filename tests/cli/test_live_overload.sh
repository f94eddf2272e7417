# SPDX-License-Identifier: BSD-2-Clause
# Three minutes of sound, or $OTOLITH_TEST_MINUTES, without a pause, that come 1.5 times as fast as they can be worked on, then
# a quiet talk: what is lost is told and counted, and the talk is heard as it would have been alone.
. "$SOURCE_DIR/tests/cli/common.sh"
command -v jq >/dev/null || {
    echo "skipped: no jq here"
    exit 77
}
"$make_files" model tiny.oto 3 || exit 1
"$make_files" raw a.raw 5 48000 16000 || exit 1
"$make_files" raw b.raw 6 64000 16000 || exit 1
live="$OTOLITH live --model=./tiny.oto --raw=s16le:16000:1 --min-confidence=0 --beam=1000 --format=jsonl"

# How fast it is here: a minute and ten seconds, in ms.
for i in $(seq 10); do cat a.raw b.raw; done >minute.raw
measure() {
    local start
    start=$(date +%s%N)
    run 0 $live --input=minute.raw --unpaced
    taken_ms=$((($(date +%s%N) - start) / 1000000))
}

head -c 192000 /dev/zero >pause.raw
for i in $(seq 8); do cat pause.raw a.raw; done >calm.raw
run 0 $live --input=calm.raw --unpaced
jq -c 'select(.type == "final") | .text' out | tail -4 >expected
[ "$(wc -l <expected)" -eq 4 ] || fail "the quiet talk: $(cat out)"

for i in $(seq "${OTOLITH_TEST_MINUTES:-3}"); do head -c 1920000 minute.raw; done >long.raw
cat calm.raw >>long.raw
n=$(($(stat -c %s long.raw) / 2))

# overload: what holds in any case.
overload() {
    pace=$(awk -v ms="$taken_ms" 'BEGIN { printf "%.2f", 1.5 * 70000 / ms }')
    run 0 $live --input=long.raw --pace="$pace"
    empty err
    grep -v partial out >told
    jq -se --argjson n "$n" '([.[] | select(.type == "gap").samples] | add // 0) as $lost | .[-1].event == "end" and
        .[-1].captured == $n and .[-1].lost == $lost and .[-1].processed == $n - $lost' told >/dev/null ||
        fail "account: $(tail -1 told)"
    jq -se '[.[] | select(.type == "gap")] | all(.end - .start - .samples / 16000 | fabs < 0.001)' told >/dev/null ||
        fail "gaps: $(grep gap told | head -3)"
}

# recovers: something was lost, the last gap lies before the last four sentences, and these are what they were.
recovers() {
    jq -c 'select(.type == "final") | .text' told | tail -4 >found
    jq -se '.[-1].lost > 0 and ([.[] | select(.type == "gap").end] | last) < ([.[] | select(.type == "final").start] | .[-4])' told >/dev/null &&
        cmp -s expected found
}

# A machine that becomes faster or slower meanwhile, as others use it, shows neither: then once more.
measure
for attempt in 1 2 3 4 5 6; do
    before_ms=$taken_ms
    overload
    recovers && break
    measure
    if [ $((5 * taken_ms)) -gt $((4 * before_ms)) ] && [ $((4 * taken_ms)) -lt $((5 * before_ms)) ]; then
        fail "no recovery: $(tail -8 told); sentences: $(cat found), expected $(cat expected)"
        break
    fi
    echo "a minute took $before_ms ms before, $taken_ms ms afterwards"
    [ $attempt -eq 6 ] && fail "this machine never keeps its speed, and there was no recovery: $(tail -8 told)"
done
jq -sr --arg pace "$pace" '"input at \($pace) times its speed, 1.5 times that of the recogniser: \(map(select(.type == "gap")) | length) gaps, " +
    "\(.[-1].lost / 16000) s of \(.[-1].captured / 16000) s lost"' told
finish
