# SPDX-License-Identifier: BSD-2-Clause
# otolith model: info, verify, convert, set.
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

# A lexicon goes in, is used, and comes out again without a trace.
printf '# words\nbad\nAbe\n' >words.txt
run 0 "$OTOLITH" model set --lexicon=words.txt tiny.oto strict.oto
empty out
run 0 "$OTOLITH" model info strict.oto
has out 'lexicon             2 words'
run 0 "$OTOLITH" model info tiny.oto
hasnt out 'lexicon'
run 0 "$OTOLITH" transcribe --model=./strict.oto s1.wav
[ -s out ] && [ -z "$(tr ' ' '\n' <out | grep -vxE 'bad|abe|')" ] || fail "not of the lexicon: $(cat out)"
cp out strict-text
run 0 "$OTOLITH" transcribe --model=./strict.oto --lexicon=none s1.wav
cp out free-text
run 0 "$OTOLITH" transcribe --model=./tiny.oto s1.wav
cmp -s out free-text || fail '--lexicon=none is not as without'
run 0 "$OTOLITH" transcribe --model=./tiny.oto --lexicon=words.txt s1.wav
cmp -s out strict-text || fail '--lexicon is not as the same in the model'
cmp -s out free-text && fail 'the lexicon changes nothing'
run 0 "$OTOLITH" model set --lexicon=none strict.oto plain.oto
cmp -s plain.oto tiny.oto || fail 'taking the lexicon out leaves another file'
run 64 "$OTOLITH" model set tiny.oto x.oto
has err 'set needs --grammar=FILE, --lexicon=FILE, --lm=FILE, --rescore=FILE or --second=MODEL'
run 66 "$OTOLITH" model set --lexicon=missing.txt tiny.oto x.oto
printf 'bad\n\nxyz\nBAD\n' >bad.txt
run 65 "$OTOLITH" model set --lexicon=bad.txt tiny.oto x.oto
for text in 'bad.txt:2: empty' "bad.txt:3: \"xyz\": 'x' (U+0078) is not in" 'bad.txt:4: "bad" is there already, in line 1' 'bad.txt: 3 bad lines'; do
    has err "$text"
done
[ ! -e x.oto ] || fail 'a bad lexicon was saved'
run 65 "$OTOLITH" transcribe --model=./tiny.oto --lexicon=bad.txt s1.wav
run 66 "$OTOLITH" transcribe --model=./tiny.oto --lexicon=missing.txt s1.wav

# So does a grammar, which is told with its place where it is wrong.
cat >g.gram <<'EOF'
#JSGF V1.0;
grammar small;
public <command> = (bad | /* a name */ Abe) [be] bad;
EOF
run 0 "$OTOLITH" model set --grammar=g.gram tiny.oto command.oto
run 0 "$OTOLITH" model verify command.oto
run 0 "$OTOLITH" model info command.oto
has out 'grammar             small, '
run 0 "$OTOLITH" model info --format=json command.oto
has out '"grammar":{"bytes":'
run 0 "$OTOLITH" transcribe --model=./command.oto s1.wav
grep -qxE '(bad|abe) (be )?bad|' out || fail "not of the grammar: $(cat out)"
cp out grammar-text
run 0 "$OTOLITH" transcribe --model=./tiny.oto --grammar=g.gram s1.wav
cmp -s out grammar-text || fail '--grammar is not as the same in the model'
run 0 "$OTOLITH" transcribe --model=./strict.oto --grammar=g.gram s1.wav
cmp -s out grammar-text || fail 'the model'"'"'s lexicon has a say beside a grammar'
run 0 "$OTOLITH" transcribe --model=./command.oto --n-best=5 --format=json s1.wav
grep -o '"text": *"[^"]*"' out | sed 's/.*"text": *"//; s/"$//' | grep ' ' | grep -vxE '(bad|abe) (be )?bad' && fail 'an alternative is not of the grammar'
run 0 "$OTOLITH" transcribe --model=./command.oto --grammar=none s1.wav
cmp -s out free-text || fail '--grammar=none is not as without'
run 0 "$OTOLITH" model set --grammar=none command.oto plain.oto
cmp -s plain.oto tiny.oto || fail 'taking the grammar out leaves another file'
run 66 "$OTOLITH" model set --grammar=missing.gram tiny.oto x.oto
run 66 "$OTOLITH" transcribe --model=./tiny.oto --grammar=missing.gram s1.wav
printf '#JSGF V1.0;\ngrammar g;\npublic <s> = bad\n  xyz;\n' >bad.gram
run 65 "$OTOLITH" model set --grammar=bad.gram tiny.oto x.oto
has err "bad.gram:4:3: \"xyz\": 'x' (U+0078) is not in the model's alphabet"
[ ! -e x.oto ] || fail 'a bad grammar was saved'
run 65 "$OTOLITH" transcribe --model=./tiny.oto --grammar=bad.gram s1.wav
for other in --lexicon=words.txt --words=words.txt --hot-word=bad; do
    run 64 "$OTOLITH" transcribe --model=./tiny.oto --grammar=g.gram "$other" s1.wav
    has err 'a grammar says all that may be written'
    run 64 "$OTOLITH" transcribe --model=./command.oto "$other" s1.wav
    has err "a grammar (the model's) says all that may be written"
