#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A 1-gram language model (ARPA) of the words that people use today, to be mixed into one of old books.

    pip install wordfreq
    python3 models/recipes/word_frequencies.py --words=40000 >today.arpa
    otolith lm interpolate --weights=0.97,0.03 -o mixed.otolm books.otolm today.arpa

The frequencies are those of wordfreq (R. Speer, CC BY-SA 4.0; its README names the sources to credit: Wikipedia, OpenSubtitles, SUBTLEX, Google Books and others). Words of
letters and inner apostrophes alone, the most frequent first, equals by their letters.
"""
import argparse
import math
import re

import wordfreq

SENTENCE_END, UNKNOWN = 1 / 12, 0.001  # shares of the end of a sentence and of all other words


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", default="en")
    parser.add_argument("--words", type=int, default=40000, help="so many at most")
    args = parser.parse_args()
    plain = re.compile(r"[^\W\d_]+('[^\W\d_]+)*")
    found = {}
    for word, frequency in wordfreq.get_frequency_dict(args.language, wordlist="large").items():
        word = word.replace("\u2019", "'")
        if plain.fullmatch(word) and (args.language != "en" or word.isascii()):
            found[word] = found.get(word, 0) + frequency
    words = sorted(found, key=lambda word: (-found[word], word))[:args.words]
    share = (1 - SENTENCE_END - UNKNOWN) / sum(found[word] for word in words)
    print(f"\\data\\\nngram 1={len(words) + 3}\n\n\\1-grams:\n-99\t<s>")
    print(f"{math.log10(SENTENCE_END):.6f}\t</s>\n{math.log10(UNKNOWN):.6f}\t<unk>")
    for word in words:
        print(f"{math.log10(share * found[word]):.6f}\t{word}")
    print("\n\\end\\")


if __name__ == "__main__":
    main()
