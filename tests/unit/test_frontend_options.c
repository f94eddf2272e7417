/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the front end: every one acts, every wrong one is refused, and what else they promise.
 */
#include "frontend_fixture.h"

#include "base/mem.h"
#include "features/frontend_options.h"
#include "near.h"

static void set(struct oto_frontend_options *o, const char *name, const char *value)
{
    oto_error err = {0};
    if (oto_options_set(oto_frontend_option_table, oto_frontend_n_options, o, name, value, &err))
        fail_msg("%s=%s: %s", name, value, err.message);
}

/* Output vectors of the test signal. */
static float *full_output(const struct oto_frontend_options *o, const struct oto_cmvn_stats *stats,
                          enum oto_fft_backend backend, uint64_t stream, size_t *size)
{
    struct oto_frontend *fe = make_with(o, stats, backend);
    size_t n;

    oto_frontend_reset(fe, stream);
    assert_int_equal(oto_frontend_push(fe, speech, N_SAMPLES, NULL), OTO_OK);
    assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
    const float *statics = oto_frontend_static(fe, &n);
    *size = oto_frontend_n_frames(fe, n) * (size_t)oto_frontend_dim(fe);
    float *out = oto_calloc(*size, sizeof *out);
    assert_non_null(out);
    assert_int_equal(oto_frontend_apply(fe, out, statics, n, NULL, NULL, NULL), OTO_OK);
    for (size_t i = 0; i < *size; i++)
        assert_true(isfinite(out[i]));
    oto_frontend_destroy(fe);
    return out;
}

static bool differ(const struct oto_frontend_options *a, const struct oto_frontend_options *b)
{
    size_t n_a, n_b;
    float *out_a = full_output(a, NULL, OTO_FFT_AUTO, 0, &n_a);
    float *out_b = full_output(b, NULL, OTO_FFT_AUTO, 0, &n_b);
    const bool result = n_a != n_b || memcmp(out_a, out_b, n_a * sizeof *out_a) != 0;

    oto_free(out_b);
    oto_free(out_a);
    return result;
}

/* No option is dead: each changes the output where it applies. */
static void every_option_acts(void **state)
{
    static const struct {
        const char *name, *value, *with, *with_value; /* WITH makes the option apply */
    } cases[] = {
        {"feature", "fbank", NULL, NULL},
        {"sample-rate", "8000", NULL, NULL},
        {"frame-length", "20", NULL, NULL},
        {"frame-shift", "12.5", NULL, NULL},
        {"dither", "1", NULL, NULL},
        {"dither-seed", "7", "dither", "1"},
        {"preemphasis", "0.9", NULL, NULL},
        {"remove-dc", "false", NULL, NULL},
        {"window", "hamming", NULL, NULL},
        {"window", "hanning", NULL, NULL},
        {"window", "blackman", NULL, NULL},
        {"window", "rectangular", NULL, NULL},
        {"blackman-coeff", "0.38", "window", "blackman"},
        {"snip-edges", "false", NULL, NULL},
        {"mels", "42", NULL, NULL},
        {"ceps", "13", NULL, NULL},
        {"low-hz", "100", NULL, NULL},
        {"high-hz", "-400", NULL, NULL},
        {"high-hz", "7000", NULL, NULL},
        {"lifter", "0", "cmvn", "none"}, /* variance normalisation takes the lifter out again */
        {"use-energy", "true", NULL, NULL},
        {"raw-energy", "false", "use-energy", "true"},
        {"energy-floor", "1e10", "use-energy", "true"},
        {"use-power", "false", "cmvn-variance", "false"},
        {"cmvn", "none", NULL, NULL},
        {"cmvn", "sliding", NULL, NULL},
        {"cmvn-variance", "false", NULL, NULL},
        {"cmvn-window", "30", "cmvn", "sliding"},
        {"delta-order", "1", NULL, NULL},
        {"delta-order", "2", NULL, NULL},
        {"delta-window", "3", "delta-order", "1"},
        {"stack", "4", NULL, NULL},
        {"stride", "2", NULL, NULL},
        {"cmvn-margin", "1", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < oto_frontend_n_options; i++) {
        bool listed = false;
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            listed |= !strcmp(cases[k].name, oto_frontend_option_table[i].name);
        if (!listed)
            fail_msg("%s is not tested here", oto_frontend_option_table[i].name);
    }
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct oto_frontend_options before = defaults(), after;
        if (cases[k].with)
            set(&before, cases[k].with, cases[k].with_value);
        after = before;
        set(&after, cases[k].name, cases[k].value);
        if (!differ(&before, &after))
            fail_msg("%s=%s changes nothing", cases[k].name, cases[k].value);
        assert_false(differ(&after, &after));
        size_t at = 0;
        const struct oto_option *option = oto_frontend_next_difference(&before, &after, &at);
        assert_non_null(option);
        assert_string_equal(option->name, cases[k].name);
        assert_null(oto_frontend_next_difference(&before, &after, &at));
    }
}

