/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture without a sound card: ALSA's file plugin over null feeds a file through the real callback
 * path, without pace; jackd's dummy driver paces silence. Skips (77) where a part is missing.
 */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audio/child.h"
#include "base/mem.h"
#include "near.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

enum {
    RAMP = 1 << 19,
    UNIT = 1 << 20
}; /* sample i of the file is i/UNIT, exact in float; both channels alike */

static char folder[64];

/* Two devices, default and otolith_second, that hear the ramp as float at any rate. */
static void make_devices(void)
{
    char path[96], text[1024];
    static float frames[2 * RAMP];
    for (int i = 0; i < RAMP; i++) {
        frames[2 * i] = frames[2 * i + 1] = (float)i / UNIT;
    }
    snprintf(path, sizeof path, "%s/ramp.raw", folder);
    unit_write_file(path, frames, sizeof frames);
    snprintf(text, sizeof text,
             "pcm.!default { type file slave.pcm { type null } file /dev/null infile \"%s\" format "
             "raw }\n"
             "pcm.otolith_second { type file slave.pcm { type null } file /dev/null infile \"%s\" "
             "format raw "
             "hint { show on description \"second\" } }\n",
             path, path);
    snprintf(path, sizeof path, "%s/asound.conf", folder);
    unit_write_file(path, text, strlen(text));
    assert_int_equal(setenv("ALSA_CONFIG_PATH", path, 1), 0);
    snprintf(text, sizeof text, "otolith-test-%ld", (long)getpid()); /* no server of the user's */
    assert_int_equal(setenv("JACK_DEFAULT_SERVER", text, 1), 0);
}

/* Nothing is left of what captured: no process, no zombie. */
static void close_device(oto_audio *audio)
{
    oto_audio_close(audio);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static oto_audio *open_device(const char *name, int rate_hz, int channel)
{
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_error err = {OTO_OK, ""};
    oto_audio_options_init(&options);
    options.rate_hz = rate_hz;
    options.channel = channel;
    if (oto_audio_open_microphone(&audio, name, &options, &err) != OTO_OK) {
        fail_msg("%s", err.message);
    }
    return audio;
}

static void test_list(void **state)
{
    oto_audio_device devices[8];
    oto_error err = {OTO_OK, ""};
    size_t n = 0, counted = 0;
    int n_default = 0, n_second = 0;
    (void)state;
    assert_int_equal(oto_audio_list_devices(NULL, 0, &counted, &err), OTO_OK);
    assert_int_equal(oto_audio_list_devices(devices, 8, &n, &err), OTO_OK);
    assert_int_equal(n, counted);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(devices[i].host_api, "ALSA");
        assert_true(devices[i].n_channels > 0 && devices[i].default_rate_hz >= 8000);
        n_default += devices[i].is_default != 0;
        n_second += strcmp(devices[i].name, "otolith_second") == 0;
    }
    assert_int_equal(n_default, 1);
    assert_int_equal(n_second, 1);
    assert_int_equal(oto_audio_list_devices(devices, 1, &n, &err),
                     OTO_OK); /* fewer than there are */
    assert_int_equal(n, 2);
    assert_int_equal(oto_audio_list_devices(devices, 1, NULL, &err), OTO_ERR_ARGUMENT);
}

/* Nothing is lost, doubled or out of order as long as the ring has room: the ramp rises by one a
 * sample. */
static void capture_ramp(const char *device, int channel)
{
    oto_audio *audio = open_device(device, 0, channel);
    oto_audio_info info;
    static float block[3000];
    long next = 0;
    while (next < RAMP / 2) {
        size_t n = 0;
        assert_int_equal(oto_audio_read(audio, block, 3000, &n, NULL), OTO_OK);
        assert_true(n > 0); /* blocks until there is something */
        for (size_t i = 0; i < n; i++, next++) {
            if (block[i] * UNIT != (float)next) {
                fail_msg("sample %ld is %g", next, (double)(block[i] * UNIT));
            }
        }
    }
    oto_audio_get_info(audio, &info);
    assert_int_equal(info.source_rate_hz, 44100);
    assert_int_equal(info.n_channels, channel > 2 ? channel : 2);
    assert_true(info.seconds < 0.0);
    assert_contains(info.format, "ALSA");
    close_device(audio);
}

static void test_capture(void **state)
{
    (void)state;
    capture_ramp(NULL, 0);
    capture_ramp("", 2);
    capture_ramp("otolith_SECOND", 1); /* case does not matter */
    capture_ramp("_sec", 0);
}