done

# Statistics of a corpus: as many frames as its recordings have; nothing else changes.
printf 'id\tpath\ttext\nu1\ts1.wav\tabe\nu2\ts1.wav\tbad\n' >stats.tsv
run 0 "$OTOLITH" model set --statistics=stats.tsv tiny.oto stats.oto
run 0 "$OTOLITH" model info stats.oto
has out "cmvn statistics     496 frames"
run 0 "$OTOLITH" transcribe --model=./stats.oto s1.wav
cmp -s out free-text || fail 'statistics change the text of a model that normalises by utterance'
run 66 "$OTOLITH" model set --statistics=missing.tsv tiny.oto x.oto
printf 'id\tpath\ttext\nu1\tmissing.wav\tabe\n' >bad.tsv
run 66 "$OTOLITH" model set --statistics=bad.tsv tiny.oto x.oto
[ ! -e x.oto ] || fail 'a model was saved without its statistics'

# What the network writes on average: the numbers of the log-probabilities, no text of them is looked at.
run 0 "$OTOLITH" model set --priors=stats.tsv tiny.oto priors.oto
run 0 "$OTOLITH" model info --format=json priors.oto
jq -e '(.log_priors | length) == 9 and all(.log_priors[]; . <= 0 and . > -9.3) and (.log_priors | map(exp) | add - 1 | fabs) < 0.01' out >/dev/null ||
    fail "priors: $(jq -c .log_priors out)"
run 0 "$OTOLITH" model set --priors=none priors.oto plain.oto
cmp -s plain.oto tiny.oto || fail 'taking the priors out leaves another file'
run 0 "$OTOLITH" transcribe --model=./priors.oto s1.wav
cmp -s out free-text || fail 'priors alone change the text'
run 0 "$OTOLITH" model prune --hidden=4 priors.oto pruned.oto
run 0 "$OTOLITH" model info pruned.oto
hasnt out 'of the blank'
# the margin of CMVN, in a newer file; not beside priors, which are heard with the file as it is
run 0 "$OTOLITH" model set --cmvn-margin=250 tiny.oto margin.oto
run 0 "$OTOLITH" model info margin.oto
has out 'cmvn-margin         250'
run 0 "$OTOLITH" model set --cmvn-margin=0 margin.oto plain.oto
cmp -s plain.oto tiny.oto || fail "a margin that was taken out leaves something behind"
run 64 "$OTOLITH" model set --cmvn-margin=250 --priors=stats.tsv tiny.oto x.oto
has err 'set: --priors hears with the front end of IN'
run 64 "$OTOLITH" model set --cmvn-margin=-1 tiny.oto x.oto
run 66 "$OTOLITH" model set --priors=missing.tsv tiny.oto x.oto
run 66 "$OTOLITH" model set --priors=bad.tsv tiny.oto x.oto
has err 'missing.wav'
[ ! -e x.oto ] || fail 'a model was saved without its priors'

