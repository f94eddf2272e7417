#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/beam_flashlight.bin: texts and scores of flashlight-text's lexicon decoder with kenlm and the 3-gram of
tests/data/ngram_kn.arpa, in the form of make_beam_lm.py; kind 2 keeps to the model's words.

What the cases have in common, so that docs/decoding.md's differences play no part, is in their making and not in how they come out:
words are spelled with the space behind them and there a text has to end with one, so the last frame is a space; unknown words are
not written; and no beginning is ever pruned: where a symbol is not looked at its probability is 0 (e^-1000), and what is dropped is
e^-300 of the best.

usage: make_beam_flashlight.py NGRAM.arpa OUT.bin        needs numpy, flashlight-text, kenlm
"""
import math
import string
import struct
import sys

import numpy as np
from flashlight.lib.text.decoder import CriterionType, LexiconDecoder, LexiconDecoderOptions, SmearingMode, Trie
from flashlight.lib.text.decoder.kenlm import KenLM
from flashlight.lib.text.dictionary import Dictionary

SYMBOLS = ["", " "] + list(string.ascii_lowercase) + ["'"]
K, BEAM, N_BEST, FLOOR, NEVER, AT_ONCE = len(SYMBOLS), 20000, 12, -15.0, -1000.0, 3


def read_words(path):
    words = []
    with open(path, encoding="utf8") as f:
        for line in f:
            if line.startswith("\\2-grams"):
                return words
            fields = line.split("\t")
            if len(fields) > 1 and set(fields[1].strip()) <= set(SYMBOLS):
                words.append(fields[1].strip())


def make(rng, words, n, favour):
    """n words, each torn between two of one length, with their spaces torn between space and blank; a space last."""
    columns = [{0: 0.0}] * int(rng.integers(1, 3))
    for _ in range(n):
        word = rng.choice(words)
        other = rng.choice([w for w in words if len(w) == len(word)])
        for a, b in zip(word + " ", other + " "):
            torn = {SYMBOLS.index(a), SYMBOLS.index(b)} | ({0} if a == " " or rng.random() < 0.2 else set())
            columns.append({k: rng.normal() + favour * (SYMBOLS[k] == a) for k in torn})
            columns += [{0: 0.0}] * int(rng.integers(1, 3))
    columns[-1] = {1: 0.0}
    z = np.full((len(columns), K), NEVER)
    for t, column in enumerate(columns):
        for k, value in column.items():
            z[t, k] = value
    normalised = z - np.log(np.exp(z).sum(1, keepdims=True))
    return np.maximum(normalised, NEVER).astype(np.float32)


def decode(log_probs, words, vocabulary, lm, alpha, beta):
    trie, start = Trie(K, 1), lm.start(False)
    for word in words:
        index = vocabulary.get_index(word)
        trie.insert([SYMBOLS.index(c) for c in word + " "], index, lm.score(start, index)[1])
    trie.smear(SmearingMode.MAX)
    options = LexiconDecoderOptions(beam_size=BEAM, beam_size_token=AT_ONCE, beam_threshold=300.0, lm_weight=alpha * math.log(10),
                                    word_score=beta, unk_score=-math.inf, sil_score=0.0, log_add=True,
                                    criterion_type=CriterionType.CTC)
    decoder = LexiconDecoder(options, trie, lm, 1, 0, vocabulary.get_index("<unk>"), [], False)
    log_probs = np.ascontiguousarray(log_probs)
    results = decoder.decode(log_probs.ctypes.data, len(log_probs), K)
    assert len(results) < BEAM
    return [(" ".join(vocabulary.get_entry(w) for w in r.words if w >= 0), r.score) for r in results]


rng = np.random.default_rng(11)
words = read_words(sys.argv[1])
vocabulary = Dictionary()
for word in words + ["<unk>"]:
    vocabulary.add_entry(word)
vocabulary.set_default_index(vocabulary.get_index("<unk>"))
lm = KenLM(sys.argv[1], vocabulary)
cases = [make(rng, words, n, favour) for n in (1, 2, 3, 4, 6) for favour in (0.0, 1.0)]
spaces = np.full((12, K), NEVER)  # little but spaces
spaces[:, :3] = np.log([0.3, 0.5, 0.2])
spaces[-1] = [NEVER, 0.0] + [NEVER] * (K - 2)
cases.append(spaces.astype(np.float32))
with open(sys.argv[2], "wb") as f:
    f.write(struct.pack("<I", len(cases)))
    for log_probs in cases:
        alpha, beta = float(rng.uniform(0.2, 1.5)), float(rng.uniform(-1.0, 3.0))
        found = decode(log_probs, words, vocabulary, lm, alpha, beta)
        beams = found[:N_BEST]
        assert beams[0][1] - beams[-1][1] < 100, beams
        f.write(struct.pack("<4I3d", len(log_probs), K, 2, BEAM, alpha, beta, FLOOR) + log_probs.astype("<f4").tobytes())
        f.write(struct.pack("<I", len(beams)))
        for text, score in beams:
            f.write(struct.pack(f"<I{len(text)}Id", len(text), *map(SYMBOLS.index, text), score))
        print(len(log_probs), round(alpha, 2), round(beta, 2), len(found), [(t, round(s, 3)) for t, s in beams[:3]])
