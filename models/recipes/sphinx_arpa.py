#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Write the 3-gram of PocketSphinx's English model as ARPA, to be mixed into one of old books: it knows how people speak and write today.

    apt-get install -y --no-install-recommends pocketsphinx-en-us
    pip install numpy
    python3 models/recipes/sphinx_arpa.py --words=words.txt >sphinx.arpa

The model (Carnegie Mellon University and Alpha Cephei, BSD licence) is /usr/share/pocketsphinx/model/en-us/en-us.lm.bin of that Debian package: 72,547 words, 2,051,541 2-grams and
1,669,625 3-grams. Programs of PocketSphinx stop half way when they are to write it as text. The file is a trie of n-grams from the last word to the first, in bit fields:
the words "Trie Language Model", order (1 byte), counts (4 bytes each), 4 bytes, tables of 65,536 floats (2-grams: probabilities, back-offs; 3-grams: probabilities), for each
word and one more its probability, back-off and the number of the first 2-gram that ends with it, then fields of 2-grams (word before, back-off, probability, number of
the first 3-gram that ends with it) and of 3-grams (first word, probability), and the words. Logarithms are to the base 1.0001.
"""
import argparse
import re
import struct
import sys

import numpy as np

MAGIC = b"Trie Language Model"
TABLE = 1 << 16
TO_LOG10 = np.float32(np.log10(1.0001))


def bit_field(data, first_bit, n_bits, step, n):
    """n numbers of n_bits each, every step bits from first_bit on."""
    at = first_bit + step * np.arange(n, dtype=np.int64)
    value = np.zeros(n, np.uint64)
    for k in range(6):
        value |= data[np.minimum((at >> 3) + k, len(data) - 1)].astype(np.uint64) << np.uint64(8 * k)
    return ((value >> (at & 7).astype(np.uint64)) & np.uint64((1 << n_bits) - 1)).astype(np.int64)


def read_trie(path):
    """(words, 1-grams, 2-grams, 3-grams): columns of log10 of probabilities and back-offs, and numbers of words from first to last."""
    with open(path, "rb") as f:
        data = f.read()
    if not data.startswith(MAGIC) or data[len(MAGIC)] != 3:
        sys.exit(f"{path}: not a trie of 3-grams as PocketSphinx writes it")
    n1, n2, n3 = struct.unpack_from("<3I", data, len(MAGIC) + 1)
    at = len(MAGIC) + 1 + 12 + 4
    tables = np.frombuffer(data, "<f4", 3 * TABLE, at).reshape(3, TABLE) * TO_LOG10
    at += tables.nbytes
    ones = np.frombuffer(data, [("p", "<f4"), ("bow", "<f4"), ("first", "<u4")], n1 + 1, at)
    at += ones.nbytes
    word_bits, next_bits = n1.bit_length(), n3.bit_length()
    step2, step3 = word_bits + 32 + next_bits, word_bits + 16
    size2, size3 = ((1 + n2) * step2 + 7) // 8 + 8, ((1 + n3) * step3 + 7) // 8 + 8
    twos, threes = np.frombuffer(data, np.uint8, size2, at), np.frombuffer(data, np.uint8, size3, at + size2)
    words = data[at + size2 + size3 + 4:].split(b"\0")[:n1]
    n2 = int(ones["first"][-1])  # a few fewer than the file says
    before, back_off, p2 = (bit_field(twos, first, bits, step2, n2) for first, bits in ((0, word_bits), (word_bits, 16), (word_bits + 16, 16)))
    first3 = bit_field(twos, word_bits + 32, next_bits, step2, n2 + 1)
    last = np.repeat(np.arange(n1), np.diff(ones["first"].astype(np.int64)))
    of2 = np.repeat(np.arange(n2), np.diff(first3))
    n3 = len(of2)
    first_word, p3 = (bit_field(threes, first, bits, step3, n3) for first, bits in ((0, word_bits), (word_bits, 16)))
    return ([w.decode("latin-1") for w in words], (ones["p"][:-1] * TO_LOG10, ones["bow"][:-1] * TO_LOG10), (tables[0][p2], tables[1][back_off], before, last),
            (tables[2][p3], first_word, before[of2], last[of2]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="/usr/share/pocketsphinx/model/en-us/en-us.lm.bin")
    parser.add_argument("--words", help="a file of words, one a line: n-grams with others are left out")
    args = parser.parse_args()
    words, (p1, bow1), (p2, bow2, a2, b2), (p3, a3, b3, c3) = read_trie(args.model)
    plain = re.compile(r"<s>|</s>|<unk>|[a-z']*[a-z][a-z']*")
    wanted = None
    if args.words:
        with open(args.words, encoding="utf8") as f:
            wanted = set(f.read().split()) | {"<s>", "</s>", "<unk>"}
    kept = np.array([bool(plain.fullmatch(w)) and (wanted is None or w in wanted) for w in words])
    k1, k2, k3 = np.flatnonzero(kept), np.flatnonzero(kept[a2] & kept[b2]), np.flatnonzero(kept[a3] & kept[b3] & kept[c3])
    print(f"\\data\\\nngram 1={len(k1)}\nngram 2={len(k2)}\nngram 3={len(k3)}\n\n\\1-grams:")
    for i in k1:
        print(f"{p1[i]:.4f}\t{words[i]}\t{bow1[i] + 0.0:.4f}")
    print("\n\\2-grams:")
    for i in k2:
        print(f"{p2[i]:.4f}\t{words[a2[i]]} {words[b2[i]]}\t{bow2[i] + 0.0:.4f}")
    print("\n\\3-grams:")
    for i in k3:
        print(f"{p3[i]:.4f}\t{words[a3[i]]} {words[b3[i]]} {words[c3[i]]}")
    print("\n\\end\\")


if __name__ == "__main__":
    main()
