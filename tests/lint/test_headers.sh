#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Each public header compiles alone as C99 and C++17 without a word from the compiler; each internal one alone as C11.
set -u
. "$(dirname "$0")/lib.sh"
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
command -v g++ >/dev/null || skip "no g++ to try the headers in C++ (package g++)"

try() { # HEADER COMPILER...
    local header=$1 message
    shift
    checked
    message=$("$@" 2>&1) || fault "$header: does not compile alone with: $*
$message"
}

for header in include/otolith/*.h; do
    name=otolith/${header##*/}
    printf '#include "%s"\n#include "%s"\nint oto_tried;\n' "$name" "$name" >"$folder/try.c"
    cp "$folder/try.c" "$folder/try.cpp"
    try "$header" gcc -std=c99 -pedantic-errors -Wall -Wextra -Werror -Iinclude -fsyntax-only "$folder/try.c"
    try "$header" g++ -std=c++17 -pedantic-errors -Wall -Wextra -Werror -Iinclude -fsyntax-only "$folder/try.cpp"
done
for header in $(find $rooms -name '*.h' | sort); do
    case "$header" in
    acoustic/x86/*) flags="-mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni" ;;
    *) flags= ;;
    esac
    case "$flags$(uname -m)" in -m*x86_64 | x86_64) ;; -m*) continue ;; esac
    printf '#include "%s"\n#include "%s"\nint oto_tried;\n' "$header" "$header" >"$folder/try.c"
    # shellcheck disable=SC2086 # several flags
    try "$header" gcc -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -Wno-unused-function $flags -I. -Iinclude \
        -fsyntax-only "$folder/try.c"
done
finish "headers" 30
