/* SPDX-License-Identifier: BSD-2-Clause */
/** What network.c, network_forward.c and network_backward.c share. Nobody else includes it. */
#ifndef OTO_ACOUSTIC_NETWORK_INTERNAL_H
#define OTO_ACOUSTIC_NETWORK_INTERNAL_H

#include <stdbool.h>

#include "acoustic/bilstm.h"
#include "acoustic/buffer.h"
#include "acoustic/dropout.h"
#include "acoustic/linear.h"
#include "acoustic/network.h"

enum {
    OTO_NETWORK_LEVELS = OTO_NETWORK_REDUCTIONS_MAX + 1
}; /* of a pyramid, 0 the input's frames */

struct oto_network {
    struct oto_network_shape shape;
    struct oto_dsp dsp;
    struct oto_dsp_int8 int8; /* quantised: of the layers */
    bool forward_only, quantized;
    int n_frozen; /* the first layers, which have no backward pass */
    struct oto_bilstm layers[OTO_NETWORK_LAYERS_MAX];
    struct oto_linear proj[OTO_NETWORK_LAYERS_MAX]; /* after layer l, where there is one */
    struct oto_linear output;
    oto_real *dense; /* the network's copy of the dense layers' parameters, one after the other */
};

/** What forward left for backward. */
struct oto_network_kept {
    bool valid;
    size_t n_rows;
    int n_utts;
    bool dropped; /* with dropout */
    bool chunked; /* in ws->windows */
    bool auxiliary;
    struct oto_dropout dropout;
};

struct oto_network_workspace {
    const struct oto_network *net;
    /* Training: of each layer. Inference: [0] alone, and outputs[0], outputs[1] in turn. */
    struct oto_bilstm_state states[OTO_NETWORK_LAYERS_MAX];
    struct oto_buffer outputs[OTO_NETWORK_LAYERS_MAX]; /* h of a layer, [N, 2H] */
    /* Of layer l > 0 where that is not outputs[l-1]: after projection [N, P] or dropout [N, 2H], or
     * pairs of those. */
    struct oto_buffer inputs[OTO_NETWORK_LAYERS_MAX];
    struct oto_buffer unpaired; /* of pairs that are made of projections or with dropout */
    struct oto_buffer doutput;  /* [N, 2H] */
    struct oto_buffer dinput;   /* [N, P] where there are projections */
    struct oto_buffer dpairs;   /* [N', 2P or 4H] where there are reductions */
    struct oto_bilstm_scratch scratch;
    struct oto_network_kept kept;
    /* By level, of the batch in work. [0] of whole is the caller's. */
    const struct oto_sequences *whole[OTO_NETWORK_LEVELS];
    const struct oto_sequences
        *rows[OTO_NETWORK_LEVELS];                    /* that layers run over: whole, or windows */
    struct oto_sequences reduced[OTO_NETWORK_LEVELS]; /* [0] unused */
    /* Training in chunks: layers run over windows, the output layer over the frames of chunks in
     * the batch's own order. */
    bool chunked;
    struct oto_network_chunks chunks;
    struct oto_sequences windows[OTO_NETWORK_LEVELS];
    struct oto_buffer window_x, window_dx; /* [rows of windows, D] */
    struct oto_buffer top, dtop;           /* [N, 2H] the last layer's h, and its gradient */
    bool has_auxiliary;
    struct oto_network_auxiliary auxiliary;
    struct oto_buffer auxiliary_top, auxiliary_dtop; /* [N, 2H] its layer's, in chunks; gradient */
};

/* network_auxiliary.c */

/** For a batch whose levels are set; checks the layer. */
oto_status oto_network_auxiliary_reserve(const struct oto_network *net,
                                         struct oto_network_workspace *ws,
                                         oto_error *err) OTO_WARN_UNUSED;
/** After the layers. */
void oto_network_auxiliary_forward(const struct oto_network *net, struct oto_network_workspace *ws,
                                   bool chunked, struct oto_pool *pool);
/** Adds to ws->doutput when that is the gradient of the layer's output. */
void oto_network_auxiliary_backward(const struct oto_network *net, struct oto_network_workspace *ws,
                                    struct oto_pool *pool);

/* network_reduce.c */

/** Sets whole and rows of all levels for a batch. Errors: OTO_ERR_ARGUMENT for chunks out of range
 * or no multiples of the reduction, OTO_ERR_MEMORY. */
