#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes tests/data/ctc_torch.bin: CTC problems with loss and gradient by PyTorch in float64.

All little-endian: u32 number of problems; for each u32 T, K, U; u32 labels [U]; f32 log-probabilities [T, K];
f64 loss; f32 gradient with respect to the logits [T, K].

usage: make_ctc.py OUT.bin
"""
import struct
import sys

import numpy as np
import torch

rng = np.random.default_rng(1)
SIZES = [(1, 2, 1), (2, 3, 0), (7, 4, 3), (12, 5, 6), (20, 9, 8), (31, 12, 9), (40, 6, 12), (50, 29, 20), (61, 4, 30), (300, 30, 60)]
problems = []
for T, K, U in SIZES:
    for scale in (1.0, 4.0, 30.0) if T < 100 else (2.0,):
        labels = rng.integers(1, K, U)
        need = U + int((labels[1:] == labels[:-1]).sum())
        if need > T:
            labels = np.arange(U) % (K - 1) + 1
        z = torch.tensor(rng.normal(size=(T, K)) * scale)
        log_probs = torch.log_softmax(z, 1).float().double().requires_grad_(True)
        loss = torch.nn.functional.ctc_loss(log_probs[:, None], torch.tensor(labels)[None], torch.tensor([T]), torch.tensor([U]),
                                            reduction="sum")
        # PyTorch's gradient of the log-probabilities is exp(log_probs) - occupancy already: that of the logits.
        loss.backward()
        problems.append((T, K, U, labels, log_probs.detach().float().numpy(), loss.item(), log_probs.grad.float().numpy()))

with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<I", len(problems)))
    for T, K, U, labels, log_probs, loss, grad in problems:
        f.write(struct.pack("<3I", T, K, U) + labels.astype("<u4").tobytes() + log_probs.astype("<f4").tobytes())
        f.write(struct.pack("<d", loss) + grad.astype("<f4").tobytes())
