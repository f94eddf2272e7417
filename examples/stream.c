/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of any length and rate, decoded while it is read: stream MODEL FILE */
#include <otolith/audio.h>
#include <otolith/otolith.h>
#include <stdio.h>

static oto_status transcribe(const char *model_name, const char *file, oto_error *err)
{
    oto_model *model = NULL;
    oto_recognizer *recognizer = NULL;
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_model_info info;
    const oto_result *result;
    char path[4096];
    float samples[4096];
    size_t n = 1;

    oto_status status = oto_model_find(model_name, path, sizeof path, err);
    if (status == OTO_OK)
        status = oto_model_load(&model, path, err);
    if (status != OTO_OK)
        return status;
    oto_model_get_info(model, &info);
    oto_audio_options_init(&options);
    options.rate_hz = info.rate_hz; /* resampled to what the model hears */
    status = oto_recognizer_create(&recognizer, model, NULL, err);
    if (status == OTO_OK)
        status = oto_audio_open(&audio, file, &options, err);
    while (status == OTO_OK && n > 0) {
        status = oto_audio_read(audio, samples, sizeof samples / sizeof samples[0], &n, err);
        if (status == OTO_OK)
            status = oto_recognizer_feed(recognizer, samples, n, err);
    }
    if (status == OTO_OK)
        status = oto_recognizer_finish(recognizer, &result, err);
    if (status == OTO_OK)
        printf("%s\n", result->text);
    oto_audio_close(audio);
    oto_recognizer_destroy(recognizer);
    oto_model_destroy(model);
    return status;
}

int main(int argc, char **argv)
{
    oto_error err = {OTO_ERR_ARGUMENT, "usage: stream MODEL FILE"};
    oto_status status = argc == 3 ? transcribe(argv[1], argv[2], &err) : OTO_ERR_ARGUMENT;
    if (status != OTO_OK)
        fprintf(stderr, "%s\n", err.message);
    return status == OTO_OK ? 0 : 1;
}
