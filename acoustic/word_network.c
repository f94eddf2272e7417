/* SPDX-License-Identifier: BSD-2-Clause */
/* Sizes, parameters and life of a word network. */
#include "acoustic/word_network.h"

#include <stdio.h>
#include <string.h>

#include "acoustic/word_network_internal.h"
#include "base/mem.h"
#include "base/rng.h"

enum { TENSORS_BEFORE = 2, LSTM_TENSORS = 3, TENSORS_AFTER = 4 };

/* ---- sizes ------------------------------------------------------------------------------- */

static oto_status check_field(const char *name, int value, int min, int max, oto_error *err)
{
    if (value >= min && value <= max)
        return OTO_OK;
    return oto_fail(err, OTO_ERR_ARGUMENT, "word network: %s is %d, expected %d to %d", name, value,
                    min, max);
}

oto_status oto_word_shape_check(const struct oto_word_shape *shape, oto_error *err)
{
    oto_status status = check_field("n_words", shape->n_words, 2, OTO_WORD_WORDS_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_classes", shape->n_classes, 1, shape->n_words, err);
    if (status == OTO_OK)
        status = check_field("n_embed", shape->n_embed, 1, OTO_WORD_WIDTH_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_hidden", shape->n_hidden, 1, OTO_WORD_WIDTH_MAX, err);
    if (status == OTO_OK)
        status = check_field("n_layers", shape->n_layers, 1, OTO_WORD_LAYERS_MAX, err);
    if (status != OTO_OK)
        return status;
    /* Only an address space of 32 bits can be too small for 2^20 vectors of 4096 and 8 layers. */
    const uint64_t v = (uint64_t)shape->n_words, e = (uint64_t)shape->n_embed;
    const uint64_t h = (uint64_t)shape->n_hidden;
    const uint64_t bound = 2 * v * (e + 1) +
                           (uint64_t)shape->n_layers * 4 * h * (h + (h > e ? h : e) + 1) +
                           e * (h + 1);
    if (bound > SIZE_MAX / 2 / sizeof(oto_real))
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "word network: about %llu parameters do not fit the address space",
                        (unsigned long long)bound);
    return OTO_OK;
}

int oto_word_n_tensors(const struct oto_word_shape *shape)
{
    return TENSORS_BEFORE + LSTM_TENSORS * shape->n_layers + TENSORS_AFTER;
}

static void set_tensor(struct oto_tensor *t, const char *name, int n_rows, int n_cols)
{
    snprintf(t->name, sizeof t->name, "%s", name);
    t->n_rows = n_rows;
    t->n_cols = n_cols;
}

/* Name and sizes of a tensor. */
static void describe(const struct oto_word_shape *shape, int index, struct oto_tensor *t)
{
    const int n_lstm = LSTM_TENSORS * shape->n_layers, k = index - TENSORS_BEFORE;
    const int h = shape->n_hidden, e = shape->n_embed;
    if (index == 0) {
        set_tensor(t, "word.weight", shape->n_words, e);
    } else if (index == 1) {
        set_tensor(t, "word.bias", shape->n_words, 1);
    } else if (k < n_lstm) {
        static const char *const names[] = {"weight_ih", "weight_hh", "bias"};
        const int l = k / LSTM_TENSORS, which = k % LSTM_TENSORS;
        const int width[] = {l == 0 ? e : h, h, 1};
        snprintf(t->name, sizeof t->name, "lstm.%s_l%d", names[which], l);
        t->n_rows = 4 * h;
        t->n_cols = width[which];
    } else if (k == n_lstm) {
        set_tensor(t, "proj.weight", e, h);
    } else if (k == n_lstm + 1) {
        set_tensor(t, "proj.bias", e, 1);
    } else if (k == n_lstm + 2) {
        set_tensor(t, "class.weight", shape->n_classes, e);
    } else {
        set_tensor(t, "class.bias", shape->n_classes, 1);
    }
}

void oto_word_tensor(const struct oto_word_shape *shape, int index, struct oto_tensor *tensor)
{
    size_t offset = 0;
    for (int i = 0;; i++) {
        describe(shape, i, tensor);
        tensor->offset = offset;
        if (i == index)
            return;
        offset += (size_t)tensor->n_rows * (size_t)tensor->n_cols;
    }
}

size_t oto_word_n_parameters(const struct oto_word_shape *shape)
{
    struct oto_tensor last;
    oto_word_tensor(shape, oto_word_n_tensors(shape) - 1, &last);
    return last.offset + (size_t)last.n_rows * (size_t)last.n_cols;
}

void oto_word_offsets(const struct oto_word_shape *shape, struct oto_word_offsets *o)
{
    const int after = TENSORS_BEFORE + LSTM_TENSORS * shape->n_layers;
    for (int i = 0; i < oto_word_n_tensors(shape); i++) {
        struct oto_tensor t;
        const int l = (i - TENSORS_BEFORE) / LSTM_TENSORS;
        oto_word_tensor(shape, i, &t);
        if (i < TENSORS_BEFORE) {
            *(i == 0 ? &o->word_weight : &o->word_bias) = t.offset;
        } else if (i < after) {
            size_t *const of_layer[LSTM_TENSORS] = {&o->w[l], &o->r[l], &o->bias[l]};
            *of_layer[(i - TENSORS_BEFORE) % LSTM_TENSORS] = t.offset;
        } else {
            size_t *const rest[TENSORS_AFTER] = {&o->proj_weight, &o->proj_bias, &o->class_weight,
                                                 &o->class_bias};
            *rest[i - after] = t.offset;
        }
    }
}

void oto_word_init_parameters(const struct oto_word_shape *shape, oto_real *params, uint64_t seed)
{
    const size_t n_hidden = (size_t)shape->n_hidden;
    for (int i = 0; i < oto_word_n_tensors(shape); i++) {
        struct oto_tensor t;
        oto_word_tensor(shape, i, &t);
        oto_real *p = params + t.offset;
        const size_t n = (size_t)t.n_rows * (size_t)t.n_cols;
        double bound = sqrt(6.0 / ((double)t.n_rows + t.n_cols));
        if (strcmp(t.name, "word.weight") == 0)
            bound = 0.1;
        else if (strstr(t.name, "weight_hh") != NULL)
            bound = 1 / sqrt(shape->n_hidden);
        else if (strstr(t.name, "weight_ih") != NULL)
            bound = sqrt(6.0 / ((double)shape->n_hidden + t.n_cols));
        else if (strstr(t.name, "bias") != NULL)
            bound = 0;
        const uint64_t stream = oto_rng_stream(t.name);
        for (size_t j = 0; j < n; j++)
            p[j] = (oto_real)(bound * (2 * oto_rng_uniform(seed, stream, j) - 1));
        if (strncmp(t.name, "lstm.bias", 9) == 0)
            for (size_t j = n_hidden; j < 2 * n_hidden; j++)
                p[j] = 1; /* forget gates start open (Gers et al. 2000) */
    }
}

/* ---- network ----------------------------------------------------------------------------- */

static oto_status set_classes(struct oto_word_network *net, const int *class_first, oto_error *err)
{
    const int n_classes = net->shape.n_classes, n_words = net->shape.n_words;
    if (class_first[0] != 0 || class_first[n_classes] != n_words)
        return oto_fail(err, OTO_ERR_ARGUMENT, "word network: classes from %d to %d, not 0 to %d",
                        class_first[0], class_first[n_classes], n_words);
    for (int c = 0; c < n_classes; c++)
        if (class_first[c + 1] <= class_first[c])
            return oto_fail(err, OTO_ERR_ARGUMENT, "word network: class %d has no words", c);
    net->class_first = oto_calloc((size_t)n_classes + 1, sizeof *net->class_first);
    net->class_of = oto_calloc((size_t)n_words, sizeof *net->class_of);
    if (net->class_first == NULL || net->class_of == NULL)
        return oto_fail_memory(err, "classes of words");
    memcpy(net->class_first, class_first, ((size_t)n_classes + 1) * sizeof *class_first);
    for (int c = 0; c < n_classes; c++)
        for (int w = class_first[c]; w < class_first[c + 1]; w++)
            net->class_of[w] = c;
    return OTO_OK;
}

oto_status oto_word_network_create(struct oto_word_network **out,
                                   const struct oto_word_shape *shape, const int *class_first,
                                   const struct oto_dsp *dsp, oto_error *err)
{
    *out = NULL;
    oto_status status = oto_word_shape_check(shape, err);
    if (status != OTO_OK)
        return status;
    struct oto_word_network *net = oto_calloc(1, sizeof *net);
    if (net == NULL)
        return oto_fail_memory(err, "word network");
    net->shape = *shape;
    net->dsp = *dsp;
    oto_word_offsets(shape, &net->offsets);
    status = set_classes(net, class_first, err);
    for (int l = 0; l < shape->n_layers && status == OTO_OK; l++)
        status = oto_lstm_init(&net->layers[l], dsp, l == 0 ? shape->n_embed : shape->n_hidden,
                               shape->n_hidden, false, err);
    if (status != OTO_OK) {
        oto_word_network_destroy(net);
        return status;
    }
    *out = net;
    return OTO_OK;
}

void oto_word_network_destroy(struct oto_word_network *net)
{
    if (net == NULL)
        return;
    for (int l = 0; l < net->shape.n_layers; l++)
        oto_lstm_clear(&net->layers[l]);
    oto_free(net->class_first);
    oto_free(net->class_of);
    oto_free(net);
}

const struct oto_word_shape *oto_word_network_shape(const struct oto_word_network *net)
{
    return &net->shape;
}

void oto_word_network_set_parameters(struct oto_word_network *net, const oto_real *params)
{
    const struct oto_word_offsets *o = &net->offsets;
    net->params = params;
    for (int l = 0; l < net->shape.n_layers; l++)
        oto_lstm_set(&net->layers[l], &net->dsp, params + o->w[l], params + o->r[l],
                     params + o->bias[l]);
}

oto_status oto_word_workspace_create(struct oto_word_workspace **out,
                                     const struct oto_word_network *net, oto_error *err)
{
    const size_t n_classes = (size_t)net->shape.n_classes;
    *out = NULL;
    struct oto_word_workspace *ws = oto_calloc(1, sizeof *ws);
    if (ws == NULL)
        return oto_fail_memory(err, "workspace of a word network");
    ws->net = net;
    ws->groups.first = oto_calloc(n_classes + 1, sizeof *ws->groups.first);
    ws->groups.scores = oto_calloc(n_classes + 1, sizeof *ws->groups.scores);
    ws->dbias_sum = oto_calloc((size_t)net->layers[0].n_gates, sizeof *ws->dbias_sum);
    if (ws->groups.first == NULL || ws->groups.scores == NULL || ws->dbias_sum == NULL) {
        oto_word_workspace_destroy(ws);
        return oto_fail_memory(err, "workspace of a word network");
    }
    *out = ws;
    return OTO_OK;
}

void oto_word_workspace_destroy(struct oto_word_workspace *ws)
{
    if (ws == NULL)
        return;
    for (int l = 0; l < OTO_WORD_LAYERS_MAX; l++) {
        oto_buffer_clear(&ws->gates[l]);
        oto_buffer_clear(&ws->cells[l]);
        oto_buffer_clear(&ws->h[l]);
        oto_buffer_clear(&ws->dropped[l]);
    }
    struct oto_buffer *const others[] = {&ws->x,        &ws->y,       &ws->dy,      &ws->dh,
                                         &ws->dcells,   &ws->weights, &ws->classes, &ws->grouped,
                                         &ws->dgrouped, &ws->scores};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        oto_buffer_clear(others[i]);
    oto_free(ws->groups.first);
    oto_free(ws->groups.scores);
    oto_free(ws->groups.rows);
    oto_free(ws->dbias_sum);
    oto_free(ws);
}
