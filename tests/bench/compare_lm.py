#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Scores of a language model by us and by kenlm in one run, one thread; prints JSON lines with million words a second.

usage: compare_lm.py BUILD TEXT NAME.arpa FLOATS.otolm [8BITS.otolm...]      needs kenlm

TEXT has one sentence a line, words with single spaces between. kenlm is asked for one sentence a call (model.score), which
costs it little beside the look-ups; both start from text, look each word up and score it. "ids" is ours without looking
words up. The first binary is the ARPA file with --bits=0: its total is checked against kenlm's.
"""
import json
import subprocess
import sys
import time

import kenlm


def ours(build, model, text, lookup):
    command = [f'{build}/tests/bench_lm', model, text, f'--lookup={lookup}', '--reps=3']
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def main():
    build, text, models = sys.argv[1], sys.argv[2], sys.argv[4:]
    sentences = open(text, encoding='utf-8').read().splitlines()
    model = kenlm.Model(sys.argv[3])
    n = sum(len(s.split()) + 1 for s in sentences)
    times = {}
    for _ in range(3):
        start = time.process_time()
        total = sum(model.score(s) for s in sentences)
        times.setdefault('kenlm', []).append(time.process_time() - start)
        for path in models:
            for lookup in (1, 0):
                r = ours(build, path, text, lookup)
                assert r['words'] == n, (r['words'], n)
                times.setdefault(f'otolith {path.split("/")[-1]}' + ('' if lookup else ' ids'), []).append(r['cpu_ms'] / 1e3)
                if path == models[0]:
                    assert abs(r['log10_p'] - total) < 1e-6 * abs(total), (r['log10_p'], total)
    for name, seconds in times.items():
        best = sorted(seconds)[len(seconds) // 2]
        print(json.dumps({'engine': name, 'words': n, 'million_words_per_s': round(n / best / 1e6, 2)}))


main()
