#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `otolith devices` lists what ALSA offers; here the file plugin, so that no sound card is needed.
set -u
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
if [ ! -x "${OTOLITH:-}" ]; then
    echo "skipped: the program was not built (OTOLITH_AUDIO=OFF)"
    exit 77
fi
fail() { echo "FAILED: $*"; exit 1; }

head -c 4096 /dev/zero > "$folder/zero.raw"
cat > "$folder/asound.conf" << CONF
pcm.!default { type file slave.pcm { type null } file /dev/null infile "$folder/zero.raw" format raw }
CONF
export ALSA_CONFIG_PATH=$folder/asound.conf JACK_DEFAULT_SERVER=otolith-none

"$OTOLITH" devices > "$folder/text" 2> "$folder/stderr"
code=$?
if [ $code -eq 69 ]; then
    echo "skipped: $(cat "$folder/stderr")"
    exit 77
fi
[ $code -eq 0 ] || fail "exit code $code: $(cat "$folder/stderr")"
[ ! -s "$folder/stderr" ] || fail "standard error is not silent: $(head -3 "$folder/stderr")"
if [ ! -s "$folder/text" ]; then
    echo "skipped: ALSA gives no device by its file plugin"
    exit 77
fi
grep -Eq '^\* +[0-9]+  default .* channels .* Hz  ALSA$' "$folder/text" || fail "text: $(cat "$folder/text")"
"$OTOLITH" devices --format=json > "$folder/json" || fail "json: exit code $?"
grep -Eq '^\{"v":1,"index":[0-9]+,"name":"default","host_api":"ALSA","channels":[0-9]+,"rate_hz":[0-9]+,"default":true\}$' \
    "$folder/json" || fail "json: $(cat "$folder/json")"
"$OTOLITH" devices extra 2> /dev/null && fail "an argument was accepted"
"$OTOLITH" devices --help | grep -q -- --format || fail "no help"

# Without any device: an empty list, a note, success.
echo "pcm.!default { type hw card 31 }" > "$folder/empty.conf"
ALSA_CONFIG_PATH=$folder/empty.conf "$OTOLITH" devices > "$folder/text" 2> "$folder/stderr" || fail "no device: exit code $?"
if [ -s "$folder/text" ]; then
    echo "this machine has a sound card: the empty list is not tested"
elif ! grep -q 'no input device' "$folder/stderr"; then
    fail "no device: $(cat "$folder/stderr")"
fi
echo "ok"
