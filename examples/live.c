/* SPDX-License-Identifier: BSD-2-Clause */
/* Words while you speak: live MODEL [DEVICE]. Ctrl-C ends. The microphone is heard by PortAudio. */
#include <otolith/audio.h>
#include <otolith/live.h>
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    interrupted = number;
}

static int is_interrupted(void *arg)
{
    (void)arg;
    return interrupted != 0;
}

/* An utterance has ended: this text stays. */
static void print_utterance(void *arg, const oto_live_utterance *utterance)
{
    (void)arg;
    printf("\r\033[K%s\n", utterance->result->text);
}

/* The words that are being spoken, in place of those shown before. */
static void print_partial(const char *text)
{
    printf("\r\033[K%.78s", text);
    fflush(stdout);
}

static oto_status listen_to(const char *device, const oto_model *model, oto_error *err)
{
    oto_live *live = NULL;
    oto_audio *audio = NULL;
    oto_live_options options;
    oto_audio_options audio_options;
    oto_model_info info;
    float samples[1600];
    size_t n = 1;

    oto_live_options_init(&options);
    options.utterance = print_utterance;
    oto_model_get_info(model, &info);
    oto_audio_options_init(&audio_options);
    audio_options.rate_hz = info.rate_hz; /* whatever the microphone's own rate is */
    audio_options.stop = is_interrupted;
    oto_status status = oto_live_create(&live, model, NULL, &options, err);
    if (status == OTO_OK)
        status = oto_audio_open_microphone(&audio, device, &audio_options, err);
    while (status == OTO_OK && n > 0 && !interrupted) {
        status = oto_audio_read(audio, samples, 1600, &n, err);
        if (status == OTO_OK)
            status = oto_live_feed(live, samples, n, err);
        if (status == OTO_OK)
            print_partial(oto_live_partial(live)->text);
    }
    if (status == OTO_OK || status == OTO_ERR_INTERRUPTED)
        status = oto_live_finish(live, err); /* prints what was being said */
    oto_audio_close(audio);
    oto_live_destroy(live);
    return status;
}

int main(int argc, char **argv)
{
    oto_error err = {OTO_ERR_ARGUMENT, "usage: live MODEL [DEVICE]"};
    oto_model *model = NULL;
    char path[4096];
    signal(SIGINT, on_interrupt);
    oto_status status = OTO_ERR_ARGUMENT;
    if (argc == 2 || argc == 3)
        status = oto_model_find(argv[1], path, sizeof path, &err);
    if (status == OTO_OK)
        status = oto_model_load(&model, path, &err);
    if (status == OTO_OK)
        status = listen_to(argc == 3 ? argv[2] : NULL, model, &err);
    if (status != OTO_OK)
        fprintf(stderr, "%s\n", err.message);
    oto_model_destroy(model);
    return status == OTO_OK ? 0 : 1;
}
