#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Our training step beside PyTorch's in one run; prints JSON lines, each pair followed by its ratio.

Usage: compare_train_step.py BUILD/tests/bench_train [--cpu-time] [--isa=auto|avx2] [--threads=1,2] [--reps=5]
                                                                                  needs PyTorch

4 x BLSTM-320, 120 inputs, batch 16, 500 frames, 32 symbols, 80 labels, CTC, Adam. --isa=avx2 holds both to AVX2.
--cpu-time measures processor seconds: right for one thread on a busy machine, meaningless for more threads.
"""
import argparse
import json
import os
import subprocess
import sys
import time

INPUTS, HIDDEN, LAYERS, BATCH, FRAMES, SYMBOLS, LABELS = 120, 320, 4, 16, 500, 32, 80
AVX2_CAP = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def peer(threads, reps, cpu_time):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(INPUTS, HIDDEN, LAYERS, bidirectional=True)
    dense = torch.nn.Linear(2 * HIDDEN, SYMBOLS)
    adam = torch.optim.Adam([*lstm.parameters(), *dense.parameters()], 1e-3, foreach=True)
    loss_of = torch.nn.CTCLoss(blank=0)
    x, labels = torch.randn(FRAMES, BATCH, INPUTS), torch.randint(1, SYMBOLS, (BATCH, LABELS))
    frames, lengths = torch.full((BATCH,), FRAMES), torch.full((BATCH,), LABELS)
    clock = time.process_time if cpu_time else time.perf_counter
    rows = []
    for _ in range(reps + 1):
        at = [clock()]
        log_probs = dense(lstm(x)[0]).log_softmax(-1)
        at.append(clock())
        loss = loss_of(log_probs, labels, frames, lengths)
        at.append(clock())
        adam.zero_grad()
        loss.backward()
        at.append(clock())
        adam.step()
        at.append(clock())
        rows.append([(at[4] - at[0]) * 1e3] + [(b - a) * 1e3 for a, b in zip(at, at[1:])])
    columns = [sorted(c) for c in zip(*rows[1:])]
    names = ("ms", "forward_ms", "ctc_ms", "backward_ms", "adam_ms")
    out = {"bench": "train_step", "engine": "torch " + torch.__version__, "threads": threads,
           "clock": "cpu" if cpu_time else "wall"}
    out.update((name, round(c[reps // 2], 1)) for name, c in zip(names, columns))
    out["min_ms"] = round(columns[0][0], 1)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--isa", default="auto", choices=("auto", "avx2"))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--reps", type=int, default=5)
    args = parser.parse_args()
    if args.program == "torch":  # this script again, with the environment set before PyTorch is loaded
        print(json.dumps(peer(int(args.threads), args.reps, args.cpu_time)))
        return
    for threads in args.threads.split(","):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads)
        if args.isa == "avx2":
            environment.update(AVX2_CAP)
        ours = [args.program, f"--threads={threads}", f"--reps={args.reps}", f"--isa={args.isa}"]
        theirs = [sys.executable, __file__, "torch", f"--threads={threads}", f"--reps={args.reps}"]
        theirs += ["--cpu-time"] * args.cpu_time
        lines = [json.loads(subprocess.check_output(c, text=True, env=environment)) for c in (ours, theirs)]
        lines[0].update(ms=lines[0]["cpu_ms" if args.cpu_time else "median_ms"])
        lines[0].update(min_ms=lines[0]["min_cpu_ms" if args.cpu_time else "min_ms"])
        for line in lines:
            print(json.dumps(line))
        print(json.dumps({"threads": int(threads), "isa": lines[0]["isa"],
                          "times_faster": round(lines[1]["ms"] / lines[0]["ms"], 2),
                          "times_faster_by_min": round(lines[1]["min_ms"] / lines[0]["min_ms"], 2)}), flush=True)


if __name__ == "__main__":
    main()
