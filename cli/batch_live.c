/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/batch_live.h"

#include "api/first_pass.h"
#include "base/mem.h"

struct oto_batch_live {
    const struct oto_bundle *bundle;
    struct oto_frontend *frontend; /* static frames: normalisation is the first pass's */
    struct oto_first_pass *pass;
    size_t n_samples;
    oto_result result;
    oto_alternative alternative;
};

oto_status oto_batch_live_create(struct oto_batch_live **out, const oto_model *model,
                                 oto_recognizer *recognizer, const oto_recognizer_options *options,
                                 int latency_ms, oto_error *err)
{
    const struct oto_bundle *b = model->bundle;
    struct oto_batch_live *live = *out = oto_calloc(1, sizeof *live);
    if (live == NULL)
        return oto_fail_memory(err, "live pass");
    live->bundle = b;
    struct oto_frontend_options frontend = b->frontend;
    frontend.cmvn = OTO_CMVN_NONE;
    oto_recognizer_options own = *options;
    if (own.beam == 0)
        own.beam = b->beam.beam;
    oto_status status = oto_frontend_create(&live->frontend, &frontend, NULL, OTO_FFT_KISS, err);
    if (status == OTO_OK)
        status = oto_first_pass_create(&live->pass, model, &own,
                                       oto_recognizer_search(recognizer)->vocabulary, latency_ms,
                                       OTO_BATCH_LIVE_MAX_S, err);
    if (status != OTO_OK) {
        oto_batch_live_destroy(live);
        *out = NULL;
    }
    return status;
}

void oto_batch_live_destroy(struct oto_batch_live *live)
{
    if (live == NULL)
        return;
    oto_first_pass_destroy(live->pass);
    oto_frontend_destroy(live->frontend);
    oto_free(live);
}

void oto_batch_live_reset(struct oto_batch_live *live)
{
    oto_frontend_reset(live->frontend, 0);
    oto_first_pass_reset(live->pass);
    live->n_samples = 0;
}

/* The frames that are there go to the first pass. */
static oto_status pass_on(struct oto_batch_live *live, oto_error *err)
{
    size_t n;
    const float *statics = oto_frontend_static(live->frontend, &n);
    oto_status status = oto_first_pass_push(live->pass, statics, n, err);
    oto_frontend_drop(live->frontend, n);
    return status;
}

oto_status oto_batch_live_feed(struct oto_batch_live *live, const float *samples, size_t n_samples,
                               oto_error *err)
{
    live->n_samples += n_samples;
    if (live->n_samples > (size_t)OTO_BATCH_LIVE_MAX_S * (size_t)live->bundle->frontend.rate_hz)
        return oto_fail(err, OTO_ERR_DATA, "longer than %d s, which no live utterance is",
                        OTO_BATCH_LIVE_MAX_S);
    oto_status status = oto_frontend_push(live->frontend, samples, n_samples, err);
    return status == OTO_OK ? pass_on(live, err) : status;
}

oto_status oto_batch_live_finish(struct oto_batch_live *live, const oto_result **result,
                                 oto_error *err)
{
    const char *text = "";
    size_t n_stable;
    oto_status status = oto_frontend_finish(live->frontend, err);
    if (status == OTO_OK)
        status = pass_on(live, err);
    if (status == OTO_OK)
        status = oto_first_pass_finish(live->pass, err);
    if (status == OTO_OK)
        status =
            oto_first_pass_text(live->pass, &text, &n_stable, &live->alternative.log_prob, err);
    if (status != OTO_OK)
        return status;
    live->alternative.text = text;
    live->result = (oto_result){
        .text = text,
        .log_prob = live->alternative.log_prob,
        .seconds = (double)live->n_samples / live->bundle->frontend.rate_hz,
        .n_alternatives = 1,
        .alternatives = &live->alternative,
    };
    *result = &live->result;
    return OTO_OK;
}
