/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/options.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/options_internal.h"

static void *field_of(const struct oto_option *option, void *dst)
{
    return (char *)dst + option->offset;
}

static const void *const_field_of(const struct oto_option *option, const void *dst)
{
    return (const char *)dst + option->offset;
}

/* ---- names
 * ------------------------------------------------------------------------------------------------------
 */

bool oto_option_named(const struct oto_option *option, const char *name, size_t n)
{
    if (strlen(option->name) != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        char c = name[i] == '_' ? '-' : name[i];
        if (c != (option->name[i] == '_' ? '-' : option->name[i])) {
            return false;
        }
    }
    return true;
}

const struct oto_option *oto_options_find(const struct oto_option *table, size_t n,
                                          const char *name)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < n; i++) {
        if (oto_option_named(&table[i], name, length)) {
            return &table[i];
        }
    }
    return NULL;
}

const struct oto_option *oto_option_lookup(const struct oto_option_group *groups, const char *name,
                                           size_t n, const struct oto_option_group **group)
{
    for (; groups->table; groups++) {
        for (size_t i = 0; i < groups->n; i++) {
            if (oto_option_named(&groups->table[i], name, n)) {
                *group = groups;
                return &groups->table[i];
            }
        }
    }
    return NULL;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b; names are short,
 * so a full table. */
static size_t edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
    size_t d[OTO_OPTION_NAME_MAX + 1][OTO_OPTION_NAME_MAX + 1];
    for (size_t i = 0; i <= n_a; i++) {
        for (size_t j = 0; j <= n_b; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            char x = a[i - 1] == '_' ? '-' : a[i - 1];
            d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (x != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < d[i][j]) {
                d[i][j] = d[i - 2][j - 2] + 1;
            }
        }
    }
    return d[n_a][n_b];
}

static const char *suggest(const struct oto_option_group *groups, const char *name, size_t n)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;
    if (n == 0 || n > OTO_OPTION_NAME_MAX) {
        return NULL;
    }
    for (; groups->table; groups++) {
        for (size_t i = 0; i < groups->n; i++) {
            const char *candidate = groups->table[i].name;
            size_t length = strlen(candidate);
            if (groups->table[i].hidden || length > OTO_OPTION_NAME_MAX) {
                continue;
            }
            size_t distance = edit_distance(name, n, candidate, length);
            size_t allowed = length / 3 > 1 ? length / 3 : 1;
            if (n >= 3 && n < length && strncmp(name, candidate, n) == 0) {
                distance = 1; /* a prefix is near whatever is missing */
            }
            if (distance <= allowed && distance < best_distance) {
                best = candidate;
                best_distance = distance;
            }
        }
    }
    return best;
}

const char *oto_options_suggest(const struct oto_option_group *groups, const char *name)
{
    return suggest(groups, name, strlen(name));
}

/* ---- values
 * -----------------------------------------------------------------------------------------------------
 */

bool oto_option_may_miss(const struct oto_option *option)
{
    return option->default_text && strcmp(option->default_text, "nan") == 0;
}

bool oto_option_has_range(const struct oto_option *option)
{
    return option->min < option->max;
}

/* strtod in the C locale, whatever locale the program has set: "0.5" must mean the same everywhere.
 */
static double parse_double(const char *text, char **end)
{
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t former = c_locale ? uselocale(c_locale) : (locale_t)0;
    errno = 0;
    double v = strtod(text, end);
    int code = errno;
    if (c_locale) {
        uselocale(former);
        freelocale(c_locale);
    }
    errno = code;
    return v;
}

/* Shortest decimal form that reads back as v; whole numbers without exponent as far as they are
 * exact. */
void oto_option_format_real(double v, char *out, size_t capacity)
{
    if (fabs(v) < 1e7 && !(v < floor(v)) && !(v > floor(v))) {
        snprintf(out, capacity, "%.0f", v);
        return;
    }
    locale_t c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    locale_t former = c_locale ? uselocale(c_locale) : (locale_t)0;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(out, capacity, "%.*g", digits, v);
        if (!(strtod(out, NULL) < v) && !(strtod(out, NULL) > v)) {
            break;
        }
    }
    if (c_locale) {
        uselocale(former);
        freelocale(c_locale);
    }
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    }
    return false;
}

