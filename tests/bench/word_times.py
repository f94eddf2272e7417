#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How far word times are from those of make_word_times.py.

    tests/bench/word_times.py [--otolith=build/otolith] [--transcribe] [--option=--lm=en.otolm ...] TIMES

By `otolith align` all words are compared; with --transcribe those of `otolith transcribe` that stand in the longest
common sequence of its words and the true ones. A line for each voice, and one of JSON for all.
"""
import argparse
import collections
import difflib
import json
import os
import subprocess
import tempfile

import numpy as np


def read_ctm(text):
    rows = [line.split() for line in text.splitlines()]
    return [(float(r[2]), float(r[2]) + float(r[3]), r[4]) for r in rows]


def matches(true, found):
    a, b = [w[2] for w in true], [w[2] for w in found]
    for m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks():
        yield from ((true[m.a + i], found[m.b + i]) for i in range(m.size))


def describe(errors):
    e = np.abs(np.array(errors)) * 1000
    bias = np.median(np.array(errors), axis=0) * 1000
    return {"words": len(e), "median_ms": round(float(np.median(e)), 1), "p95_ms": round(float(np.percentile(e, 95)), 1),
            "within_120_ms": round(float(np.mean(e <= 120)), 4), "start_bias_ms": round(float(bias[0]), 1),
            "end_bias_ms": round(float(bias[1]), 1)}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("times")
    p.add_argument("--otolith", default="build/otolith")
    p.add_argument("--transcribe", action="store_true")
    p.add_argument("--option", action="append", default=[])
    a = p.parse_args()
    truth = collections.OrderedDict()
    with open(os.path.join(a.times, "truth.tsv"), encoding="utf8") as f:
        for line in f:
            name, start, end, word = line.rstrip("\n").split("\t")
            truth.setdefault(name, []).append((float(start), float(end), word))
    errors = collections.defaultdict(list)
    n_words = sum(map(len, truth.values()))
    found = {}
    if a.transcribe:
        with tempfile.TemporaryDirectory() as folder:
            files = [os.path.join(a.times, name + ".wav") for name in truth]
            subprocess.run([a.otolith, "transcribe", "-q", "--format=ctm", "--output-dir=" + folder, *a.option, *files], check=True)
            for name in truth:
                with open(os.path.join(folder, name + ".ctm"), encoding="utf8") as f:
                    found[name] = read_ctm(f.read())
    for name, words in truth.items():
        if not a.transcribe:
            wav, text = (os.path.join(a.times, name + s) for s in (".wav", ".txt"))
            found[name] = read_ctm(subprocess.run([a.otolith, "align", "-q", *a.option, wav, text], check=True, text=True,
                                                  stdout=subprocess.PIPE).stdout)
        for t, f in matches(words, found[name]):
            errors[name.split("-")[0]].append((f[0] - t[0], f[1] - t[1]))
    for voice, e in errors.items():
        print(f"{voice:8s} {describe(e)}")
    everything = [e for voice in errors.values() for e in voice]
    print(json.dumps({"of": n_words, **describe(everything)}))


if __name__ == "__main__":
    main()
