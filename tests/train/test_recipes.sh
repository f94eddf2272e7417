#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The programs of models/recipes: corpora that `otolith data check` has nothing to say against, words where they are said, the same
# bytes for the same seed. PYTHON=... names another interpreter.
. "$SOURCE_DIR/tests/train/common.sh"
python=${PYTHON:-python3}
recipes=$SOURCE_DIR/models/recipes
command -v "$python" > /dev/null || { echo "SKIP: no $python"; exit 77; }
"$python" -c 'import numpy, scipy, soundfile' 2> "$dir/err" || {
    echo "SKIP: $python: $(tail -n 1 "$dir/err") (pip install numpy scipy soundfile)"
    exit 77
}
export PYTHONDONTWRITEBYTECODE=1
cd "$dir" || exit 1

# make OUT PROGRAM ARGUMENTS...: the corpus OUT, made twice with the same bytes.
make() {
    local out=$1 program=$2 again
    shift 2
    for again in "$out" "$out.again"; do
        "$python" "$recipes/$program" --out="$again" "$@" 2> err || fail "$program: $(cat err)"
    done
    diff -r "$out" "$out.again" > differences || fail "$program: another corpus from the same seed: $(cat differences)"
    [ "$(find "$out" -name '*.flac' | wc -l)" -eq $(($(wc -l < "$out/manifest.tsv") - 1)) ] || fail "$program: files without lines"
}

# checked MANIFEST N: so many utterances, no problem.
checked() {
    "$OTOLITH" data check --symbols="abcdefghijklmnopqrstuvwxyz " "$1" > out 2> err || fail "$1: $(cat out err)"
    grep -q "^$2 utterances, .* 0 problems" out || fail "$1: not $2 good utterances: $(cat out)"
}

# ---- trim_words.py ----
# A word of 0.5 s whose first and last 0.1 s are faint (-20 dB), in silence: thresholds decide whether those stay.
mkdir words
"$python" - << 'END' || fail "no sounds"
import numpy as np, soundfile as sf
rate = 16000
with open("words/words.tsv", "w") as f:
    f.write("id\tpath\tseconds\tspeaker\ttext\n")
    for k in range(4):
        level = np.concatenate([np.zeros(8000), np.full(1600, 0.03), np.full(4800, 0.3), np.full(1600, 0.03), np.zeros(8000)])
        x = level * np.sin(2 * np.pi * (400 + 100 * k) * np.arange(len(level)) / rate)
        x += 1e-4 * np.random.default_rng(k).standard_normal(len(x))
        sf.write(f"words/{k}.wav", x, rate)
        f.write(f"w{k}\t{k}.wav\t{len(x) / rate:.3f}\ts{k % 2}\tsix\n")
END
make faint trim_words.py --copies=3 --threshold=10-12 --margin=0 words/words.tsv
make whole trim_words.py --copies=3 --threshold=30-32 --margin=0.03 words/words.tsv
checked faint/manifest.tsv 12
checked whole/manifest.tsv 12
# seconds FILE LEAST MOST: all of the manifest's lengths.
seconds() {
    awk -F '\t' -v least="$2" -v most="$3" 'NR > 1 && ($3 < least || $3 > most) { print; bad = 1 } END { exit bad || NR < 2 }' "$1" ||
        fail "$1: lengths beyond $2 to $3 s"
}
seconds faint/manifest.tsv 0.29 0.33
seconds whole/manifest.tsv 0.49 0.59
"$python" -c 'import soundfile as sf, sys; sys.exit(sf.info("faint/s1/w3-t2.flac").samplerate != 8000)' || fail "trim_words.py: not at 8 kHz"
"$python" "$recipes/trim_words.py" --out=other --copies=3 --threshold=30-32 --seed=2 words/words.tsv || fail "trim_words.py: another seed"
diff -r whole other > /dev/null && fail "trim_words.py: another seed, the same corpus"
make none trim_words.py --shortest=0.7 words/words.tsv
[ "$(wc -l < none/manifest.tsv)" -eq 1 ] || fail "trim_words.py: keeps what is too short"
echo "trim_words.py: faint edges cut and kept by the threshold"

# ---- cut_words.py, with an aligner that says what the test wants ----
mkdir aligner
cat > aligner/pocketsphinx.py << 'END'
class Segment:
    def __init__(self, word, start, end):
        self.word, self.start_frame, self.end_frame = word, start, end


