/* SPDX-License-Identifier: BSD-2-Clause */
#include "models/bundle.h"

#include <math.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/mem.h"
#include "models/bundle_format.h"

/* ---- card -------------------------------------------------------------------------------- */

#define N_CARD_TEXTS 6
static void card_texts(struct oto_card *card, char **fields[N_CARD_TEXTS])
{
    fields[0] = &card->name;
    fields[1] = &card->licence;
    fields[2] = &card->data;
    fields[3] = &card->date;
    fields[4] = &card->recipe;
    fields[5] = &card->notes;
}

oto_status oto_card_init(struct oto_card *card, oto_error *err)
{
    memset(card, 0, sizeof *card);
    card->dev_wer = card->dev_cer = card->test_wer = card->train_hours = (double)NAN;
    char **fields[N_CARD_TEXTS];
    card_texts(card, fields);
    for (int i = 0; i < N_CARD_TEXTS; i++) {
        *fields[i] = oto_strdup("");
        if (*fields[i] == NULL) {
            oto_card_clear(card);
            return oto_fail_memory(err, "model card");
        }
    }
    return OTO_OK;
}

void oto_card_clear(struct oto_card *card)
{
    char **fields[N_CARD_TEXTS];
    card_texts(card, fields);
    for (int i = 0; i < N_CARD_TEXTS; i++) {
        oto_free(*fields[i]);
        *fields[i] = NULL;
    }
}

oto_status oto_card_set(char **field, const char *value, oto_error *err)
{
    char *copy = oto_strdup(value);
    if (copy == NULL)
        return oto_fail_memory(err, "model card");
    oto_free(*field);
    *field = copy;
    return OTO_OK;
}

/* ---- load -------------------------------------------------------------------------------- */

/* A section of a newer minor version that may not be skipped. */
static oto_status check_known(const struct oto_container *c, oto_error *err)
{
    static const char *const known[] = {
        "frontend", "network", "cmvn",           "alphabet", "decoder", "card",
        "tensors",  "weights", OTO_SECTION_INT8, "lexicon",  "search",  "lm",
        "confid",   "grammar", "rescore",        "lstm",     "priors",  "second"};
    for (int k = 0; k < c->n_sections; k++) {
        const struct oto_section *s = &c->sections[k];
        bool found = (s->flags & OTO_SECTION_OPTIONAL) != 0;
        for (size_t i = 0; i < sizeof known / sizeof known[0] && !found; i++)
            found = strcmp(s->name, known[i]) == 0;
        if (!found)
            return oto_fail(err, OTO_ERR_VERSION,
                            "%s: section '%s': offset %zu: unknown and not optional (newer file: "
                            "update Otolith)",
                            c->name, s->name, s->offset);
    }
    return OTO_OK;
}

/* The parts must fit each other: features as wide as the network reads, symbols as many as it
 * writes. */
static oto_status check_fit(const struct oto_bundle *b, const struct oto_container *c,
                            oto_error *err)
{
    struct oto_frontend *fe = NULL;
    oto_error inner;
    const struct oto_cmvn_stats *stats = b->cmvn.count > 0 ? &b->cmvn : NULL;
    oto_status status = oto_frontend_create(&fe, &b->frontend, stats, OTO_FFT_KISS, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status == OTO_ERR_MEMORY ? status : OTO_ERR_FORMAT,
                        "%s: section 'frontend': %s", c->name, inner.message);
    int dim = oto_frontend_dim(fe), static_dim = oto_frontend_static_dim(fe);
    oto_frontend_destroy(fe);
    if (dim != b->shape.n_inputs)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'network': inputs: found %d, expected %d as the front end "
                        "gives",
                        c->name, b->shape.n_inputs, dim);
    if (stats != NULL && stats->dim != static_dim)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'cmvn': %d values a frame, expected %d as the front end gives",
                        c->name, stats->dim, static_dim);
    if (b->alphabet->n_symbols != b->shape.n_outputs)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section 'alphabet': %d symbols, expected %d as the network writes",
                        c->name, b->alphabet->n_symbols, b->shape.n_outputs);
    return OTO_OK;
}

static oto_status read_sections(struct oto_bundle *b, const struct oto_container *c, oto_error *err)
{
    oto_status (*const readers[])(struct oto_bundle *, const struct oto_container *,
                                  oto_error *) = {
        oto_bundle_read_frontend, oto_bundle_read_network, oto_bundle_read_cmvn,
        oto_bundle_read_alphabet, oto_bundle_read_decoder, oto_bundle_read_card,
        oto_bundle_read_lexicon,  oto_bundle_read_lm,      oto_bundle_read_confidence,
        oto_bundle_read_grammar,  oto_bundle_read_rescore, oto_bundle_read_lstm,
        oto_bundle_read_priors,   oto_bundle_read_second,
    };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        oto_status status = readers[i](b, c, err);
        if (status != OTO_OK)
            return status;
    }
    oto_status status = check_fit(b, c, err);
    if (status != OTO_OK)
        return status;
    status = oto_bundle_read_tensors(b, c, err);
    if (status != OTO_OK)
        return status;
    return b->weight_type == OTO_WEIGHT_I8 ? oto_bundle_read_int8(b, c, err)
                                           : oto_bundle_read_weights(b, c, err);
}