oto_status oto_network_set_levels(const struct oto_network *net, struct oto_network_workspace *ws,
                                  const struct oto_sequences *seqs, bool chunked,
                                  oto_error *err) OTO_WARN_UNUSED;
/** C and R in range, and multiples of the reduction. */
oto_status oto_network_check_chunks(const struct oto_network_shape *shape,
                                    const struct oto_network_chunks *chunks,
                                    oto_error *err) OTO_WARN_UNUSED;
/** to [N', 2 n_cols] of from [N, n_cols]: two neighbouring frames side by side, the last of an odd
 * number beside zeros. Both may be windows. */
void oto_network_pair(oto_real *to, const oto_real *from, const struct oto_sequences *half,
                      const struct oto_sequences *full, int n_cols);
/** The transpose of it: to [N, n_cols] of from [N', 2 n_cols]. */
void oto_network_unpair(oto_real *to, const oto_real *from, const struct oto_sequences *half,
                        const struct oto_sequences *full, int n_cols);

/** Log-softmax of rows [n_rows, K] in place. */
void oto_network_softmax(const struct oto_network *net, oto_real *rows, size_t n_rows,
                         struct oto_pool *pool);

/* network_windows.c: rows between a batch and its windows. */

/** to [rows of windows, n_cols]: every row of from [N, n_cols] in each of its windows. */
void oto_windows_spread(const struct oto_sequences *windows, const struct oto_sequences *whole,
                        oto_real *to, const oto_real *from, int n_cols);
/** The transpose of it: to [N, n_cols] is the sum over a frame's rows. */
void oto_windows_sum(const struct oto_sequences *windows, const struct oto_sequences *whole,
                     oto_real *to, const oto_real *from, int n_cols);
/** to [N, n_cols]: each frame's row in its chunk. */
void oto_windows_take(const struct oto_sequences *windows, const struct oto_sequences *whole,
                      oto_real *to, const oto_real *from, int n_cols);
/** Adds the transpose of it to to. */
void oto_windows_add(const struct oto_sequences *windows, const struct oto_sequences *whole,
                     oto_real *to, const oto_real *from, int n_cols);
/** Its transpose: zeros for right contexts. */
void oto_windows_put(const struct oto_sequences *windows, const struct oto_sequences *whole,
                     oto_real *to, const oto_real *from, int n_cols);

/** Where the tensors of layer l start in the flat array. */
struct oto_layer_offsets {
    size_t w[2], r[2], bias[2];    /* forward, reverse */
    size_t proj_weight, proj_bias; /* where a projection follows */
};
void oto_network_layer_offsets(const struct oto_network_shape *shape, int l,
                               struct oto_layer_offsets *offsets);
void oto_network_output_offsets(const struct oto_network_shape *shape, size_t *weight,
                                size_t *bias);

/** Whether a projection follows layer l. */
static inline bool oto_network_has_proj(const struct oto_network_shape *shape, int l)
{
    return shape->n_proj > 0 && l < shape->n_layers - 1;
}

/** Whether pairs of frames follow layer l. */
static inline bool oto_network_reduces(const struct oto_network_shape *shape, int l)
{
    return (shape->reduce_after >> l & 1) != 0;
}

/** Reductions below layer l: the level of its frames. */
static inline int oto_network_level(const struct oto_network_shape *shape, int l)
{
    int n = 0;
    for (int k = 0; k < l; k++)
        n += oto_network_reduces(shape, k);
    return n;
}

/** Rows that layer l runs over in the batch in work: windows where it is in chunks. */
static inline const struct oto_sequences *
oto_network_layer_rows(const struct oto_network_workspace *ws, int l)
{
    return ws->rows[oto_network_level(&ws->net->shape, l)];
}

/** Width of what layer l hands up, before frames are paired. */
static inline int oto_network_handed_up(const struct oto_network_shape *shape)
{
    return shape->n_proj > 0 ? shape->n_proj : 2 * shape->n_hidden;
}

/** Width of layer l's input. */
static inline int oto_network_layer_inputs(const struct oto_network_shape *shape, int l)
{
    return l == 0 ? shape->n_inputs
                  : oto_network_handed_up(shape) * (oto_network_reduces(shape, l - 1) ? 2 : 1);
}

/** Fixed blocks of rows as tasks of the pool; y may be x. */
void oto_network_drop(oto_real *y, const oto_real *x, size_t n_rows, int n_cols, int layer,
                      const struct oto_dropout *dropout, struct oto_pool *pool);

#endif
