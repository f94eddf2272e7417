/* SPDX-License-Identifier: BSD-2-Clause */
/* Microphones behind which a bad PortAudio works: the functions of audio/portaudio.h are played
 * here, in the child, as the name of the device says. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audio/portaudio.h"
#include "audio/raw_format.h"
#include "base/status.h"
#include "otolith/audio.h"

#ifdef OTO_HAVE_PORTAUDIO
enum { N_BLOCK = 480, N_BEFORE = 4800 }; /* frames a write; frames before something happens */
#define UNIT 1048576.0F

static char device[32];
static int n_channels;
static struct oto_capture *capture;
static unsigned char *arena;
static atomic_bool active = true;
static atomic_int *n_stopped; /* seen by both processes */

/* ---- PortAudio, in the child ------------------------------------------------------------------
 */

static bool is(const char *name)
{
    return strcmp(device, name) == 0;
}

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static void hang(void)
{
    while (true)
        pause();
}

static void scribble(void)
{
    uint64_t x = 88172645463325252U;
    for (int round = 0; round < 1000; round++) {
        for (size_t i = 0; i < 1 << 14; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            memcpy(arena + 8 * i, &x, 8);
        }
    }
}

/* Frame i has i/UNIT in all channels. */
static void *give_samples(void *arg)
{
    float block[N_BLOCK * OTO_AUDIO_MAX_CHANNELS];
    (void)arg;
    for (int at = 0; true; at += N_BLOCK) {
        for (int i = 0; i < N_BLOCK * n_channels; i++)
            block[i] = (float)(at + i / n_channels) / UNIT;
        oto_capture_write(capture, block, N_BLOCK, false);
        if (at >= N_BEFORE) {
            if (is("crashes"))
                raise(SIGSEGV);
            if (is("aborts"))
                abort();
            if (is("stalls"))
                hang();
            if (is("stops")) {
                atomic_store(&active, false);
                hang();
            }
            if (is("goes mad"))
                scribble();
        }
        pause_ms(1);
    }
    return NULL;
}

oto_status oto_portaudio_list(oto_audio_device *devices, size_t capacity, size_t *n_devices,
                              oto_error *err)
{
    *n_devices = 3;
    if (atomic_load(n_stopped) == -1) {
        *n_devices = 1000000; /* more than can be told of */
        for (size_t i = 0; i < capacity; i++)
            devices[i].index = (int)i;
        return OTO_OK;
    }
    if (atomic_load(n_stopped) == -2)
        return oto_fail(err, OTO_ERR_DEVICE, "microphones: none today");
    for (int i = 0; i < 3; i++)
        devices[i] = (oto_audio_device){
            .index = 10 + i, .name = "a", .host_api = "b", .n_channels = 1, .is_default = i == 1};
    return OTO_OK;
}

oto_status oto_portaudio_open(struct oto_portaudio_device *out, const char *name, int channel,
                              oto_error *err)
{
    (void)channel;
    snprintf(device, sizeof device, "%s", name);
    arena = (unsigned char *)((uintptr_t)out & ~(uintptr_t)4095);
    *out = (struct oto_portaudio_device){48000, 2, "microphone \"it\"", "microphone by nobody"};
    if (is("cannot"))
        return oto_fail(err, OTO_ERR_DEVICE, "it: cannot be opened");
    if (is("hangs"))
        hang();
    if (is("exits"))
        _exit(5);
    if (is("wide"))
        out->n_channels = OTO_AUDIO_MAX_CHANNELS;
    if (is("wide"))
        out->rate_hz = OTO_AUDIO_MAX_RATE_HZ;
    if (is("none"))
        out->n_channels = 0;
    if (is("slow"))
        out->rate_hz = -1;
    if (is("endless")) /* texts without an end */
        memset(out->name, 'x', sizeof out->name + sizeof out->format);
    n_channels = out->n_channels;
    return OTO_OK;
}

/* The same, not constant. */
static void *arena_report(const struct oto_portaudio_device *opened)
{
    return arena + ((uintptr_t)opened & 4095);
}

