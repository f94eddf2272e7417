/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Endless samples to utterances: the endpointer cuts them, the first pass follows, and a recognizer
 * hears each utterance as a whole when it has ended. All decisions are made at multiples of 10 ms
 * from the first sample, so the portions in which samples come do not matter.
 */
#include "otolith/live.h"

#include <math.h>
#include <string.h>

#include "api/endpoint.h"
#include "api/first_pass.h"
#include "api/stages.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/status.h"
#include "decoder/confidence.h"

#define PRE_ROLL_S 0.3     /* heard before speech is noticed */
#define TRAIL_S 0.3        /* of the pause behind it that the second pass hears */
#define QUIET_S 0.2        /* a stretch of this length decides where a long utterance is cut */
#define NOTHING_S 3        /* sound of this length without a word is noise */
#define STEADY_S 2         /* and sound whose level has for so long */
#define STEADY_DB 2.0      /* a deviation less than this; that of speech is about 10 */
#define NETWORK_MORE_S 0.7 /* a pause by the network alone is so much longer */

struct oto_live {
    const oto_model *model;
    oto_live_options options;
    double rate_hz;
    oto_recognizer *recognizer;
    struct oto_frontend *frontend; /* static frames for the first pass */
    struct oto_first_pass *pass;
    struct oto_endpoint endpoint;

    float *samples; /* [capacity] of the utterance in work, else of the last moments */
    size_t n_held, capacity, n_max, n_pre_roll; /* n_max: of an utterance */
    size_t n_judged;                            /* held ones that the endpointer has heard */
    size_t n_pushed;                            /* held ones that the front end has */
    uint64_t first;                             /* number of samples[0] since reset */
    float *levels;                              /* [n_levels] of the utterance's blocks */
    size_t n_levels;                            /* n_judged / block while somebody speaks */

    struct oto_spoken spoken; /* words of an utterance by the first pass alone */
    bool has_words;           /* wanted */
    double second_pass_cost;  /* seconds for a second, without rescoring; 0: not known yet */
    double rescore_cost;      /* the same of rescoring */
    double speech;            /* of the utterance that was heard again */
    bool failed;
    oto_live_partial_text partial;
};

void oto_live_options_init(oto_live_options *options)
{
    *options = (oto_live_options){.struct_size = sizeof *options,
                                  .latency_ms = 400,
                                  .n_passes = 2,
                                  .second_pass_ms = 0,
                                  .max_utterance_s = 20,
                                  .silence_s = 0.8,
                                  .min_confidence = 0.45};
}

/* ---- create ------------------------------------------------------------------------------ */

static oto_status check_options(const oto_live_options *o, oto_error *err)
{
    if (o->latency_ms < 40 || o->latency_ms > 5000)
        return oto_fail(err, OTO_ERR_ARGUMENT, "latency_ms: found %d, expected 40 to 5000",
                        o->latency_ms);
    if (o->n_passes < 1 || o->n_passes > 2)
        return oto_fail(err, OTO_ERR_ARGUMENT, "n_passes: found %d, expected 1 or 2", o->n_passes);
    if (o->second_pass_ms < 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "second_pass_ms: found %d, expected 0 or more",
                        o->second_pass_ms);
    if (!(o->max_utterance_s >= 2 && o->max_utterance_s <= 60))
        return oto_fail(err, OTO_ERR_ARGUMENT, "max_utterance_s: found %g, expected 2 to 60",
                        o->max_utterance_s);
    if (!(o->min_confidence >= 0 && o->min_confidence <= 1))
        return oto_fail(err, OTO_ERR_ARGUMENT, "min_confidence: found %g, expected 0 to 1",
                        o->min_confidence);
    if (!(o->silence_s >= 0.2 && o->silence_s <= 10))
        return oto_fail(err, OTO_ERR_ARGUMENT, "silence_s: found %g, expected 0.2 to 10",
                        o->silence_s);
    return OTO_OK;
}

