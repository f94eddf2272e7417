# SPDX-License-Identifier: BSD-2-Clause
# otolith model: info, verify, convert.
. "$SOURCE_DIR/tests/cli/common.sh"

"$make_files" model tiny.oto 3 || exit 1
"$make_files" wav s1.wav 1 40000 16000 || exit 1

run 0 "$OTOLITH" model info tiny.oto
empty err
for text in 'name          tiny' 'dev WER       97.00 %' '2 x BLSTM of 5 units' '1212 parameters stored as f32' \
    '8 symbols, letter case lower, punctuation stripped' "(space) ' a b c d e é" 'sample-rate         16000' 'cmvn statistics     100 frames' \
    'Recipe' '  hidden = 5'; do
    has out "$text"
done
run 0 "$OTOLITH" model info --format=json tiny.oto
if command -v jq >/dev/null; then
    jq -e '.v == 1 and .file == "tiny.oto" and .card.name == "tiny" and .card.dev_wer == 0.97 and .card.test_wer == null and
        .network.hidden == 5 and .network.parameters == 1212 and .frontend."sample-rate" == 16000 and
        .frontend.feature == "mfcc" and (.alphabet.symbols | length) == 8 and .alphabet.symbols[7] == "é" and
        .cmvn_frames == 100 and .bytes > 4000' out >/dev/null || fail "json: $(cat out)"
fi

run 0 "$OTOLITH" model verify tiny.oto
is out 'tiny.oto: ok'
OTOLITH_MODEL_PATH=$work run 0 "$OTOLITH" model verify tiny
is out "$work/tiny.oto: ok"

# Every damaged byte of the file's first kilobyte, and truncations.
size=$(wc -c <tiny.oto)
for at in 0 7 8 12 16 24 63 64 71 80 95 $((64 + 8 * 40)) 447 448 1000 $((size - 1)); do
    cp tiny.oto bad.oto
    byte=$(od -An -tu1 -j $at -N1 tiny.oto | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 32)))" | dd of=bad.oto bs=1 seek=$at conv=notrunc 2>/dev/null
    run 65 "$OTOLITH" model verify bad.oto
    empty out
    has err 'bad.oto: '
    run 65 "$OTOLITH" transcribe --model=./bad.oto s1.wav
done
for n in 0 1 8 63 64 400 448 $((size / 2)) $((size - 1)); do
    head -c $n tiny.oto >bad.oto
    run 65 "$OTOLITH" model verify bad.oto
    run 65 "$OTOLITH" model info bad.oto
    empty out
done
run 66 "$OTOLITH" model verify ./missing.oto
run 65 "$OTOLITH" model verify ./
run 1 "$OTOLITH" model verify tiny.oto bad.oto
has out 'tiny.oto: ok'
has err '1 done, 1 failed'
run 74 sh -c '"$1" model info tiny.oto >/dev/full' sh "$OTOLITH"

# Half precision is smaller, reads, and comes back as the same numbers.
run 0 "$OTOLITH" model convert --weights=f16 tiny.oto half.oto
empty out
[ "$(wc -c <half.oto)" -lt "$size" ] || fail 'half precision is not smaller'
run 0 "$OTOLITH" model info half.oto
has out 'stored as f16'
run 0 "$OTOLITH" transcribe --model=./half.oto s1.wav
[ -s out ] || fail 'no text by half precision'
run 0 "$OTOLITH" model convert half.oto full.oto
run 0 "$OTOLITH" model convert --weights=f16 full.oto again.oto
cmp -s half.oto again.oto || fail 'half, single, half gives other bytes'
run 0 "$OTOLITH" model convert tiny.oto tiny.oto
run 0 "$OTOLITH" model verify tiny.oto
run 73 "$OTOLITH" model convert tiny.oto no-such-folder/x.oto
has err 'no-such-folder'
run 65 "$OTOLITH" model convert bad.oto x.oto
[ ! -e x.oto ] || fail 'a damaged model was converted'
finish
