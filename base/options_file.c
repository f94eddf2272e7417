/* SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/options_internal.h"
#include "base/utf8.h"

#define MAX_FILE_BYTES (1 << 20)

struct file_parser {
    const struct oto_option_group *groups;
    const char *path;
    int line;
    int *first_line; /* [all options of all groups] where each was given, 0 = not yet */
    oto_error *err;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static char *skip_blank(char *s)
{
    while (is_blank(*s)) {
        s++;
    }
    return s;
}

/*
 * Unquotes "..." in place: \" \\ \n \t. Only a comment may follow.
 * Returns the value, or NULL with *problem set.
 */
static char *quoted_value(char *s, const char **problem)
{
    char *out = s;
    char *in = s + 1;
    for (; *in && *in != '"'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in == 'n') {
            *out++ = '\n';
        } else if (*in == 't') {
            *out++ = '\t';
        } else if (*in == '"' || *in == '\\') {
            *out++ = *in;
        } else {
            *problem = "unknown escape in quotes; expected \\\" \\\\ \\n or \\t";
            return NULL;
        }
    }
    if (*in != '"') {
        *problem = "closing quote is missing";
        return NULL;
    }
    char *rest = skip_blank(in + 1);
    if (*rest && *rest != '#') {
        *problem = "text after the closing quote";
        return NULL;
    }
    *out = '\0';
    return s;
}

/* Cuts a comment (a '#' after white space) and trailing white space. */
static char *plain_value(char *s)
{
    char *end = s;
    for (char *p = s; *p; p++) {
        if (*p == '#' && (p == s || is_blank(p[-1]))) {
            break;
        }
        if (!is_blank(*p)) {
            end = p + 1;
        }
    }
    *end = '\0';
    return s;
}

/* Number of the option over all groups. */
static size_t index_of(const struct oto_option_group *groups, const struct oto_option *option)
{
    size_t base = 0;
    for (; groups->table; groups++) {
        for (size_t i = 0; i < groups->n; i++) {
            if (&groups->table[i] == option) {
                return base + i;
            }
        }
        base += groups->n;
    }
    return base;
}

static oto_status parse_line(struct file_parser *p, char *line)
{
    char *name = skip_blank(line);
    if (*name == '\0' || *name == '#') {
        return OTO_OK;
    }
    size_t n = strcspn(name, "= \t\r\v\f#");
    char *equals = skip_blank(name + n);
    if (n == 0 || *equals != '=') {
        return oto_fail(p->err, OTO_ERR_CONFIG, "%s:%d: expected \"name = value\", found \"%.60s\"",
                        p->path, p->line, name);
    }
    const struct oto_option_group *group = NULL;
    const struct oto_option *option = oto_option_lookup(p->groups, name, n, &group);
    name[n] = '\0';
    if (!option) {
        const char *near = oto_options_suggest(p->groups, name);
        return oto_fail(p->err, OTO_ERR_CONFIG, "%s:%d: unknown option \"%.60s\"%s%s%s", p->path,
                        p->line, name, near ? "; did you mean " : "", near ? near : "",
                        near ? "?" : "");
    }
    int *first_line = &p->first_line[index_of(p->groups, option)];
    if (*first_line != 0) {
        return oto_fail(p->err, OTO_ERR_CONFIG, "%s:%d: %s is given twice, first in line %d",
                        p->path, p->line, option->name, *first_line);
    }
    *first_line = p->line;

    char *value = skip_blank(equals + 1);
    const char *problem = NULL;
    value = *value == '"' ? quoted_value(value, &problem) : plain_value(value);
    if (!value) {
        return oto_fail(p->err, OTO_ERR_CONFIG, "%s:%d: %s: %s", p->path, p->line, option->name,
                        problem);
    }
    char shown[224];
    snprintf(shown, sizeof shown, "%.120s:%d: %s", p->path, p->line, option->name);
    return oto_option_assign(option, group->dst, shown, value, p->err);
}

static oto_status parse_text(struct file_parser *p, char *text)
{
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
    }
    while (text) {
        char *next = strchr(text, '\n');
        if (next) {
            *next++ = '\0';
        }
        p->line++;
        ptrdiff_t bad = oto_utf8_invalid_at(text);
        if (bad >= 0) {
            return oto_fail(p->err, OTO_ERR_CONFIG, "%s:%d: invalid UTF-8 in column %td", p->path,
                            p->line, bad + 1);
        }
        oto_status status = parse_line(p, text);
        if (status != OTO_OK) {
            return status;
        }
        text = next;
    }
    return OTO_OK;
}

oto_status oto_options_read_file(const struct oto_option_group *groups, const char *path,
                                 oto_error *err)
{
    struct file_parser p = {.groups = groups, .path = path, .err = err};
    struct oto_map map;
    char *text = NULL;
    size_t n_options = 0;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK) {
        return status;
    }
    if (map.size > MAX_FILE_BYTES || memchr(map.data, 0, map.size)) {
        status = oto_fail(err, OTO_ERR_CONFIG, "%s: not a text file of at most %d bytes", path,
                          MAX_FILE_BYTES);
        goto out;
    }
    for (const struct oto_option_group *group = groups; group->table; group++) {
        n_options += group->n;
    }
    text = oto_strndup((const char *)map.data, map.size);
    p.first_line = oto_calloc(n_options, sizeof *p.first_line);
    if (!text || !p.first_line) {
        status = oto_fail_memory(err, "configuration file");
        goto out;
    }
    status = parse_text(&p, text);
out:
    oto_free(p.first_line);
    oto_free(text);
    oto_map_close(&map);
    return status;
}

oto_status oto_options_read_environment(const struct oto_option_group *groups, oto_error *err)
{
    for (; groups->table; groups++) {
        for (size_t i = 0; i < groups->n; i++) {
            const struct oto_option *option = &groups->table[i];
            char name[OTO_OPTION_NAME_MAX + 16];
            int n = snprintf(name, sizeof name, "OTOLITH_%s", option->name);
            for (int k = 0; k < n && name[k]; k++) {
                name[k] = name[k] == '-' ? '_' : (char)toupper((unsigned char)name[k]);
            }
            const char *value = getenv(name);
            if (!value || *value == '\0') {
                continue;
            }
            oto_status status = oto_option_assign(option, groups->dst, name, value, err);
            if (status != OTO_OK) {
                return status;
            }
        }
    }
    return OTO_OK;
}

/* Whether plain_value() would give the text back; everything else is written in quotes. */
static bool is_plain(const char *text)
{
    size_t n = strlen(text);
    if (n > 0 && (is_blank(text[0]) || is_blank(text[n - 1]))) {
        return false;
    }
    return strpbrk(text, "\"#\\\n\r\t") == NULL;
}

static void print_value(const char *text, FILE *out)
{
    if (is_plain(text)) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        switch (*text) {
        case '\n':
            fputs("\\n", out);
            break;
        case '\t':
            fputs("\\t", out);
            break;
        case '"':
        case '\\':
            putc('\\', out);
            putc(*text, out);
            break;
        default:
            putc(*text, out);
        }
    }
    putc('"', out);
}

void oto_options_print(const struct oto_option_group *group, FILE *out)
{
    for (size_t i = 0; i < group->n; i++) {
        char *value = oto_options_get(&group->table[i], group->dst);
        if (value) { /* out of memory: the line is missing rather than wrong */
            fprintf(out, "%s = ", group->table[i].name);
            print_value(value, out);
            putc('\n', out);
        }
        oto_free(value);
    }
}
