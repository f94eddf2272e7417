/* SPDX-License-Identifier: BSD-2-Clause */
/* Every error message once, lying headers, files cut at every length, flipped bytes, and failing
 * allocations. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "audio_files.h"
#include "base/mem.h"
#include "near.h"
#include "otolith/audio.h"

/* libsndfile 1.2.0 forgets its vorbis_info when an Ogg header ends early; the leak is its own. Read
 * by LeakSanitizer. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_info_init\n";
}

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

/* Opening must fail so, naming the path and saying that. */
static void expect_failure(const char *path, const oto_audio_options *options, oto_status status,
                           const char *says)
{
    oto_audio *audio = (oto_audio *)&status; /* anything but NULL */
    oto_error err = {OTO_OK, ""};
    oto_status got = oto_audio_open(&audio, path, options, &err);
    if (got != status) {
        fail_msg("%s: status %d, expected %d (%s)", path, got, status, err.message);
    }
    assert_int_equal(err.status, status);
    assert_null(audio);
    assert_contains(err.message, says);
    assert_contains(err.message, path);
}

static void test_what_is_no_audio(void **state)
{
    static const char text[] = "id\tpath\ttext\n1\ta.wav\tgrüß Gott, this is no sound at all\n";
    static const unsigned char noise[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0,
                                          0,    0,   0,   9,   8, 7, 6, 5};
    char path[96], folder[80];
    snprintf(folder, sizeof folder, "%s", (char *)*state);
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    expect_failure(path, NULL, OTO_ERR_NOT_FOUND, "No such file");
    expect_failure(folder, NULL, OTO_ERR_FORMAT, "is a directory");
    unit_write_file(path, "", 0);
    expect_failure(path, NULL, OTO_ERR_DATA, "is empty (0 bytes)");
    unit_write_file(path, text, sizeof text - 1);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "is text, not audio");
    unit_write_file(path, noise, sizeof noise);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "begins with 7f 45 4c 46");
    unit_write_file(path, "fLaC and then nonsense\1\2", 24);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "damaged, cut off or of an unknown kind");
}

static void test_unreadable(void **state)
{
    char path[96];
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    unit_write_file(path, "RIFF", 4);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(*state, 0755), 0);
    uid_t me = geteuid();
    if (me == 0) { /* root may read everything */
        assert_int_equal(seteuid(65534), 0);
    }
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    oto_status status = oto_audio_open(&audio, path, NULL, &err);
    assert_int_equal(seteuid(me), 0);
    assert_int_equal(status, OTO_ERR_IO);
    assert_contains(err.message, path);
    assert_contains(err.message, "Permission denied");
}

static void write_wav(const char *path, struct audio_wav w)
{
    struct audio_bytes b = audio_wav_bytes(w);
    unit_write_file(path, b.data, b.n);
    free(b.data);
}

static void test_bad_wav_headers(void **state)
{
    unsigned char zeros[200] = {0};
    char path[96];
    struct audio_wav w = {.data = zeros, .data_size = sizeof zeros};
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);

    struct audio_wav bad = w;
    bad.n_channels = -1;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_DATA, "0 channels");
    bad.n_channels = 65;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_DATA, "65 channels");
    bad.n_channels = 65535;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_DATA, "65535 channels");
    bad = w;
    bad.rate_hz = -1;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_DATA, "rate of 0 Hz");
    bad.rate_hz = 4000000000;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_DATA, "rate of 4000000000 Hz");
    bad = w;
    bad.tag = 0x1234;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "format tag 0x1234, 16 bits");
    bad = w;
    bad.data_size = 0;
    write_wav(path, bad);
    expect_failure(path, NULL, OTO_ERR_DATA, "holds no samples");
    unit_write_file(path, "RIFF\x24\0\0\0WAVE", 12);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "no fmt and no data chunk");
    unit_write_file(path, "RIFF\x24\0\0\0WAVEdata\4\0\0\0abcd", 24);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "no fmt chunk before its data");
    struct audio_bytes b = audio_wav_bytes(w);
    unit_write_file(path, b.data, 36);
    free(b.data);
    expect_failure(path, NULL, OTO_ERR_FORMAT, "no data chunk in it");
}

