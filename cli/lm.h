/* SPDX-License-Identifier: BSD-2-Clause */
/** The actions of `otolith lm`, one cli/cmd_lm_NAME.c each, and what they share. argv[0] is the
 * action; the result is an exit code of cli/common.h. */
#ifndef OTO_CLI_LM_H
#define OTO_CLI_LM_H

#include "cli/common.h"
#include "decoder/alphabet.h"
#include "decoder/lm.h"
#include "decoder/ngram.h"

int oto_cmd_lm_build(int argc, char **argv);
int oto_cmd_lm_train_lstm(int argc, char **argv);
int oto_cmd_lm_query(int argc, char **argv);
int oto_cmd_lm_convert(int argc, char **argv);
int oto_cmd_lm_prune(int argc, char **argv);
int oto_cmd_lm_interpolate(int argc, char **argv);
int oto_cmd_lm_tune(int argc, char **argv);
int oto_cmd_lm_info(int argc, char **argv);

/** Defaults, then oto_cli_parse(). False when *code says how to end. Call oto_lm_clear_options() in
 * every case. */
bool oto_lm_parse_options(const struct oto_cli_usage *usage, const struct oto_option_group *groups,
                          int argc, char **argv, const char ***operands, int *n, int *code);
void oto_lm_clear_options(const struct oto_option_group *groups, const char **operands);

/** "keep", "lower", "upper" and "keep", "strip", as in oto_text_policy. */
extern const char *const oto_lm_case_names[];
extern const char *const oto_lm_punctuation_names[];
/** "8", "0": bits of a number in binaries, by oto_lm_bits_of() of the choice. */
extern const char *const oto_lm_bits_names[];
int oto_lm_bits_of(int choice);

/** Whether a model is written as ARPA (NAME.arpa and "-") or binary (NAME.otolm). False with a
 * message for any other name. */
bool oto_lm_output_kind(const char *path, bool *arpa);
/** Writes ARPA or binary, by name; an exit code, told why on failure. */
int oto_lm_save(const struct oto_ngram *m, const char *path, int bits);
/** Reads ARPA or binary. */
oto_status oto_lm_load_ngram(struct oto_ngram **out, const char *path,
                             oto_error *err) OTO_WARN_UNUSED;

/** What a query summed up, over all sentences. */
struct oto_lm_totals {
    double log_p, log_p_unknown; /* to base 10, of all; of unknown words alone */
    size_t n_unknown, n_sentences;
    size_t n_tokens; /* words and ends of sentences */
};
/** Prints the perplexity; an exit code, that of a failure where there was no text. */
int oto_lm_finish_query(const struct oto_lm_totals *t);
/** The query of an LSTM language model (cmd_lm_query_lstm.c). */
int oto_lm_query_lstm(const char *path, const char **texts, int n_texts,
                      const struct oto_text_policy *policy, bool summary);

/** Next line of a text, normalised, without invalid UTF-8; *text is NULL at the end and freed with
 * oto_free(). */
oto_status oto_lm_next_sentence(struct oto_lines *in, const struct oto_text_policy *policy,
                                char **text, oto_error *err) OTO_WARN_UNUSED;
/** Next word at *at, which moves behind it; NULL at the end. Words are what white space parts. */
const char *oto_lm_next_word(const char **at, size_t *n);

#endif
