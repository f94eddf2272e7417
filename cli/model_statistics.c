/* SPDX-License-Identifier: BSD-2-Clause */
/* What the features of a corpus are like, for models that were made without saying so. */
#include "cli/model.h"
#include "otolith/audio.h"
#include "training/corpus.h"

enum { BLOCK = 4096 };

static oto_status add_recording(struct oto_cmvn_stats *stats, struct oto_frontend *fe,
                                const struct oto_utterance *u, int rate_hz, oto_error *err)
{
    oto_audio *audio = NULL;
    oto_audio_options options;
    float samples[BLOCK];
    size_t n = 1, n_static = 0;
    oto_audio_options_init(&options);
    options.rate_hz = rate_hz;
    options.start_s = u->start_s;
    options.length_s = u->length_s;
    oto_frontend_reset(fe, 0);
    oto_status status = oto_audio_open(&audio, u->path, &options, err);
    while (status == OTO_OK && n > 0) {
        status = oto_audio_read(audio, samples, BLOCK, &n, err);
        if (status == OTO_OK)
            status = oto_frontend_push(fe, samples, n, err);
    }
    oto_audio_close(audio);
    if (status == OTO_OK)
        status = oto_frontend_finish(fe, err);
    if (status != OTO_OK)
        return status;
    const float *statics = oto_frontend_static(fe, &n_static);
    oto_cmvn_stats_add(stats, statics, n_static);
    return OTO_OK;
}

oto_status oto_cli_set_statistics(struct oto_bundle *bundle, const char *manifest, oto_error *err)
{
    struct oto_corpus *corpus = NULL;
    struct oto_frontend *fe = NULL;
    struct oto_cmvn_stats stats = {0};
    struct oto_frontend_options options = bundle->frontend;
    const struct oto_corpus_options corpus_options = {.max_messages = 5};
    options.cmvn = OTO_CMVN_NONE; /* static frames come before it */
    oto_status status = oto_corpus_load(&corpus, manifest, &corpus_options, err);
    if (status == OTO_OK)
        status = oto_frontend_create(&fe, &options, NULL, OTO_FFT_AUTO, err);
    if (status == OTO_OK)
        status = oto_cmvn_stats_init(&stats, oto_frontend_static_dim(fe), err);
    for (size_t i = 0; status == OTO_OK && i < corpus->n; i++)
        status = add_recording(&stats, fe, &corpus->utts[i], options.rate_hz, err);
    if (status == OTO_OK) {
        oto_cmvn_stats_clear(&bundle->cmvn);
        bundle->cmvn = stats;
    } else {
        oto_cmvn_stats_clear(&stats);
    }
    oto_frontend_destroy(fe);
    oto_corpus_destroy(corpus);
    return status;
}