oto_status oto_portaudio_start(const struct oto_portaudio_device *opened, struct oto_capture *to,
                               oto_error *err)
{
    pthread_t thread;
    capture = to;
    if (is("lies"))
        ((struct oto_portaudio_device *)arena_report(opened))->n_channels = 1000;
    return pthread_create(&thread, NULL, give_samples, NULL) == 0
               ? OTO_OK
               : oto_fail(err, OTO_ERR_DEVICE, "no thread");
}

bool oto_portaudio_is_active(void)
{
    return atomic_load(&active);
}

void oto_portaudio_stop(void)
{
    atomic_fetch_add(n_stopped, 1);
    if (is("hangs at the end"))
        hang();
}

/* ---- the program ------------------------------------------------------------------------------
 */

static void check_nothing_left(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static oto_audio *open_device(const char *name)
{
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    if (oto_audio_open_microphone(&audio, name, NULL, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return audio;
}

/* Reads the ramp until it ends, n frames at most. Returns how many came. */
static size_t read_ramp(oto_audio *audio, size_t n_frames, oto_status *status, oto_error *err)
{
    static float block[1000];
    size_t total = 0, n = 1;
    *status = OTO_OK;
    while (total < n_frames && n > 0) {
        *status = oto_audio_read(audio, block, 1000, &n, err);
        if (*status != OTO_OK)
            return total;
        for (size_t i = 0; i < n; i++, total++)
            if (block[i] * UNIT != (float)total)
                fail_msg("sample %zu is %g", total, (double)(block[i] * UNIT));
    }
    return total;
}

static void test_works(void **state)
{
    (void)state;
    oto_status status;
    oto_error err = {OTO_OK, ""};
    oto_audio_info info;
    atomic_store(n_stopped, 0);
    for (int i = 0; i < 20 && atomic_load(n_stopped) == 0; i++) { /* busy machines kill too soon */
        oto_audio *audio = open_device("works");
        assert_true(read_ramp(audio, 20000, &status, &err) >= 20000);
        oto_audio_get_info(audio, &info);
        assert_int_equal(info.source_rate_hz, 48000);
        assert_int_equal(info.n_channels, 2);
        assert_string_equal(info.format, "microphone by nobody");
        assert_string_equal(oto_audio_name(audio), "microphone \"it\"");
        oto_audio_close(audio);
        check_nothing_left();
    }
    assert_int_equal(atomic_load(n_stopped), 1); /* in good order */
}

/* The most there can be: half a second of it and more fits into the memory. */
static void test_wide(void **state)
{
    (void)state;
    oto_status status;
    oto_error err = {OTO_OK, ""};
    oto_audio_info info;
    oto_audio *audio = open_device("wide");
    oto_audio_get_info(audio, &info);
    assert_int_equal(info.n_channels, OTO_AUDIO_MAX_CHANNELS);
    assert_int_equal(info.source_rate_hz, OTO_AUDIO_MAX_RATE_HZ);
    for (info.n_lost = 0; info.n_lost == 0;) {
        pause_ms(5);
        oto_audio_get_info(audio, &info);
    }
    assert_true(read_ramp(audio, OTO_AUDIO_MAX_RATE_HZ / 2, &status, &err) >=
                OTO_AUDIO_MAX_RATE_HZ / 2);
    oto_audio_close(audio);
    check_nothing_left();
}

/* All that came before is read, then it is told how it ended; and told again. */
static void expect_end(const char *name, const char *says)
{
    oto_status status;
    oto_error err = {OTO_OK, ""};
    size_t n = 0;
    float sample;
    oto_audio *audio = open_device(name);
    assert_int_equal(read_ramp(audio, 1 << 20, &status, &err), N_BEFORE + N_BLOCK);
    assert_int_equal(status, OTO_ERR_DEVICE);
    assert_string_equal(err.message, says);
    check_nothing_left();
    assert_int_equal(oto_audio_read(audio, &sample, 1, &n, &err), OTO_ERR_DEVICE);
    assert_string_equal(err.message, says);
    oto_audio_close(audio);
}

static void test_ends(void **state)
{
    (void)state;
    expect_end("crashes", "microphone \"it\": stopped after 0.110 s: the audio system was ended by "
                          "signal 11; was it unplugged?");
    expect_end("aborts", "microphone \"it\": stopped after 0.110 s: the audio system was ended by "
                         "signal 6; was it unplugged?");
    expect_end("stops", "microphone \"it\": stopped after 0.110 s; was it unplugged?");
    expect_end("stalls", "microphone \"it\": has given no samples for 3 s");
}

/* Whatever it writes into the memory that both see: reading ends or goes on, and stays inside. */
static void test_madness(void **state)
{
    (void)state;
    static float block[4096];
    oto_audio *audio = open_device("goes mad");
    for (int i = 0; i < 20000; i++) {
        size_t n = 0;
        oto_audio_gap gap;
        if (oto_audio_read(audio, block, 4096, &n, NULL) != OTO_OK)
            break;
        while (oto_audio_next_gap(audio, &gap)) {
        }
    }
    oto_audio_close(audio);
    check_nothing_left();
}

static void expect_failure(const char *name, oto_status status, const char *says)
{
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    assert_int_equal(oto_audio_open_microphone(&audio, name, NULL, &err), status);
    assert_null(audio);
    assert_string_equal(err.message, says);
    check_nothing_left();
}

static int stop_at_once(void *arg)
{
    (void)arg;
    return 1;
}

static void test_opening(void **state)
{
    (void)state;
    expect_failure("cannot", OTO_ERR_DEVICE, "it: cannot be opened");
    expect_failure("exits", OTO_ERR_DEVICE, "microphone: the audio system ended with code 5");
    expect_failure("none", OTO_ERR_DATA, "microphone \"it\": has 0 channels; 1 to 64 are read");
    expect_failure("slow", OTO_ERR_DATA,
                   "microphone \"it\": has a rate of -1 Hz; 4000 to 192000 Hz are read");
    expect_failure("lies", OTO_ERR_DATA, "microphone: has 1000 channels; 1 to 64 are read");
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.stop = stop_at_once;
    assert_int_equal(oto_audio_open_microphone(&audio, "hangs", &options, NULL),
                     OTO_ERR_INTERRUPTED);
    assert_null(audio);
    check_nothing_left();
    audio = open_device("endless");
    assert_int_equal(strspn(oto_audio_name(audio), "x"), 191);
    assert_int_equal(strlen(oto_audio_name(audio)), 191);
    oto_audio_close(audio);
    check_nothing_left();
}

static void test_hanging_close(void **state)
{
    (void)state;
    oto_audio *audio = open_device("hangs at the end");
    oto_audio_close(audio);
    check_nothing_left();
}

static void test_list(void **state)
{
    (void)state;
    static oto_audio_device devices[5000];
    oto_error err = {OTO_OK, ""};
    size_t n = 0;
    atomic_store(n_stopped, 0);
    assert_int_equal(oto_audio_list_devices(NULL, 0, &n, &err), OTO_OK);
    assert_int_equal(n, 3);
    assert_int_equal(oto_audio_list_devices(devices, 2, &n, &err), OTO_OK);
    assert_int_equal(n, 3);
    assert_true(devices[1].index == 11 && devices[1].is_default && devices[2].index == 0);
    atomic_store(n_stopped, -1);
    assert_int_equal(oto_audio_list_devices(devices, 5000, &n, &err), OTO_OK);
    assert_int_equal(n, 4096);
    assert_int_equal(devices[4095].index, 4095);
    atomic_store(n_stopped, -2);
    assert_int_equal(oto_audio_list_devices(devices, 5000, &n, &err), OTO_ERR_DEVICE);
    assert_int_equal(n, 0);
    assert_string_equal(err.message, "microphones: none today");
    check_nothing_left();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_works),   cmocka_unit_test(test_wide),
        cmocka_unit_test(test_ends),    cmocka_unit_test(test_madness),
        cmocka_unit_test(test_opening), cmocka_unit_test(test_hanging_close),
        cmocka_unit_test(test_list),
    };
    n_stopped =
        mmap(NULL, sizeof *n_stopped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return n_stopped != MAP_FAILED ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
#else
int main(void)
{
    printf("skipped: this build has no PortAudio\n");
    return 77;
}
#endif