class Decoder:  # a word is 0.3 s, "eight" 0.05 s and "seven" 1.5 s, each after 0.1 s of silence
    def __init__(self, **options):
        pass

    def lookup_word(self, word):
        return None if word == "xyzzy" else word

    def set_align_text(self, text):
        if "fail" in text:
            raise RuntimeError(text)
        self.words = text.split()

    def start_utt(self):
        pass

    def process_raw(self, data, full_utt):
        assert full_utt and len(data) > 0

    def end_utt(self):
        pass

    def seg(self):
        at = 0
        for word in self.words:
            n = {"eight": 5, "seven": 150}.get(word, 30)
            yield Segment("<sil>", at, at + 9)
            yield Segment(word + ("(2)" if word == "two" else ""), at + 10, at + 10 + n - 1)
            at += 10 + n
END
mkdir sentences
"$python" - << 'END' || fail "no sentences"
import numpy as np, soundfile as sf
texts = ["Two cats, one dog", "no number", "seven eight two", "two xyzzy", "fail two", "It's one"]
with open("sentences/all.tsv", "w") as f:
    f.write("id\tpath\tseconds\tspeaker\ttext\n")
    for k, text in enumerate(texts):
        x = 0.5 * np.sin(np.arange(16000 * 3) * 0.05 * (k + 1))
        sf.write(f"sentences/{k}.wav", x, 16000)
        f.write(f"s{k}\t{k}.wav\t3\tspk{k % 2}\t{text}\n")
END
PYTHONPATH=$dir/aligner make cut cut_words.py --words="one two seven eight" sentences/all.tsv
[ "$(cat err)" = "4 words from 3 of 5 sentences" ] || fail "cut_words.py: $(cat err)"
checked cut/manifest.tsv 4
[ "$(cut -f1,5 cut/manifest.tsv | tail -n +2 | tr '\t\n' '= ')" = "s0-1=two s0-5=one s2-5=two s5-3=one " ] ||
    fail "cut_words.py: $(cut -f1,5 cut/manifest.tsv)"
seconds cut/manifest.tsv 0.3 0.37
# All words but silences, one recording of each, and only those of some recordings.
PYTHONPATH=$dir/aligner make all cut_words.py --most=1 --shortest=0.04 sentences/all.tsv
[ "$(cut -f1,5 all/manifest.tsv | tail -n +2 | tr '\t\n' '= ')" = "s0-1=two s0-3=cats s0-5=one s0-7=dog s1-1=no s1-3=number s2-3=eight s5-1=it's " ] ||
    fail "cut_words.py --most: $(cut -f1,5 all/manifest.tsv)"
PYTHONPATH=$dir/aligner make some cut_words.py --match=5.wav --shortest=0.29 sentences/all.tsv
[ "$(cut -f5 some/manifest.tsv | tail -n +2 | tr '\n' ' ')" = "it's one " ] || fail "cut_words.py --match: $(cut -f5 some/manifest.tsv)"
"$python" - << 'END' || fail "cut_words.py: the samples are not those of the word"
import soundfile as sf
whole, _ = sf.read("sentences/0.wav", dtype="int16")
word, rate = sf.read("cut/spk0/s0-1.flac", dtype="int16")
found = [at for at in range(1600 - 480, 1601) if (whole[at:at + len(word)] == word).all()]  # a margin of 30 ms before 0.1 s
assert rate == 16000 and found, found
END
"$python" -c 'import soundfile as sf; x, _ = sf.read("sentences/0.wav"); sf.write("sentences/0.wav", x, 8000)'
PYTHONPATH=$dir/aligner "$python" "$recipes/cut_words.py" --words=one --out=bad sentences/all.tsv 2> err && fail "cut_words.py: takes 8 kHz"
grep -q 'sentences/0.wav: 8000 Hz, 1 dimensions; expected one channel at 16000 Hz' err || fail "cut_words.py: $(cat err)"
echo "cut_words.py: words at the aligner's places, the others left out"

# ---- synthesize_words.py ----
# Three bursts are cut at their pauses; two of them, or a third pause nearly as long, are not.
"$python" - "$recipes" << 'END' || fail "synthesize_words.py: cut()"
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from synthesize_words import RATE, cut
noise = np.random.default_rng(1).standard_normal


def sound(*parts):  # seconds of sound and silence in turn
    return np.concatenate([noise(int(s * RATE)) * (0.2 if k % 2 == 0 else 1e-6) for k, s in enumerate(parts)])


