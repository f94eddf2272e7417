#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One peer on one piece of work: prints a line of JSON like our benchmark programs do. compare.py calls it.

usage: peers.py torch|onnxruntime|onnxruntime-int8|openvino [--batch=1] [--threads=1] [--reps=5]     forward pass, 4 x BLSTM-320
       peers.py torch-train|torch-train-bf16 [--threads=2] [--reps=3]                                  step: forward, CTC, backward, Adam
       peers.py torch-ctc [--reps=21]                                                                  CTC loss and its gradient
       peers.py librosa|kaldi-native-fbank [--reps=5]                                                  MFCC 40/40 of 10 minutes
"""
import argparse
import json
import os
import statistics
import tempfile
import time

INPUTS, HIDDEN, LAYERS, FRAMES = 120, 320, 4, 1000  # forward
TRAIN_FRAMES, TRAIN_BATCH, SYMBOLS, LABELS = 500, 16, 32, 80
RATE, SECONDS, MELS, CEPS = 16000, 600, 40, 40

parser = argparse.ArgumentParser()
parser.add_argument("engine")
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--reps", type=int, default=5)
args = parser.parse_args()
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = str(args.threads)  # before the first import of anything that computes

import numpy as np  # noqa: E402


def repeat(work, warm=2):
    """Calls work() and gives the times as our programs do."""
    wall, cpu = [], []
    for i in range(-warm, args.reps):
        start = time.perf_counter(), time.process_time()
        work()
        if i >= 0:
            wall.append(1e3 * (time.perf_counter() - start[0]))
            cpu.append(1e3 * (time.process_time() - start[1]))
    return {"median_ms": statistics.median(wall), "min_ms": min(wall), "max_ms": max(wall), "cpu_ms": statistics.median(cpu),
            "min_cpu_ms": min(cpu)}


def memory_mb(field):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024e-6 for line in f if line.startswith(field + ":"))


def torch_module():
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    return torch


def forward_torch():
    torch = torch_module()
    net = torch.nn.LSTM(INPUTS, HIDDEN, LAYERS, bidirectional=True).eval()
    x = torch.randn(FRAMES, args.batch, INPUTS)
    with torch.inference_mode():
        return {"version": torch.__version__, **repeat(lambda: net(x))}


def save_onnx(path):
    """The same stack in ONNX. Random weights need no conversion of the gate order."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)

    def uniform(name, *shape):
        return numpy_helper.from_array(rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(HIDDEN**0.5), name)

    x, nodes, tensors = "x", [], [numpy_helper.from_array(np.array([0, 0, -1], np.int64), "rows")]
    for layer in range(LAYERS):
        width = INPUTS if layer == 0 else 2 * HIDDEN
        w, r, b, y, joined = (f"{part}{layer}" for part in ("w", "r", "b", "y", "joined"))
        tensors += [uniform(w, 2, 4 * HIDDEN, width), uniform(r, 2, 4 * HIDDEN, HIDDEN), uniform(b, 2, 8 * HIDDEN)]
        nodes += [helper.make_node("LSTM", [x, w, r, b], [y], hidden_size=HIDDEN, direction="bidirectional"),
                  helper.make_node("Transpose", [y], [y + "t"], perm=[0, 2, 1, 3]),  # [T, directions, B, H] to [T, B, directions, H]
                  helper.make_node("Reshape", [y + "t", "rows"], [joined])]
        x = joined
    graph = helper.make_graph(nodes, "blstm", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [FRAMES, args.batch, INPUTS])],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, [FRAMES, args.batch, 2 * HIDDEN])], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
    model.ir_version = 8
    onnx.save(model, path)


def inputs():
    return np.random.default_rng(2).standard_normal((FRAMES, args.batch, INPUTS)).astype(np.float32)


def forward_onnxruntime(folder, int8):
    import onnxruntime

    path = os.path.join(folder, "blstm.onnx")
    save_onnx(path)
    if int8:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(path, path + ".int8", weight_type=QuantType.QInt8, per_channel=False)
        path += ".int8"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = args.threads, 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = inputs()
    return {"version": onnxruntime.__version__, **repeat(lambda: session.run(None, {"x": x}))}


