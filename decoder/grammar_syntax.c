/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads JSGF: characters to lexemes, lexemes to rules. */
#include "decoder/grammar_syntax.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/options.h"
#include "base/utf8.h"
#include "decoder/grammar.h"

enum lexeme { AT_END, AT_WORD, AT_QUOTED, AT_RULE, AT_WEIGHT, AT_TAG, AT_SIGN };

/** Characters that are lexemes by themselves. */
static const char signs[] = ";=|*+()[]";

struct reader {
    struct oto_grammar_syntax *out;
    const char *next; /* behind the lexeme */
    int32_t next_line, next_column;
    /* the lexeme */
    enum lexeme kind;
    const char *text; /* without what encloses it */
    size_t size;
    int32_t line, column;
    oto_error *err;
};

/* ---- messages ---------------------------------------------------------------------------- */

static oto_status fail_at(const struct reader *r, oto_status status, int32_t line, int32_t column,
                          const char *what)
{
    return oto_fail(r->err, status, "%s:%d:%d: %s", r->out->file, (int)line, (int)column, what);
}

/** The lexeme is not what should be there. */
static oto_status fail_found(const struct reader *r, const char *expected)
{
    static const char *const before[] = {"the end", "\"", "\"", "<", "/", "{", "'"};
    static const char *const behind[] = {"", "\"", "\"", ">", "/", "}", "'"};
    char what[256];
    snprintf(what, sizeof what, "found %s%.*s%s, expected %s", before[r->kind],
             r->size < 40 ? (int)r->size : 40, r->text, behind[r->kind], expected);
    return fail_at(r, OTO_ERR_FORMAT, r->line, r->column, what);
}

/* ---- lexemes ----------------------------------------------------------------------------- */

/** Moves on by a character. */
static void skip(struct reader *r)
{
    size_t n;
    (void)oto_utf8_next(r->next, &n);
    const bool line_ends = *r->next == '\n';
    r->next += n;
    r->next_line += line_ends;
    r->next_column = line_ends ? 1 : r->next_column + 1;
}

static bool at_space(const char *s)
{
    size_t n;
    return *s != '\0' && oto_utf8_is_space(oto_utf8_next(s, &n));
}

static bool at_comment(const char *s)
{
    return s[0] == '/' && (s[1] == '/' || s[1] == '*');
}

/** White space and comments. */
static oto_status skip_blanks(struct reader *r)
{
    for (;;) {
        if (at_space(r->next)) {
            skip(r);
        } else if (!at_comment(r->next)) {
            return OTO_OK;
        } else if (r->next[1] == '/') {
            while (*r->next != '\0' && *r->next != '\n')
                skip(r);
        } else {
            const int32_t line = r->next_line, column = r->next_column;
            skip(r);
            skip(r);
            while (*r->next != '\0' && strncmp(r->next, "*/", 2) != 0)
                skip(r);
            if (*r->next == '\0')
                return fail_at(r, OTO_ERR_FORMAT, line, column,
                               "the comment does not end: expected */");
            skip(r);
            skip(r);
        }
    }
}

/** What stands between an opening sign, which is next, and the closing one. */
static oto_status read_enclosed(struct reader *r, char closing, bool escapes)
{
    char what[80];
    skip(r);
    r->text = r->next;
    while (*r->next != '\0' && *r->next != closing) {
        if (escapes && r->next[0] == '\\' && r->next[1] != '\0')
            skip(r);
        skip(r);
    }
    r->size = (size_t)(r->next - r->text);
    if (*r->next != '\0') {
        skip(r);
        return OTO_OK;
    }
    snprintf(what, sizeof what, "found the end, expected a '%c' for what begins here", closing);
    return fail_at(r, OTO_ERR_FORMAT, r->line, r->column, what);
}

