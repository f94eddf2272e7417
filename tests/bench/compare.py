#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rows of compare.sh: runs ours and the peers in turn, prints each run's JSON and at the end a Markdown table of ratios.

usage: compare.py BUILD/tests PEER_ONEDNN [--rounds=2] [--log=FILE] [--table] [ROW...]
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass

HERE = os.path.dirname(os.path.abspath(__file__))
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}
CPU, WALL, MEMORY = "cpu_ms", "median_ms", "growth_mb"


@dataclass
class Row:
    title: str
    by: str  # the figure that is compared: less is better
    ours: list  # program and options
    peers: list  # "engine option...": engines of peers.py, or onednn
    against: list  # engines of which the best counts; the others are shown
    must: float  # at most this share of theirs
    aim: float
    environment: dict = None  # of the peers
    runs_of: str = None  # the figures are those of another row's runs
    also: tuple = ()  # option of ours for a second figure, shown with its ratio but not judged


HALF = ("--weights=fp16",)  # weights rounded to half precision, as model files hold them; sums stay in single
FORWARD = ["bench_blstm", "--reps=5"]
BATCH = ["bench_blstm", "--reps=3", "--batch=16", "--threads=2"]
TRAIN = ["bench_train", "--reps=3", "--threads=2"]
ROWS = {
    "avx2": Row("forward, fp32, AVX2 alone, batch 1, 1 thread", CPU, [*FORWARD, "--isa=avx2"], ["torch", "openvino", "onednn"],
                ["torch", "openvino", "onednn"], 0.95, 0.80, AVX2, also=HALF),
    "one": Row("forward, fp32, batch 1, 1 thread", CPU, FORWARD, ["onnxruntime", "openvino", "torch"], ["onnxruntime"], 0.90, 0.75,
               also=HALF),
    "two": Row("forward, fp32, batch 1, 2 threads", WALL, [*FORWARD, "--threads=2"],
               ["onnxruntime --threads=2", "openvino --threads=2", "torch --threads=2"], ["onnxruntime"], 0.90, 0.70, also=HALF),
    "batch": Row("forward, fp32, batch 16, 2 threads", WALL, BATCH,
                 [f"{e} --batch=16 --threads=2 --reps=3" for e in ("openvino", "onednn", "onnxruntime", "torch")],
                 ["openvino", "onednn"], 0.95, 0.80, also=HALF),
    "int8": Row("forward, int8, batch 1, 1 thread", CPU, [*FORWARD, "--precision=int8"], ["onnxruntime-int8"], ["onnxruntime-int8"], 1.0, 0.80),
    "train": Row("training step, fp32, 2 threads", WALL, TRAIN, ["torch-train --threads=2 --reps=3"], ["torch-train"], 0.80, 0.60),
    # bfloat16 does not pay without AMX (docs/benchmarks.md), so ours stays in float.
    "train-bf16": Row("training step, ours in fp32, theirs in bf16, 2 threads", WALL, TRAIN, ["torch-train-bf16 --threads=2 --reps=1"],
                      ["torch-train-bf16"], 0.90, 0.60),
    "memory": Row("training step, fp32, peak memory", MEMORY, TRAIN, ["torch-train --threads=2 --reps=3"], ["torch-train"], 0.70, 0.50,
                  runs_of="train"),
    "ctc": Row("CTC loss and gradient, 1 thread", CPU, ["bench_ctc", "--reps=21"], ["torch-ctc --reps=21"], ["torch-ctc"], 0.25, 0.10),
    "mfcc": Row("MFCC 40/40 of 10 minutes, FFTW, 1 thread", CPU, ["bench_mfcc", "--fft=fftw"], ["librosa"], ["librosa"], 0.70, 0.70),
    "mfcc-kiss": Row("MFCC 40/40 of 10 minutes, KissFFT, 1 thread", CPU, ["bench_mfcc", "--fft=kissfft"], ["kaldi-native-fbank"],
                     ["kaldi-native-fbank"], 1.0, 1.0),
}


