#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Plain habits: UTF-8, line feeds, no trailing blanks, no tabs in C, a final newline, no giant C file; packages.txt is a
# bare sorted list; scripts parse.
set -u
. "$(dirname "$0")/lib.sh"
max_lines=650

text_files() {
    our_files .c .h .sh .py .cmake .txt .md .json .conf .clang-tidy .clang-format .editorconfig run LICENSE
}

while read -r file; do
    checked
    [ -s "$file" ] || { fault "$file: is empty"; continue; }
    [ -z "$(tail -c 1 "$file")" ] || fault "$file: no newline at the end"
    iconv -f UTF-8 -t UTF-8 "$file" >/dev/null 2>&1 || fault "$file: is not UTF-8"
    while IFS=: read -r line _; do
        fault "$file:$line: blank at the end of the line, or a carriage return"
    done < <(grep -nE $'[ \t\r]$' "$file")
    case "$file" in
    *.c | *.h)
        while IFS=: read -r line _; do
            fault "$file:$line: tab"
        done < <(grep -n $'\t' "$file")
        lines=$(wc -l <"$file")
        [ "$lines" -le $max_lines ] || fault "$file: $lines lines; split what has grown beyond $max_lines"
        ;;
    *.sh | */run) bash -n "$file" || fault "$file: does not parse" ;;
    esac
done < <(text_files)

checked "$(wc -l <packages.txt)"
LC_ALL=C sort -cu packages.txt 2>/dev/null || fault "packages.txt: not sorted, or a line twice"
while IFS=: read -r line text; do
    fault "packages.txt:$line: not a bare package name: \"$text\""
done < <(grep -nvE '^[a-z0-9][a-z0-9+.-]+$' packages.txt)
finish "files" 80
