/* SPDX-License-Identifier: BSD-2-Clause */
/* Language models: the actions, and what they share. */
#include <string.h>

#include "base/atomic_file.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/lm.h"
#include "decoder/alphabet.h"

const char *const oto_lm_case_names[] = {"keep", "lower", "upper", NULL};
const char *const oto_lm_punctuation_names[] = {"keep", "strip", NULL};
const char *const oto_lm_bits_names[] = {"8", "0", NULL};

int oto_lm_bits_of(int choice)
{
    return choice == 0 ? 8 : 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} actions[] = {
    {"build", oto_cmd_lm_build}, {"train-lstm", oto_cmd_lm_train_lstm},
    {"query", oto_cmd_lm_query}, {"convert", oto_cmd_lm_convert},
    {"prune", oto_cmd_lm_prune}, {"interpolate", oto_cmd_lm_interpolate},
    {"tune", oto_cmd_lm_tune},   {"info", oto_cmd_lm_info},
};
#define N_ACTIONS (sizeof actions / sizeof actions[0])
#define ACTION_LIST "build, train-lstm, query, convert, prune, interpolate, tune or info"

static const struct oto_cli_usage usage = {
    .verb = "lm",
    .synopsis = "  otolith lm build [options] [TEXT...]\n"
                "  otolith lm train-lstm [options] -o FILE [TEXT...]\n"
                "  otolith lm query [options] LM [TEXT...]\n"
                "  otolith lm convert [options] LM OUT\n"
                "  otolith lm prune [options] LM OUT\n"
                "  otolith lm interpolate [options] LM LM...\n"
                "  otolith lm tune [options] --manifest=LIST\n"
                "  otolith lm info [options] LM...\n",
    .examples = "  otolith lm build --vocabulary=50000 --entropy=2e-8 -o en.otolm books.txt.xz\n"
                "  otolith lm query en.arpa.gz dev.txt\n"
                "  otolith lm convert en.arpa.gz en.otolm\n"
                "  otolith lm info en.otolm\n",
    .notes = "'otolith lm ACTION --help' shows the options of an action. LM is an ARPA file, plain "
             "or compressed by\n"
             "gzip or xz, or a binary of ours (NAME.otolm).\n",
};

/* ---- options ------------------------------------------------------------------------------ */

bool oto_lm_parse_options(const struct oto_cli_usage *use, const struct oto_option_group *groups,
                          int argc, char **argv, const char ***operands, int *n, int *code)
{
    oto_error err = {0};
    *operands = oto_calloc((size_t)argc, sizeof **operands);
    bool good = *operands != NULL;
    for (const struct oto_option_group *g = groups; good && g->table != NULL; g++)
        good = oto_options_init(g->table, g->n, g->dst, &err) == OTO_OK;
    if (!good) {
        oto_cli_error("out of memory (options)");
        *code = OTO_EXIT_SYSTEM;
        return false;
    }
    return oto_cli_parse(use, groups, argc, argv, *operands, n, code);
}

void oto_lm_clear_options(const struct oto_option_group *groups, const char **operands)
{
    for (const struct oto_option_group *g = groups; g->table != NULL; g++)
        oto_options_clear(g->table, g->n, g->dst);
    oto_free(operands);
}

