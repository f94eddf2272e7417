/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/first_pass.h"

#include <math.h>
#include <string.h>

#include "acoustic/network_stream.h"
#include "api/word_edges.h"
#include "base/mem.h"
#include "decoder/confidence.h"
#include "features/cmvn.h"
#include "features/vad.h"

enum {
    WAIT_FRAMES = 50, /* of a first utterance without statistics */
    KEEP_LABELS = 20  /* of the likeliest text may stay undecided: some four words */
};

struct oto_first_pass {
    const struct oto_bundle *bundle;
    struct oto_network_stream *stream;
    struct oto_search search;
    struct oto_frontend *plain;    /* deltas and stacking of frames that are normalised already */
    int dim, stride, stack, reach; /* reach: frames to each side that a delta looks at */

    size_t max_static, max_vectors;
    float *statics;                           /* [max_static, dim] of the utterance */
    float *normalised;                        /* [max_static, dim] */
    float *vectors;                           /* [max_vectors, D] scratch */
    size_t n_static, n_normalised, n_vectors; /* vectors: given to the network */
    struct oto_cmvn_stats heard, prior;       /* of the utterance so far; before it */
    struct oto_vad_stream vad;                /* whose frames are heard; with cmvn-margin alone */

    double *sums;     /* [2*dim] scratch */
    float *log_probs; /* [max_vectors, K] */
    int *labels;      /* [max_vectors] of the text so far, at first those that are settled */
    int n_settled, n_labels;
    float *levels; /* [max_static] scratch */
    size_t n_passed, n_blank;
    char *text;
    bool ended, has_text; /* text is that of n_passed */
    size_t n_stable;
    double log_prob;
};

/* ---- create ------------------------------------------------------------------------------ */

/* A third of the look-ahead is the chunk: a word waits between one and three thirds. Shorter chunks
 * would cost more, as each runs over its context, too. */
static struct oto_network_chunks chunks_of(const struct oto_first_pass *p, int latency_ms)
{
    const struct oto_bundle *b = p->bundle;
    const int reduction = oto_network_reduction(&b->shape, b->shape.n_layers - 1);
    int n = (int)(latency_ms / (b->frontend.frame_shift_ms * oto_bundle_stride(b)));
    n = n > 3 ? n : 3;
    int n_chunk = n / 3;
    return (struct oto_network_chunks){n_chunk * reduction, (n - n_chunk) * reduction};
}

static oto_status create_plain(struct oto_first_pass *p, oto_error *err)
{
    struct oto_frontend_options options = p->bundle->frontend;
    options.cmvn = OTO_CMVN_NONE;
    p->stride = options.stride;
    p->stack = options.stack;
    p->reach = options.delta_order * options.delta_window;
    oto_status status = oto_frontend_create(&p->plain, &options, NULL, OTO_FFT_KISS, err);
    if (status == OTO_OK)
        p->dim = oto_frontend_static_dim(p->plain);
    return status;
}

static oto_status create_buffers(struct oto_first_pass *p, double max_seconds, oto_error *err)
{
    const struct oto_bundle *b = p->bundle;
    p->max_static = (size_t)(max_seconds * 1000 / b->frontend.frame_shift_ms) + 1;
    p->max_vectors = oto_frontend_n_frames(p->plain, p->max_static);
    size_t n_statics, n_vectors, n_outputs;
    if (!oto_mul_size(p->max_static, (size_t)p->dim, &n_statics) ||
        !oto_mul_size(p->max_vectors, (size_t)b->shape.n_inputs, &n_vectors) ||
        !oto_mul_size(p->max_vectors, (size_t)b->shape.n_outputs, &n_outputs))
        return oto_fail_memory(err, "first pass");
    p->statics = oto_calloc(n_statics, sizeof(float));
    p->normalised = oto_calloc(n_statics, sizeof(float));
    p->vectors = oto_calloc(n_vectors, sizeof(float));
    p->log_probs = oto_calloc(n_outputs, sizeof(float));
    p->labels = oto_calloc(p->max_vectors, sizeof(int));
    p->levels = oto_calloc(p->max_static, sizeof(float));
    p->sums = oto_calloc(2 * (size_t)p->dim, sizeof(double));
    if (p->statics == NULL || p->normalised == NULL || p->vectors == NULL || p->log_probs == NULL ||
        p->labels == NULL || p->sums == NULL || p->levels == NULL)
        return oto_fail_memory(err, "first pass");
    oto_status status = oto_cmvn_stats_init(&p->heard, p->dim, err);
    return status == OTO_OK ? oto_cmvn_stats_init(&p->prior, p->dim, err) : status;
}

