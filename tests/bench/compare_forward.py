#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Our forward pass beside PyTorch's nn.LSTM in one run; prints JSON lines, each pair followed by its ratio.

Usage: compare_forward.py BUILD/tests/bench_blstm [--cpu-time] [--isa=auto|avx2] [--threads=1,2] [--batches=1,16]
                          [--frames=1000] [--reps=5]                              needs PyTorch

4 x BLSTM-320, 120 inputs. Ours computes a dense layer of 32 labels and log-softmax on top. --isa=avx2 holds both to AVX2.
--cpu-time measures processor seconds: right for one thread on a busy machine, meaningless for more threads.
"""
import argparse
import json
import os
import subprocess
import sys
import time

INPUTS, HIDDEN, LAYERS = 120, 320, 4
AVX2_CAP = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


def peer(batch, threads, frames, reps, cpu_time):
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    net = torch.nn.LSTM(INPUTS, HIDDEN, LAYERS, bidirectional=True).eval()
    x = torch.randn(frames, batch, INPUTS)
    clock = time.process_time if cpu_time else time.perf_counter
    times = []
    with torch.inference_mode():
        for _ in range(reps + 2):
            start = clock()
            net(x)
            times.append((clock() - start) * 1e3)
    times = sorted(times[2:])
    return {"bench": "forward", "engine": "torch " + torch.__version__, "frames": frames, "batch": batch,
            "threads": threads, "clock": "cpu" if cpu_time else "wall", "ms": round(times[reps // 2], 2),
            "min_ms": round(times[0], 2)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--isa", default="auto", choices=("auto", "avx2"))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--batches", default="1,16")
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--reps", type=int, default=5)
    args = parser.parse_args()
    if args.program == "torch":  # this script again, with the environment set before PyTorch is loaded
        print(json.dumps(peer(int(args.batches), int(args.threads), args.frames, args.reps, args.cpu_time)))
        return
    for threads in args.threads.split(","):
        environment = dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads)
        if args.isa == "avx2":
            environment.update(AVX2_CAP)
        for batch in args.batches.split(","):
            ours = [args.program, f"--batch={batch}", f"--threads={threads}", f"--frames={args.frames}",
                    f"--reps={args.reps}", f"--isa={args.isa}"]
            theirs = [sys.executable, __file__, "torch", f"--batches={batch}", f"--threads={threads}",
                      f"--frames={args.frames}", f"--reps={args.reps}"] + ["--cpu-time"] * args.cpu_time
            lines = [json.loads(subprocess.check_output(c, text=True, env=environment)) for c in (ours, theirs)]
            lines[0].update(ms=lines[0]["cpu_ms" if args.cpu_time else "median_ms"])
            lines[0].update(min_ms=lines[0]["min_cpu_ms" if args.cpu_time else "min_ms"])
            for line in lines:
                print(json.dumps(line))
            print(json.dumps({"batch": int(batch), "threads": int(threads), "isa": lines[0]["isa"],
                              "times_faster": round(lines[1]["ms"] / lines[0]["ms"], 2),
                              "times_faster_by_min": round(lines[1]["min_ms"] / lines[0]["min_ms"], 2)}), flush=True)


if __name__ == "__main__":
    main()
