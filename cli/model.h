/* SPDX-License-Identifier: BSD-2-Clause */
/** The actions of `otolith model` that have a file of their own. Each returns an exit code. */
#ifndef OTO_CLI_MODEL_H
#define OTO_CLI_MODEL_H

#include "models/bundle.h"

/** A model by file or by name in the search path, which is put in path; NULL with a message and
 * *code. */
struct oto_bundle *oto_cli_load_model(const char *name, char *path, size_t capacity, int *code);
/** Writes the bundle; a file that cannot be made is OTO_EXIT_CANNOT_CREATE. */
int oto_cli_save_model(const struct oto_bundle *bundle, const char *path);

struct oto_model_set {
    const char *grammar, *lexicon, *lm, *rescore, *second; /* a file, "none" or "" */
    const char *statistics;                                /* a manifest, or "" */
    const char *priors;                                    /* a manifest, "none" or "" */
    double cmvn_margin_ms;                                 /* NAN: as it is */
    /* those of them that were given on this command line */
    struct oto_beam_options beam;
    struct oto_language_options language;
    struct oto_rescore_options rescoring;
    int argc;
    char **argv;
};

struct oto_import_options {
    const char *like;   /* model whose front end, alphabet and decoder the weights go with */
    const char *prefix; /* before the tensors' names */
    enum oto_weight_type weight_type;
};
int oto_cli_import_pytorch(const struct oto_import_options *options, const char *in,
                           const char *out);
int oto_cli_export(const char *in, const char *out);
/** Puts in, or takes out, grammar, lexicon, language models, second network and numbers of the
 * search, as `otolith model set` names them. */
int oto_cli_set_search(const struct oto_model_set *set, const char *in, const char *out);
/** Replaces the bundle's LSTM language model by that of a file, or by none if that is "none"; ""
 * leaves it. */
oto_status oto_cli_set_lstm(struct oto_bundle *bundle, const char *file,
                            oto_error *err) OTO_WARN_UNUSED;
/** Replaces the bundle's CMVN statistics by those of a corpus. Errors: those of the corpus and its
 * recordings; the bundle is as before then. */
oto_status oto_cli_set_statistics(struct oto_bundle *bundle, const char *manifest,
                                  oto_error *err) OTO_WARN_UNUSED;
/** Replaces the bundle's priors of symbols by what the network of the model file at path, the same
 * one, writes on average over a corpus. Errors as above. */
oto_status oto_cli_set_priors(struct oto_bundle *bundle, const char *path, const char *manifest,
                              oto_error *err) OTO_WARN_UNUSED;
int oto_cli_quantize(const char *in, const char *out);
/** The network with n_hidden units a direction (acoustic/network_prune.h), as floats. */
int oto_cli_prune(int n_hidden, const char *in, const char *out);
/** The mean of n models' weights (models/average.h) with everything else of the first, as floats.
 * @param share  of the first, the others share the rest alike; 0: all alike */
int oto_cli_average(double share, const char **in, int n, const char *out);

#endif
