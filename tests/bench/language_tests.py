#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What words known beforehand are worth: the tables of docs/decoding.md on hot words and on a domain.

usage: language_tests.py hot-words OTOLITH MODEL MANIFEST LM.arpa     rare words of the manifest as hot words
       language_tests.py domain OTOLITH MODEL MANIFEST TRAIN LM       Asterisk's prompts of the manifest, with their own language model

Hot words are those of four letters or more in the transcripts that the language model does not know or gives a unigram probability
below 10^-5.3. Other words: substitutions and deletions of them, and all insertions. The last row adds words of the language model as
rare as these that nobody says. The prompts' language model is of their texts in TRAIN, less those that the manifest has.
"""
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

RARE, FEWEST_LETTERS, N_OTHERS = -5.3, 4, 914


def rows(path):
    with open(path, encoding="utf8") as f:
        header = f.readline().rstrip("\n").split("\t")
        return [dict(zip(header, line.rstrip("\n").split("\t"))) for line in f]


def words(text):
    """As models/english.oto normalises: lower case, punctuation but the apostrophe out, hyphens as spaces."""
    text = unicodedata.normalize("NFC", text).lower().replace("\u2019", "'")
    text = "".join(" " if c in "-/\u2010\u2013\u2014" else c for c in text)
    return "".join(c for c in text if c.isalnum() or c in " '").split()


def align(a, b):
    """Pairs of words, None where one is missing, with the fewest errors."""
    cost = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            cost[i][j] = min(cost[i - 1][j - 1] + (x != y), cost[i - 1][j] + 1, cost[i][j - 1] + 1)
    i, j, pairs = len(a), len(b), []
    while i or j:
        if i and j and cost[i][j] == cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((a[i], b[j]))
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
            pairs.append((a[i], None))
        else:
            j -= 1
            pairs.append((None, b[j]))
    return pairs


def recognise(folder, *options):
    hyp = os.path.join(folder, "hyp")
    subprocess.run([otolith, "eval", "-q", f"--model={model}", f"--hyp={hyp}", "--jobs=2", "--resamples=0", *options], check=True,
                   stdout=subprocess.DEVNULL)
    with open(hyp, encoding="utf8") as f:
        return {key: words(text) for key, text in (line.rstrip("\n").split("\t", 1) for line in f)}


def unigrams(arpa):
    found = {}
    with open(arpa, encoding="utf8") as f:
        for line in f:
            if line.startswith("\\2-grams"):
                return found
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 1:
                found[fields[1]] = float(fields[0])


def hot_words(folder, manifest, arpa):
    known, said = unigrams(arpa), {r["id"]: words(r["text"]) for r in rows(manifest)}
    vocabulary = {w for text in said.values() for w in text}
    hot = sorted(w for w in vocabulary if len(w) >= FEWEST_LETTERS and known.get(w, -99.0) < RARE)
    others = sorted(w for w, p in known.items() if p < RARE and len(w) >= FEWEST_LETTERS and w not in vocabulary and w.isalpha())
    others = random.Random(1).sample(others, N_OTHERS)
    paths = {}
    for name, items in (("hot", hot), ("more", hot + others)):
        paths[name] = os.path.join(folder, name)
        with open(paths[name], "w", encoding="utf8") as f:
            f.write("".join(w + "\n" for w in items))
    n_hot = sum(w in hot for text in said.values() for w in text)
    n_all = sum(map(len, said.values()))
    print(f"{len(hot)} hot words, said {n_hot} times; {n_all - n_hot} other words\n")
    print("| | hot words found | errors of other words | all words | written where they were not said |\n|---|---|---|---|---|")
    runs = [("without", []), ("`--words` alone", ["--words=" + paths["hot"]])]
    runs += [(f"boost {b}", ["--hot-words=" + paths["hot"], f"--hot-word-boost={b}"]) for b in (6, 8, 10)]
    runs += [(f"boost 6, and {N_OTHERS} rare words more that nobody says", ["--hot-words=" + paths["more"], "--hot-word-boost=6"])]
    for name, options in runs:
        heard = recognise(folder, f"--manifest={manifest}", *options)
        pairs = [p for key, text in said.items() for p in align(text, heard[key])]
        found = sum(a == b and a in hot for a, b in pairs)
        wrong = [(a, b) for a, b in pairs if a != b]
        print(f"| {name} | {100 * found / n_hot:.1f} % | {100 * sum(a not in hot for a, _ in wrong) / (n_all - n_hot):.2f} % | "
              f"{100 * len(wrong) / n_all:.2f} % | {sum(b in hot for _, b in wrong)} |", flush=True)


def perplexity(lm, texts):
    out = subprocess.run([otolith, "lm", "query", lm, texts], check=True, text=True, capture_output=True)
    return " ".join(out.stderr.split("\n")).strip()


def domain(folder, manifest, train, general):
    prompts = [r for r in rows(manifest) if "asterisk" in r["path"]]
    there = {" ".join(words(r["text"])) for r in rows(manifest)}
    own = [t for r in rows(train) if "asterisk" in r["path"] for t in [" ".join(words(r["text"]))] if t not in there]
    text, lm, both, few, dev = (os.path.join(folder, n) for n in ("own.txt", "own.otolm", "both.otolm", "few.tsv", "dev.txt"))
    with open(text, "w", encoding="utf8") as f:
        f.write("".join(t + "\n" for t in own))
    with open(dev, "w", encoding="utf8") as f:
        f.write("".join(" ".join(words(r["text"])) + "\n" for r in prompts))
    with open(few, "w", encoding="utf8") as f:
        f.write("\t".join(prompts[0]) + "\n")
        for r in prompts:
            r = dict(r, path=os.path.join(os.path.abspath(os.path.dirname(manifest)), r["path"]))
            f.write("\t".join(r.values()) + "\n")
    subprocess.run([otolith, "lm", "build", "-q", "-o", lm, text], check=True)
    subprocess.run([otolith, "lm", "interpolate", "-q", "--weights=0.5,0.5", "-o", both, general, lm], check=True)
    said = {r["id"]: words(r["text"]) for r in prompts}
    n = sum(map(len, said.values()))
    print(f"{len(prompts)} prompts, {n} words; their language model: {len(own)} texts, {sum(len(t.split()) for t in own)} words\n")
    print("| language model | word errors | |\n|---|---|---|")
    for name, path in (("none", "none"), ("general", general), ("of the prompts", lm), ("both, one half each", both)):
        heard = recognise(folder, f"--manifest={few}", "--lm=" + path)
        wrong = sum(a != b for key, t in said.items() for a, b in align(t, heard[key]))
        print(f"| {name} | {100 * wrong / n:.1f} % | {perplexity(path, dev) if path != 'none' else ''} |", flush=True)


if len(sys.argv) not in (6, 7) or sys.argv[1] not in ("hot-words", "domain"):
    sys.exit(__doc__)
otolith, model = sys.argv[2:4]
with tempfile.TemporaryDirectory() as temporary:
    {"hot-words": hot_words, "domain": domain}[sys.argv[1]](temporary, *sys.argv[4:])
