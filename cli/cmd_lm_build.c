/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models estimated from text. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/lm.h"
#include "cli/progress.h"
#include "decoder/ngram_build.h"

struct build_options {
    char *output, *prune, *folder;
    int order, vocabulary, memory_mb, bits, letter_case, punctuation;
    double entropy;
};

#define FIELD(f) .offset = offsetof(struct build_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "output", .short_name = 'o', .type = OTO_OPTION_TEXT, FIELD(output), .default_text = "-", .argument = "FILE",
     .help = "NAME.otolm (binary), NAME.arpa, or - for ARPA on standard output."},
    {.name = "order", .short_name = 'n', .type = OTO_OPTION_INT, FIELD(order), .default_text = "3", .min = 1,
     .max = OTO_LM_MAX_ORDER, .help = "Words of the longest n-grams."},
    {.name = "vocabulary", .type = OTO_OPTION_INT, FIELD(vocabulary), .default_text = "0", .min = 0, .max = 1 << 30,
     .help = "Keep so many words, the most frequent; the others become <unk>. 0 keeps all."},
    {.name = "prune", .type = OTO_OPTION_TEXT, FIELD(prune), .default_text = "0", .argument = "N,N,...",
     .help = "For each order leave out n-grams seen no more than N times; the last N is for all higher orders, the first is 0."},
    {.name = "entropy", .type = OTO_OPTION_REAL, FIELD(entropy), .default_text = "0", .min = 0, .max = 1, .argument = "X",
     .help = "Leave out n-grams that change the perplexity by a factor below 1 + X; 1e-8 is little, 1e-6 much."},
    {.name = "bits", .short_name = 'b', .type = OTO_OPTION_CHOICE, FIELD(bits), .default_text = "8", .choices = oto_lm_bits_names,
     .help = "Bits of a probability or back-off in a binary; 0 stores floats."},
    {.name = "case", .type = OTO_OPTION_CHOICE, FIELD(letter_case), .default_text = "lower", .choices = oto_lm_case_names,
     .help = "Letter case that the text is brought to, as in training."},
    {.name = "punctuation", .type = OTO_OPTION_CHOICE, FIELD(punctuation), .default_text = "strip",
     .choices = oto_lm_punctuation_names, .help = "Whether punctuation but the apostrophe is removed, as in training."},
    {.name = "memory", .type = OTO_OPTION_INT, FIELD(memory_mb), .default_text = "1024", .min = 1, .max = 1 << 20, .argument = "MIB",
     .help = "Memory for counting; what exceeds it is sorted in files. Vocabulary and finished model are held besides."},
    {.name = "folder", .type = OTO_OPTION_TEXT, FIELD(folder), .default_text = "", .argument = "FOLDER",
     .help = "Where temporary files go; none is TMPDIR, or /tmp."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "lm",
    .synopsis = "  otolith lm build [options] [TEXT...]\n",
    .examples = "  otolith lm build -o en.otolm books.txt.xz\n"
                "  otolith lm build --order=4 --prune=0,0,1 --vocabulary=50000 -o en.arpa *.txt\n"
                "  otolith lm build --entropy=2e-8 --vocabulary=50000 -o en.otolm books.txt.xz\n",
    .notes =
        "TEXT holds one sentence a line, plain or compressed; - or none is standard input. The "
        "estimate is\n"
        "modified Kneser-Ney; the same text gives the same model, whatever the memory.\n",
};

/* "0,1,2" to numbers; the last is repeated. */
static bool parse_prune(const char *text, int order, uint32_t prune[OTO_LM_MAX_ORDER])
{
    const char *at = text;
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++) {
        char *end = NULL;
        if (*at == 0) {
            prune[k] = prune[k - 1];
            continue;
        }
        unsigned long v = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;
        if (end == NULL || v > 1000000 || (*end != 0 && (*end != ',' || end[1] == 0)) ||
            (k == 0 && v != 0) || (k > 0 && v < prune[k - 1]) || k >= order) {
            oto_cli_usage_error("lm",
                                "option --prune: found '%s', expected up to %d numbers with commas "
                                "between, the first 0, none below the one before",
                                text, order);
            return false;
        }
        prune[k] = (uint32_t)v;
        at = *end == ',' ? end + 1 : end;
    }
    return true;
}

