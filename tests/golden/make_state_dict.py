#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the vectors of tests/golden/test_state_dict.c: a PyTorch state dict as safetensors, an input and what PyTorch makes of it.

usage: make_state_dict.py [FOLDER]        (default: tests/data; needs torch and safetensors)

FOLDER/state_dict.safetensors; FOLDER/state_dict.bin: int32 T, then float32 x [T, D], log_probs [T, K]; little-endian.
"""
import os
import sys

import torch
from safetensors.torch import save_file

D, H, L, K, T = 5, 9, 2, 4, 13


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(D, H, L, bidirectional=True)
        self.output = torch.nn.Linear(2 * H, K)

    def forward(self, x):
        return torch.log_softmax(self.output(self.lstm(x)[0]), -1)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "data")
    torch.manual_seed(1)
    net, x = Network(), torch.randn(T, D)
    with torch.no_grad():
        for p in net.parameters():
            p.mul_(3)  # gates that open and close
        log_probs = net.double()(x.double()).float()
    save_file(net.float().state_dict(), os.path.join(folder, "state_dict.safetensors"))
    with open(os.path.join(folder, "state_dict.bin"), "wb") as f:
        f.write(T.to_bytes(4, "little") + x.numpy().tobytes() + log_probs.numpy().tobytes())


main()