oto_status oto_first_pass_create(struct oto_first_pass **out, const oto_model *model,
                                 const oto_recognizer_options *recognizer,
                                 struct oto_vocabulary *vocabulary, int latency_ms,
                                 double max_seconds, oto_error *err)
{
    *out = NULL;
    struct oto_first_pass *p = oto_calloc(1, sizeof *p);
    if (p == NULL)
        return oto_fail_memory(err, "first pass");
    p->bundle = model->bundle;
    oto_status status = create_plain(p, err);
    if (status == OTO_OK)
        status = create_buffers(p, max_seconds, err);
    if (status == OTO_OK)
        status = oto_search_init(&p->search, p->bundle, recognizer, vocabulary, err);
    if (status == OTO_OK) {
        const struct oto_network_chunks chunks = chunks_of(p, latency_ms);
        status = oto_network_stream_create(&p->stream, model->network, &chunks, err);
    }
    if (status != OTO_OK) {
        oto_first_pass_destroy(p);
        return status;
    }
    oto_first_pass_reset(p);
    *out = p;
    return OTO_OK;
}

void oto_first_pass_destroy(struct oto_first_pass *p)
{
    if (p == NULL)
        return;
    oto_free(p->text);
    oto_cmvn_stats_clear(&p->prior);
    oto_cmvn_stats_clear(&p->heard);
    oto_free(p->levels);
    oto_free(p->sums);
    oto_free(p->labels);
    oto_free(p->log_probs);
    oto_free(p->vectors);
    oto_free(p->normalised);
    oto_free(p->statics);
    oto_search_clear(&p->search);
    oto_network_stream_destroy(p->stream);
    oto_frontend_destroy(p->plain);
    oto_free(p);
}

/* ---- utterances -------------------------------------------------------------------------- */

/* Adds what was heard to the prior, which then counts for its share alone. */
static void learn(struct oto_first_pass *p)
{
    const double total = p->prior.count + p->heard.count;
    const double scale = total > OTO_CMVN_PRIOR_FRAMES ? OTO_CMVN_PRIOR_FRAMES / total : 1;
    for (int d = 0; d < p->dim; d++) {
        p->prior.sum[d] = scale * (p->prior.sum[d] + p->heard.sum[d]);
        p->prior.sum_squares[d] = scale * (p->prior.sum_squares[d] + p->heard.sum_squares[d]);
    }
    p->prior.count = scale * total;
}

static void set_stats(struct oto_cmvn_stats *out, const struct oto_cmvn_stats *in)
{
    const size_t n = (size_t)out->dim * sizeof *out->sum;
    out->count = in != NULL ? in->count : 0;
    if (in != NULL) {
        memcpy(out->sum, in->sum, n);
        memcpy(out->sum_squares, in->sum_squares, n);
    } else {
        memset(out->sum, 0, n);
        memset(out->sum_squares, 0, n);
    }
}

static void forget(struct oto_first_pass *p)
{
    p->n_settled = 0;
    p->n_static = p->n_normalised = p->n_vectors = p->n_passed = p->n_blank = 0;
    set_stats(&p->heard, NULL);
    oto_network_stream_reset(p->stream);
    if (p->search.beam != NULL)
        oto_beam_reset(p->search.beam);
    p->ended = p->has_text = false;
}

void oto_first_pass_next(struct oto_first_pass *p)
{
    learn(p);
    forget(p);
    oto_vad_stream_next(&p->vad);
}

void oto_first_pass_reset(struct oto_first_pass *p)
{
    const struct oto_cmvn_stats *stored = &p->bundle->cmvn;
    set_stats(&p->prior, stored->count > 0 && stored->dim == p->dim ? stored : NULL);
    oto_vad_stream_init(&p->vad, &p->bundle->frontend);
    forget(p);
    learn(p); /* no more than its share of what the model says */
}

/* ---- frames to vectors ------------------------------------------------------------------- */

/* One more frame, by all that was heard of the utterance and before it. */
static void normalise_frame(struct oto_first_pass *p)
{
    const size_t at = p->n_normalised * (size_t)p->dim;
    const float *in = p->statics + at;
    float *out = p->normalised + at;
    const struct oto_frontend_options *o = &p->bundle->frontend;
    if (o->cmvn == OTO_CMVN_NONE) {
        memcpy(out, in, (size_t)p->dim * sizeof *out);
    } else if (o->cmvn == OTO_CMVN_GLOBAL) {
        oto_cmvn_global(out, in, 1, p->dim, o->cmvn_variance, &p->bundle->cmvn, p->sums);
    } else {
        const double count = p->prior.count + p->heard.count;
        for (int d = 0; d < p->dim; d++) {
            double mean = (p->prior.sum[d] + p->heard.sum[d]) / count;
            double square = (p->prior.sum_squares[d] + p->heard.sum_squares[d]) / count;
            double variance = o->cmvn_variance ? square - mean * mean : 1;
            out[d] = (float)(((double)in[d] - mean) / sqrt(fmax(variance, OTO_CMVN_FLOOR)));
        }
    }
    p->n_normalised++;
}

