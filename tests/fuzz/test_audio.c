/* SPDX-License-Identifier: BSD-2-Clause */
/* Audio files in memory: as they announce themselves, and as headerless samples. */
#include "fuzz.h"

#include <math.h>

#include "otolith/audio.h"

/* libsndfile 1.2.0 loses what libvorbis allocated when a stream's headers are cut short. Not ours
 * to mend. */
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void);            /* NOLINT(bugprone-reserved-identifier): its name */
const char *__lsan_default_suppressions(void) /* NOLINT(bugprone-reserved-identifier): its name */
{
    return "leak:libvorbis\n";
}

static void read_all(const uint8_t *data, size_t size, const char *raw, int channel)
{
    float samples[1000];
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.rate_hz = 16000;
    options.raw = raw;
    options.channel = channel;
    oto_status status = oto_audio_open_memory(&audio, data, size, "fuzz", &options, &err);
    size_t n = 1, total = 0;
    while (status == OTO_OK && n > 0 && total < 1000000) {
        status = oto_audio_read(audio, samples, 1000, &n, &err);
        total += n;
        for (size_t i = 0; status == OTO_OK && i < n; i++) {
            if (!isfinite(samples[i]))
                abort(); /* such samples are an error, never given out */
        }
    }
    if (status != OTO_OK && err.message[0] == 0)
        abort();
    oto_audio_close(audio);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    read_all(data, size, NULL, 0);
    read_all(data, size, NULL, 2);
    read_all(data, size, "f32le:16000:1", 0);
    read_all(data, size, "s24be:44100:3", 3);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "audio", 300);
}
#endif
