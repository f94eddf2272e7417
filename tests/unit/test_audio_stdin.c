/* SPDX-License-Identifier: BSD-2-Clause */
/* Standard input and pipes: WAV and raw while they arrive, other containers by way of a temporary
 * file. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audio_files.h"
#include "base/mem.h"
#include "near.h"
#include "otolith/audio.h"

enum { N = 20000 };

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

/* Standard input replaced for a while; writer is a child that fills it, 0 for none. */
struct replaced {
    int saved;
    pid_t writer;
};

static bool write_all(int fd, const unsigned char *data, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, data, n);
        if (done <= 0) {
            return false;
        }
        data += done;
        n -= (size_t)done;
    }
    return true;
}

/* A child writes the bytes into standard input, portion at a time, times over. */
static struct replaced feed(const unsigned char *data, size_t n, size_t portion, int times)
{
    struct replaced r = {dup(STDIN_FILENO), 0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    r.writer = fork();
    assert_true(r.writer >= 0);
    if (r.writer == 0) {
        bool ok = true;
        close(ends[0]);
        for (int k = 0; ok && k < times; k++) {
            for (size_t at = 0; ok && at < n; at += portion) {
                ok = write_all(ends[1], data + at, portion < n - at ? portion : n - at);
            }
        }
        _exit(ok ? 0 : 1);
    }
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    close(ends[1]);
    return r;
}

static void restore(struct replaced r)
{
    if (r.saved >= 0) {
        dup2(r.saved, STDIN_FILENO);
        close(r.saved);
    } else {
        close(STDIN_FILENO);
    }
    if (r.writer > 0) {
        int status;
        assert_int_equal(waitpid(r.writer, &status, 0), r.writer);
    }
}

static unsigned char *slurp(const char *path, size_t *n)
{
    unsigned char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    return bytes;
}

static const struct {
    int format;
    const char *streamed; /* in the format's name, where it is not spooled */
} piped[] = {
    {SF_FORMAT_WAV | SF_FORMAT_PCM_U8, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_PCM_16, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG, "stream"}, /* RIFX */
    {SF_FORMAT_WAV | SF_FORMAT_PCM_24, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_PCM_32, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_FLOAT, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_DOUBLE, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_ULAW, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_ALAW, "stream"},
    {SF_FORMAT_WAVEX | SF_FORMAT_PCM_16, "stream"},
    {SF_FORMAT_RF64 | SF_FORMAT_PCM_24, "stream"},
    {SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, ""},
    {SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, ""},
    {SF_FORMAT_FLAC | SF_FORMAT_PCM_16, ""},
    {SF_FORMAT_OGG | SF_FORMAT_VORBIS, ""},
    {SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, ""},
    {SF_FORMAT_AIFF | SF_FORMAT_PCM_16, ""},
    {SF_FORMAT_AU | SF_FORMAT_PCM_16, ""},
    {SF_FORMAT_CAF | SF_FORMAT_PCM_16, ""},
    {SF_FORMAT_W64 | SF_FORMAT_PCM_16, ""},
};

/* The samples that a file gives come out of a pipe too, with the same bits, whatever the portions.
 */
static void test_same_as_file(void **state)
{
    static const size_t portions[] = {13, 4093, 1 << 20};
    char path[96];
    float *x = audio_tone(N, 2, 300.0, 16000, 0.4);
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.rate_hz = 22050;
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    for (size_t k = 0; k < sizeof piped / sizeof piped[0]; k++) {
        size_t n_bytes, n_file, n;
        assert_true(audio_write(path, piped[k].format, 16000, 2, x, N));
        unsigned char *bytes = slurp(path, &n_bytes);
        float *expected = audio_read_file(path, &options, 1000, &n_file);
        assert_true(n_file > 20000);
        for (size_t p = 0; p < 3; p++) {
            struct replaced r = feed(bytes, n_bytes, portions[p], 1);
            oto_audio *audio = NULL;
            oto_audio_info info;
            oto_error err = {OTO_OK, ""};
            if (oto_audio_open(&audio, "-", &options, &err) != OTO_OK) {
                fail_msg("case %zu: %s", k, err.message);
            }
            float *y = audio_read_rest(audio, 777, &n, &err);
            assert_non_null(y);
            assert_int_equal(n, n_file);
            assert_memory_equal(y, expected, n * sizeof *y);
            oto_audio_get_info(audio, &info);
            assert_string_equal(info.warning, "");
            assert_contains(info.format, piped[k].streamed);
            oto_audio_close(audio);
            restore(r);
            free(y);
        }
        free(expected);
        free(bytes);
    }
    free(x);
}

static float *read_stdin(const oto_audio_options *options, size_t *n, char warning[256])
{
    oto_audio *audio = NULL;
    oto_audio_info info;
    oto_error err = {OTO_OK, ""};
    if (oto_audio_open(&audio, "-", options, &err) != OTO_OK) {
        fail_msg("%s", err.message);
    }
    float *y = audio_read_rest(audio, 1000, n, &err);
    assert_non_null(y);
    oto_audio_get_info(audio, &info);
    snprintf(warning, 256, "%s", info.warning);
    oto_audio_close(audio);
    return y;
}

/* Without a header: s16le at 16 kHz, mono, with a warning, or what raw says; a header wins over
 * raw. */
static void test_raw_and_header(void **state)
{
    int16_t s[1000];
    unsigned char bytes[2000];
    char warning[256];
    size_t n = 0;
    oto_audio_options options;
    (void)state;
    oto_audio_options_init(&options);
    for (int i = 0; i < 1000; i++) {
        s[i] = (int16_t)(i * 60 - 30000);
        bytes[2 * i] = (unsigned char)(s[i] & 0xff);
        bytes[2 * i + 1] = (unsigned char)((uint16_t)s[i] >> 8);
    }
    struct replaced r = feed(bytes, sizeof bytes, 7, 1);
    float *y = read_stdin(&options, &n, warning);
    assert_int_equal(n, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_true(y[i] == (float)s[i] / 32768.0F);
    }
    assert_contains(warning, "taken for raw samples in s16le:16000:1");
    free(y);
    restore(r);

    options.raw = "s16le:8000:2";
    options.channel = 2;
    r = feed(bytes, sizeof bytes, 7, 1);
    y = read_stdin(&options, &n, warning);
    assert_int_equal(n, 500);
    for (int i = 0; i < 500; i++) {
        assert_true(y[i] == (float)s[2 * i + 1] / 32768.0F);
    }
    assert_string_equal(warning, "");
    free(y);
    restore(r);

    struct audio_bytes wav =
        audio_wav_bytes((struct audio_wav){.data = bytes, .data_size = sizeof bytes});
    options.channel = 0;
    options.raw = "alaw:48000:1";
    r = feed(wav.data, wav.n, 5, 1);
    y = read_stdin(&options, &n, warning);
    assert_int_equal(n, 1000);
    assert_true(y[999] == (float)s[999] / 32768.0F);
    free(y);
    restore(r);
    free(wav.data);
}

/* A redirected file is read from where it stands, sought like any other file. */
static void test_redirected_file(void **state)
{
    char path[96], warning[256];
    float *x = audio_tone(N, 1, 300.0, 16000, 0.4);
    size_t n = 0;
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    assert_true(audio_write(path, SF_FORMAT_CAF | SF_FORMAT_FLOAT, 16000, 1, x, N));
    for (int skip = 0; skip <= 7; skip += 7) {
        size_t n_bytes;
        unsigned char *bytes = slurp(path, &n_bytes);
        memmove(bytes + skip, bytes, n_bytes);
        unit_write_file(path, bytes, n_bytes + (size_t)skip);
        free(bytes);
        struct replaced r = {dup(STDIN_FILENO), 0};
        int fd = open(path, O_RDONLY);
        assert_true(fd >= 0);
        assert_int_equal(lseek(fd, skip, SEEK_SET), skip);
        dup2(fd, STDIN_FILENO);
        close(fd);
        float *y = read_stdin(NULL, &n, warning);
        assert_int_equal(n, N);
        assert_memory_equal(y, x, N * sizeof *y);
        assert_string_equal(warning, "");
        free(y);
        restore(r);
    }
    free(x);
}

static void expect_failure(const void *data, size_t n, oto_status status, const char *says)
{
    struct replaced r = feed(data, n, 100, 1);
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    oto_status got = oto_audio_open(&audio, "-", NULL, &err);
    restore(r);
    assert_null(audio);
    assert_contains(err.message, "standard input");
    assert_contains(err.message, says);
    assert_int_equal(got, status);
}

static void test_errors(void **state)
{
    unsigned char zeros[64] = {0};
    struct audio_wav w = {.data = zeros, .data_size = sizeof zeros};
    (void)state;
    expect_failure("", 0, OTO_ERR_DATA, "is empty (0 bytes)");
    expect_failure("some text\nand more\n", 19, OTO_ERR_FORMAT, "is text, not audio");
    expect_failure("R", 1, OTO_ERR_FORMAT, "is text, not audio");
    expect_failure("\0", 1, OTO_ERR_DATA, "holds no samples");
    expect_failure("RIFF\x24\0\0\0WAVEfmt ", 16, OTO_ERR_FORMAT, "no fmt and no data chunk");
    w.n_channels = -1;
    struct audio_bytes b = audio_wav_bytes(w);
    expect_failure(b.data, b.n, OTO_ERR_DATA, "0 channels");
    free(b.data);
    w.n_channels = 1;
    w.rate_hz = 3000;
    b = audio_wav_bytes(w);
    expect_failure(b.data, b.n, OTO_ERR_DATA, "rate of 3000 Hz");
    free(b.data);
    w = (struct audio_wav){.data = "LIST\4\0\0\0INFO", .data_size = 12, .claimed_size = -1};
    b = audio_wav_bytes(w);
    expect_failure(b.data, b.n, OTO_ERR_DATA, "holds no samples");
    free(b.data);
}

/* Lengths that streaming programs write, and a stream that breaks off. */
static void test_lying_lengths(void **state)
{
    static const long long placeholders[] = {-1, 0xffffffff, 0x7fffffff, 0x80000000};
    float *x = audio_tone(N, 1, 300.0, 16000, 0.4);
    char warning[256];
    size_t n = 0;
    (void)state;
    for (size_t k = 0; k <= 4; k++) {
        struct audio_wav w = {.tag = 3, .bits = 32, .data = x, .data_size = N * sizeof *x};
        w.claimed_size = k < 4 ? placeholders[k] : N * 4 + 12;
        struct audio_bytes b = audio_wav_bytes(w);
        struct replaced r = feed(b.data, b.n, 1000, 1);
        float *y = read_stdin(NULL, &n, warning);
        restore(r);
        assert_int_equal(n, N);
        assert_memory_equal(y, x, N * sizeof *y);
        assert_contains(warning, k < 4 ? "gives no true length"
                                       : "claims 80012 bytes of samples, 80000 are there");
        free(y);
        free(b.data);
    }
    /* A true length is believed: what follows the data is another chunk. */
    struct audio_wav w = {
        .tag = 3, .bits = 32, .data = x, .data_size = N * sizeof *x, .claimed_size = N * 2};
    struct audio_bytes b = audio_wav_bytes(w);
    struct replaced r = feed(b.data, b.n, 1 << 20, 1);
    float *y = read_stdin(NULL, &n, warning);
    restore(r);
    assert_int_equal(n, N / 2);
    assert_string_equal(warning, "");
    free(y);
    free(b.data);
    free(x);
}

/* Samples are given as they arrive: a stream that stands still does not hold back what has come. */
static void test_live(void **state)
{
    int16_t s[800] = {100, 200, 300};
    int ends[2];
    size_t n = 0;
    float y[4000];
    oto_audio *audio = NULL;
    oto_audio_options options;
    struct replaced r = {dup(STDIN_FILENO), 0};
    (void)state;
    oto_audio_options_init(&options);
    options.raw = "s16le:16000:1";
    assert_int_equal(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    assert_int_equal(write(ends[1], s, 101), 101); /* 50 samples and a half */
    assert_int_equal(oto_audio_open(&audio, "-", &options, NULL), OTO_OK);
    size_t total = 0;
    while (total < 50) { /* would wait for ever if it wanted more than is there */
        assert_int_equal(oto_audio_read(audio, y, 4000, &n, NULL), OTO_OK);
        assert_true(n > 0);
        total += n;
    }
    assert_int_equal(total, 50);
    assert_int_equal(write(ends[1], (const char *)s + 101, sizeof s - 101), sizeof s - 101);
    while (total < 800) {
        assert_int_equal(oto_audio_read(audio, y, 4000, &n, NULL), OTO_OK);
        assert_true(n > 0);
        total += n;
    }
    assert_int_equal(total, 800);
    close(ends[1]);
    assert_int_equal(oto_audio_read(audio, y, 4000, &n, NULL), OTO_OK);
    assert_int_equal(n, 0);
    oto_audio_close(audio);
    restore(r);
}

static long peak_kib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* 100 MB through a pipe, as raw, as WAV of no length, and as a container that is spooled: memory
 * stays. */
static void test_constant_memory(void **state)
{
    static float block[8192];
    enum { PORTION = 1 << 16 };
    unsigned char *data = calloc(1, PORTION);
    struct audio_bytes header = audio_wav_bytes((struct audio_wav){.claimed_size = -1});
    (void)state;
    assert_non_null(data);
    for (int kind = 0; kind < 2; kind++) {
        oto_audio_options options;
        oto_audio *audio = NULL;
        uint64_t total = 0;
        long before = 0;
        size_t n = 0;
        oto_audio_options_init(&options);
        options.raw = kind == 0 ? "s16le:48000:1" : NULL;
        memset(data, 1, PORTION);
        memcpy(data, header.data,
               kind == 0 ? 0 : header.n); /* again in each portion: noise in the samples */
        struct replaced r = feed(data, PORTION, PORTION, 1600);
        assert_int_equal(oto_audio_open(&audio, "-", &options, NULL), OTO_OK);
        do {
            assert_int_equal(oto_audio_read(audio, block, 8192, &n, NULL), OTO_OK);
            total += n;
            if (before == 0 && total > 1000000) {
                before = peak_kib();
            }
        } while (n > 0);
        long grown = peak_kib() - before;
        print_message("%s: %.0f M samples, %ld KiB more memory\n", kind ? "WAV" : "raw",
                      (double)total / 1e6, grown);
        assert_true(grown < 1024);
        assert_int_equal(total, (1600LL * PORTION - (kind ? (long long)header.n : 0)) / 2);
        oto_audio_close(audio);
        restore(r);
    }
    free(header.data);
    free(data);
}

/* A long header chunk (a picture) is not kept in memory, and the samples behind it are found. */
static void test_long_header(void **state)
{
    enum { PICTURE = 3 << 20 };
    float *x = audio_tone(100, 1, 300.0, 16000, 0.4);
    struct audio_bytes b =
        audio_wav_bytes((struct audio_wav){.tag = 3, .bits = 32, .data = x, .data_size = 400});
    unsigned char *all = calloc(1, PICTURE + 1024);
    char warning[256];
    size_t n = 0;
    (void)state;
    assert_non_null(all);
    struct audio_bytes big = {all, 36};
    memcpy(all, b.data, 36);
    audio_put_text(&big, "id3 ");
    audio_put(&big, PICTURE, 4, false);
    big.n += PICTURE;
    memcpy(all + big.n, b.data + 36, b.n - 36);
    struct replaced r = feed(all, big.n + b.n - 36, 60000, 1);
    float *y = read_stdin(NULL, &n, warning);
    restore(r);
    assert_int_equal(n, 100);
    assert_memory_equal(x, y, 400);
    assert_string_equal(warning, "");
    free(y);
    free(all);
    free(b.data);
    free(x);
}

/* The temporary file cannot be made, or not be filled. */
static void test_spool_failures(void **state)
{
    char path[96];
    size_t n_bytes;
    float *x = audio_tone(N, 1, 300.0, 16000, 0.4);
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    assert_true(audio_write(path, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, x, N));
    unsigned char *bytes = slurp(path, &n_bytes);
    char *old = getenv("TMPDIR") != NULL ? strdup(getenv("TMPDIR")) : NULL;
    setenv("TMPDIR", "/nonexistent/folder", 1);
    struct replaced r = feed(bytes, n_bytes, 1000, 1);
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    assert_int_equal(oto_audio_open(&audio, "-", NULL, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "no temporary file could be made");
    restore(r);
    if (old != NULL) {
        setenv("TMPDIR", old, 1);
        free(old);
    } else {
        unsetenv("TMPDIR");
    }
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    r = feed(bytes, n_bytes, 1000, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    oto_status status = oto_audio_open(&audio, "-", NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    restore(r);
    assert_int_equal(status, OTO_ERR_IO);
    assert_contains(err.message, "cannot be copied into a temporary file");
    assert_contains(err.message, "File too large");
    free(bytes);
    free(x);
}

/* A named pipe is like standard input, but without a header it must be told its format. */
static void test_named_pipe(void **state)
{
    float *x = audio_tone(100, 1, 300.0, 16000, 0.4);
    struct audio_bytes b =
        audio_wav_bytes((struct audio_wav){.tag = 3, .bits = 32, .data = x, .data_size = 400});
    char path[96];
    snprintf(path, sizeof path, "%s/pipe", (char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (int headerless = 0; headerless < 2; headerless++) {
        oto_audio *audio = NULL;
        oto_error err = {OTO_OK, ""};
        fflush(NULL);
        pid_t writer = fork();
        if (writer == 0) {
            int fd = open(path, O_WRONLY);
            size_t skip = headerless ? 44 : 0;
            _exit(fd >= 0 && write_all(fd, b.data + skip, b.n - skip) ? 0 : 1);
        }
        oto_status status = oto_audio_open(&audio, path, NULL, &err);
        if (headerless) {
            assert_int_equal(status, OTO_ERR_FORMAT);
            assert_contains(err.message, "need a raw format");
        } else {
            size_t n = 0;
            assert_int_equal(status, OTO_OK);
            float *y = audio_read_rest(audio, 10, &n, &err);
            assert_non_null(y);
            assert_int_equal(n, 100);
            assert_memory_equal(x, y, 400);
            free(y);
            oto_audio_close(audio);
        }
        assert_int_equal(waitpid(writer, NULL, 0), writer);
    }
    free(b.data);
    free(x);
}

/* The nth allocation fails while a pipe is opened: an error, no leak, and a later attempt works. */
static void test_out_of_memory(void **state)
{
    char path[96];
    float *x = audio_tone(2000, 1, 300.0, 16000, 0.4);
    snprintf(path, sizeof path, "%s/x", (char *)*state);
    for (int flac = 0; flac < 2; flac++) {
        size_t n_bytes, nth = 0;
        int format = flac ? SF_FORMAT_FLAC : SF_FORMAT_WAV;
        assert_true(audio_write(path, format | SF_FORMAT_PCM_16, 16000, 1, x, 2000));
        unsigned char *bytes = slurp(path, &n_bytes);
        oto_status status = OTO_ERR_MEMORY;
        while (status != OTO_OK) {
            oto_audio *audio = NULL;
            oto_error err = {OTO_OK, ""};
            signal(SIGPIPE, SIG_DFL);
            struct replaced r = feed(bytes, n_bytes, n_bytes, 1);
            oto_mem_fail_nth(++nth);
            status = oto_audio_open(&audio, "-", NULL, &err);
            oto_mem_fail_nth(0);
            assert_true(status == OTO_OK || status == OTO_ERR_MEMORY);
            oto_audio_close(audio);
            restore(r);
        }
        assert_in_range(nth, 6, 20);
        free(bytes);
    }
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_constant_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_as_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_raw_and_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_redirected_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_errors, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lying_lengths, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_live, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_long_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_spool_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_named_pipe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_out_of_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
