# SPDX-License-Identifier: BSD-2-Clause
# A second reader, written from models/FORMAT.md alone, agrees with ours on every model at hand.
. "$SOURCE_DIR/tests/cli/common.sh"
for tool in python3 jq; do
    command -v $tool >/dev/null || {
        echo "skipped: no $tool"
        exit 77
    }
done
"$make_files" model tiny.oto 3 || exit 1
run 0 "$OTOLITH" model convert --weights=f16 tiny.oto half.oto
printf 'bad\nabe\n' >words.txt
run 0 "$OTOLITH" model set --lexicon=words.txt tiny.oto strict.oto
run 0 "$OTOLITH" model quantize tiny.oto int8.oto
printf 'bad abe\nabe bad bad\n' >text.txt
run 0 "$OTOLITH" lm build --order=2 -o lm.otolm text.txt
run 0 "$OTOLITH" model set --lm=lm.otolm --lm-weight=0.7 --beam-blank-skip=0.9 int8.oto scored.oto
run 0 "$OTOLITH" lm train-lstm -q --hidden=8 --embedding=4 --epochs=2 --batch-words=8 -o lm.otolstm text.txt
run 0 "$OTOLITH" model set --rescore=lm.otolstm --rescore-weight=0.3 --rescore-best=7 scored.oto second.oto
run 0 "$OTOLITH" model set --rescore=lm.otolstm tiny.oto alone.oto
"$make_files" pairs pairs.oto 3 || exit 1
run 0 "$OTOLITH" model quantize pairs.oto pairs8.oto
run 0 "$OTOLITH" model set --cmvn-margin=250 tiny.oto margin.oto
"$make_files" model other.oto 4 || exit 1
run 0 "$OTOLITH" model quantize other.oto other8.oto
run 0 "$OTOLITH" model set --second=other8.oto --second-weight=0.3 second.oto both.oto
run 0 "$OTOLITH" model set --second=margin.oto tiny.oto two.oto
for file in both.oto two.oto margin.oto pairs.oto pairs8.oto tiny.oto half.oto strict.oto scored.oto second.oto alone.oto int8.oto "$SOURCE_DIR"/models/*.oto; do
    [ -e "$file" ] || continue
    run 0 python3 "$SOURCE_DIR/tests/golden/read_bundle.py" "$file"
    jq -S . out >theirs
    run 0 "$OTOLITH" model info --format=json "$file"
    jq -S . out >ours
    cmp -s ours theirs || {
        fail "the readers differ on $file"
        diff ours theirs | head -10
    }
done
# It is no yes-man.
head -c 5000 tiny.oto >short.oto
run 1 python3 "$SOURCE_DIR/tests/golden/read_bundle.py" short.oto
has err 'not as FORMAT.md says'
cp tiny.oto bad.oto
printf x | dd of=bad.oto bs=1 seek=5000 conv=notrunc 2>/dev/null
run 1 python3 "$SOURCE_DIR/tests/golden/read_bundle.py" bad.oto
has err 'checksum of'
finish
