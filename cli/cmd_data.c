/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith data: corpora looked at, checked, cut and turned into one another. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/data.h"
#include "training/corpus_measure.h"

static const char *const format_names[] = {"text", "json", NULL};
static const char *const path_names[] = {"auto", "relative", "absolute", NULL};
static const char *const bad_lines_names[] = {"error", "skip", NULL};
static const char *const case_names[] = {"keep", "lower", "upper", NULL};
static const char *const punctuation_names[] = {"keep", "strip", NULL};
static const char *const by_names[] = {"speaker", "utterance", NULL};

#define FIELD(f) .offset = offsetof(struct oto_data_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "text",
     .choices = format_names, .help = "How check and stats print."},
    {.name = "corpus-format", .type = OTO_OPTION_CHOICE, FIELD(corpus_format), .default_text = "auto",
     .choices = oto_corpus_format_names, .help = "Format of inputs without one before their name; auto finds it."},
    {.name = "to", .type = OTO_OPTION_CHOICE, FIELD(to), .default_text = "auto", .choices = oto_corpus_format_names,
     .help = "Format that convert and split write: tsv, csv, jsonl or kaldi; auto goes by the output's name, split writes tsv."},
    {.name = "paths", .type = OTO_OPTION_CHOICE, FIELD(paths), .default_text = "auto", .choices = path_names,
     .help = "How audio is named in what is written; auto is relative for what lies below the output's folder, but "
             "absolute for kaldi."},
    {.name = "bad-lines", .type = OTO_OPTION_CHOICE, FIELD(bad_lines), .default_text = "error", .choices = bad_lines_names,
     .help = "What stats, convert and split do about lines that cannot be used, after listing them."},
    {.name = "case", .type = OTO_OPTION_CHOICE, FIELD(letter_case), .default_text = "lower", .choices = case_names,
     .help = "Letter case in which check and stats take texts, as train does."},
    {.name = "punctuation", .type = OTO_OPTION_CHOICE, FIELD(punctuation), .default_text = "strip", .choices = punctuation_names,
     .help = "Whether they remove punctuation outside the alphabet."},
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "check: alphabet, text options and front end of this model."},
    {.name = "config", .short_name = 'c', .type = OTO_OPTION_TEXT, FIELD(config), .default_text = "", .argument = "FILE",
     .help = "check: those of this recipe."},
    {.name = "alphabet", .type = OTO_OPTION_TEXT, FIELD(alphabet), .default_text = "", .argument = "FILE",
     .help = "check: file with one symbol a line; without any alphabet all characters of the corpus."},
    {.name = "symbols", .type = OTO_OPTION_TEXT, FIELD(symbols), .default_text = "", .argument = "TEXT",
     .help = "check: the alphabet as one text of all its characters."},
    {.name = "tolerance", .type = OTO_OPTION_REAL, FIELD(tolerance_s), .default_text = "0.1", .min = 0, .max = 1e6, .argument = "S",
     .help = "check: seconds by which lengths may differ from what the manifest says."},
    {.name = "max-clipped", .type = OTO_OPTION_REAL, FIELD(max_clipped), .default_text = "0.001", .min = 0, .max = 1, .argument = "SHARE",
     .help = "check: share of clipped samples that is no problem."},
    {.name = "silence-db", .type = OTO_OPTION_REAL, FIELD(silence_db), .default_text = "-50", .min = -200, .max = 0, .argument = "DB",
     .help = "check: a recording whose loudest 20 ms are below that is silent; full scale is 0."},
    {.name = "shares", .type = OTO_OPTION_TEXT, FIELD(shares), .default_text = "80,10,10", .argument = "A,B,C",
     .help = "split: parts of the whole length for train, dev and test; 0 is no such set."},
    {.name = "by", .type = OTO_OPTION_CHOICE, FIELD(by), .default_text = "speaker", .choices = by_names,
     .help = "split: what is not parted."},
    {.name = "seed", .type = OTO_OPTION_U64, FIELD(seed), .default_text = "1", .help = "split: seed of the choice."},
    {.name = "jobs", .short_name = 'j', .type = OTO_OPTION_INT, FIELD(jobs), .default_text = "1", .min = 1, .max = 256,
     .help = "Recordings read at the same time."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "data",
    .synopsis = "  otolith data check [options] IN...\n"
                "  otolith data stats [options] IN...\n"
                "  otolith data convert [--to=FORMAT] IN... OUT\n"
                "  otolith data split [--shares=A,B,C] IN... FOLDER\n",
    .examples = "  otolith data check --symbols=\" 'abcdefghijklmnopqrstuvwxyz\" train.tsv\n"
                "  otolith data stats LibriSpeech/dev-clean\n"
                "  otolith data convert kaldi:data/train train.jsonl\n"
                "  otolith data split --shares=90,5,5 --seed=7 all.tsv sets\n",
    .notes =
        "IN is a manifest or a folder: tsv (id, path, seconds, speaker, text; start for parts of "
        "recordings), csv\n"
        "(DeepSpeech, Coqui), jsonl (NeMo), kaldi, commonvoice, ljspeech, librispeech, or a folder "
        "with a .txt\n"
        "beside each recording. kaldi:FOLDER forces a format. train and eval read all of them, "
        "too.\n\n"
        "check decodes every recording, encodes every text, and prints a line FILE:LINE: KIND: "
        "WHAT for each\n"
        "problem: what was found, what was expected, what to do. Exit code 1: there are problems. "
        "convert and\n"
        "split write manifests that refer to the audio; it is not copied.\n",
};

