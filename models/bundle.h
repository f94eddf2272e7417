/* SPDX-License-Identifier: BSD-2-Clause */
/** The model file: front end, CMVN, network, alphabet, decoding defaults, lexicon, grammar,
 * language models and card in one checksummed, mapped file (FORMAT.md). */
#ifndef OTO_MODELS_BUNDLE_H
#define OTO_MODELS_BUNDLE_H

#include "acoustic/network.h"
#include "base/bytes.h"
#include "base/status.h"
#include "decoder/alphabet.h"
#include "decoder/beam.h"
#include "decoder/confidence.h"
#include "decoder/grammar.h"
#include "decoder/language.h"
#include "decoder/lexicon.h"
#include "decoder/lm.h"
#include "features/frontend.h"
#include "models/lstm_lm.h"
#include "models/rescore_options.h"

/** How weights are stored. F32 and F16 are float in memory; I8 keeps the matrices of LSTM layers as
 * 8-bit rows with a scale each (acoustic/quant.h), and stays so. */
enum oto_weight_type { OTO_WEIGHT_F32, OTO_WEIGHT_F16, OTO_WEIGHT_I8 };

/** Free text about the model; any may be "". Owned (oto_free). Numbers are NAN when unknown. */
struct oto_card {
    char *name, *licence, *data, *date, *recipe, *notes;
    double dev_wer, dev_cer, test_wer;
    double train_hours;
};

struct oto_bundle {
    struct oto_frontend_options frontend;
    struct oto_cmvn_stats cmvn; /* count 0 when there is none */
    struct oto_network_shape shape;
    /* [oto_network_n_parameters(shape)], 64-byte aligned; NULL where they came as I8 */
    const float *weights;
    /* [oto_network_n_tensors(shape)] where they came as I8, else NULL */
    const struct oto_tensor_data *tensors;
    struct oto_alphabet *alphabet;        /* n_symbols == shape.n_outputs */
    struct oto_lexicon *lexicon;          /* of this alphabet; NULL when any text may be written */
    struct oto_grammar *grammar;          /* of this alphabet, takes the place of lexicon and lm;
                                             NULL when texts are not confined to sentences */
    struct oto_lm *lm;                    /* of words; NULL when they are not scored */
    struct oto_language_options language; /* stored with lm; the defaults where there is none */
    struct oto_lstm_lm *lstm;             /* of a second pass; NULL when there is none */
    struct oto_bundle *second;            /* another network, front end, CMVN, alphabet and priors,
                                             that hears the texts of a second pass; NULL: none */
    struct oto_rescore_options rescore;   /* stored with lstm and second; else the defaults */
    /* [shape.n_outputs] natural logs (decoder/priors.h), owned; NULL: not known */
    double *log_priors;
    struct oto_beam_options beam;
    struct oto_confidence confidence; /* where is_calibrated */
    bool is_calibrated;
    struct oto_card card;
    enum oto_weight_type weight_type; /* in the file */
    /* private */
    struct oto_map map;
    float
        *owned_weights; /* when they had to be converted; else NULL and weights points into the
                           map. I8: scales and floats of the tensors, whose codes are in the map */
    struct oto_tensor_data *owned_tensors;
    float *dequantized;
};

/**
 * Verifies magic, version, section table, every checksum, every size and every option before
 * anything is used; a message names file, section and offset. Non-finite weights are refused too.
 * On failure *out is NULL.
 */
oto_status oto_bundle_load(struct oto_bundle **out, const char *path,
                           oto_error *err) OTO_WARN_UNUSED;
/** From memory that outlives the bundle; name is used in messages. */
oto_status oto_bundle_parse(struct oto_bundle **out, const void *data, size_t size,
                            const char *name, oto_error *err) OTO_WARN_UNUSED;
void oto_bundle_destroy(struct oto_bundle *bundle);
/** Options of oto_rescore_option_table that the bundle has a use for: the last is a second
 * network's. */
size_t oto_bundle_n_rescore(const struct oto_bundle *bundle);
/** Static frames of the front end, frame_shift_ms each, to a frame of log-probabilities. */
int oto_bundle_stride(const struct oto_bundle *bundle);
/**
 * Gives a bundle that came as I8 its weights as floats, scale times code, for those who need them;
 * nothing to do for others. Errors: OTO_ERR_MEMORY.
 */
oto_status oto_bundle_dequantize(struct oto_bundle *bundle, oto_error *err) OTO_WARN_UNUSED;
/** Written atomically; I8 is quantised from weights, or where that is NULL written as tensors says.
 * The bundle may be assembled by hand (weights borrowed). Same bundle, same
 * bytes. */
oto_status oto_bundle_save(const struct oto_bundle *bundle, const char *path,
                           oto_error *err) OTO_WARN_UNUSED;

/**
 * Takes a bundle over as the second network of b, whose own is released, without all that a second
 * network does without: lexicon, grammar, language models, a second network of its own. NULL takes
 * b's out. OTO_ERR_DATA for one that does not go with b; it stays the caller's then, and b as it
 * was.
 */
oto_status oto_bundle_set_second(struct oto_bundle *b, struct oto_bundle *second,
                                 oto_error *err) OTO_WARN_UNUSED;

oto_status oto_card_init(struct oto_card *card, oto_error *err) OTO_WARN_UNUSED;
void oto_card_clear(struct oto_card *card);
/** Replaces one text field; the field must be one of the card's char * members. */
oto_status oto_card_set(char **field, const char *value, oto_error *err) OTO_WARN_UNUSED;

#endif
