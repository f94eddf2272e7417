#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cut single words out of recorded sentences, as a labelled corpus of isolated words by real speakers.

    pip install numpy soundfile pocketsphinx
    python3 models/recipes/cut_words.py --words="zero one two three" --out=DIR MANIFEST.tsv...
    python3 models/recipes/cut_words.py --most=40 --out=DIR MANIFEST.tsv...

Where the words stand is found by aligning the transcript to the audio with PocketSphinx and the US English model inside its package. Words shorter than --shortest or
longer than 1.2 s are left out, and so are sentences with words that its dictionary lacks or that cannot be aligned. Writes FLAC at 16 kHz and DIR/manifest.tsv.
"""
import argparse
import collections
import os
import random
import re
import sys

import numpy as np
import soundfile as sf
from pocketsphinx import Decoder

RATE, FRAME = 16000, 160


def read_manifest(path):
    with open(path, encoding="utf8") as f:
        header = f.readline().rstrip("\n").split("\t")
        for line in f:
            row = dict(zip(header, line.rstrip("\n").split("\t")))
            row["path"] = os.path.join(os.path.dirname(path), row["path"])
            yield row


def align(decoder, x, words):
    """[(word, first sample, last sample)] with the silences, "<sil>", or nothing when a word is unknown or there is no alignment."""
    if any(decoder.lookup_word(w) is None for w in words):
        return []
    try:
        decoder.set_align_text(" ".join(words))
        decoder.start_utt()
        decoder.process_raw((x * 32767).astype(np.int16).tobytes(), full_utt=True)
        decoder.end_utt()
    except RuntimeError:
        return []
    return [(re.sub(r"\(\d+\)$", "", s.word), s.start_frame * FRAME, (s.end_frame + 1) * FRAME) for s in decoder.seg() or []]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", default="", help="the words, separated by blanks; left out: all words")
    parser.add_argument("--most", type=int, default=1000000, help="most recordings of one word")
    parser.add_argument("--shortest", type=float, default=0.1, help="leave out what is shorter, in seconds")
    parser.add_argument("--match", default="", help="only recordings with this in their path")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("manifests", nargs="+", metavar="MANIFEST.tsv")
    args = parser.parse_args()
    wanted = set(args.words.split())
    decoder = Decoder(lm=None, loglevel="FATAL")
    draw = random.Random(args.seed)
    n_sentences = n_aligned = 0
    n_written = collections.Counter()

    def wanted_now(word):
        return (word in wanted or not wanted and word[0] not in "<[") and n_written[word] < args.most

    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.out, "manifest.tsv"), "w", encoding="utf8") as manifest:
        manifest.write("id\tpath\tseconds\tspeaker\ttext\n")
        for row in (r for path in args.manifests for r in read_manifest(path)):
            words = re.findall(r"[a-z']+", row["text"].lower())
            if args.match not in row["path"] or not any(wanted_now(word) for word in words):
                continue
            x, rate = sf.read(row["path"], dtype="float32")
            if rate != RATE or x.ndim != 1:
                sys.exit(f"{row['path']}: {rate} Hz, {x.ndim} dimensions; expected one channel at {RATE} Hz")
            segments = align(decoder, x, words)
            n_sentences += 1
            n_aligned += bool(segments)
            for k, (word, first, last) in enumerate(segments):
                if not wanted_now(word) or not args.shortest * RATE < last - first < 1.2 * RATE:
                    continue
                y = x[max(0, first - int(draw.uniform(0, 0.03) * RATE)):last + int(draw.uniform(0, 0.04) * RATE)]
                name = f"{row['id']}-{k}"
                os.makedirs(os.path.join(args.out, row["speaker"]), exist_ok=True)
                sf.write(os.path.join(args.out, row["speaker"], name + ".flac"), y, RATE, subtype="PCM_16")
                manifest.write(f"{name}\t{row['speaker']}/{name}.flac\t{len(y) / RATE:.3f}\t{row['speaker']}\t{word}\n")
                n_written[word] += 1
    print(f"{sum(n_written.values())} words from {n_aligned} of {n_sentences} sentences", file=sys.stderr)


if __name__ == "__main__":
    main()
