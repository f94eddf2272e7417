#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Our beam search with a word 3-gram beside others', on the same log-probabilities and the same ARPA file, one thread: word errors and
processor time an utterance, as a table.

usage: compare_beam_lm.py BUILD DATA.f32 TEXTS LM.arpa [--max=100] [--lm-weight=0.7] [--word-bonus=1] [--unknown-weight=-5]
       DATA.f32 and TEXTS are of bench_posteriors; needs numpy, jiwer, kenlm, pyctcdecode, ctc-beam-decoder, flashlight-text

Beam 100 for all, alpha and beta on natural logs the same for all; what is pruned besides is each one's default, or for flashlight ours
(40 symbols, 20 below the best); its words are spelled with the space behind them, as usual. With --made-up DATA.f32 is an .npy file [utterances, frames, 29] with the columns blank, space, a to
z, apostrophe, and TEXTS a list in JSON.
"""
import argparse
import json
import logging
import os
import string
import struct
import subprocess
import tempfile
import time

os.environ["OMP_NUM_THREADS"] = "1"
import jiwer  # noqa: E402
import numpy as np  # noqa: E402

OURS = ["", " ", "'"] + list(string.ascii_lowercase)  # columns of our matrices
BEAM = 100

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("data")
parser.add_argument("texts")
parser.add_argument("arpa")
parser.add_argument("--max", type=int, default=100)
parser.add_argument("--lm-weight", type=float, default=0.7)
parser.add_argument("--word-bonus", type=float, default=1.0)
parser.add_argument("--unknown-weight", type=float, default=-5.0)
parser.add_argument("--skip-slow", action="store_true", help="leave pyctcdecode out")
parser.add_argument("--made-up", action="store_true")
args = parser.parse_args()
logging.disable(logging.WARNING)


def read():
    if args.made_up:
        columns = [0, 1, 28] + list(range(2, 28))
        return list(np.load(args.data)[: args.max][:, :, columns]), json.load(open(args.texts))[: args.max]
    matrices, texts = [], open(args.texts).read().splitlines()[: args.max]
    with open(args.data, "rb") as f:
        for _ in texts:
            (n,) = struct.unpack("<I", f.read(4))
            matrices.append(np.frombuffer(f.read(4 * n * len(OURS)), "<f4").reshape(n, len(OURS)))
    return matrices, texts


matrices, texts = read()
frames = sum(len(m) for m in matrices)
unigrams = []
with open(args.arpa) as f:
    for line in f:
        if line.startswith("\\2-grams"):
            break
        fields = line.rstrip("\n").split("\t")
        if len(fields) >= 2 and not fields[1].startswith("<") and set(fields[1]) <= set(OURS):
            unigrams.append(fields[1])


def report(name, seconds, hyps):
    print(f"| {name} | {100 * jiwer.wer(texts, hyps):.2f} % | {1e3 * seconds / len(texts):.2f} ms | {5e5 * seconds / frames:.1f} ms |",
          flush=True)


def ours(name, *options):
    with tempfile.NamedTemporaryFile(suffix=".f32") as f:
        for m in matrices:
            f.write(struct.pack("<I", len(m)) + np.ascontiguousarray(m, "<f4").tobytes())
        f.flush()
        command = [f"{args.build}/tests/bench_beam", f.name, *[x for x in options if not x.startswith("--")], "--lengths=1",
                   f"--utterances={len(matrices)}", f"--frames={max(map(len, matrices))}", f"--beam={BEAM}", "--labels=1",
                   f"--lm-weight={round(100 * args.lm_weight)}", f"--word-bonus={round(100 * args.word_bonus)}",
                   f"--unknown-weight={round(100 * args.unknown_weight)}", *[x for x in options if x.startswith("--")]]
        lines = [json.loads(x) for x in subprocess.check_output(command, text=True).splitlines()]
    hyps = [" ".join("".join(OURS[k] for k in x["labels"]).split()) for x in lines[:-1]]
    report(name, 1e-3 * lines[-1]["cpu_ms"] * len(matrices), hyps)


def peer(name, decode):
    decode(matrices[0])  # warms up
    start = time.process_time()
    hyps = [decode(m) for m in matrices]
    report(name, time.process_time() - start, hyps)


def greedy(m):
    best = m.argmax(1)
    return " ".join("".join(OURS[k] for i, k in enumerate(best) if k and (i == 0 or best[i - 1] != k)).split())


def flashlight():
    from flashlight.lib.text.decoder import CriterionType, LexiconDecoder, LexiconDecoderOptions, SmearingMode, Trie
    from flashlight.lib.text.decoder.kenlm import KenLM
    from flashlight.lib.text.dictionary import Dictionary

    words = Dictionary()
    for word in unigrams + ["<unk>"]:
        words.add_entry(word)
    words.set_default_index(words.get_index("<unk>"))
    lm = KenLM(args.arpa, words)
    trie, start = Trie(len(OURS), 1), lm.start(False)
    for word in unigrams:
        index = words.get_index(word)
        trie.insert([OURS.index(c) for c in word + " "], index, lm.score(start, index)[1])
    trie.smear(SmearingMode.MAX)
    options = LexiconDecoderOptions(beam_size=BEAM, beam_size_token=40, beam_threshold=20.0,
                                    lm_weight=args.lm_weight * np.log(10.0), word_score=args.word_bonus, unk_score=-np.inf,
                                    sil_score=0.0, log_add=True, criterion_type=CriterionType.CTC)
    decoder = LexiconDecoder(options, trie, lm, 1, 0, words.get_index("<unk>"), [], False)

    def decode(m):
        m = np.ascontiguousarray(m, np.float32)
        best = decoder.decode(m.ctypes.data, len(m), len(OURS))[0]
        return " ".join(words.get_entry(w) for w in best.words if w >= 0)

    return decode


print(f"{len(texts)} utterances, {frames} frames\n\n| | word errors | an utterance | 500 frames |\n|---|---|---|---|")
peer("greedy (numpy)", greedy)
ours("ours, no language model")
ours("ours, 3-gram, any word", args.arpa)
ours("ours, 3-gram, its words", args.arpa, "--lexicon=1")
import ctc_beam_decoder  # noqa: E402

unknown = dict(unk_score_offset=-10.0)
decoder = ctc_beam_decoder.build_ctcdecoder(OURS)
peer("ctc-beam-decoder, no language model", lambda m: decoder.decode(m, beam_width=BEAM))
decoder = ctc_beam_decoder.build_ctcdecoder(OURS, args.arpa, unigrams, alpha=args.lm_weight, beta=args.word_bonus, **unknown)
peer("ctc-beam-decoder, 3-gram", lambda m: decoder.decode(m, beam_width=BEAM))
peer("flashlight-text, 3-gram, its words", flashlight())
if not args.skip_slow:
    from pyctcdecode import build_ctcdecoder

    slow = build_ctcdecoder(OURS)
    peer("pyctcdecode, no language model", lambda m: slow.decode(m, beam_width=BEAM))
    slow = build_ctcdecoder(OURS, args.arpa, unigrams, alpha=args.lm_weight, beta=args.word_bonus, **unknown)
    peer("pyctcdecode, 3-gram", lambda m: slow.decode(m, beam_width=BEAM))
