/* SPDX-License-Identifier: BSD-2-Clause */
/* Grammars become automata that accept exactly their sentences; faults are told with their place;
 * small files that describe vast automata are refused. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "decoder/grammar.h"
#include "grammar_cases.h"

static struct oto_alphabet *spaced, *spaceless; /* space a b c; a b c */

static int set_up(void **state)
{
    (void)state;
    static const char *const symbols[] = {" ", "a", "b", "c", "\xC3\xA9"};
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    assert_int_equal(oto_alphabet_create(&spaced, symbols, 5, &policy, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_create(&spaceless, symbols + 1, 4, &policy, NULL), OTO_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    oto_alphabet_destroy(spaced);
    oto_alphabet_destroy(spaceless);
    return 0;
}

/** Where the text leads to, or OTO_GRAMMAR_NONE; *score gets what it is worth if it ends there. */
static int32_t follow(const struct oto_grammar *g, const struct oto_alphabet *alphabet,
                      const char *text, double *score)
{
    int32_t state = OTO_GRAMMAR_START;
    *score = 0.0;
    size_t n;
    for (const char *s = text; *s; s += n) {
        const int label = oto_alphabet_find(alphabet, oto_utf8_next(s, &n));
        const struct oto_grammar_arc *arc = oto_grammar_find(g, state, label);
        if (arc == NULL)
            return OTO_GRAMMAR_NONE;
        assert_true(arc->weight <= 0.0);
        *score += arc->weight;
        state = arc->to;
    }
    *score += g->states[state].end;
    return state;
}

static bool accepts(const struct oto_grammar *g, const char *text)
{
    double score;
    const int32_t state = follow(g, spaced, text, &score);
    return state != OTO_GRAMMAR_NONE && isfinite(g->states[state].end);
}

/* ---- sentences --------------------------------------------------------------------------- */

/** Every text of up to 7 letters and spaces. */
static void equals_regular_expression(void **state)
{
    (void)state;
    static const char letters[] = " abc";
    for (int i = 0; i < N_GRAMMAR_CASES; i++) {
        struct oto_grammar *g = grammar_parse(grammar_cases[i].rules, spaced);
        regex_t regex = grammar_regex(grammar_cases[i].regex);
        int n_sentences = 0;
        for (int n = 0; n <= 7; n++) {
            for (int code = 0; code < 1 << (2 * n); code++) {
                char text[8] = "";
                for (int k = 0; k < n; k++)
                    text[k] = letters[code >> (2 * k) & 3];
                const bool neat = text[0] != ' ' && strstr(text, "  ") == NULL;
                char trimmed[8];
                strcpy(trimmed, text);
                if (n > 0 && text[n - 1] == ' ') /* one may stand behind the sentence */
                    trimmed[n - 1] = '\0';
                const bool expected = neat && grammar_matches(&regex, trimmed);
                n_sentences += expected;
                if (accepts(g, text) != expected)
                    fail_msg("%s: \"%s\": expected %d", grammar_cases[i].rules, text, expected);
            }
        }
        assert_true(n_sentences > 0);
        for (int32_t k = 0; k < g->n_arcs; k++)
            assert_true(g->arcs[k].to != OTO_GRAMMAR_START);
        regfree(&regex);
        oto_grammar_destroy(g);
    }
}

static void check_score(const char *rules, const char *text, double expected)
{
    struct oto_grammar *g = grammar_parse(rules, spaced);
    double score;
    const int32_t state = follow(g, spaced, text, &score);
    assert_true(state != OTO_GRAMMAR_NONE);
    if (!(fabs(score - expected) < 1e-5))
        fail_msg("%s: \"%s\": %.9g, expected %.9g", rules, text, score, expected);
    oto_grammar_destroy(g);
}

/** Shares of the sum in each choice; the best derivation counts; beginnings promise the best. */
static void weights(void **state)
{
    (void)state;
    static const char nested[] =
        "public <s> = /3/ a | /1/ b <x>; <x> = /1/ a | /4/ (b | c [b]) | /5/ c;";
    check_score(nested, "a", log(0.75));
    check_score(nested, "b a", log(0.25 * 0.1));
    check_score(nested, "b b", log(0.25 * 0.4));
    check_score(nested, "b c", log(0.25 * 0.5)); /* by the other way 0.4 */
    check_score(nested, "b c b", log(0.25 * 0.4));
    check_score("public <s> = (/1/ a | /3/ b)+ c;", "a b a c", 2 * log(0.25) + log(0.75));
    check_score("public <s> = a | b | c;", "b", 0.0);
    check_score("public <s> = /1/ a | /1e-9/ b;", "b", log(1e-9));
    struct oto_grammar *g = grammar_parse(nested, spaced);
    const struct oto_grammar_arc *b = oto_grammar_find(g, OTO_GRAMMAR_START, 3);
    assert_non_null(b);
    assert_true(fabs(b->weight - log(0.25 * 0.5)) < 1e-5);
    oto_grammar_destroy(g);
}

static void words_as_the_model_writes(void **state)
{
    (void)state;
    /* letter case, punctuation and composed letters follow the alphabet */
    struct oto_grammar *g = grammar_parse(
        "public <\xC3\xA4> = A-B | \"C, a!\" | ce\xCC\x81 | \"a\\\"b\" | b/c ;", spaced);
    assert_true(accepts(g, "a b"));
    assert_true(accepts(g, "c a"));
    assert_true(accepts(g, "c\xC3\xA9"));
    assert_true(accepts(g, "ab"));
    assert_true(accepts(g, "b c"));
    assert_string_equal(g->name, "g");
    oto_grammar_destroy(g);
    double score;
    g = grammar_parse("public <s> = abc | ca;", spaceless);
    assert_int_equal(g->space, -1);
    assert_true(follow(g, spaceless, "ca", &score) > 0 && score == 0.0);
    oto_grammar_destroy(g);
}

static void header_and_layout(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "#JSGF V1.0;grammar g;public<s>=a;",
        "\xEF\xBB\xBF#JSGF V1.0 UTF-8 en;\r\ngrammar a.b;\r\n\r\npublic <s>\r\n=\r\na\r\n;\r\n",
        "#JSGF V1.0 utf8;\n/* ; */ grammar g; // x\n<s> = b;\npublic <t> = a {<s> \\} ;} | <s>;",
    };
    for (size_t i = 0; i < 3; i++) {
        struct oto_grammar *g = NULL;
        oto_error err = {0};
        if (oto_grammar_parse(&g, texts[i], strlen(texts[i]), "g", spaced, &err) != OTO_OK)
            fail_msg("%s", err.message);
        assert_true(accepts(g, "a"));
        assert_int_equal(g->text_size, strlen(texts[i]));
        oto_grammar_destroy(g);
    }
}

/* ---- faults ------------------------------------------------------------------------------ */

static void check_fault_of(const struct oto_alphabet *alphabet, const char *text, size_t size,
                           oto_status expected, const char *message)
{
    struct oto_grammar *g = (void *)&g;
    oto_error err = {0};
    const oto_status status = oto_grammar_parse(&g, text, size, "g.gram", alphabet, &err);
    assert_null(g);
    if (status != expected || strstr(err.message, message) == NULL)
        fail_msg("%.200s: %d, \"%s\"; expected %d, \"%s\"", text, status, err.message, expected,
                 message);
}

static void check_fault(const char *text, oto_status expected, const char *message)
{
    check_fault_of(spaced, text, strlen(text), expected, message);
}

/** Rules in line 3. */
static void check_rules(const char *rules, oto_status expected, const char *message)
{
    char text[4000];
    snprintf(text, sizeof text, "#JSGF V1.0;\ngrammar g;\n%s\n", rules);
    check_fault(text, expected, message);
}

static void faults(void **state)
{
    (void)state;
    check_fault("", OTO_ERR_FORMAT, "g.gram:1:1: expected \"#JSGF V1.0;\"");
    check_fault("#JSGF V2.0;", OTO_ERR_FORMAT, "g.gram:1:7: found \"V2.0\", expected the version");
    check_fault("#JSGF V1.0 latin1;", OTO_ERR_UNSUPPORTED, "g.gram:1:12: another encoding");
    check_fault("#JSGF V1.0", OTO_ERR_FORMAT, "found the end, expected ';'");
    check_fault("#JSGF V1.0;\nfoo", OTO_ERR_FORMAT,
                "g.gram:2:1: found \"foo\", expected \"grammar");
    check_fault("#JSGF V1.0; grammar ;", OTO_ERR_FORMAT, "expected the grammar's name");
    check_fault("#JSGF V1.0; grammar g; /* x", OTO_ERR_FORMAT, "1:24: the comment does not end");
    check_rules("import <a.b>;", OTO_ERR_UNSUPPORTED, "g.gram:3:1: import is not read");
    check_rules("", OTO_ERR_DATA, "no rule is public");
    check_rules("<s> = a;", OTO_ERR_DATA, "no rule is public, expected one: public <s>");
    check_rules("a = b;", OTO_ERR_FORMAT,
                "3:1: found \"a\", expected 'public', the name of a rule");
    check_rules("public s = b;", OTO_ERR_FORMAT, "3:8: found \"s\", expected a rule's name");
    check_rules("public <s> b;", OTO_ERR_FORMAT, "3:12: found \"b\", expected '='");
    check_rules("public <s> = ;", OTO_ERR_FORMAT, "3:14: found ';', expected a word");
    check_rules("public <s> = a |;", OTO_ERR_FORMAT, "3:17: found ';', expected a word");
    check_rules("public <s> = (a;", OTO_ERR_FORMAT, "3:16: found ';', expected ')', '|'");
    check_rules("public <s> = [a);", OTO_ERR_FORMAT, "3:16: found ')', expected ']', '|'");
    check_rules("public <s> = a)", OTO_ERR_FORMAT, "3:15: found ')', expected ';', '|'");
    check_rules("public <s> = a", OTO_ERR_FORMAT, "4:1: found the end, expected ';'");
    check_rules("public <s> = * a;", OTO_ERR_FORMAT, "3:14: found '*', expected a word");
    check_rules("public <s> = \"a;", OTO_ERR_FORMAT, "3:14: found the end, expected a '\"'");
    check_rules("public <s> = <a;", OTO_ERR_FORMAT, "3:14: found the end, expected a '>'");
    check_rules("public <s> = a {b;", OTO_ERR_FORMAT, "3:16: found the end, expected a '}'");
    check_rules("public <s t> = a;", OTO_ERR_FORMAT, "found <s t>, expected a rule's name without");
    check_rules("public <NULL> = a;", OTO_ERR_FORMAT, "a name that has no meaning of its own");
    check_rules("public <s> = <t>;", OTO_ERR_DATA, "g.gram:3:14: there is no rule <t>");
    check_rules("public <s> = a;\n<s> = b;", OTO_ERR_DATA, "4:1: <s> is there already, in line 3");
    check_rules("public <s> = /x/ a;", OTO_ERR_FORMAT, "3:14: found /x/, expected a weight");
    check_rules("public <s> = /0/ a | /1/ b;", OTO_ERR_FORMAT, "found /0/, expected a weight");
    check_rules("public <s> = /-1/ a;", OTO_ERR_FORMAT, "found /-1/, expected a weight");
    check_rules("public <s> = /nan/ a;", OTO_ERR_FORMAT, "found /nan/, expected a weight");
    check_rules("public <s> = a | /1/ b;", OTO_ERR_FORMAT, "3:14: some of these alternatives");
    check_rules("public <s> = a /2/ b;", OTO_ERR_FORMAT, "3:16: found /2/, expected ';'");
    check_rules("public <s> = b \"ax\";", OTO_ERR_DATA,
                "3:16: \"ax\": 'x' (U+0078) is not in the model's alphabet");
    check_rules("public <s> = a ! b;", OTO_ERR_DATA, "3:16: \"!\": nothing of it is written");
    check_rules("public <s> = a <s>;", OTO_ERR_UNSUPPORTED, "3:16: <s> is part of itself");
    check_rules("public <s> = a <t>; <t> = b | <u>; <u> = [<s>];", OTO_ERR_UNSUPPORTED,
                "<s> is part of itself");
    check_rules("public <s> = a <VOID>;", OTO_ERR_DATA, "no sentence can be said");
    check_rules("public <s> = <NULL>;", OTO_ERR_DATA, "no sentence of this grammar has a word");
    static const char spaces[] = "#JSGF V1.0; grammar g; public <s> = a b;";
    check_fault_of(spaceless, spaces, strlen(spaces), OTO_ERR_DATA, "the model writes no spaces");
    check_fault_of(spaced, "#JSGF\0", 6, OTO_ERR_FORMAT, "no text file");
    check_fault("#JSGF V1.0; grammar g; public <s> = \xFF;", OTO_ERR_FORMAT, "byte 36: no UTF-8");
}

static void missing_file(void **state)
{
    (void)state;
    struct oto_grammar *g;
    oto_error err = {0};
    assert_int_equal(oto_grammar_load(&g, "no/such.gram", spaced, &err), OTO_ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "no/such.gram"));
}