spans = cut(sound(0.3, 0.2, 0.4, 0.3, 0.5), 3)
expected = [(0, 0.3), (0.5, 0.9), (1.2, 1.7)]
assert len(spans) == 3 and all(abs(a / RATE - b) <= 0.02 for s, e in zip(spans, expected) for a, b in zip(s, e)), spans
assert cut(sound(0.3, 0.2, 0.4), 3) is None                    # a pause is missing
assert cut(sound(0.3, 0.2, 0.4, 0.19, 0.5), 2) is None         # which one is it?
assert cut(sound(0.3, 0.2, 1.8), 2) is None                    # too long for a word
assert cut(np.zeros(RATE), 1) is None
END
voices=
for engine in espeak-ng:espeak flite:flite; do
    command -v ${engine%:*} > /dev/null && voices=${voices:+$voices,}${engine#*:}:1
done
if [ -n "$voices" ]; then
    make spoken synthesize_words.py --words="one two three four" --speakers=3 --readings=2 --sequences=0.2 --voices="$voices" --seed=5
    n=$(($(wc -l < spoken/manifest.tsv) - 1))
    [ $n -ge 6 ] || fail "synthesize_words.py: only $n recordings"
    checked spoken/manifest.tsv $n
    cut -f5 spoken/manifest.tsv | tail -n +2 | tr ' ' '\n' | sort -u > heard
    ! grep -vxE 'one|two|three|four' heard || fail "synthesize_words.py: other words"
    seconds spoken/manifest.tsv 0.09 8
    echo "synthesize_words.py: $n recordings by $voices"
else
    echo "not tried: synthesize_words.py as a whole, no espeak-ng and no flite"
fi

# ---- word_frequencies.py ----
# With frequencies of our own in the place of the package's: the words of letters, the most frequent, as a model whose probabilities add up to 1.
mkdir module
cat > module/wordfreq.py << 'END'
def get_frequency_dict(language, wordlist):
    assert (language, wordlist) == ("en", "large")
    return {"the": 0.05, "website": 2e-5, "don't": 1e-3, "don\u2019t": 1e-3, "mp3": 1e-3, "caf\u00e9": 1e-3, "o'": 1e-3, "rare": 1e-9, "a": 0.05}
END
PYTHONPATH=module "$python" "$recipes/word_frequencies.py" --words=4 > today.arpa 2> err || fail "word_frequencies.py: $(cat err)"
[ "$(awk 'NF == 2 && $1 + 0 < 0 { print $2 }' today.arpa | tr '\n' ' ')" = "<s> </s> <unk> a the don't website " ] || fail "word_frequencies.py: $(cat today.arpa)"
awk 'NF == 2 && $1 + 0 < 0 { sum += 10 ^ $1 } END { exit !(sum > 0.9999 && sum < 1.0001) }' today.arpa || fail "word_frequencies.py: adds up to something else"
echo "the website" | "$OTOLITH" lm query -s today.arpa 2> err || fail "word_frequencies.py: $(cat err)"
echo "word_frequencies.py: a model of single words"

# ---- sphinx_arpa.py ----
# A trie as PocketSphinx writes it, of three words and n-grams of our own: as text, and without one of the words.
"$python" - << 'END' || fail "no trie"
import math, struct
import numpy as np
words = ["<s>", "a", "it's", "u.s."]
probabilities = [-0.5, -1.0, -1.5, -2.0, -2.5]             # log10; the tables hold them all
twos = {1: [(0, 1, 0), (2, 2, 1)], 2: [(1, 3, 2)], 3: [(1, 4, 0)]}  # last word: (word before, probability, back-off)
threes = {(1, 2): [(0, 2)], (2, 1): [(0, 0), (3, 1)]}      # (last word, word before): (first word, probability)
log = math.log10(1.0001)
table = (np.resize(np.array(probabilities), 65536) / log).astype("<f4").tobytes()
n2, n3 = sum(map(len, twos.values())), sum(map(len, threes.values()))
word_bits, next_bits = len(words).bit_length(), n3.bit_length()
ones, bits2, bits3, at2, at3 = b"", [], [], 0, 0
for w in range(len(words)):
    ones += struct.pack("<ffI", probabilities[w] / log, -0.25 * w / log, at2)
    for before, p, bow in twos.get(w, []):
        bits2.append((before | bow << word_bits | p << word_bits + 16 | at3 << word_bits + 32, word_bits + 32 + next_bits))
        at2 += 1
        for first, q in threes.get((w, before), []):
            bits3.append((first | q << word_bits, word_bits + 16))
            at3 += 1
bits2.append((at3 << word_bits + 32, word_bits + 32 + next_bits))


def packed(fields, n, step):
    value = sum(field << k * step for k, (field, _) in enumerate(fields))
    return value.to_bytes(((1 + n) * step + 7) // 8 + 8, "little")


names = b"".join(w.encode() + b"\0" for w in words)
with open("tiny.lm.bin", "wb") as f:
    f.write(b"Trie Language Model\3" + struct.pack("<3II", len(words), n2, n3, 1) + 3 * table + ones + struct.pack("<ffI", 0, 0, at2)
            + packed(bits2, n2, word_bits + 32 + next_bits) + packed(bits3, n3, word_bits + 16) + struct.pack("<I", len(names)) + names)
with open("other.lm.bin", "wb") as f:
    f.write(b"Trie Language Model\2" + bytes(100))
END
"$python" "$recipes/sphinx_arpa.py" --model=tiny.lm.bin > tiny.arpa 2> err || fail "sphinx_arpa.py: $(cat err)"
tr '~' '\t' > expected << 'END'
\data\
ngram 1=3
ngram 2=3
ngram 3=2

\1-grams:
-0.5000~<s>~0.0000
-1.0000~a~-0.2500
-1.5000~it's~-0.5000

\2-grams:
-1.0000~<s> a~-0.5000
-1.5000~it's a~-1.0000
-2.0000~a it's~-1.5000

\3-grams:
-1.5000~<s> it's a
-0.5000~<s> a it's

\end\
END
diff expected tiny.arpa > differences || fail "sphinx_arpa.py: $(cat differences)"
echo "a" > words.txt
"$python" "$recipes/sphinx_arpa.py" --model=tiny.lm.bin --words=words.txt > one.arpa 2> err || fail "sphinx_arpa.py: $(cat err)"
[ "$(grep -c . one.arpa),$(grep '^ngram' one.arpa | tr '\n' ' ')" = "11,ngram 1=2 ngram 2=1 ngram 3=0 " ] || fail "sphinx_arpa.py --words: $(cat one.arpa)"
"$python" "$recipes/sphinx_arpa.py" --model=other.lm.bin > none.arpa 2> err && fail "sphinx_arpa.py: takes 2-grams"
grep -q 'other.lm.bin: not a trie of 3-grams' err || fail "sphinx_arpa.py: $(cat err)"
echo "sphinx_arpa.py: a trie as text"

# ---- synthesize_accents.py: what a speaker makes of a word, and of a sentence's text ----
"$python" - "$recipes" << 'END' || fail "synthesize_accents.py"
import argparse, random, sys
sys.path.insert(0, sys.argv[1])
from synthesize_accents import Speaker, accented, pronounce, sentence
speaker, draw = Speaker(1, "hibari", 1, True), random.Random(1)
speaker.stress = speaker.pauses = 0.0
speaker.habits = [("θ", "*", "s", ["s"], 1.0), ("t", "&", "", [""], 1.0), ("d", "$", "t", ["t"], 1.0), ("n", "v", "l", ["l"], 1.0), ("l", "c", "O", ["O"], 1.0)]
assert accented("θˈɪŋk", speaker, draw) == "sˈɪŋk"
assert accented("lˈæst", speaker, draw) == "lˈæs" and accented("sˈɪt", speaker, draw) == "sˈɪt"      # & is the end after a consonant
assert accented("dˈɪd", speaker, draw) == "dˈɪt"
assert accented("nˈIn", speaker, draw) == "lˈIn" and accented("bˈɔl", speaker, draw) == "bˈɔO"
assert pronounce("bˈɔl ˈIs.", speaker, draw) == "bˈɔO ˈIs."
speaker.pauses, speaker.stress = 1.0, 1.0
assert pronounce("dˈɪd ˈIs.", speaker, draw) == "dɪt, Is."
same = [Speaker(7, "kokoro", 3, True).__dict__ for _ in range(2)]
assert same[0] == same[1] != Speaker(8, "kokoro", 3, True).__dict__
line = "the quick brown fox jumps over the lazy dog".split()
args = argparse.Namespace(cut=1.0, longest=28, swap=0.0)
for _ in range(50):
    words = sentence(line, set(), [], args, draw)
    assert 3 <= len(words) <= 9 and " ".join(words) in " ".join(line)
args = argparse.Namespace(cut=0.0, longest=28, swap=1.0)
assert sentence(line, {"the", "over"}, ["x"], args, draw) == "the x x x x over the x x".split()
END
echo "synthesize_accents.py: sounds, pauses and words of a speaker"
