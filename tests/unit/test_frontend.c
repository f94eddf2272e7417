/* SPDX-License-Identifier: BSD-2-Clause */
/* The streaming front end: any portions give the same bits. */
#include "frontend_fixture.h"

#include "base/mem.h"
#include "features/frontend_options.h"
#include "features/mfcc.h"
#include "near.h"

static float *copy_statics(const struct oto_frontend *fe, size_t *n)
{
    const float *statics = oto_frontend_static(fe, n);
    const size_t size = *n * (size_t)oto_frontend_static_dim(fe);
    float *copy = oto_calloc(size, sizeof *copy);
    assert_non_null(copy);
    if (size)
        memcpy(copy, statics, size * sizeof *copy);
    return copy;
}

static void portions_give_identical_frames(void **state)
{
    static const size_t portions[] = {1, 7, 160, 1600, 9001};

    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        struct oto_frontend_options o = defaults();
        o.snip_edges = variant % 2;
        o.dither = variant / 2 ? 1.0 : 0.0;
        struct oto_frontend *fe = make(&o);
        run_in_portions(fe, speech, N_SAMPLES, 0);
        size_t n, n_again;
        float *whole = copy_statics(fe, &n);
        assert_int_equal(n, variant % 2 ? 123 : 125);
        for (size_t p = 0; p < sizeof portions / sizeof portions[0]; p++) {
            run_in_portions(fe, speech, N_SAMPLES, portions[p]);
            const float *again = oto_frontend_static(fe, &n_again);
            assert_int_equal(n_again, n);
            assert_memory_equal(again, whole, n * 40 * sizeof *whole);
        }
        oto_free(whole);
        oto_frontend_destroy(fe);
    }
}

/* Sample `at` of a signal mirrored at its ends. */
static float mirrored(const float *x, long n, long at)
{
    while (at < 0 || at >= n)
        at = at < 0 ? -at - 1 : 2 * n - 1 - at;
    return x[at] * 32768.0f;
}

/* Every length of signal, window and shift, odd ones and shifts beyond the window too, against
 * direct extraction. */
static void frames_stand_where_kaldi_puts_them(void **state)
{
    static const double lengths_ms[] = {6, 7, 8, 13}, shifts_ms[] = {1, 2, 3, 5, 8, 20};

    (void)state;
    for (int v = 0; v < 2 * 4 * 6; v++) {
        struct oto_frontend_options o = defaults();
        o.rate_hz = 1000; /* a sample a millisecond */
        o.snip_edges = v % 2;
        o.frame_length_ms = lengths_ms[v / 2 % 4];
        o.frame_shift_ms = shifts_ms[v / 8];
        o.kind = OTO_FEATURE_FBANK;
        o.n_mels = 3;
        o.low_hz = 100;
        struct oto_frontend *fe = make(&o);
        struct oto_mfcc *mfcc = NULL;
        assert_int_equal(oto_mfcc_create(&mfcc, &o, OTO_FFT_AUTO, NULL), OTO_OK);
        const long window = oto_frontend_window_samples(&o), shift = oto_frontend_shift_samples(&o);
        for (long n = 0; n <= 50; n++) {
            const long expected = o.snip_edges ? (n < window ? 0 : 1 + (n - window) / shift)
                                               : (n + shift / 2) / shift;
            size_t n_static;
            run_in_portions(fe, speech, (size_t)n, (size_t)(1 + n % 4));
            const float *statics = oto_frontend_static(fe, &n_static);
            assert_int_equal(n_static, expected);
            assert_int_equal(oto_frontend_n_static(fe, (size_t)n), expected);
            for (long f = 0; f < expected; f++) {
                const long start = o.snip_edges ? f * shift : f * shift + shift / 2 - window / 2;
                float x[16], row[3];
                for (long i = 0; i < window; i++)
                    x[i] = mirrored(speech, n, start + i);
                oto_mfcc_compute(mfcc, row, x);
                assert_memory_equal(row, statics + 3 * f, sizeof row);
            }
        }
        oto_mfcc_destroy(mfcc);
        oto_frontend_destroy(fe);
    }
}

static void dropping_frames_changes_no_other(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_frontend *fe = make(&o);
    size_t n, at = 0;

    (void)state;
    run_in_portions(fe, speech, N_SAMPLES, 0);
    float *whole = copy_statics(fe, &n);
    oto_frontend_reset(fe, 5);
    for (size_t i = 0; i < N_SAMPLES; i += 1000) {
        size_t n_now;
        assert_int_equal(oto_frontend_push(fe, speech + i, 1000, NULL), OTO_OK);
        const float *statics = oto_frontend_static(fe, &n_now);
        assert_memory_equal(statics, whole + at * 40, n_now * 40 * sizeof *whole);
        const size_t n_dropped = n_now < 4 ? n_now : 4;
        oto_frontend_drop(fe, n_dropped);
        at += n_dropped;
    }
    oto_frontend_drop(fe, 1000); /* more than there are: all */
    (void)oto_frontend_static(fe, &n);
    assert_int_equal(n, 0);
    oto_free(whole);
    oto_frontend_destroy(fe);
}

