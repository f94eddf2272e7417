#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Our CTC loss and gradient beside PyTorch's in one run, one thread; prints JSON lines.

usage: compare_ctc.py BUILD/tests/bench_ctc [BATCH FRAMES SYMBOLS LABELS]        needs PyTorch

PyTorch's gradient is that of its log-probabilities, which costs less than that of the logits; ours is that of the logits.
"""
import json
import os
import subprocess
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import torch  # noqa: E402  (after the environment)

REPS = 21


def median_ms(f):
    f()
    times = []
    for _ in range(REPS):
        start = time.process_time()
        f()
        times.append(time.process_time() - start)
    times.sort()
    return round(times[REPS // 2] * 1e3, 3), round(times[0] * 1e3, 3)


def peer(batch, frames, symbols, labels):
    torch.set_num_threads(1)
    torch.manual_seed(0)
    log_probs = torch.randn(frames, batch, symbols).log_softmax(-1).requires_grad_(True)
    targets = torch.randint(1, symbols, (batch, labels))
    lengths = torch.full((batch,), frames), torch.full((batch,), labels)

    def loss():
        with torch.no_grad():
            torch.nn.functional.ctc_loss(log_probs, targets, *lengths)

    def both():
        log_probs.grad = None
        torch.nn.functional.ctc_loss(log_probs, targets, *lengths).backward()

    both_ms = median_ms(both)
    return {"bench": "ctc", "engine": "torch " + torch.__version__, "clock": "cpu", "loss_ms": median_ms(loss)[0], "ms": both_ms[0],
            "min_ms": both_ms[1]}


sizes = [int(x) for x in sys.argv[2:6]] or [16, 500, 32, 80]
names = ("batch", "frames", "symbols", "labels")
command = [sys.argv[1], f"--reps={REPS}"] + [f"--{n}={v}" for n, v in zip(names, sizes)]
for _ in range(2):  # interleaved, so that both see the same machine
    ours = json.loads(subprocess.check_output(command, text=True))
    theirs = peer(*sizes)
    print(json.dumps(ours))
    print(json.dumps(theirs))
    print(json.dumps({"times_faster": round(theirs["ms"] / ours["cpu_ms"], 2),
                      "times_faster_by_min": round(theirs["min_ms"] / ours["min_cpu_ms"], 2)}), flush=True)