/* The newest frame, the one before n_static, and with cmvn-margin those that it makes count.
 * Without a prior all count: there is nothing else to begin with. */
static void hear_newest(struct oto_first_pass *p)
{
    const size_t dim = (size_t)p->dim;
    const struct oto_frontend_options *o = &p->bundle->frontend;
    size_t n = 1;
    if (o->cmvn_margin_ms > 0)
        n = oto_vad_stream_push(&p->vad,
                                oto_vad_level(o, p->statics + (p->n_static - 1) * dim, p->dim));
    if (p->prior.count <= 0)
        n = 1;
    oto_cmvn_stats_add(&p->heard, p->statics + (p->n_static - n) * dim, n);
}

/* Counts new frames, and normalises those that need not wait. */
static void take_frames(struct oto_first_pass *p, size_t n_new, bool ended)
{
    for (size_t i = 0; i < n_new; i++) {
        p->n_static++;
        hear_newest(p);
        if (p->prior.count > 0 || p->n_static >= WAIT_FRAMES) {
            while (p->n_normalised < p->n_static)
                normalise_frame(p);
        }
    }
    while (ended && p->n_normalised < p->n_static)
        normalise_frame(p);
}

/* Vectors whose frames are all there. */
static size_t n_complete(const struct oto_first_pass *p)
{
    const size_t need = (size_t)(p->stack + p->reach);
    return p->n_normalised < need ? 0 : (p->n_normalised - need) / (size_t)p->stride + 1;
}

/* Takes what is settled out of the search: later frames have less to compare, and words are shown
 * as settled some words behind the last one. */
static oto_status search(struct oto_first_pass *p, const oto_real *log_probs, size_t n,
                         oto_error *err)
{
    struct oto_hypothesis settled;
    oto_status status = oto_beam_push(p->search.beam, log_probs, n, err);
    if (status == OTO_OK)
        status = oto_beam_commit(p->search.beam, KEEP_LABELS, &settled, err);
    if (status != OTO_OK)
        return status;
    memcpy(p->labels + p->n_settled, settled.labels, (size_t)settled.n_labels * sizeof(int));
    p->n_settled += settled.n_labels;
    return OTO_OK;
}

static oto_status take_log_probs(void *arg, const oto_real *log_probs, size_t n, oto_error *err)
{
    struct oto_first_pass *p = arg;
    const size_t width = (size_t)p->bundle->shape.n_outputs;
    for (size_t t = 0; t < n; t++) {
        const oto_real *y = log_probs + t * width;
        size_t best = 0;
        for (size_t k = 1; k < width; k++)
            best = y[k] > y[best] ? k : best;
        p->n_blank = best == 0 ? p->n_blank + 1 : 0;
    }
    memcpy(p->log_probs + p->n_passed * width, log_probs, n * width * sizeof *log_probs);
    p->n_passed += n;
    p->has_text = false;
    return p->search.beam != NULL ? search(p, log_probs, n, err) : OTO_OK;
}

/* Makes vectors up to number n and gives them to the network. A part of the utterance is enough for
 * them: from a vector's first frame that is so far before that no delta sees the part's edge. */
static oto_status push_vectors(struct oto_first_pass *p, size_t n, bool ended, oto_error *err)
{
    const size_t stride = (size_t)p->stride, width = (size_t)p->bundle->shape.n_inputs;
    if (n <= p->n_vectors)
        return OTO_OK;
    const size_t margin = ((size_t)p->reach + stride - 1) / stride;
    const size_t first = p->n_vectors > margin ? p->n_vectors - margin : 0;
    size_t end = (n - 1) * stride + (size_t)(p->stack + p->reach);
    end = ended || end > p->n_normalised ? p->n_normalised : end;
    oto_status status =
        oto_frontend_apply(p->plain, p->vectors, p->normalised + first * stride * (size_t)p->dim,
                           end - first * stride, NULL, NULL, err);
    if (status == OTO_OK)
        status = oto_network_stream_push(p->stream, p->vectors + (p->n_vectors - first) * width,
                                         n - p->n_vectors, take_log_probs, p, NULL, err);
    p->n_vectors = n;
    return status;
}

oto_status oto_first_pass_push(struct oto_first_pass *p, const float *statics, size_t n_static,
                               oto_error *err)
{
    if (n_static > p->max_static - p->n_static)
        return oto_fail(err, OTO_ERR_ARGUMENT, "first pass: %zu frames, expected at most %zu",
                        p->n_static + n_static, p->max_static);
    memcpy(p->statics + p->n_static * (size_t)p->dim, statics,
           n_static * (size_t)p->dim * sizeof *statics);
    take_frames(p, n_static, false);
    return push_vectors(p, n_complete(p), false, err);
}

