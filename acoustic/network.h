/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The acoustic network: a stack of bidirectional LSTM layers, an optional projection after each but
 * the last, a dense layer and log-softmax (math.md, section 3).
 *
 *     x [N, D] -> { BLSTM [N, 2H] -> (linear [N, P]) -> dropout -> (pairs) } x L
 *              -> linear [N, K] -> log-softmax
 *
 * N is the number of packed rows (sequences.h). After a layer of shape.reduce_after, two
 * neighbouring frames are one input of the layer above, twice as wide, and there are half as many
 * from there on: T frames become ceil(T / 2), the last of an odd number paired with zeros (Chan et
 * al. 2016, eq. 5; math.md, eq. 30a). All parameters are one flat array; its named parts
 * are listed by oto_network_tensor(), in PyTorch's names, shapes and gate order:
 *
 *     lstm.weight_ih_l0 [4H, D]  lstm.weight_hh_l0 [4H, H]  lstm.bias_l0 [4H]
 *     lstm.weight_ih_l0_reverse ...
 *     proj.weight_l0 [P, 2H]  proj.bias_l0 [P]  lstm.weight_ih_l1 [4H, 2P after a reduction] ...
 *     output.weight [K, 2H]  output.bias [K]
 *
 * One bias per gate (PyTorch's two are added on import).
 */
#ifndef OTO_ACOUSTIC_NETWORK_H
#define OTO_ACOUSTIC_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "acoustic/dsp.h"
#include "acoustic/dsp_int8.h"
#include "acoustic/sequences.h"
#include "base/pool.h"
#include "base/real.h"
#include "base/status.h"

struct oto_network_shape {
    int n_inputs;  /* D */
    int n_layers;  /* L, 1..16 */
    int n_hidden;  /* H per direction, 1..4096 */
    int n_proj;    /* P, 0 = none */
    int n_outputs; /* K, labels with blank; blank is 0 */
    /* Bit l: pairs of frames after layer l, 0 <= l < L - 1; OTO_NETWORK_REDUCTIONS_MAX bits. */
    unsigned reduce_after;
};
enum { OTO_NETWORK_LAYERS_MAX = 16, OTO_NETWORK_REDUCTIONS_MAX = 4 };

struct oto_tensor {
    char name[48];
    int n_rows, n_cols; /* a bias has n_cols = 1 */
    size_t offset;      /* in the flat array, elements */
};

/** OTO_ERR_ARGUMENT with the field's name for sizes out of range or a product that overflows. */
oto_status oto_network_shape_check(const struct oto_network_shape *shape,
                                   oto_error *err) OTO_WARN_UNUSED;
size_t oto_network_n_parameters(const struct oto_network_shape *shape);
/** Input frames to a frame of layer l's output, 2^(reductions below l); of layer L - 1: to a frame
 * of log-probabilities. */
int oto_network_reduction(const struct oto_network_shape *shape, int l);
/** Frames of log-probabilities that n_frames of the input give. */
size_t oto_network_n_frames(const struct oto_network_shape *shape, size_t n_frames);
/** The reductions of the text "1,3", layers from 1 as a user counts them; "" is none.
 * OTO_ERR_CONFIG naming what was found, also for a layer that has none above it. */
oto_status oto_network_parse_reductions(unsigned *reduce_after, const char *text, int n_layers,
                                        oto_error *err) OTO_WARN_UNUSED;
/** The way back; text holds OTO_NETWORK_REDUCTIONS_MAX layers. */
void oto_network_print_reductions(char text[16], unsigned reduce_after);
int oto_network_n_tensors(const struct oto_network_shape *shape);
void oto_network_tensor(const struct oto_network_shape *shape, int index,
                        struct oto_tensor *tensor);
/**
 * Glorot-uniform input and dense weights, recurrent weights uniform +-1/sqrt(H), zero biases,
 * forget-gate bias 1. Counter-based by tensor name.
 */
void oto_network_init_parameters(const struct oto_network_shape *shape, oto_real *params,
                                 uint64_t seed);

/**
 * Weights in the kernels' own order. Immutable between calls of oto_network_set_parameters();
 * shared by threads.
 */
struct oto_network;

oto_status oto_network_create(struct oto_network **out, const struct oto_network_shape *shape,
                              const struct oto_dsp *dsp, oto_error *err) OTO_WARN_UNUSED;
void oto_network_destroy(struct oto_network *net);
/**
 * For inference alone, before oto_network_set_parameters(): releases what only backward needs, and
 * keeps recurrent weights that half precision holds exactly in that, too: the same numbers, read
 * faster. Errors: OTO_ERR_MEMORY.
 */
oto_status oto_network_forward_only(struct oto_network *net, oto_error *err) OTO_WARN_UNUSED;
/**
 * From now on backward stops above the first n_layers layers (0 <= n_layers <= L): their gradients
 * are not computed, and what dparams holds in their places stays. All others keep their bits.
 */
void oto_network_freeze(struct oto_network *net, int n_layers);
const struct oto_network_shape *oto_network_get_shape(const struct oto_network *net);
/** Packs params [n_parameters] for the kernels, by layer and direction over the pool (or NULL). */
void oto_network_set_parameters(struct oto_network *net, const oto_real *params,
                                struct oto_pool *pool);

/** One tensor's numbers: floats, or rows of 8-bit codes with a scale each (quant.h). */
struct oto_tensor_data {
    const float *values; /* [n_rows, n_cols]; NULL when quantised */
    const int8_t *codes; /* [n_rows, n_cols], -127 .. 127 */
    const float *scales; /* [n_rows] */
};

/**
 * A network for inference whose LSTM matrices stay 8-bit integers: it computes with the kernels of
 * int8, dense layers and log-softmax with those of dsp. It has no float copy of the matrices.
 */
oto_status oto_network_create_int8(struct oto_network **out, const struct oto_network_shape *shape,
                                   const struct oto_dsp *dsp, const struct oto_dsp_int8 *int8,
                                   oto_error *err) OTO_WARN_UNUSED;
/**
 * Packs the tensors of a network made by oto_network_create_int8(), by layer and direction over the
 * pool (or NULL).
 *
 * @param tensors  [n_tensors]: LSTM matrices quantised, all others floats
 */
void oto_network_set_int8(struct oto_network *net, const struct oto_tensor_data *tensors,
                          struct oto_pool *pool);

/** Activations of one batch; grows when a larger batch comes. One per thread of control. */
struct oto_network_workspace;
oto_status oto_network_workspace_create(struct oto_network_workspace **out,
                                        const struct oto_network *net,
                                        oto_error *err) OTO_WARN_UNUSED;
void oto_network_workspace_destroy(struct oto_network_workspace *ws);
size_t oto_network_workspace_bytes(const struct oto_network_workspace *ws);

/**
 * From now on training passes see each chunk of frames with its right context alone, as a stream
 * does (math.md, section 3.8; network_stream.h), windows beside one another: time and memory are
 * 1 + R/C those of the whole utterance. C and R count frames of the input and are multiples of the
 * network's reduction. NULL: the whole utterance again. Dropout masks the frames
 * of each window anew.
 */
void oto_network_workspace_set_chunks(struct oto_network_workspace *ws,
                                      const struct oto_network_chunks *chunks);

/** A second dense layer and log-softmax that read the output of a layer below, in training alone:
 * its loss gives lower layers a shorter way back. */
struct oto_network_auxiliary {
    int layer;               /* 0 .. L-1, whose h it reads, before projection and dropout */
    const oto_real *params;  /* weight [K, 2H], bias [K] */
    oto_real *log_probs;     /* [N, K] out of a training forward; N rows of that layer */
    const oto_real *dlogits; /* [N, K] into backward */
    oto_real *dparams;       /* as params; out of backward, overwritten */
};
/** Numbers of its params. */
size_t oto_network_auxiliary_size(const struct oto_network_shape *shape);
/**
 * Training passes have it from now on, NULL: no more. What it points to is used by the passes that
 * follow, for which a layer out of range is an OTO_ERR_ARGUMENT.
 */
void oto_network_workspace_set_auxiliary(struct oto_network_workspace *ws,
                                         const struct oto_network_auxiliary *auxiliary);

/**
 * After each BLSTM (and projection) but the last. The mask is f(seed, stream, layer, row, unit):
 * the same bits on any number of threads.
 */
struct oto_network_dropout {
    double rate; /* in [0, 1), used to the nearest 1/65536; 0 = off */
    uint64_t seed, stream;
};

/**
 * @param log_probs  [N', K] out, N' the rows of oto_network_rows() for the last layer, at most N
 * @param x          [N, D]
 * @param training   keeps what backward needs; without it only two layers of activations are held
 * @param dropout    NULL for none
 *
 * Tasks over the pool are the two directions and fixed blocks of rows: same bits on any number of
 * threads.
 * Allocates: only for a batch larger than any before; a training forward reserves for backward too.
 * Errors: OTO_ERR_ARGUMENT for an empty batch, a dropout rate or chunks out of range or no
 * multiples of the reduction, another network's workspace, training when forward only;
 * OTO_ERR_MEMORY.
 */
oto_status oto_network_forward(const struct oto_network *net, struct oto_network_workspace *ws,
                               oto_real *log_probs, const oto_real *x,
                               const struct oto_sequences *seqs, int training,
                               const struct oto_network_dropout *dropout, struct oto_pool *pool,
                               oto_error *err) OTO_WARN_UNUSED;
/**
 * The rows of layer l's output in the batch of the last forward that succeeded: the batch's own
 * where nothing is reduced below l. Valid until the next forward, as long as its seqs.
 */
const struct oto_sequences *oto_network_rows(const struct oto_network_workspace *ws, int l);
/**
 * After a training forward on the same ws and seqs.
 * @param dparams  [n_parameters] gradient of the loss, overwritten but for frozen layers
 * @param dlogits  [N', K] gradient with respect to the dense layer's output (before softmax)
 * @param dx       [N, D] or NULL; NULL where layers are frozen
 *
 * Uses up the kept activations: one backward for one forward. Allocates: no.
 * Errors: OTO_ERR_ARGUMENT without a training forward before it, for seqs of another size,
 * for dx with frozen layers.
 */
oto_status oto_network_backward(const struct oto_network *net, struct oto_network_workspace *ws,
                                oto_real *dparams, oto_real *dx, const oto_real *dlogits,
                                const oto_real *x, const struct oto_sequences *seqs,
                                struct oto_pool *pool, oto_error *err) OTO_WARN_UNUSED;

#endif