/* A caller built against an older header knows fewer fields. */
static oto_status take_options(oto_live *live, const oto_live_options *options, oto_error *err)
{
    oto_live_options_init(&live->options);
    if (options != NULL) {
        if (options->struct_size < sizeof options->struct_size)
            return oto_fail(err, OTO_ERR_ARGUMENT,
                            "options: struct_size is not set: call oto_live_options_init()");
        size_t n = options->struct_size < sizeof *options ? options->struct_size : sizeof *options;
        memcpy(&live->options, options, n);
    }
    return check_options(&live->options, err);
}

/* What the network says of the whole utterance, which is a single segment. Its text is searched for
 * where it is wanted. */
static oto_status look_for_speech(void *arg, const float *log_probs, size_t n_frames,
                                  oto_error *err)
{
    struct oto_live *live = arg;
    (void)err;
    live->speech = oto_speech_confidence(log_probs, n_frames, live->model->bundle->shape.n_outputs);
    const bool wanted = live->options.n_passes == 2 && live->speech >= live->options.min_confidence;
    return wanted ? OTO_OK : OTO_ERR_INTERRUPTED;
}

static oto_status create_recognizers(oto_live *live, const oto_recognizer_options *given,
                                     oto_error *err)
{
    const struct oto_bundle *b = live->model->bundle;
    struct oto_frontend_options frontend = b->frontend;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    if (given != NULL) {
        size_t n = given->struct_size < sizeof options ? given->struct_size : sizeof options;
        memcpy(&options, given, n);
        options.struct_size = sizeof options;
    }
    options.known_text = NULL; /* nobody knows what will be said */
    live->has_words = options.words != 0;
    options.max_segment_s = 2 * live->options.max_utterance_s; /* never cut again */
    oto_status status = oto_recognizer_create(&live->recognizer, live->model, &options, err);
    if (status != OTO_OK)
        return status;
    oto_recognizer_watch_segments(live->recognizer, look_for_speech, live);
    if (options.beam == 0)
        options.beam = b->beam.beam;
    status = oto_first_pass_create(
        &live->pass, live->model, &options, oto_recognizer_search(live->recognizer)->vocabulary,
        live->options.latency_ms, live->options.max_utterance_s + 1, err);
    if (status != OTO_OK)
        return status;
    frontend.cmvn = OTO_CMVN_NONE; /* static frames come before it */
    return oto_frontend_create(&live->frontend, &frontend, NULL, OTO_FFT_KISS, err);
}

static oto_status create_buffers(oto_live *live, oto_error *err)
{
    const int rate = live->model->bundle->frontend.rate_hz;
    struct oto_endpoint_options endpoint;
    oto_endpoint_options_init(&endpoint);
    endpoint.silence_s = live->options.silence_s;
    oto_endpoint_init(&live->endpoint, rate, &endpoint);
    live->rate_hz = rate;
    live->n_max = (size_t)(live->options.max_utterance_s * rate);
    live->n_pre_roll =
        (size_t)(PRE_ROLL_S * rate / (double)live->endpoint.block) * live->endpoint.block;
    live->capacity = live->n_max + 2 * live->n_pre_roll + live->endpoint.block;
    live->samples = oto_calloc(live->capacity, sizeof *live->samples);
    live->levels = oto_calloc(live->capacity / live->endpoint.block + 1, sizeof *live->levels);
    return live->samples != NULL && live->levels != NULL ? OTO_OK : oto_fail_memory(err, "live");
}

