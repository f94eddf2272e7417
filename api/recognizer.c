/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples to text: front end, network and decoder of one stream. */
#include <math.h>
#include <string.h>

#include "api/acoustics.h"
#include "api/cuts.h"
#include "api/known.h"
#include "api/model.h"
#include "api/search.h"
#include "api/second_network.h"
#include "api/spoken.h"
#include "api/stages.h"
#include "api/word_edges.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/status.h"

/* Samples handed to the front end at once: bounds the frames that wait, whatever the portion fed.
 */
#define SLICE 16000
struct oto_recognizer {
    const oto_model *model;
    oto_recognizer_options options; /* beam resolved to the model's default */
    struct oto_acoustics acoustics;
    struct oto_pool *pool; /* NULL for one thread */
    struct oto_search search;
    struct oto_second_network *second; /* NULL: none */

    struct oto_cuts cuts;
    int *labels;   /* [acoustics.max_frames] greedy only */
    float *levels; /* [cuts.most] loudness of static frames */

    struct oto_writer text; /* of the segments so far, NUL-terminated */
    double log_prob;
    struct oto_spoken spoken; /* of the segments so far */
    struct oto_known known;   /* labels of options.known_text; none: text is searched for */
    uint64_t n_static;        /* frames of the segments so far */
    int n_segments;
    uint64_t n_samples;
    bool finished, failed;

    struct oto_stage_time *times; /* [OTO_N_STAGES] borrowed; NULL unless asked for */
    oto_segment_callback *watch;  /* NULL unless asked for */
    void *watch_arg;

    oto_result result;
    oto_alternative *alternatives; /* [n_best]; texts owned, NULL from n_alternatives on */
    int n_alternatives;
};

void oto_recognizer_options_init(oto_recognizer_options *options)
{
    *options = (oto_recognizer_options){.struct_size = sizeof *options,
                                        .beam = 0,
                                        .n_best = 1,
                                        .max_segment_s = 30,
                                        .n_threads = 1,
                                        .lm_weight = (double)NAN,
                                        .prior_scale = (double)NAN,
                                        .word_bonus = (double)NAN,
                                        .unknown_weight = (double)NAN,
                                        .words = 1,
                                        .known_gaps = 1,
                                        .hot_word_boost = 6,
                                        .rescore_weight = (double)NAN,
                                        .second_weight = (double)NAN};
}

/* ---- create ------------------------------------------------------------------------------ */

static oto_status check_options(oto_recognizer_options *o, const oto_model *model, oto_error *err)
{
    if (o->beam < 0 || o->beam > 100000)
        return oto_fail(err, OTO_ERR_ARGUMENT, "beam: found %d, expected 0 (default) to 100000",
                        o->beam);
    if (o->beam == 0)
        o->beam = model->bundle->beam.beam;
    if (o->n_best < 1 || o->n_best > o->beam)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "n_best: found %d, expected 1 to the beam of %d: widen the beam", o->n_best,
                        o->beam);
    if (!(o->max_segment_s >= 1 && o->max_segment_s <= 600))
        return oto_fail(err, OTO_ERR_ARGUMENT, "max_segment_s: found %g, expected 1 to 600",
                        o->max_segment_s);
    if (o->n_threads < 1 || o->n_threads > 256)
        return oto_fail(err, OTO_ERR_ARGUMENT, "n_threads: found %d, expected 1 to 256",
                        o->n_threads);
    if (o->words != 0 && o->words != 1)
        return oto_fail(err, OTO_ERR_ARGUMENT, "words: found %d, expected 0 or 1", o->words);
    return OTO_OK;
}