static oto_status assign_bool(bool *field, const char *shown, const char *value, oto_error *err)
{
    if (!parse_bool(value, field)) {
        return oto_fail(err, OTO_ERR_CONFIG, "%s: expected true or false, found \"%s\"", shown,
                        value);
    }
    return OTO_OK;
}

/* Decimal digits with an optional sign, nothing else: strtol alone would take white space, too. */
static bool parse_integer(const char *text, long long *out)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits)) {
        return false;
    }
    errno = 0;
    *out = strtoll(text, NULL, 10);
    return errno == 0;
}

static oto_status assign_int(const struct oto_option *option, int *field, const char *shown,
                             const char *value, oto_error *err)
{
    double min = oto_option_has_range(option) ? option->min : (double)INT_MIN;
    double max = oto_option_has_range(option) ? option->max : (double)INT_MAX;
    long long v;
    if (!parse_integer(value, &v) || v < INT_MIN || v > INT_MAX || (double)v < min ||
        (double)v > max) {
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: expected a whole number from %.0f to %.0f, found \"%s\"", shown, min,
                        max, value);
    }
    *field = (int)v;
    return OTO_OK;
}

static oto_status assign_u64(uint64_t *field, const char *shown, const char *value, oto_error *err)
{
    errno = 0;
    unsigned long long v = 0;
    bool good = *value != '\0' && strspn(value, "0123456789") == strlen(value);
    if (good) {
        v = strtoull(value, NULL, 10);
    }
    if (!good || errno != 0) {
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: expected a whole number from 0 to %" PRIu64 ", found \"%s\"", shown,
                        UINT64_MAX, value);
    }
    *field = v;
    return OTO_OK;
}

static oto_status assign_real(const struct oto_option *option, double *field, const char *shown,
                              const char *value, oto_error *err)
{
    char *end = NULL;
    if (oto_option_may_miss(option) && strcmp(value, "nan") == 0) {
        *field = (double)NAN;
        return OTO_OK;
    }
    bool good = *value != '\0' && (strspn(value, "0123456789+-.eE") == strlen(value) ||
                                   strcmp(value, "inf") == 0 || strcmp(value, "-inf") == 0);
    double v = good ? parse_double(value, &end) : 0.0;
    good = good && *end == '\0' && !(errno == ERANGE && fabs(v) > 1.0);
    if (!good || (oto_option_has_range(option) && (v < option->min || v > option->max))) {
        if (!oto_option_has_range(option)) {
            return oto_fail(err, OTO_ERR_CONFIG, "%s: expected a number, found \"%s\"", shown,
                            value);
        }
        char low[32], high[32];
        oto_option_format_real(option->min, low, sizeof low);
        oto_option_format_real(option->max, high, sizeof high);
        return oto_fail(err, OTO_ERR_CONFIG, "%s: expected a number from %s to %s, found \"%s\"",
                        shown, low, high, value);
    }
    *field = v;
    return OTO_OK;
}

static oto_status assign_choice(const struct oto_option *option, int *field, const char *shown,
                                const char *value, oto_error *err)
{
    char list[160] = "";
    size_t used = 0;
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *field = i;
            return OTO_OK;
        }
        int n = snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                         option->choices[i]);
        if (n > 0 && (size_t)n < sizeof list - used) {
            used += (size_t)n;
        } else {
            list[used] = '\0';
        }
    }
    return oto_fail(err, OTO_ERR_CONFIG, "%s: expected one of %s, found \"%s\"", shown, list,
                    value);
}

static oto_status assign_text(char **field, const char *shown, const char *value, oto_error *err)
{
    char *copy = oto_strdup(value);
    if (!copy) {
        return oto_fail_memory(err, shown);
    }
    oto_free(*field);
    *field = copy;
    return OTO_OK;
}

oto_status oto_option_assign(const struct oto_option *option, void *dst, const char *shown,
                             const char *value, oto_error *err)
{
    void *field = field_of(option, dst);
    switch (option->type) {
    case OTO_OPTION_BOOL:
        return assign_bool(field, shown, value, err);
    case OTO_OPTION_INT:
        return assign_int(option, field, shown, value, err);
    case OTO_OPTION_U64:
        return assign_u64(field, shown, value, err);
    case OTO_OPTION_REAL:
        return assign_real(option, field, shown, value, err);
    case OTO_OPTION_CHOICE:
        return assign_choice(option, field, shown, value, err);
    case OTO_OPTION_TEXT:
        return assign_text(field, shown, value, err);
    }
    return oto_fail(err, OTO_ERR_ARGUMENT, "%s: option of unknown type %d", shown,
                    (int)option->type);
}

