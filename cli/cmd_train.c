/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith train: a recipe and manifests in, a model out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "training/trainer.h"

static const struct oto_cli_usage usage = {
    .verb = "train",
    .synopsis = "  otolith train [--config=RECIPE] --train=LIST [--dev=LIST] --out=DIR [options]\n"
                "  otolith train report DIR [--output=FILE]\n",
    .examples = "  otolith train --config=recipe.conf --train=train.tsv --dev=dev.tsv --out=run\n"
                "  otolith train --config=recipe.conf --train='real.tsv*2,more.tsv' --dev=dev.tsv "
                "--out=run --resume\n"
                "  otolith train report run\n",
    .notes = "A manifest is a text file with tab-separated columns and the header line\n"
             "  id path seconds speaker text\n"
             "(seconds and speaker may be missing); paths are relative to its folder. Other "
             "formats are those of\n"
             "'otolith help data'. A recipe holds lines 'option = value'; the command line comes "
             "before the\n"
             "environment, which comes before the recipe.\n"
             "Ctrl-C writes a checkpoint and ends with code 130; --resume goes on exactly there.\n",
};

struct config_options {
    char *config;
};
static const struct oto_option config_table[] = {
    {.name = "config",
     .short_name = 'c',
     .type = OTO_OPTION_TEXT,
     .offset = offsetof(struct config_options, config),
     .default_text = "",
     .argument = "FILE",
     .help = "Recipe: a file of options."},
};

struct all_options {
    struct config_options config;
    struct oto_train_options train;
    struct oto_frontend_options frontend;
    struct oto_beam_options beam;
};

enum { N_GROUPS = 4 };

/* Groups 1.. may stand in a recipe. */
static void make_groups(struct oto_option_group groups[N_GROUPS + 1], struct all_options *all)
{
    groups[0] = (struct oto_option_group){"Recipe", config_table, 1, &all->config};
    groups[1] = (struct oto_option_group){"Training", oto_train_option_table, oto_train_n_options,
                                          &all->train};
    groups[2] = (struct oto_option_group){"Features", oto_frontend_option_table,
                                          oto_frontend_n_options, &all->frontend};
    groups[3] = (struct oto_option_group){"Decoder, kept in the model", oto_beam_option_table,
                                          oto_beam_n_options, &all->beam};
    groups[4] = (struct oto_option_group){0};
}

static void clear_all(struct oto_option_group groups[N_GROUPS + 1])
{
    for (int g = 0; g < N_GROUPS; g++)
        oto_options_clear(groups[g].table, groups[g].n, groups[g].dst);
}

static oto_status init_all(struct oto_option_group groups[N_GROUPS + 1], struct all_options *all,
                           oto_error *err)
{
    memset(all, 0, sizeof *all);
    for (int g = 0; g < N_GROUPS; g++) {
        oto_status status = oto_options_init(groups[g].table, groups[g].n, groups[g].dst, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

/*
 * The command line is read twice: first to find --config, then over the recipe, so that flags win
 * over the environment and the environment over the recipe. False when *code says how to end.
 */
static bool read_options(struct oto_option_group groups[N_GROUPS + 1], struct all_options *all,
                         int argc, char **argv, int *code)
{
    const char **operands = calloc((size_t)argc + 1, sizeof *operands);
    int n_operands = 0;
    oto_error err = {0};
    char *config = NULL;
    bool good = false;
    if (!operands) {
        oto_cli_error("out of memory (arguments)");
        *code = OTO_EXIT_SYSTEM;
        return false;
    }
    if (!oto_cli_parse(&usage, groups, argc, argv, operands, &n_operands, code))
        goto done;
    if (n_operands > 0) {
        *code = oto_cli_usage_error(
            "train", "unexpected argument '%s'; manifests are given with --train and --dev",
            operands[0]);
        goto done;
    }
    config = strdup(all->config.config);
    clear_all(groups);
    if (!config || init_all(groups, all, &err) != OTO_OK) {
        oto_cli_error("out of memory (options)");
        *code = OTO_EXIT_SYSTEM;
        goto done;
    }
    if (*config && oto_options_read_file(groups + 1, config, &err) != OTO_OK) {
        *code = oto_cli_fail(&err, config);
        goto done;
    }
    good = oto_cli_parse(&usage, groups, argc, argv, operands, &n_operands, code);
done:
    free(config);
    free(operands);
    return good;
}

/* ---- messages
 * ---------------------------------------------------------------------------------------------------
 */

static void show_line(void *arg, const char *text)
{
    (void)arg;
    if (oto_cli_verbosity() == OTO_QUIET)
        return;
    oto_progress_hide();
    fprintf(stderr, "%s\n", text);
}

static void show_live(void *arg, const char *text)
{
    oto_progress_show(arg, "%s", text);
}

static void print_result(const struct oto_train_options *o, const struct oto_train_result *r)
{
    if (r->best_epoch == 0) {
        printf("%s/last.oto\n", o->out);
        return;
    }
    printf("%s/best.oto\tepoch %llu\tCER %.2f %%\tWER %.2f %%\n", o->out,
           (unsigned long long)r->best_epoch, 100 * r->dev_cer, 100 * r->dev_wer);
}

static int train(const struct all_options *all)
{
    struct oto_progress progress;
    struct oto_train_result result;
    oto_error err = {0};
    oto_progress_init(&progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    const struct oto_train_setup setup = {
        .options = &all->train,
        .frontend = &all->frontend,
        .beam = &all->beam,
        .stop = oto_cli_is_stopped,
        .sink = {show_line, progress.enabled ? show_live : NULL, &progress},
    };
    oto_cli_catch_stop();
    oto_status status = oto_train(&setup, &result, &err);
    oto_progress_end(&progress);
    if (status == OTO_OK) {
        if (result.rank == 0)
            print_result(&all->train, &result);
        return OTO_EXIT_OK;
    }
    int code = oto_cli_fail(&err, all->train.out);
    return status == OTO_ERR_INTERRUPTED ? oto_cli_stopped_exit() : code;
}

int oto_cmd_train(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "report") == 0)
        return oto_cmd_train_report(argc - 1, argv + 1);
    struct all_options all;
    struct oto_option_group groups[N_GROUPS + 1];
    oto_error err = {0};
    int code = OTO_EXIT_INTERNAL;
    make_groups(groups, &all);
    if (init_all(groups, &all, &err) != OTO_OK)
        code = oto_cli_fail(&err, NULL);
    else if (read_options(groups, &all, argc, argv, &code))
        code = train(&all);
    clear_all(groups);
    return code;
}
