# SPDX-License-Identifier: BSD-2-Clause
# The models that come with the source verify, and are found and used without a name or by name.
. "$SOURCE_DIR/tests/cli/common.sh"

set -- "$SOURCE_DIR"/models/*.oto
if [ ! -e "$1" ]; then
    echo "skipped: no models/*.oto in the source folder"
    exit 77
fi
"$make_files" wav s1.wav 1 40000 16000 || exit 1
for file in "$@"; do
    name=$(basename "$file" .oto)
    run 0 "$OTOLITH" model verify "$file"
    XDG_DATA_HOME=$work XDG_DATA_DIRS=$work run 0 "$OTOLITH" model info "$name"
    has out "$name.oto"
    for field in name licence date data; do
        grep -qE "^  $field +[^ ]" out || fail "the card of $name has no $field"
    done
    run 0 "$OTOLITH" transcribe --model="$name" s1.wav
    [ "$(wc -l <out)" -eq 1 ] || fail "no line of text by $name"
done
for file in "$SOURCE_DIR"/models/*.otolstm; do
    [ -e "$file" ] || continue
    run 0 "$OTOLITH" lm info "$file"
    run 0 sh -c 'echo "the cat sat on the mat" | "$1" lm query "$2"' sh "$OTOLITH" "$file"
    has err '1 sentences, 6 words, 0 unknown'
    run 0 "$OTOLITH" transcribe --rescore="$file" s1.wav
    [ -e "$SOURCE_DIR/models/cards/$(basename "$file" .otolstm)-lstm.md" ] || fail "no card of $file"
done
finish
