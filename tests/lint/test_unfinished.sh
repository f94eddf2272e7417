#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Nothing unfinished is committed: no marker of later work in code or documents.
set -u
. "$(dirname "$0")/lib.sh"
markers='\b(TO''DO|FIX''ME|XX''X|HA''CK|TB''D)\b|not (yet )?implemen''ted|#i''f 0\b'
while read -r file; do
    checked
    while IFS=: read -r line text; do
        fault "$file:$line: unfinished: $text"
    done < <(grep -nEI "$markers" "$file")
done < <(our_files .c .h .sh .py .cmake CMakeLists.txt .conf .md .json run)
finish "files" 50
