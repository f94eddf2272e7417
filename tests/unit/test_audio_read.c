/* SPDX-License-Identifier: BSD-2-Clause */
/* Rates, channels, portions, positions and memory: what happens between the decoder and the caller.
 */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "audio_files.h"
#include "near.h"
#include "otolith/audio.h"

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

static oto_audio_options options_for(int rate_hz, int channel)
{
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.rate_hz = rate_hz;
    options.channel = channel;
    return options;
}

/* A tone of 440 Hz keeps frequency, size and place from every usual rate to 16 kHz. */
static void test_rates(void **state)
{
    static const int rates[] = {4000,  5512,  6000,  8000,  11025, 12000, 16000,  22050,
                                24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000};
    char path[96];
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        size_t n = (size_t)rates[k], n_out = 0;
        float *x = audio_tone(n, 1, 440.0, rates[k], 0.5);
        oto_audio_options options = options_for(16000, 0);
        double sum = 0.0;
        assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, rates[k], 1, x, n));
        float *y = audio_read_file(path, &options, 4096, &n_out);
        assert_in_range(n_out, 15999, 16001);
        for (size_t i = 4000; i < 12000; i++) {
            double d = (double)y[i] - 0.5 * sin(2.0 * AUDIO_PI * 440.0 * (double)i / 16000.0);
            sum += d * d;
        }
        assert_near(sqrt(sum / 8000.0), 0.0, 1e-5);
        free(x);
        free(y);
    }
}

static void test_rates_outside(void **state)
{
    static const int rates[] = {1, 3999, 192001, 384000};
    char path[96];
    float x[100] = {0};
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        for (int wav = 0; wav < 2; wav++) {
            oto_audio *audio = NULL;
            oto_error err;
            char number[32];
            int format = wav ? SF_FORMAT_WAV : SF_FORMAT_AU;
            assert_true(audio_write(path, format | SF_FORMAT_PCM_16, rates[k], 1, x, 100));
            assert_int_equal(oto_audio_open(&audio, path, NULL, &err), OTO_ERR_DATA);
            snprintf(number, sizeof number, "rate of %d Hz", rates[k]);
            assert_contains(err.message, number);
            assert_contains(err.message, path);
            assert_null(audio);
        }
    }
}

/* Mean of all by default, one by its number; 1 to 64 channels. */
static void test_channels(void **state)
{
    static const int counts[] = {1, 2, 3, 6, 8, 64};
    enum { N = 500 };
    char path[96];
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
        int C = counts[k];
        float *x = audio_tone(N, C, 50.0, 16000, 0.5);
        assert_true(audio_write(path, SF_FORMAT_WAVEX | SF_FORMAT_FLOAT, 16000, C, x, N));
        for (int channel = 0; channel <= C; channel += channel < 3 ? 1 : C - 3 > 0 ? C - 3 : 1) {
            size_t n = 0;
            oto_audio_options options = options_for(0, channel);
            float *y = audio_read_file(path, &options, 77, &n);
            assert_int_equal(n, N);
            for (int i = 0; i < N; i++) {
                double expected = 0.0;
                for (int c = 0; c < C; c++) {
                    expected += channel == 0 ? (double)x[i * C + c] / C
                                             : (double)x[i * C + c] * (c == channel - 1);
                }
                assert_near(y[i], expected, 1e-7);
            }
            free(y);
        }
        free(x);
    }
}

/* Portions do not matter: files and memory, resampled or not, give the same bits. */
static void test_portions(void **state)
{
    static const size_t portions[] = {1, 7, 160, 4096, 100000};
    static const int targets[] = {0, 16000, 48000};
    enum { N = 30000 };
    char path[96];
    float *x = audio_tone(N, 2, 300.0, 44100, 0.4);
    snprintf(path, sizeof path, "%s/x.flac", (char *)*state);
    assert_true(audio_write(path, SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 44100, 2, x, N));
    unsigned char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t size = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    for (size_t t = 0; t < 3; t++) {
        oto_audio_options options = options_for(targets[t], 0);
        size_t n_all = 0;
        float *all = audio_read_file(path, &options, 1 << 20, &n_all);
        assert_true(n_all > 10000);
        for (size_t p = 0; p < 5; p++) {
            size_t n = 0;
            float *y = audio_read_file(path, &options, portions[p], &n);
            assert_int_equal(n, n_all);
            assert_memory_equal(y, all, n * sizeof *y);
            free(y);
            oto_audio *audio = NULL;
            assert_int_equal(oto_audio_open_memory(&audio, bytes, size, "x", &options, NULL),
                             OTO_OK);
            y = audio_read_rest(audio, portions[p], &n, NULL);
            assert_non_null(y);
            assert_int_equal(n, n_all);
            assert_memory_equal(y, all, n * sizeof *y);
            free(y);
            oto_audio_close(audio);
        }
        free(all);
    }
    free(bytes);
    free(x);
}