oto_status oto_live_create(oto_live **out, const oto_model *model,
                           const oto_recognizer_options *recognizer,
                           const oto_live_options *options, oto_error *err)
{
    if (out == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_live_create: out is NULL");
    *out = NULL;
    if (model == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_live_create: model is NULL");
    oto_live *live = oto_calloc(1, sizeof *live);
    if (live == NULL)
        return oto_fail_memory(err, "live");
    live->model = model;
    oto_status status = take_options(live, options, err);
    if (status == OTO_OK)
        status = create_buffers(live, err);
    if (status == OTO_OK)
        status = create_recognizers(live, recognizer, err);
    if (status != OTO_OK) {
        oto_live_destroy(live);
        return status;
    }
    oto_live_reset(live);
    *out = live;
    return OTO_OK;
}

void oto_live_destroy(oto_live *live)
{
    if (live == NULL)
        return;
    oto_spoken_clear(&live->spoken);
    oto_free(live->levels);
    oto_free(live->samples);
    oto_frontend_destroy(live->frontend);
    oto_first_pass_destroy(live->pass);
    oto_recognizer_destroy(live->recognizer);
    oto_free(live);
}

void oto_live_reset(oto_live *live)
{
    if (live == NULL)
        return;
    oto_endpoint_reset(&live->endpoint);
    oto_first_pass_reset(live->pass);
    oto_frontend_reset(live->frontend, 0);
    live->n_held = live->n_judged = live->n_pushed = 0;
    live->first = 0;
    live->failed = false;
    live->partial = (oto_live_partial_text){.text = ""};
}

/* ---- one utterance ----------------------------------------------------------------------- */

/* Forgets the first n samples held. */
static void drop(oto_live *live, size_t n)
{
    memmove(live->samples, live->samples + n, (live->n_held - n) * sizeof *live->samples);
    live->n_held -= n;
    live->n_judged -= n;
    live->n_pushed = 0;
    live->first += n;
}

/* The first pass gets all that was judged. */
static oto_status follow(oto_live *live, oto_error *err)
{
    size_t n_static = 0;
    oto_status status = oto_frontend_push(live->frontend, live->samples + live->n_pushed,
                                          live->n_judged - live->n_pushed, err);
    live->n_pushed = live->n_judged;
    const float *statics = oto_frontend_static(live->frontend, &n_static);
    if (status == OTO_OK && n_static > 0)
        status = oto_first_pass_push(live->pass, statics, n_static, err);
    oto_frontend_drop(live->frontend, n_static);
    return status;
}

static void begin(oto_live *live)
{
    oto_first_pass_next(live->pass);
    oto_frontend_reset(live->frontend, 0);
    live->n_pushed = 0;
}

/* Whether nothing at all sounds in a block: a device that was switched off, a file that was padded.
 */
static bool is_empty(const float *samples, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (samples[i] > samples[0] || samples[i] < samples[0])
            return false;
    }
    return true;
}

/* Whether a second pass of this cost would be done in time. */
static bool is_in_time(const oto_live *live, size_t n, double cost)
{
    const double cost_ms = 1000 * cost * (double)n / live->rate_hz;
    return live->options.second_pass_ms == 0 || cost_ms <= live->options.second_pass_ms;
}

/* The network once more, over all of it: whether it is speech, and its text where that is wanted.
 * The texts are scored anew where there is time for that, too. */
static oto_status hear_again(oto_live *live, size_t n, oto_live_utterance *utterance,
                             oto_error *err)
{
    const double start_s = oto_clock_wall_s();
    const oto_result *result = NULL;
    struct oto_search *search = oto_recognizer_search(live->recognizer);
    search->skips_rescorer = !is_in_time(live, n, live->second_pass_cost + live->rescore_cost);
    search->rescore_s = 0;
    oto_recognizer_reset(live->recognizer);
    oto_status status = oto_recognizer_feed(live->recognizer, live->samples, n, err);
    if (status == OTO_OK)
        status = oto_recognizer_finish(live->recognizer, &result, err);
    utterance->speech = live->speech;
    if (status == OTO_ERR_INTERRUPTED)
        return OTO_OK;
    utterance->n_passes = 2;
    utterance->result = result;
    const double per_s = live->rate_hz / (double)n;
    live->second_pass_cost = (oto_clock_wall_s() - start_s - search->rescore_s) * per_s;
    if (!search->skips_rescorer)
        live->rescore_cost = search->rescore_s * per_s;
    return status;
}

/* What the first pass says is the result. */
static oto_status conclude(oto_live *live, size_t n, oto_result *result, oto_alternative *only,
                           oto_error *err)
{
    const double seconds = (double)n / live->rate_hz;
    oto_spoken_reset(&live->spoken);
    if (live->has_words) {
        oto_status status = oto_first_pass_words(live->pass, &live->spoken, err);
        if (status != OTO_OK)
            return status;
        oto_spoken_settle(&live->spoken, seconds);
    }
    *result = (oto_result){.text = only->text,
                           .log_prob = only->log_prob,
                           .seconds = seconds,
                           .n_alternatives = 1,
                           .alternatives = only,
                           .n_words = (int)live->spoken.n,
                           .words = live->spoken.list};
    return OTO_OK;
}

/* The utterance is the first n samples held: its text is told, if it has any. */
static oto_status end_utterance(oto_live *live, size_t n, oto_error *err)
{
    size_t n_stable;
    oto_alternative only = {.text = ""};
    oto_result first = {0};
    oto_live_utterance utterance = {.result = &first, .n_passes = 1};
    oto_status status = oto_first_pass_finish(live->pass, err);
    if (status == OTO_OK)
        status = oto_first_pass_text(live->pass, &only.text, &n_stable, &only.log_prob, err);
    /* Both passes must have heard something: noise seldom deceives them both. */
    if (status != OTO_OK || only.text[0] == 0)
        return status;
    utterance.start_s = (double)live->first / live->rate_hz;
    utterance.end_s = (double)(live->first + n) / live->rate_hz;
    if (is_in_time(live, n, live->second_pass_cost))
        status = hear_again(live, n, &utterance, err);
    else
        utterance.speech = oto_first_pass_speech(live->pass);
    if (status != OTO_OK || utterance.speech < live->options.min_confidence)
        return status;
    if (utterance.n_passes == 1)
        status = conclude(live, n, &first, &only, err);
    if (status == OTO_OK && utterance.result->text[0] != 0 && live->options.utterance != NULL)
        live->options.utterance(live->options.user_data, &utterance);
    return status;
}

/* ---- where utterances end ---------------------------------------------------------------- */

/* Samples up to the middle of the quietest moment in the last third of what was judged. */
static size_t quietest_cut(const oto_live *live)
{
    const size_t n = live->n_levels, from = n - n / 3;
    const size_t width = (size_t)(QUIET_S * live->rate_hz / (double)live->endpoint.block);
    size_t best = from;
    double sum = 0, least = INFINITY;
    for (size_t t = from; t < n; t++) {
        sum += (double)live->levels[t];
        if (t + 1 < from + width)
            continue;
        if (sum < least) {
            least = sum;
            best = t + 1 - width;
        }
        sum -= (double)live->levels[t + 1 - width];
    }
    return (best + width / 2) * live->endpoint.block;
}

/* A long utterance is told up to its quietest moment; the rest begins another. */
static oto_status cut(oto_live *live, oto_error *err)
{
    const size_t n = quietest_cut(live), block = live->endpoint.block;
    oto_status status = end_utterance(live, n, err);
    live->n_levels -= n / block;
    memmove(live->levels, live->levels + n / block, live->n_levels * sizeof *live->levels);
    drop(live, n);
    begin(live);
    oto_endpoint_go_on(&live->endpoint);
    return status == OTO_OK ? follow(live, err) : status;
}

static oto_status end_by_silence(oto_live *live, oto_error *err)
{
    const size_t silence = (size_t)(live->options.silence_s * live->rate_hz);
    const size_t trail = (size_t)(TRAIL_S * live->rate_hz);
    size_t n = live->n_judged;
    if (silence > trail && n > silence)
        n -= silence - trail;
    /* Nothing is far below any sound: a little of it would spoil the normalisation of all. */
    for (size_t b = live->endpoint.block; n > 2 * b && is_empty(live->samples + n - b, b);)
        n -= b;
    oto_status status = end_utterance(live, n, err);
    drop(live, live->n_judged);
    return status;
}

/* Whether the level of the last n blocks judged hardly changes. */
static bool is_steady(const oto_live *live, size_t n)
{
    const float *levels = live->levels + live->n_levels - n;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)levels[i];
        squares += (double)levels[i] * (double)levels[i];
    }
    const double mean = sum / (double)n;
    return squares / (double)n - mean * mean < STEADY_DB * STEADY_DB;
}

