/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real speech through a capture device: ALSA's file plugin plays it into the callback of PortAudio,
 * at 44.1 kHz and in two channels. The device has no pace, so only the first seconds are whole;
 * they are enough for a sentence. Skips (77) where ALSA or the plugin is missing.
 */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <unistd.h>

#include "decoder/edit_distance.h"
#include "otolith/audio.h"
#include "otolith/live.h"

enum { RATE = 44100, PAUSE = 3 * RATE, MAX_FRAMES = 20 * RATE };

static char folder[64], heard[1000];
static float frames[2 * MAX_FRAMES];

/* The sentence and a pause, over and over. */
static void make_device(void)
{
    char path[96], text[512];
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_error err = {OTO_OK, ""};
    static float mono[MAX_FRAMES];
    size_t n = 1, total = 0;
    oto_audio_options_init(&options);
    options.rate_hz = RATE;
    if (oto_audio_open(&audio, OTO_TEST_DATA "/diversion.opus", &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    while (n > 0) {
        if (oto_audio_read(audio, mono + total, MAX_FRAMES - PAUSE - total, &n, &err) != OTO_OK)
            fail_msg("%s", err.message);
        total += n;
    }
    oto_audio_close(audio);
    for (size_t i = 0; i < total; i++)
        frames[2 * i] = frames[2 * i + 1] = mono[i];
    snprintf(path, sizeof path, "%s/talk.raw", folder);
    unit_write_file(path, frames, 2 * (total + PAUSE) * sizeof *frames);
    snprintf(text, sizeof text,
             "pcm.!default { type file slave.pcm { type null } file /dev/null infile \"%s\" format "
             "raw }\n",
             path);
    snprintf(path, sizeof path, "%s/asound.conf", folder);
    unit_write_file(path, text, strlen(text));
    assert_int_equal(setenv("ALSA_CONFIG_PATH", path, 1), 0);
    assert_int_equal(setenv("JACK_DEFAULT_SERVER", "otolith-none", 1), 0);
}

static void note(void *user_data, const oto_live_utterance *u)
{
    int *n = user_data;
    if ((*n)++ == 0)
        snprintf(heard, sizeof heard, "%s", u->result->text);
}

static void test_sentence(void **state)
{
    (void)state;
    oto_error err = {OTO_OK, ""};
    oto_model *model = NULL;
    oto_live *live = NULL;
    oto_audio *audio = NULL;
    oto_audio_options audio_options;
    oto_live_options options;
    oto_audio_gap gap;
    struct oto_errors errors = {0};
    static float block[1600], whole[16000 * 10];
    size_t n = 1, total = 0;
    int n_utterances = 0;
    char *expected = NULL;
    if (oto_model_load(&model, OTO_SOURCE_DIR "/models/english.oto", &err) != OTO_OK)
        fail_msg("%s", err.message);
    oto_live_options_init(&options);
    options.utterance = note;
    options.user_data = &n_utterances;
    assert_int_equal(oto_live_create(&live, model, NULL, &options, &err), OTO_OK);
    oto_audio_options_init(&audio_options);
    audio_options.rate_hz = 16000;
    assert_int_equal(oto_audio_open_microphone(&audio, NULL, &audio_options, &err), OTO_OK);
    while (n_utterances == 0 && total < 16000 * 8) {
        assert_int_equal(oto_audio_read(audio, block, 1600, &n, &err), OTO_OK);
        assert_int_equal(oto_audio_next_gap(audio, &gap), 0);
        total += n;
        assert_int_equal(oto_live_feed(live, block, n, &err), OTO_OK);
    }
    oto_audio_close(audio);
    assert_int_equal(n_utterances, 1);
    /* What the file says, but for what two changes of its rate do. */
    assert_int_equal(oto_audio_open(&audio, OTO_TEST_DATA "/diversion.opus", &audio_options, &err),
                     OTO_OK);
    for (total = 0, n = 1; n > 0; total += n)
        assert_int_equal(oto_audio_read(audio, whole + total, 160000 - total, &n, &err), OTO_OK);
    assert_int_equal(oto_transcribe(&expected, model, whole, total, &err), OTO_OK);
    assert_int_equal(oto_edit_add(&errors, expected, heard, OTO_EDIT_CHARACTERS, &err), OTO_OK);
    print_message("\"%s\" through the device, \"%s\" from the file\n", heard, expected);
    assert_true(strlen(expected) > 40);
    assert_true(oto_error_rate(&errors) < 0.1);
    oto_text_free(expected);
    oto_audio_close(audio);
    oto_live_destroy(live);
    oto_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentence)};
    size_t n = 0;
    oto_error err = {OTO_OK, ""};
    unit_make_folder(folder);
    make_device();
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