static oto_status add_text(struct oto_ngram_builder *b, struct oto_progress *progress,
                           const struct oto_text_policy *policy, const char *path, oto_error *err)
{
    struct oto_lines *in = NULL;
    char *text = NULL;
    oto_status status = oto_lines_open(&in, path, err);
    while (status == OTO_OK) {
        status = oto_lm_next_sentence(in, policy, &text, err);
        if (status != OTO_OK || text == NULL)
            break;
        status = oto_ngram_builder_add(b, text, err);
        oto_free(text);
        const double done = oto_lines_progress(in);
        if (done >= 0)
            oto_progress_show(progress, "%s: %.0f %%", path, 100 * done);
        else
            oto_progress_show(progress, "%s: %zu lines", path, oto_lines_number(in));
    }
    oto_lines_close(in);
    return status;
}

static void show_stage(void *arg, const char *what)
{
    oto_progress_show(arg, "%s", what);
}

static void print_report(const struct oto_ngram_build_report *r, const struct oto_ngram *m)
{
    oto_cli_note("%llu sentences, %llu words, %u different ones, %llu become <unk>",
                 (unsigned long long)r->n_sentences, (unsigned long long)r->n_tokens, r->n_types,
                 (unsigned long long)r->n_unknown);
    for (int k = 0; k < m->order; k++) {
        const double *d = r->discounts[k];
        oto_cli_note("%d-grams: %zu of %zu; discounts %.3f %.3f %.3f%s", k + 1, m->levels[k].n,
                     k == 0 ? m->levels[0].n : r->n_counted[k], d[0], d[1], d[2],
                     r->fallback[k] ? " (too little text to estimate them)" : "");
    }
}

static int run_build(const struct build_options *o, const char **operands, int n)
{
    struct oto_ngram_builder *b = NULL;
    struct oto_ngram *m = NULL;
    struct oto_ngram_build_report report;
    struct oto_progress progress;
    oto_error err = {0};
    bool arpa;
    const char *standard_input[] = {"-"};
    const char *tmp = getenv("TMPDIR");
    const struct oto_text_policy policy = {o->letter_case, o->punctuation};
    struct oto_ngram_build_options options = {.order = o->order,
                                              .vocabulary = (uint32_t)o->vocabulary,
                                              .entropy = o->entropy,
                                              .memory = (size_t)o->memory_mb << 20,
                                              .folder = o->folder[0] != 0            ? o->folder
                                                        : tmp != NULL && tmp[0] != 0 ? tmp
                                                                                     : "/tmp"};
    if (!oto_lm_output_kind(o->output, &arpa) || !parse_prune(o->prune, o->order, options.prune))
        return OTO_EXIT_USAGE;
    if (n == 0) {
        operands = standard_input;
        n = 1;
    }
    const char *path = NULL;
    oto_progress_init(&progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    oto_status status = oto_ngram_builder_create(&b, &options, &err);
    for (int i = 0; status == OTO_OK && i < n; i++)
        status = add_text(b, &progress, &policy, path = operands[i], &err);
    if (status == OTO_OK)
        status = oto_ngram_builder_finish(b, &m, &report, show_stage, &progress, &err);
    oto_progress_end(&progress);
    int code = OTO_EXIT_OK;
    if (status != OTO_OK) {
        code = oto_cli_fail(&err, path);
    } else {
        print_report(&report, m);
        code = oto_lm_save(m, o->output, oto_lm_bits_of(o->bits));
    }
    oto_ngram_destroy(m);
    oto_ngram_builder_destroy(b);
    return code;
}

int oto_cmd_lm_build(int argc, char **argv)
{
    struct build_options options = {0};
    const struct oto_option_group groups[] = {{"Options:", option_table, N_OPTIONS, &options}, {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&usage, groups, argc, argv, &operands, &n, &code))
        code = run_build(&options, operands, n);
    oto_lm_clear_options(groups, operands);
    return code;
}
