/* SPDX-License-Identifier: BSD-2-Clause */
/* Which frames count for CMVN: those near loud ones, in files and live. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "features/cmvn.h"
#include "features/frontend_options.h"
#include "features/vad.h"

enum { N = 600, DIM = 13 };

static struct oto_frontend_options options(void)
{
    struct oto_frontend_options o;
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, NULL),
                     OTO_OK);
    o.n_ceps = DIM;
    o.cmvn_margin_ms = 100;
    return o;
}

/* Quiet at level -8, speech of level 0 to 5 in frames 200..299 and 400..449. */
static void fill(float *statics, const struct oto_frontend_options *o)
{
    for (int t = 0; t < N; t++) {
        int loud = (t >= 200 && t < 300) || (t >= 400 && t < 450);
        double level = loud ? 2.5 + 2.5 * sin(t) : -8 + 0.2 * oto_rng_normal(3, 1, (uint64_t)t);
        for (int d = 0; d < DIM; d++)
            statics[t * DIM + d] = (float)oto_rng_normal(3, 2, (uint64_t)(t * DIM + d));
        statics[t * DIM] = (float)(level * sqrt(o->n_mels));
    }
}

static void marks_what_is_near(void **state)
{
    (void)state;
    const struct oto_frontend_options o = options();
    static float statics[N * DIM];
    uint8_t counts[N];
    fill(statics, &o);
    oto_vad_mark(counts, &o, statics, N, DIM);
    for (int t = 0; t < N; t++) {
        int inside = (t >= 192 && t < 308) || (t >= 392 && t < 458);
        int outside = t < 188 || (t >= 312 && t < 388) || t >= 462;
        if (inside)
            assert_int_equal(counts[t], 1);
        if (outside)
            assert_int_equal(counts[t], 0);
    }
    /* A click of three frames, 40 dB above the speech, changes nothing. */
    uint8_t again[N];
    for (int t = 50; t < 53; t++)
        statics[t * DIM] += (float)(22 * sqrt(o.n_mels));
    oto_vad_mark(again, &o, statics, N, DIM);
    assert_memory_equal(again + 70, counts + 70, N - 70);
}

/* One level throughout, or hardly a frame: there is nothing to tell apart, all count. */
static void marks_all_of_what_is_even(void **state)
{
    (void)state;
    const struct oto_frontend_options o = options();
    static float statics[N * DIM];
    uint8_t counts[N];
    for (size_t n = 0; n <= N; n = n < 8 ? n + 1 : n + 296) {
        memset(counts, 7, sizeof counts);
        oto_vad_mark(counts, &o, statics, n, DIM);
        for (size_t t = 0; t < N; t++)
            assert_int_equal(counts[t], t < n ? 1 : 7);
    }
    for (size_t t = 0; t < N; t++)
        statics[t * DIM] = NAN; /* as the front end never gives it */
    oto_vad_mark(counts, &o, statics, N, DIM);
    assert_int_equal(counts[0], 1);
}

static void levels_are_those_of_power(void **state)
{
    (void)state;
    struct oto_frontend_options o = options();
    float x[DIM];
    for (int d = 0; d < DIM; d++)
        x[d] = (float)d;
    x[0] = (float)sqrt(40) * 3;
    assert_true(fabs(oto_vad_level(&o, x, DIM) - 3) < 1e-6);
    o.use_power = false;
    assert_true(fabs(oto_vad_level(&o, x, DIM) - 6) < 1e-6);
    o.kind = OTO_FEATURE_FBANK;
    x[0] = 0;
    assert_true(fabs(oto_vad_level(&o, x, DIM) - 12) < 1e-6); /* twice the mean of 0..12 */
    o.use_energy = true;
    x[0] = 5;
    assert_true(fabs(oto_vad_level(&o, x, DIM) - 5) < 1e-6);
}

static void needs_a_range(void **state)
{
    (void)state;
    struct oto_vad vad = {0};
    assert_true(oto_vad_threshold(&vad, 1.4) == (double)INFINITY);
    for (int i = 0; i < 100; i++)
        oto_vad_add(&vad, 0.1 + 0.5 * (i % 2));
    assert_true(oto_vad_threshold(&vad, 1.4) == (double)INFINITY);
    for (int i = 0; i < 10; i++)
        oto_vad_add(&vad, 10.1);
    assert_true(fabs(oto_vad_threshold(&vad, 1.4) - 3) < 0.3); /* floor 0 + 0.3 of 10: nearest */
    for (int i = 0; i < 10; i++)
        oto_vad_add(&vad, 30.1);
    assert_true(fabs(oto_vad_threshold(&vad, 1.4) - 23) < 0.3); /* 30 dB below the peak */
    for (int i = 0; i < 2; i++) { /* 10 frames of the peak are 2.5 then: less than 5 */
        oto_vad_fade(&vad);
        oto_vad_fade(&vad);
        oto_vad_add(&vad, 0.1);
    }
    assert_true(oto_vad_threshold(&vad, 1.4) == (double)INFINITY);
    oto_vad_add(&vad, NAN);
    oto_vad_add(&vad, 1e300);
    oto_vad_add(&vad, -1e300);
}

