/* SPDX-License-Identifier: BSD-2-Clause */
/* A program of somebody else, as C99 and as C++17: every public function once, by the installed
 * headers alone. */
#include <otolith/audio.h>
#include <otolith/otolith.h>
#include <stdio.h>
#include <string.h>

static int n_messages;

static void count(void *user_data, oto_log_level level, const char *message)
{
    (void)user_data;
    (void)level;
    (void)message;
    n_messages++;
}

static int check(int good, const char *what, const oto_error *err)
{
    if (!good)
        fprintf(stderr, "%s: %s\n", what, err->message);
    return good;
}

static int stream(const oto_model *model, const char *file, oto_error *err)
{
    oto_audio *audio = NULL;
    oto_recognizer *rec = NULL;
    oto_audio_options audio_options;
    oto_recognizer_options options;
    oto_audio_info info;
    oto_model_info model_info;
    const oto_result *result = NULL;
    float samples[1000];
    size_t n = 1;
    oto_model_get_info(model, &model_info);
    oto_audio_options_init(&audio_options);
    audio_options.rate_hz = model_info.rate_hz;
    oto_recognizer_options_init(&options);
    options.beam = 4;
    options.n_best = 2;
    int good = check(oto_recognizer_create(&rec, model, &options, err) == OTO_OK, "create", err) &&
               check(oto_audio_open(&audio, file, &audio_options, err) == OTO_OK, "open", err);
    while (good && n > 0)
        good = check(oto_audio_read(audio, samples, 1000, &n, err) == OTO_OK, "read", err) &&
               check(oto_recognizer_feed(rec, samples, n, err) == OTO_OK, "feed", err);
    good = good && check(oto_recognizer_finish(rec, &result, err) == OTO_OK, "finish", err);
    if (good) {
        oto_audio_get_info(audio, &info);
        printf("%s|%s|%d|%s\n", model_info.name, info.format, result->n_alternatives, result->text);
    }
    oto_recognizer_reset(rec);
    good = good && strcmp(oto_recognizer_partial(rec), "") == 0;
    oto_audio_close(audio);
    oto_recognizer_destroy(rec);
    return good;
}

int main(int argc, char **argv)
{
    oto_error err = {OTO_OK, ""};
    oto_model *model = NULL;
    char path[1000], *text = NULL;
    float silence[16000] = {0};
    if (argc != 3)
        return 64;
    oto_log_set(count, NULL, OTO_LOG_DEBUG);
    int good =
        check(oto_model_find(argv[1], path, sizeof path, &err) == OTO_OK, "find", &err) &&
        check(oto_model_load(&model, path, &err) == OTO_OK, "load", &err) &&
        stream(model, argv[2], &err) &&
        check(oto_transcribe(&text, model, silence, 16000, &err) == OTO_OK, "one shot", &err);
    good = good && strlen(oto_version()) >= 5 &&
           strcmp(oto_status_text(OTO_ERR_MEMORY), "out of memory") == 0;
    oto_text_free(text);
    oto_model_destroy(model);
    return good ? 0 : 1;
}