/* ---- files ------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), n_end = strlen(end);
    return n >= n_end && strcmp(text + n - n_end, end) == 0;
}

bool oto_lm_output_kind(const char *path, bool *arpa)
{
    *arpa = strcmp(path, "-") == 0 || ends_with(path, ".arpa");
    if (*arpa || ends_with(path, ".otolm"))
        return true;
    oto_cli_usage_error("lm", "'%s': a name in .arpa or .otolm expected, or - for ARPA", path);
    return false;
}

static oto_status write_stdout(void *arg, const void *data, size_t n, oto_error *err)
{
    if (fwrite(data, 1, n, arg) != n)
        return oto_fail_errno(err, "standard output", "cannot write");
    return OTO_OK;
}

static oto_status write_file(void *arg, const void *data, size_t n, oto_error *err)
{
    return oto_atomic_write(arg, data, n, err);
}

static oto_status save_arpa(const struct oto_ngram *m, const char *path, oto_error *err)
{
    struct oto_atomic_file *file = NULL;
    if (strcmp(path, "-") == 0)
        return oto_ngram_write_arpa(m, &(struct oto_sink){write_stdout, stdout}, err);
    oto_status status = oto_atomic_open(&file, path, err);
    if (status != OTO_OK)
        return status;
    status = oto_ngram_write_arpa(m, &(struct oto_sink){write_file, file}, err);
    if (status == OTO_OK)
        return oto_atomic_commit(file, err);
    oto_atomic_abort(file);
    return status;
}

int oto_lm_save(const struct oto_ngram *m, const char *path, int bits)
{
    oto_error err = {0};
    struct oto_writer image = {0};
    bool arpa;
    if (!oto_lm_output_kind(path, &arpa))
        return OTO_EXIT_USAGE;
    oto_status status =
        arpa ? save_arpa(m, path, &err) : oto_ngram_write_image(m, bits, &image, &err);
    if (status == OTO_OK && !arpa)
        status = oto_atomic_save(path, image.data, image.size, &err);
    oto_writer_clear(&image);
    if (status == OTO_OK)
        return OTO_EXIT_OK;
    int code = oto_cli_fail(&err, NULL);
    return status == OTO_ERR_NOT_FOUND ? OTO_EXIT_CANNOT_CREATE : code;
}

oto_status oto_lm_load_ngram(struct oto_ngram **out, const char *path, oto_error *err)
{
    struct oto_lm *lm = NULL;
    *out = NULL;
    oto_status status = oto_lm_open(&lm, path, err);
    if (status == OTO_OK)
        status = oto_ngram_from_lm(out, lm, err);
    oto_lm_close(lm);
    return status;
}

/* ---- text -------------------------------------------------------------------------------- */

oto_status oto_lm_next_sentence(struct oto_lines *in, const struct oto_text_policy *policy,
                                char **text, oto_error *err)
{
    char *line;
    size_t n;
    oto_error inner = {0};
    *text = NULL;
    oto_status status = oto_lines_next(in, &line, &n, err);
    if (status != OTO_OK || line == NULL)
        return status;
    if (strlen(line) != n)
        return oto_fail(err, OTO_ERR_DATA, "%s:%zu: NUL byte, expected text", oto_lines_name(in),
                        oto_lines_number(in));
    status = oto_text_normalise(text, line, policy, NULL, &inner);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s:%zu: %s", oto_lines_name(in), oto_lines_number(in),
                        inner.message);
    return OTO_OK;
}

const char *oto_lm_next_word(const char **at, size_t *n)
{
    const char *start = *at + strspn(*at, " \t\r\v\f");
    *n = strcspn(start, " \t\r\v\f");
    *at = start + *n;
    return *n > 0 ? start : NULL;
}

/* ---- dispatch ---------------------------------------------------------------------------- */

int oto_cmd_lm(int argc, char **argv)
{
    if (argc < 2)
        return oto_cli_usage_error("lm", ACTION_LIST " expected");
    for (size_t i = 0; i < N_ACTIONS; i++) {
        if (strcmp(argv[1], actions[i].name) == 0)
            return actions[i].run(argc - 1, argv + 1);
    }
    const struct oto_option_group none[] = {{0}};
    const char *operands[2] = {NULL, NULL};
    char *first[] = {argv[0], argv[1], NULL};
    int n = 0, code = OTO_EXIT_OK;
    if (oto_cli_parse(&usage, none, 2, first, operands, &n, &code))
        code = oto_cli_usage_error("lm", ACTION_LIST " expected, found '%s'", argv[1]);
    return code;
}