oto_status oto_bundle_parse(struct oto_bundle **out, const void *data, size_t size,
                            const char *name, oto_error *err)
{
    *out = NULL;
    struct oto_container c;
    oto_status status = oto_container_open(&c, &oto_bundle_kind, data, size, name, err);
    if (status == OTO_OK)
        status = check_known(&c, err);
    if (status != OTO_OK)
        return status;
    struct oto_bundle *b = oto_calloc(1, sizeof *b);
    if (b == NULL)
        return oto_fail_memory(err, "model");
    status = read_sections(b, &c, err);
    if (status != OTO_OK) {
        oto_bundle_destroy(b);
        return status;
    }
    *out = b;
    return OTO_OK;
}

oto_status oto_bundle_load(struct oto_bundle **out, const char *path, oto_error *err)
{
    *out = NULL;
    struct oto_map map;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    status = oto_bundle_parse(out, map.data, map.size, path, err);
    if (status != OTO_OK) {
        oto_map_close(&map);
        return status;
    }
    (*out)->map = map;
    return OTO_OK;
}

void oto_bundle_destroy(struct oto_bundle *b)
{
    if (b == NULL)
        return;
    oto_free(b->owned_weights);
    oto_free(b->owned_tensors);
    oto_free(b->dequantized);
    oto_free(b->log_priors);
    oto_lm_close(b->lm);
    oto_lstm_lm_destroy(b->lstm);
    oto_bundle_destroy(b->second);
    oto_map_close(&b->map);
    oto_alphabet_destroy(b->alphabet);
    oto_lexicon_destroy(b->lexicon);
    oto_grammar_destroy(b->grammar);
    oto_cmvn_stats_clear(&b->cmvn);
    oto_card_clear(&b->card);
    oto_free(b);
}

int oto_bundle_stride(const struct oto_bundle *b)
{
    return b->frontend.stride * oto_network_reduction(&b->shape, b->shape.n_layers - 1);
}

/* ---- save -------------------------------------------------------------------------------- */

static oto_status write_texts(struct oto_container_writer *w, const struct oto_bundle *b,
                              oto_error *err)
{
    static const struct {
        const char *name;
        oto_status (*write)(const struct oto_bundle *, char **, size_t *, oto_error *);
    } texts[] = {
        {"frontend", oto_bundle_write_frontend}, {"network", oto_bundle_write_network},
        {"alphabet", oto_bundle_write_alphabet}, {"decoder", oto_bundle_write_decoder},
        {"card", oto_bundle_write_card},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = NULL;
        size_t size = 0;
        oto_status status = texts[i].write(b, &text, &size, err);
        if (status != OTO_OK)
            return status;
        oto_container_section(w, texts[i].name, 0, text, size);
        oto_free(text);
    }
    return OTO_OK;
}

static oto_status write_numbers(struct oto_container_writer *w, const struct oto_bundle *b,
                                oto_error *err)
{
    struct oto_writer cmvn = {0}, tensors = {0}, weights = {0};
    oto_bundle_write_cmvn(b, &cmvn);
    oto_bundle_write_tensors(b, &tensors);
    const bool int8 = b->weight_type == OTO_WEIGHT_I8;
    oto_status status =
        int8 ? oto_bundle_write_int8(b, &weights, err) : oto_bundle_write_weights(b, &weights, err);
    if (status == OTO_OK && (cmvn.failed || tensors.failed || weights.failed))
        status = oto_fail_memory(err, "model file");
    if (status == OTO_OK) {
        oto_container_section(w, "cmvn", 0, cmvn.data, cmvn.size);
        oto_container_section(w, "tensors", 0, tensors.data, tensors.size);
        oto_container_section(w, int8 ? OTO_SECTION_INT8 : "weights", 0, weights.data,
                              weights.size);
    }
    oto_writer_clear(&cmvn);
    oto_writer_clear(&tensors);
    oto_writer_clear(&weights);
    return status;
}

static oto_status write_lexicon(struct oto_container_writer *w, const struct oto_bundle *b,
                                oto_error *err)
{
    if (b->lexicon == NULL)
        return OTO_OK;
    struct oto_writer words = {0};
    oto_bundle_write_lexicon(b, &words);
    oto_status status = words.failed ? oto_fail_memory(err, "model file") : OTO_OK;
    if (status == OTO_OK)
        oto_container_section(w, "lexicon", OTO_SECTION_OPTIONAL, words.data, words.size);
    oto_writer_clear(&words);
    return status;
}

