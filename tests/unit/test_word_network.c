/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "acoustic/word_batch.h"
#include "base/mem.h"
#include "base/rng.h"

static const struct oto_word_shape shape = {12, 4, 5, 9, 2};
static const int class_first[] = {0, 1, 2, 7, 12};
static const int words[] = {4, 11, 2, 9, 9, 1, 3, 8};
static const struct oto_word_sentence sentences[] = {{words, 5}, {words + 3, 3}, {words + 6, 2}};

struct fixture {
    struct oto_word_network *net;
    struct oto_word_workspace *ws;
    struct oto_word_batch batch;
    size_t n;
    float *params, *dparams;
    double log_probs[64];
};

static void set_up(struct fixture *f)
{
    struct oto_dsp dsp;
    *f = (struct fixture){.n = oto_word_n_parameters(&shape)};
    oto_dsp_init(&dsp, oto_cpu_flags());
    assert_int_equal(oto_word_network_create(&f->net, &shape, class_first, &dsp, NULL), OTO_OK);
    assert_int_equal(oto_word_workspace_create(&f->ws, f->net, NULL), OTO_OK);
    f->params = oto_calloc(f->n, sizeof *f->params);
    f->dparams = oto_calloc(f->n, sizeof *f->dparams);
    for (size_t i = 0; i < f->n; i++)
        f->params[i] = (float)(2 * oto_rng_uniform(1, 1, i) - 1);
    oto_word_network_set_parameters(f->net, f->params);
}

static void tear_down(struct fixture *f)
{
    oto_word_batch_clear(&f->batch);
    oto_word_workspace_destroy(f->ws);
    oto_word_network_destroy(f->net);
    oto_free(f->params);
    oto_free(f->dparams);
}

static oto_status forward(struct fixture *f, bool keep, oto_error *err)
{
    return oto_word_network_forward(f->net, f->ws, f->log_probs, &f->batch.rows, keep, NULL, err);
}

/* Whatever was said before, the next word is one of all. */
static void probabilities_sum_to_one(void **state)
{
    struct fixture f;
    (void)state;
    set_up(&f);
    for (int n = 0; n <= 4; n++) {
        double sum = 0;
        for (int next = 0; next < shape.n_words; next++) {
            int text[8];
            memcpy(text, words, sizeof text);
            text[n] = next;
            const struct oto_word_sentence s = {text, n + (next != 0)};
            assert_int_equal(oto_word_batch_set(&f.batch, &s, 1, NULL), OTO_OK);
            assert_int_equal(forward(&f, false, NULL), OTO_OK);
            sum += exp(f.log_probs[n]);
        }
        assert_true(fabs(sum - 1) < 1e-5);
    }
    tear_down(&f);
}

/* Each sentence gets in a batch what it gets alone; with and without what backward needs. */
static void sentences_do_not_meet(void **state)
{
    struct fixture f;
    double together[2][64];
    (void)state;
    set_up(&f);
    assert_int_equal(oto_word_batch_set(&f.batch, sentences, 3, NULL), OTO_OK);
    for (int keep = 0; keep < 2; keep++) {
        assert_int_equal(forward(&f, keep, NULL), OTO_OK);
        memcpy(together[keep], f.log_probs, sizeof f.log_probs);
    }
    for (int b = 0; b < 3; b++) {
        struct oto_word_batch alone = {0};
        assert_int_equal(oto_word_batch_set(&alone, &sentences[b], 1, NULL), OTO_OK);
        assert_int_equal(
            oto_word_network_forward(f.net, f.ws, f.log_probs, &alone.rows, false, NULL, NULL),
            OTO_OK);
        for (int t = 0; t <= sentences[b].n_words; t++) {
            const size_t row = oto_sequences_row(&f.batch.seqs, t, b);
            assert_true(fabs(together[0][row] - f.log_probs[t]) < 1e-5);
            assert_true(fabs(together[1][row] - f.log_probs[t]) < 1e-5);
        }
        oto_word_batch_clear(&alone);
    }
    tear_down(&f);
}

static void refuse(const struct oto_word_shape *bad, const int *classes, const char *what)
{
    struct oto_word_network *net = (void *)&net;
    struct oto_dsp dsp;
    oto_error err = {0};
    oto_dsp_init(&dsp, OTO_CPU_SCALAR);
    assert_int_equal(oto_word_network_create(&net, bad, classes, &dsp, &err), OTO_ERR_ARGUMENT);
    assert_null(net);
    assert_contains(err.message, what);
}

