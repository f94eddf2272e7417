/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/decoding.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/status.h"
#include "cli/common.h"

#define FIELD(f) .offset = offsetof(struct oto_cli_decoding, f)
/* clang-format off */
const struct oto_option oto_cli_decoding_table[] = {
    {.name = "beam", .short_name = 'b', .type = OTO_OPTION_INT, FIELD(beam), .default_text = "0", .min = 0, .max = 10000,
     .help = "Prefixes kept in the search; 1 is greedy unless words are scored, 0 the model's own choice."},
    {.name = "grammar", .type = OTO_OPTION_TEXT, FIELD(grammar), .default_text = "", .argument = "FILE",
     .help = "Grammar of a command task (JSGF): only its sentences are written, or nothing; 'none' for none. Else the model's, if it has one."},
    {.name = "lexicon", .type = OTO_OPTION_TEXT, FIELD(lexicon), .default_text = "", .argument = "FILE",
     .help = "Word list, one a line: only these words are written; 'none' for any text. Else the model's, if it has one."},
    {.name = "lm", .type = OTO_OPTION_TEXT, FIELD(lm), .default_text = "", .argument = "FILE",
     .help = "Language model of words: ARPA, binary, or that of a model file; words it does not know may be written unless --lexicon confines them. "
             "'none' for none. Else the model's, if it has one."},
    {.name = "lm-weight", .type = OTO_OPTION_REAL, FIELD(lm_weight), .default_text = "nan", .min = 0, .max = 100, .argument = "W",
     .help = "Weight of the language model's log-probabilities against the network's. Else the model's, or 0.5."},
    {.name = "word-bonus", .type = OTO_OPTION_REAL, FIELD(word_bonus), .default_text = "nan", .min = -100, .max = 100, .argument = "LOG",
     .help = "Added for each word, natural log: a language model alone prefers few words. Else the model's, or 1.5."},
    {.name = "unknown-weight", .type = OTO_OPTION_REAL, FIELD(unknown_weight), .default_text = "nan", .min = -1000, .max = 0,
     .argument = "LOG", .help = "Added for each character of a word the language model does not know, natural log. Else the model's, or -2."},
    {.name = "prior-scale", .type = OTO_OPTION_REAL, FIELD(prior_scale), .default_text = "nan", .min = 0, .max = 2, .argument = "X",
     .help = "With a language model: how much of what the network writes on average, whatever is said, is taken out of its "
             "probabilities; 0 is nothing, 1 all. Else the model's, or 0."},
    {.name = "words", .type = OTO_OPTION_TEXT, FIELD(words), .default_text = "", .argument = "FILE",
     .help = "Words that may be written besides those of lexicon and language model: one a line, maybe a tab and the natural log "
             "of its part of the probability of unknown words (else -9)."},
    {.name = "hot-words", .type = OTO_OPTION_TEXT, FIELD(hot_words), .default_text = "", .argument = "FILE",
     .help = "Words and phrases to listen for, such as names: one a line, maybe a tab and its boost, natural log."},
    {.name = "hot-word", .type = OTO_OPTION_TEXT, FIELD(hot_word), .default_text = "", .argument = "PHRASE[:BOOST],...",
     .help = "The same on the command line, separated by commas."},
    {.name = "hot-word-boost", .type = OTO_OPTION_REAL, FIELD(hot_word_boost), .default_text = "6", .min = -100, .max = 100,
     .argument = "LOG", .help = "Boost of hot words that have none of their own, natural log."},
    {.name = "rescore", .type = OTO_OPTION_TEXT, FIELD(rescore), .default_text = "", .argument = "FILE",
     .help = "A second pass: an LSTM language model ('otolith lm train-lstm', or a model file's) that puts the best texts in a new order; 'none' for none. "
             "Else the model's, if it has one, unless --lm=none or --beam=1 is given."},
    {.name = "rescore-weight", .type = OTO_OPTION_REAL, FIELD(rescore_weight), .default_text = "nan", .min = 0, .max = 10, .argument = "W",
     .help = "How much it counts: 0 changes nothing, 1 puts it in the place of the language model of the first pass. Else the model's, or 0.5."},
    {.name = "rescore-best", .type = OTO_OPTION_INT, FIELD(rescore_best), .default_text = "0", .min = 0, .max = 10000, .argument = "N",
     .help = "Texts that it looks at, the best of the first pass; 0 is the model's own choice, or all that the beam holds."},
    {.name = "second-weight", .type = OTO_OPTION_REAL, FIELD(second_weight), .default_text = "nan", .min = 0, .max = 1, .argument = "W",
     .help = "Share of the model's second network, if it has one, in what is heard of these texts; 0 leaves it out. Else the model's."},
};
/* clang-format on */
const size_t oto_cli_n_decoding = sizeof oto_cli_decoding_table / sizeof *oto_cli_decoding_table;

