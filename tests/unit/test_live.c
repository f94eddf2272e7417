/* SPDX-License-Identifier: BSD-2-Clause */
/* Endless input through the public API, with a model of random weights. */
#include "unit.h"

#include <math.h>

#define N_LONG (16000 * 24)
#include "otolith/live.h"
#include "recognizer_fixture.h"

/* What was told, one line an utterance, to the bit. */
static int n_settled; /* times that there was settled text */

struct told {
    char text[60000];
    size_t used;
    int n;
    double last_end_s;
};

static char settled[4000]; /* of the utterance in work */
static bool keeps_settled; /* also when it has ended: one pass */

static void note(void *user_data, const oto_live_utterance *u)
{
    struct told *t = user_data;
    if (keeps_settled)
        assert_memory_equal(u->result->text, settled, strlen(settled));
    settled[0] = 0;
    t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used,
                                "%a-%a %d pass, %a %a: %s\n", u->start_s, u->end_s, u->n_passes,
                                u->speech, u->result->log_prob, u->result->text);
    assert_true(t->used < sizeof t->text);
    assert_true(u->start_s >= t->last_end_s && u->end_s > u->start_s);
    assert_true(u->result->text[0] != 0);
    assert_true(u->result->n_words > 0);
    for (int i = 0; i < u->result->n_words; i++) {
        const oto_word *w = &u->result->words[i];
        t->used += (size_t)snprintf(t->text + t->used, sizeof t->text - t->used, "%a-%a %s\n",
                                    w->start_s, w->end_s, w->text);
        assert_true(w->start_s >= 0 && w->end_s <= u->end_s - u->start_s + 1e-9);
        assert_true(t->used < sizeof t->text);
    }
    t->last_end_s = u->end_s;
    t->n++;
}

