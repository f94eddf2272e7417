#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A manifest's recordings with quiet before and after, as people leave it who press a button and speak.

usage: make_pauses.py MANIFEST OUT [--least=0.5] [--most=1.5] [--below-db=45] [--format=wav|mp3] [--seed=1]

Writes OUT/manifest.tsv and the recordings: on either side LEAST to MOST seconds, and through all of it white noise
(smoothed over five samples) so far below the speech. Needs numpy and soundfile.
"""
import argparse
import os
import sys

import numpy as np
import soundfile


def noise(rng, n, rms):
    x = np.convolve(rng.standard_normal(n + 64), np.ones(5) / 5, "same")[:n]
    return x / np.sqrt(np.mean(x**2)) * rms


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("manifest")
    parser.add_argument("out")
    parser.add_argument("--least", type=float, default=0.5)
    parser.add_argument("--most", type=float, default=1.5)
    parser.add_argument("--below-db", type=float, default=45)
    parser.add_argument("--format", choices=["wav", "mp3"], default="wav")
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    rng = np.random.default_rng(o.seed)
    folder = os.path.dirname(o.manifest)
    os.makedirs(o.out, exist_ok=True)
    with open(o.manifest, encoding="utf-8") as f:
        rows = [line.rstrip("\r\n").split("\t") for line in f if line.strip()]
    names = rows[0]
    path = names.index("path")
    seconds = names.index("seconds") if "seconds" in names else None
    with open(os.path.join(o.out, "manifest.tsv"), "w", encoding="utf-8") as out:
        print("\t".join(names), file=out)
        for k, row in enumerate(rows[1:]):
            x, rate = soundfile.read(os.path.join(folder, row[path]))
            if x.ndim > 1:
                sys.exit(f"{row[path]}: {x.shape[1]} channels, expected one")
            before, after = (int(rate * rng.uniform(o.least, o.most)) for _ in range(2))
            rms = np.sqrt(np.mean(x**2))
            x = np.concatenate([np.zeros(before), x, np.zeros(after)])
            x = np.clip(x + noise(rng, len(x), rms * 10 ** (-o.below_db / 20)), -1, 1)
            row[path] = f"{k:05d}.{o.format}"
            if seconds is not None:
                row[seconds] = f"{len(x) / rate:.3f}"
            soundfile.write(os.path.join(o.out, row[path]), x, rate, format=o.format.upper())
            print("\t".join(row), file=out)


if __name__ == "__main__":
    main()