/* Resampled: the ramp rises by 44100/16000 a sample. */
static void test_capture_resampled(void **state)
{
    (void)state;
    oto_audio *audio = open_device(NULL, 16000, 0);
    static float block[20000];
    size_t got = 0;
    while (got < 20000) {
        size_t n = 0;
        assert_int_equal(oto_audio_read(audio, block + got, 20000 - got, &n, NULL), OTO_OK);
        assert_true(n > 0);
        got += n;
    }
    for (size_t i = 5000; i < 15000; i++) {
        assert_near((double)block[i] * UNIT, (double)i * 44100 / 16000, 0.5);
    }
    close_device(audio);
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

/* A reader that comes too late is told how many samples it missed, and where. */
static void test_overrun(void **state)
{
    (void)state;
    oto_audio *audio = open_device(NULL, 0, 0);
    oto_audio_info info;
    static float block[8192];
    uint64_t total = 0;
    for (int i = 0; i < 6000;
         i++) { /* the device has no pace: the ring of some 10 s is full at once */
        pause_ms(10);
        oto_audio_get_info(audio, &info);
        if (info.n_lost > 0) {
            break;
        }
    }
    assert_true(info.n_lost > 0);
    assert_string_equal(info.warning, ""); /* told when the reader gets there, not before */
    double lost_at = -1.0;
    while (total < 20000000) {
        size_t n = 0;
        assert_int_equal(oto_audio_read(audio, block, 8192, &n, NULL), OTO_OK);
        oto_audio_get_info(audio, &info);
        if (info.warning[0] != '\0') {
            const char *at = strstr(info.warning, "samples were lost at ");
            assert_non_null(at);
            lost_at = strtod(at + strlen("samples were lost at "), NULL);
            break;
        }
        total += n;
        if (total < RAMP / 2) { /* what was captured before the gap is whole */
            assert_true(block[n - 1] * UNIT == (float)(total - 1));
        }
        if (total % 50 == 0) {
            pause_ms(1); /* lets the callback write again after the gap */
        }
    }
    assert_near(lost_at, (double)total / 44100, 0.2);
    assert_true(lost_at > 8.0);
    close_device(audio);
}

static void expect_failure(const char *device, int channel, oto_status status, const char *says)
{
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_error err = {OTO_OK, ""};
    oto_audio_options_init(&options);
    options.channel = channel;
    assert_int_equal(oto_audio_open_microphone(&audio, device, &options, &err), status);
    assert_null(audio);
    assert_contains(err.message, says);
}

static void test_errors(void **state)
{
    (void)state;
    expect_failure("no such thing", 0, OTO_ERR_NOT_FOUND, "no input device has that in its name");
    expect_failure("99", 0, OTO_ERR_NOT_FOUND, "there is no input device with that index");
    expect_failure("123456789012345", 0, OTO_ERR_NOT_FOUND,
                   "there is no input device with that index");
    expect_failure("e", 0, OTO_ERR_ARGUMENT, "give more of the name");
    expect_failure(NULL, 10001, OTO_ERR_ARGUMENT, "channel 10001 was asked for");
    expect_failure(NULL, -1, OTO_ERR_ARGUMENT, "channel -1 was asked for");
}

/* Each allocation and each system call of the parent fails once: an error, and nothing is left. */
static void test_failures(void **state)
{
    (void)state;
    oto_audio *audio = NULL;
    oto_audio_device devices[8];
    oto_error err = {OTO_OK, ""};
    size_t n = 0;
    (void)oto_child_fail_nth(0);
    close_device(open_device(NULL, 16000, 0));
    const size_t n_calls = oto_child_fail_nth(0);
    assert_int_equal(n_calls, 4);
    for (size_t nth = 1; nth <= n_calls; nth++) {
        (void)oto_child_fail_nth(nth);
        assert_true(oto_audio_open_microphone(&audio, NULL, NULL, &err) != OTO_OK);
        assert_null(audio);
        assert_contains(err.message, "microphone: no ");
        (void)oto_child_fail_nth(nth);
        assert_true(oto_audio_list_devices(devices, 8, &n, &err) != OTO_OK);
        assert_int_equal(n, 0);
        assert_contains(err.message, "microphones: no ");
    }
    (void)oto_child_fail_nth(0);
    (void)oto_mem_fail_nth(0);
    audio = open_device(NULL, 0, 0);
    const size_t n_allocations = oto_mem_fail_nth(0);
    close_device(audio);
    for (size_t nth = 1; nth <= n_allocations; nth++) {
        (void)oto_mem_fail_nth(nth); /* the child counts on from where it starts */
        assert_int_equal(oto_audio_open_microphone(&audio, NULL, NULL, &err), OTO_ERR_MEMORY);
        assert_null(audio);
    }
    (void)oto_mem_fail_nth(0);
    close_device(open_device(NULL, 0, 0));
}

static void count_log(void *user, oto_log_level level, const char *message)
{
    size_t *n = user;
    *n += level == OTO_LOG_DEBUG && strncmp(message, "audio system: ", 14) == 0;
}

/* What ALSA and JACK print while they are probed goes to the log, and stderr is as before. */
static void test_silence_on_stderr(void **state)
{
    char path[96], text[32] = "";
    size_t n_logged = 0, n = 0;
    (void)state;
    snprintf(path, sizeof path, "%s/stderr", folder);
    int saved = dup(STDERR_FILENO), fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(saved >= 0 && fd >= 0);
    oto_log_set(count_log, &n_logged, OTO_LOG_DEBUG);
    dup2(fd, STDERR_FILENO);
    oto_status listed = oto_audio_list_devices(NULL, 0, &n, NULL);
    oto_audio *audio = NULL;
    oto_status opened = oto_audio_open_microphone(&audio, NULL, NULL, NULL);
    oto_audio_close(audio);
    ssize_t written = write(STDERR_FILENO, "mine", 4);
    dup2(saved, STDERR_FILENO);
    close(saved);
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    assert_int_equal(listed, OTO_OK);
    assert_int_equal(opened, OTO_OK);
    assert_int_equal(written, 4);
    assert_int_equal(pread(fd, text, sizeof text - 1, 0), 4);
    assert_string_equal(text, "mine");
    close(fd);
    print_message("%zu lines of the audio system went to the log\n", n_logged);
}

/* JACK's dummy driver gives silence at its pace: one second of it takes about one second, less what
 * it has given before the first read. */
static void test_jack(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execlp("jackd", "jackd", "-n", getenv("JACK_DEFAULT_SERVER"), "-r", "--no-mlock", "-d",
               "dummy", "-r", "16000", "-p", "160", (char *)NULL);
        _exit(127);
    }
    oto_audio *audio = NULL;
    bool running = true;
    for (int i = 0; i < 200 && audio == NULL && running; i++) {
        pause_ms(100);
        running = waitpid(server, NULL, WNOHANG) == 0;
        if (running && oto_audio_open_microphone(&audio, "system", NULL, NULL) != OTO_OK) {
            audio = NULL;
        }
    }
    if (audio == NULL) {
        if (running) {
            kill(server, SIGTERM);
            waitpid(server, NULL, 0);
        }
        print_message("no jackd here, or it does not start: JACK is not tested\n");
        skip();
    }
    static float block[16000];
    oto_audio_info info;
    struct timespec start, end;
    size_t got = 0;
    oto_status status = OTO_OK;
    clock_gettime(CLOCK_MONOTONIC, &start);
    while (got < 16000 && status == OTO_OK) {
        size_t n = 0;
        status = oto_audio_read(audio, block, 16000 - got, &n, NULL);
        got += n;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    oto_audio_get_info(audio, &info);
    int rate = info.source_rate_hz;
    /* The server dies: that is an error of the device, not silence for ever. */
    kill(server, SIGTERM); /* SIGKILL would leave its shared memory behind */
    waitpid(server, NULL, 0);
    oto_error err = {OTO_OK, ""};
    oto_status dead = OTO_OK;
    for (int i = 0; i < 100000 && dead == OTO_OK; i++) {
        size_t n = 0;
        dead = oto_audio_read(audio, block, 16000, &n, &err);
    }
    oto_audio_close(audio);
    double seconds =
        (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
    assert_int_equal(status, OTO_OK);
    assert_int_equal(rate, 16000);
    assert_true(seconds > 0.6); /* a busy machine may take longer */
    assert_int_equal(dead, OTO_ERR_DEVICE);
    assert_contains(err.message, "system");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_capture),
        cmocka_unit_test(test_capture_resampled),
        cmocka_unit_test(test_overrun),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_silence_on_stderr),
        cmocka_unit_test(test_jack),
    };
    size_t n = 0;
    oto_error err = {OTO_OK, ""};
    unit_make_folder(folder);
    make_devices();
    oto_status status = oto_audio_list_devices(NULL, 0, &n, &err);
    int failed = 0;
    if (status != OTO_OK || n == 0) {
        printf("skipped: %s\n",
               status != OTO_OK ? err.message : "ALSA gives no device by its file plugin");
        failed = 77;
    } else {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    unit_remove_folder(folder);
    return failed;
}
