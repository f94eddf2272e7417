/* SPDX-License-Identifier: BSD-2-Clause */
/** What acoustic/word_*.c share. Nobody else includes it. */
#ifndef OTO_ACOUSTIC_WORD_NETWORK_INTERNAL_H
#define OTO_ACOUSTIC_WORD_NETWORK_INTERNAL_H

#include "acoustic/buffer.h"
#include "acoustic/linear.h"
#include "acoustic/lstm.h"
#include "acoustic/word_network.h"

/** Where the tensors start in the flat array. */
struct oto_word_offsets {
    size_t word_weight, word_bias;
    size_t w[OTO_WORD_LAYERS_MAX], r[OTO_WORD_LAYERS_MAX], bias[OTO_WORD_LAYERS_MAX];
    size_t proj_weight, proj_bias, class_weight, class_bias;
};
void oto_word_offsets(const struct oto_word_shape *shape, struct oto_word_offsets *offsets);

struct oto_word_network {
    struct oto_word_shape shape;
    struct oto_word_offsets offsets;
    struct oto_dsp dsp;
    struct oto_lstm layers[OTO_WORD_LAYERS_MAX];
    int *class_first; /* [C + 1] */
    int *class_of;    /* [V] */
    const oto_real *params;
};

/** Rows sorted by the class of their target. */
struct oto_word_groups {
    size_t *first;  /* [C + 1] of each class, in rows and y */
    size_t *scores; /* [C + 1] where the scores of a class begin */
    size_t *rows;   /* [N] */
    size_t cap_rows;
};

struct oto_word_workspace {
    const struct oto_word_network *net;
    struct oto_buffer x; /* [N, E] */
    struct oto_buffer gates[OTO_WORD_LAYERS_MAX], cells[OTO_WORD_LAYERS_MAX];
    struct oto_buffer h[OTO_WORD_LAYERS_MAX];       /* [N, H] */
    struct oto_buffer dropped[OTO_WORD_LAYERS_MAX]; /* [N, H] with dropout */
    struct oto_buffer y, dy;                        /* [N, E] */
    struct oto_buffer dh;                           /* [N, H] */
    struct oto_buffer dcells, weights;              /* scratch of a layer's backward pass */
    double *dbias_sum;                              /* [4*Hp] */
    struct oto_buffer classes;                      /* [N, C] */
    struct oto_word_groups groups;
    struct oto_buffer grouped, dgrouped; /* [N, E] rows of y by class, and their gradient */
    struct oto_buffer scores;            /* of each row, as many as its class has words */
    bool kept;
    size_t kept_rows;
    struct oto_dropout dropout; /* of the kept pass; rate 0 for none */
};

/* word_output.c: the two softmaxes. */

/** Sorts the rows and makes room; false when memory ends. */
bool oto_word_output_reserve(struct oto_word_workspace *ws, const struct oto_word_rows *rows);
/** From y to log_probs [N]. */
void oto_word_output_forward(struct oto_word_workspace *ws, double *log_probs,
                             const struct oto_word_rows *rows);
/** Makes dy, and adds to the gradients of words, which are zero or more; sets those of classes. */
void oto_word_output_backward(struct oto_word_workspace *ws, oto_real *dparams, double scale,
                              const struct oto_word_rows *rows);

#endif
