/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The word network in float against PyTorch in float64 (make_word_network.py): log-probabilities
 * and the gradients of all parameters, with every instruction set of this machine. Tolerance 1e-5
 * of the largest number of each tensor, and at least 1e-5.
 */
#include "acoustic/word_batch.h"
#include "base/mem.h"
#include "golden_floats.h"

enum { SEED_PARAMS = 1, SEED_WORDS = 2, UTTS_MAX = 8, CLASSES_MAX = 8, WORDS_MAX = 64 };

struct golden {
    struct oto_word_shape shape;
    int class_first[CLASSES_MAX + 1], words[WORDS_MAX], n_utts;
    struct oto_word_sentence sentences[UTTS_MAX];
    size_t n_params, n_rows;
    float *log_probs, *dparams; /* expected; log_probs sentence by sentence */
};

static void load(struct golden *g, const char *name)
{
    struct oto_map map;
    struct oto_reader r = golden_open(&map, name);
    *g = (struct golden){0};
    g->shape.n_words = (int)oto_read_u32(&r);
    g->shape.n_embed = (int)oto_read_u32(&r);
    g->shape.n_hidden = (int)oto_read_u32(&r);
    g->shape.n_layers = (int)oto_read_u32(&r);
    g->shape.n_classes = (int)oto_read_u32(&r);
    g->n_utts = (int)oto_read_u32(&r);
    assert_in_range(g->n_utts, 1, UTTS_MAX);
    assert_in_range(g->shape.n_classes, 1, CLASSES_MAX);
    for (int c = 0; c <= g->shape.n_classes; c++)
        g->class_first[c] = (int)oto_read_u32(&r);
    size_t n = 0;
    for (int b = 0; b < g->n_utts; b++) {
        g->sentences[b] = (struct oto_word_sentence){g->words + n, (int)oto_read_u32(&r)};
        n += (size_t)g->sentences[b].n_words;
        assert_in_range(n, 1, WORDS_MAX);
    }
    for (size_t i = 0; i < n; i++) /* in double, as Python has it */
        g->words[i] = (int)(((double)golden_uniform(i, SEED_WORDS) + 1) / 2 * g->shape.n_words);
    g->n_rows = n + (size_t)g->n_utts;
    g->n_params = oto_word_n_parameters(&g->shape);
    g->log_probs = golden_read(&r, g->n_rows);
    g->dparams = golden_read(&r, g->n_params);
    assert_false(r.failed);
    assert_int_equal(r.offset, r.size);
    oto_map_close(&map);
}

static void compare(const char *what, unsigned flags, const float *got, const float *ref, size_t n)
{
    double scale = 1, error = 0;
    for (size_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - (double)ref[i]);
        scale = fmax(scale, fabs((double)ref[i]));
        if (!(d <= error)) /* a NaN stays */
            error = d;
    }
    if (!(error <= 1e-5 * scale))
        fail_msg("%s (%s): error %.3g, allowed 1e-5", what, oto_cpu_name(flags), error / scale);
}

static void run(const struct golden *g, unsigned flags)
{
    struct oto_dsp dsp;
    struct oto_word_network *net;
    struct oto_word_workspace *ws;
    struct oto_word_batch batch = {0};
    double *packed = oto_calloc(g->n_rows, sizeof *packed);
    float *log_probs = oto_calloc(g->n_rows, sizeof *log_probs);
    float *params = oto_calloc(g->n_params, sizeof *params);
    float *dparams = oto_calloc(g->n_params, sizeof *dparams);
    for (size_t i = 0; i < g->n_params; i++)
        params[i] = golden_uniform(i, SEED_PARAMS) * 0.4f;
    oto_dsp_init(&dsp, flags);
    assert_int_equal(oto_word_network_create(&net, &g->shape, g->class_first, &dsp, NULL), OTO_OK);
    assert_int_equal(oto_word_workspace_create(&ws, net, NULL), OTO_OK);
    assert_int_equal(oto_word_batch_set(&batch, g->sentences, g->n_utts, NULL), OTO_OK);
    oto_word_network_set_parameters(net, params);
    assert_int_equal(oto_word_network_forward(net, ws, packed, &batch.rows, true, NULL, NULL),
                     OTO_OK);
    assert_int_equal(
        oto_word_network_backward(net, ws, dparams, 1 / (double)g->n_rows, &batch.rows, NULL),
        OTO_OK);
    size_t at = 0;
    for (int b = 0; b < g->n_utts; b++)
        for (int t = 0; t <= g->sentences[b].n_words; t++)
            log_probs[at++] = (float)packed[oto_sequences_row(&batch.seqs, t, b)];
    compare("log_probs", flags, log_probs, g->log_probs, g->n_rows);
    for (int i = 0; i < oto_word_n_tensors(&g->shape); i++) {
        struct oto_tensor t;
        oto_word_tensor(&g->shape, i, &t);
        compare(t.name, flags, dparams + t.offset, g->dparams + t.offset,
                (size_t)t.n_rows * (size_t)t.n_cols);
    }
    oto_word_batch_clear(&batch);
    oto_word_workspace_destroy(ws);
    oto_word_network_destroy(net);
    oto_free(packed);
    oto_free(log_probs);
    oto_free(params);
    oto_free(dparams);
}

static void against_pytorch(void **state)
{
    static const char *const names[] = {"words_1", "words_2"};
    static const char *const sets[] = {"scalar", "avx2", "avx512"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct golden g;
        load(&g, names[i]);
        for (size_t k = 0; k < sizeof sets / sizeof *sets; k++) {
            unsigned flags;
            if (oto_cpu_parse(sets[k], &flags, NULL) == OTO_OK)
                run(&g, flags);
        }
        oto_free(g.log_probs);
        oto_free(g.dparams);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_pytorch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