/** Takes the next lexeme. */
static oto_status advance(struct reader *r)
{
    oto_status status = skip_blanks(r);
    if (status != OTO_OK)
        return status;
    r->line = r->next_line;
    r->column = r->next_column;
    r->text = r->next;
    r->size = 1;
    switch (*r->next) {
    case '\0':
        r->kind = AT_END;
        r->size = 0;
        return OTO_OK;
    case '"':
        r->kind = AT_QUOTED;
        return read_enclosed(r, '"', true);
    case '<':
        r->kind = AT_RULE;
        return read_enclosed(r, '>', false);
    case '/':
        r->kind = AT_WEIGHT;
        return read_enclosed(r, '/', false);
    case '{':
        r->kind = AT_TAG;
        return read_enclosed(r, '}', true);
    default:
        break;
    }
    r->kind = strchr(signs, *r->next) != NULL ? AT_SIGN : AT_WORD;
    skip(r);
    while (r->kind == AT_WORD && *r->next != '\0' && strchr("\"<>{}", *r->next) == NULL &&
           strchr(signs, *r->next) == NULL && !at_space(r->next) && !at_comment(r->next))
        skip(r);
    r->size = (size_t)(r->next - r->text);
    return OTO_OK;
}

static bool is_sign(const struct reader *r, char sign)
{
    return r->kind == AT_SIGN && *r->text == sign;
}

static bool is_word(const struct reader *r, const char *word)
{
    return r->kind == AT_WORD && strlen(word) == r->size && memcmp(r->text, word, r->size) == 0;
}

static oto_status expect_sign(struct reader *r, char sign, const char *expected)
{
    return is_sign(r, sign) ? advance(r) : fail_found(r, expected);
}

/* ---- nodes ------------------------------------------------------------------------------- */

static oto_status reserve(void **items, size_t *capacity, int32_t n, size_t size, oto_error *err)
{
    if ((size_t)n < *capacity)
        return OTO_OK;
    const size_t more = *capacity > 0 ? 2 * *capacity : 64;
    void *grown = oto_realloc(*items, *capacity, more, size);
    if (grown == NULL)
        return oto_fail_memory(err, "grammar");
    *items = grown;
    *capacity = more;
    return OTO_OK;
}

static oto_status add_node(struct reader *r, enum oto_grammar_kind kind, int32_t *node)
{
    struct oto_grammar_syntax *s = r->out;
    void *nodes = s->nodes;
    oto_status status = reserve(&nodes, &s->nodes_capacity, s->n_nodes, sizeof *s->nodes, r->err);
    s->nodes = nodes;
    if (status != OTO_OK)
        return status;
    s->nodes[s->n_nodes] = (struct oto_grammar_node){
        .kind = kind, .line = r->line, .column = r->column, .first = -1, .next = -1};
    *node = s->n_nodes++;
    return OTO_OK;
}

/** Keeps the lexeme's text. Backslashes stand before what they keep from its meaning. */
static oto_status add_text(struct reader *r, int32_t *offset)
{
    struct oto_writer *w = &r->out->texts;
    *offset = (int32_t)w->size; /* smaller than the file */
    for (size_t i = 0; i < r->size; i++) {
        if (r->kind == AT_QUOTED && r->text[i] == '\\' && i + 1 < r->size)
            i++;
        oto_write_u8(w, (uint8_t)r->text[i]);
    }
    oto_write_u8(w, 0);
    return w->failed ? oto_fail_memory(r->err, "grammar") : OTO_OK;
}

static oto_status check_rule_name(const struct reader *r)
{
    bool good = r->size > 0;
    for (size_t i = 0; i < r->size; i++)
        good = good && r->text[i] != '<' && !at_space(r->text + i);
    return good ? OTO_OK : fail_found(r, "a rule's name without blanks");
}

/* ---- expressions ------------------------------------------------------------------------- */

static oto_status read_choice(struct reader *r, int depth, int32_t *node);

static oto_status read_group(struct reader *r, int depth, int32_t *node)
{
    const bool optional = is_sign(r, '[');
    oto_status status = OTO_OK;
    if (depth >= OTO_GRAMMAR_MAX_NESTING)
        return fail_at(r, OTO_ERR_DATA, r->line, r->column, "too many brackets in one another");
    if (optional)
        status = add_node(r, OTO_GRAMMAR_OPTIONAL, node);
    int32_t inside = 0;
    if (status == OTO_OK)
        status = advance(r);
    if (status == OTO_OK)
        status = read_choice(r, depth + 1, &inside);
    if (status != OTO_OK)
        return status;
    if (optional)
        r->out->nodes[*node].first = inside;
    else
        *node = inside;
    return optional ? expect_sign(r, ']', "']', '|' or more words")
                    : expect_sign(r, ')', "')', '|' or more words");
}

