#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the vectors of tests/golden/test_network.c: log-probabilities and all gradients of PyTorch's nn.LSTM in float64.

usage: make_network.py [FOLDER]        (default: tests/data; needs PyTorch, any version since 1.9)

Parameters, inputs and the gradient from above are not stored: the test makes the same numbers by the same integer hash.
File: int32 D L H P K R B, R the bits of shape.reduce_after, B lengths; then float32 log_probs [N', K], dparams [n_parameters], dx [N, D]; little-endian,
rows packed by time as acoustic/sequences.h says. After a layer of R, two neighbouring frames are one input of the layer above.
"""
import os
import sys

import numpy as np
import torch

CASES = {  # name: D, L, H, P, K, R, lengths
    "network_1": (7, 1, 20, 0, 6, 0, (11, 8, 8, 3)),
    "network_3": (7, 3, 20, 0, 6, 0, (13, 9, 4, 1)),
    "network_proj": (5, 2, 18, 11, 4, 0, (9, 9, 5, 2)),
    "network_pyramid": (5, 3, 18, 0, 4, 3, (13, 9, 8, 1)),
    "network_pyramid_proj": (5, 3, 18, 7, 4, 2, (11, 6, 5, 2)),
}
SEED_PARAMS, SEED_X, SEED_DLOGITS = 1, 2, 3


def uniform(n, seed, scale):
    """Numbers in [-scale, scale), exact in float32 before scaling."""
    v = (np.arange(n, dtype=np.uint64) * 2654435761 + seed * 40503) & 0xFFFFFFFF
    for _ in range(2):
        v ^= v >> np.uint64(16)
        v = (v * 0x45D9F3B) & 0xFFFFFFFF
    v ^= v >> np.uint64(16)
    unit = (v >> np.uint64(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)
    return (unit * np.float32(scale)).astype(np.float64)


def pairs(packed):
    """Frames 2t and 2t + 1 side by side, zeros beside the last of an odd number."""
    x, lengths = torch.nn.utils.rnn.pad_packed_sequence(packed)  # padded with zeros
    if x.shape[0] % 2:
        x = torch.cat((x, torch.zeros_like(x[:1])))
    x = torch.cat((x[0::2], x[1::2]), dim=2)
    return torch.nn.utils.rnn.pack_padded_sequence(x, (lengths + 1) // 2)


class Network(torch.nn.Module):
    def __init__(self, d, n_layers, h, p, k, reduce_after):
        super().__init__()
        self.reduces = [reduce_after >> l & 1 for l in range(n_layers)]
        if p == 0 and not reduce_after:
            self.stack = torch.nn.ModuleList([torch.nn.LSTM(d, h, n_layers, bidirectional=True)])
            self.proj = torch.nn.ModuleList()
        else:
            self.stack = torch.nn.ModuleList(
                torch.nn.LSTM(d if l == 0 else (p or 2 * h) * (1 + self.reduces[l - 1]), h, 1, bidirectional=True)
                for l in range(n_layers))
            self.proj = torch.nn.ModuleList(torch.nn.Linear(2 * h, p) for _ in range(n_layers - 1 if p else 0))
        self.output = torch.nn.Linear(2 * h, k)
        self.double()

    def tensors(self):
        """(parameter, second bias or None) in the order of oto_network_tensor()."""
        out = []

        def lstm(module, l):
            for suffix in ("", "_reverse"):
                for name in ("weight_ih", "weight_hh"):
                    out.append((getattr(module, f"{name}_l{l}{suffix}"), None))
                out.append((getattr(module, f"bias_ih_l{l}{suffix}"), getattr(module, f"bias_hh_l{l}{suffix}")))

        for i, module in enumerate(self.stack):
            for l in range(module.num_layers):
                lstm(module, l)
            if i < len(self.proj):
                out.extend([(self.proj[i].weight, None), (self.proj[i].bias, None)])
        return out + [(self.output.weight, None), (self.output.bias, None)]

    def forward(self, x, lengths):
        x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths)
        for i, module in enumerate(self.stack):
            x, _ = module(x)
            if i < len(self.proj):
                x = torch.nn.utils.rnn.PackedSequence(self.proj[i](x.data), x.batch_sizes)
            if len(self.stack) > 1 and self.reduces[i]:
                x = pairs(x)
        return self.output(x.data)


def make(folder, name, d, n_layers, h, p, k, reduce_after, lengths):
    torch.manual_seed(0)
    net = Network(d, n_layers, h, p, k, reduce_after)
    tensors = net.tensors()
    params = uniform(sum(t.numel() for t, _ in tensors), SEED_PARAMS, 0.4)
    at = 0
    with torch.no_grad():
        for t, second in tensors:
            t.copy_(torch.from_numpy(params[at:at + t.numel()].reshape(t.shape)))
            at += t.numel()
            if second is not None:
                second.zero_()
    n = sum(lengths)
    rows = torch.from_numpy(uniform(n * d, SEED_X, 2.0).reshape(n, d))
    sizes = [sum(length > t for length in lengths) for t in range(lengths[0])]
    packed = torch.nn.utils.rnn.PackedSequence(rows, torch.tensor(sizes))
    x, _ = torch.nn.utils.rnn.pad_packed_sequence(packed)
    x.requires_grad_(True)
    logits = net(x, torch.tensor(lengths))
    logits.backward(torch.from_numpy(uniform(logits.numel(), SEED_DLOGITS, 1.0).reshape(logits.shape)))
    dx = torch.nn.utils.rnn.pack_padded_sequence(x.grad, torch.tensor(lengths)).data
    with open(os.path.join(folder, name + ".bin"), "wb") as f:
        f.write(np.array([d, n_layers, h, p, k, reduce_after, len(lengths), *lengths], "<i4").tobytes())
        f.write(logits.log_softmax(-1).detach().numpy().astype("<f4").tobytes())
        for t, _ in tensors:
            f.write(t.grad.numpy().astype("<f4").tobytes())
        f.write(dx.numpy().astype("<f4").tobytes())


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "data")
    for case, shape in CASES.items():
        make(target, case, *shape)