static void a_long_stream_needs_no_more_memory(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_frontend *fe = make(&o);
    size_t n;

    (void)state;
    oto_frontend_reset(fe, 0);
    for (int i = 0; i < 300; i++) { /* three minutes and more */
        assert_int_equal(oto_frontend_push(fe, speech, 10000, NULL), OTO_OK);
        (void)oto_frontend_static(fe, &n);
        oto_frontend_drop(fe, n);
        if (i == 2)
            oto_mem_fail_nth(0); /* warm: counts from here */
    }
    assert_int_equal(oto_mem_fail_nth(0), 0);
    oto_frontend_destroy(fe);
}

static void bad_samples_are_named_and_nothing_is_taken(void **state)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY, 2e6f, -2e6f};
    struct oto_frontend_options o = defaults();
    struct oto_frontend *fe = make(&o);
    size_t n, n_again;

    (void)state;
    run_in_portions(fe, speech, 5000, 0);
    float *whole = copy_statics(fe, &n);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        float block[1000];
        oto_error err = {0};
        memcpy(block, speech + 1000, sizeof block);
        block[234] = bad[i];
        oto_frontend_reset(fe, 5);
        assert_int_equal(oto_frontend_push(fe, speech, 1000, NULL), OTO_OK);
        assert_int_equal(oto_frontend_push(fe, block, 1000, &err), OTO_ERR_DATA);
        assert_non_null(strstr(err.message, "sample 1234 is"));
        assert_int_equal(oto_frontend_push(fe, speech + 1000, 4000, NULL), OTO_OK);
        assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
        const float *again = oto_frontend_static(fe, &n_again);
        assert_int_equal(n_again, n);
        assert_memory_equal(again, whole, n * 40 * sizeof *whole);
    }
    oto_free(whole);
    oto_frontend_destroy(fe);
}

static void the_loudest_samples_give_finite_features(void **state)
{
    struct oto_frontend_options o = defaults();
    static float loud[192000];
    size_t n;

    (void)state;
    for (size_t i = 0; i < 192000; i++)
        loud[i] = i % 2 ? 1e6f : -1e6f;
    o.rate_hz = 192000;
    o.frame_length_ms = 1000;
    o.remove_dc = false;
    o.window = OTO_WINDOW_RECTANGULAR;
    struct oto_frontend *fe = make(&o);
    run_in_portions(fe, loud, 192000, 0);
    const float *statics = oto_frontend_static(fe, &n);
    assert_int_equal(n, 1);
    for (size_t i = 0; i < 40; i++)
        assert_true(isfinite(statics[i]));
    oto_frontend_destroy(fe);
}

static void pushing_after_finish_is_refused(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_frontend *fe = make(&o);
    oto_error err = {0};
    size_t n;

    (void)state;
    run_in_portions(fe, speech, 1000, 0);
    assert_int_equal(oto_frontend_push(fe, speech, 1, &err), OTO_ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "reset"));
    assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK); /* again: nothing more */
    (void)oto_frontend_static(fe, &n);
    assert_int_equal(n, 4);
    oto_frontend_reset(fe, 0);
    (void)oto_frontend_static(fe, &n);
    assert_int_equal(n, 0);
    assert_int_equal(oto_frontend_push(fe, speech, 1, NULL), OTO_OK);
    oto_frontend_destroy(fe);
    oto_frontend_destroy(NULL);
}

struct seen {
    int calls, width;
    size_t n;
};

static void zero_first_column(void *arg, float *block, size_t n_static, int width)
{
    struct seen *seen = arg;

    *seen = (struct seen){seen->calls + 1, width, n_static};
    for (size_t t = 0; t < n_static; t++)
        block[t * (size_t)width] = 1234.0f;
}

static void masks_see_the_block_before_stacking(void **state)
{
    struct oto_frontend_options o = defaults();
    struct seen seen = {0};
    size_t n;

    (void)state;
    o.delta_order = 1;
    struct oto_frontend *fe = make(&o);
    run_in_portions(fe, speech, N_SAMPLES, 0);
    float *statics = copy_statics(fe, &n), *before = copy_statics(fe, &n);
    const size_t size = oto_frontend_n_frames(fe, n) * (size_t)oto_frontend_dim(fe);
    float *plain = oto_calloc(size, sizeof *plain), *masked = oto_calloc(size, sizeof *masked);
    assert_true(plain && masked);
    assert_int_equal(oto_frontend_apply(fe, masked, statics, n, zero_first_column, &seen, NULL),
                     OTO_OK);
    assert_int_equal(oto_frontend_apply(fe, plain, statics, n, NULL, NULL, NULL), OTO_OK);
    assert_int_equal(seen.calls, 1);
    assert_int_equal(seen.n, n);
    assert_int_equal(seen.width, 80);
    for (size_t i = 0; i < size; i++)
        assert_near(masked[i], i % 80 ? plain[i] : 1234.0f, 0.0);
    assert_memory_equal(statics, before, n * 40 * sizeof *statics); /* pure */
    oto_free(masked);
    oto_free(plain);
    oto_free(before);
    oto_free(statics);
    oto_frontend_destroy(fe);
}

