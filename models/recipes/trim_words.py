#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cut recordings of words as short as careless collectors do, and to the bandwidth of a telephone.

    pip install numpy scipy soundfile
    python3 models/recipes/trim_words.py --out=DIR [--copies=2] MANIFEST.tsv...

Collections of single words are often cut where the level falls below some threshold, which takes away faint sounds at the edges: the f of "four", the s of "six".
Every copy of every recording is brought to 8 kHz and cut at a threshold of its own below its loud parts, with a margin of its own. Writes FLAC and DIR/manifest.tsv.
"""
import argparse
import os
import random

import numpy as np
import soundfile as sf
from scipy.signal import resample_poly

RATE, HOP = 8000, 80


def trim(x, threshold_db, margin_s):
    power = np.convolve(np.square(x[:len(x) // HOP * HOP].astype(np.float64)).reshape(-1, HOP).mean(1), [0.25, 0.5, 0.25], "same")
    loud = np.flatnonzero(power > np.percentile(power, 95) * 10 ** (-threshold_db / 10))
    margin = int(margin_s * RATE)
    return x[max(0, loud[0] * HOP - margin):(loud[-1] + 1) * HOP + margin]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True)
    parser.add_argument("--copies", type=int, default=2)
    parser.add_argument("--threshold", default="10-45", help="range in dB below the loud parts")
    parser.add_argument("--margin", type=float, default=0.03, help="longest margin in seconds")
    parser.add_argument("--shortest", type=float, default=0.15, help="leave out what is shorter, in seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("manifests", nargs="+", metavar="MANIFEST.tsv")
    args = parser.parse_args()
    low, high = (float(v) for v in args.threshold.split("-"))
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "manifest.tsv"), "w", encoding="utf8") as manifest:
        manifest.write("id\tpath\tseconds\tspeaker\ttext\n")
        for path in args.manifests:
            with open(path, encoding="utf8") as f:
                header = f.readline().rstrip("\n").split("\t")
                rows = [dict(zip(header, line.rstrip("\n").split("\t"))) for line in f]
            for row in rows:
                x, rate = sf.read(os.path.join(os.path.dirname(path), row["path"]), dtype="float32")
                x = resample_poly(x, RATE, rate).astype(np.float32)
                os.makedirs(os.path.join(args.out, row["speaker"]), exist_ok=True)
                for copy in range(args.copies):
                    draw = random.Random(f"{args.seed} {row['id']} {copy}")
                    y = trim(x, draw.uniform(low, high), draw.uniform(0, args.margin))
                    if len(y) < args.shortest * RATE:
                        continue
                    name = f"{row['id']}-t{copy}"
                    sf.write(os.path.join(args.out, row["speaker"], name + ".flac"), y, RATE, subtype="PCM_16")
                    manifest.write(f"{name}\t{row['speaker']}/{name}.flac\t{len(y) / RATE:.3f}\t{row['speaker']}\t{row['text']}\n")


if __name__ == "__main__":
    main()
