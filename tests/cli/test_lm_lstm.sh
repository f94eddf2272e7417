# SPDX-License-Identifier: BSD-2-Clause
# otolith lm train-lstm, and query and info of what it makes.
. "$SOURCE_DIR/tests/cli/common.sh"
data=$SOURCE_DIR/tests/data
small="--hidden=24 --embedding=12 --batch-words=120 --warmup-steps=5 --dropout=0.1 --lr=0.01"

# Learns: by far likelier at the end than at the start; steps, loss and two perplexities a line.
run 0 "$OTOLITH" lm train-lstm $small --epochs=30 --dev-steps=50 --dev="$data/ngram_text.txt" -o a.otolstm "$data/ngram_text.txt"
has err '150 sentences, 783 words, 0 of them unknown; vocabulary of 24 words'
has err 'a.otolstm: perplexity '
awk -F'\t' 'NF != 4 { bad = 1 } NR == 1 { first = $3 } { last = $3 } END { exit !(NR > 3 && !bad && last < 0.9 * first) }' out ||
    fail "does not learn: $(cat out)"

# query: log10 of the words and the end, which add up; the perplexity is that of training, but for 8 bits.
run 0 "$OTOLITH" lm query a.otolstm "$data/ngram_text.txt"
has err '150 sentences, 783 words, 0 unknown'
[ "$(wc -l <out)" -eq 150 ] || fail 'not a line for each sentence'
awk -F'\t' '{ n = split($2, p, " "); s = 0; for (i = 1; i <= n; i++) s += p[i]; if (s - $1 > 1e-3 || $1 - s > 1e-3) exit 1 }' out ||
    fail 'words and ends do not add up to their sentence'
cp out together
run 0 sh -c 'head -1 "$2" | "$1" lm query a.otolstm' sh "$OTOLITH" "$data/ngram_text.txt"
[ "$(cut -c1-6 out)" = "$(head -1 together | cut -c1-6)" ] || fail "alone $(cat out), with others $(head -1 together)"
run 0 "$OTOLITH" lm query -s a.otolstm "$data/ngram_text.txt"
empty out
run 0 sh -c 'echo "ZEBRA one" | "$1" lm query --case=lower a.otolstm' sh "$OTOLITH"
has err '1 sentences, 2 words, '
run 65 "$OTOLITH" lm query a.otolstm /dev/null
has err 'no text'
run 66 "$OTOLITH" lm query a.otolstm missing.txt
run 0 "$OTOLITH" lm info a.otolstm
has out 'words         24'
has out '8 bits'
run 0 "$OTOLITH" lm info --format=json a.otolstm
has out '"words":24,'

# Damage is told.
head -c 500 a.otolstm >cut.otolstm
run 65 "$OTOLITH" lm query cut.otolstm "$data/ngram_text.txt"
has err 'cut.otolstm: '

# Killed without warning, it goes on from its checkpoint to the same bytes; with any number of threads.
run 0 "$OTOLITH" lm train-lstm -q $small --epochs=60 --threads=1 -o whole.otolstm "$data/ngram_text.txt"
"$OTOLITH" lm train-lstm -q $small --epochs=60 --threads=2 --checkpoint-minutes=0 -o killed.otolstm "$data/ngram_text.txt" &
pid=$!
while runs $pid && [ ! -e killed.otolstm.train/checkpoint-1.bin ]; do sleep 0.02; done # a busy machine takes its time
kill -9 $pid 2>/dev/null
wait $pid 2>/dev/null
run 78 "$OTOLITH" lm train-lstm -q $small --epochs=60 -o killed.otolstm "$data/ngram_text.txt"
has err 'killed.otolstm.train holds a checkpoint: go on with --resume'
run 78 "$OTOLITH" lm train-lstm -q $small --epochs=61 --resume -o killed.otolstm "$data/ngram_text.txt"
has err "'epochs = 60', not 'epochs = 61'"
run 0 "$OTOLITH" lm train-lstm -q $small --epochs=60 --threads=3 --resume -o killed.otolstm "$data/ngram_text.txt"
cmp whole.otolstm killed.otolstm || fail 'another model after kill -9 and --resume'

# Going on from a model: as good as that at first, with its words and its network, whatever the text; better of the text in the end.
run 0 "$OTOLITH" lm query -s a.otolstm "$data/ngram_text.txt"
sed -n 's/.*perplexity \([0-9.]*\),.*/\1/p' err >before
(cat "$data/ngram_text.txt"; echo "zebra zebra") >more.txt
run 0 "$OTOLITH" lm train-lstm --init=a.otolstm --lr=0 --epochs=0.1 --weights=f32 --dev="$data/ngram_text.txt" -o c.otolstm more.txt
has err '2 of them unknown; vocabulary of 24 words'
has err "c.otolstm: perplexity $(awk '{ printf "%.2f", $1 }' before)"
run 0 "$OTOLITH" lm train-lstm -q --init=a.otolstm --lr=0.01 --warmup-steps=5 --batch-words=120 --epochs=20 --dev="$data/ngram_text.txt" -o c.otolstm --overwrite more.txt
tail -1 out | awk -F'\t' -v before="$(cat before)" '{ exit !($3 < before - 0.1) }' || fail "learns nothing more than $(cat before): $(tail -1 out)"
run 78 "$OTOLITH" lm train-lstm --init=a.otolstm --hidden=25 -o d.otolstm more.txt
has err '--init=a.otolstm: the model has --hidden=24, this run has 25'
run 78 "$OTOLITH" lm train-lstm -q --init=c.otolstm --resume --lr=0.01 --warmup-steps=5 --batch-words=120 --epochs=20 --dev="$data/ngram_text.txt" -o c.otolstm more.txt
has err 'the model to start from, are not those of the checkpoint'
run 66 "$OTOLITH" lm train-lstm --init=missing.otolstm -o d.otolstm more.txt
run 65 "$OTOLITH" lm train-lstm --init="$data/ngram_text.txt" -o d.otolstm more.txt
[ ! -e d.otolstm ] || fail 'a failed training left a file'

# Usage.
run 64 "$OTOLITH" lm train-lstm "$data/ngram_text.txt"
has err 'no output; name one with -o FILE'
run 65 "$OTOLITH" lm train-lstm -o b.otolstm /dev/null
has err 'no words in the text'
run 66 "$OTOLITH" lm train-lstm -o b.otolstm missing.txt
run 65 "$OTOLITH" lm train-lstm --dev=/dev/null -o b.otolstm "$data/ngram_text.txt"
has err '/dev/null: no words'
[ ! -e b.otolstm ] || fail 'a failed training left a file'
finish
