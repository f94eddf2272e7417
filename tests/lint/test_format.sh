#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# All C is formatted by .clang-format. Mend with: clang-format -i FILE
set -u
. "$(dirname "$0")/lib.sh"
command -v clang-format >/dev/null || skip "no clang-format (package clang-format)"
case "$(clang-format --version)" in
*"version 14."*) ;;
*) skip "formatting differs between versions; expected clang-format 14 of Debian 12, found: $(clang-format --version)" ;;
esac
while read -r file; do
    checked
    clang-format --dry-run -Werror --ferror-limit=1 "$file" >/dev/null 2>&1 ||
        fault "$file: not formatted; run: clang-format -i $file"
done < <(our_files .c .h)
finish "files" 50