oto_status oto_first_pass_finish(struct oto_first_pass *p, oto_error *err)
{
    take_frames(p, 0, true);
    p->ended = true;
    p->has_text = false;
    oto_status status = push_vectors(p, oto_frontend_n_frames(p->plain, p->n_static), true, err);
    if (status == OTO_OK)
        status = oto_network_stream_finish(p->stream, take_log_probs, p, NULL, err);
    return status;
}

/* ---- text -------------------------------------------------------------------------------- */

/* Bytes of text that come of the whole words among the first n labels. */
static oto_status count_stable(struct oto_first_pass *p, int n, oto_error *err)
{
    const int *labels = p->labels;
    const struct oto_alphabet *alphabet = p->bundle->alphabet;
    char *words = NULL;
    while (n > 0 && alphabet->space > 0 && labels[n - 1] != alphabet->space)
        n--;
    oto_status status = oto_alphabet_decode(alphabet, labels, n, &words, err);
    if (status == OTO_OK)
        p->n_stable = strlen(words);
    oto_free(words);
    return status;
}

/* While frames come it may end inside a word, also where only whole words may be written. */
static oto_status find_text(struct oto_first_pass *p, oto_error *err)
{
    const struct oto_alphabet *alphabet = p->bundle->alphabet;
    const struct oto_hypothesis *hyps = NULL;
    struct oto_hypothesis best = {0};
    int n_hyps = 0, n_stable = 0;
    char *text = NULL;
    oto_status status = OTO_OK;
    if (p->search.beam == NULL) {
        best.n_labels = oto_greedy(p->labels, NULL, &best.log_prob, p->log_probs, p->n_passed,
                                   alphabet->n_symbols);
        n_stable = best.n_labels; /* no frame changes what was the likeliest before it */
    } else if (p->ended) {
        /* what is settled is of a sentence that the beam holds, or is not kept to a grammar */
        status = p->n_settled > 0 ? oto_beam_n_best(p->search.beam, 1, &hyps, &n_hyps, err)
                                  : oto_search_n_best(&p->search, 1, &hyps, &n_hyps, p->log_probs,
                                                      p->n_passed, err);
        if (status == OTO_OK)
            best = hyps[0];
    } else {
        status = oto_beam_partial(p->search.beam, &best, &n_stable, err);
    }
    p->n_labels = p->n_settled + best.n_labels;
    if (best.labels != NULL)
        memcpy(p->labels + p->n_settled, best.labels, (size_t)best.n_labels * sizeof(int));
    if (status == OTO_OK)
        status = oto_alphabet_decode(alphabet, p->labels, p->n_labels, &text, err);
    if (status == OTO_OK)
        status = count_stable(p, p->ended ? p->n_labels : p->n_settled + n_stable, err);
    if (status != OTO_OK) {
        oto_free(text);
        return status;
    }
    oto_free(p->text);
    p->text = text;
    p->log_prob = best.log_prob;
    p->has_text = true;
    return OTO_OK;
}

oto_status oto_first_pass_text(struct oto_first_pass *p, const char **text, size_t *n_stable,
                               double *log_prob, oto_error *err)
{
    oto_status status = p->has_text ? OTO_OK : find_text(p, err);
    *text = status == OTO_OK ? p->text : "";
    *n_stable = status == OTO_OK ? p->n_stable : 0;
    if (log_prob != NULL)
        *log_prob = p->log_prob;
    return status;
}

oto_status oto_first_pass_words(struct oto_first_pass *p, struct oto_spoken *spoken, oto_error *err)
{
    const struct oto_segment segment = {.log_probs = p->log_probs,
                                        .n_frames = p->n_passed,
                                        .levels = p->levels,
                                        .n_levels = p->n_static};
    oto_word_levels(p->levels, p->statics, p->n_static, p->dim, &p->bundle->frontend);
    return oto_spoken_add(spoken, p->bundle, p->labels, p->n_labels, NULL, &segment, err);
}

void oto_first_pass_blank(const struct oto_first_pass *p, double *passed_s, double *blank_s)
{
    const double frame_s = p->bundle->frontend.frame_shift_ms / 1000 * oto_bundle_stride(p->bundle);
    *passed_s = (double)p->n_passed * frame_s;
    *blank_s = (double)p->n_blank * frame_s;
}

double oto_first_pass_speech(const struct oto_first_pass *p)
{
    return oto_speech_confidence(p->log_probs, p->n_passed, p->bundle->shape.n_outputs);
}