/* Loud, but steady, or without words for long: the network's word against the endpointer's. */
static bool is_noise(const oto_live *live)
{
    const size_t n = live->n_levels;
    const size_t n_steady = (size_t)(STEADY_S * live->rate_hz / (double)live->endpoint.block);
    if (n >= n_steady && is_steady(live, n_steady))
        return true;
    double passed_s, blank_s;
    oto_first_pass_blank(live->pass, &passed_s, &blank_s);
    const double pause_s =
        blank_s < passed_s ? live->options.silence_s + NETWORK_MORE_S : NOTHING_S;
    return blank_s >= pause_s;
}

/* Judges the next block, which is there. */
static oto_status judge(oto_live *live, oto_error *err)
{
    const size_t block = live->endpoint.block;
    enum oto_endpoint_event event =
        oto_endpoint_push(&live->endpoint, live->samples + live->n_judged);
    live->n_judged += block;
    if (event == OTO_ENDPOINT_NONE && !live->endpoint.speaking) {
        if (live->n_judged >= 2 * live->n_pre_roll) /* seldom, as it moves what is kept */
            drop(live, live->n_judged - live->n_pre_roll);
        return OTO_OK;
    }
    if (event == OTO_ENDPOINT_START) {
        if (live->n_judged > live->n_pre_roll)
            drop(live, live->n_judged - live->n_pre_roll);
        while (live->n_judged > 2 * block && is_empty(live->samples, block))
            drop(live, block);
        begin(live);
        live->n_levels = 0; /* what was heard before is as loud as this, for all that is known */
        for (size_t at = block; at < live->n_judged; at += block)
            live->levels[live->n_levels++] = (float)live->endpoint.level_db;
    }
    live->levels[live->n_levels++] = (float)live->endpoint.level_db;
    oto_status status = follow(live, err);
    if (status != OTO_OK)
        return status;
    if (event == OTO_ENDPOINT_END)
        return end_by_silence(live, err);
    if (is_noise(live)) {
        oto_endpoint_is_noise(&live->endpoint);
        if (!is_steady(live, live->n_levels))
            status = end_utterance(live, live->n_judged, err);
        drop(live, live->n_judged);
        return status;
    }
    return live->n_judged + block > live->n_max ? cut(live, err) : OTO_OK;
}

