#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Our beam search beside pyctcdecode's in one run, no language model, one thread; prints JSON lines with speed and error rate.

usage: compare_beam.py BUILD/tests/bench_beam [UTTERANCES]        needs numpy, pyctcdecode, jiwer

20 utterances of 500 frames, 29 symbols: 80 letters and spaces each, one peak a letter; some peaks are wrong or torn between two.
"""
import json
import logging
import string
import subprocess
import sys
import tempfile
import time

import jiwer
import numpy as np
from pyctcdecode import build_ctcdecoder

FRAMES, SYMBOLS, LETTERS, BEAM = 500, 29, 80, 100
ALPHABET = ["", " "] + list(string.ascii_lowercase) + ["'"]


def make(n):
    rng = np.random.default_rng(1)
    data, texts = np.empty((n, FRAMES, SYMBOLS), np.float32), []
    for i in range(n):
        words = []
        while len(" ".join(words)) < LETTERS:
            words.append("".join(rng.choice(list(string.ascii_lowercase), rng.integers(1, 9))))
        text = " ".join(words)[:LETTERS].strip()
        z = rng.normal(size=(FRAMES, SYMBOLS))
        z[:, 0] += 7.5
        peaks = np.sort(rng.choice(np.arange(4, FRAMES // 2 - 4), len(text), replace=False)) * 2  # a gap after each
        for t, c in zip(peaks, text):
            z[t, 0] -= 7.5
            z[t, ALPHABET.index(c)] += rng.normal(5.0, 1.8)
            z[t, rng.integers(2, SYMBOLS - 1)] += rng.normal(2.0, 1.5)
        data[i] = z - np.log(np.exp(z).sum(1, keepdims=True))
        texts.append(text)
    return data, texts


def report(engine, ms, hyps, texts, **more):
    print(json.dumps({"bench": "beam", "engine": engine, "beam": BEAM, **more, "ms": round(ms, 3),
                      "cer": round(100 * jiwer.cer(texts, hyps), 3)}), flush=True)
    return ms


def ours(program, path, n, texts, top_n, floor, margin):
    command = [program, path, f"--utterances={n}", f"--beam={BEAM}", f"--top-n={top_n}", f"--min-log-prob={floor}",
               f"--margin={margin}", "--labels=1"]
    lines = [json.loads(x) for x in subprocess.check_output(command, text=True).splitlines()]
    hyps = [" ".join("".join(ALPHABET[k] for k in x["labels"]).split()) for x in lines[:-1]]
    return report("otolith", lines[-1]["cpu_ms"], hyps, texts, top_n=top_n, min_log_prob=floor, margin=margin)


def peer(decoder, data, texts, **pruning):
    times, hyps = [], []
    for x in data:
        start = time.process_time()
        hyps.append(decoder.decode(x, beam_width=BEAM, **pruning))
        times.append(time.process_time() - start)
    return report("pyctcdecode", 1e3 * float(np.median(times)), hyps, texts, **pruning)


logging.disable(logging.WARNING)
n = int(sys.argv[2]) if len(sys.argv) > 2 else 20
data, texts = make(n)
with tempfile.NamedTemporaryFile(suffix=".f32") as f:
    data.astype("<f4").tofile(f.name)
    decoder = build_ctcdecoder(ALPHABET)
    peer(decoder, data[:1], texts[:1])  # warms up
    pairs = [("pruned as pyctcdecode does by default", ours(sys.argv[1], f.name, n, texts, 0, -5, 10), peer(decoder, data, texts)),
             ("our defaults, its defaults", ours(sys.argv[1], f.name, n, texts, 40, -10, 20), peer(decoder, data, texts)),
             ("no pruning, wide pruning", ours(sys.argv[1], f.name, n, texts, 0, -10000, 0),
              peer(decoder, data[:1], texts[:1], token_min_logp=-20.0, beam_prune_logp=-30.0))]
for what, a, b in pairs:
    print(json.dumps({"settings": what, "times_faster": round(b / a, 1)}))
