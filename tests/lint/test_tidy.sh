#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# clang-tidy over all rooms with the checks of .clang-tidy. One file: clang-tidy -p build FILE
# What has passed is remembered in BUILD_DIR/tidy-passed by a hash of all that the outcome depends on, and not looked at
# again.
set -u
. "$(dirname "$0")/lib.sh"
command -v clang-tidy >/dev/null || skip "no clang-tidy (package clang-tidy)"
case "$(clang-tidy --version)" in
*"version 14."*) ;;
*) skip "checks differ between versions; expected clang-tidy 14 of Debian 12" ;;
esac
commands=$BUILD_DIR/compile_commands.json
[ -f "$commands" ] || { echo "$commands: missing"; exit 1; }
grep -q '^OTOLITH_SANITIZE:BOOL=ON' "$BUILD_DIR/CMakeCache.txt" && skip "runs in the release build"
passed=$BUILD_DIR/tidy-passed
mkdir -p "$passed" || exit 1
export BUILD_DIR passed

# Any header may matter to any file: simple, and wrong only on the safe side.
common=$({
    clang-tidy --version
    cat .clang-tidy
    # shellcheck disable=SC2086 # several rooms
    find $rooms include -name '*.h' -print0 | sort -z | xargs -0 cat
} | sha256sum | cut -d ' ' -f 1)

examine() { # FILE KEY
    local messages
    messages=$(clang-tidy --quiet -p "$BUILD_DIR" "$1" 2>/dev/null | grep -E ': (error|warning):' |
        grep -v '^/usr/' | sed "s|^$PWD/||" | sort -u) # not the compiler's own headers
    if [ -n "$messages" ]; then
        echo "$messages"
    else
        : >"$passed/$2"
    fi
}
export -f examine

list=$(mktemp) || exit 1
trap 'rm -f "$list"' EXIT
for room in $rooms; do
    while read -r file; do
        # Only what this build compiles: a back end that is switched off has no compile command.
        grep -qF "\"file\": \"$file\"" "$commands" || continue
        key=$({
            echo "$common"
            grep -B 1 -F "\"file\": \"$file\"" "$commands"
            cat "$file"
        } | sha256sum | cut -d ' ' -f 1)
        checked
        [ -e "$passed/$key" ] || echo "$file $key" >>"$list"
    done < <(find "$PWD/$room" -name '*.c' | sort)
done
echo "$(wc -l <"$list") of $n_checked files have changed since they passed"
while read -r message; do
    fault "$message"
done < <(xargs -r -P "$(nproc)" -n 2 bash -c 'examine "$0" "$1"' <"$list")
finish "files" 50