static oto_status read_token(struct reader *r, int32_t *node)
{
    int32_t text = 0;
    oto_status status = add_node(r, OTO_GRAMMAR_TOKEN, node);
    if (status == OTO_OK)
        status = add_text(r, &text);
    if (status != OTO_OK)
        return status;
    r->out->nodes[*node].value = text;
    return advance(r);
}

static oto_status read_reference(struct reader *r, int32_t *node)
{
    oto_status status = check_rule_name(r);
    if (status == OTO_OK)
        status = read_token(r, node);
    if (status != OTO_OK)
        return status;
    struct oto_grammar_node *n = &r->out->nodes[*node];
    const char *name = oto_grammar_text(r->out, n->value);
    n->kind = strcmp(name, "NULL") == 0   ? OTO_GRAMMAR_NOTHING
              : strcmp(name, "VOID") == 0 ? OTO_GRAMMAR_NEVER
                                          : OTO_GRAMMAR_RULE;
    return OTO_OK;
}

/** The repetition of a repetition is one: (x*)+ and the like are x*. */
static oto_status repeat(struct reader *r, enum oto_grammar_kind kind, int32_t *node)
{
    struct oto_grammar_node *inner = &r->out->nodes[*node];
    if (inner->kind == OTO_GRAMMAR_STAR || inner->kind == OTO_GRAMMAR_PLUS) {
        if (kind == OTO_GRAMMAR_STAR)
            inner->kind = kind;
        return OTO_OK;
    }
    const int32_t repeated = *node;
    oto_status status = add_node(r, kind, node);
    if (status == OTO_OK)
        r->out->nodes[*node].first = repeated;
    return status;
}

/** A word, a rule or a group, with what stands behind it: repetition and tags. */
static oto_status read_item(struct reader *r, int depth, int32_t *node)
{
    oto_status status;
    if (is_sign(r, '(') || is_sign(r, '['))
        status = read_group(r, depth, node);
    else if (r->kind == AT_WORD || r->kind == AT_QUOTED)
        status = read_token(r, node);
    else if (r->kind == AT_RULE)
        status = read_reference(r, node);
    else
        return fail_found(r, "a word, <rule>, '(' or '['");
    while (status == OTO_OK) {
        if (is_sign(r, '*'))
            status = repeat(r, OTO_GRAMMAR_STAR, node);
        else if (is_sign(r, '+'))
            status = repeat(r, OTO_GRAMMAR_PLUS, node);
        else if (r->kind != AT_TAG)
            break;
        if (status == OTO_OK)
            status = advance(r);
    }
    return status;
}

static oto_status read_weight(struct reader *r, double *weight)
{
    static const struct oto_option number = {.name = "weight", .type = OTO_OPTION_REAL};
    char text[40];
    *weight = 0.0;
    if (r->kind != AT_WEIGHT)
        return OTO_OK;
    snprintf(text, sizeof text, "%.*s", r->size < 39 ? (int)r->size : 39, r->text);
    if (oto_options_set(&number, 1, weight, "weight", text, NULL) != OTO_OK ||
        !(*weight >= 1e-9 && *weight <= 1e9))
        return fail_found(r, "a weight between slashes, 1e-9 to 1e9");
    return advance(r);
}

static oto_status read_sequence(struct reader *r, int depth, int32_t *node)
{
    double weight;
    int32_t last = -1;
    oto_status status = read_weight(r, &weight);
    if (status == OTO_OK)
        status = add_node(r, OTO_GRAMMAR_SEQUENCE, node);
    while (status == OTO_OK) {
        int32_t item = 0;
        status = read_item(r, depth, &item);
        if (status != OTO_OK)
            return status;
        if (last < 0)
            r->out->nodes[*node].first = item;
        else
            r->out->nodes[last].next = item;
        last = item;
        if (r->kind == AT_END || r->kind == AT_WEIGHT ||
            (r->kind == AT_SIGN && strchr(";=|)]", *r->text) != NULL))
            break;
    }
    if (status == OTO_OK)
        r->out->nodes[*node].weight = weight;
    return status;
}