/* Pauses around an utterance do not move what it is normalised by. */
static void pauses_do_not_matter(void **state)
{
    (void)state;
    struct oto_frontend_options o = options();
    struct oto_frontend *fe;
    static float statics[N * DIM], whole[N * DIM], part[N * DIM];
    const int first = 150, n = 350;
    o.stack = o.stride = 1;
    fill(statics, &o);
    for (int gated = 0; gated < 2; gated++) {
        double worst = 0;
        o.cmvn_margin_ms = gated ? 100 : 0;
        assert_int_equal(oto_frontend_create(&fe, &o, NULL, OTO_FFT_KISS, NULL), OTO_OK);
        assert_int_equal(oto_frontend_apply(fe, whole, statics, N, NULL, NULL, NULL), OTO_OK);
        assert_int_equal(
            oto_frontend_apply(fe, part, statics + first * DIM, (size_t)n, NULL, NULL, NULL),
            OTO_OK);
        for (int i = 0; i < n * DIM; i++)
            worst = fmax(worst, fabs((double)part[i] - (double)whole[first * DIM + i]));
        assert_true(gated ? worst < 1e-5 : worst > 0.1);
        oto_frontend_destroy(fe);
    }
}

/* Live: what is quiet before the first speech does not count, but for what turns out to be near. */
static void counts_as_it_comes(void **state)
{
    (void)state;
    struct oto_frontend_options o = options();
    struct oto_vad_stream stream;
    static float statics[N * DIM];
    uint8_t offline[N];
    fill(statics, &o);
    oto_vad_mark(offline, &o, statics, N, DIM);
    oto_vad_stream_init(&stream, &o);
    for (int utterance = 0; utterance < 2; utterance++) {
        uint8_t counts[N] = {0};
        for (size_t t = 0; t < N; t++) {
            size_t n = oto_vad_stream_push(&stream, oto_vad_level(&o, statics + t * DIM, DIM));
            assert_true(n <= t + 1);
            for (size_t i = t + 1 - n; i <= t; i++)
                assert_int_equal(counts[i]++, 0); /* none twice */
        }
        int n_differ = 0;
        for (size_t t = 0; t < N; t++)
            n_differ += counts[t] != offline[t];
        assert_true(n_differ <= 4);
        oto_vad_stream_next(&stream);
    }
    o.cmvn_margin_ms = 0;
    oto_vad_stream_init(&stream, &o);
    for (int t = 0; t < 50; t++)
        assert_int_equal(oto_vad_stream_push(&stream, -5), 1);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    const struct oto_frontend_options o = options();
    static float statics[N * DIM], out[N * DIM * 3];
    for (size_t nth = 0, n = 0; nth <= n; nth++) {
        struct oto_frontend *fe;
        oto_mem_fail_nth(nth);
        oto_status status = oto_frontend_create(&fe, &o, NULL, OTO_FFT_KISS, NULL);
        if (status == OTO_OK)
            status = oto_frontend_apply(fe, out, statics, N, NULL, NULL, NULL);
        size_t n_made = oto_mem_fail_nth(0);
        assert_int_equal(status, nth == 0 ? OTO_OK : OTO_ERR_MEMORY);
        n = nth == 0 ? n_made : n;
        oto_frontend_destroy(fe);
    }
}

static void goes_with_utterances(void **state)
{
    (void)state;
    struct oto_frontend_options o = options();
    oto_error err;
    assert_int_equal(oto_frontend_options_check(&o, &err), OTO_OK);
    o.cmvn = OTO_CMVN_NONE; /* static vectors for later */
    assert_int_equal(oto_frontend_options_check(&o, &err), OTO_OK);
    for (o.cmvn = OTO_CMVN_GLOBAL; o.cmvn <= OTO_CMVN_SLIDING; o.cmvn++) {
        assert_int_equal(oto_frontend_options_check(&o, &err), OTO_ERR_CONFIG);
        assert_contains(err.message, "cmvn-margin is 100 ms");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_what_is_near),        cmocka_unit_test(marks_all_of_what_is_even),
        cmocka_unit_test(levels_are_those_of_power), cmocka_unit_test(needs_a_range),
        cmocka_unit_test(pauses_do_not_matter),      cmocka_unit_test(counts_as_it_comes),
        cmocka_unit_test(survives_lack_of_memory),   cmocka_unit_test(goes_with_utterances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