# A language model goes in with its weights, is used, and comes out again without a trace.
printf 'bad abe\nabe bad bad\nbad\nabe ed\n' >text.txt
run 0 "$OTOLITH" lm build --order=2 -o lm.otolm text.txt
run 0 "$OTOLITH" model set --lm=lm.otolm --lm-weight=3 --word-bonus=2 --beam=17 tiny.oto scored.oto
run 0 "$OTOLITH" model info scored.oto
for text in 'lm-weight           3' 'word-bonus          2' 'unknown-weight      -2' 'order               2' 'beam                17'; do
    has out "$text"
done
run 0 "$OTOLITH" transcribe --model=./scored.oto s1.wav
cp out scored-text
cmp -s out free-text && fail 'the language model changes nothing'
run 0 "$OTOLITH" transcribe --model=./tiny.oto --beam=17 --lm=lm.otolm --lm-weight=3 --word-bonus=2 s1.wav
cmp -s out scored-text || fail '--lm is not as the same in the model'
run 64 "$OTOLITH" transcribe --model=./scored.oto --prior-scale=0.5 s1.wav
has err 'prior-scale: found 0.5, but the model has no priors of its symbols'
run 64 "$OTOLITH" model set --prior-scale=0.5 scored.oto x.oto
run 0 "$OTOLITH" model set --priors=stats.tsv --prior-scale=1.5 scored.oto divided.oto
run 0 "$OTOLITH" transcribe --model=./divided.oto s1.wav
cp out divided-text
cmp -s out scored-text && fail 'priors change nothing beside a language model'
run 0 "$OTOLITH" transcribe --model=./divided.oto --prior-scale=0 s1.wav
cmp -s out scored-text || fail '--prior-scale=0 is not as without'
run 0 "$OTOLITH" model set --lm=none divided.oto plain.oto
run 0 "$OTOLITH" model set --beam=17 priors.oto other.oto
cmp -s plain.oto other.oto || fail 'a prior scale stays where its language model went'
run 0 "$OTOLITH" transcribe --model=./priors.oto --beam=17 --lm=lm.otolm --lm-weight=3 --word-bonus=2 --prior-scale=1.5 s1.wav
cmp -s out divided-text || fail '--prior-scale is not as the same in the model'
run 0 "$OTOLITH" transcribe --model=./divided.oto --lm=none --beam=8 s1.wav
cmp -s out free-text || fail 'priors have a say without a language model'
run 0 "$OTOLITH" transcribe --model=./scored.oto --lm=none --beam=8 s1.wav
cmp -s out free-text || fail '--lm=none is not as without'
run 0 "$OTOLITH" transcribe --model=./scored.oto --lm-weight=20 s1.wav
cmp -s out scored-text && fail 'the weights of the model cannot be overridden'
run 0 "$OTOLITH" transcribe --model=./scored.oto --jobs=2 --format=tsv s1.wav s1.wav
[ "$(cut -f2 out | sort -u)" = "$(cat scored-text)" ] || fail "two jobs find something else: $(cat out)"
for action in 'convert --weights=f16' quantize; do
    run 0 "$OTOLITH" model $action scored.oto other.oto
    run 0 "$OTOLITH" model info other.oto
    has out 'order               2'