static void bad_shapes(void **state)
{
    static const int from_1[] = {1, 2, 3, 7, 12}, short_of[] = {0, 1, 2, 7, 11};
    static const int empty[] = {0, 1, 1, 7, 12};
    (void)state;
    struct oto_word_shape s = shape;
    s.n_words = 1;
    refuse(&s, class_first, "n_words is 1");
    s = shape;
    s.n_classes = 13;
    refuse(&s, class_first, "n_classes is 13, expected 1 to 12");
    s = shape;
    s.n_embed = 0;
    refuse(&s, class_first, "n_embed is 0");
    s = shape;
    s.n_hidden = OTO_WORD_WIDTH_MAX + 1;
    refuse(&s, class_first, "n_hidden is 4097");
    s = shape;
    s.n_layers = 9;
    refuse(&s, class_first, "n_layers is 9");
    refuse(&shape, from_1, "classes from 1 to 12");
    refuse(&shape, short_of, "classes from 0 to 11");
    refuse(&shape, empty, "class 1 has no words");
}

static void bad_calls(void **state)
{
    struct fixture f, other;
    oto_error err = {0};
    (void)state;
    set_up(&f);
    set_up(&other);
    assert_int_equal(oto_word_batch_set(&f.batch, sentences, 3, NULL), OTO_OK);
    assert_int_equal(
        oto_word_network_forward(f.net, other.ws, f.log_probs, &f.batch.rows, true, NULL, &err),
        OTO_ERR_ARGUMENT);
    assert_contains(err.message, "another network");
    assert_int_equal(oto_word_network_backward(f.net, f.ws, f.dparams, 1, &f.batch.rows, &err),
                     OTO_ERR_ARGUMENT);
    assert_contains(err.message, "forward pass");
    assert_int_equal(forward(&f, false, NULL), OTO_OK);
    assert_int_equal(oto_word_network_backward(f.net, f.ws, f.dparams, 1, &f.batch.rows, NULL),
                     OTO_ERR_ARGUMENT);
    f.batch.targets[2] = 12;
    assert_int_equal(forward(&f, true, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "word 12, expected 0 to 11");
    f.batch.targets[2] = 1;
    f.batch.inputs[1] = -1;
    assert_int_equal(forward(&f, true, &err), OTO_ERR_ARGUMENT);
    const struct oto_word_sentence rising[] = {sentences[2], sentences[0]};
    assert_int_equal(oto_word_batch_set(&f.batch, rising, 2, NULL), OTO_ERR_ARGUMENT);
    tear_down(&other);
    tear_down(&f);
}

/* Everything, from nothing: the status of the first failure. */
static oto_status whole(void)
{
    struct oto_word_network *net = NULL;
    struct oto_word_workspace *ws = NULL;
    struct oto_word_batch batch = {0};
    struct oto_dsp dsp;
    static float params[4096], dparams[4096];
    double log_probs[64];
    assert_true(oto_word_n_parameters(&shape) <= 4096);
    oto_dsp_init(&dsp, oto_cpu_flags());
    oto_status status = oto_word_network_create(&net, &shape, class_first, &dsp, NULL);
    if (status == OTO_OK) {
        oto_word_network_set_parameters(net, params);
        status = oto_word_workspace_create(&ws, net, NULL);
    }
    if (status == OTO_OK)
        status = oto_word_batch_set(&batch, sentences, 3, NULL);
    const struct oto_dropout dropout = {0.5, 1, 1};
    if (status == OTO_OK)
        status = oto_word_network_forward(net, ws, log_probs, &batch.rows, true, &dropout, NULL);
    if (status == OTO_OK)
        status = oto_word_network_backward(net, ws, dparams, 1, &batch.rows, NULL);
    oto_word_batch_clear(&batch);
    oto_word_workspace_destroy(ws);
    oto_word_network_destroy(net);
    return status;
}

static void failing_allocations(void **state)
{
    (void)state;
    oto_mem_fail_nth(0);
    assert_int_equal(whole(), OTO_OK);
    const size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 10, 1000);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(whole(), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probabilities_sum_to_one),
        cmocka_unit_test(sentences_do_not_meet),
        cmocka_unit_test(bad_shapes),
        cmocka_unit_test(bad_calls),
        cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
