/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models made from others: pruned, and mixed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/lm.h"
#include "decoder/ngram_build.h"
#include "decoder/ngram_mix.h"

struct prune_options {
    double entropy;
    int bits;
};

struct mix_options {
    char *output, *weights, *tune;
    int bits, letter_case, punctuation;
};

#define PRUNE(f) .offset = offsetof(struct prune_options, f)
#define MIX(f) .offset = offsetof(struct mix_options, f)
#define BITS_HELP "Bits of a probability or back-off in a binary; 0 stores floats."
/* clang-format off */
static const struct oto_option prune_table[] = {
    {.name = "entropy", .type = OTO_OPTION_REAL, PRUNE(entropy), .default_text = "1e-8", .min = 0, .max = 1, .argument = "X",
     .help = "Leave out n-grams that change the perplexity by a factor below 1 + X; 1e-8 is little, 1e-6 much."},
    {.name = "bits", .short_name = 'b', .type = OTO_OPTION_CHOICE, PRUNE(bits), .default_text = "8", .choices = oto_lm_bits_names,
     .help = BITS_HELP},
};
static const struct oto_option mix_table[] = {
    {.name = "output", .short_name = 'o', .type = OTO_OPTION_TEXT, MIX(output), .default_text = "-", .argument = "FILE",
     .help = "NAME.otolm (binary), NAME.arpa, or - for ARPA on standard output."},
    {.name = "weights", .short_name = 'w', .type = OTO_OPTION_TEXT, MIX(weights), .default_text = "", .argument = "W,W,...",
     .help = "One for each model, none negative; they are divided by their sum. None: all equal."},
    {.name = "tune", .short_name = 't', .type = OTO_OPTION_TEXT, MIX(tune), .default_text = "", .argument = "TEXT",
     .help = "Take the weights that make this text, one sentence a line, most probable."},
    {.name = "case", .type = OTO_OPTION_CHOICE, MIX(letter_case), .default_text = "keep", .choices = oto_lm_case_names,
     .help = "Letter case that the text of --tune is brought to."},
    {.name = "punctuation", .type = OTO_OPTION_CHOICE, MIX(punctuation), .default_text = "keep",
     .choices = oto_lm_punctuation_names, .help = "Whether punctuation but the apostrophe is removed from the text of --tune."},
    {.name = "bits", .short_name = 'b', .type = OTO_OPTION_CHOICE, MIX(bits), .default_text = "8", .choices = oto_lm_bits_names,
     .help = BITS_HELP},
};
/* clang-format on */

static const struct oto_cli_usage prune_usage = {
    .verb = "lm",
    .synopsis = "  otolith lm prune [options] LM OUT\n",
    .examples = "  otolith lm prune --entropy=1e-7 big.arpa.gz small.otolm\n",
    .notes = "OUT is NAME.otolm (binary), NAME.arpa, or - for ARPA on standard output. 'lm build "
             "--entropy' prunes\n"
             "a little better, because it still has the counts.\n",
};

static const struct oto_cli_usage mix_usage = {
    .verb = "lm",
    .synopsis = "  otolith lm interpolate [options] LM LM...\n",
    .examples =
        "  otolith lm interpolate --tune=dev.txt -o mixed.otolm general.otolm domain.arpa\n"
        "  otolith lm interpolate --weights=0.8,0.2 -o mixed.arpa general.arpa domain.arpa\n",
    .notes = "The result has the words and n-grams of all models, 2 to 8. Binaries with 8 bits can "
             "be mixed, too, but\n"
             "take them with --bits=0 where a result is to be exact.\n",
};

/* ---- prune ------------------------------------------------------------------------------- */