done
run 0 "$OTOLITH" model set --lexicon=words.txt scored.oto both.oto
run 0 "$OTOLITH" transcribe --model=./both.oto s1.wav
[ -s out ] && [ -z "$(tr ' ' '\n' <out | grep -vxE 'bad|abe|')" ] || fail "not of the lexicon: $(cat out)"
run 0 "$OTOLITH" model set --lm=none --beam=8 scored.oto plain.oto
cmp -s plain.oto tiny.oto || fail 'taking the language model out leaves another file'
run 64 "$OTOLITH" model set --lm-weight=2 tiny.oto x.oto
has err 'no language model that weights could go with'
run 64 "$OTOLITH" model set --lm=lm.otolm --lm-weight=-2 tiny.oto x.oto
run 66 "$OTOLITH" model set --lm=missing.otolm tiny.oto x.oto
run 65 "$OTOLITH" model set --lm=text.txt tiny.oto x.oto
printf 'xyz\n' >foreign.txt
run 0 "$OTOLITH" lm build --order=1 -o foreign.otolm foreign.txt
run 65 "$OTOLITH" model set --lm=foreign.otolm tiny.oto x.oto
has err 'the language model in this alphabet: no words'
[ ! -e x.oto ] || fail 'a bad language model was saved'
size_scored=$(wc -c <scored.oto)
for at in 10 $((size_scored - 100)) $((size_scored - 1)); do
    cp scored.oto bad.oto
    byte=$(od -An -tu1 -j $at -N1 scored.oto | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 32)))" | dd of=bad.oto bs=1 seek=$at conv=notrunc 2>/dev/null
    run 65 "$OTOLITH" model verify bad.oto
done

# So does an LSTM language model of a second pass; it is used by default, and whole through every action.
run 0 "$OTOLITH" lm train-lstm -q --hidden=8 --embedding=4 --epochs=20 --batch-words=8 -o lm.otolstm text.txt
run 0 "$OTOLITH" model set --rescore=lm.otolstm --rescore-weight=9 --rescore-best=9 scored.oto second.oto
run 0 "$OTOLITH" model info second.oto
for text in 'rescore-weight      9' 'rescore-best        9' 'layers              1 x 8' "bytes               $(wc -c <lm.otolstm)"; do
    has out "$text"
done
run 0 "$OTOLITH" model info scored.oto
hasnt out 'rescore-weight'
tsv() {
    run 0 "$OTOLITH" transcribe --n-best=8 --format=json "$@" s1.wav
    grep -v '"model"' out >"$last"
}
last=first-pass tsv --model=./scored.oto
last=second-pass tsv --model=./second.oto
cmp -s first-pass second-pass && fail 'the second pass changes nothing'
last=again tsv --model=./scored.oto --rescore=lm.otolstm --rescore-weight=9 --rescore-best=9
cmp -s again second-pass || fail '--rescore is not as the same in the model'
last=again tsv --model=./scored.oto --rescore=second.oto --rescore-weight=9 --rescore-best=9
cmp -s again second-pass || fail '--rescore of a model file is not as that of its own file'
last=again tsv --model=./tiny.oto --lm=scored.oto
last=with-file tsv --model=./tiny.oto --lm=lm.otolm
cmp -s again with-file || fail '--lm of a model file is not as that of its own file'
last=again tsv --model=./second.oto --rescore=none
cmp -s again first-pass || fail '--rescore=none is not as without'
last=again tsv --model=./second.oto --rescore-weight=0 --rescore-best=17
cmp -s again first-pass || fail 'the weight of the model cannot be overridden'
for beam in 1 8; do # neither words that are not scored nor a single text are scored anew
    run 0 "$OTOLITH" transcribe --model=./second.oto --lm=none --beam=$beam s1.wav
    cp out plain-text
    run 0 "$OTOLITH" transcribe --model=./tiny.oto --beam=$beam s1.wav
    cmp -s out plain-text || fail "--lm=none with a beam of $beam is not as without"
done
run 64 "$OTOLITH" transcribe --model=./second.oto --rescore=lm.otolstm --beam=1 s1.wav
has err 'widen the beam'
run 0 "$OTOLITH" transcribe --model=./second.oto s1.wav
cp out second-text
run 0 "$OTOLITH" transcribe --model=./second.oto --jobs=2 --format=tsv s1.wav s1.wav
[ "$(cut -f2 out | sort -u)" = "$(cat second-text)" ] || fail "two jobs find something else: $(cat out)"
for action in 'convert --weights=f16' quantize 'set --beam=20'; do
    run 0 "$OTOLITH" model $action second.oto other.oto
    run 0 "$OTOLITH" model info other.oto
    has out "bytes               $(wc -c <lm.otolstm)"
    has out 'rescore-weight      9'