static void refuse(const struct oto_frontend_options *o, const char *text)
{
    struct oto_frontend *fe = (struct oto_frontend *)&fe;
    oto_error err = {0};

    assert_int_equal(oto_frontend_create(&fe, o, NULL, OTO_FFT_AUTO, &err), OTO_ERR_CONFIG);
    assert_null(fe);
    assert_int_equal(err.status, OTO_ERR_CONFIG);
    if (!strstr(err.message, text))
        fail_msg("\"%s\" does not say \"%s\"", err.message, text);
}

/* Values outside the table's range, put into the struct by hand as a damaged file would. */
static void every_range_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < oto_frontend_n_options; i++) {
        const struct oto_option *row = &oto_frontend_option_table[i];
        for (int side = 0; side < 3; side++) {
            struct oto_frontend_options o = defaults();
            char *field = (char *)&o + row->offset;
            if (row->type == OTO_OPTION_REAL) {
                const double bad[] = {row->min - 1.0, row->max * 1.01 + 1.0, NAN};
                memcpy(field, &bad[side], sizeof bad[side]);
            } else if (row->type == OTO_OPTION_INT) {
                const int bad[] = {(int)row->min - 1, (int)row->max + 1, INT32_MIN};
                memcpy(field, &bad[side], sizeof bad[side]);
            } else if (row->type == OTO_OPTION_CHOICE) {
                const int bad[] = {-1, 99, INT32_MIN};
                memcpy(field, &bad[side], sizeof bad[side]);
            } else {
                continue;
            }
            refuse(&o, row->name);
        }
    }
}