static oto_status create_parts(oto_recognizer *rec, struct oto_vocabulary *vocabulary,
                               oto_error *err)
{
    const struct oto_bundle *b = rec->model->bundle;
    oto_status status = OTO_OK;
    oto_cuts_init(&rec->cuts, &b->frontend, oto_bundle_stride(b), rec->options.max_segment_s);
    if (rec->options.n_threads > 1)
        status = oto_pool_create(&rec->pool, rec->options.n_threads, err);
    if (status == OTO_OK)
        status = oto_acoustics_init(&rec->acoustics, b, rec->model->network, rec->cuts.most, err);
    if (status != OTO_OK)
        return status;
    if (rec->options.known_text != NULL)
        status = oto_known_init(&rec->known, rec->options.known_text, b,
                                rec->options.known_gaps != 0, err);
    else
        status = oto_search_init(&rec->search, b, &rec->options, vocabulary, err);
    if (status == OTO_OK && rec->search.vocabulary != NULL)
        status = oto_search_add_rescorer(&rec->search, b, &rec->options, err);
    if (status == OTO_OK)
        status = oto_second_network_create(&rec->second, rec->model, &rec->search, &rec->options,
                                           &rec->acoustics, rec->cuts.most, err);
    if (status != OTO_OK)
        return status;
    rec->labels = oto_calloc(rec->acoustics.max_frames, sizeof(int));
    rec->levels = oto_calloc(rec->cuts.most, sizeof(float));
    rec->alternatives = oto_calloc((size_t)rec->options.n_best, sizeof *rec->alternatives);
    if (rec->labels == NULL || rec->levels == NULL || rec->alternatives == NULL)
        return oto_fail_memory(err, "recognizer");
    return OTO_OK;
}

/* With options that are all there. vocabulary NULL: read as they say. */
static oto_status create(oto_recognizer **out, const oto_model *model,
                         const oto_recognizer_options *options, struct oto_vocabulary *vocabulary,
                         oto_error *err)
{
    oto_recognizer *rec = oto_calloc(1, sizeof *rec);
    if (rec == NULL)
        return oto_fail_memory(err, "recognizer");
    rec->model = model;
    rec->options = *options;
    oto_status status = check_options(&rec->options, model, err);
    if (status == OTO_OK)
        status = create_parts(rec, vocabulary, err);
    /* the caller's texts may go */
    rec->options.lexicon = rec->options.lm = rec->options.known_text = NULL;
    rec->options.grammar = rec->options.more_words = NULL;
    rec->options.hot_words_file = NULL;
    rec->options.rescore = NULL;
    rec->options.hot_words = NULL;
    rec->options.n_hot_words = 0;
    if (status != OTO_OK) {
        oto_recognizer_destroy(rec);
        return status;
    }
    oto_recognizer_reset(rec);
    *out = rec;
    return OTO_OK;
}