/* ---- large ------------------------------------------------------------------------------- */

/** Header, then `text` n times between before and after. */
static char *repeated(const char *before, const char *text, size_t n, const char *after)
{
    static const char header[] = "#JSGF V1.0;\ngrammar g;\n";
    const size_t size = strlen(text);
    char *all = malloc(sizeof header + strlen(before) + n * size + strlen(after));
    assert_non_null(all);
    char *next = all + sprintf(all, "%s%s", header, before);
    for (size_t i = 0; i < n; i++, next += size)
        memcpy(next, text, size);
    strcpy(next, after);
    return all;
}

static void check_large(char *text, const char *message)
{
    check_fault(text, OTO_ERR_DATA, message);
    free(text);
}

static void vast_grammars(void **state)
{
    (void)state;
    check_large(repeated("public <s> = ", "(", 1000000, "a"), "too many brackets");
    check_large(repeated("public <s> = ", "[", 1000000, "a"), "too many brackets");
    char rules[4000] = "public <s> = <r0>; ", *next = rules + strlen(rules);
    for (int i = 0; i < 40; i++) /* 2^40 words */
        next += sprintf(next, "<r%d> = <r%d> <r%d>; ", i, i + 1, i + 1);
    strcpy(next, "<r40> = a;");
    check_rules(rules, OTO_ERR_DATA, "has more than 2097152 parts");
    strcpy(next, "<r40> = <NULL>;"); /* and 2^40 times nothing */
    check_rules(rules, OTO_ERR_DATA, "has more than 2097152 parts");
    strcpy(next, "<r40> = <VOID>;");
    check_rules(rules, OTO_ERR_DATA, "has more than 2097152 parts");
    check_large(repeated("public <s> = (", "a b c a b c", 200000, ");"), "more than 1048576 words");
    char *chain = malloc(200000);
    assert_non_null(chain);
    next = chain + sprintf(chain, "#JSGF V1.0; grammar g; public <s> = <r0>;");
    for (int i = 0; i < 6000; i++)
        next += sprintf(next, "<r%d> = <r%d>;", i, i + 1);
    strcpy(next, "<r6000> = a;");
    check_large(chain, "too many rules and brackets in one another");
    /* the word 20 before the last: 2^20 states when deterministic */
    check_large(repeated("public <s> = (a | b)* a", " (a | b)", 20, ";"), "the automaton of this");
    /* the same letter costs differently in two loops, for ever */
    check_rules("public <s> = (/9/ a | /1/ b)* b | (/1/ a | /9/ c)* c;", OTO_ERR_DATA,
                "the automaton of this grammar has more than");
}