static oto_status read_choice(struct reader *r, int depth, int32_t *node)
{
    int32_t last = -1, n_weights = 0, n = 0;
    const int32_t line = r->line, column = r->column;
    oto_status status = add_node(r, OTO_GRAMMAR_CHOICE, node);
    while (status == OTO_OK) {
        int32_t alternative = 0;
        status = read_sequence(r, depth, &alternative);
        if (status != OTO_OK)
            return status;
        if (last < 0)
            r->out->nodes[*node].first = alternative;
        else
            r->out->nodes[last].next = alternative;
        last = alternative;
        n++;
        n_weights += r->out->nodes[last].weight > 0.0;
        if (!is_sign(r, '|'))
            break;
        status = advance(r);
    }
    if (status == OTO_OK && n_weights != 0 && n_weights != n)
        return fail_at(r, OTO_ERR_FORMAT, line, column,
                       "some of these alternatives have a weight: expected one for each or none");
    return status;
}

/* ---- rules ------------------------------------------------------------------------------- */

static oto_status read_rule(struct reader *r)
{
    struct oto_grammar_syntax *s = r->out;
    struct oto_grammar_rule rule = {.is_public = is_word(r, "public")};
    oto_status status = rule.is_public ? advance(r) : OTO_OK;
    if (status == OTO_OK && r->kind != AT_RULE)
        status = fail_found(r, rule.is_public ? "a rule's name, such as <command>"
                                              : "'public', the name of a rule, or the end");
    if (status == OTO_OK)
        status = check_rule_name(r);
    if (status == OTO_OK && ((r->size == 4 && memcmp(r->text, "NULL", 4) == 0) ||
                             (r->size == 4 && memcmp(r->text, "VOID", 4) == 0)))
        status = fail_found(r, "a name that has no meaning of its own");
    if (status != OTO_OK)
        return status;
    rule.line = r->line;
    rule.column = r->column;
    status = add_text(r, &rule.name);
    if (status == OTO_OK)
        status = advance(r);
    if (status == OTO_OK)
        status = expect_sign(r, '=', "'='");
    if (status == OTO_OK)
        status = read_choice(r, 0, &rule.body);
    if (status == OTO_OK)
        status = expect_sign(r, ';', "';', '|' or more words");
    void *rules = s->rules;
    if (status == OTO_OK)
        status = reserve(&rules, &s->rules_capacity, s->n_rules, sizeof *s->rules, r->err);
    s->rules = rules;
    if (status == OTO_OK)
        s->rules[s->n_rules++] = rule;
    return status;
}

/** "#JSGF V1.0 [encoding [locale]];" */
static oto_status read_header(struct reader *r)
{
    static const char *const encodings[] = {"UTF-8", "UTF8", "US-ASCII", "ASCII"};
    if (strncmp(r->next, "#JSGF", 5) != 0)
        return fail_at(r, OTO_ERR_FORMAT, 1, 1, "expected \"#JSGF V1.0;\" at the beginning");
    oto_status status = advance(r);
    if (status == OTO_OK)
        status = advance(r);
    if (status == OTO_OK && !is_word(r, "V1.0"))
        return fail_found(r, "the version V1.0");
    if (status == OTO_OK)
        status = advance(r);
    for (int n = 0; status == OTO_OK && r->kind == AT_WORD && n < 2; n++) {
        bool known = n > 0; /* a locale alters nothing */
        for (size_t i = 0; i < sizeof encodings / sizeof encodings[0]; i++)
            known = known || (strlen(encodings[i]) == r->size &&
                              strncasecmp(r->text, encodings[i], r->size) == 0);
        if (!known)
            return fail_at(r, OTO_ERR_UNSUPPORTED, r->line, r->column,
                           "another encoding, expected UTF-8: convert the file");
        status = advance(r);
    }
    return status == OTO_OK ? expect_sign(r, ';', "';'") : status;
}

