/* SPDX-License-Identifier: BSD-2-Clause */
/* A recognizer whose model holds a second network: the scores of its texts, worked out apart. */
enum { N_LONG = 48000, BEAM = 8 };
#include "recognizer_fixture.h"

#include <math.h>

#include "api/stages.h"
#include "training/ctc_loss.h"

static char both_path[96], folder[64];
static oto_model *both, *other; /* model with a second network; that one alone */

/* On other features, with other frames: 3 of 4 cepstra at once, where the first has 2 of 6. */
static void make_other(struct tiny_model *tiny)
{
    oto_error err = {0};
    assert_int_equal(tiny_model_init(tiny, 77, &err), OTO_OK);
    struct oto_bundle *b = &tiny->bundle;
    b->frontend.n_ceps = 4;
    b->frontend.stack = b->frontend.stride = 3;
    oto_cmvn_stats_clear(&b->cmvn);
    b->cmvn = (struct oto_cmvn_stats){0};
}

/* The fixture's, but no space is ever written: texts tell their labels. */
static void make_first(struct tiny_model *tiny)
{
    struct oto_tensor bias;
    oto_error err = {0};
    assert_int_equal(tiny_model_init(tiny, 3, &err), OTO_OK);
    oto_network_tensor(&tiny->bundle.shape, oto_network_n_tensors(&tiny->bundle.shape) - 1, &bias);
    tiny->weights[bias.offset + 1] -= 100;
}

