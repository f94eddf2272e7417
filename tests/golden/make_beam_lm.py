#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/beam_pyctcdecode.bin: texts and scores of pyctcdecode with the 3-gram of tests/data/ngram_kn.arpa and without.

All little-endian: u32 number of cases; for each u32 T, K, kind (0: no language model, 1: with), beam; f64 lm_weight, word_bonus,
min_log_prob; f32 log-probabilities [T, K]; u32 number of hypotheses; for each u32 length, u32 labels [length], f64 score.
Symbols: blank, space, a to z, apostrophe.

What the cases have in common, so that docs/decoding.md's differences from pyctcdecode play no part, is in their making and not in
how they come out: no beginning is ever pruned (there are fewer than the beam is wide, which is asserted), unknown words have no
price of their own, and as pyctcdecode scores an empty last word as an unknown one, either
  (1) the last frame is a letter, so that no text ends in a space or is empty, and pyctcdecode is as it comes, or
  (2) its language model is derived from to score nothing but the end of the sentence in that place.
(3) Without a language model the space, which pyctcdecode then treats in its own way, is not among the symbols looked at.

usage: make_beam_lm.py NGRAM.arpa OUT.bin        needs numpy, kenlm, pyctcdecode
"""
import logging
import string
import struct
import sys

import kenlm
import numpy as np
from pyctcdecode import build_ctcdecoder
from pyctcdecode.alphabet import Alphabet
from pyctcdecode.decoder import BeamSearchDecoderCTC
from pyctcdecode.language_model import LanguageModel, load_unigram_set_from_arpa

SYMBOLS = ["", " "] + list(string.ascii_lowercase) + ["'"]
K, BEAM, N_BEST, FLOOR, NEVER = len(SYMBOLS), 20000, 12, -15.0, -30.0
LN_10 = np.log(10.0)


class EmptyIsNoWord(LanguageModel):
    def score(self, prev_state, word, is_last_word=False):
        if word or not is_last_word:
            return super().score(prev_state, word, is_last_word)
        return self.alpha * LN_10 * self._get_raw_end_score(prev_state), prev_state


def frames_of(rng, text):
    """Target symbol of each frame: a blank behind each symbol, or up to three."""
    frames = [0] * int(rng.integers(1, 3))
    for c in text:
        frames += [SYMBOLS.index(c)] + [0] * int(rng.integers(1, 3))
    return frames


def make(rng, text, favour, others, last):
    """Most frames are sure; nine are torn between their target, the blank and another symbol."""
    frames = frames_of(rng, text)
    frames += [last] if last else []
    torn = rng.choice(len(frames) - bool(last), min(9, len(frames) - 1), replace=False)
    z = np.full((len(frames), K), NEVER)
    for t, k in enumerate(frames):
        z[t, k] = 0.0
        if t in torn:
            for i in {k, 0, int(rng.choice(others))}:
                z[t, i] = rng.normal() + favour * (i == k)
    return (z - np.log(np.exp(z).sum(1, keepdims=True))).astype(np.float32)


def count_states(log_probs):
    """Largest number of beginnings with their last symbols, as pyctcdecode keeps them."""
    states, most = {("", "")}, 0
    for row in log_probs:
        following = set()
        for k in np.where(row >= FLOOR)[0]:
            c = SYMBOLS[k]
            for text, last in states:
                same = c in ("", last) or (c == " " and (text == "" or text[-1] == " "))
                following.add((text if same else text + c, c))
        states, most = following, max(most, len(following))
    return most


def random_text(rng, n):
    return " ".join("".join(rng.choice(list("abeinost"), rng.integers(1, 4))) for _ in range(n))


def sentence(rng, words, n):
    return " ".join(rng.choice(words, n))


logging.disable(logging.WARNING)
rng = np.random.default_rng(7)
vocabulary = sorted(load_unigram_set_from_arpa(sys.argv[1]))
words = [w for w in vocabulary if set(w) <= set(SYMBOLS)]
model = kenlm.Model(sys.argv[1])
letters, all_symbols = range(2, K), range(1, K)
near = [1] + [SYMBOLS.index(c) for c in "adehiost"]  # alternatives that make words of the model
cases = []  # kind, model's class, log-probabilities
for _ in range(3):  # (1)
    cases.append((1, LanguageModel, make(rng, sentence(rng, words, 4), 1.0, near, SYMBOLS.index("s"))))
    cases.append((1, LanguageModel, make(rng, random_text(rng, 4), 0.0, all_symbols, SYMBOLS.index("e"))))
for _ in range(3):  # (2)
    cases.append((1, EmptyIsNoWord, make(rng, sentence(rng, words, 4) + " ", 1.0, near, 0)))
    cases.append((1, EmptyIsNoWord, make(rng, random_text(rng, 3), 0.0, all_symbols, 0)))
cases.append((1, EmptyIsNoWord, np.repeat(make(rng, "a", 0.0, [1], 0), 4, axis=0)))  # little but spaces
for _ in range(3):  # (3)
    cases.append((0, None, make(rng, "".join(rng.choice(list("abeinost"), 12)), 0.0, letters, 0)))
with open(sys.argv[2], "wb") as f:
    f.write(struct.pack("<I", len(cases)))
    for kind, scorer, log_probs in cases:
        alpha, beta = float(rng.uniform(0.2, 1.5)), float(rng.uniform(-1.0, 3.0))
        n_states = count_states(log_probs)
        assert n_states < BEAM, n_states
        if kind:
            language = scorer(model, vocabulary, alpha=alpha, beta=beta, unk_score_offset=0.0)
            decoder = BeamSearchDecoderCTC(Alphabet.build_alphabet(SYMBOLS), language)
        else:
            decoder = build_ctcdecoder(SYMBOLS)
        beams = decoder.decode_beams(log_probs.astype(float), beam_width=BEAM, beam_prune_logp=-1e9, token_min_logp=FLOOR)
        f.write(struct.pack("<4I3d", len(log_probs), K, kind, BEAM, alpha, beta, FLOOR) + log_probs.astype("<f4").tobytes())
        beams = beams[:N_BEST]
        f.write(struct.pack("<I", len(beams)))
        for text, *_, score in beams:
            f.write(struct.pack(f"<I{len(text)}Id", len(text), *map(SYMBOLS.index, text), score))
        print(len(log_probs), kind, n_states, round(alpha, 2), round(beta, 2), [(b[0], round(b[-1], 3)) for b in beams[:2]])
