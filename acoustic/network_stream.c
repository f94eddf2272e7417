/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/network_stream.h"

#include <string.h>

#include "acoustic/network_internal.h"
#include "base/mem.h"

struct oto_network_stream {
    const struct oto_network *net;
    struct oto_network_chunks chunks;
    size_t n_window;      /* C + R */
    size_t n_held;        /* frames in x */
    oto_real *x;          /* [C + R, D] from the next chunk's first frame on */
    oto_real *between[2]; /* [C + R, max(2H, P)] in turn: a layer's input, output */
    oto_real *log_probs;  /* [C / reduction, K] */
    /* Of the window in work, one utterance each, by level. */
    struct oto_sequences chunk[OTO_NETWORK_LEVELS], window[OTO_NETWORK_LEVELS];
    struct oto_bilstm_state state; /* scratch of a layer */
    struct oto_lstm_carry carry[OTO_NETWORK_LAYERS_MAX];
    oto_real *carried;         /* the carries' h and c */
    uint8_t *codes;            /* the carries' codes */
    size_t n_carry, n_between; /* numbers: Hp; width of a row of between */
};

static oto_real *numbers(size_t a, size_t b)
{
    size_t n;
    return oto_mul_size(a, b, &n) ? oto_calloc(n, sizeof(oto_real)) : NULL;
}

static bool create_carries(struct oto_network_stream *s)
{
    const struct oto_network *net = s->net;
    size_t n_layers = (size_t)net->shape.n_layers, n_hidden = (size_t)net->shape.n_hidden;
    size_t block = (size_t)(net->quantized ? net->int8.unit_block : net->dsp.unit_block);
    s->n_carry = (n_hidden + block - 1) / block * block;
    s->carried = numbers(2 * n_layers, s->n_carry);
    s->codes = oto_calloc(n_layers * s->n_carry, sizeof *s->codes);
    if (s->carried == NULL || s->codes == NULL)
        return false;
    for (size_t l = 0; l < n_layers; l++)
        s->carry[l] = (struct oto_lstm_carry){.h = s->carried + 2 * l * s->n_carry,
                                              .c = s->carried + (2 * l + 1) * s->n_carry,
                                              .codes = s->codes + l * s->n_carry};
    return true;
}

/* Frames of all levels of a window of n_window frames with a chunk of n_chunk. */
static oto_status set_levels(struct oto_network_stream *s, size_t n_chunk, size_t n_window,
                             oto_error *err)
{
    const int lengths[] = {(int)n_chunk, (int)n_window};
    const int n_levels = oto_network_level(&s->net->shape, s->net->shape.n_layers) + 1;
    oto_status status = oto_sequences_set(&s->chunk[0], &lengths[0], 1, err);
    if (status == OTO_OK)
        status = oto_sequences_set(&s->window[0], &lengths[1], 1, err);
    for (int k = 1; k < n_levels && status == OTO_OK; k++) {
        status = oto_sequences_halve(&s->chunk[k], &s->chunk[k - 1], err);
        if (status == OTO_OK)
            status = oto_sequences_halve(&s->window[k], &s->window[k - 1], err);
    }
    return status;
}

/* All that a window will need, for the longest one. Pairs take no more room than their frames: C +
 * R is even on every level that is reduced. */
static bool reserve(struct oto_network_stream *s)
{
    const struct oto_network_shape *shape = &s->net->shape;
    s->n_between =
        (size_t)(2 * shape->n_hidden > shape->n_proj ? 2 * shape->n_hidden : shape->n_proj);
    s->x = numbers(s->n_window, (size_t)shape->n_inputs);
    s->log_probs = numbers((size_t)s->chunks.n_chunk, (size_t)shape->n_outputs);
    for (int i = 0; i < 2; i++)
        s->between[i] = numbers(s->n_window, s->n_between);
    if (s->x == NULL || s->log_probs == NULL || s->between[0] == NULL || s->between[1] == NULL)
        return false;
    if (set_levels(s, (size_t)s->chunks.n_chunk, s->n_window, NULL) != OTO_OK)
        return false;
    for (int l = 0; l < shape->n_layers; l++)
        if (!oto_bilstm_state_reserve(&s->state, &s->net->layers[l],
                                      &s->window[oto_network_level(shape, l)], false))
            return false;
    return create_carries(s);
}

oto_status oto_network_stream_create(struct oto_network_stream **out, const struct oto_network *net,
                                     const struct oto_network_chunks *chunks, oto_error *err)
{
    *out = NULL;
    oto_status status = oto_network_check_chunks(&net->shape, chunks, err);
    if (status != OTO_OK)
        return status;
    struct oto_network_stream *s = oto_calloc(1, sizeof *s);
    if (s == NULL)
        return oto_fail_memory(err, "stream of the network");
    s->net = net;
    s->chunks = *chunks;
    s->n_window = (size_t)chunks->n_chunk + (size_t)chunks->n_context;
    if (!reserve(s)) {
        oto_network_stream_destroy(s);
        return oto_fail_memory(err, "stream of the network");
    }
    *out = s;
    return OTO_OK;
}

void oto_network_stream_destroy(struct oto_network_stream *s)
{
    if (s == NULL)
        return;
    oto_free(s->x);
    oto_free(s->between[0]);
    oto_free(s->between[1]);
    oto_free(s->log_probs);
    oto_free(s->carried);
    oto_free(s->codes);
    oto_bilstm_state_clear(&s->state);
    for (int k = 0; k < OTO_NETWORK_LEVELS; k++) {
        oto_sequences_clear(&s->chunk[k]);
        oto_sequences_clear(&s->window[k]);
    }
    oto_free(s);
}