/* The whole life, with the nth allocation failing; returns what failed first. */
static oto_status live(const struct oto_frontend_options *o, const struct oto_cmvn_stats *stats,
                       size_t nth)
{
    static float out[125 * 360];
    struct oto_frontend *fe = NULL;
    oto_status status;
    size_t n;

    oto_mem_fail_nth(nth);
    status = oto_frontend_create(&fe, o, stats, OTO_FFT_KISS, NULL);
    if (!status) {
        oto_frontend_reset(fe, 0);
        status = oto_frontend_push(fe, speech, N_SAMPLES, NULL);
    }
    if (!status)
        status = oto_frontend_finish(fe, NULL);
    if (!status) {
        const float *statics = oto_frontend_static(fe, &n);
        status = oto_frontend_apply(fe, out, statics, n, NULL, NULL, NULL);
    }
    oto_mem_fail_nth(0);
    oto_frontend_destroy(fe);
    return status;
}

static void allocation_failures_are_reported(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_cmvn_stats stats;
    size_t nth = 1;

    (void)state;
    o.delta_order = 2;
    o.cmvn = OTO_CMVN_GLOBAL;
    assert_int_equal(oto_cmvn_stats_init(&stats, 40, NULL), OTO_OK);
    stats.count = 1.0;
    for (;; nth++) {
        const oto_status status = live(&o, &stats, nth);
        if (status == OTO_OK)
            break;
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
    assert_true(nth > 25);
    oto_cmvn_stats_clear(&stats);
}

static void a_failed_push_takes_nothing(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_frontend *fe = make(&o);
    size_t n, n_again;

    (void)state;
    run_in_portions(fe, speech, N_SAMPLES, 0);
    float *whole = copy_statics(fe, &n);
    oto_frontend_destroy(fe);
    fe = make(&o);
    oto_frontend_reset(fe, 5);
    oto_mem_fail_nth(1);
    assert_int_equal(oto_frontend_push(fe, speech, N_SAMPLES, NULL), OTO_ERR_MEMORY);
    oto_mem_fail_nth(0);
    assert_int_equal(oto_frontend_push(fe, speech, N_SAMPLES, NULL), OTO_OK);
    assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
    const float *again = oto_frontend_static(fe, &n_again);
    assert_int_equal(n_again, n);
    assert_memory_equal(again, whole, n * 40 * sizeof *whole);
    oto_free(whole);
    oto_frontend_destroy(fe);
}

/* Training changes log-mel energies and makes MFCC of them: unchanged, they are the MFCC. */
static void cepstra_of_log_mels_are_the_cepstra(void **state)
{
    (void)state;
    struct oto_frontend_options o = defaults();
    o.n_mels = 30;
    o.n_ceps = 21;
    struct oto_frontend *mfcc = make(&o);
    o.kind = OTO_FEATURE_FBANK;
    struct oto_frontend *fbank = make(&o);
    size_t n, n_log_mels;
    run_in_portions(mfcc, speech, N_SAMPLES, 0);
    run_in_portions(fbank, speech, N_SAMPLES, 0);
    float *expected = copy_statics(mfcc, &n), *log_mels = copy_statics(fbank, &n_log_mels);
    assert_int_equal(n_log_mels, n);
    float *made = oto_calloc(n * 21, sizeof *made), *copied = oto_calloc(n * 30, sizeof *copied);
    assert_non_null(made);
    assert_non_null(copied);
    oto_frontend_of_log_mels(mfcc, made, log_mels, n);
    assert_memory_equal(made, expected, n * 21 * sizeof *made);
    oto_frontend_of_log_mels(fbank, copied, log_mels, n);
    assert_memory_equal(copied, log_mels, n * 30 * sizeof *copied);
    oto_free(copied);
    oto_free(made);
    oto_free(log_mels);
    oto_free(expected);
    oto_frontend_destroy(fbank);
    oto_frontend_destroy(mfcc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(portions_give_identical_frames),
        cmocka_unit_test(frames_stand_where_kaldi_puts_them),
        cmocka_unit_test(dropping_frames_changes_no_other),
        cmocka_unit_test(a_long_stream_needs_no_more_memory),
        cmocka_unit_test(bad_samples_are_named_and_nothing_is_taken),
        cmocka_unit_test(the_loudest_samples_give_finite_features),
        cmocka_unit_test(pushing_after_finish_is_refused),
        cmocka_unit_test(masks_see_the_block_before_stacking),
        cmocka_unit_test(allocation_failures_are_reported),
        cmocka_unit_test(a_failed_push_takes_nothing),
        cmocka_unit_test(cepstra_of_log_mels_are_the_cepstra),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