/* Cuts d->list, which is written to, into d->phrases. */
static oto_status split_hot_words(struct oto_cli_decoding *d, oto_error *err)
{
    static const struct oto_option number = {.name = "boost", .type = OTO_OPTION_REAL};
    size_t n = 1;
    for (const char *s = d->hot_word; *s; s++)
        n += *s == ',';
    d->phrases = oto_calloc(n, sizeof *d->phrases);
    d->list = oto_strdup(d->hot_word);
    if (d->phrases == NULL || d->list == NULL)
        return oto_fail_memory(err, "hot words");
    for (char *text = d->list; text != NULL;) {
        char *next = strchr(text, ',');
        if (next != NULL)
            *next++ = '\0';
        oto_hot_word *word = &d->phrases[d->n_phrases++];
        *word = (oto_hot_word){text, (double)NAN};
        char *colon = strrchr(text, ':');
        if (colon != NULL) {
            *colon = '\0';
            if (oto_options_set(&number, 1, &word->boost, "boost", colon + 1, NULL) != OTO_OK)
                return oto_fail(err, OTO_ERR_CONFIG,
                                "--hot-word: \"%.60s\": found \"%.40s\", expected a number after "
                                "the colon",
                                text, colon + 1);
        }
        text = next;
    }
    return OTO_OK;
}

bool oto_cli_prepare_decoding(struct oto_cli_decoding *d, int *code)
{
    oto_error err = {0};
    if (d->hot_word[0] == 0 || split_hot_words(d, &err) == OTO_OK)
        return true;
    oto_cli_error("%s", err.message);
    *code = err.status == OTO_ERR_CONFIG ? OTO_EXIT_USAGE : OTO_EXIT_SYSTEM;
    return false;
}

void oto_cli_set_decoding(oto_recognizer_options *options, const struct oto_cli_decoding *d)
{
    options->beam = d->beam;
    options->grammar = d->grammar;
    options->lexicon = d->lexicon;
    options->lm = d->lm;
    options->lm_weight = d->lm_weight;
    options->word_bonus = d->word_bonus;
    options->unknown_weight = d->unknown_weight;
    options->prior_scale = d->prior_scale;
    options->more_words = d->words;
    options->hot_words = d->phrases;
    options->n_hot_words = d->n_phrases;
    options->hot_words_file = d->hot_words;
    options->hot_word_boost = d->hot_word_boost;
    options->rescore = d->rescore;
    options->rescore_weight = d->rescore_weight;
    options->rescore_best = d->rescore_best;
    options->second_weight = d->second_weight;
}

void oto_cli_clear_decoding(struct oto_cli_decoding *d)
{
    oto_options_clear(oto_cli_decoding_table, oto_cli_n_decoding, d);
    oto_free(d->phrases);
    oto_free(d->list);
    d->phrases = NULL;
    d->n_phrases = 0;
    d->list = NULL;
}

const char *oto_cli_decoding_file(const struct oto_cli_decoding *d, const oto_error *err)
{
    const char *const files[] = {d->grammar, d->lexicon, d->words, d->hot_words, d->rescore};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i][0] != 0 && strncmp(err->message, files[i], strlen(files[i])) == 0)
            return files[i];
    return d->lm;
}

oto_model *oto_cli_open_model(const char *name, char *path, size_t capacity, int *code)
{
    oto_error err = {0};
    oto_model *model = NULL;
    if (oto_model_find(name, path, capacity, &err) != OTO_OK)
        *code = oto_cli_fail(&err, NULL);
    else if (oto_model_load(&model, path, &err) != OTO_OK)
        *code = oto_cli_fail(&err, path);
    return model;
}
