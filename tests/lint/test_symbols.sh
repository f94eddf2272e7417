#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every external symbol starts with oto_, the shared library shows the public functions and nothing else, calls nothing
# that prints or ends the program, and needs no audio library.
set -u
. "$(dirname "$0")/lib.sh"
grep -q '^OTOLITH_SANITIZE:BOOL=ON' "$BUILD_DIR/CMakeCache.txt" 2>/dev/null &&
    skip "a sanitizer adds symbols of its own"
shared=$BUILD_DIR/libotolith.so
[ -e "$shared" ] || { echo "$shared: not built"; exit 1; }

for archive in "$BUILD_DIR"/libotolith*.a; do
    while read -r symbol; do
        checked
        case "$symbol" in
        oto_*) ;;
        *) fault "$archive: external symbol \"$symbol\" lacks the prefix oto_ (make it static or rename it)" ;;
        esac
    done < <(nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }')
done

check_exports() { # LIBRARY HEADER...: public functions are those marked OTO_API
    local library=$1 declared exported symbol
    shift
    declared=$(cat "$@" | tr '\n' ' ' | grep -oE 'OTO_API [^;(]*\(' | grep -oE 'oto_[a-z0-9_]+\(' | tr -d '(' | sort -u)
    exported=$(nm -D --defined-only "$library" | awk '{ print $NF }' | sort -u)
    checked "$(echo "$exported" | wc -l)"
    for symbol in $(comm -13 <(echo "$declared") <(echo "$exported")); do
        fault "$library: exports \"$symbol\", which its public headers do not declare"
    done
    for symbol in $(comm -23 <(echo "$declared") <(echo "$exported")); do
        fault "$library: does not export \"$symbol\", which a public header declares"
    done
}
check_exports "$shared" include/otolith/otolith.h include/otolith/live.h include/otolith/status.h
audio=$BUILD_DIR/libotolith-audio.so
[ -e "$audio" ] && check_exports "$audio" include/otolith/audio.h

for symbol in $(nm -D --undefined-only "$shared" | awk '{ print $NF }' | sed 's/@.*//'); do
    checked
    case "$symbol" in
    exit | _exit | quick_exit | abort | printf | puts | putchar | perror | signal | sigaction | setlocale | system | \
        gets | strtok | rand | srand | sprintf | vsprintf | strcpy | strcat | stdout | stderr)
        fault "$shared: uses $symbol(); a library neither prints, ends the program nor changes its global state"
        ;;
    esac
done
for needed in $(readelf -d "$shared" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    checked
    case "$needed" in
    libportaudio* | libsndfile* | libsoxr* | libasound* | libjack*)
        fault "$shared: needs $needed; libotolith takes samples, audio is libotolith-audio's"
        ;;
    esac
done
finish "symbols" 100