static oto_status write_confidence(struct oto_container_writer *w, const struct oto_bundle *b,
                                   oto_error *err)
{
    char *text = NULL;
    size_t size = 0;
    if (!b->is_calibrated)
        return OTO_OK;
    oto_status status = oto_bundle_write_confidence(b, &text, &size, err);
    if (status == OTO_OK)
        oto_container_section(w, "confid", OTO_SECTION_OPTIONAL, text, size);
    oto_free(text);
    return status;
}

static void write_grammar(struct oto_container_writer *w, const struct oto_bundle *b)
{
    if (b->grammar != NULL)
        oto_container_section(w, "grammar", OTO_SECTION_OPTIONAL, b->grammar->text,
                              b->grammar->text_size);
}

/* The lowest that knows all that is in it, so that older programs read what they can. */
static int minor_version(const struct oto_bundle *b)
{
    if (b->second != NULL)
        return 10;
    if (b->frontend.cmvn_margin_ms > 0.0)
        return 9;
    if (b->log_priors != NULL)
        return 8;
    if (b->lstm != NULL)
        return 7;
    if (b->beam.blank_skip > 0.0)
        return 6;
    if (b->grammar != NULL)
        return 5;
    if (b->shape.reduce_after != 0)
        return 4;
    if (b->is_calibrated)
        return 3;
    if (b->lm != NULL)
        return 2;
    return b->lexicon != NULL || b->weight_type == OTO_WEIGHT_I8;
}

/* What was written must load: a bundle put together wrongly is refused now, not by its first user.
 */
static oto_status check_image(const struct oto_writer *image, const char *path, oto_error *err)
{
    struct oto_bundle *back = NULL;
    oto_status status = oto_bundle_parse(&back, image->data, image->size, path, err);
    oto_bundle_destroy(back);
    return status;
}

static oto_status check_whole(const struct oto_bundle *b, const char *path, oto_error *err)
{
    const bool int8 = b->weight_type == OTO_WEIGHT_I8;
    oto_status status = oto_network_shape_check(&b->shape, err);
    if (status != OTO_OK)
        return status;
    if ((b->weights == NULL && (!int8 || b->tensors == NULL)) || b->alphabet == NULL ||
        (b->weight_type != OTO_WEIGHT_F32 && b->weight_type != OTO_WEIGHT_F16 && !int8))
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: a model file needs weights, their type and an alphabet", path);
    if (b->lstm != NULL && b->lstm->image == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "%s: an LSTM language model that was not read from a file; expected one of "
                        "oto_lstm_lm_load()",
                        path);
    return OTO_OK;
}

oto_status oto_bundle_write(const struct oto_bundle *b, struct oto_writer *image, const char *path,
                            oto_error *err)
{
    struct oto_container_writer w;
    struct oto_container_kind kind = oto_bundle_kind;
    oto_status status = check_whole(b, path, err);
    if (status != OTO_OK)
        return status;
    kind.minor = minor_version(b);
    oto_container_begin(&w, 8 + (b->lexicon != NULL) + 2 * (b->lm != NULL) + b->is_calibrated +
                                (b->grammar != NULL) + (b->lstm != NULL || b->second != NULL) +
                                (b->lstm != NULL) + (b->log_priors != NULL) + (b->second != NULL));
    status = write_texts(&w, b, err);
    if (status == OTO_OK)
        status = write_numbers(&w, b, err);
    if (status == OTO_OK)
        status = write_lexicon(&w, b, err);
    if (status == OTO_OK)
        status = oto_bundle_add_lm(&w, b, err);
    if (status == OTO_OK)
        status = oto_bundle_add_priors(&w, b, err);
    if (status == OTO_OK)
        status = oto_bundle_add_second(&w, b, path, err);
    if (status == OTO_OK)
        status = write_confidence(&w, b, err);
    if (status == OTO_OK) {
        write_grammar(&w, b);
        oto_container_finish(&w, &kind);
        if (w.out.failed)
            status = oto_fail_memory(err, "model file");
    }
    *image = w.out;
    return status;
}

oto_status oto_bundle_save(const struct oto_bundle *b, const char *path, oto_error *err)
{
    struct oto_writer image = {0};
    oto_status status = oto_bundle_write(b, &image, path, err);
    if (status == OTO_OK)
        status = check_image(&image, path, err);
    if (status == OTO_OK)
        status = oto_atomic_save(path, image.data, image.size, err);
    oto_writer_clear(&image);
    return status;
}