static void long_grammars(void **state)
{
    (void)state;
    char *text = repeated("public <s> = a", "*+", 500000, ";"); /* one repetition */
    struct oto_grammar *g = NULL;
    assert_int_equal(oto_grammar_parse(&g, text, strlen(text), "g", spaced, NULL), OTO_OK);
    assert_true(accepts(g, "a a a"));
    oto_grammar_destroy(g);
    free(text);
    text = repeated("public <s> = (a", " | abcab", 50000, " | c)+;"); /* each behind each */
    assert_int_equal(oto_grammar_parse(&g, text, strlen(text), "g", spaced, NULL), OTO_OK);
    assert_true(accepts(g, "abcab c a"));
    assert_in_range(g->n_states, 6, 12);
    oto_grammar_destroy(g);
    free(text);
}

static void failing_memory(void **state)
{
    (void)state;
    static const char text[] = "#JSGF V1.0;\ngrammar g;\n"
                               "public <s> = (/1/ a <t> | /2/ \"b c\")*; <t> = [c] ab+;";
    for (size_t nth = 1;; nth++) {
        struct oto_grammar *g = (void *)&g;
        oto_error err = {0};
        oto_mem_fail_nth(nth);
        const oto_status status = oto_grammar_parse(&g, text, sizeof text - 1, "g", spaced, &err);
        oto_mem_fail_nth(0);
        assert_int_equal(status == OTO_OK, g != NULL);
        oto_grammar_destroy(g);
        if (status == OTO_OK) {
            assert_true(nth > 25);
            break;
        }
        assert_int_equal(status, OTO_ERR_MEMORY);
        assert_true(err.message[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_regular_expression),
        cmocka_unit_test(weights),
        cmocka_unit_test(words_as_the_model_writes),
        cmocka_unit_test(header_and_layout),
        cmocka_unit_test(faults),
        cmocka_unit_test(missing_file),
        cmocka_unit_test(vast_grammars),
        cmocka_unit_test(long_grammars),
        cmocka_unit_test(failing_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
