/* SPDX-License-Identifier: BSD-2-Clause */
/* Lexicons, files of more words and of hot words, in alphabets with and without a space; what is
 * read must be sound, and is searched with. */
#include "fuzz.h"

#include <math.h>

#include "base/mem.h"
#include "decoder/beam.h"

enum { N_SYMBOLS = 29, MAX_K = N_SYMBOLS + 1, T = 12 };

/* Sorted, none twice, and within the bounds. */
static void check(const struct oto_word_list *list, const struct oto_word_list_rules *rules)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct oto_word_list_item *x = &list->items[i];
        if (x->text[0] == 0 || !(x->value >= rules->least && x->value <= rules->most) ||
            (i > 0 && strcmp(x[-1].text, x->text) >= 0) ||
            (!rules->phrases && strchr(x->text, ' ') != NULL))
            abort();
    }
}

static void search(const struct oto_language_parts *parts, const struct oto_alphabet *a)
{
    static const struct oto_beam_options options = {8, 0, -(double)INFINITY, 0.0, 0.0};
    static const struct oto_language_options weights = {0.5, 1.5, -2.0, 0.0};
    struct oto_language *language = NULL;
    struct oto_beam *beam = NULL;
    const struct oto_hypothesis *hyps;
    int n = 0;
    float log_probs[T * MAX_K];
    for (int i = 0; i < T * a->n_symbols; i++)
        log_probs[i] = -1.0f - 0.1f * (float)(i % 23);
    if (oto_language_create_from(&language, parts, a, &weights, NULL) != OTO_OK ||
        oto_beam_create(&beam, a->n_symbols, &options, NULL) != OTO_OK ||
        oto_beam_set_language(beam, language, NULL) != OTO_OK ||
        oto_beam_push(beam, log_probs, T, NULL) != OTO_OK ||
        oto_beam_n_best(beam, 8, &hyps, &n, NULL) != OTO_OK || n < 1 || isnan(hyps[0].log_prob))
        abort();
    oto_beam_destroy(beam);
    oto_language_destroy(language);
}

/* As a lexicon, which the words and phrases may then go with. */
static void read_lexicon(const uint8_t *data, size_t size, const struct oto_word_list *words,
                         const struct oto_boost *boost, const struct oto_alphabet *a)
{
    struct oto_lexicon *lexicon = NULL;
    oto_error err = {OTO_OK, ""};
    const oto_status status = oto_lexicon_parse(&lexicon, data, size, "fuzz", a, &err);
    if ((status == OTO_OK) != (lexicon != NULL) || (status != OTO_OK && err.message[0] == 0))
        abort();
    const struct oto_language_parts parts = {.lexicon = lexicon, .boost = boost, .words = words};
    if (lexicon != NULL || words->n > 0)
        search(&parts, a);
    oto_lexicon_destroy(lexicon);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    static const char *const symbols[N_SYMBOLS] = {
        " ", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",        "n",
        "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "'", "\xC3\xA9",
    };
    static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    char path[64];
    fuzz_file(path, data, size);
    for (int k = 0; k < 2; k++) {
        struct oto_alphabet *a = NULL;
        struct oto_boost *boost = NULL;
        struct oto_word_list lists[2] = {{0}}; /* words, phrases */
        if (oto_alphabet_create(&a, symbols + k, N_SYMBOLS - k, &policy, NULL) != OTO_OK)
            abort();
        for (int phrases = 0; phrases < 2; phrases++) {
            const struct oto_word_list_rules rules = {a, phrases != 0, -9.0, -100.0, 100.0};
            oto_error err = {OTO_OK, ""};
            const oto_status status = oto_word_list_load(&lists[phrases], path, &rules, &err);
            if (status != OTO_OK && err.message[0] == 0)
                abort();
            oto_word_list_sort(&lists[phrases]);
            check(&lists[phrases], &rules);
        }
        if (lists[1].n > 0 && oto_boost_create(&boost, &lists[1], a, NULL) != OTO_OK)
            abort();
        read_lexicon(data, size, &lists[0], boost, a);
        oto_boost_destroy(boost);
        oto_word_list_clear(&lists[0]);
        oto_word_list_clear(&lists[1]);
        oto_alphabet_destroy(a);
    }
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "word_list", 500);
}
#endif
