/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The network of an LSTM language model: from the words so far to the next one (math.md, section
 * 3.9). Layers and kernels are those of the acoustic network, in one direction.
 *
 *     x = M[w]  [N, E] -> { LSTM [N, H] -> dropout } x L -> linear: y [N, E]
 *     p(w | y) = p(c | y) p(w | c, y),   c the class of w
 *     p(c | y) = softmax over classes of y A^T + a
 *     p(w | c, y) = softmax over the words of c of y M^T + b
 *
 * Words are numbered so that those of a class follow one another. A word costs as much as its class
 * and all classes have, about 2 sqrt(V) instead of V (Goodman 2001). The matrix M of inputs is that
 * of the outputs, too (Press and Wolf 2017). Word 0 is the end of a sentence, and what stands
 * before its first word.
 *
 * Letters: V words, C classes, E width of a word's vector, H units, L layers, N packed rows
 * (sequences.h). All parameters are one flat array, parts of which are
 *
 *     word.weight [V, E]  word.bias [V]  lstm.weight_ih_l0 [4H, E]  lstm.weight_hh_l0 [4H, H]
 *     lstm.bias_l0 [4H]  lstm.weight_ih_l1 [4H, H] ...  proj.weight [E, H]  proj.bias [E]
 *     class.weight [C, E]  class.bias [C]
 */
#ifndef OTO_ACOUSTIC_WORD_NETWORK_H
#define OTO_ACOUSTIC_WORD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acoustic/dropout.h"
#include "acoustic/dsp.h"
#include "acoustic/network.h"
#include "acoustic/sequences.h"
#include "base/real.h"
#include "base/status.h"

enum { OTO_WORD_LAYERS_MAX = 8, OTO_WORD_WORDS_MAX = 1 << 20, OTO_WORD_WIDTH_MAX = 4096 };

struct oto_word_shape {
    int n_words;   /* V, 2 .. OTO_WORD_WORDS_MAX */
    int n_classes; /* C, 1 .. V */
    int n_embed;   /* E, 1 .. OTO_WORD_WIDTH_MAX */
    int n_hidden;  /* H, 1 .. OTO_WORD_WIDTH_MAX */
    int n_layers;  /* L, 1 .. OTO_WORD_LAYERS_MAX */
};

/** OTO_ERR_ARGUMENT with the field's name. */
oto_status oto_word_shape_check(const struct oto_word_shape *shape, oto_error *err) OTO_WARN_UNUSED;
int oto_word_n_tensors(const struct oto_word_shape *shape);
void oto_word_tensor(const struct oto_word_shape *shape, int index, struct oto_tensor *tensor);
size_t oto_word_n_parameters(const struct oto_word_shape *shape);
/** Vectors of words uniform +-0.1, the rest as oto_network_init_parameters() does it. */
void oto_word_init_parameters(const struct oto_word_shape *shape, oto_real *params, uint64_t seed);

struct oto_word_network;
/**
 * @param class_first  [C + 1] first word of each class, rising from 0 to V; copied. Else
 *                     OTO_ERR_ARGUMENT
 */
oto_status oto_word_network_create(struct oto_word_network **out,
                                   const struct oto_word_shape *shape, const int *class_first,
                                   const struct oto_dsp *dsp, oto_error *err) OTO_WARN_UNUSED;
void oto_word_network_destroy(struct oto_word_network *net);
const struct oto_word_shape *oto_word_network_shape(const struct oto_word_network *net);
/** params [oto_word_n_parameters()]: those of the layers are packed, the others borrowed until the
 * next call. */
void oto_word_network_set_parameters(struct oto_word_network *net, const oto_real *params);

/** Activations of one batch; grows when a larger one comes. One per thread. */
struct oto_word_workspace;
oto_status oto_word_workspace_create(struct oto_word_workspace **out,
                                     const struct oto_word_network *net,
                                     oto_error *err) OTO_WARN_UNUSED;
void oto_word_workspace_destroy(struct oto_word_workspace *ws);

/** Rows of words, packed as seqs says; each in 0 .. V-1. */
struct oto_word_rows {
    const struct oto_sequences *seqs;
    const int *inputs;  /* [N] the word before; 0 at the start */
    const int *targets; /* [N] the word itself; 0 at the end */
};

/**
 * Probability of each word after those before it in its sentence.
 *
 * @param log_probs  [N] natural log
 * @param keep       whether backward follows
 * @param dropout    NULL for none; after each layer
 * Allocates: only for a batch larger than any before.
 * Errors: OTO_ERR_ARGUMENT for an empty batch or a word out of range; OTO_ERR_MEMORY.
 */
oto_status oto_word_network_forward(const struct oto_word_network *net,
                                    struct oto_word_workspace *ws, double *log_probs,
                                    const struct oto_word_rows *rows, bool keep,
                                    const struct oto_dropout *dropout,
                                    oto_error *err) OTO_WARN_UNUSED;
/**
 * Gradient of -scale * (sum of the log_probs of the forward pass with keep just before).
 *
 * @param dparams  [oto_word_n_parameters()] overwritten
 * Allocates: no. Uses up the activations. Errors: OTO_ERR_ARGUMENT without such a pass.
 */
oto_status oto_word_network_backward(const struct oto_word_network *net,
                                     struct oto_word_workspace *ws, oto_real *dparams, double scale,
                                     const struct oto_word_rows *rows,
                                     oto_error *err) OTO_WARN_UNUSED;

#endif
