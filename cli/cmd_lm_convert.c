/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models from one form to the other, and what is in them. */
#include "cli/common.h"
#include "cli/json.h"
#include "cli/lm.h"
#include "models/lstm_lm.h"

static const char *const format_names[] = {"text", "json", NULL};

struct convert_options {
    int bits;
};

struct info_options {
    int format;
};

/* clang-format off */
static const struct oto_option convert_table[] = {
    {.name = "bits", .short_name = 'b', .type = OTO_OPTION_CHOICE, .offset = offsetof(struct convert_options, bits),
     .default_text = "8", .choices = oto_lm_bits_names,
     .help = "Bits of a probability or back-off in a binary; 0 stores floats, which changes nothing and takes more space."},
};
static const struct oto_option info_table[] = {
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, .offset = offsetof(struct info_options, format),
     .default_text = "text", .choices = format_names, .help = "What is printed."},
};
/* clang-format on */

static const struct oto_cli_usage convert_usage = {
    .verb = "lm",
    .synopsis = "  otolith lm convert [options] LM OUT\n",
    .examples = "  otolith lm convert en.arpa.gz en.otolm\n"
                "  otolith lm convert --bits=0 en.arpa en.otolm      # exactly the same numbers\n"
                "  otolith lm convert en.otolm - | less\n",
    .notes = "OUT is NAME.otolm (binary), NAME.arpa, or - for ARPA on standard output.\n",
};

static const struct oto_cli_usage info_usage = {
    .verb = "lm",
    .synopsis = "  otolith lm info [options] LM...\n",
    .examples = "  otolith lm info en.otolm\n"
                "  otolith lm info --format=json en.otolm | jq .ngrams\n",
    .notes = NULL,
};

static int run_convert(const struct convert_options *o, const char **operands, int n)
{
    struct oto_ngram *m = NULL;
    oto_error err = {0};
    bool arpa;
    if (n != 2)
        return oto_cli_usage_error("lm", "convert takes LM and OUT, found %d names", n);
    if (!oto_lm_output_kind(operands[1], &arpa))
        return OTO_EXIT_USAGE;
    if (oto_lm_load_ngram(&m, operands[0], &err) != OTO_OK)
        return oto_cli_fail(&err, operands[0]);
    int code = oto_lm_save(m, operands[1], oto_lm_bits_of(o->bits));
    oto_ngram_destroy(m);
    return code;
}

int oto_cmd_lm_convert(int argc, char **argv)
{
    struct convert_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", convert_table, sizeof convert_table / sizeof convert_table[0], &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&convert_usage, groups, argc, argv, &operands, &n, &code))
        code = run_convert(&options, operands, n);
    oto_lm_clear_options(groups, operands);
    return code;
}

static void print_json(const char *path, const struct oto_lm *lm)
{
    printf("{\"v\":1,\"file\":");
    oto_json_text(stdout, path);
    printf(",\"order\":%d,\"words\":%u,\"ngrams\":[", oto_lm_order(lm), oto_lm_n_words(lm));
    for (int k = 1; k <= oto_lm_order(lm); k++)
        printf("%s%zu", k > 1 ? "," : "", oto_lm_n_ngrams(lm, k));
    printf("],\"bits\":%d,\"bytes\":%zu}\n", oto_lm_bits(lm), oto_lm_size(lm));
}

static void print_text(const char *path, const struct oto_lm *lm)
{
    printf("%s\n  order         %d\n  words         %u\n", path, oto_lm_order(lm),
           oto_lm_n_words(lm));
    for (int k = 1; k <= oto_lm_order(lm); k++)
        printf("  %d-grams       %zu\n", k, oto_lm_n_ngrams(lm, k));
    printf("  numbers       %s\n  as binary     %zu bytes\n",
           oto_lm_bits(lm) == 8 ? "8 bits" : "float", oto_lm_size(lm));
}

static int run_info_lstm(const struct info_options *o, const char *path)
{
    struct oto_lstm_lm *lm = NULL;
    oto_error err = {0};
    if (oto_lstm_lm_load(&lm, path, &err) != OTO_OK)
        return oto_cli_fail(&err, path);
    const struct oto_word_shape *s = &lm->shape;
    const bool quantized = lm->stored == OTO_LSTM_I8;
    if (o->format == 1) {
        printf("{\"v\":1,\"file\":");
        oto_json_text(stdout, path);
        printf(",\"words\":%d,\"classes\":%d,\"layers\":%d,\"hidden\":%d,\"embedding\":%d,"
               "\"unknown\":%llu,\"parameters\":%zu,\"bits\":%d,\"bytes\":%zu}\n",
               s->n_words, s->n_classes, s->n_layers, s->n_hidden, s->n_embed,
               (unsigned long long)lm->n_unknown, oto_word_n_parameters(s), quantized ? 8 : 0,
               lm->file_size);
    } else {
        printf("%s\n  network       %d x LSTM of %d units, words of %d numbers\n"
               "  parameters    %zu\n  words         %d\n  classes       %d\n"
               "  left out      %llu different words\n  numbers       %s\n"
               "  file          %zu bytes\n",
               path, s->n_layers, s->n_hidden, s->n_embed, oto_word_n_parameters(s), s->n_words,
               s->n_classes, (unsigned long long)lm->n_unknown, quantized ? "8 bits" : "float",
               lm->file_size);
    }
    oto_lstm_lm_destroy(lm);
    return OTO_EXIT_OK;
}

static int run_info(const struct info_options *o, const char *path)
{
    struct oto_lm *lm = NULL;
    oto_error err = {0};
    if (oto_lstm_lm_is_file(path))
        return run_info_lstm(o, path);
    if (oto_lm_open(&lm, path, &err) != OTO_OK)
        return oto_cli_fail(&err, path);
    if (o->format == 1)
        print_json(path, lm);
    else
        print_text(path, lm);
    oto_lm_close(lm);
    return OTO_EXIT_OK;
}

int oto_cmd_lm_info(int argc, char **argv)
{
    struct info_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", info_table, sizeof info_table / sizeof info_table[0], &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&info_usage, groups, argc, argv, &operands, &n, &code)) {
        if (n == 0)
            code = oto_cli_usage_error("lm", "info takes language models");
        for (int i = 0; code == OTO_EXIT_OK && i < n; i++)
            code = run_info(&options, operands[i]);
    }
    oto_lm_clear_options(groups, operands);
    return code;
}