/* ---- streaming --------------------------------------------------------------------------- */

static oto_status check_state(const oto_live *live, const char *function, oto_error *err)
{
    if (live == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: live is NULL", function);
    if (live->failed)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: an earlier call failed: call oto_live_reset() first", function);
    return OTO_OK;
}

static oto_status update_partial(oto_live *live, oto_error *err)
{
    live->partial = (oto_live_partial_text){
        .text = "",
        .start_s = (double)live->first / live->rate_hz,
        .heard_s = (double)(live->first + live->n_judged) / live->rate_hz,
    };
    if (!live->endpoint.speaking)
        return OTO_OK;
    return oto_first_pass_text(live->pass, &live->partial.text, &live->partial.n_stable, NULL, err);
}

oto_status oto_live_feed(oto_live *live, const float *samples, size_t n_samples, oto_error *err)
{
    oto_status status = check_state(live, "oto_live_feed", err);
    if (status == OTO_OK)
        status = oto_check_samples("oto_live_feed", samples, n_samples, err);
    if (status != OTO_OK)
        return status;
    while (n_samples > 0 && status == OTO_OK) {
        size_t n = live->n_judged + live->endpoint.block - live->n_held;
        n = n < n_samples ? n : n_samples;
        memcpy(live->samples + live->n_held, samples, n * sizeof *samples);
        live->n_held += n;
        samples += n;
        n_samples -= n;
        if (live->n_held == live->n_judged + live->endpoint.block)
            status = judge(live, err);
    }
    if (status == OTO_OK)
        status = update_partial(live, err);
    live->failed = status != OTO_OK;
    return status;
}

const oto_live_partial_text *oto_live_partial(oto_live *live)
{
    return &live->partial;
}

oto_status oto_live_finish(oto_live *live, oto_error *err)
{
    oto_status status = check_state(live, "oto_live_finish", err);
    if (status != OTO_OK)
        return status;
    live->n_judged = live->n_held; /* less than a block more */
    if (live->endpoint.speaking) {
        status = follow(live, err);
        if (status == OTO_OK)
            status = end_utterance(live, live->n_held, err);
    }
    drop(live, live->n_held);
    oto_endpoint_reset(&live->endpoint);
    live->partial = (oto_live_partial_text){.text = ""};
    live->failed = status != OTO_OK;
    return status;
}