static void test_bad_arguments(void **state)
{
    unsigned char zeros[200] = {0};
    char path[96];
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_error err;
    size_t n = 0;
    float y;
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    write_wav(path, (struct audio_wav){.n_channels = 2, .data = zeros, .data_size = sizeof zeros});
    oto_audio_options_init(&options);
    options.channel = 3;
    expect_failure(path, &options, OTO_ERR_ARGUMENT, "channel 3 was asked for, it has 2");
    options.channel = -1;
    expect_failure(path, &options, OTO_ERR_ARGUMENT, "channel -1");
    oto_audio_options_init(&options);
    options.rate_hz = 3999;
    expect_failure(path, &options, OTO_ERR_ARGUMENT, "3999 Hz was asked for");
    options.rate_hz = -16000;
    expect_failure(path, &options, OTO_ERR_ARGUMENT, "-16000 Hz was asked for");
    oto_audio_options_init(&options);
    options.struct_size = 0;
    expect_failure(path, &options, OTO_ERR_ARGUMENT, "oto_audio_options_init");
    oto_audio_options_init(&options);
    options.raw = "s17le:16000:1";
    assert_int_equal(oto_audio_open(&audio, path, &options, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "s17le");
    assert_int_equal(oto_audio_open(NULL, path, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_audio_open(&audio, NULL, NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_audio_open_memory(NULL, zeros, 1, "x", NULL, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_audio_open_memory(&audio, zeros, 0, "nothing", NULL, &err), OTO_ERR_DATA);
    assert_contains(err.message, "nothing: is empty");
    assert_int_equal(oto_audio_read(NULL, &y, 1, &n, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_audio_open_microphone(NULL, NULL, NULL, &err), OTO_ERR_ARGUMENT);
    oto_audio_close(NULL);
}

/* Opens, reads all, compares with the first n of x, and wants such a warning ("" for none). */
static void expect_samples(const char *path, const float *x, size_t n, const char *warning)
{
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    oto_audio_info info;
    size_t got = 0;
    if (oto_audio_open(&audio, path, NULL, &err) != OTO_OK) {
        fail_msg("%s", err.message);
    }
    float *y = audio_read_rest(audio, 1000, &got, &err);
    if (y == NULL) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(got, n);
    assert_memory_equal(x, y, n * sizeof *x);
    oto_audio_get_info(audio, &info);
    if (warning[0] == '\0') {
        assert_string_equal(info.warning, "");
    }
    assert_contains(info.warning, warning);
    free(y);
    oto_audio_close(audio);
}

/* The header claims more, nothing or a placeholder: what is there is read, and a warning tells. */
static void test_lying_lengths(void **state)
{
    enum { N = 5000 };
    static const char *const magics[] = {"RIFF", "RF64"};
    char path[96];
    float *x = audio_tone(N, 1, 300.0, 16000, 0.4);
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    for (size_t k = 0; k < 2; k++) {
        struct audio_wav w = {
            .magic = magics[k], .tag = 3, .bits = 32, .data = x, .data_size = N * sizeof *x};
        write_wav(path, w);
        expect_samples(path, x, N, "");
        w.claimed_size = N * 4 + 1000;
        write_wav(path, w);
        expect_samples(path, x, N, "claims 21000 bytes of samples, 20000 are there");
        w.claimed_size = 0x7ffffffe;
        write_wav(path, w);
        expect_samples(path, x, N, "claims 2147483646 bytes of samples, 20000 are there");
        w.claimed_size = 0xffffffff;
        write_wav(path, w);
        expect_samples(path, x, N, "claims 4294967295 bytes");
        w.claimed_size = N * 4 - 400; /* less is believed: other chunks follow the data */
        write_wav(path, w);
        expect_samples(path, x, N - 100, "");
    }
    struct audio_wav w = {
        .tag = 3, .bits = 32, .data = x, .data_size = N * sizeof *x, .claimed_size = -1};
    write_wav(path, w);
    expect_samples(path, x, N, "gives no true length");
    free(x);
}

/* A data chunk that is truly empty, because another chunk follows, is not read over. */
static void test_empty_data_chunk(void **state)
{
    char path[96];
    struct audio_wav w = {.data = "LIST\4\0\0\0INFO", .data_size = 12, .claimed_size = -1};
    snprintf(path, sizeof path, "%s/x.wav", (char *)*state);
    write_wav(path, w);
    expect_failure(path, NULL, OTO_ERR_DATA, "holds no samples");
}

static const int cut_formats[] = {
    SF_FORMAT_WAV | SF_FORMAT_PCM_16,          SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM,
    SF_FORMAT_RF64 | SF_FORMAT_PCM_24,         SF_FORMAT_W64 | SF_FORMAT_PCM_16,
    SF_FORMAT_AIFF | SF_FORMAT_PCM_16,         SF_FORMAT_AU | SF_FORMAT_ULAW,
    SF_FORMAT_CAF | SF_FORMAT_PCM_16,          SF_FORMAT_FLAC | SF_FORMAT_PCM_16,
    SF_FORMAT_OGG | SF_FORMAT_VORBIS,          SF_FORMAT_OGG | SF_FORMAT_OPUS,
    SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, SF_FORMAT_NIST | SF_FORMAT_PCM_16,
    SF_FORMAT_VOC | SF_FORMAT_PCM_16,          SF_FORMAT_SVX | SF_FORMAT_PCM_16,
};
enum { N_CUT_FORMATS = sizeof cut_formats / sizeof cut_formats[0] };

/* A small file of the format, as bytes; freed with free(). */
static unsigned char *small_file(const char *folder, int format, size_t n_frames, size_t *size)
{
    char path[96];
    float *x = audio_tone(n_frames, 1, 300.0, 16000, 0.4);
    unsigned char *bytes = malloc(1 << 18);
    assert_non_null(bytes);
    snprintf(path, sizeof path, "%s/x", folder);
    int rate = (format & SF_FORMAT_SUBMASK) == SF_FORMAT_OPUS ? 48000 : 16000;
    assert_true(audio_write(path, format, rate, 1, x, n_frames));
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *size = fread(bytes, 1, 1 << 18, f);
    fclose(f);
    free(x);
    return bytes;
}

/* Opens and reads to the end or to an error. Samples got; *warned as the info has it. */
static size_t survive(const unsigned char *bytes, size_t size, bool *warned)
{
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    oto_audio_info info;
    float block[512];
    size_t total = 0, n = 0;
    oto_status status = oto_audio_open_memory(&audio, bytes, size, "damaged", NULL, &err);
    if (status != OTO_OK) {
        assert_null(audio);
        assert_int_equal(err.status, status);
        assert_contains(err.message, "damaged");
        return 0;
    }
    do {
        status = oto_audio_read(audio, block, 512, &n, &err);
        total += n;
        for (size_t i = 0; i < n; i++) {
            assert_true(isfinite(block[i]));
        }
    } while (status == OTO_OK && n > 0 && total < 10000000);
    oto_audio_get_info(audio, &info);
    assert_true(info.n_channels >= 1 && info.source_rate_hz >= 4000);
    *warned = info.warning[0] != '\0';
    oto_audio_close(audio);
    return total;
}

/* Cut at every length of the header and many of the data: an error, or the samples that are there
 * with a warning. */
static void test_cut_files(void **state)
{
    enum { N = 4000 };
    for (size_t k = 0; k < N_CUT_FORMATS; k++) {
        size_t size = 0, most = 0, n_warned = 0;
        unsigned char *bytes = small_file(*state, cut_formats[k], N, &size);
        for (size_t n = 1; n < size; n += n < 600 ? 1 : 97) {
            bool warned = false;
            unsigned char *cut = malloc(n); /* of this very size, for the sanitizer */
            assert_non_null(cut);
            memcpy(cut, bytes, n);
            size_t got = survive(cut, n, &warned);
            most = got > most ? got : most;
            n_warned += warned;
            free(cut);
        }
        int major = cut_formats[k] & SF_FORMAT_TYPEMASK;
        bool by_block =
            major == SF_FORMAT_FLAC || (cut_formats[k] & SF_FORMAT_SUBMASK) > SF_FORMAT_ALAW;
        if (!by_block) {
            assert_in_range(most, N - 97, N);
        }
        if (!by_block && major != SF_FORMAT_VOC && major != SF_FORMAT_NIST) {
            assert_true(n_warned > 10);
        }
        free(bytes);
    }
}

/* Bytes changed anywhere: never a crash, never a sample that is not finite. */
static void test_flipped_bytes(void **state)
{
    uint32_t random = 12345;
    for (size_t k = 0; k < N_CUT_FORMATS; k++) {
        size_t size = 0;
        unsigned char *bytes = small_file(*state, cut_formats[k], 2000, &size);
        for (int round = 0; round < 300; round++) {
            size_t at[3];
            unsigned char old[3];
            bool warned = false;
            for (int i = 0; i < 3; i++) {
                random = random * 1664525U + 1013904223U;
                at[i] =
                    (random >> 8) % (round % 2 && size > 200 ? 200 : size); /* headers more often */
                old[i] = bytes[at[i]];
                bytes[at[i]] ^= (unsigned char)(1U << (random & 7));
            }
            (void)survive(bytes, size, &warned);
            for (int i = 2; i >= 0; i--) {
                bytes[at[i]] = old[i];
            }
        }
        free(bytes);
    }
}

/* The nth allocation fails, for every n that a whole reading makes: OTO_ERR_MEMORY, nothing leaks,
 * nothing breaks. */
static void test_out_of_memory(void **state)
{
    static const struct {
        int format;
        const char *raw;
        int rate_hz;
    } cases[] = {
        {SF_FORMAT_WAV | SF_FORMAT_PCM_16, NULL, 0},
        {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, NULL, 22050},
        {SF_FORMAT_AU | SF_FORMAT_PCM_16, "s16be:16000:1", 8000},
    };
    for (size_t k = 0; k < 3; k++) {
        size_t size = 0, nth = 0, n = 0;
        unsigned char *bytes = small_file(*state, cases[k].format, 2000, &size);
        oto_audio_options options;
        oto_audio_options_init(&options);
        options.raw = cases[k].raw;
        options.rate_hz = cases[k].rate_hz;
        oto_status status = OTO_ERR_MEMORY;
        while (status != OTO_OK) {
            oto_audio *audio = NULL;
            oto_error err = {OTO_OK, ""};
            oto_mem_fail_nth(++nth);
            status = oto_audio_open_memory(&audio, bytes, size, "x", &options, &err);
            if (status == OTO_OK) {
                float *y = audio_read_rest(audio, 100, &n, &err);
                assert_non_null(y); /* reading allocates nothing */
                free(y);
                oto_audio_close(audio);
            } else {
                assert_int_equal(status, OTO_ERR_MEMORY);
                assert_null(audio);
            }
        }
        oto_mem_fail_nth(0);
        assert_in_range(nth, 6, 20);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_no_audio, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_wav_headers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_arguments, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lying_lengths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_data_chunk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flipped_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
