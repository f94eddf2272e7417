/* SPDX-License-Identifier: BSD-2-Clause */
/* Grammars, in alphabets with and without a space; what is read must be sound, and is searched
 * with. */
#include "fuzz.h"

#include <math.h>

#include "base/mem.h"
#include "decoder/beam.h"
#include "decoder/sentence.h"

enum { MAX_K = 32, T = 12 };

/* Arcs lead to states, by labels that rise, and do not raise what a text is worth. */
static void check(const struct oto_grammar *g)
{
    for (int32_t q = 0; q < g->n_states; q++) {
        const struct oto_grammar_state *s = &g->states[q];
        if (s->first_arc < 0 || s->n_arcs < 0 || s->n_arcs > g->n_arcs - s->first_arc ||
            isnan(s->end) || s->end > 0)
            abort();
        if (s->n_arcs == 0 && !oto_grammar_is_complete(g, q))
            abort(); /* a dead end */
        for (int32_t i = s->first_arc; i < s->first_arc + s->n_arcs; i++) {
            const struct oto_grammar_arc *a = &g->arcs[i];
            if (a->label <= 0 || a->to <= OTO_GRAMMAR_START || a->to >= g->n_states ||
                !(a->weight <= 0) || !isfinite(a->weight) ||
                (i > s->first_arc && a->label <= a[-1].label))
                abort();
        }
    }
}

static void check_sentence(const struct oto_grammar *g, const struct oto_hypothesis *h)
{
    int32_t state = OTO_GRAMMAR_START;
    for (int i = 0; i < h->n_labels; i++) {
        const struct oto_grammar_arc *a = oto_grammar_find(g, state, h->labels[i]);
        if (a == NULL)
            abort();
        state = a->to;
    }
    if (!oto_grammar_is_complete(g, state))
        abort();
}

static void search_all(const struct oto_grammar *g, const float *log_probs, int n_symbols)
{
    struct oto_sentence_search *search = NULL;
    struct oto_hypothesis h;
    if (oto_sentence_search_create(&search, g, n_symbols, NULL) != OTO_OK ||
        oto_sentence_search_run(search, &h, log_probs, T, NULL) != OTO_OK || isnan(h.log_prob))
        abort();
    check_sentence(g, &h);
    oto_sentence_search_destroy(search);
}

/* Every text that comes out leads to the end of a sentence. */
static void search(const struct oto_grammar *g, int n_symbols)
{
    static const struct oto_beam_options options = {8, 0, -(double)INFINITY, 0.0, 0.0};
    struct oto_language *language = NULL;
    struct oto_beam *beam = NULL;
    const struct oto_hypothesis *hyps;
    int n = 0;
    float log_probs[T * MAX_K];
    for (int t = 0; t < T; t++)
        for (int k = 0; k < n_symbols; k++)
            log_probs[t * n_symbols + k] = -1.0f - 0.1f * (float)((k + 5 * t) % 23);
    if (oto_language_create_of_grammar(&language, g, NULL) != OTO_OK ||
        oto_beam_create(&beam, n_symbols, &options, NULL) != OTO_OK ||
        oto_beam_set_language(beam, language, NULL) != OTO_OK ||
        oto_beam_push(beam, log_probs, T, NULL) != OTO_OK ||
        oto_beam_n_best(beam, 8, &hyps, &n, NULL) != OTO_OK || n < 1)
        abort();
    for (int j = 0; j < n; j++)
        check_sentence(g, &hyps[j]);
    search_all(g, log_probs, n_symbols);
    oto_beam_destroy(beam);
    oto_language_destroy(language);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    static const char *const symbols[] = {
        " ", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m",        "n",
        "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "'", "\xC3\xA9",
    };
    enum { N = sizeof symbols / sizeof *symbols };
    for (int k = 0; k < 2; k++) {
        static const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
        struct oto_alphabet *a = NULL;
        struct oto_grammar *g = NULL;
        oto_error err = {OTO_OK, ""};
        if (oto_alphabet_create(&a, symbols + k, N - k, &policy, NULL) != OTO_OK)
            abort();
        const oto_status status = oto_grammar_parse(&g, data, size, "fuzz", a, &err);
        if ((status == OTO_OK) != (g != NULL) || (status != OTO_OK && err.message[0] == 0))
            abort();
        if (g != NULL) {
            check(g);
            search(g, a->n_symbols);
        }
        oto_grammar_destroy(g);
        oto_alphabet_destroy(a);
    }
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "grammar", 500);
}
#endif