def forward_openvino(folder):
    import openvino

    path = os.path.join(folder, "blstm.onnx")
    save_onnx(path)
    settings = {"INFERENCE_NUM_THREADS": args.threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()
    request = core.compile_model(core.read_model(path), "CPU", settings).create_infer_request()
    x = inputs()
    return {"version": openvino.__version__, **repeat(lambda: request.infer({0: x}))}


def train_torch(bf16):
    torch = torch_module()
    before_mb = memory_mb("VmRSS")
    lstm, dense = torch.nn.LSTM(INPUTS, HIDDEN, LAYERS, bidirectional=True), torch.nn.Linear(2 * HIDDEN, SYMBOLS)
    adam = torch.optim.Adam([*lstm.parameters(), *dense.parameters()], 1e-3, foreach=True)
    ctc = torch.nn.CTCLoss(blank=0)
    x, labels = torch.randn(TRAIN_FRAMES, TRAIN_BATCH, INPUTS), torch.randint(1, SYMBOLS, (TRAIN_BATCH, LABELS))
    frames, lengths = torch.full((TRAIN_BATCH,), TRAIN_FRAMES), torch.full((TRAIN_BATCH,), LABELS)
    clock = time.process_time if args.threads == 1 else time.perf_counter
    parts = []

    def step():
        at = [clock()]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            logits = dense(lstm(x)[0])
        log_probs = logits.float().log_softmax(-1)
        at.append(clock())
        loss = ctc(log_probs, labels, frames, lengths)
        at.append(clock())
        adam.zero_grad()
        loss.backward()
        at.append(clock())
        adam.step()
        at.append(clock())
        parts.append([1e3 * (b - a) for a, b in zip(at, at[1:])])

    times = repeat(step, warm=1)
    medians = (statistics.median(p) for p in zip(*parts[1:]))
    return {"version": torch.__version__, **times, **dict(zip(("forward_ms", "ctc_ms", "backward_ms", "adam_ms"), medians)),
            "growth_mb": memory_mb("VmHWM") - before_mb}


def ctc_torch():
    """To the log-probabilities, which costs it less than to the logits; ours goes to the logits."""
    torch = torch_module()
    log_probs = torch.randn(TRAIN_FRAMES, TRAIN_BATCH, SYMBOLS).log_softmax(-1).requires_grad_(True)
    labels = torch.randint(1, SYMBOLS, (TRAIN_BATCH, LABELS))
    lengths = torch.full((TRAIN_BATCH,), TRAIN_FRAMES), torch.full((TRAIN_BATCH,), LABELS)

    def both():
        log_probs.grad = None
        torch.nn.functional.ctc_loss(log_probs, labels, *lengths).backward()

    return {"version": torch.__version__, **repeat(both)}


def sound():
    """Noise that swells and fades, full scale 1."""
    rng, t = np.random.default_rng(1), np.arange(SECONDS * RATE)
    return ((rng.random(t.size) - 0.5) * (0.2 + 0.2 * np.sin(t / 3000))).astype(np.float32)


def mfcc_librosa():
    import librosa

    x = sound()
    return {"version": librosa.__version__,
            **repeat(lambda: librosa.feature.mfcc(y=x, sr=RATE, n_mfcc=CEPS, n_mels=MELS, n_fft=512, win_length=400, hop_length=160))}


def mfcc_kaldi_native_fbank():
    """It takes its samples as a Python list and converts them inside the timed call. A call with frames so far apart that none is
    computed is that conversion alone: it is taken off, and given as copying_ms."""
    import kaldi_native_fbank as knf

    samples = (32768 * sound()).tolist()

    def run(shift_ms):
        options = knf.MfccOptions()
        options.frame_opts.dither = 0.0
        options.frame_opts.frame_shift_ms = shift_ms
        options.mel_opts.num_bins, options.num_ceps, options.use_energy = MELS, CEPS, False
        computer = knf.OnlineMfcc(options)
        computer.accept_waveform(RATE, samples)
        computer.input_finished()

    whole, copying = repeat(lambda: run(10.0), warm=1), repeat(lambda: run(1e3 * SECONDS), warm=1)
    return {"version": knf.__version__ if hasattr(knf, "__version__") else "", **{k: whole[k] - copying[k] for k in whole},
            "copying_ms": copying["cpu_ms"]}


with tempfile.TemporaryDirectory() as scratch:
    result = {"torch": forward_torch,
              "onnxruntime": lambda: forward_onnxruntime(scratch, False),
              "onnxruntime-int8": lambda: forward_onnxruntime(scratch, True),
              "openvino": lambda: forward_openvino(scratch),
              "torch-train": lambda: train_torch(False),
              "torch-train-bf16": lambda: train_torch(True),
              "torch-ctc": ctc_torch,
              "librosa": mfcc_librosa,
              "kaldi-native-fbank": mfcc_kaldi_native_fbank}[args.engine]()
numbers = {k: round(v, 3) if isinstance(v, float) else v for k, v in result.items()}
print(json.dumps({"engine": args.engine, "batch": args.batch, "threads": args.threads, "reps": args.reps, **numbers}))
