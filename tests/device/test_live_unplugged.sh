#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A microphone is pulled out while `otolith live` hears it, and put back in: what was being said is told, the loss is
# reported, and it is heard again. So when the process that captures is killed. The microphone is a plugin of ALSA
# (tests/support/alsa_unplug.c); all else is as it is. Times are measured, not assumed: the machine may be busy.
set -u
if [ ! -x "${OTOLITH:-}" ]; then
    echo "skipped: the program was not built (OTOLITH_AUDIO=OFF)"
    exit 77
fi
. "$SOURCE_DIR/tests/cli/common.sh"
command -v jq >/dev/null || {
    echo "skipped: no jq here"
    exit 77
}
${CC:-cc} -std=c11 -D_GNU_SOURCE -DPIC -O1 -Wall -Wextra -shared -fPIC -o unplug.so "$SOURCE_DIR/tests/support/alsa_unplug.c" -lasound 2>compiler || {
    echo "skipped: no plugin of ALSA can be built here: $(head -1 compiler)"
    exit 77
}
"$make_files" model tiny.oto 3 || exit 1
"$make_files" raw a.raw 5 48000 16000 || exit 1
head -c 64000 /dev/zero >pause.raw
cat a.raw pause.raw >microphone.raw # 3 s of sound, 2 s without
cat >asound.conf <<CONF
pcm_type.unplug { lib "$work/unplug.so" }
pcm.!default { type unplug file "$work/microphone.raw" }
CONF
export ALSA_CONFIG_PATH=$work/asound.conf JACK_DEFAULT_SERVER=otolith-none
"$OTOLITH" devices >devices 2>err
grep -q default devices || {
    echo "skipped: ALSA does not take the plugin: $(cat devices err)"
    exit 77
}

slack=1000 # ms: what the last samples before a gap took to come
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# listen: in a group of its own, as a terminal has it; then pid is its number.
listen() {
    rm -f out err heard.wav
    : >out
    setsid "$OTOLITH" live --model=./tiny.oto --min-confidence=0 --format=jsonl --save-audio=heard.wav >out 2>err &
    pid=$!
    wait_for 1 '"listening"' out
}

# account: what is told of the sound, and the saved sound, fit together.
account() {
    grep -v partial out >told
    jq -se '([.[] | select(.type == "gap").samples // 0] | add // 0) == .[-1].lost and .[-1].event == "end" and
        .[-1].captured == .[-1].processed + .[-1].lost' told >/dev/null || fail "account: $(grep -E 'gap|end"' told)"
    [ "$(stat -c %s heard.wav)" -eq $((44 + 2 * $(jq -s '.[-1].processed' told))) ] ||
        fail "saved sound: $(stat -c %s heard.wav) bytes"
}

# gaps MINIMUM MAXIMUM...: the gaps that are not of the machine being busy, in ms; nothing is heard in them.
gaps() {
    local n=$(($# / 2)) bounds
    bounds=$(echo "$*" | tr ' ' ',')
    jq -se --argjson bounds "[$bounds]" --argjson n $n '. as $all | [.[] | select(.type == "gap" and .samples > 8000)] as $gaps |
        ($gaps | length) == $n and
        all(range($n); $gaps[.].samples / 16 >= $bounds[2 * .] and $gaps[.].samples / 16 <= $bounds[2 * . + 1]) and
        all($gaps[]; . as $g | all($all[] | select(.type == "final"); .end <= $g.start or .start >= $g.end))' told >/dev/null ||
        fail "gaps, expected $n within $* ms: $(cat told)"
}

# Pulled out, tried in vain for a while, put back in.
listen
wait_for 1 '"final"' out
wait_for 3 '"partial"' out
start=$(now_ms)
mv microphone.raw pulled-out
wait_for 1 '"event":"device"' out
grep -Eq 'stopped after|has given no samples' out || fail "what happened: $(grep device out)"
told=$(now_ms)
n=$(grep -c '"final"' out)
sleep 2.5
runs $pid || fail "it ended: $(cat err)"
back=$(now_ms)
mv pulled-out microphone.raw
wait_for 1 '"gap"' out
pulled_out="$((back - told)) $(($(now_ms) - start + slack))"
wait_for 2 '"listening"' out
wait_for $((n + 2)) '"final"' out

# The process that captures is killed: the same. It is the only child, and none that has ended is left.
child=$(children $pid)
[ "$(echo "$child" | wc -w)" -eq 1 ] && runs "$child" || fail "children: $child"
n=$(grep -c '"final"' out)
start=$(now_ms)
kill -9 $child
wait_for 2 '"event":"device"' out
grep -q 'stopped after .*the audio system was ended by signal 9' out || fail "what happened: $(grep device out)"
wait_for 3 '"listening"' out
killed="0 $(($(now_ms) - start + slack))"
wait_for $((n + 2)) '"final"' out
[ "$(children $pid | wc -w)" -eq 1 ] || fail "children: $(children $pid)"

# Once more, and it is not there when it is told to end.
mv microphone.raw pulled-out
sleep 0.5
child=$(children $pid)
kill -INT $pid
wait_end $pid
[ $code -eq 130 ] || fail "exit code $code: $(cat err)"
runs $child && fail "process $child is left"
empty err
account
gaps $pulled_out $killed

# Ctrl-C goes to all processes of the group: what was being said is told.
mv pulled-out microphone.raw
listen
wait_for 3 '"partial"' out
kill -INT -- -$pid
wait_end $pid
[ $code -eq 130 ] || fail "Ctrl-C: exit code $code: $(cat err)"
empty err
jq -se 'map(.type) | (rindex("final") // 0) > rindex("partial")' out >/dev/null || fail "Ctrl-C: $(tail -5 out)"
account
gaps

# A device that hangs while it is opened: that has an end, and Ctrl-C ends it sooner. One that crashes.
touch microphone.raw.hang
run 69 "$OTOLITH" devices
has err 'the audio system has not answered for 15 s'
setsid "$OTOLITH" live --model=./tiny.oto --format=jsonl >out 2>err &
pid=$!
for ((i = 0; i < 600; i++)); do
    child=$(children $pid)
    [ -n "$child" ] && break
    sleep 0.1
done
runs "$child" || fail "no child: $child"
kill -INT -- -$pid
wait_end $pid
[ $code -eq 130 ] || fail "Ctrl-C while it was being opened: exit code $code: $(cat err)"
runs $child && fail "process $child is left"
empty err
jq -se 'length == 1 and .[0].event == "end" and .[0].captured == 0' out >/dev/null || fail "nothing was heard: $(cat out)"
rm microphone.raw.hang
touch microphone.raw.crash
run 69 "$OTOLITH" live --model=./tiny.oto
has err 'microphone: the audio system was ended by signal 6'
rm microphone.raw.crash

# The program is killed: the child goes, too.
listen
child=$(children $pid)
runs $child || fail "no child: $child"
kill -9 $pid
wait_end $pid
wait_end $child
finish
