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

# wait_for PATTERN FILE
wait_for() {
    for i in $(seq 100); do
        grep -q "$1" "$2" && return 0
        sleep 0.1
    done
    fail "no $1 in $2: $(tail -3 "$2")"
}

# ALSA: far too fast. What does not fit is lost, and told; nothing else on standard error.
"$OTOLITH" live --model=./tiny.oto --format=jsonl >out 2>err &
pid=$!
wait_for '"gap"' out
kill -INT $pid
wait $pid
code=$?
[ $code -eq 130 ] || fail "ALSA: exit code $code: $(cat err)"
empty err
jq -se '.[0].event == "listening" and (.[0].source | contains("default")) and .[0].source_rate_hz == 44100 and
    .[-1].event == "end" and .[-1].processed > 0 and
    ([.[] | select(.type == "gap").samples] | add) == .[-1].lost and .[-1].lost > 0 and
    ([.[] | select(.type == "final")] | length) == 0' out >/dev/null || fail "ALSA: $(head -c 2000 out)"
run 66 "$OTOLITH" live --model=./tiny.oto --device=nosuchthing
has err 'nosuchthing'

# JACK: three seconds take three seconds, and nothing is lost. Then the server dies.
export JACK_DEFAULT_SERVER=otolith-live-$$
jackd -n "$JACK_DEFAULT_SERVER" -r --no-mlock -d dummy -r 16000 -p 160 >jack.log 2>&1 &
server=$!
found=0
for i in $(seq 50); do
    kill -0 $server 2>/dev/null || break
    "$OTOLITH" live --list 2>/dev/null | grep -q 'system .*JACK' && found=1 && break
    sleep 0.1
done
if [ $found -eq 0 ]; then
    kill $server 2>/dev/null
    wait $server 2>/dev/null
    echo "no jackd here, or it does not start: JACK is not tested"
    finish
fi
"$OTOLITH" live --model=./tiny.oto --device=system --format=jsonl --save-audio=heard.wav >out 2>err &
pid=$!
wait_for '"listening"' out
sleep 3
kill -TERM $server # SIGKILL would leave its shared memory behind
wait $server 2>/dev/null
wait_for '"device"' out
kill -INT $pid
for i in $(seq 100); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done
wait $pid
code=$?
[ $code -eq 130 ] || fail "JACK: exit code $code: $(cat err)"
empty err
jq -se '(.[0].source | contains("system")) and .[0].source_rate_hz == 16000 and .[-1].lost == 0 and
    .[-1].processed > 32000 and .[-1].processed < 160000' out >/dev/null || fail "JACK: $(head -c 2000 out)"
has out 'stopped after'
[ "$(stat -c %s heard.wav)" -eq $((44 + 2 * $(jq -s '.[-1].processed' out))) ] || fail "saved sound: $(stat -c %s heard.wav) bytes"
finish
