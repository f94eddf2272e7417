/* SPDX-License-Identifier: BSD-2-Clause */
/* A part of a recording: the same samples as in the whole, found by seeking, without reading what
 * comes before. */
#include "unit.h"

#include "audio_files.h"
#include "otolith/audio.h"

static char folder[64];
enum { RATE_HZ = 16000, N = 5 * RATE_HZ };
static float *noise; /* [N] */

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    noise = malloc(N * sizeof *noise);
    assert_non_null(noise);
    uint32_t random = 1; /* no two places alike */
    for (int i = 0; i < N; i++) {
        random = random * 1664525U + 1013904223U;
        noise[i] = (float)((double)(random >> 8) / 16777216.0 - 0.5);
    }
    return 0;
}

static int clean(void **state)
{
    (void)state;
    free(noise);
    unit_remove_folder(folder);
    return 0;
}

static float *read_part(const char *path, double start_s, double length_s, size_t *n)
{
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.start_s = start_s;
    options.length_s = length_s;
    return audio_read_file(path, &options, 1000, n);
}

static void gives_the_samples_of_the_whole(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int format;
    } kinds[] = {
        {"a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},  {"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
        {"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_FLOAT}, {"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
        {"a.au", SF_FORMAT_AU | SF_FORMAT_ULAW},
    };
    static const double parts[][2] = {{0, 0.5}, {1.25, 0.75}, {2.000031, 1.1}, {4.9, 0}, {3, 2}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        char path[100];
        size_t n_whole, n;
        snprintf(path, sizeof path, "%s/%s", folder, kinds[k].name);
        assert_true(audio_write(path, kinds[k].format, RATE_HZ, 1, noise, N));
        float *whole = audio_read_file(path, NULL, 4096, &n_whole);
        assert_int_equal(n_whole, N);
        for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
            /* libvorbisfile may be 128 samples off inside the last page of a file. */
            if (kinds[k].format == (SF_FORMAT_OGG | SF_FORMAT_VORBIS) && parts[p][0] > 4)
                continue;
            float *part = read_part(path, parts[p][0], parts[p][1], &n);
            long first = lround(parts[p][0] * RATE_HZ);
            long end = lround((parts[p][0] + parts[p][1]) * RATE_HZ);
            assert_int_equal(n, (parts[p][1] > 0 ? end : N) - first);
            if (memcmp(part, whole + first, n * sizeof *part) != 0)
                fail_msg("%s: other samples from %g s on", kinds[k].name, parts[p][0]);
            free(part);
        }
        free(whole);
    }
}

/* Raw samples have no seeking back end: they are read up to there. */
static void reads_up_to_it_where_it_cannot_seek(void **state)
{
    (void)state;
    char path[100];
    oto_audio *audio;
    oto_error err = {0};
    oto_audio_options options;
    size_t n;
    snprintf(path, sizeof path, "%s/a.raw", folder);
    unit_write_file(path, noise, N * sizeof *noise);
    oto_audio_options_init(&options);
    options.raw = "f32le:16000:1";
    options.start_s = 3.5;
    options.length_s = 0.25;
    if (oto_audio_open(&audio, path, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    float *part = audio_read_rest(audio, 333, &n, &err);
    assert_int_equal(n, RATE_HZ / 4);
    assert_memory_equal(part, noise + 7 * RATE_HZ / 2, n * sizeof *part);
    free(part);
    oto_audio_close(audio);
}

/* The file is damaged before the part: whoever decodes from the start meets it. */
static void does_not_read_what_comes_before(void **state)
{
    (void)state;
    char path[100];
    size_t n;
    float *bad = malloc(N * sizeof *bad);
    assert_non_null(bad);
    memcpy(bad, noise, N * sizeof *bad);
    bad[100] = NAN;
    snprintf(path, sizeof path, "%s/nan.wav", folder);
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, RATE_HZ, 1, bad, N));
    float *part = read_part(path, 1, 1, &n);
    assert_int_equal(n, RATE_HZ);
    free(part);
    free(bad);
}

static void says_what_is_not_there(void **state)
{
    (void)state;
    static const struct {
        double start_s, length_s;
        oto_status status;
        const char *message;
    } cases[] = {
        {5, 1, OTO_ERR_DATA, "b.wav: a part from 5.000 s on was asked for, but it ends at 5.000 s"},
        {9.5, 1, OTO_ERR_DATA, "from 9.500 s on was asked for, but it ends at 5.000 s"},
        {-1, 1, OTO_ERR_ARGUMENT, "from -1 s on was asked for"},
        {0, (double)NAN, OTO_ERR_ARGUMENT, "a part of nan s"},
        {1e9, 0, OTO_ERR_ARGUMENT, "0 to 100000000 are possible"},
    };
    char path[100];
    snprintf(path, sizeof path, "%s/b.wav", folder);
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, RATE_HZ, 1, noise, N));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oto_audio *audio;
        oto_error err = {0};
        oto_audio_options options;
        oto_audio_options_init(&options);
        options.start_s = cases[i].start_s;
        options.length_s = cases[i].length_s;
        assert_int_equal(oto_audio_open(&audio, path, &options, &err), cases[i].status);
        assert_contains(err.message, cases[i].message);
    }
}

static void warns_of_a_part_that_is_cut_off(void **state)
{
    (void)state;
    char path[100];
    oto_audio *audio;
    oto_error err = {0};
    oto_audio_options options;
    oto_audio_info info;
    size_t n;
    snprintf(path, sizeof path, "%s/c.wav", folder);
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, RATE_HZ, 1, noise, N));
    oto_audio_options_init(&options);
    options.start_s = 4.5;
    options.length_s = 1.25;
    options.rate_hz = 8000;
    assert_int_equal(oto_audio_open(&audio, path, &options, &err), OTO_OK);
    float *part = audio_read_rest(audio, 333, &n, &err);
    assert_int_equal(n, 4000);
    oto_audio_get_info(audio, &info);
    assert_contains(info.warning, "ends 0.750 s before the part that was asked for does");
    free(part);
    oto_audio_close(audio);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_samples_of_the_whole),
        cmocka_unit_test(reads_up_to_it_where_it_cannot_seek),
        cmocka_unit_test(does_not_read_what_comes_before),
        cmocka_unit_test(says_what_is_not_there),
        cmocka_unit_test(warns_of_a_part_that_is_cut_off),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