size_t oto_network_stream_bytes(const struct oto_network_stream *s)
{
    const struct oto_network_shape *shape = &s->net->shape;
    size_t n = s->n_window * ((size_t)shape->n_inputs + 2 * s->n_between) +
               (size_t)s->chunks.n_chunk * (size_t)shape->n_outputs +
               2 * (size_t)shape->n_layers * s->n_carry;
    for (int d = 0; d < 2; d++)
        n += s->state.gates[d].n + s->state.cells[d].n + s->state.int8[d].n;
    size_t n_steps = 0;
    for (int k = 0; k < OTO_NETWORK_LEVELS; k++)
        n_steps += (size_t)s->chunk[k].cap_t + (size_t)s->window[k].cap_t;
    return sizeof *s + n * sizeof(oto_real) + (size_t)shape->n_layers * s->n_carry +
           n_steps * (sizeof(int) + sizeof(size_t));
}

/* One utterance's rows are its frames, so that pairs are there as they lie, but for the zeros
 * beside the last frame of an odd number. */
static void pair_in_place(oto_real *rows, size_t n_rows, size_t n_cols)
{
    if (n_rows % 2 != 0)
        memset(rows + n_rows * n_cols, 0, n_cols * sizeof *rows);
}

/* The stack over the window, up to the output of the last layer, [chunk, 2H]. */
static const oto_real *run_layers(struct oto_network_stream *s, struct oto_pool *pool)
{
    const struct oto_network *net = s->net;
    const struct oto_network_shape *shape = &net->shape;
    const oto_real *x = s->x;
    int turn = 0;
    for (int l = 0, level = 0; l < shape->n_layers; l++) {
        oto_real *h = s->between[turn], *handed_up = h;
        const struct oto_sequences *chunk = &s->chunk[level], *window = &s->window[level];
        /* Nobody reads what the last layer's forward direction would make of the context. */
        const struct oto_sequences *forward = l == shape->n_layers - 1 ? chunk : window;
        s->carry[l].n_steps = chunk->max_t;
        oto_bilstm_forward_window(&net->layers[l], &net->dsp, &s->state, &s->carry[l], h, x,
                                  forward, window, pool);
        turn ^= 1;
        if (oto_network_has_proj(shape, l)) {
            handed_up = s->between[turn];
            oto_linear_forward(&net->proj[l], handed_up, h, window->n_rows, pool);
            turn ^= 1;
        }
        if (oto_network_reduces(shape, l)) {
            pair_in_place(handed_up, window->n_rows, (size_t)oto_network_handed_up(shape));
            level++;
        }
        x = handed_up;
    }
    return x;
}

/* The chunk of n_chunk frames at the start of x, with the window that n_window frames make. */
static oto_status run_chunk(struct oto_network_stream *s, size_t n_chunk, size_t n_window,
                            oto_log_probs_sink sink, void *arg, struct oto_pool *pool,
                            oto_error *err)
{
    const struct oto_network *net = s->net;
    oto_status status = set_levels(s, n_chunk, n_window, err);
    if (status != OTO_OK)
        return status;
    const size_t n_out = oto_network_n_frames(&net->shape, n_chunk);
    oto_linear_forward(&net->output, s->log_probs, run_layers(s, pool), n_out, pool);
    net->dsp.log_softmax(s->log_probs, s->log_probs, (int)n_out, net->shape.n_outputs);

    size_t n_inputs = (size_t)net->shape.n_inputs;
    s->n_held -= n_chunk;
    memmove(s->x, s->x + n_chunk * n_inputs, s->n_held * n_inputs * sizeof *s->x);
    return sink(arg, s->log_probs, n_out, err);
}

oto_status oto_network_stream_push(struct oto_network_stream *s, const oto_real *x, size_t n_frames,
                                   oto_log_probs_sink sink, void *arg, struct oto_pool *pool,
                                   oto_error *err)
{
    size_t n_inputs = (size_t)s->net->shape.n_inputs;
    while (n_frames > 0) {
        size_t room = s->n_window - s->n_held, n = n_frames < room ? n_frames : room;
        memcpy(s->x + s->n_held * n_inputs, x, n * n_inputs * sizeof *x);
        s->n_held += n;
        x += n * n_inputs;
        n_frames -= n;
        if (s->n_held < s->n_window)
            break;
        oto_status status =
            run_chunk(s, (size_t)s->chunks.n_chunk, s->n_window, sink, arg, pool, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

oto_status oto_network_stream_finish(struct oto_network_stream *s, oto_log_probs_sink sink,
                                     void *arg, struct oto_pool *pool, oto_error *err)
{
    oto_status status = OTO_OK;
    while (s->n_held > 0 && status == OTO_OK) {
        size_t n_chunk = (size_t)s->chunks.n_chunk;
        status = run_chunk(s, s->n_held < n_chunk ? s->n_held : n_chunk, s->n_held, sink, arg, pool,
                           err);
    }
    if (status == OTO_OK)
        oto_network_stream_reset(s);
    return status;
}

void oto_network_stream_reset(struct oto_network_stream *s)
{
    s->n_held = 0;
    for (int l = 0; l < s->net->shape.n_layers; l++)
        s->carry[l].started = false;
}
