/* SPDX-License-Identifier: BSD-2-Clause */
/* Every container and coding that libsndfile can write is read back with the samples that went in.
 */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include "audio_files.h"
#include "otolith/audio.h"

enum { N = 9600 };

static int set_up(void **state)
{
    *state = malloc(64);
    assert_non_null(*state);
    unit_make_folder(*state);
    return 0;
}

static int tear_down(void **state)
{
    unit_remove_folder(*state);
    free(*state);
    return 0;
}

/*
 * Greatest error of a sample of size x by the coding's definition, for those that keep each sample
 * by itself. Integers: half a step by rounding, and up to one step because libsndfile writes floats
 * scaled by 2^(b-1) - 1 and they are read scaled by 2^-(b-1). Logarithmic codings: half a step is
 * 1/33 of the value at most, and a step near zero. Negative: the coding is lossy over time and is
 * judged by its signal-to-noise ratio.
 */
static double sample_bound(int coding, double x)
{
    switch (coding) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_DPCM_8:
        return 1.5 / 128;
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_DPCM_16:
    case SF_FORMAT_DWVW_16:
    case SF_FORMAT_ALAC_16:
        return 1.5 / 32768;
    case SF_FORMAT_DWVW_12:
        return 1.5 / 2048;
    case SF_FORMAT_ALAC_20:
        return 1.5 / 524288;
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_DWVW_24:
    case SF_FORMAT_ALAC_24:
        return 1.5 / 8388608;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_ALAC_32:
        return 1e-7; /* float has 24 bits */
    case SF_FORMAT_FLOAT:
    case SF_FORMAT_DOUBLE:
        return 0.0;
    case SF_FORMAT_ULAW:
    case SF_FORMAT_ALAW:
        return fabs(x) / 33 + 1.0 / 2048;
    default:
        return -1.0;
    }
}

/* Least signal-to-noise ratio of a 500 Hz tone that a lossy coding must keep, in dB. */
static double least_snr_db(int coding)
{
    return coding == SF_FORMAT_GSM610 ? 20.0 : 28.0; /* measured: 27 dB, and 34 to 56 dB */
}

/* Ratio in dB between x and its difference from y, in the middle, at the shift (of y) that fits
 * best. */
static double snr_db(const float *x, const float *y, int max_shift)
{
    double best = -300.0;
    for (int shift = 0; shift <= max_shift; shift++) {
        double signal = 0.0, noise = 1e-30;
        for (int i = N / 4; i < N / 2; i++) {
            double d = (double)x[i] - (double)y[i + shift];
            signal += (double)x[i] * (double)x[i];
            noise += d * d;
        }
        double db = 10.0 * log10(signal / noise);
        best = db > best ? db : best;
    }
    return best;
}

static int rate_for(int format)
{
    switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WVE:
        return 8000; /* the only one it has */
    case SF_FORMAT_XI:
        return 44100; /* likewise */
    default:
        return (format & SF_FORMAT_SUBMASK) == SF_FORMAT_OPUS ? 48000 : 16000;
    }
}

/* False when libsndfile itself cannot write it, though it says that it can (MPEG layers I and II,
 * some others). */
