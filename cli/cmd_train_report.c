/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith train report: a run as one page of HTML. */
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "training/report_page.h"

struct report_options {
    char *output;
};

/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "output", .short_name = 'o', .type = OTO_OPTION_TEXT, .offset = offsetof(struct report_options, output),
     .default_text = "", .argument = "FILE", .help = "Where the page goes; empty for DIR/report.html."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "train report",
    .synopsis = "  otolith train report DIR [--output=FILE]\n",
    .examples = "  otolith train report run\n",
    .notes = "DIR is --out of a training run, finished or not. The page holds curves, the best and "
             "worst utterances\n"
             "of the dev set and the most frequent confusions, and needs no other file. Its name "
             "is printed.\n",
};

static int write_page(const char *folder, const char *output)
{
    char path[4096];
    oto_error err = {0};
    int n = output[0] != 0 ? snprintf(path, sizeof path, "%s", output)
                           : snprintf(path, sizeof path, "%s/report.html", folder);
    if (n < 0 || (size_t)n >= sizeof path)
        return oto_cli_usage_error(usage.verb, "the name of the page is too long");
    if (oto_report_page_write(folder, path, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    printf("%s\n", path);
    return OTO_EXIT_OK;
}

int oto_cmd_train_report(int argc, char **argv)
{
    struct report_options options = {0};
    const struct oto_option_group groups[] = {{"Options:", option_table, N_OPTIONS, &options}, {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **operands = calloc((size_t)argc, sizeof *operands);
    if (operands == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n, &code))
        code = n == 1 ? write_page(operands[0], options.output)
                      : oto_cli_usage_error(usage.verb, "one folder expected, found %d", n);
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(operands);
    return code;
}