def run(name, engine, command, environment, log):
    """One line of JSON of one engine, marked with its row; None where the engine cannot do it."""
    if not os.path.exists(command[0]):
        return
    done = subprocess.run(command, env={**os.environ, **(environment or {})}, capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{name}: {engine}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}", file=sys.stderr)
        return
    line = json.dumps({"row": name, **json.loads(done.stdout.splitlines()[-1]), "engine": engine})
    print(line, flush=True)
    with open(log, "a") as f:
        f.write(line + "\n")


def run_row(name, row, tests, onednn, log):
    ours = [os.path.join(tests, row.ours[0]), *row.ours[1:]]
    run(name, "otolith", ours, None, log)
    if row.also:
        run(name, " ".join(row.also), [*ours, *row.also], None, log)
    for peer in row.peers:
        engine, *options = peer.split()
        command = [onednn] if engine == "onednn" else [sys.executable, os.path.join(HERE, "peers.py"), engine]
        threads = next((o.split("=")[1] for o in options if o.startswith("--threads=")), "1")
        run(name, engine, [*command, *options], {"OMP_NUM_THREADS": threads, **(row.environment or {})}, log)


def figures(lines, row_name, row):
    """{engine: median over the rounds}"""
    values = {}
    for line in lines:
        if line["row"] == (row.runs_of or row_name):
            values.setdefault(line["engine"], []).append(line[row.by])
    return {engine: statistics.median(v) for engine, v in values.items()}


def table(lines, names):
    unit = {CPU: "ms, processor", WALL: "ms, wall", MEMORY: "MB"}
    print("\n| | by | ours | peers | ratio | must | aim | |\n|---|---|---|---|---|---|---|---|")
    for name in names:
        row = ROWS[name]
        values = figures(lines, name, row)
        also = values.pop(" ".join(row.also), None)
        ours, rivals = values.pop("otolith", None), [values[e] for e in row.against if e in values]
        peers = ", ".join(f"{engine} {value:.4g}" for engine, value in sorted(values.items(), key=lambda x: x[1]))
        ratio = ours / min(rivals) if ours and rivals else None
        verdict = "not measured" if ratio is None else "aim met" if ratio <= row.aim else "must met" if ratio <= row.must else "missed"
        if also and rivals:
            verdict += f"; {' '.join(row.also)}: {also:.4g}, ratio {also / min(rivals):.2f}"
        print(f"| {row.title} | {unit[row.by]} | {f'{ours:.4g}' if ours else '-'} | {peers or '-'} | {f'{ratio:.2f}' if ratio else '-'} "
              f"| {row.must:.2f} | {row.aim:.2f} | {verdict} |")


def machine():
    with open("/proc/cpuinfo") as f:
        model = next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} processors; load {' '.join(f'{x:.2f}' for x in os.getloadavg())}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tests")
    parser.add_argument("onednn")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--log", default=os.devnull)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("rows", nargs="*")
    args = parser.parse_intermixed_args()
    names = args.rows or list(ROWS)
    for name in names:
        if name not in [*ROWS, "beam"]:
            sys.exit(f"unknown row {name}; there are {' '.join([*ROWS, 'beam'])}")
    if "beam" in names:  # a table of its own: speed counts only beside the error rate
        subprocess.run([sys.executable, os.path.join(HERE, "compare_beam.py"), os.path.join(args.tests, "bench_beam")], check=True)
        names = [n for n in names if n != "beam"]
    if args.log == os.devnull:
        args.log = os.path.join(os.path.dirname(args.onednn), "log.jsonl")
    print(machine(), flush=True)
    for name in dict.fromkeys(ROWS[n].runs_of or n for n in names if not args.table):
        for _ in range(args.rounds):
            run_row(name, ROWS[name], args.tests, args.onednn, args.log)
    with open(args.log) as f:
        lines = [json.loads(line) for line in f]
    table(lines, names)


if __name__ == "__main__":
    main()