oto_status oto_options_init(const struct oto_option *table, size_t n, void *dst, oto_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct oto_option *option = &table[i];
        if (!option->default_text && option->type != OTO_OPTION_TEXT) {
            continue; /* the zero that is there */
        }
        const char *text = option->default_text ? option->default_text : "";
        oto_status status = oto_option_assign(option, dst, option->name, text, err);
        if (status != OTO_OK) {
            oto_options_clear(table, n, dst);
            return status;
        }
    }
    return OTO_OK;
}

void oto_options_clear(const struct oto_option *table, size_t n, void *dst)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].type == OTO_OPTION_TEXT) {
            char **field = field_of(&table[i], dst);
            oto_free(*field);
            *field = NULL;
        }
    }
}

oto_status oto_options_set(const struct oto_option *table, size_t n, void *dst, const char *name,
                           const char *value, oto_error *err)
{
    const struct oto_option *option = oto_options_find(table, n, name);
    if (!option) {
        struct oto_option_group groups[2] = {{.table = table, .n = n, .dst = dst}, {0}};
        const char *near = oto_options_suggest(groups, name);
        return oto_fail(err, OTO_ERR_CONFIG, "unknown option \"%s\"%s%s%s", name,
                        near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    return oto_option_assign(option, dst, option->name, value, err);
}

char *oto_options_get(const struct oto_option *option, const void *dst)
{
    const void *field = const_field_of(option, dst);
    char text[64];
    switch (option->type) {
    case OTO_OPTION_BOOL:
        return oto_strdup(*(const bool *)field ? "true" : "false");
    case OTO_OPTION_INT:
        snprintf(text, sizeof text, "%d", *(const int *)field);
        break;
    case OTO_OPTION_U64:
        snprintf(text, sizeof text, "%" PRIu64, *(const uint64_t *)field);
        break;
    case OTO_OPTION_REAL:
        oto_option_format_real(*(const double *)field, text, sizeof text);
        break;
    case OTO_OPTION_CHOICE:
        return oto_strdup(option->choices[*(const int *)field]);
    case OTO_OPTION_TEXT:
        return oto_strdup(*(char *const *)field ? *(char *const *)field : "");
    }
    return oto_strdup(text);
}

bool oto_options_equal(const struct oto_option *option, const void *a, const void *b)
{
    const void *x = const_field_of(option, a), *y = const_field_of(option, b);
    switch (option->type) {
    case OTO_OPTION_BOOL:
        return *(const bool *)x == *(const bool *)y;
    case OTO_OPTION_INT:
    case OTO_OPTION_CHOICE:
        return *(const int *)x == *(const int *)y;
    case OTO_OPTION_U64:
        return *(const uint64_t *)x == *(const uint64_t *)y;
    case OTO_OPTION_REAL:
        return *(const double *)x == *(const double *)y ||
               (isnan(*(const double *)x) && isnan(*(const double *)y));
    case OTO_OPTION_TEXT:
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    }
    return false;
}

/* ---- command line
 * -----------------------------------------------------------------------------------------------
 */

struct parser {
    const struct oto_option_group *groups;
    int argc;
    char **argv;
    int i; /* argument in work */
    oto_error *err;
};

/* The next argument as the value of an option written without '='. NULL where there is none. */
static const char *next_argument(struct parser *p)
{
    if (p->i + 1 >= p->argc) {
        return NULL;
    }
    const char *value = p->argv[p->i + 1];
    if (strncmp(value, "--", 2) == 0) {
        return NULL; /* "--model --format=json" is a forgotten value; a value like that needs '=' */
    }
    p->i++;
    return value;
}

static oto_status parse_long(struct parser *p)
{
    const char *argument = p->argv[p->i];
    const char *name = argument + 2;
    const char *equals = strchr(name, '=');
    size_t n = equals ? (size_t)(equals - name) : strlen(name);
    const struct oto_option_group *group = NULL;
    const struct oto_option *option = oto_option_lookup(p->groups, name, n, &group);
    bool negated = false;
    if (!option && n > 3 && strncmp(name, "no", 2) == 0 && (name[2] == '-' || name[2] == '_')) {
        option = oto_option_lookup(p->groups, name + 3, n - 3, &group);
        negated = option != NULL;
    }
    if (!option) {
        const char *near = suggest(p->groups, name, n);
        return oto_fail(p->err, OTO_ERR_CONFIG, "unknown option --%.*s%s%s%s",
                        (int)(n < 100 ? n : 100), name, near ? "; did you mean --" : "",
                        near ? near : "", near ? "?" : "");
    }
    char shown[OTO_OPTION_NAME_MAX + 2];
    snprintf(shown, sizeof shown, "--%s", option->name);
    if (negated && option->type != OTO_OPTION_BOOL) {
        return oto_fail(p->err, OTO_ERR_CONFIG,
                        "--no-%s: %s takes a value and cannot be switched off", option->name,
                        shown);
    }
    if (negated && equals) {
        return oto_fail(p->err, OTO_ERR_CONFIG, "--no-%s takes no value, found \"%s\"",
                        option->name, equals + 1);
    }
    if (option->type == OTO_OPTION_BOOL && !equals) {
        return oto_option_assign(option, group->dst, shown, negated ? "false" : "true", p->err);
    }
    const char *value = equals ? equals + 1 : next_argument(p);
    if (!value) {
        return oto_fail(p->err, OTO_ERR_CONFIG, "%s needs a value: %s=VALUE", shown, shown);
    }
    return oto_option_assign(option, group->dst, shown, value, p->err);
}

static const struct oto_option *find_short(const struct oto_option_group *groups, char letter,
                                           const struct oto_option_group **group)
{
    for (; groups->table; groups++) {
        for (size_t i = 0; i < groups->n; i++) {
            if (groups->table[i].short_name == letter) {
                *group = groups;
                return &groups->table[i];
            }
        }
    }
    return NULL;
}

/* -v, -qv, -n8, -n 8, -qn8: switches may be strung together, and the first option with a value
 * takes the rest. */
static oto_status parse_short(struct parser *p)
{
    for (const char *letter = p->argv[p->i] + 1; *letter; letter++) {
        const struct oto_option_group *group = NULL;
        const struct oto_option *option = find_short(p->groups, *letter, &group);
        if (!option) {
            return oto_fail(
                p->err, OTO_ERR_CONFIG,
                "unknown option -%c in \"%s\"; an operand that starts with - follows --", *letter,
                p->argv[p->i]);
        }
        char shown[3] = {'-', *letter, '\0'};
        if (option->type == OTO_OPTION_BOOL) {
            oto_status status = oto_option_assign(option, group->dst, shown, "true", p->err);
            if (status != OTO_OK) {
                return status;
            }
            continue;
        }
        const char *value = letter[1] ? letter + 1 : next_argument(p);
        if (!value) {
            return oto_fail(p->err, OTO_ERR_CONFIG, "%s needs a value: %s VALUE or --%s=VALUE",
                            shown, shown, option->name);
        }
        return oto_option_assign(option, group->dst, shown, value, p->err);
    }
    return OTO_OK;
}

oto_status oto_options_parse(const struct oto_option_group *groups, int argc, char **argv,
                             const char **operands, int *n_operands, oto_error *err)
{
    struct parser p = {.groups = groups, .argc = argc, .argv = argv, .i = 1, .err = err};
    bool options_ended = false;
    *n_operands = 0;
    for (; p.i < argc; p.i++) {
        const char *argument = argv[p.i];
        oto_status status = OTO_OK;
        if (options_ended || argument[0] != '-' || argument[1] == '\0') {
            operands[(*n_operands)++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            options_ended = true;
        } else if (argument[1] == '-') {
            status = parse_long(&p);
        } else {
            status = parse_short(&p);
        }
        if (status != OTO_OK) {
            return status;
        }
    }
    return OTO_OK;
}

bool oto_options_in_argv(const struct oto_option *option, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *argument = argv[i];
        if (argument[0] != '-') {
            continue;
        }
        if (argument[1] != '-') {
            if (option->short_name && argument[1] == option->short_name) {
                return true;
            }
            continue;
        }
        const char *name = argument + 2;
        size_t n = strcspn(name, "=");
        if (oto_option_named(option, name, n)) {
            return true;
        }
        if (option->type == OTO_OPTION_BOOL && n > 3 && strncmp(name, "no", 2) == 0 &&
            oto_option_named(option, name + 3, n - 3)) {
            return true;
        }
    }
    return false;
}
