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
finish