done
run 0 "$OTOLITH" model set --rescore=none second.oto plain.oto
cmp -s plain.oto scored.oto || fail 'taking the second pass out leaves another file'
run 64 "$OTOLITH" model set --rescore-weight=2 scored.oto x.oto
has err 'no second pass that this number could go with'
run 64 "$OTOLITH" model set --rescore=lm.otolstm --rescore-weight=-2 scored.oto x.oto
run 66 "$OTOLITH" model set --rescore=missing.otolstm scored.oto x.oto
run 65 "$OTOLITH" model set --rescore=scored.oto scored.oto x.oto
has err 'scored.oto: a model that holds no LSTM language model'
run 65 "$OTOLITH" model set --lm=tiny.oto scored.oto x.oto
has err 'tiny.oto: a model that holds no language model'
run 65 "$OTOLITH" model set --rescore=lm.otolm scored.oto x.oto
has err 'lm.otolm: '
[ ! -e x.oto ] || fail 'a bad second pass was saved'
# And a second network, which has a part wherever there are several texts.
"$make_files" model other.oto 4 || exit 1
run 0 "$OTOLITH" model set --second=other.oto --second-weight=0.75 second.oto both.oto
run 0 "$OTOLITH" model info both.oto
for text in 'Second network' 'second-weight       0.75' 'rescore-weight      9' '2 x BLSTM of 5 units'; do
    has out "$text"
done
run 0 "$OTOLITH" model info second.oto
hasnt out 'second-weight'
last=both-networks tsv --model=./both.oto
cmp -s second-pass both-networks && fail 'the second network changes nothing'
last=again tsv --model=./both.oto --second-weight=0
cmp -s again second-pass || fail '--second-weight=0 is not as without'
last=again tsv --model=./both.oto --second-weight=0.75 --jobs=2
cmp -s again both-networks || fail '--second-weight is not as the same in the model'
run 0 "$OTOLITH" model set --second=other.oto --second-weight=0.75 tiny.oto alone.oto
last=alone tsv --model=./alone.oto
last=plain tsv --model=./tiny.oto
cmp -s alone plain && fail 'the second network has no part without a language model'
run 64 "$OTOLITH" transcribe --model=./second.oto --second-weight=0.5 s1.wav
has err 'the model has no second network'
for action in 'convert --weights=f16' quantize 'set --beam=20'; do
    run 0 "$OTOLITH" model $action both.oto x-both.oto
    run 0 "$OTOLITH" model info x-both.oto
    has out 'second-weight       0.75'
    has out 'Second network'
done
run 0 "$OTOLITH" model set --second=none both.oto plain.oto
cmp -s plain.oto second.oto || fail 'taking the second network out leaves another file'
run 0 "$OTOLITH" model set --second=both.oto --second-weight=0.75 second.oto x-both.oto # its network alone
[ "$(wc -c <x-both.oto)" -eq "$(wc -c <both.oto)" ] || fail 'more than a network was put in'
run 64 "$OTOLITH" model set --second-weight=0.5 tiny.oto x.oto
has err 'no second pass that this number could go with'
run 64 "$OTOLITH" model set --second-weight=0.5 second.oto x.oto # an LSTM alone
has err '--second-weight: '
run 64 "$OTOLITH" model set --rescore-weight=0.5 alone.oto x.oto # a second network alone
has err '--rescore-weight: '
run 65 "$OTOLITH" model set --second=lm.otolstm tiny.oto x.oto
has err 'lm.otolstm: '
run 66 "$OTOLITH" model set --second=missing.oto tiny.oto x.oto
[ ! -e x.oto ] || fail 'a bad second network was saved'
"$make_files" pairs pairs.oto 7 || exit 1
run 0 "$OTOLITH" model set --second=pairs.oto tiny.oto pairs2.oto # its frames may be longer
run 0 "$OTOLITH" transcribe --model=./pairs2.oto s1.wav
printf '#JSGF V1.0;\ngrammar g;\npublic <s> = bad | abe;\n' >g.gram
run 0 "$OTOLITH" model set --grammar=g.gram second.oto grammar.oto # has no use for it
for option in '' none; do
    run 0 "$OTOLITH" transcribe --model=./grammar.oto --rescore=$option s1.wav
