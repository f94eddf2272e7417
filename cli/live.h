/* SPDX-License-Identifier: BSD-2-Clause */
/** One session of `otolith live`: sound from a microphone or an input through a recogniser to a
 * sink, until the input ends or somebody wants an end. */
#ifndef OTO_CLI_LIVE_H
#define OTO_CLI_LIVE_H

#include "cli/live_sink.h"
#include "cli/wav_writer.h"
#include "otolith/audio.h"
#include "otolith/live.h"

struct oto_live_session {
    const oto_model *model;
    const oto_recognizer_options *recognizer;
    const oto_live_options *options; /* utterance is set here */
    const char *input;               /* file or "-"; NULL: the microphone */
    const char *device;
    const oto_audio_options *audio; /* rate_hz and stop are set here */
    const char *model_path;
    struct oto_live_sink *sink;
    struct oto_wav_writer *save; /* NULL: sound is not kept */
    int (*stop)(void *arg);      /* nonzero: end soon */
};

/** OTO_OK also where stop asked for the end: then *stopped is set. What was said until then has
 * been told. Errors: those of the input, the recogniser and the file that sound is saved to; a
 * microphone that fails later on is told to the sink and opened again. */
oto_status oto_live_run(const struct oto_live_session *session, bool *stopped,
                        oto_error *err) OTO_WARN_UNUSED;

#endif
