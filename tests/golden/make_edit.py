#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/edit_jiwer.tsv: reference, hypothesis, characters of the reference, character errors by jiwer 4.0.

usage: make_edit.py OUT.tsv
"""
import random
import sys

import jiwer

WORDS = ("the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not "
         "what all were we when your can said naïve façade über 你好 世界 привет мир نعم लिए हाँ").split()


def damage(words, rng):
    out = []
    for w in words:
        what = rng.random()
        if what < 0.1:
            continue
        if what < 0.2:
            w = rng.choice(WORDS)
        elif what < 0.35:
            i = rng.randrange(len(w))
            w = w[:i] + rng.choice(["", "x", w[i] * 2]) + w[i + 1:]
        elif what < 0.42:
            out.append(rng.choice(WORDS))
        if w:
            out.append(w)
    return out


rng = random.Random(1)
with open(sys.argv[1], "w", encoding="utf-8") as f:
    for _ in range(200):
        ref = rng.choices(WORDS, k=rng.randint(1, 20))
        r, h = " ".join(ref), " ".join(damage(ref, rng))
        o = jiwer.process_characters(r, h)
        f.write(f"{r}\t{h}\t{len(r)}\t{o.substitutions + o.insertions + o.deletions}\n")