done
size_second=$(wc -c <second.oto)
for at in 10 $((size_second - 700)) $((size_second - 100)) $((size_second - 1)); do
    cp second.oto bad.oto
    byte=$(od -An -tu1 -j $at -N1 second.oto | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 32)))" | dd of=bad.oto bs=1 seek=$at conv=notrunc 2>/dev/null
    run 65 "$OTOLITH" model verify bad.oto
done

size_strict=$(wc -c <strict.oto)
for at in 10 $((64 + 40 * 8)) $((size_strict - 64)) $((size_strict - 60)) $((size_strict - 1)); do
    cp strict.oto bad.oto
    byte=$(od -An -tu1 -j $at -N1 strict.oto | tr -d ' ')
    printf "$(printf '\\%03o' $((byte ^ 32)))" | dd of=bad.oto bs=1 seek=$at conv=notrunc 2>/dev/null
    run 65 "$OTOLITH" model verify bad.oto
done
cp tiny.oto bad.oto
printf x | dd of=bad.oto bs=1 seek=1000 conv=notrunc 2>/dev/null

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
# 8-bit weights are smaller still, run, come back as floats, and are refused when damaged.
run 0 "$OTOLITH" model quantize tiny.oto int8.oto
empty out
run 0 "$OTOLITH" model verify int8.oto
run 0 "$OTOLITH" model info int8.oto
has out '1212 parameters stored as i8'
has out 'Weights quantised to 8 bits; rates are from before.'
run 0 "$OTOLITH" transcribe --model=./int8.oto s1.wav
[ -s out ] || fail 'no text by 8-bit weights'
run 0 "$OTOLITH" model quantize int8.oto again.oto
cmp -s int8.oto again.oto || fail 'quantising twice gives other bytes'
run 0 "$OTOLITH" model convert --weights=f32 int8.oto full.oto
run 0 "$OTOLITH" model info full.oto
has out 'stored as f32'
run 0 "$OTOLITH" model export int8.oto int8.safetensors
run 0 "$OTOLITH" model export full.oto full.safetensors
cmp -s int8.safetensors full.safetensors || fail 'the numbers of 8-bit weights differ'
rm -f full.oto again.oto
int8_size=$(wc -c <int8.oto)
for n in 64 448 $((int8_size / 2)) $((int8_size - 64)) $((int8_size - 1)); do
    head -c $n int8.oto >bad.oto
    run 65 "$OTOLITH" transcribe --model=./bad.oto s1.wav
done
run 64 "$OTOLITH" model quantize tiny.oto
has err 'takes IN and OUT'
run 73 "$OTOLITH" model quantize tiny.oto no-such-folder/x.oto
# Fewer units: an ordinary model with everything else of the wide one, which claims nothing.
run 0 "$OTOLITH" model prune --hidden=3 tiny.oto narrow.oto
empty out
run 0 "$OTOLITH" model verify narrow.oto
run 0 "$OTOLITH" model info narrow.oto
has out 'of 3 units a direction'
has out 'units a direction; to be trained on'
run 0 "$OTOLITH" transcribe --model=./narrow.oto s1.wav
run 0 "$OTOLITH" model prune --hidden=3 int8.oto narrow8.oto
run 0 "$OTOLITH" model info narrow8.oto
has out 'stored as f32'
run 64 "$OTOLITH" model prune tiny.oto x.oto
has err 'prune needs --hidden=N'
run 64 "$OTOLITH" model prune --hidden=99 tiny.oto x.oto
has err 'pruning to 99 units: expected 1 to'
# A mean of weights: of a model with itself the same numbers, of others neither's; it claims nothing.
"$make_files" model other.oto 4 || exit 1
run 0 "$OTOLITH" model average --share=0.25 tiny.oto tiny.oto mean.oto
empty out
run 0 "$OTOLITH" model info mean.oto
has out 'Average of the weights of 2 models, 0.25 of this one.'
has out '  hidden = 5'
hasnt out 'dev WER'
for name in tiny mean; do
    run 0 "$OTOLITH" model export $name.oto $name.safetensors
