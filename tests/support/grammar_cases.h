/* SPDX-License-Identifier: BSD-2-Clause */
/** Small grammars, each beside the same set of sentences as a POSIX regular expression: every word
 * of a text has a space behind it there. */
#ifndef OTO_TESTS_GRAMMAR_CASES_H
#define OTO_TESTS_GRAMMAR_CASES_H

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "decoder/grammar.h"
#include "unit.h"

struct grammar_case {
    const char *rules, *regex;
};

static const struct grammar_case grammar_cases[] = {
    {"public <s> = a;", "a "},
    {"public <s> = a b;", "a b "},
    {"public <s> = a | b a | ab;", "a |b a |ab "},
    {"public <s> = [a] b;", "(a )?b "},
    {"public <s> = a* b;", "(a )*b "},
    {"public <s> = (a | b)+;", "(a |b )+"},
    {"public <s> = (a b)* ab [a];", "(a b )*ab (a )?"},
    {"public <s> = ((((a | b)*)*)*)+;", "(a |b )*"},
    {"public <s> = <x> <x>; <x> = a | <y>; <y> = b b* {tag};", "(a |b (b )*)(a |b (b )*)"},
    {"public <s> = a; public <t> = b a; <u> = c;", "a |b a "},
    {"public <s> = a <VOID> | b <NULL> | (c <NULL>)*;", "b |(c )*"},
    {"public <s> = (a a)*;", "(a a )*"},
    {"public <s> = \"a b\" | \"c\" a // comment | b\n /* | c */ ;", "a b |c a "},
    {"public <s> = (a* b*)* c;", "(a |b )*c "},
    {"public <s> = [[a] [b]] aa+;", "(a )?(b )?(aa )+"},
    {"public <s> = a (ab | a) b | a a c;", "a (ab |a )b |a a c "},
};
enum { N_GRAMMAR_CASES = sizeof grammar_cases / sizeof *grammar_cases };

static inline struct oto_grammar *grammar_parse(const char *rules,
                                                const struct oto_alphabet *alphabet)
{
    char text[2000];
    oto_error err = {0};
    struct oto_grammar *g = NULL;
    snprintf(text, sizeof text, "#JSGF V1.0;\ngrammar g;\n%s\n", rules);
    if (oto_grammar_parse(&g, text, strlen(text), "g.gram", alphabet, &err) != OTO_OK)
        fail_msg("%s: %s", rules, err.message);
    return g;
}

static inline regex_t grammar_regex(const char *regex)
{
    char whole[300];
    regex_t compiled;
    snprintf(whole, sizeof whole, "^(%s)$", regex);
    assert_int_equal(regcomp(&compiled, whole, REG_EXTENDED | REG_NOSUB), 0);
    return compiled;
}

/** Whether a text, single spaces between its words and none at its ends, is a sentence. */
static inline bool grammar_matches(const regex_t *regex, const char *text)
{
    char spaced[1000];
    snprintf(spaced, sizeof spaced, "%s%s", text, *text ? " " : "");
    return regexec(regex, spaced, 0, NULL, 0) == 0;
}

#endif
