#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `otolith live` on capture devices without a sound card: ALSA's file plugin, which has no pace, and
# jackd's dummy driver, which keeps it. Both give silence; test_live_speech.c hears speech.
set -u
if [ ! -x "${OTOLITH:-}" ]; then
    echo "skipped: the program was not built (OTOLITH_AUDIO=OFF)"
    exit 77
fi
. "$SOURCE_DIR/tests/cli/common.sh"
"$make_files" model tiny.oto 3 || exit 1
head -c 35280000 /dev/zero >zero.raw # 100 s of two float channels at 44.1 kHz, again and again
cat >asound.conf <<CONF
pcm.!default { type file slave.pcm { type null } file /dev/null infile "$work/zero.raw" format raw }
CONF
export ALSA_CONFIG_PATH=$work/asound.conf JACK_DEFAULT_SERVER=otolith-none
command -v jq >/dev/null || {
    echo "skipped: no jq here"
    exit 77
}
"$OTOLITH" devices >devices 2>err
if [ ! -s devices ]; then
    echo "skipped: $(cat err)"
    exit 77
fi

# ALSA: far too fast. What does not fit is lost, and told; nothing else on standard error.
"$OTOLITH" live --model=./tiny.oto --format=jsonl >out 2>err &
pid=$!
wait_for 1 '"gap"' out
kill -INT $pid
wait_end $pid
[ $code -eq 130 ] || fail "ALSA: exit code $code: $(cat err)"
empty err
jq -se '.[0].event == "listening" and (.[0].source | contains("default")) and .[0].source_rate_hz == 44100 and
    .[-1].event == "end" and .[-1].processed > 0 and
    ([.[] | select(.type == "gap").samples] | add) == .[-1].lost and .[-1].lost > 0 and
    ([.[] | select(.type == "final")] | length) == 0' out >/dev/null || fail "ALSA: $(head -c 2000 out)"
run 66 "$OTOLITH" live --model=./tiny.oto --device=nosuchthing
has err 'nosuchthing'

# JACK: sound takes the time that it takes, and nothing is lost. Then the server dies, and another one is started.
export JACK_DEFAULT_SERVER=otolith-live-$$
serve() {
    jackd -n "$JACK_DEFAULT_SERVER" -r --no-mlock -d dummy -r 16000 -p 160 >jack.log 2>&1 &
    server=$!
}
die() { # SIGKILL would leave its shared memory behind
    kill -TERM $server 2>/dev/null
    wait $server 2>/dev/null
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
serve
found=0
for ((i = 0; i < 200; i++)); do
    runs $server || break
    "$OTOLITH" live --list 2>/dev/null | grep -q 'system .*JACK' && found=1 && break
    sleep 0.1
done
if [ $found -eq 0 ]; then
    die
    echo "no jackd here, or it does not start: JACK is not tested"
    finish
fi
# heard_bytes N: until so much sound is saved.
heard_bytes() {
    for ((i = 0; i < 600; i++)); do
        [ "$(stat -c %s heard.wav)" -ge "$1" ] && return
        sleep 0.1
    done
    fail "not $1 bytes of sound, but $(stat -c %s heard.wav)"
}
: >out
start=$(now_ms)
"$OTOLITH" live --model=./tiny.oto --device=system --format=jsonl --save-audio=heard.wav >out 2>err &
pid=$!
wait_for 1 '"listening"' out
heard_bytes 96000
[ "$(stat -c %s heard.wav)" -le $((44 + 32 * ($(now_ms) - start))) ] || fail "heard faster than it was spoken"
grep -q '"samples":[0-9]' out && fail "lost: $(grep '"gap"' out)" # null: the server itself was late
start=$(now_ms)
die
wait_for 1 '"event":"device"' out
has out 'stopped after'
serve
wait_for 2 '"listening"' out
longest=$(($(now_ms) - start + 1000)) # the last samples before it may have come a little earlier
heard_bytes 160000
kill -INT $pid
wait_end $pid
[ $code -eq 130 ] || fail "JACK: exit code $code: $(cat err)"
empty err
die
jq -se --argjson longest $longest '(.[0].source | contains("system")) and .[0].source_rate_hz == 16000 and
    ([.[] | select(.type == "gap").samples // 0] | add) == .[-1].lost and .[-1].lost > 0 and .[-1].lost / 16 < $longest and
    .[-1].captured == .[-1].processed + .[-1].lost' out >/dev/null || fail "JACK: $(head -c 2000 out)"
[ "$(stat -c %s heard.wav)" -eq $((44 + 2 * $(jq -s '.[-1].processed' out))) ] || fail "saved sound: $(stat -c %s heard.wav) bytes"
finish