static bool check_format(const char *folder, int format, const char *what)
{
    char path[128];
    int coding = format & SF_FORMAT_SUBMASK, rate = rate_for(format);
    bool is_mpeg = (format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG;
    float *x = audio_tone(N, 1, 500.0, rate, 0.45);
    snprintf(path, sizeof path, "%s/sound", folder); /* no ending: the content alone must do */
    if (!audio_write(path, format, rate, 1, x, N)) {
        free(x);
        return false;
    }
    oto_error err = {OTO_OK, ""};
    oto_audio *audio = NULL;
    oto_audio_info info;
    size_t n = 0;
    if (oto_audio_open(&audio, path, NULL, &err) != OTO_OK) {
        fail_msg("%s: %s", what, err.message);
    }
    float *y = audio_read_rest(audio, 1000, &n, &err);
    if (y == NULL) {
        fail_msg("%s: %s", what, err.message);
    }
    oto_audio_get_info(audio, &info);
    /* VOC keeps 256 - 10^6/rate in a byte. */
    int rate_bound = (format & SF_FORMAT_TYPEMASK) == SF_FORMAT_VOC ? rate / 100 : 0;
    assert_in_range(info.source_rate_hz, rate - rate_bound, rate + rate_bound);
    assert_int_equal(info.n_channels, 1);
    assert_true(strlen(info.format) > 4);
    if (info.warning[0] != '\0') {
        fail_msg("%s: warning for a sound file: %s", what, info.warning);
    }
    if (n < N || n > N + 4096) { /* codings by blocks fill the last one */
        fail_msg("%s: %zu samples for %d", what, n, N);
    }
    if (sample_bound(coding, 0.0) >= 0.0) {
        for (int i = 0; i < N; i++) {
            double d = fabs((double)x[i] - (double)y[i]);
            if (d > sample_bound(coding, (double)x[i])) {
                fail_msg("%s: sample %d is %g, was %g", what, i, (double)y[i], (double)x[i]);
            }
        }
    } else {
        double db = snr_db(x, y, is_mpeg ? 2400 : 64);
        if (db < least_snr_db(coding)) {
            fail_msg("%s: %.1f dB", what, db);
        }
    }
    oto_audio_close(audio);
    free(x);
    free(y);
    return true;
}

static void test_every_format(void **state)
{
    int n_majors = 0, n_codings = 0, n_checked = 0, n_unwritten = 0;
    sf_command(NULL, SFC_GET_FORMAT_MAJOR_COUNT, &n_majors, sizeof n_majors);
    sf_command(NULL, SFC_GET_FORMAT_SUBTYPE_COUNT, &n_codings, sizeof n_codings);
    for (int m = 0; m < n_majors; m++) {
        SF_FORMAT_INFO major = {.format = m};
        sf_command(NULL, SFC_GET_FORMAT_MAJOR, &major, sizeof major);
        if (major.format == SF_FORMAT_RAW || major.format == SF_FORMAT_SD2) {
            continue; /* headerless: test_audio_raw; SD2 keeps its header in a second file */
        }
        for (int s = 0; s < n_codings; s++) {
            SF_FORMAT_INFO coding = {.format = s};
            sf_command(NULL, SFC_GET_FORMAT_SUBTYPE, &coding, sizeof coding);
            int format = major.format | coding.format;
            SF_INFO info = {.samplerate = rate_for(format), .channels = 1, .format = format};
            if (sf_format_check(&info)) {
                char what[160];
                snprintf(what, sizeof what, "%s, %s", major.name, coding.name);
                if (check_format(*state, format, what)) {
                    n_checked++;
                } else {
                    print_message("not written by libsndfile: %s\n", what);
                    n_unwritten++;
                }
            }
        }
    }
    print_message("%d pairs of container and coding\n", n_checked);
    assert_true(n_checked >= 100);
    assert_true(n_unwritten <= 8);
}

/* Files that the library reads but no list of majors names: RIFX, extensible, RF64 by hand. */
static void test_wav_by_hand(void **state)
{
    static const struct audio_wav kinds[] = {
        {.magic = "RIFF"},
        {.magic = "RIFX"},
        {.magic = "RF64"},
        {.magic = "RIFF", .extensible = true},
        {.magic = "RIFF", .before = "LIST"},
    };
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        unsigned char samples[200];
        bool big = strcmp(kinds[k].magic, "RIFX") == 0;
        struct audio_bytes b = {samples, 0};
        for (int i = 0; i < 100; i++) {
            audio_put(&b, (unsigned long long)(i * 300 - 15000), 2, big);
        }
        struct audio_wav w = kinds[k];
        w.data = samples;
        w.data_size = sizeof samples;
        b = audio_wav_bytes(w);
        oto_audio *audio = NULL;
        oto_error err = {OTO_OK, ""};
        float y[101];
        size_t n = 0;
        if (oto_audio_open_memory(&audio, b.data, b.n, "by hand", NULL, &err) != OTO_OK) {
            fail_msg("%s: %s", kinds[k].magic, err.message);
        }
        assert_int_equal(oto_audio_read(audio, y, 101, &n, &err), OTO_OK);
        assert_int_equal(n, 100);
        for (int i = 0; i < 100; i++) {
            assert_true(y[i] == (float)(i * 300 - 15000) / 32768.0F);
        }
        oto_audio_info info;
        oto_audio_get_info(audio, &info);
        assert_string_equal(info.warning, "");
        assert_true(fabs(info.seconds - 100.0 / 16000.0) < 1e-9);
        oto_audio_close(audio);
        free(b.data);
    }
}

/* A name's ending must not decide: libsndfile alone takes any file.vox or file.gsm for headerless
 * sound. */
static void test_ending_means_nothing(void **state)
{
    static const char *const endings[] = {"vox", "gsm", "raw", "ul", "al", "au", "wav", "mp3"};
    float *x = audio_tone(N, 1, 500.0, 16000, 0.45);
    for (size_t k = 0; k < sizeof endings / sizeof endings[0]; k++) {
        char path[128];
        size_t n = 0;
        oto_error err = {OTO_OK, ""};
        oto_audio *audio = NULL;
        snprintf(path, sizeof path, "%s/x.%s", (char *)*state, endings[k]);
        unit_write_file(path, x, N * sizeof *x);
        assert_int_equal(oto_audio_open(&audio, path, NULL, &err), OTO_ERR_FORMAT);
        assert_contains(err.message, path);
        assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 16000, 1, x, N));
        float *y = audio_read_file(path, NULL, 4096, &n);
        assert_int_equal(n, N);
        assert_memory_equal(x, y, N * sizeof *x);
        free(y);
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_format, set_up, tear_down),
        cmocka_unit_test(test_wav_by_hand),
        cmocka_unit_test_setup_teardown(test_ending_means_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
