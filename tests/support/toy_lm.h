/* SPDX-License-Identifier: BSD-2-Clause */
/** A language model small enough to work out by hand. */
#ifndef OTO_TESTS_TOY_LM_H
#define OTO_TESTS_TOY_LM_H

/** "b c" is missing although "a b c" is there; "c a" although "c a b" is. */
static const char toy_arpa[] = "\\data\\\n"
                               "ngram 1=6\n"
                               "ngram 2=5\n"
                               "ngram 3=3\n"
                               "\n"
                               "\\1-grams:\n"
                               "-99\t<s>\t-0.5\n"
                               "-0.9\t</s>\n"
                               "-1.5\t<unk>\t-0.25\n"
                               "-0.7\ta\t-0.3\n"
                               "-0.8\tb\t-0.4\n"
                               "-1.1\tc\t-0.2\n"
                               "\n"
                               "\\2-grams:\n"
                               "-0.4\t<s> a\t-0.1\n"
                               "-0.3\ta b\t-0.6\n"
                               "-0.6\tb </s>\n"
                               "-0.65\tb a\t-0.15\n"
                               "-0.5\t<unk> a\t-0.05\n"
                               "\n"
                               "\\3-grams:\n"
                               "-0.2\t<s> a b\n"
                               "-0.25\ta b c\n"
                               "-0.35\tc a b\n"
                               "\n"
                               "\\end\\\n";

#endif
