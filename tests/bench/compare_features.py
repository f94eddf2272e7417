#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Our MFCC beside kaldi-native-fbank on one thread, in one run; prints JSON lines, ratios last.

Usage: compare_features.py BUILD/tests/bench_mfcc [SECONDS]     needs numpy and kaldi-native-fbank

kaldi-native-fbank takes its samples as a Python list and converts them inside the timed call. That conversion is timed
alone too (the same call with frames so far apart that none is computed) and taken off: "compute_s".
"""
import json
import subprocess
import sys
import time

import kaldi_native_fbank as knf
import numpy as np

REPS = 5


def theirs(samples, mels, ceps, shift_ms=10.0):
    options = knf.MfccOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.frame_shift_ms = shift_ms
    options.mel_opts.num_bins = mels
    options.num_ceps = ceps
    options.use_energy = False
    times = []
    for _ in range(REPS):
        computer = knf.OnlineMfcc(options)
        start = time.process_time()
        computer.accept_waveform(16000, samples)
        computer.input_finished()
        times.append(time.process_time() - start)
    return sorted(times)[REPS // 2]


def main():
    program, seconds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 600
    rng = np.random.default_rng(1)
    t = np.arange(seconds * 16000)
    wave = (rng.random(t.size) - 0.5) * (0.2 + 0.2 * np.sin(t / 3000)) * 32768
    samples = wave.astype(np.float32).tolist()
    for mels, ceps in ((23, 13), (40, 40)):
        command = [program, f"--seconds={seconds}", f"--mels={mels}", f"--ceps={ceps}", f"--reps={REPS}"]
        total = theirs(samples, mels, ceps)
        ours = [json.loads(subprocess.check_output([*command, f"--fft={fft}"], text=True)) for fft in ("kissfft", "fftw")]
        copying = theirs(samples, mels, ceps, shift_ms=seconds * 1000.0)
        compute = total - copying
        peer = {"bench": "features", "peer": "kaldi-native-fbank", "mels": mels, "ceps": ceps, "audio_s": seconds,
                "total_s": round(total, 4), "compute_s": round(compute, 4)}
        for line in ours:
            print(json.dumps(line))
        print(json.dumps(peer))
        for line in ours:
            print(json.dumps({"mels": mels, "ceps": ceps, "fft": line["fft"],
                              "times_faster_than_total": round(total / (1e-3 * line["cpu_ms"]), 1),
                              "times_faster_than_compute": round(compute / (1e-3 * line["cpu_ms"]), 1)}))


if __name__ == "__main__":
    main()
