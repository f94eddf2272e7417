/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/word_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lines.h"
#include "base/mem.h"
#include "base/options.h"

/** What is wrong with a normalised text. */
static oto_status check_text(const char *text, const struct oto_word_list_rules *rules,
                             const char *place, oto_error *err)
{
    size_t n;
    if (text[0] == '\0')
        return oto_fail(err, OTO_ERR_DATA, "%s: empty, expected a %s", place,
                        rules->phrases ? "word or phrase" : "word");
    for (const char *s = text; *s; s += n) {
        int32_t c = oto_utf8_next(s, &n);
        if (c == ' ' && (!rules->phrases || rules->alphabet->space <= 0))
            return oto_fail(err, OTO_ERR_DATA, "%s: \"%.80s\" is more than one word", place, text);
        if (c != ' ' && oto_alphabet_find(rules->alphabet, c) <= 0)
            return oto_fail(err, OTO_ERR_DATA,
                            "%s: \"%.80s\": '%.*s' (U+%04X) is not in the model's alphabet", place,
                            text, (int)n, s, (unsigned)c);
    }
    return OTO_OK;
}

static bool reserve(struct oto_word_list *list)
{
    if (list->n < list->capacity)
        return true;
    size_t capacity = list->capacity > 0 ? 2 * list->capacity : 16;
    void *grown = oto_realloc(list->items, list->capacity, capacity, sizeof *list->items);
    if (grown == NULL)
        return false;
    list->items = grown;
    list->capacity = capacity;
    return true;
}

oto_status oto_word_list_add(struct oto_word_list *list, const char *text, double value,
                             const struct oto_word_list_rules *rules, const char *place,
                             oto_error *err)
{
    char *normal = NULL;
    oto_error why = {0};
    if (!(value >= rules->least && value <= rules->most))
        return oto_fail(err, OTO_ERR_DATA, "%s: found %g, expected a number from %g to %g", place,
                        value, rules->least, rules->most);
    oto_status status =
        oto_text_normalise(&normal, text, &rules->alphabet->policy, rules->alphabet, &why);
    if (status != OTO_OK)
        return oto_fail(err, status, "%s: %s", place, why.message);
    status = check_text(normal, rules, place, err);
    if (status == OTO_OK && !reserve(list))
        status = oto_fail_memory(err, "word list");
    if (status == OTO_OK)
        list->items[list->n++] = (struct oto_word_list_item){normal, value, list->n_added++};
    else
        oto_free(normal);
    return status;
}

/** "TEXT" or "TEXT tab NUMBER"; line is written to. */
static oto_status add_line(struct oto_word_list *list, char *line, size_t size,
                           const struct oto_word_list_rules *rules, const char *place,
                           oto_error *err)
{
    static const struct oto_option number = {.name = "number", .type = OTO_OPTION_REAL};
    double value = rules->value;
    if (strlen(line) != size)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: no text file: a line with a NUL byte", place);
    char *tab = strrchr(line, '\t');
    if (tab != NULL) {
        *tab = '\0';
        if (oto_options_set(&number, 1, &value, "number", tab + 1, NULL) != OTO_OK)
            return oto_fail(err, OTO_ERR_DATA,
                            "%s: found \"%.40s\", expected a number after the tab", place, tab + 1);
    }
    return oto_word_list_add(list, line, value, rules, place, err);
}

oto_status oto_word_list_load(struct oto_word_list *list, const char *path,
                              const struct oto_word_list_rules *rules, oto_error *err)
{
    struct oto_lines *in = NULL;
    char *line = NULL, place[160];
    size_t size = 0;
    oto_status status = oto_lines_open(&in, path, err);
    while (status == OTO_OK) {
        status = oto_lines_next(in, &line, &size, err);
        if (status != OTO_OK || line == NULL)
            break;
        if (oto_lines_number(in) == 1 && strncmp(line, "\xEF\xBB\xBF", 3) == 0) {
            line += 3;
            size -= 3;
        }
        snprintf(place, sizeof place, "%.140s:%zu", path, oto_lines_number(in));
        if (line[strspn(line, " \t")] != '\0' && line[0] != '#')
            status = add_line(list, line, size, rules, place, err);
    }
    oto_lines_close(in);
    return status;
}

/* Of the same text the later item first. */
static int compare(const void *a, const void *b)
{
    const struct oto_word_list_item *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : (x->number < y->number) - (x->number > y->number);
}

void oto_word_list_sort(struct oto_word_list *list)
{
    size_t n = 0;
    if (list->n == 0)
        return;
    qsort(list->items, list->n, sizeof *list->items, compare);
    for (size_t i = 1; i < list->n; i++) {
        if (strcmp(list->items[i].text, list->items[n].text) == 0)
            oto_free(list->items[i].text);
        else
            list->items[++n] = list->items[i];
    }
    list->n = n + 1;
}

static int compare_text(const void *text, const void *item)
{
    return strcmp(text, ((const struct oto_word_list_item *)item)->text);
}

const struct oto_word_list_item *oto_word_list_find(const struct oto_word_list *list,
                                                    const char *text)
{
    return list->n > 0 ? bsearch(text, list->items, list->n, sizeof *list->items, compare_text)
                       : NULL;
}

void oto_word_list_clear(struct oto_word_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        oto_free(list->items[i].text);
    oto_free(list->items);
    *list = (struct oto_word_list){0};
}