/* After the end: no samples and no error, as often as asked. */
static void test_end_stays(void **state)
{
    char path[96];
    float x[10] = {0}, y[20];
    size_t n = 0;
    oto_audio *audio = NULL;
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, x, 10));
    assert_int_equal(oto_audio_open(&audio, path, NULL, NULL), OTO_OK);
    assert_int_equal(oto_audio_read(audio, y, 0, &n, NULL), OTO_OK);
    assert_int_equal(n, 0);
    assert_int_equal(oto_audio_read(audio, y, 20, &n, NULL), OTO_OK);
    assert_int_equal(n, 10);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(oto_audio_read(audio, y, 20, &n, NULL), OTO_OK);
        assert_int_equal(n, 0);
    }
    oto_audio_close(audio);
}

/* NaN and infinity are refused with the place of the first; a channel that is not listened to may
 * hold them. */
static void test_not_finite(void **state)
{
    static const struct {
        size_t at;
        int channel; /* 0 or 1 */
        float value;
        const char *sample, *word;
    } cases[] = {
        {0, 0, NAN, "sample 0 (0.000000 s) of channel 1", "NaN"},
        {17, 1, INFINITY, "sample 17 (0.002125 s) of channel 2", "infinite"},
        {4096, 0, -INFINITY, "sample 4096 (0.512000 s) of channel 1", "infinite"},
        {9999, 1, NAN, "sample 9999 (1.249875 s) of channel 2", "NaN"},
    };
    enum { N = 10000 };
    char path[96];
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        float *x = audio_tone(N, 2, 300.0, 8000, 0.4);
        x[2 * cases[k].at + (size_t)cases[k].channel] = cases[k].value;
        assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, 8000, 2, x, N));
        for (int rate = 0; rate <= 16000; rate += 16000) {
            oto_audio_options options = options_for(rate, 0);
            oto_audio *audio = NULL;
            oto_error err = {OTO_OK, ""};
            size_t n = 0;
            float one;
            assert_int_equal(oto_audio_open(&audio, path, &options, &err), OTO_OK);
            assert_null(audio_read_rest(audio, 100, &n, &err));
            assert_int_equal(err.status, OTO_ERR_DATA);
            assert_contains(err.message, path);
            assert_contains(err.message, cases[k].sample);
            assert_contains(err.message, cases[k].word);
            assert_int_equal(oto_audio_read(audio, &one, 1, &n, &err),
                             OTO_ERR_DATA); /* and so it stays */
            oto_audio_close(audio);
        }
        size_t n = 0;
        oto_audio_options other = options_for(0, 2 - cases[k].channel);
        float *y = audio_read_file(path, &other, 1000, &n);
        assert_int_equal(n, N);
        free(y);
        free(x);
    }
}

static long peak_kib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* Memory does not grow with the file: 60 MB of samples, as raw and as WAV, a hole on disk. */
static void test_constant_memory(void **state)
{
    enum { HEADER = 44 };
    const off_t size = 60LL * 1000 * 1000;
    char path[96];
    struct audio_bytes header = audio_wav_bytes(
        (struct audio_wav){.n_channels = 2, .rate_hz = 48000, .claimed_size = size});
    static float block[8192];
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    for (int wav = 0; wav < 2; wav++) {
        oto_audio_options options = options_for(wav ? 16000 : 0, 0);
        options.raw = wav ? NULL : "s16le:48000:2";
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(fd >= 0);
        if (wav) {
            assert_int_equal(write(fd, header.data, header.n), HEADER);
        }
        assert_int_equal(ftruncate(fd, size + (wav ? HEADER : 0)), 0);
        close(fd);
        oto_audio *audio = NULL;
        oto_error err = {OTO_OK, ""};
        uint64_t total = 0;
        long before = 0;
        size_t n = 0;
        assert_int_equal(oto_audio_open(&audio, path, &options, &err), OTO_OK);
        do {
            assert_int_equal(oto_audio_read(audio, block, 8192, &n, &err), OTO_OK);
            total += n;
            if (before == 0 && total > 1000000) {
                before = peak_kib();
            }
        } while (n > 0);
        long grown = peak_kib() - before;
        print_message("%s: %.0f MB of file, %ld KiB more memory\n", wav ? "WAV" : "raw",
                      (double)size / 1e6, grown);
        assert_true(grown < 1024);
        assert_near((double)total, (double)(size / 4) / (wav ? 3 : 1), 2.0);
        oto_audio_close(audio);
    }
    free(header.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_constant_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rates_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_channels, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_portions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_finite, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
