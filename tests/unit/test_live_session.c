/* SPDX-License-Identifier: BSD-2-Clause */
/* A session whose microphone fails and comes back. The functions of otolith/audio.h that it calls
 * are played here. */
#include "unit.h"

#include <math.h>
#include <time.h>

#define N_LONG (16000 * 4)
#include "cli/live.h"
#include "recognizer_fixture.h"

static int n_opened, n_reads, n_closed, n_failures;
static char events[2000];

void oto_audio_options_init(oto_audio_options *options)
{
    *options = (oto_audio_options){.struct_size = sizeof *options};
}

oto_status oto_audio_open(oto_audio **out, const char *path, const oto_audio_options *options,
                          oto_error *err)
{
    (void)out;
    (void)options;
    return oto_fail(err, OTO_ERR_NOT_FOUND, "%s: no files here", path);
}

/* The first time and the third: in between it is away. */
oto_status oto_audio_open_microphone(oto_audio **out, const char *device,
                                     const oto_audio_options *options, oto_error *err)
{
    assert_string_equal(device, "mine");
    assert_int_equal(options->rate_hz, 16000);
    if (++n_opened == 2)
        return oto_fail(err, OTO_ERR_NOT_FOUND, "still away");
    n_reads = 0;
    *out = (oto_audio *)(uintptr_t)&n_reads;
    return OTO_OK;
}

void oto_audio_close(oto_audio *audio)
{
    n_closed += audio != NULL;
}

/* Ten reads of 0.1 s; then it fails, and the second time it ends. */
oto_status oto_audio_read(oto_audio *audio, float *samples, size_t capacity, size_t *n_read,
                          oto_error *err)
{
    assert_non_null(audio);
    *n_read = 0;
    if (n_reads == 10 && n_opened > 1)
        return OTO_OK;
    if (n_reads == 10) {
        const struct timespec half_a_second = {0, 500000000};
        nanosleep(&half_a_second, NULL); /* a device is not known to be gone at once */
        n_failures++;
        return oto_fail(err, OTO_ERR_DEVICE, "microphone: it was unplugged");
    }
    assert_true(capacity >= 1600);
    memcpy(samples, sound + 1600 * (size_t)n_reads, 1600 * sizeof *samples);
    *n_read = 1600;
    n_reads++;
    return OTO_OK;
}

int oto_audio_next_gap(oto_audio *audio, oto_audio_gap *gap)
{
    (void)audio;
    (void)gap;
    return 0;
}

const char *oto_audio_name(const oto_audio *audio)
{
    (void)audio;
    return "mine";
}

void oto_audio_get_info(const oto_audio *audio, oto_audio_info *info)
{
    (void)audio;
    *info = (oto_audio_info){.source_rate_hz = 44100, .n_channels = 1};
}

static void note(struct oto_live_sink *sink, const struct oto_live_event *e)
{
    static const char *const names[] = {"listening", "", "", "final", "gap", "device", "end"};
    (void)sink;
    if (e->type == OTO_LIVE_LEVEL || e->type == OTO_LIVE_PARTIAL)
        return;
    snprintf(events + strlen(events), sizeof events - strlen(events), "%s ", names[e->type]);
    if (e->type == OTO_LIVE_GAP) { /* at least two seconds between attempts, and that half */
        assert_true(fabs(e->start_s - 1) < 1e-9);
        assert_true(e->n_lost >= 40000 && e->n_lost < 16000 * 60);
        assert_true(fabs(e->end_s - e->start_s - (double)e->n_lost / 16000) < 1e-9);
    }
    if (e->type == OTO_LIVE_DEVICE)
        assert_string_equal(e->message, "microphone: it was unplugged");
    if (e->type == OTO_LIVE_END) {
        assert_int_equal(e->n_processed, 32000);
        assert_true(e->n_lost_total >= 40000);
        assert_true(fabs(e->heard_s - (double)(32000 + e->n_lost_total) / 16000) < 1e-9);
    }
}

static void test_device_comes_back(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_live_options options;
    oto_audio_options audio;
    bool stopped = true;
    struct oto_live_sink sink = {stdout, note, NULL};
    oto_recognizer *rec = make(0, 1, 30);
    assert_true(run(rec, sound, 16000, 16000)->text[0] != 0); /* there is something to tell */
    oto_recognizer_destroy(rec);
    oto_live_options_init(&options);
    options.min_confidence = 0;
    oto_audio_options_init(&audio);
    const struct oto_live_session session = {.model = model,
                                             .options = &options,
                                             .device = "mine",
                                             .audio = &audio,
                                             .model_path = "tiny",
                                             .sink = &sink};
    if (oto_live_run(&session, &stopped, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_false(stopped);
    assert_int_equal(n_failures, 1);
    assert_int_equal(n_opened, 3);
    assert_int_equal(n_closed, 2);
    /* What was being said when it failed is told, and so is what came after. */
    assert_string_equal(events, "listening final device gap listening final end ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_device_comes_back)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
