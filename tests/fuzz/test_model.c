/* SPDX-License-Identifier: BSD-2-Clause */
/* Model files. Checksums would stop every change at the door, so that each input is tried once as
 * it is and once signed anew; what then loads is run. */
#include "fuzz.h"
#include "fuzz_container.h"

#include <math.h>

#include "acoustic/network.h"
#include "base/mem.h"
#include "decoder/beam.h"
#include "models/bundle_format.h"

/* One forward pass over zeros: what the checks let through must also run. */
static void run(const struct oto_bundle *b)
{
    struct oto_dsp dsp;
    struct oto_network *net = NULL;
    struct oto_network_workspace *ws = NULL;
    struct oto_sequences seqs = {0};
    int n_frames = 3;
    struct oto_dsp_int8 int8;
    oto_dsp_init(&dsp, OTO_CPU_SCALAR);
    oto_dsp_int8_init(&int8, oto_cpu_flags());
    float *x = oto_calloc(3 * (size_t)b->shape.n_inputs, sizeof *x);
    float *y = oto_calloc(3 * (size_t)b->shape.n_outputs, sizeof *y);
    if (x != NULL && y != NULL &&
        (b->tensors != NULL ? oto_network_create_int8(&net, &b->shape, &dsp, &int8, NULL)
                            : oto_network_create(&net, &b->shape, &dsp, NULL)) == OTO_OK &&
        oto_network_workspace_create(&ws, net, NULL) == OTO_OK &&
        oto_sequences_set(&seqs, &n_frames, 1, NULL) == OTO_OK) {
        if (b->tensors != NULL)
            oto_network_set_int8(net, b->tensors, NULL);
        else
            oto_network_set_parameters(net, b->weights, NULL);
        if (oto_network_forward(net, ws, y, x, &seqs, 0, NULL, NULL, NULL) != OTO_OK)
            abort();
    }
    oto_sequences_clear(&seqs);
    oto_network_workspace_destroy(ws);
    oto_network_destroy(net);
    oto_free(x);
    oto_free(y);
}

/* Words scored by the model's own language model, or confined to its lexicon or grammar. */
static void search(const struct oto_bundle *b)
{
    struct oto_language *language = NULL;
    struct oto_beam *beam = NULL;
    const struct oto_hypothesis *hyps;
    const struct oto_beam_options options = {4, 0, -(double)INFINITY, 0.0, 0.0};
    const int n_symbols = b->shape.n_outputs;
    int n = 0;
    float *log_probs = oto_calloc(4 * (size_t)n_symbols, sizeof *log_probs);
    for (int t = 0; log_probs != NULL && t < 4; t++)
        for (int k = 0; k < n_symbols; k++)
            log_probs[t * n_symbols + k] = -1.0f - 0.1f * (float)((k + 3 * t) % 7);
    const struct oto_language_parts parts = {
        .lexicon = b->lexicon, .lm = b->lm, .log_priors = b->log_priors};
    if (log_probs != NULL &&
        (b->grammar != NULL ? oto_language_create_of_grammar(&language, b->grammar, NULL)
                            : oto_language_create_from(&language, &parts, b->alphabet, &b->language,
                                                       NULL)) == OTO_OK &&
        oto_beam_create(&beam, n_symbols, &options, NULL) == OTO_OK &&
        oto_beam_set_language(beam, language, NULL) == OTO_OK &&
        (oto_beam_push(beam, log_probs, 4, NULL) != OTO_OK ||
         oto_beam_n_best(beam, 4, &hyps, &n, NULL) != OTO_OK || n < 1))
        abort();
    oto_beam_destroy(beam);
    oto_language_destroy(language);
    oto_free(log_probs);
}

/* A sentence scored by the model's own second pass. */
static void rescore(const struct oto_lstm_lm *lm)
{
    struct oto_lstm_scorer *scorer = NULL;
    const int words[2] = {1, lm->shape.n_words - 1};
    const struct oto_word_sentence sentence = {words, 2};
    double log_probs[3];
    double *const to[] = {log_probs};
    if (oto_lstm_scorer_create(&scorer, lm, NULL) != OTO_OK ||
        oto_lstm_scorer_run(scorer, to, &sentence, 1, NULL) != OTO_OK)
        abort();
    oto_lstm_scorer_destroy(scorer);
}

static void parse(const uint8_t *data, size_t size)
{
    struct oto_bundle *b = NULL;
    oto_error err = {OTO_OK, ""};
    oto_status status = oto_bundle_parse(&b, data, size, "fuzz", &err);
    if ((status == OTO_OK) != (b != NULL) || (status != OTO_OK && err.message[0] == 0))
        abort();
    if (b != NULL && oto_network_n_parameters(&b->shape) < 100000)
        run(b);
    if (b != NULL && (b->lm != NULL || b->lexicon != NULL) && b->shape.n_outputs < 1000)
        search(b);
    if (b != NULL && b->lstm != NULL)
        rescore(b->lstm);
    if (b != NULL && b->second != NULL && oto_network_n_parameters(&b->second->shape) < 100000)
        run(b->second);
    oto_bundle_destroy(b);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    parse(data, size);
    fuzz_sign_inner(data, size, "lm\0\0\0\0\0");
    fuzz_sign_inner(data, size, "lstm\0\0\0");
    fuzz_sign_inner(data, size, "second\0");
    fuzz_sign(data, size);
    parse(data, size);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "model", 3000);
}
#endif
