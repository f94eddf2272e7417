/* SPDX-License-Identifier: BSD-2-Clause */
/* Fewer frames from layer to layer: two neighbours become one input of the layer above. */
#include <stdio.h>
#include <string.h>

#include "acoustic/network_internal.h"
#include "base/status.h"

/* ---- which layers ------------------------------------------------------------------------ */

static oto_status fail_reductions(const char *text, int n_layers, oto_error *err)
{
    if (n_layers < 2)
        return oto_fail(err, OTO_ERR_CONFIG, "\"%.40s\": one layer alone has none above it", text);
    return oto_fail(
        err, OTO_ERR_CONFIG,
        "\"%.40s\": expected rising layers from 1 to %d with commas between, %d at most", text,
        n_layers - 1, OTO_NETWORK_REDUCTIONS_MAX);
}

oto_status oto_network_parse_reductions(unsigned *reduce_after, const char *text, int n_layers,
                                        oto_error *err)
{
    unsigned layers = 0;
    int n = 0, before = 0;
    for (const char *p = text; *p != 0; n++) {
        int layer = 0;
        const char *digits = p;
        for (; *p >= '0' && *p <= '9' && p - digits < 2; p++)
            layer = 10 * layer + (*p - '0');
        bool goes_on = p[0] == ',' && p[1] != 0;
        if (layer <= before || layer >= n_layers || n == OTO_NETWORK_REDUCTIONS_MAX ||
            (*p != 0 && !goes_on))
            return fail_reductions(text, n_layers, err);
        layers |= 1U << (layer - 1);
        before = layer;
        p += goes_on;
    }
    *reduce_after = layers;
    return OTO_OK;
}

void oto_network_print_reductions(char text[16], unsigned reduce_after)
{
    size_t n = 0;
    text[0] = 0;
    for (int l = 0; l < OTO_NETWORK_LAYERS_MAX && n < 12; l++)
        if ((reduce_after >> l & 1) != 0)
            n += (size_t)snprintf(text + n, 16 - n, n > 0 ? ",%d" : "%d", l + 1);
}

/* ---- frames of the levels ---------------------------------------------------------------- */

oto_status oto_network_check_chunks(const struct oto_network_shape *shape,
                                    const struct oto_network_chunks *chunks, oto_error *err)
{
    int factor = oto_network_reduction(shape, shape->n_layers - 1);
    oto_status status = oto_network_chunks_check(chunks, err);
    if (status != OTO_OK)
        return status;
    if (chunks->n_chunk % factor != 0 || chunks->n_context % factor != 0)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "chunks of %d frames with a right context of %d, expected multiples of %d: "
                        "the network makes one frame of so many",
                        chunks->n_chunk, chunks->n_context, factor);
    return OTO_OK;
}

oto_status oto_network_set_levels(const struct oto_network *net, struct oto_network_workspace *ws,
                                  const struct oto_sequences *seqs, bool chunked, oto_error *err)
{
    int n_levels = oto_network_level(&net->shape, net->shape.n_layers) + 1;
    oto_status status = chunked ? oto_network_check_chunks(&net->shape, &ws->chunks, err) : OTO_OK;
    ws->whole[0] = seqs;
    for (int k = 0; k < n_levels && status == OTO_OK; k++) {
        if (k > 0) {
            ws->whole[k] = &ws->reduced[k];
            status = oto_sequences_halve(&ws->reduced[k], ws->whole[k - 1], err);
        }
        ws->rows[k] = chunked ? &ws->windows[k] : ws->whole[k];
        const struct oto_network_chunks cut = {ws->chunks.n_chunk >> k, ws->chunks.n_context >> k};
        if (status == OTO_OK && chunked)
            status = oto_sequences_set_windows(&ws->windows[k], ws->whole[k], &cut, err);
    }
    return status;
}

const struct oto_sequences *oto_network_rows(const struct oto_network_workspace *ws, int l)
{
    return ws->whole[oto_network_level(&ws->net->shape, l)];
}

/* ---- rows -------------------------------------------------------------------------------- */

/* Whether step s + 1 is the frame after that of step s, s the first of a pair: the last frame of an
 * odd number ends the utterance, and what follows in windows is an earlier one. */
static bool has_second(const struct oto_sequences *full, int s)
{
    return s + 1 < full->max_t && (full->frame == NULL || full->frame[s + 1] == full->frame[s] + 1);
}

void oto_network_pair(oto_real *to, const oto_real *from, const struct oto_sequences *half,
                      const struct oto_sequences *full, int n_cols)
{
    size_t width = (size_t)n_cols, size = width * sizeof *to;
    for (int step = 0, s = 0; step < half->max_t; step++) {
        int n_second = has_second(full, s) ? full->n_active[s + 1] : 0;
        for (int b = 0; b < half->n_active[step]; b++) {
            oto_real *row = to + 2 * width * oto_sequences_row(half, step, b);
            memcpy(row, from + width * oto_sequences_row(full, s, b), size);
            if (b < n_second)
                memcpy(row + width, from + width * oto_sequences_row(full, s + 1, b), size);
            else
                memset(row + width, 0, size);
        }
        s += has_second(full, s) ? 2 : 1;
    }
}

void oto_network_unpair(oto_real *to, const oto_real *from, const struct oto_sequences *half,
                        const struct oto_sequences *full, int n_cols)
{
    size_t width = (size_t)n_cols, size = width * sizeof *to;
    for (int step = 0, s = 0; step < half->max_t; step++) {
        int n_second = has_second(full, s) ? full->n_active[s + 1] : 0;
        for (int b = 0; b < half->n_active[step]; b++) {
            const oto_real *row = from + 2 * width * oto_sequences_row(half, step, b);
            memcpy(to + width * oto_sequences_row(full, s, b), row, size);
            if (b < n_second)
                memcpy(to + width * oto_sequences_row(full, s + 1, b), row + width, size);
        }
        s += has_second(full, s) ? 2 : 1;
    }
}