/** "grammar name;" */
static oto_status read_name(struct reader *r)
{
    if (!is_word(r, "grammar"))
        return fail_found(r, "\"grammar NAME;\"");
    oto_status status = advance(r);
    if (status == OTO_OK && r->kind != AT_WORD)
        status = fail_found(r, "the grammar's name");
    if (status == OTO_OK)
        status = add_text(r, &r->out->name);
    if (status == OTO_OK)
        status = advance(r);
    return status == OTO_OK ? expect_sign(r, ';', "';'") : status;
}

/* ---- names to rules ---------------------------------------------------------------------- */

/** The first of the rules whose name is not before this one. */
static int32_t find_rule(const struct oto_grammar_syntax *s, const char *name)
{
    int32_t low = 0, high = s->n_rules;
    while (low < high) {
        const int32_t middle = low + (high - low) / 2;
        if (strcmp(s->rules[middle].text, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int compare_rules(const void *a, const void *b)
{
    const struct oto_grammar_rule *x = a, *y = b;
    const int order = strcmp(x->text, y->text);
    if (order != 0)
        return order;
    return x->line != y->line ? (x->line > y->line) - (x->line < y->line)
                              : (x->column > y->column) - (x->column < y->column);
}

/** Sorts the rules; each name may be there once, and one rule at least is public. */
static oto_status check_rules(const struct reader *r)
{
    struct oto_grammar_syntax *s = r->out;
    char what[160];
    bool is_public = false;
    for (int32_t i = 0; i < s->n_rules; i++) {
        s->rules[i].text = oto_grammar_text(s, s->rules[i].name);
        is_public = is_public || s->rules[i].is_public;
    }
    if (!is_public)
        return oto_fail(r->err, OTO_ERR_DATA,
                        "%s: no rule is public, expected one: public <%.80s> = ...;", s->file,
                        s->n_rules > 0 ? s->rules[0].text : "command");
    qsort(s->rules, (size_t)s->n_rules, sizeof *s->rules, compare_rules);
    for (int32_t i = 1; i < s->n_rules; i++) {
        const struct oto_grammar_rule *rule = &s->rules[i];
        if (strcmp(rule->text, rule[-1].text) != 0)
            continue;
        snprintf(what, sizeof what, "<%.80s> is there already, in line %d", rule->text,
                 (int)rule[-1].line);
        return fail_at(r, OTO_ERR_DATA, rule->line, rule->column, what);
    }
    return OTO_OK;
}

static oto_status resolve(const struct reader *r)
{
    struct oto_grammar_syntax *s = r->out;
    char what[160];
    oto_status status = check_rules(r);
    for (int32_t i = 0; status == OTO_OK && i < s->n_nodes; i++) {
        struct oto_grammar_node *node = &s->nodes[i];
        if (node->kind != OTO_GRAMMAR_RULE)
            continue;
        const char *name = oto_grammar_text(s, node->value);
        const int32_t rule = find_rule(s, name);
        if (rule == s->n_rules || strcmp(s->rules[rule].text, name) != 0) {
            snprintf(what, sizeof what, "there is no rule <%.80s>", name);
            return fail_at(r, OTO_ERR_DATA, node->line, node->column, what);
        }
        node->value = rule;
    }
    return status;
}

oto_status oto_grammar_read(struct oto_grammar_syntax *out, const char *text, const char *file,
                            oto_error *err)
{
    *out = (struct oto_grammar_syntax){.file = file};
    struct reader r = {.out = out, .next = text, .next_line = 1, .next_column = 1, .err = err};
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        r.next += 3;
    oto_status status = read_header(&r);
    if (status == OTO_OK)
        status = read_name(&r);
    while (status == OTO_OK && r.kind != AT_END) {
        if (is_word(&r, "import"))
            return fail_at(&r, OTO_ERR_UNSUPPORTED, r.line, r.column,
                           "import is not read: put the rules into this file");
        status = read_rule(&r);
    }
    return status == OTO_OK ? resolve(&r) : status;
}

void oto_grammar_syntax_clear(struct oto_grammar_syntax *s)
{
    oto_free(s->nodes);
    oto_free(s->rules);
    oto_writer_clear(&s->texts);
    *s = (struct oto_grammar_syntax){0};
}
