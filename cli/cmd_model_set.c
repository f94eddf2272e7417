/* SPDX-License-Identifier: BSD-2-Clause */
/* What a model searches for, changed without a look at its weights. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cli/common.h"
#include "cli/model.h"
#include "features/frontend_options.h"

static oto_status set_lexicon(struct oto_bundle *b, const char *file, oto_error *err)
{
    if (file[0] == 0)
        return OTO_OK;
    oto_lexicon_destroy(b->lexicon);
    b->lexicon = NULL;
    return strcmp(file, "none") == 0 ? OTO_OK
                                     : oto_lexicon_load(&b->lexicon, file, b->alphabet, err);
}

static oto_status set_grammar(struct oto_bundle *b, const char *file, oto_error *err)
{
    if (file[0] == 0)
        return OTO_OK;
    oto_grammar_destroy(b->grammar);
    b->grammar = NULL;
    return strcmp(file, "none") == 0 ? OTO_OK
                                     : oto_grammar_load(&b->grammar, file, b->alphabet, err);
}

static oto_status set_lm(struct oto_bundle *b, const char *file, oto_error *err)
{
    if (file[0] == 0)
        return OTO_OK;
    oto_lm_close(b->lm);
    b->lm = NULL;
    if (strcmp(file, "none") == 0)
        b->language.prior_scale = 0; /* found for the two together, as the other weights */
    return strcmp(file, "none") == 0 ? OTO_OK : oto_lm_open(&b->lm, file, err);
}

oto_status oto_cli_set_lstm(struct oto_bundle *b, const char *file, oto_error *err)
{
    if (file[0] == 0)
        return OTO_OK;
    oto_lstm_lm_destroy(b->lstm);
    b->lstm = NULL;
    return strcmp(file, "none") == 0 ? OTO_OK : oto_lstm_lm_load(&b->lstm, file, err);
}

static oto_status set_second(struct oto_bundle *b, const char *file, oto_error *err)
{
    struct oto_bundle *second = NULL;
    if (file[0] == 0)
        return OTO_OK;
    if (strcmp(file, "none") == 0)
        return oto_bundle_set_second(b, NULL, err);
    oto_status status = oto_bundle_load(&second, file, err);
    if (status == OTO_OK)
        status = oto_bundle_set_second(b, second, err);
    if (status != OTO_OK)
        oto_bundle_destroy(second);
    return status;
}

static oto_status set_priors(struct oto_bundle *b, const char *path, const char *manifest,
                             oto_error *err)
{
    if (manifest[0] == 0)
        return OTO_OK;
    if (strcmp(manifest, "none") != 0)
        return oto_cli_set_priors(b, path, manifest, err);
    oto_free(b->log_priors);
    b->log_priors = NULL;
    b->language.prior_scale = 0;
    return OTO_OK;
}

/* Priors are found with the file as it is, so the margin cannot change beside them. */
static int set_margin(struct oto_bundle *b, const struct oto_model_set *set)
{
    oto_error err = {0};
    if (isnan(set->cmvn_margin_ms))
        return OTO_EXIT_OK;
    if (set->priors[0] != 0 && strcmp(set->priors, "none") != 0)
        return oto_cli_usage_error("model", "set: --priors hears with the front end of IN: set "
                                            "--cmvn-margin first, then --priors of the result");
    b->frontend.cmvn_margin_ms = set->cmvn_margin_ms;
    return oto_frontend_options_check(&b->frontend, &err) == OTO_OK
               ? OTO_EXIT_OK
               : oto_cli_fail(&err, "--cmvn-margin");
}

/* Copies the values that were given; returns their number. */
static int set_given(const struct oto_option *table, size_t n, void *to, const void *from,
                     const struct oto_model_set *set)
{
    int n_given = 0;
    for (size_t i = 0; i < n; i++) {
        if (!oto_options_in_argv(&table[i], set->argc, set->argv))
            continue;
        const size_t size = table[i].type == OTO_OPTION_INT ? sizeof(int) : sizeof(double);
        memcpy((char *)to + table[i].offset, (const char *)from + table[i].offset, size);
        n_given++;
    }
    return n_given;
}

