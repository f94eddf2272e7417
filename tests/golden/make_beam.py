#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/beam_python.bin: CTC prefix beam search in plain Python, with the pruning that decoder/beam.h describes.

All little-endian: u32 number of cases; for each u32 T, K, beam, top_n; f64 min_log_prob, score_margin; f32 log-probabilities
[T, K]; u32 number of hypotheses; for each u32 length, u32 labels [length], f64 log-probability.

usage: make_beam.py OUT.bin
"""
import math
import struct
import sys

import numpy as np

ZERO = -math.inf


def add(*logs):
    top = max(logs)
    return ZERO if top == ZERO else top + math.log(sum(math.exp(x - top) for x in logs))


def looked_at(row, top_n, min_log_prob):
    ranked = sorted(range(len(row)), key=lambda k: (-row[k], k))
    kept = ranked[:top_n] if top_n else ranked
    return [k for k in kept if k == ranked[0] or row[k] >= min_log_prob]


def search(log_probs, beam, top_n, min_log_prob, margin):
    prefixes = {(): (0.0, ZERO)}  # ends in blank, ends in its last label
    for row in log_probs.astype(float):
        following = {}

        def contribute(prefix, blank, label):
            b, l = following.get(prefix, (ZERO, ZERO))
            following[prefix] = (add(b, blank), add(l, label))

        for prefix, (blank, label) in prefixes.items():
            total = add(blank, label)
            for k in looked_at(row, top_n, min_log_prob):
                if k == 0:
                    contribute(prefix, total + row[0], ZERO)
                elif prefix and k == prefix[-1]:
                    contribute(prefix, ZERO, label + row[k])
                    contribute(prefix + (k,), ZERO, blank + row[k])
                else:
                    contribute(prefix + (k,), ZERO, total + row[k])
        scored = sorted((-add(*v), p) for p, v in following.items() if add(*v) > ZERO)[:beam]
        if margin:
            scored = [x for x in scored if -x[0] >= -scored[0][0] - margin]
        prefixes = {p: following[p] for _, p in scored}
    return sorted((-add(*v), p) for p, v in prefixes.items())


def peaky(rng, T, K):
    z = rng.normal(size=(T, K))
    z[:, 0] += 7.5
    for t in range(2, T, 3):
        z[t, 0] -= 7.5
        z[t, rng.integers(1, K)] += rng.normal(5.0, 1.8)
        z[t, rng.integers(1, K)] += rng.normal(3.5, 1.5)
    return z


rng = np.random.default_rng(1)
CASES = [  # T, K, beam, top_n, min_log_prob, margin, logits
    (30, 6, 10, 0, ZERO, 0.0, lambda: rng.normal(size=(30, 6)) * 2),
    (60, 29, 25, 0, ZERO, 0.0, lambda: peaky(rng, 60, 29)),
    (60, 29, 25, 5, ZERO, 0.0, lambda: peaky(rng, 60, 29)),
    (60, 29, 25, 0, -5.0, 0.0, lambda: peaky(rng, 60, 29)),
    (60, 29, 50, 0, ZERO, 4.0, lambda: peaky(rng, 60, 29)),
    (60, 29, 100, 12, -7.0, 10.0, lambda: peaky(rng, 60, 29)),
    (40, 12, 1, 0, ZERO, 0.0, lambda: rng.normal(size=(40, 12)) * 3),
    (40, 12, 40, 0, ZERO, 0.0, lambda: np.repeat(rng.normal(size=(10, 12)) * 4, 4, axis=0)),
]
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<I", len(CASES)))
    for T, K, beam, top_n, floor, margin, logits in CASES:
        z = logits()
        log_probs = (z - np.log(np.exp(z).sum(1, keepdims=True))).astype(np.float32)
        hyps = search(log_probs, beam, top_n, floor, margin)
        f.write(struct.pack("<4I2d", T, K, beam, top_n, floor, margin) + log_probs.astype("<f4").tobytes())
        f.write(struct.pack("<I", len(hyps)))
        for minus, labels in hyps:
            f.write(struct.pack(f"<I{len(labels)}Id", len(labels), *labels, -minus))