static oto_model *save_and_load(const struct oto_bundle *bundle, const char *path)
{
    oto_model *loaded = NULL;
    oto_error err = {0};
    if (oto_bundle_save(bundle, path, &err) != OTO_OK ||
        oto_model_load(&loaded, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return loaded;
}

static int set_up_all(void **state)
{
    struct tiny_model first, second;
    char path[96];
    if (set_up(state) != 0)
        return -1;
    oto_model_destroy(model);
    unit_make_folder(folder);
    snprintf(both_path, sizeof both_path, "%s/both.oto", folder);
    make_first(&first);
    make_other(&second);
    snprintf(path, sizeof path, "%s/model.oto", folder);
    model = save_and_load(&first.bundle, path);
    snprintf(path, sizeof path, "%s/other.oto", folder);
    other = save_and_load(&second.bundle, path);
    first.bundle.second = &second.bundle;
    first.bundle.rescore = (struct oto_rescore_options){.weight = 0.5, .second_weight = 0.25};
    both = save_and_load(&first.bundle, both_path);
    tiny_model_clear(&first);
    tiny_model_clear(&second);
    return 0;
}

static int tear_down_all(void **state)
{
    oto_model_destroy(both);
    oto_model_destroy(other);
    unit_remove_folder(folder);
    return tear_down(state);
}

static oto_recognizer *make_both(double weight, int best, int n_threads)
{
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_error err = {0};
    oto_recognizer_options_init(&options);
    options.beam = options.n_best = BEAM;
    options.second_weight = weight;
    options.rescore_best = best;
    options.n_threads = n_threads;
    options.max_segment_s = 2;
    if (oto_recognizer_create(&rec, both, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return rec;
}

/* ---- the scores worked out apart ---------------------------------------------------------- */

struct heard {
    float log_probs[1000 * 9];
    size_t n_frames;
};

static oto_status keep(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct heard *heard = arg;
    (void)err;
    assert_true(n_frames * 9 <= sizeof heard->log_probs / sizeof *heard->log_probs);
    memcpy(heard->log_probs, log_probs, n_frames * 9 * sizeof *log_probs);
    heard->n_frames = n_frames;
    return OTO_OK;
}

static void hear(struct heard *heard, const oto_model *of, size_t n)
{
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = 1;
    assert_int_equal(oto_recognizer_create(&rec, of, &options, NULL), OTO_OK);
    oto_recognizer_watch_segments(rec, keep, heard);
    (void)run(rec, sound, n, 0);
    oto_recognizer_destroy(rec);
}

/* ln p(text), by the CTC loss. */
static double say(const struct heard *heard, const char *text)
{
    static oto_real log_probs[1000 * 9];
    struct oto_bundle *bundle = NULL;
    struct oto_ctc *ctc = NULL;
    int *labels = NULL, n_labels = 0, n_unknown = 0;
    double loss = 0;
    for (size_t i = 0; i < heard->n_frames * 9; i++)
        log_probs[i] = (oto_real)heard->log_probs[i];
    assert_int_equal(oto_bundle_load(&bundle, both_path, NULL), OTO_OK);
    assert_int_equal(oto_alphabet_encode(bundle->alphabet, text, &labels, &n_labels, &n_unknown,
                                         NULL, NULL, NULL),
                     OTO_OK);
    assert_int_equal(oto_ctc_create(&ctc, NULL), OTO_OK);
    assert_int_equal(oto_ctc_compute(ctc, &loss, NULL, log_probs, NULL, (int)heard->n_frames, 9,
                                     labels, n_labels, NULL),
                     OTO_OK);
    oto_ctc_destroy(ctc);
    oto_free(labels);
    oto_bundle_destroy(bundle);
    return -loss;
}

static const oto_alternative *find(const oto_result *result, const char *text)
{
    for (int i = 0; i < result->n_alternatives; i++)
        if (strcmp(result->alternatives[i].text, text) == 0)
            return &result->alternatives[i];
    fail_msg("no text '%s'", text);
    return NULL;
}

/* Each text gains W times what the second network says more of it than the first. */
static void formula(void **state)
{
    (void)state;
    static struct heard first, second;
    static const double weights[] = {0.1, 0.5, 1, (double)NAN};
    const size_t n = 16000;
    int n_moved = 0;
    hear(&first, model, n);
    hear(&second, other, n);
    assert_true(first.n_frames > second.n_frames && second.n_frames > 10);
    oto_recognizer *plain = make(BEAM, BEAM, 2);
    const oto_result *before = run(plain, sound, n, 0);
    for (size_t k = 0; k < sizeof weights / sizeof *weights; k++) {
        const double weight = isnan(weights[k]) ? 0.25 : weights[k];
        oto_recognizer *rec = make_both(weights[k], 0, 1);
        const oto_result *after = run(rec, sound, n, 0);
        assert_int_equal(after->n_alternatives, before->n_alternatives);
        for (int i = 0; i < after->n_alternatives; i++) {
            const oto_alternative *a = &after->alternatives[i];
            const double was = find(before, a->text)->log_prob;
            const double p_first = say(&first, a->text), p_second = say(&second, a->text);
            assert_true(i == 0 || a->log_prob <= after->alternatives[i - 1].log_prob);
            n_moved += strcmp(a->text, before->alternatives[i].text) != 0;
            /* the same floats summed in double precision */
            const double expected = was + weight * (p_second - p_first);
            if (fabs(a->log_prob - expected) > 1e-9 * (1 + fabs(expected)))
                fail_msg("weight %g, '%s': %.17g, expected %.17g", weight, a->text, a->log_prob,
                         expected);
        }
        oto_recognizer_destroy(rec);
    }
    assert_true(n_moved > 0);
    oto_recognizer_destroy(plain);
}

/* ---- where it has a part ------------------------------------------------------------------ */

static void expect_same(const oto_result *a, const oto_result *b)
{
    assert_int_equal(a->n_alternatives, b->n_alternatives);
    for (int i = 0; i < a->n_alternatives; i++) {
        assert_string_equal(a->alternatives[i].text, b->alternatives[i].text);
        assert_true(a->alternatives[i].log_prob == b->alternatives[i].log_prob);
    }
    assert_string_equal(a->text, b->text);
    assert_true(a->log_prob == b->log_prob);
}

/* Several segments: portions, threads and another recognizer like it change nothing. */
static void same_in_any_way(void **state)
{
    (void)state;
    oto_recognizer *one = make_both(0.5, 0, 1), *two = make_both(0.5, 0, 2), *like = NULL;
    oto_recognizer *plain = make(BEAM, BEAM, 2);
    assert_int_equal(oto_recognizer_create_like(&like, one, NULL), OTO_OK);
    const oto_result *a = run(one, sound, N_LONG, N_LONG);
    expect_same(a, run(two, sound, N_LONG, 777));
    expect_same(a, run(like, sound, N_LONG, 0));
    expect_same(a, run(like, sound, N_LONG, 1600)); /* after a reset */
    assert_string_not_equal(a->text, run(plain, sound, N_LONG, 0)->text);
    oto_recognizer_destroy(one);
    oto_recognizer_destroy(two);
    oto_recognizer_destroy(like);
    oto_recognizer_destroy(plain);
}

static void left_out(void **state)
{
    (void)state;
    oto_recognizer *off = make_both(0, 0, 1), *plain = make(BEAM, BEAM, 2);
    expect_same(run(off, sound, N_LONG, 0), run(plain, sound, N_LONG, 0));
    oto_recognizer_destroy(off);
    oto_recognizer_destroy(plain);
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = 1;
    oto_recognizer *a = NULL, *b = NULL;
    assert_int_equal(oto_recognizer_create(&a, both, &options, NULL), OTO_OK);
    assert_int_equal(oto_recognizer_create(&b, model, &options, NULL), OTO_OK);
    expect_same(run(a, sound, N_LONG, 0), run(b, sound, N_LONG, 0));
    oto_recognizer_destroy(a);
    oto_recognizer_destroy(b);
}

/* The best texts alone, as those of a second pass. */
static void only_the_best(void **state)
{
    (void)state;
    oto_recognizer *rec = make_both(1, 3, 1), *plain = make(BEAM, BEAM, 2);
    const oto_result *before = run(plain, sound, 16000, 0), *after = run(rec, sound, 16000, 0);
    assert_int_equal(after->n_alternatives, 3);
    for (int i = 0; i < 3; i++) {
        int at = 0;
        while (strcmp(before->alternatives[at].text, after->alternatives[i].text) != 0)
            at++;
        assert_true(at < 3);
    }
    oto_recognizer_destroy(rec);
    oto_recognizer_destroy(plain);
}

static void refuse(const oto_model *of, double weight, const char *what)
{
    oto_recognizer_options options;
    oto_recognizer *rec = NULL;
    oto_error err = {0};
    oto_recognizer_options_init(&options);
    options.second_weight = weight;
    assert_int_equal(oto_recognizer_create(&rec, of, &options, &err), OTO_ERR_ARGUMENT);
    assert_null(rec);
    assert_contains(err.message, what);
}

static void bad_options(void **state)
{
    (void)state;
    refuse(both, -0.1, "second_weight: found -0.1, expected 0 to 1");
    refuse(both, 1.5, "second_weight: found 1.5, expected 0 to 1");
    refuse(model, 0.5, "second_weight: found 0.5, but the model has no second network");
}

static oto_status whole(void)
{
    oto_model *own = NULL;
    oto_recognizer *rec = NULL;
    oto_recognizer_options options;
    const oto_result *result = NULL;
    oto_recognizer_options_init(&options);
    oto_status status = oto_model_load(&own, both_path, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_create(&rec, own, &options, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_feed(rec, sound, 8000, NULL);
    if (status == OTO_OK)
        status = oto_recognizer_finish(rec, &result, NULL);
    oto_recognizer_destroy(rec);
    oto_model_destroy(own);
    return status;
}

static void failing_allocations(void **state)
{
    (void)state;
    oto_mem_fail_nth(0);
    assert_int_equal(whole(), OTO_OK);
    const size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 100, 5000);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(whole(), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula),     cmocka_unit_test(same_in_any_way),
        cmocka_unit_test(left_out),    cmocka_unit_test(only_the_best),
        cmocka_unit_test(bad_options), cmocka_unit_test(failing_allocations),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