static void impossible_combinations_are_refused(void **state)
{
    static const struct {
        const char *name[2], *value[2], *text;
    } cases[] = {
        {{"ceps", "mels"}, {"30", "23"}, "ceps is 30: expected at most mels, 23"},
        {{"low-hz", "high-hz"}, {"4000", "3000"}, "low-hz 4000 and high-hz 3000"},
        {{"low-hz", "high-hz"}, {"20", "8001"}, "<= 8000 (half the sample-rate)"},
        {{"low-hz", "high-hz"}, {"20", "-7990"}, "high-hz was counted from there"},
        {{"frame-length", "sample-rate"}, {"1.5", "1000"}, "expected at least 2"},
        {{"frame-shift", "sample-rate"}, {"0.5", "1000"}, "less than one sample"},
        {{"mels", "cmvn"}, {"400", "none"}, "holds no spectral line"},
        {{"cmvn", "stack"}, {"global", "1"}, "no statistics of the training set"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct oto_frontend_options o = defaults();
        set(&o, cases[i].name[0], cases[i].value[0]);
        set(&o, cases[i].name[1], cases[i].value[1]);
        refuse(&o, cases[i].text);
    }
}

static void global_statistics_are_checked_and_used(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_cmvn_stats stats;
    struct oto_frontend *fe = make(&o);
    oto_error err = {0};
    size_t n, size;

    (void)state;
    run_in_portions(fe, speech, N_SAMPLES, 0);
    const float *statics = oto_frontend_static(fe, &n);
    assert_int_equal(oto_cmvn_stats_init(&stats, 40, NULL), OTO_OK);
    oto_cmvn_stats_add(&stats, statics, n);
    oto_frontend_destroy(fe);
    float *by_utterance = full_output(&o, NULL, OTO_FFT_AUTO, 5, &size);
    o.cmvn = OTO_CMVN_GLOBAL; /* the same utterance: the same statistics */
    float *by_stats = full_output(&o, &stats, OTO_FFT_AUTO, 5, &size);
    for (size_t i = 0; i < size; i++)
        assert_near(by_stats[i], by_utterance[i], 1e-4);
    oto_free(by_stats);
    oto_free(by_utterance);
    o.n_ceps = 13;
    assert_int_equal(oto_frontend_create(&fe, &o, &stats, OTO_FFT_AUTO, &err), OTO_ERR_DATA);
    assert_non_null(strstr(err.message, "40 columns, the features have 13"));
    o.n_ceps = 40;
    stats.sum[3] = INFINITY;
    assert_int_equal(oto_frontend_create(&fe, &o, &stats, OTO_FFT_AUTO, &err), OTO_ERR_DATA);
    oto_cmvn_stats_clear(&stats);
    assert_int_equal(oto_cmvn_stats_init(&stats, 7, NULL), OTO_OK);
    o.cmvn = OTO_CMVN_SLIDING; /* an empty prior is none, whatever its width */
    fe = make_with(&o, &stats, OTO_FFT_AUTO);
    oto_frontend_destroy(fe);
    oto_cmvn_stats_clear(&stats);
}

static void sizes_follow_the_options(void **state)
{
    struct oto_frontend_options o = defaults();
    struct oto_frontend *fe;
    float out = 7.0f;

    (void)state;
    fe = make(&o);
    assert_int_equal(oto_frontend_static_dim(fe), 40);
    assert_int_equal(oto_frontend_dim(fe), 120);
    assert_near(oto_frontend_shift_s(fe), 0.03, 1e-12);
    assert_int_equal(oto_frontend_n_static(fe, 16000), 98);
    assert_int_equal(oto_frontend_n_static(fe, 399), 0);
    assert_int_equal(oto_frontend_n_frames(fe, 98), 33);
    assert_int_equal(oto_frontend_apply(fe, &out, NULL, 0, NULL, NULL, NULL), OTO_OK);
    assert_near(out, 7.0, 0.0);
    oto_frontend_destroy(fe);
    o.delta_order = 2;
    o.stack = 5;
    o.stride = 1;
    o.kind = OTO_FEATURE_FBANK;
    o.use_energy = true;
    fe = make(&o);
    assert_int_equal(oto_frontend_static_dim(fe), 41);
    assert_int_equal(oto_frontend_dim(fe), 41 * 3 * 5);
    assert_near(oto_frontend_shift_s(fe), 0.01, 1e-12);
    oto_frontend_destroy(fe);
}

/* Stated tolerance between the back ends: 1e-4 of the rms of the static features. */
static void back_ends_give_the_same_features(void **state)
{
    (void)state;
#ifdef OTO_HAVE_FFTW
    struct oto_frontend_options o = defaults();
    double worst = 0.0, power = 0.0;
    size_t n;
    o.cmvn = OTO_CMVN_NONE;
    float *kiss = full_output(&o, NULL, OTO_FFT_KISS, 0, &n);
    float *fftw = full_output(&o, NULL, OTO_FFT_FFTW, 0, &n);
    for (size_t i = 0; i < n; i++) {
        worst = fmax(worst, fabs((double)kiss[i] - (double)fftw[i]));
        power += (double)kiss[i] * (double)kiss[i] / (double)n;
    }
    print_message("KissFFT and FFTW differ by %.2g of the rms at most\n", worst / sqrt(power));
    assert_true(worst <= 1e-4 * sqrt(power));
    oto_free(fftw);
    oto_free(kiss);
#else
    skip();
#endif
}

static void dither_is_a_function_of_seed_stream_and_sample(void **state)
{
    struct oto_frontend_options o = defaults();
    size_t n;

    (void)state;
    o.dither = 1.0;
    float *a = full_output(&o, NULL, OTO_FFT_AUTO, 1, &n),
          *b = full_output(&o, NULL, OTO_FFT_AUTO, 1, &n);
    float *other = full_output(&o, NULL, OTO_FFT_AUTO, 2, &n);
    assert_memory_equal(a, b, n * sizeof *a);
    assert_memory_not_equal(a, other, n * sizeof *a);
    oto_free(other);
    oto_free(b);
    oto_free(a);
    /* Its size: log energy of dithered silence is that of 400 samples of variance 100. */
    static const float silence[N_SAMPLES];
    o.dither = 10.0;
    o.use_energy = true;
    struct oto_frontend *fe = make(&o);
    run_in_portions(fe, silence, N_SAMPLES, 0);
    const float *statics = oto_frontend_static(fe, &n);
    double mean = 0.0;
    for (size_t t = 0; t < n; t++)
        mean += (double)statics[t * 40] / (double)n;
    assert_near(mean, log(400 * 100.0), 0.03);
    oto_frontend_destroy(fe);
}

static void silence_gives_finite_vectors(void **state)
{
    static const float silence[8000];
    struct oto_cmvn_stats stats;

    (void)state;
    assert_int_equal(oto_cmvn_stats_init(&stats, 40, NULL), OTO_OK);
    for (int cmvn = OTO_CMVN_NONE; cmvn <= OTO_CMVN_SLIDING; cmvn++) {
        struct oto_frontend_options o = defaults();
        float out[17 * 360];
        size_t n;
        o.delta_order = 2;
        if (cmvn == OTO_CMVN_GLOBAL) { /* statistics of silence too: no variance at all */
            struct oto_frontend *fe = make(&o);
            run_in_portions(fe, silence, 8000, 0);
            const float *statics = oto_frontend_static(fe, &n);
            oto_cmvn_stats_add(&stats, statics, n);
            oto_frontend_destroy(fe);
        }
        o.cmvn = cmvn;
        struct oto_frontend *fe = make_with(&o, &stats, OTO_FFT_AUTO);
        run_in_portions(fe, silence, 8000, 0);
        const float *statics = oto_frontend_static(fe, &n);
        assert_int_equal(oto_frontend_n_frames(fe, n), 16);
        assert_int_equal(oto_frontend_apply(fe, out, statics, n, NULL, NULL, NULL), OTO_OK);
        for (size_t i = 0; i < 16 * 360; i++)
            assert_true(isfinite(out[i]) && (cmvn == OTO_CMVN_NONE || fabsf(out[i]) < 0.01f));
        oto_frontend_destroy(fe);
    }
    oto_cmvn_stats_clear(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_acts),
        cmocka_unit_test(every_range_is_checked),
        cmocka_unit_test(impossible_combinations_are_refused),
        cmocka_unit_test(global_statistics_are_checked_and_used),
        cmocka_unit_test(sizes_follow_the_options),
        cmocka_unit_test(back_ends_give_the_same_features),
        cmocka_unit_test(dither_is_a_function_of_seed_stream_and_sample),
        cmocka_unit_test(silence_gives_finite_vectors),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