int oto_data_load(struct oto_corpus **out, const struct oto_data_options *o, const char **names,
                  int n, void (*fault)(void *arg, const struct oto_corpus_fault *fault), void *arg)
{
    const struct oto_corpus_options options = {.bad_lines = o->bad_lines,
                                               .max_messages = 20,
                                               .format = o->corpus_format,
                                               .fault = fault,
                                               .arg = arg};
    struct oto_writer list = {0};
    oto_error err = {0};
    for (int i = 0; i < n; i++) {
        if (i > 0)
            oto_write_u8(&list, ',');
        oto_write_bytes(&list, names[i], strlen(names[i]));
    }
    oto_write_u8(&list, 0);
    oto_status status = list.failed ? oto_fail_memory(&err, "manifests")
                                    : oto_corpus_load(out, (const char *)list.data, &options, &err);
    oto_writer_clear(&list);
    return status == OTO_OK ? OTO_EXIT_OK : oto_cli_fail(&err, NULL);
}

int oto_data_measure(struct oto_corpus *corpus, const struct oto_data_options *o)
{
    struct oto_pool *pool = NULL;
    oto_error err = {0}, first = {0};
    size_t n_unknown = 0;
    oto_status status = oto_pool_create(&pool, o->jobs, &err);
    if (status == OTO_OK)
        status = oto_corpus_measure(corpus, pool, &n_unknown, &first, &err);
    oto_pool_destroy(pool);
    if (status != OTO_OK)
        return oto_cli_fail(&err, NULL);
    if (n_unknown > 0)
        oto_cli_note("warning: the length of %zu utterance%s is not known%s%s", n_unknown,
                     n_unknown == 1 ? "" : "s", first.status != OTO_OK ? ": " : "", first.message);
    return OTO_EXIT_OK;
}

static int run_action(const struct oto_data_options *o, const char **operands, int n)
{
    static const struct {
        const char *name;
        int (*run)(const struct oto_data_options *, const char **, int);
        int n_names; /* at least */
        const char *needs;
    } actions[] = {
        {"check", oto_data_check, 1, "a corpus"},
        {"stats", oto_data_stats, 1, "a corpus"},
        {"convert", oto_data_convert, 2, "IN and OUT"},
        {"split", oto_data_split, 2, "IN and a FOLDER"},
    };
    for (size_t i = 0; n > 0 && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(operands[0], actions[i].name) != 0)
            continue;
        if (n - 1 < actions[i].n_names)
            return oto_cli_usage_error("data", "%s takes %s, found %d names", actions[i].name,
                                       actions[i].needs, n - 1);
        return actions[i].run(o, operands + 1, n - 1);
    }
    return oto_cli_usage_error("data", "check, stats, convert or split expected%s%s%s",
                               n > 0 ? ", found '" : "", n > 0 ? operands[0] : "",
                               n > 0 ? "'" : "");
}

static bool in_argv(const char *name, int argc, char **argv)
{
    return oto_options_in_argv(oto_options_find(option_table, N_OPTIONS, name), argc, argv);
}

int oto_cmd_data(int argc, char **argv)
{
    struct oto_data_options options = {0};
    const struct oto_option_group groups[] = {{"Options:", option_table, N_OPTIONS, &options}, {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **operands = oto_calloc((size_t)argc, sizeof *operands);
    if (operands == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n, &code)) {
        options.own_case = in_argv("case", argc, argv);
        options.own_punctuation = in_argv("punctuation", argc, argv);
        code = run_action(&options, operands, n);
    }
    oto_options_clear(option_table, N_OPTIONS, &options);
    oto_free(operands);
    return code;
}