static oto_live *make_live(struct told *told, int n_passes, double max_utterance_s, int beam)
{
    oto_error err = {0};
    oto_live *live = NULL;
    oto_recognizer_options recognizer;
    oto_live_options options;
    oto_recognizer_options_init(&recognizer);
    recognizer.beam = beam;
    oto_live_options_init(&options);
    options.latency_ms = 300;
    options.n_passes = n_passes;
    options.max_utterance_s = max_utterance_s;
    options.min_confidence = 0; /* a random network is never sure */
    options.utterance = note;
    options.user_data = told;
    *told = (struct told){{0}, 0, 0, 0};
    keeps_settled = n_passes == 1;
    if (oto_live_create(&live, model, &recognizer, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return live;
}

/* Portions of the size given; 0 = random ones. The text that is settled never changes. */
static void run_live(oto_live *live, const float *samples, size_t n, size_t portion)
{
    oto_error err = {0};
    double start_s = -1;
    settled[0] = 0;
    for (size_t at = 0, k = 0; at < n; k++) {
        size_t m = portion > 0 ? portion : (size_t)oto_rng_below(11, 0, k, 5000);
        m = m < n - at ? m : n - at;
        if (oto_live_feed(live, samples + at, m, &err) != OTO_OK)
            fail_msg("%s", err.message);
        at += m;
        const oto_live_partial_text *p = oto_live_partial(live);
        assert_true(p->n_stable <= strlen(p->text) && p->n_stable < sizeof settled);
        if (p->start_s == start_s)
            assert_memory_equal(p->text, settled, strlen(settled));
        start_s = p->start_s;
        memcpy(settled, p->text, p->n_stable);
        settled[p->n_stable] = 0;
        n_settled += p->n_stable > 0;
    }
    if (oto_live_finish(live, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

/* A model that writes spaces, too: words are settled one by one. */
static void make_model(void)
{
    oto_error err = {0};
    struct tiny_model tiny;
    struct oto_tensor bias;
    char folder[64], path[128];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/tiny.oto", folder);
    assert_int_equal(tiny_model_init(&tiny, 3, &err), OTO_OK);
    oto_network_tensor(&tiny.bundle.shape, oto_network_n_tensors(&tiny.bundle.shape) - 1, &bias);
    assert_string_equal(bias.name, "output.bias");
    tiny.weights[bias.offset + 1] += 7;
    if (oto_bundle_save(&tiny.bundle, path, &err) != OTO_OK ||
        oto_model_load(&model, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
}

/* Pauses, so that utterances end. */
static int make_pauses(void **state)
{
    if (set_up(state) != 0)
        return 1;
    oto_model_destroy(model);
    make_model();
    for (int i = 0; i < 6; i++) {
        for (size_t k = 0; k < 20000; k++)
            sound[(size_t)i * 64000 + 35000 + k] *= 1e-4f;
    }
    return 0;
}

static void check_portions(int n_passes, double max_utterance_s, int beam, int at_least)
{
    static const size_t portions[] = {7, 160, 1600, 16000, N_LONG, 0};
    struct told whole, told;
    oto_live *live = make_live(&whole, n_passes, max_utterance_s, beam);
    run_live(live, sound, N_LONG, 1);
    oto_live_destroy(live);
    print_message("%s%d times with settled words\n", whole.text, n_settled);
    assert_true(n_settled > 0);
    assert_true(whole.n >= at_least);
    live = make_live(&told, n_passes, max_utterance_s, beam);
    for (size_t i = 0; i < sizeof portions / sizeof portions[0]; i++) {
        told = (struct told){{0}, 0, 0, 0};
        run_live(live, sound, N_LONG, portions[i]);
        assert_string_equal(told.text, whole.text);
        oto_live_reset(live);
    }
    oto_live_destroy(live);
}

static void test_portions(void **state)
{
    (void)state;
    check_portions(2, 20, 8, 4);
    check_portions(1, 20, 8, 4);
    check_portions(1, 20, 1, 4);
}

static void test_portions_cut(void **state)
{
    (void)state;
    check_portions(2, 2, 8, 8);
    check_portions(1, 2, 8, 8);
}

/* The second pass is what a recognizer says of the same sound. */
static oto_recognizer *judge;

static void compare(void *user_data, const oto_live_utterance *u)
{
    int *n = user_data;
    size_t from = (size_t)lround(u->start_s * 16000), to = (size_t)lround(u->end_s * 16000);
    const oto_result *r = run(judge, sound + from, to - from, 1000);
    assert_int_equal(u->n_passes, 2);
    assert_string_equal(r->text, u->result->text);
    assert_true(r->log_prob == u->result->log_prob && r->seconds == u->result->seconds);
    ++*n;
}

static void test_second_pass(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_live *live = NULL;
    int n = 0;
    oto_live_options options;
    oto_live_options_init(&options);
    options.min_confidence = 0;
    options.utterance = compare;
    options.user_data = &n;
    judge = make(0, 1, 30);
    assert_int_equal(oto_live_create(&live, model, NULL, &options, &err), OTO_OK);
    run_live(live, sound, N_LONG, 1600);
    assert_true(n >= 4);
    oto_live_destroy(live);
    oto_recognizer_destroy(judge);
}

/* Words appear before the utterance has ended, and grow with it. */
static void test_partial(void **state)
{
    (void)state;
    oto_error err = {0};
    struct told told;
    oto_live *live = make_live(&told, 2, 20, 8);
    assert_string_equal(oto_live_partial(live)->text, "");
    size_t length = 0;
    int n_grown = 0;
    for (size_t at = 0; at < 32000; at += 1600) {
        assert_int_equal(oto_live_feed(live, sound + at, 1600, &err), OTO_OK);
        n_grown += strlen(oto_live_partial(live)->text) > length;
        length = strlen(oto_live_partial(live)->text);
        assert_true(oto_live_partial(live)->heard_s == (double)(at + 1600) / 16000);
    }
    assert_in_range(n_grown, 2, 20);
    assert_int_equal(told.n, 0);
    assert_int_equal(oto_live_finish(live, &err), OTO_OK);
    assert_int_equal(told.n, 1);
    assert_string_equal(oto_live_partial(live)->text, "");
    run_live(live, sound, 32000, 0); /* more may be fed, times go on */
    assert_int_equal(told.n, 2);
    oto_live_destroy(live);
}

static void test_silence(void **state)
{
    (void)state;
    struct told told;
    oto_live *live = make_live(&told, 2, 20, 8);
    float *zeros = calloc(N_LONG, sizeof *zeros);
    assert_non_null(zeros);
    for (int i = 0; i < 25; i++) /* ten minutes */
        run_live(live, zeros, N_LONG, 1600);
    assert_int_equal(told.n, 0);
    free(zeros);
    oto_live_destroy(live);
}

/* An hour needs no more memory than a minute: nothing but texts is allocated on the way. */
static void test_memory(void **state)
{
    (void)state;
    struct told told;
    oto_live *live = make_live(&told, 1, 5, 1);
    run_live(live, sound, N_LONG, 1600);
    oto_live_reset(live);
    told.used = 0;
    told.last_end_s = 0;
    (void)oto_mem_fail_nth(0);
    run_live(live, sound, N_LONG, 1600);
    size_t once = oto_mem_fail_nth(0);
    oto_live_reset(live);
    told.used = 0;
    told.last_end_s = 0;
    run_live(live, sound, N_LONG, 1600);
    assert_int_equal(oto_mem_fail_nth(0), once);
    oto_live_destroy(live);
}

static void count_utterance(void *user_data, const oto_live_utterance *u)
{
    double *least = user_data;
    *least = fmin(*least, u->speech);
}

/* Steady noise is no speech, however loud; nor is what the network is not sure of, in one pass or
 * two. */
static void test_noise(void **state)
{
    (void)state;
    static float noise[N_LONG];
    struct told told;
    for (size_t i = 0; i < N_LONG; i++)
        noise[i] = 0.1F * (float)oto_rng_normal(4, 0, i);
    oto_live *live = make_live(&told, 2, 20, 8);
    run_live(live, noise, N_LONG, 1600);
    assert_int_equal(told.n, 0);
    run_live(live, sound, 48000, 1600); /* from 0.1 to 0.3 all the same */
    oto_live_destroy(live);

    double of_one_pass = 0;
    for (int n_passes = 1; n_passes <= 2; n_passes++) {
        oto_error err = {0};
        oto_live_options options;
        double least = 1;
        oto_live_options_init(&options);
        options.n_passes = n_passes;
        options.min_confidence = 0;
        options.utterance = count_utterance;
        options.user_data = &least;
        assert_int_equal(oto_live_create(&live, model, NULL, &options, &err), OTO_OK);
        run_live(live, sound, N_LONG, 1600);
        oto_live_destroy(live);
        assert_true(least > 0 && least < 0.9);
        if (n_passes == 1)
            of_one_pass = least;
        assert_true(fabs(least - of_one_pass) <= 0); /* one pass or two */
        options.min_confidence = least + 1e-6;
        least = 1;
        assert_int_equal(oto_live_create(&live, model, NULL, &options, &err), OTO_OK);
        run_live(live, sound, N_LONG, 1600);
        oto_live_destroy(live);
        assert_true(least >= options.min_confidence && least < 1);
    }
}

static void expect_refusal(oto_live_options options, const char *says)
{
    oto_error err = {0};
    oto_live *live = NULL;
    assert_int_equal(oto_live_create(&live, model, NULL, &options, &err), OTO_ERR_ARGUMENT);
    assert_null(live);
    assert_contains(err.message, says);
}

static void test_errors(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_live *live = NULL;
    oto_live_options o, good;
    oto_live_options_init(&good);
    o = good;
    o.latency_ms = 39;
    expect_refusal(o, "latency_ms");
    o = good;
    o.n_passes = 3;
    expect_refusal(o, "n_passes");
    o = good;
    o.second_pass_ms = -1;
    expect_refusal(o, "second_pass_ms");
    o = good;
    o.max_utterance_s = NAN;
    expect_refusal(o, "max_utterance_s");
    o = good;
    o.min_confidence = 1.1;
    expect_refusal(o, "min_confidence");
    o = good;
    o.silence_s = 0;
    expect_refusal(o, "silence_s");
    o = good;
    o.struct_size = 0;
    expect_refusal(o, "oto_live_options_init");
    assert_int_equal(oto_live_create(NULL, model, NULL, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_live_create(&live, NULL, NULL, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_live_feed(NULL, sound, 1, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_live_finish(NULL, &err), OTO_ERR_ARGUMENT);
    oto_live_destroy(NULL);
    oto_live_reset(NULL);
    assert_int_equal(oto_live_create(&live, model, NULL, NULL, &err), OTO_OK);
    assert_int_equal(oto_live_feed(live, NULL, 1, &err), OTO_ERR_ARGUMENT);
    const float bad[3] = {0, INFINITY, 0};
    assert_int_equal(oto_live_feed(live, bad, 3, &err), OTO_ERR_DATA);
    assert_contains(err.message, "sample 1 of 3");
    assert_int_equal(oto_live_feed(live, bad, 1, &err), OTO_OK); /* nothing was taken */
    oto_live_destroy(live);
}

static void test_no_memory(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_live *live = NULL;
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_live_create(&live, model, NULL, NULL, &err), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    oto_live_destroy(live);
    for (size_t nth = 1; nth <= n; nth++) {
        (void)oto_mem_fail_nth(nth);
        assert_int_equal(oto_live_create(&live, model, NULL, NULL, &err), OTO_ERR_MEMORY);
        assert_null(live);
    }
    (void)oto_mem_fail_nth(0);
    /* While it runs: fails once, must be reset, and is as good as new. */
    struct told told, again;
    live = make_live(&told, 2, 20, 8);
    run_live(live, sound, 48000, 1600);
    oto_live_reset(live);
    told.last_end_s = 0;
    (void)oto_mem_fail_nth(0);
    run_live(live, sound, 48000, 1600);
    n = oto_mem_fail_nth(0);
    assert_true(n > 0);
    oto_live_destroy(live);
    for (size_t nth = 1; nth <= n; nth += 1 + n / 20) {
        live = make_live(&again, 2, 20, 8);
        (void)oto_mem_fail_nth(nth);
        oto_status status = OTO_OK;
        for (size_t at = 0; at < 48000 && status == OTO_OK; at += 1600)
            status = oto_live_feed(live, sound + at, 1600, &err);
        if (status == OTO_OK)
            status = oto_live_finish(live, &err);
        (void)oto_mem_fail_nth(0);
        assert_int_equal(status, OTO_ERR_MEMORY);
        assert_int_equal(oto_live_feed(live, sound, 1, &err), OTO_ERR_ARGUMENT);
        assert_contains(err.message, "oto_live_reset");
        oto_live_reset(live);
        again = (struct told){{0}, 0, 0, 0};
        run_live(live, sound, 48000, 1600);
        assert_true(again.n > 0);
        oto_live_destroy(live);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_portions),    cmocka_unit_test(test_portions_cut),
        cmocka_unit_test(test_second_pass), cmocka_unit_test(test_partial),
        cmocka_unit_test(test_silence),     cmocka_unit_test(test_memory),
        cmocka_unit_test(test_errors),      cmocka_unit_test(test_noise),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, make_pauses, tear_down);
}