oto_status oto_recognizer_create(oto_recognizer **out, const oto_model *model,
                                 const oto_recognizer_options *options, oto_error *err)
{
    if (out == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_recognizer_create: out is NULL");
    *out = NULL;
    if (model == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_recognizer_create: model is NULL");
    if (options != NULL && options->struct_size < sizeof options->struct_size)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "options: struct_size is not set: call oto_recognizer_options_init()");
    oto_recognizer_options own;
    oto_recognizer_options_init(&own);
    if (options != NULL) { /* a caller built against an older header knows fewer fields */
        size_t n = options->struct_size < sizeof *options ? options->struct_size : sizeof *options;
        memcpy(&own, options, n);
    }
    return create(out, model, &own, NULL, err);
}

oto_status oto_recognizer_create_like(oto_recognizer **out, const oto_recognizer *like,
                                      oto_error *err)
{
    if (out == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_recognizer_create_like: out is NULL");
    *out = NULL;
    if (like == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_recognizer_create_like: like is NULL");
    oto_recognizer_options options = like->options;
    options.known_text = like->known.text;
    return create(out, like->model, &options, like->search.vocabulary, err);
}

struct oto_search *oto_recognizer_search(oto_recognizer *rec)
{
    return &rec->search;
}

static void clear_alternatives(oto_recognizer *rec)
{
    for (int i = 0; i < rec->n_alternatives; i++) {
        oto_free((char *)(uintptr_t)rec->alternatives[i].text);
        rec->alternatives[i].text = NULL;
    }
    rec->n_alternatives = 0;
}

void oto_recognizer_destroy(oto_recognizer *rec)
{
    if (rec == NULL)
        return;
    clear_alternatives(rec);
    oto_free(rec->alternatives);
    oto_spoken_clear(&rec->spoken);
    oto_known_clear(&rec->known);
    oto_writer_clear(&rec->text);
    oto_free(rec->labels);
    oto_free(rec->levels);
    oto_second_network_destroy(rec->second);
    oto_search_clear(&rec->search);
    oto_acoustics_clear(&rec->acoustics);
    oto_pool_destroy(rec->pool);
    oto_free(rec);
}

void oto_recognizer_reset(oto_recognizer *rec)
{
    if (rec == NULL)
        return;
    clear_alternatives(rec);
    oto_frontend_reset(rec->acoustics.frontend, 0);
    oto_second_network_reset(rec->second);
    rec->text.size = 0;
    rec->text.failed = false;
    rec->log_prob = 0;
    oto_spoken_reset(&rec->spoken);
    rec->n_static = 0;
    oto_cuts_reset(&rec->cuts);
    rec->n_segments = 0;
    rec->n_samples = 0;
    rec->finished = rec->failed = false;
}

/* ---- time of the stages ------------------------------------------------------------------ */

void oto_recognizer_time_stages(oto_recognizer *rec, struct oto_stage_time *times)
{
    rec->times = times;
}

void oto_recognizer_watch_segments(oto_recognizer *rec, oto_segment_callback *callback, void *arg)
{
    rec->watch = callback;
    rec->watch_arg = arg;
}

static struct oto_stage_time now(const oto_recognizer *rec)
{
    if (rec->times == NULL)
        return (struct oto_stage_time){0, 0};
    return (struct oto_stage_time){oto_clock_wall_s(), oto_clock_cpu_s()};
}

static void count(const oto_recognizer *rec, enum oto_stage stage, struct oto_stage_time start)
{
    if (rec->times == NULL)
        return;
    struct oto_stage_time end = now(rec);
    rec->times[stage].wall_s += end.wall_s - start.wall_s;
    rec->times[stage].cpu_s += end.cpu_s - start.cpu_s;
}

/* ---- one segment ------------------------------------------------------------------------- */

/* Takes over text. False when the same text is there already: prefixes may differ in a space at the
 * end alone. */
static bool add_alternative(oto_recognizer *rec, char *text, double log_prob)
{
    for (int i = 0; i < rec->n_alternatives; i++) {
        if (strcmp(rec->alternatives[i].text, text) == 0)
            return false;
    }
    rec->alternatives[rec->n_alternatives++] = (oto_alternative){text, log_prob};
    return true;
}

/* The words of the segment's best text. */
static oto_status add_words(oto_recognizer *rec, const struct oto_hypothesis *hyps, int n_hyps,
                            const struct oto_segment *segment, oto_error *err)
{
    const struct oto_bundle *b = rec->model->bundle;
    double *votes = NULL;
    oto_status status = OTO_OK;
    if (rec->options.words == 0)
        return OTO_OK;
    if (n_hyps > 1)
        status = oto_votes_count(&votes, hyps, n_hyps, b->alphabet->space, err);
    if (status == OTO_OK)
        status =
            oto_spoken_add(&rec->spoken, b, hyps[0].labels, hyps[0].n_labels, votes, segment, err);
    oto_free(votes);
    return status;
}

const struct oto_evidence *oto_recognizer_evidence(const oto_recognizer *rec)
{
    return rec->spoken.evidence;
}

static oto_status decode_greedy(oto_recognizer *rec, const struct oto_segment *segment,
                                oto_error *err)
{
    const struct oto_alphabet *alphabet = rec->model->bundle->alphabet;
    double log_prob = 0;
    char *text = NULL;
    int n = oto_greedy(rec->labels, NULL, &log_prob, segment->log_probs, segment->n_frames,
                       alphabet->n_symbols);
    oto_status status = oto_alphabet_decode(alphabet, rec->labels, n, &text, err);
    if (status == OTO_OK)
        (void)add_alternative(rec, text, log_prob); /* the list is empty: always taken */
    if (status == OTO_OK)
        status = add_words(rec, &(struct oto_hypothesis){.labels = rec->labels, .n_labels = n}, 1,
                           segment, err);
    return status;
}

/* The text is known: its times wait for the end. */
static oto_status decode_known(oto_recognizer *rec, const struct oto_segment *segment,
                               oto_error *err)
{
    char *text = oto_strdup("");
    if (text == NULL)
        return oto_fail_memory(err, "text");
    (void)add_alternative(rec, text, 0); /* the list is empty: always taken */
    oto_status status = OTO_OK;
    if (rec->n_segments == 0)
        status = oto_known_reset(&rec->known, err);
    if (status == OTO_OK)
        status = oto_known_push(&rec->known, segment, err);
    return status;
}

/* New scores and a new order for the best texts, where there is something that gives them. */
static oto_status rescore(oto_recognizer *rec, const struct oto_segment *segment,
                          const struct oto_hypothesis **hyps, int *n_hyps, oto_error *err)
{
    oto_status status = OTO_OK;
    if (rec->search.skips_rescorer)
        return OTO_OK;
    const double start_s = oto_clock_wall_s();
    if (rec->second != NULL)
        status = oto_second_network_run(rec->second, hyps, n_hyps, segment, rec->pool, err);
    if (status == OTO_OK && rec->search.rescorer != NULL)
        status = oto_rescorer_run(rec->search.rescorer, hyps, n_hyps, err);
    rec->search.rescore_s = oto_clock_wall_s() - start_s;
    return status;
}

static oto_status decode_beam(oto_recognizer *rec, const struct oto_segment *segment,
                              oto_error *err)
{
    const struct oto_hypothesis *hyps = NULL;
    int n_hyps = 0;
    oto_beam_reset(rec->search.beam);
    oto_status status = oto_beam_push(rec->search.beam, segment->log_probs, segment->n_frames, err);
    if (status == OTO_OK)
        status = oto_search_n_best(&rec->search, rec->options.beam, &hyps, &n_hyps,
                                   segment->log_probs, segment->n_frames, err);
    if (status == OTO_OK)
        status = rescore(rec, segment, &hyps, &n_hyps, err);
    for (int i = 0; status == OTO_OK && i < n_hyps && rec->n_alternatives < rec->options.n_best;
         i++) {
        char *text = NULL;
        status = oto_alphabet_decode(rec->model->bundle->alphabet, hyps[i].labels, hyps[i].n_labels,
                                     &text, err);
        if (status == OTO_OK && !add_alternative(rec, text, hyps[i].log_prob))
            oto_free(text);
    }
    if (status == OTO_OK)
        status = add_words(rec, hyps, n_hyps, segment, err);
    return status;
}

/* Appends the best text of the segment, a space between. The text stays NUL-terminated. */
static oto_status append_text(oto_recognizer *rec, const char *text, oto_error *err)
{
    struct oto_writer *w = &rec->text;
    if (w->size > 0)
        w->size--; /* the terminator */
    if (w->size > 0 && text[0] != 0)
        oto_write_u8(w, ' ');
    oto_write_bytes(w, text, strlen(text) + 1);
    return w->failed ? oto_fail_memory(err, "text") : OTO_OK;
}

/* The best text of what the network wrote, with alternatives and words. */
static oto_status decode(oto_recognizer *rec, size_t n_frames, const float *statics,
                         size_t n_static, oto_error *err)
{
    const struct oto_frontend_options *frontend = &rec->model->bundle->frontend;
    const struct oto_segment segment = {
        .log_probs = rec->acoustics.log_probs,
        .n_frames = n_frames,
        .levels = rec->levels,
        .n_levels = n_static,
        .start_s = (double)rec->n_static * frontend->frame_shift_ms / 1000,
    };
    oto_word_levels(rec->levels, statics, n_static,
                    oto_frontend_static_dim(rec->acoustics.frontend), frontend);
    if (rec->known.n > 0)
        return decode_known(rec, &segment, err);
    return rec->search.beam != NULL ? decode_beam(rec, &segment, err)
                                    : decode_greedy(rec, &segment, err);
}

/* Decodes the first n_static frames that wait, and forgets them. */
static oto_status decode_segment(oto_recognizer *rec, size_t n_static, oto_error *err)
{
    size_t n_waiting, n_frames = 0;
    const float *statics = oto_frontend_static(rec->acoustics.frontend, &n_waiting);
    clear_alternatives(rec);
    struct oto_stage_time start = now(rec);
    oto_status status = oto_acoustics_features(&rec->acoustics, n_static, err);
    count(rec, OTO_STAGE_FEATURES, start);
    start = now(rec);
    if (status == OTO_OK)
        status = oto_acoustics_forward(&rec->acoustics, &n_frames, n_static, rec->pool, err);
    count(rec, OTO_STAGE_NETWORK, start);
    if (status == OTO_OK && rec->watch != NULL)
        status = rec->watch(rec->watch_arg, rec->acoustics.log_probs, n_frames, err);
    start = now(rec);
    if (status == OTO_OK)
        status = decode(rec, n_frames, statics, n_static, err);
    if (status == OTO_OK)
        status = append_text(rec, rec->alternatives[0].text, err);
    count(rec, OTO_STAGE_DECODER, start);
    if (status != OTO_OK)
        return status;
    rec->log_prob += rec->alternatives[0].log_prob;
    rec->n_segments++;
    rec->n_static += n_static;
    oto_frontend_drop(rec->acoustics.frontend, n_static);
    oto_second_network_drop(rec->second, n_static);
    return OTO_OK;
}

static oto_status decode_full_segments(oto_recognizer *rec, oto_error *err)
{
    for (;;) {
        size_t n_static;
        const float *statics = oto_frontend_static(rec->acoustics.frontend, &n_static);
        if (n_static > rec->cuts.most)
            n_static = rec->cuts.most;
        if (n_static == rec->cuts.most)
            oto_word_levels(rec->levels, statics, n_static,
                            oto_frontend_static_dim(rec->acoustics.frontend),
                            &rec->model->bundle->frontend);
        size_t cut = oto_cuts_find(&rec->cuts, rec->n_static, rec->levels, n_static);
        if (cut == 0)
            return OTO_OK;
        oto_status status = decode_segment(rec, cut, err);
        if (status != OTO_OK)
            return status;
    }
}

/* ---- streaming --------------------------------------------------------------------------- */

static oto_status check_state(const oto_recognizer *rec, const char *function, oto_error *err)
{
    if (rec == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: rec is NULL", function);
    if (rec->finished || rec->failed)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: %s: call oto_recognizer_reset() first",
                        function,
                        rec->finished ? "the input was finished" : "an earlier call failed");
    return OTO_OK;
}

oto_status oto_check_samples(const char *function, const float *samples, size_t n_samples,
                             oto_error *err)
{
    if (samples == NULL && n_samples > 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "%s: samples is NULL", function);
    for (size_t i = 0; i < n_samples; i++) {
        if (!isfinite(samples[i]))
            return oto_fail(err, OTO_ERR_DATA,
                            "sample %zu of %zu is not a finite number; nothing of this portion was "
                            "taken",
                            i, n_samples);
    }
    return OTO_OK;
}

oto_status oto_recognizer_feed(oto_recognizer *rec, const float *samples, size_t n_samples,
                               oto_error *err)
{
    oto_status status = check_state(rec, "oto_recognizer_feed", err);
    if (status == OTO_OK)
        status = oto_check_samples("oto_recognizer_feed", samples, n_samples, err);
    if (status != OTO_OK)
        return status;
    for (size_t at = 0; at < n_samples && status == OTO_OK; at += SLICE) {
        size_t n = n_samples - at < SLICE ? n_samples - at : SLICE;
        const struct oto_stage_time start = now(rec);
        status = oto_frontend_push(rec->acoustics.frontend, samples + at, n, err);
        if (status == OTO_OK)
            status = oto_second_network_push(rec->second, samples + at, n, err);
        count(rec, OTO_STAGE_FEATURES, start);
        oto_cuts_push(&rec->cuts, samples + at, n);
        rec->n_samples += n;
        if (status == OTO_OK)
            status = decode_full_segments(rec, err);
    }
    rec->failed = status != OTO_OK;
    return status;
}

const char *oto_recognizer_partial(oto_recognizer *rec)
{
    return rec != NULL && rec->text.size > 0 ? (const char *)rec->text.data : "";
}

/* The text is what was given, a space between its words. */
static oto_status settle_known(oto_recognizer *rec, oto_error *err)
{
    oto_status status = rec->n_segments > 0 ? OTO_OK : oto_known_reset(&rec->known, err);
    rec->text.size = 0;
    if (status == OTO_OK)
        status =
            oto_known_finish(&rec->known, &rec->spoken, &rec->log_prob, rec->model->bundle,
                             (double)rec->n_samples / rec->model->bundle->frontend.rate_hz, err);
    for (size_t i = 0; i < rec->known.n && status == OTO_OK; i++)
        status = append_text(rec, rec->known.words[i], err);
    clear_alternatives(rec);
    char *text = status == OTO_OK ? oto_strdup(oto_recognizer_partial(rec)) : NULL;
    if (status == OTO_OK && text == NULL)
        status = oto_fail_memory(err, "text");
    if (status == OTO_OK)
        (void)add_alternative(rec, text, rec->log_prob); /* the list is empty: always taken */
    return status;
}

/* The alternatives of a single segment are those of the whole; else, and for no segment, the best
 * text stands alone. */
static oto_status settle_alternatives(oto_recognizer *rec, oto_error *err)
{
    if (rec->known.n > 0)
        return settle_known(rec, err);
    if (rec->n_segments == 1)
        return OTO_OK;
    clear_alternatives(rec);
    char *text = oto_strdup(oto_recognizer_partial(rec));
    if (text == NULL)
        return oto_fail_memory(err, "text");
    (void)add_alternative(rec, text, rec->log_prob); /* the list is empty: always taken */
    return OTO_OK;
}

oto_status oto_recognizer_finish(oto_recognizer *rec, const oto_result **result, oto_error *err)
{
    if (result == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_recognizer_finish: result is NULL");
    *result = NULL;
    oto_status status = check_state(rec, "oto_recognizer_finish", err);
    if (status != OTO_OK)
        return status;
    const struct oto_stage_time start = now(rec);
    status = oto_frontend_finish(rec->acoustics.frontend, err);
    if (status == OTO_OK)
        status = oto_second_network_finish(rec->second, err);
    count(rec, OTO_STAGE_FEATURES, start);
    if (status == OTO_OK)
        status = decode_full_segments(rec, err);
    size_t n_static = 0;
    if (status == OTO_OK)
        (void)oto_frontend_static(rec->acoustics.frontend, &n_static);
    if (n_static > 0)
        status = decode_segment(rec, n_static, err);
    if (status == OTO_OK)
        status = settle_alternatives(rec, err);
    if (status != OTO_OK) {
        rec->failed = true;
        return status;
    }
    rec->finished = true;
    double seconds = (double)rec->n_samples / rec->model->bundle->frontend.rate_hz;
    oto_spoken_settle(&rec->spoken, seconds);
    rec->result = (oto_result){
        .text = rec->alternatives[0].text,
        .log_prob = rec->log_prob,
        .seconds = seconds,
        .n_alternatives = rec->n_alternatives,
        .alternatives = rec->alternatives,
        .n_words = (int)rec->spoken.n,
        .words = rec->spoken.list,
    };
    *result = &rec->result;
    return OTO_OK;
}
