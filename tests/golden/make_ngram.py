#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Vectors for language models, tests/data/ngram_*:

    cd tests/data; make=../golden/make_ngram.py
    $make text 1 150 > ngram_text.txt; $make text 2 150 oov > ngram_sentences.txt
    $make estimate ngram_text.txt 3 > ngram_kn.arpa
    $make estimate ngram_text.txt 4 0,0,1,1 > ngram_kn_pruned.arpa
    $make score ngram_kn_pruned.arpa < ngram_sentences.txt > ngram_scores.tsv

`estimate` is interpolated modified Kneser-Ney (Chen and Goodman 1998) written from the formula alone, with dictionaries
of all n-grams; the numbers at the end are counts up to which n-grams of an order are left out. `score` asks kenlm; each
line is the sum of log10 probabilities, a tab, and the length of each word's n-gram, 0 for an unknown word. `text` makes
sentences of few words, so that all of it stays small. Only `score` needs more than Python.
"""
import math
import random
import sys
from collections import Counter, defaultdict


def estimate(path, order, minimum):
    sentences = [['<s>'] + line.split() + ['</s>'] for line in open(path, encoding='utf-8') if line.split()]
    seen = [Counter() for _ in range(order + 1)]
    for s in sentences:
        for k in range(1, order + 1):
            seen[k].update(tuple(s[i:i + k]) for i in range(len(s) - k + 1))
    adjusted = [Counter() for _ in range(order + 1)]
    for k in range(1, order + 1):
        before = defaultdict(set)
        if k < order:
            for g in seen[k + 1]:
                before[g[1:]].add(g[0])
        for g, n in seen[k].items():
            adjusted[k][g] = n if k == order or g[0] == '<s>' else len(before[g])
    adjusted[1].pop(('<s>',))
    discount = [None]
    for k in range(1, order + 1):
        n = Counter(adjusted[k].values())
        ok = all(n[i] for i in (1, 2, 3, 4))
        d = [0.5, 1.0, 1.5]
        if ok:
            y = n[1] / (n[1] + 2 * n[2])
            d = [i - (i + 1) * y * n[i + 1] / n[i] for i in (1, 2, 3)]
            if any(not 0 <= d[i - 1] <= i for i in (1, 2, 3)):
                d = [0.5, 1.0, 1.5]
        discount.append(lambda a, d=d: d[min(a, 3) - 1])
    words = {g[0] for g in seen[1]} | {'<unk>'}
    uniform = 1 / (len(words) - 1)
    p, backoff = {}, {}
    for k in range(1, order + 1):
        contexts = defaultdict(list)
        for g in adjusted[k]:
            contexts[g[:-1]].append(g)
        for h, grams in contexts.items():
            total = sum(adjusted[k][g] for g in grams)
            left_out = {g for g in grams if k > 1 and seen[k][g] <= minimum[k - 1]}
            gamma = sum(adjusted[k][g] if g in left_out else discount[k](adjusted[k][g]) for g in grams) / total
            if h in p or h == ('<s>',):
                backoff[h] = gamma
            for g in grams:
                if g not in left_out:
                    lower = p[g[1:]] if k > 1 else uniform
                    p[g] = (adjusted[k][g] - discount[k](adjusted[k][g])) / total + gamma * lower
            if k == 1:
                p[('<unk>',)] = gamma * uniform
    p[('<s>',)] = 1e-99
    print('\\data\\')
    levels = [sorted(g for g in p if len(g) == k) for k in range(1, order + 1)]
    for k, grams in enumerate(levels, 1):
        print(f'ngram {k}={len(grams)}')
    for k, grams in enumerate(levels, 1):
        print(f'\n\\{k}-grams:')
        for g in grams:
            b = f'\t{math.log10(backoff[g]):.7f}' if k < order and g in backoff else ''
            print(f'{math.log10(p[g]):.7f}\t{" ".join(g)}{b}')
    print('\n\\end\\')


def text(seed, n, with_unknown):
    r = random.Random(seed)
    words = "the of and a to in he was that it his her with as had for at not on but's é 猫".split()
    follows = {w: r.sample(words, 6) for w in words}
    for _ in range(n):
        sentence, w = [], r.choice(words[:5])
        for _ in range(r.randint(0 if with_unknown else 1, 9)):
            sentence.append('zebra' if with_unknown and r.random() < 0.07 else w)
            w = r.choice(follows[w]) if r.random() < 0.7 else r.choice(words)
        print(' '.join(sentence))


def score(arpa):
    import kenlm
    model = kenlm.Model(arpa)
    for line in sys.stdin:
        line = line.rstrip('\n')
        full = list(model.full_scores(line))
        # summed here: model.score() adds in single precision
        print(f'{sum(f[0] for f in full):.6f}\t{" ".join("0" if f[2] else str(f[1]) for f in full)}')


if __name__ == '__main__':
    if sys.argv[1] == 'text':
        text(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] == ['oov'])
    elif sys.argv[1] == 'estimate':
        order = int(sys.argv[3])
        minimum = [int(x) for x in sys.argv[4].split(',')] if len(sys.argv) > 4 else [0] * order
        estimate(sys.argv[2], order, minimum)
    else:
        score(sys.argv[2])