/* Each number goes with its part of the second pass, the number of texts with either. */
static int set_rescoring(struct oto_bundle *b, const struct oto_model_set *set, const char *path)
{
    for (size_t i = 0; i < oto_rescore_n_options; i++) {
        const struct oto_option *option = &oto_rescore_option_table[i];
        const bool of_lstm = strcmp(option->name, "second-weight") != 0 && b->lstm != NULL;
        const bool of_second = strcmp(option->name, "rescore-weight") != 0 && b->second != NULL;
        if (oto_options_in_argv(option, set->argc, set->argv) && !of_lstm && !of_second)
            return oto_cli_usage_error("model",
                                       "set: --%s: %s has no second pass that this number could go "
                                       "with; give one with --rescore=FILE or --second=MODEL",
                                       option->name, path);
    }
    (void)set_given(oto_rescore_option_table, oto_rescore_n_options, &b->rescore, &set->rescoring,
                    set);
    return OTO_EXIT_OK;
}

/* What is put together must be fit to be searched with. */
static oto_status check_search(const struct oto_bundle *b, oto_error *err)
{
    struct oto_language *language = NULL;
    const struct oto_language_parts parts = {
        .lexicon = b->lexicon, .lm = b->lm, .log_priors = b->log_priors};
    if (b->lm == NULL)
        return OTO_OK;
    oto_status status = oto_language_options_check(&b->language, err);
    if (status == OTO_OK)
        status = oto_language_create_from(&language, &parts, b->alphabet, &b->language, err);
    oto_language_destroy(language);
    return status;
}

static int save(const struct oto_model_set *set, struct oto_bundle *b, const char *path,
                const char *out)
{
    oto_error err = {0};
    const int code = set_margin(b, set);
    if (code != OTO_EXIT_OK)
        return code;
    if (set_grammar(b, set->grammar, &err) != OTO_OK)
        return oto_cli_fail(&err, set->grammar);
    if (set_lexicon(b, set->lexicon, &err) != OTO_OK)
        return oto_cli_fail(&err, set->lexicon);
    if (set_lm(b, set->lm, &err) != OTO_OK)
        return oto_cli_fail(&err, set->lm);
    if (oto_cli_set_lstm(b, set->rescore, &err) != OTO_OK)
        return oto_cli_fail(&err, set->rescore);
    if (set->statistics[0] != 0 && oto_cli_set_statistics(b, set->statistics, &err) != OTO_OK)
        return oto_cli_fail(&err, set->statistics);
    if (set_priors(b, path, set->priors, &err) != OTO_OK)
        return oto_cli_fail(&err, set->priors);
    if (set_second(b, set->second, &err) != OTO_OK)
        return oto_cli_fail(&err, set->second);
    const int n_weights = set_given(oto_language_option_table, oto_language_n_options, &b->language,
                                    &set->language, set);
    if (n_weights > 0 && b->lm == NULL)
        return oto_cli_usage_error("model",
                                   "set: %s has no language model that weights could go "
                                   "with; give one with --lm=FILE",
                                   path);
    const int code_rescoring = set_rescoring(b, set, path);
    if (code_rescoring != OTO_EXIT_OK)
        return code_rescoring;
    (void)set_given(oto_beam_option_table, oto_beam_n_options, &b->beam, &set->beam, set);
    if (check_search(b, &err) != OTO_OK)
        return oto_cli_fail(&err, set->lm);
    return oto_cli_save_model(b, out);
}

int oto_cli_set_search(const struct oto_model_set *set, const char *in, const char *out)
{
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(in, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    code = save(set, bundle, path, out);
    oto_bundle_destroy(bundle);
    return code;
}
