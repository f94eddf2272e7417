#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every source file names its licence in one of its first two lines.
set -u
. "$(dirname "$0")/lib.sh"
while read -r file; do
    checked
    head -n 2 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' ||
        fault "$file:1: expected \"SPDX-License-Identifier: BSD-2-Clause\" in the first two lines"
done < <(our_files .c .h .sh .py .cmake CMakeLists.txt .conf .clang-tidy .editorconfig
    echo .ci/run
    echo tests/run)
[ -f LICENSE ] || fault "LICENSE: missing"
finish "files" 50
