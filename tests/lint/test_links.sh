#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Links between the documents lead somewhere, and so do file names in code marks such as `base/mem.h`.
set -u
. "$(dirname "$0")/lib.sh"
first_words="base audio features acoustic decoder models api training cli include tests docs cmake"
while read -r file; do
    folder=$(dirname "$file")
    while IFS=: read -r line target; do
        checked
        case "$target" in
        http://* | https://* | mailto:* | '#'*) continue ;;
        esac
        [ -e "$folder/${target%%#*}" ] || fault "$file:$line: link to $target, which is not there"
    done < <(grep -noE '\]\([^) ]+\)' "$file" | sed -E 's/\]\((.*)\)$/\1/')
    while IFS=: read -r line target; do
        case " $first_words " in
        *" ${target%%/*} "*) ;;
        *) continue ;;
        esac
        case "$target" in
        *NAME* | *LABEL*) continue ;; # a pattern
        esac
        checked
        [ -e "$target" ] || [ -e "$folder/$target" ] || fault "$file:$line: names $target, which is not there"
    done < <(grep -noE '`[a-z_0-9]+/[A-Za-z_0-9./-]+\.(c|h|sh|py|md|conf|oto|cmake)`' "$file" | tr -d '`')
done < <(our_files .md)
finish "links" 5