static int run_prune(const struct prune_options *o, const char **operands, int n)
{
    struct oto_ngram *m = NULL, *pruned = NULL;
    oto_error err = {0};
    bool arpa;
    if (n != 2)
        return oto_cli_usage_error("lm", "prune takes LM and OUT, found %d names", n);
    if (!oto_lm_output_kind(operands[1], &arpa))
        return OTO_EXIT_USAGE;
    oto_status status = oto_lm_load_ngram(&m, operands[0], &err);
    if (status == OTO_OK)
        status = oto_ngram_prune(&pruned, m, o->entropy, NULL, &err);
    int code = OTO_EXIT_OK;
    if (status != OTO_OK) {
        code = oto_cli_fail(&err, operands[0]);
    } else {
        for (int k = 0; k < m->order; k++)
            oto_cli_note("%d-grams: %zu of %zu", k + 1, pruned->levels[k].n, m->levels[k].n);
        code = oto_lm_save(pruned, operands[1], oto_lm_bits_of(o->bits));
    }
    oto_ngram_destroy(pruned);
    oto_ngram_destroy(m);
    return code;
}

int oto_cmd_lm_prune(int argc, char **argv)
{
    struct prune_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", prune_table, sizeof prune_table / sizeof prune_table[0], &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&prune_usage, groups, argc, argv, &operands, &n, &code))
        code = run_prune(&options, operands, n);
    oto_lm_clear_options(groups, operands);
    return code;
}

/* ---- interpolate ------------------------------------------------------------------------- */

static bool parse_weights(const char *text, double *weights, int n)
{
    double sum = 0;
    const char *at = text;
    for (int i = 0; i < n; i++) {
        struct one {
            double v;
        } one = {0};
        const struct oto_option table[] = {{.name = "weights",
                                            .type = OTO_OPTION_REAL,
                                            .offset = offsetof(struct one, v),
                                            .min = 0,
                                            .max = 1e6}};
        char number[40];
        const size_t length = strcspn(at, ",");
        snprintf(number, sizeof number, "%.*s", (int)(length < 39 ? length : 39), at);
        if (oto_options_set(table, 1, &one, "weights", number, NULL) != OTO_OK ||
            (i < n - 1) != (at[length] == ',')) {
            oto_cli_usage_error("lm",
                                "option --weights: found '%s', expected %d numbers, none "
                                "negative, with commas between",
                                text, n);
            return false;
        }
        weights[i] = one.v;
        sum += one.v;
        at += length + 1;
    }
    for (int i = 0; sum > 0 && i < n; i++)
        weights[i] /= sum;
    if (!(sum > 0))
        oto_cli_usage_error("lm", "option --weights: all are 0");
    return sum > 0;
}

struct tuning {
    struct oto_lm *lms[OTO_NGRAM_MAX_MIX];
    struct oto_lm_state states[OTO_NGRAM_MAX_MIX];
    int n;
    double *p; /* [n_tokens, n] */
    size_t n_tokens, capacity;
};

/* Words that no model knows say nothing about the weights, but move the states. */
static bool add_token(struct tuning *t, const char *word, size_t length)
{
    uint32_t numbers[OTO_NGRAM_MAX_MIX];
    bool known = false;
    if (t->n_tokens == t->capacity) {
        const size_t more = 2 * t->capacity + 1024;
        double *p = oto_realloc(t->p, t->capacity, more, (size_t)t->n * sizeof *p);
        if (p == NULL)
            return false;
        t->p = p;
        t->capacity = more;
    }
    for (int i = 0; i < t->n; i++) {
        numbers[i] = oto_lm_find(t->lms[i], word, length);
        known = known || numbers[i] != OTO_LM_UNKNOWN;
    }
    double *p = t->p + t->n_tokens * (size_t)t->n;
    for (int i = 0; i < t->n; i++) {
        const double log_p =
            oto_lm_score(t->lms[i], &t->states[i], &t->states[i], numbers[i], NULL);
        p[i] = numbers[i] == OTO_LM_UNKNOWN ? 0 : pow(10, log_p);
    }
    t->n_tokens += known;
    return true;
}

