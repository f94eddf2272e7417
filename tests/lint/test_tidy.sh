#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# clang-tidy over all rooms with the checks of .clang-tidy. One file: clang-tidy -p build FILE
set -u
. "$(dirname "$0")/lib.sh"
command -v clang-tidy >/dev/null || skip "no clang-tidy (package clang-tidy)"
case "$(clang-tidy --version)" in
*"version 14."*) ;;
*) skip "checks differ between versions; expected clang-tidy 14 of Debian 12" ;;
esac
[ -f "$BUILD_DIR/compile_commands.json" ] || { echo "$BUILD_DIR/compile_commands.json: missing"; exit 1; }
grep -q '^OTOLITH_SANITIZE:BOOL=ON' "$BUILD_DIR/CMakeCache.txt" && skip "runs in the release build"

# Only what this build compiles: a back end that is switched off has no compile command.
files=$(for room in $rooms; do find "$PWD/$room" -name '*.c'; done | sort |
    while read -r file; do grep -qF "\"file\": \"$file\"" "$BUILD_DIR/compile_commands.json" && echo "$file"; done)
checked "$(echo "$files" | wc -l)"
while read -r message; do
    fault "$message"
done < <(echo "$files" | xargs -P "$(nproc)" -n 4 nice clang-tidy --quiet -p "$BUILD_DIR" 2>/dev/null |
    grep -E ': (error|warning):' | grep -v '^/usr/' | sed "s|^$PWD/||" | sort -u) # not the compiler's own headers
finish "files" 50
