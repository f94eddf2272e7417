#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the vectors of tests/golden/test_word_network.c: log-probabilities of words and all gradients by PyTorch in float64.

usage: make_word_network.py [FOLDER]        (default: tests/data; needs PyTorch, any version since 1.9)

Parameters and words are not stored: the test makes the same numbers by the same integer hash. File: int32 V E H L C B,
C + 1 first words of the classes, B lengths; then float32 ln p of each word and the end, sentence by sentence, and the gradient of the
mean of -ln p in the order of oto_word_tensor(); little-endian.
"""
import os
import sys

import numpy as np
import torch

from make_network import uniform

CASES = {  # name: V, E, H, L, first words of classes, lengths of sentences by falling length
    "words_1": (37, 9, 20, 1, (0, 1, 2, 9, 10, 20, 37), (11, 8, 8, 3, 1)),
    "words_2": (23, 12, 18, 2, (0, 5, 23), (7, 7, 2)),
}
SEED_PARAMS, SEED_WORDS = 1, 2


def make(folder, name, v, e, h, n_layers, classes, lengths):
    shapes = [(v, e), (v,)]
    for layer in range(n_layers):
        shapes += [(4 * h, e if layer == 0 else h), (4 * h, h), (4 * h,)]
    shapes += [(e, h), (e,), (len(classes) - 1, e), (len(classes) - 1,)]
    flat = uniform(sum(int(np.prod(s)) for s in shapes), SEED_PARAMS, 0.4)
    params, at = [], 0
    for shape in shapes:
        n = int(np.prod(shape))
        params.append(torch.tensor(flat[at:at + n].reshape(shape), requires_grad=True))
        at += n
    word_w, word_b = params[0], params[1]
    proj_w, proj_b, class_w, class_b = params[-4:]
    numbers = ((uniform(sum(lengths), SEED_WORDS, 1.0) + 1) / 2 * v).astype(int)
    class_of = np.searchsorted(classes, np.arange(v), side="right") - 1
    log_probs, at = [], 0
    for length in lengths:
        words = numbers[at:at + length].tolist()
        at += length
        x = word_w[[0] + words].unsqueeze(1)
        for layer in range(n_layers):
            w, r, bias = params[2 + 3 * layer:5 + 3 * layer]
            zeros = torch.zeros(1, 1, h, dtype=torch.float64)
            x, _, _ = torch._VF.lstm(x, (zeros, zeros), [w, r, bias, torch.zeros_like(bias)], True, 1, 0.0, False, False, False)
        y = x.squeeze(1) @ proj_w.T + proj_b
        of_class = (y @ class_w.T + class_b).log_softmax(-1)
        for t, word in enumerate(words + [0]):
            c = class_of[word]
            members = slice(classes[c], classes[c + 1])
            within = (y[t] @ word_w[members].T + word_b[members]).log_softmax(-1)
            log_probs.append(of_class[t, c] + within[word - classes[c]])
    log_probs = torch.stack(log_probs)
    (-log_probs.mean()).backward()
    with open(os.path.join(folder, name + ".bin"), "wb") as f:
        f.write(np.array([v, e, h, n_layers, len(classes) - 1, len(lengths), *classes, *lengths], "<i4").tobytes())
        f.write(log_probs.detach().numpy().astype("<f4").tobytes())
        for p in params:
            f.write(p.grad.numpy().astype("<f4").tobytes())


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "data")
    for case, spec in CASES.items():
        make(target, case, *spec)