done
cmp -s tiny.safetensors mean.safetensors || fail 'the mean of a model with itself is another'
run 0 "$OTOLITH" model average --share=1 other.oto tiny.oto priors.oto mean.oto
run 0 "$OTOLITH" model export mean.oto mean.safetensors
run 0 "$OTOLITH" model export other.oto other.safetensors
cmp -s other.safetensors mean.safetensors || fail 'all of the first is not the first'
run 0 "$OTOLITH" model average priors.oto other.oto int8.oto mean.oto
run 0 "$OTOLITH" model info mean.oto
has out 'models, 0.3333 of this one.'
has out 'stored as f32'
hasnt out 'of the blank'
run 78 "$OTOLITH" model average tiny.oto narrow.oto x.oto
has err 'narrow.oto: 2 layers of 3 units with projection 3 on 12 inputs; the first model has 2 of 5'
run 66 "$OTOLITH" model average tiny.oto missing.oto x.oto
run 64 "$OTOLITH" model average
run 64 "$OTOLITH" model average tiny.oto x.oto
has err 'average takes 2 to 64 models and OUT, found 2 names'
run 73 "$OTOLITH" model average tiny.oto other.oto no-such-folder/x.oto
[ ! -e x.oto ] || fail 'a mean was saved that cannot be'
# Weights go out and come back as the same numbers; the card's claims do not.
run 0 "$OTOLITH" model export tiny.oto tiny.safetensors
empty out
run 0 "$OTOLITH" model import --like=tiny.oto tiny.safetensors back.oto
run 0 "$OTOLITH" model info back.oto
has out 'weights imported from tiny.safetensors'
hasnt out 'dev WER'
run 0 "$OTOLITH" model export back.oto again.safetensors
cmp -s tiny.safetensors again.safetensors || fail 'weights changed on the way'
run 0 "$OTOLITH" transcribe --model=./tiny.oto s1.wav
cp out text
run 0 "$OTOLITH" transcribe --model=./back.oto s1.wav
cmp -s out text || fail 'an imported model gives another text'
"$make_files" pairs pairs.oto 7 || exit 1
run 0 "$OTOLITH" model export pairs.oto pairs.safetensors
run 0 "$OTOLITH" model import --like=tiny.oto pairs.safetensors paired.oto
run 0 "$OTOLITH" model info paired.oto
has out 'frames paired after layer 1'
has out 'a frame of output every 40 ms'
run 0 "$OTOLITH" transcribe --model=./pairs.oto s1.wav
cp out text
run 0 "$OTOLITH" transcribe --model=./paired.oto s1.wav
cmp -s out text || fail 'an imported model with pairs of frames gives another text'
[ -s text ] || fail 'a model with pairs of frames gives no text'
run 64 "$OTOLITH" model import tiny.safetensors back.oto
has err '--like'
run 78 "$OTOLITH" model import --like=tiny.oto --prefix=net. tiny.safetensors back2.oto
has err "no tensor 'net.lstm.weight_ih_l0'"
head -c 1000 tiny.safetensors >cut.safetensors
run 65 "$OTOLITH" model import --like=tiny.oto cut.safetensors back2.oto
has err 'cut.safetensors: '
run 66 "$OTOLITH" model import --like=tiny.oto missing.safetensors back2.oto
run 73 "$OTOLITH" model export tiny.oto nowhere/out.safetensors
[ ! -e back2.oto ] || fail 'a failed import left a file'
if python3 -c 'import safetensors.numpy' 2>/dev/null; then # the format's own reader
    python3 - <<'END' || fail 'the safetensors package does not read our export'
from safetensors.numpy import load_file
d = load_file("tiny.safetensors")
assert len(d) == 20 and d["lstm.weight_hh_l1_reverse"].shape == (20, 5) and d["proj.weight_l0"].shape == (3, 10)
assert d["lstm.bias_hh_l0"].shape == (20,) and not d["lstm.bias_hh_l0"].any() and d["output.weight"].any()
END
fi

finish
