/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/options.h"
#include "base/options_internal.h"

#define HELP_COLUMN 30
#define LAST_COLUMN 100

static const char *argument_name(const struct oto_option *option)
{
    if (option->argument) {
        return option->argument;
    }
    switch (option->type) {
    case OTO_OPTION_INT:
    case OTO_OPTION_U64:
        return "N";
    case OTO_OPTION_REAL:
        return "X";
    case OTO_OPTION_CHOICE:
        return "NAME";
    case OTO_OPTION_TEXT:
        return "TEXT";
    case OTO_OPTION_BOOL:
        break;
    }
    return "";
}

/* Appends to a bounded text; what does not fit is left away. */
static void append(char *text, size_t capacity, const char *more)
{
    size_t n = strlen(text);
    snprintf(text + n, capacity - n, "%s", more);
}

/* " (1 to 64; default 8)" */
static void append_details(const struct oto_option *option, char *text, size_t capacity)
{
    char low[32], high[32];
    append(text, capacity, " (");
    if (option->type == OTO_OPTION_CHOICE) {
        for (int i = 0; option->choices[i]; i++) {
            append(text, capacity, i > 0 ? ", " : "");
            append(text, capacity, option->choices[i]);
        }
        append(text, capacity, "; ");
    } else if ((option->type == OTO_OPTION_INT || option->type == OTO_OPTION_REAL) &&
               oto_option_has_range(option)) {
        oto_option_format_real(option->min, low, sizeof low);
        oto_option_format_real(option->max, high, sizeof high);
        append(text, capacity, low);
        append(text, capacity, " to ");
        append(text, capacity, high);
        append(text, capacity, "; ");
    }
    const bool any = option->default_text && *option->default_text && !oto_option_may_miss(option);
    append(text, capacity, "default ");
    append(text, capacity, any ? option->default_text : "none");
    append(text, capacity, ")");
}

/* Words of text from HELP_COLUMN on, broken before LAST_COLUMN. column is where the line stands
 * now. */
static void print_wrapped(const char *text, int column, FILE *out)
{
    if (column >= HELP_COLUMN) {
        putc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", HELP_COLUMN - column, "");
    column = HELP_COLUMN;
    while (*text) {
        int n = (int)strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + n > LAST_COLUMN) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            putc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", n, text);
        column += n;
        text += n + strspn(text + n, " ");
    }
    putc('\n', out);
}

static bool on_by_default(const struct oto_option *option)
{
    const char *text = option->default_text;
    return text && (strcmp(text, "true") == 0 || strcmp(text, "yes") == 0 ||
                    strcmp(text, "on") == 0 || strcmp(text, "1") == 0);
}

static void print_option(const struct oto_option *option, FILE *out)
{
    char text[1024] = "";
    append(text, sizeof text, option->help ? option->help : "");
    size_t n = strlen(text);
    if (n > 0 && text[n - 1] == '.') {
        text[n - 1] = '\0'; /* the details in brackets follow */
    }
    int column;
    if (option->short_name) {
        column = fprintf(out, "  -%c, ", option->short_name);
    } else {
        column = fprintf(out, "      ");
    }
    if (option->type == OTO_OPTION_BOOL) { /* shown in the form that changes something */
        bool on = on_by_default(option);
        column += fprintf(out, on ? "--[no-]%s" : "--%s", option->name);
        append(text, sizeof text, on ? " (default on)" : "");
    } else {
        column += fprintf(out, "--%s=%s", option->name, argument_name(option));
        append_details(option, text, sizeof text);
    }
    print_wrapped(text, column, out);
}

void oto_options_print_help(const struct oto_option_group *groups, FILE *out)
{
    bool first = true;
    for (; groups->table; groups++) {
        bool titled = false;
        for (size_t i = 0; i < groups->n; i++) {
            if (groups->table[i].hidden) {
                continue;
            }
            if (!titled) {
                fprintf(out, "%s%s\n", first ? "" : "\n",
                        groups->title ? groups->title : "Options:");
                titled = true;
                first = false;
            }
            print_option(&groups->table[i], out);
        }
    }
}