static oto_status tune_on_text(struct tuning *t, const struct mix_options *o, oto_error *err)
{
    const struct oto_text_policy policy = {o->letter_case, o->punctuation};
    struct oto_lines *in = NULL;
    char *text = NULL;
    oto_status status = oto_lines_open(&in, o->tune, err);
    while (status == OTO_OK) {
        status = oto_lm_next_sentence(in, &policy, &text, err);
        if (status != OTO_OK || text == NULL)
            break;
        const char *at = text, *word;
        size_t n;
        bool good = true;
        for (int i = 0; i < t->n; i++)
            oto_lm_start(t->lms[i], &t->states[i]);
        while (good && (word = oto_lm_next_word(&at, &n)) != NULL)
            good = add_token(t, word, n);
        if (!good || !add_token(t, "</s>", 4))
            status = oto_fail_memory(err, "text");
        oto_free(text);
    }
    oto_lines_close(in);
    if (status == OTO_OK && t->n_tokens == 0)
        return oto_fail(err, OTO_ERR_DATA, "%s: no word that a model knows", o->tune);
    return status;
}

static oto_status tune(double *weights, struct oto_ngram **models, int n,
                       const struct mix_options *o, oto_error *err)
{
    struct tuning t = {.n = n};
    oto_status status = OTO_OK;
    for (int i = 0; status == OTO_OK && i < n; i++)
        status = oto_lm_from_ngram(&t.lms[i], models[i], "model", err);
    if (status == OTO_OK)
        status = tune_on_text(&t, o, err);
    if (status == OTO_OK) {
        const double perplexity = oto_ngram_mix_weights(weights, t.p, t.n_tokens, n);
        oto_cli_note("%s: perplexity %.4f without unknown words, over %zu", o->tune, perplexity,
                     t.n_tokens);
    }
    for (int i = 0; i < n; i++)
        oto_lm_close(t.lms[i]);
    oto_free(t.p);
    return status;
}

static int run_mix(const struct mix_options *o, const char **operands, int n)
{
    struct oto_ngram *models[OTO_NGRAM_MAX_MIX] = {NULL}, *mixed = NULL;
    double weights[OTO_NGRAM_MAX_MIX];
    oto_error err = {0};
    const char *path = NULL;
    bool arpa;
    if (n < 2 || n > OTO_NGRAM_MAX_MIX)
        return oto_cli_usage_error("lm", "interpolate takes 2 to %d models, found %d",
                                   OTO_NGRAM_MAX_MIX, n);
    if (o->tune[0] != 0 && o->weights[0] != 0)
        return oto_cli_usage_error("lm", "--tune and --weights exclude each other");
    for (int i = 0; i < n; i++)
        weights[i] = 1.0 / n;
    if (!oto_lm_output_kind(o->output, &arpa) ||
        (o->weights[0] != 0 && !parse_weights(o->weights, weights, n)))
        return OTO_EXIT_USAGE;
    oto_status status = OTO_OK;
    for (int i = 0; status == OTO_OK && i < n; i++)
        status = oto_lm_load_ngram(&models[i], path = operands[i], &err);
    if (status == OTO_OK && o->tune[0] != 0)
        status = tune(weights, models, n, o, &err);
    for (int i = 0; status == OTO_OK && i < n; i++)
        oto_cli_note("%s: weight %.4f", operands[i], weights[i]);
    if (status == OTO_OK)
        status = oto_ngram_mix(&mixed, (const struct oto_ngram *const *)models, weights, n, &err);
    int code = status == OTO_OK ? oto_lm_save(mixed, o->output, oto_lm_bits_of(o->bits))
                                : oto_cli_fail(&err, path);
    oto_ngram_destroy(mixed);
    for (int i = 0; i < n; i++)
        oto_ngram_destroy(models[i]);
    return code;
}

int oto_cmd_lm_interpolate(int argc, char **argv)
{
    struct mix_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", mix_table, sizeof mix_table / sizeof mix_table[0], &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&mix_usage, groups, argc, argv, &operands, &n, &code))
        code = run_mix(&options, operands, n);
    oto_lm_clear_options(groups, operands);
    return code;
}
