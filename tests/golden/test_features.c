/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Features of real speech against kaldi-native-fbank (vectors by make_features.py), with every FFT
 * back end.
 *
 * The promise is 1e-3 of the values' rms; a tenth of it is held here. Both sides round to float:
 * about 1e-6 in a log-mel energy, times the lifter's 12, once more times the normalisation's
 * inverse deviation where that comes behind.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "features/frontend.h"

#define TOLERANCE 1e-4
#define FOLDER OTO_TEST_DATA "/features/"

struct golden {
    char name[64], clip[64], stage[16], options[256];
    size_t rows, columns;
};

static struct oto_map map_file(const char *name, const char *suffix)
{
    struct oto_map map = {0};
    char path[512];
    oto_error err = {0};

    snprintf(path, sizeof path, "%s%s%s", FOLDER, name, suffix);
    if (oto_map_open(&map, path, &err))
        fail_msg("%s", err.message);
    return map;
}

/* Samples of one of our own clips: 44 bytes of header, 16 bit, mono. */
static float *read_clip(const char *name, size_t *n)
{
    struct oto_map map = map_file(name, ".wav");
    struct oto_reader reader;
    float *samples;

    assert_true(map.size > 44 && !memcmp(map.data, "RIFF", 4) && !memcmp(map.data + 36, "data", 4));
    *n = (map.size - 44) / 2;
    samples = oto_calloc(*n, sizeof *samples);
    assert_non_null(samples);
    oto_reader_init(&reader, map.data + 44, map.size - 44);
    for (size_t i = 0; i < *n; i++)
        samples[i] = (float)(int16_t)oto_read_u16(&reader) / 32768.0f;
    oto_map_close(&map);
    return samples;
}

static struct oto_frontend *make(const struct golden *g, enum oto_fft_backend backend)
{
    struct oto_frontend_options o = {0};
    struct oto_frontend *fe = NULL;
    char text[sizeof g->options], *rest = text;
    oto_error err = {0};

    snprintf(text, sizeof text, "%s", g->options);
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, &err),
                     OTO_OK);
    for (char *word; strcmp(g->options, "-") != 0 && (word = strtok_r(rest, " ", &rest)) != NULL;) {
        char *value = strchr(word, '=');
        assert_non_null(value);
        *value++ = '\0';
        if (oto_options_set(oto_frontend_option_table, oto_frontend_n_options, &o, word, value,
                            &err))
            fail_msg("%s: %s", g->name, err.message);
    }
    if (oto_frontend_create(&fe, &o, NULL, backend, &err))
        fail_msg("%s: %s", g->name, err.message);
    return fe;
}

/* Largest difference over the rms of the expected values. */
static double compare(const struct golden *g, const float *ours)
{
    struct oto_map map = map_file(g->name, ".f32");
    const size_t n = g->rows * g->columns;
    struct oto_reader reader;
    double worst = 0.0, power = 0.0;

    assert_int_equal(map.size, n * sizeof(float));
    oto_reader_init(&reader, map.data, map.size);
    for (size_t i = 0; i < n; i++) {
        const double theirs = (double)oto_read_f32(&reader);
        const double difference = fabs((double)ours[i] - theirs);
        power += theirs * theirs;
        worst = difference <= worst ? worst : difference; /* NaN counts */
    }
    oto_map_close(&map);
    return worst / sqrt(power / (double)n);
}

static void check(const struct golden *g, enum oto_fft_backend backend)
{
    struct oto_frontend *fe = make(g, backend);
    size_t n_samples, n_static;
    float *samples = read_clip(g->clip, &n_samples);
    float *full = oto_calloc(g->rows * g->columns, sizeof *full);
    const float *statics;
    double error;

    assert_non_null(full);
    oto_frontend_reset(fe, 0);
    assert_int_equal(oto_frontend_push(fe, samples, n_samples, NULL), OTO_OK);
    assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
    statics = oto_frontend_static(fe, &n_static);
    assert_int_equal(n_static, oto_frontend_n_static(fe, n_samples));
    if (!strcmp(g->stage, "full")) {
        assert_int_equal(g->rows, oto_frontend_n_frames(fe, n_static));
        assert_int_equal(g->columns, oto_frontend_dim(fe));
        assert_int_equal(oto_frontend_apply(fe, full, statics, n_static, NULL, NULL, NULL), OTO_OK);
        error = compare(g, full);
    } else {
        assert_int_equal(g->rows, n_static);
        assert_int_equal(g->columns, oto_frontend_static_dim(fe));
        error = compare(g, statics);
    }
    print_message("%-14s back end %d: %.2g of rms\n", g->name, (int)backend, error);
    assert_true(error <= TOLERANCE);
    oto_free(full);
    oto_free(samples);
    oto_frontend_destroy(fe);
}

static void features_equal_kaldi_native_fbank(void **state)
{
    FILE *index = fopen(FOLDER "index.tsv", "r");
    char line[512];
    int n_cases = 0;

    (void)state;
    assert_non_null(index);
    assert_non_null(fgets(line, sizeof line, index)); /* header */
    while (fgets(line, sizeof line, index)) {
        struct golden g;
        assert_int_equal(sscanf(line, "%63s\t%63s\t%15s\t%zu\t%zu\t%255[^\n]", g.name, g.clip,
                                g.stage, &g.rows, &g.columns, g.options),
                         6);
        check(&g, OTO_FFT_KISS);
#ifdef OTO_HAVE_FFTW
        check(&g, OTO_FFT_FFTW);
#endif
        n_cases++;
    }
    fclose(index);
    assert_true(n_cases >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(features_equal_kaldi_native_fbank)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
