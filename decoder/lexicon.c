/* SPDX-License-Identifier: BSD-2-Clause */
/* A word list becomes a tree: the words sorted by labels, then the tree's levels from the top. */
#include "decoder/lexicon.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { MAX_SHOWN = 20 };

/** A word while the tree is made. */
struct entry {
    int32_t *labels;
    int32_t n_labels, word;
    int line;
    size_t offset; /* into the text */
};

/** A node whose children are still to be made: the words [begin, end) begin with its labels. */
struct span {
    int32_t begin, end, depth;
};

struct build {
    const char *name;
    const struct oto_alphabet *alphabet;
    struct oto_writer text; /* the words normalised, NUL-terminated */
    int32_t *labels;        /* of all words */
    size_t n_labels;
    struct entry *entries;
    int32_t n_entries;
    bool phrases;        /* items may have spaces */
    int n_bad, bad_line; /* the first of them */
    char bad[256];       /* what is wrong with it */
    oto_error *err;
};

/* ---- lines ------------------------------------------------------------------------------- */

/** A single bad line is told by the error alone, several one by one by the log. */
static void report(struct build *b, int line, const char *what)
{
    b->n_bad++;
    if (b->n_bad == 1) {
        b->bad_line = line;
        snprintf(b->bad, sizeof b->bad, "%s", what);
        return;
    }
    if (b->n_bad == 2)
        oto_log(OTO_LOG_ERROR, "%s:%d: %s", b->name, b->bad_line, b->bad);
    if (b->n_bad <= MAX_SHOWN)
        oto_log(OTO_LOG_ERROR, "%s:%d: %s", b->name, line, what);
}

static oto_status fail_bad_lines(const struct build *b)
{
    if (b->n_bad == 1)
        return oto_fail(b->err, OTO_ERR_DATA, "%s:%d: %s", b->name, b->bad_line, b->bad);
    return oto_fail(b->err, OTO_ERR_DATA, "%s: %d bad lines, the first: line %d: %s", b->name,
                    b->n_bad, b->bad_line, b->bad);
}

/** Takes a normalised word; false when *what says why it is none. */
static bool take_word(struct build *b, const char *word, int line, char what[256])
{
    int32_t *labels = b->labels + b->n_labels;
    int32_t n = 0;
    size_t n_bytes;
    if (word[0] == '\0') {
        snprintf(what, 256, "empty, expected a word");
        return false;
    }
    for (const char *s = word; *s; s += n_bytes) {
        int32_t c = oto_utf8_next(s, &n_bytes);
        int label = oto_alphabet_find(b->alphabet, c);
        if (c == ' ' && !b->phrases) {
            snprintf(what, 256, "\"%.80s\" is more than one word, expected one a line", word);
            return false;
        }
        if (label <= 0) {
            snprintf(what, 256, "\"%.80s\": '%.*s' (U+%04X) is not in the model's alphabet", word,
                     (int)n_bytes, s, (unsigned)c);
            return false;
        }
        labels[n++] = label;
    }
    b->entries[b->n_entries] = (struct entry){labels, n, b->n_entries, line, b->text.size};
    b->n_entries++;
    b->n_labels += (size_t)n;
    oto_write_bytes(&b->text, word, strlen(word) + 1);
    return true;
}

static oto_status take_line(struct build *b, const char *text, int line)
{
    char *word, what[256];
    oto_error why = {0};
    oto_status status = oto_text_normalise(&word, text, &b->alphabet->policy, b->alphabet, &why);
    if (status == OTO_ERR_DATA) {
        report(b, line, why.message);
        return OTO_OK;
    }
    if (status != OTO_OK)
        return oto_fail_memory(b->err, "lexicon");
    if (!take_word(b, word, line, what))
        report(b, line, what);
    oto_free(word);
    return OTO_OK;
}

/** Cuts text, which is overwritten, into lines. */
static oto_status take_lines(struct build *b, char *text)
{
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    for (int line = 1; *text; line++) {
        char *end = text + strcspn(text, "\n"), *next = *end ? end + 1 : end;
        *end = '\0';
        oto_status status = text[0] == '#' ? OTO_OK : take_line(b, text, line);
        if (status != OTO_OK)
            return status;
        text = next;
    }
    return OTO_OK;
}

/* ---- tree -------------------------------------------------------------------------------- */

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    for (int32_t i = 0; i < x->n_labels && i < y->n_labels; i++)
        if (x->labels[i] != y->labels[i])
            return x->labels[i] < y->labels[i] ? -1 : 1;
    if (x->n_labels != y->n_labels)
        return x->n_labels < y->n_labels ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static void report_duplicates(struct build *b)
{
    for (int32_t i = 1, first = 0; i < b->n_entries; i++) {
        const struct entry *x = &b->entries[first], *y = &b->entries[i];
        if (x->n_labels != y->n_labels ||
            memcmp(x->labels, y->labels, (size_t)x->n_labels * sizeof *x->labels) != 0) {
            first = i;
            continue;
        }
        char what[256];
        snprintf(what, sizeof what, "\"%.80s\" is there already, in line %d",
                 (const char *)b->text.data + y->offset, x->line);
        report(b, y->line, what);
    }
}

/** How many labels sorted neighbours have in common. */
static int32_t common_labels(const struct entry *x, const struct entry *y)
{
    int32_t n = 0;
    while (n < x->n_labels && n < y->n_labels && x->labels[n] == y->labels[n])
        n++;
    return n;
}

static int32_t count_nodes(const struct build *b)
{
    int32_t n = 1;
    for (int32_t i = 0; i < b->n_entries; i++)
        n += b->entries[i].n_labels -
             (i > 0 ? common_labels(&b->entries[i - 1], &b->entries[i]) : 0);
    return n;
}

/** Level by level: spans[i] are the words below node i. */
static void make_nodes(struct oto_lexicon *lexicon, const struct entry *entries, struct span *spans)
{
    int32_t n = 1;
    lexicon->nodes[0].word = -1;
    lexicon->few_labels = true;
    spans[0] = (struct span){0, lexicon->n_words, 0};
    for (int32_t node = 0; node < n; node++) {
        struct oto_lexicon_node *parent = &lexicon->nodes[node];
        struct span span = spans[node];
        if (span.begin < span.end && entries[span.begin].n_labels == span.depth)
            parent->word = entries[span.begin++].word; /* the shortest comes first */
        parent->first_child = n;
        while (span.begin < span.end) {
            int32_t label = entries[span.begin].labels[span.depth], end = span.begin + 1;
            while (end < span.end && entries[end].labels[span.depth] == label)
                end++;
            lexicon->nodes[n] = (struct oto_lexicon_node){.label = label, .word = -1};
            spans[n++] = (struct span){span.begin, end, span.depth + 1};
            parent->n_children++;
            parent->labels |= (uint64_t)1 << (label & 63);
            lexicon->few_labels &= label < 64;
            span.begin = end;
        }
    }
}

static oto_status make_lexicon(struct oto_lexicon **out, struct build *b)
{
    struct oto_lexicon *lexicon = oto_calloc(1, sizeof *lexicon);
    if (!lexicon)
        return oto_fail_memory(b->err, "lexicon");
    lexicon->n_words = b->n_entries;
    lexicon->n_nodes = count_nodes(b);
    lexicon->space = b->alphabet->space > 0 ? b->alphabet->space : -1;
    lexicon->nodes = oto_calloc((size_t)lexicon->n_nodes, sizeof *lexicon->nodes);
    lexicon->offsets = oto_calloc((size_t)lexicon->n_words, sizeof *lexicon->offsets);
    lexicon->text = oto_calloc(b->text.size, 1);
    struct span *spans = oto_calloc((size_t)lexicon->n_nodes, sizeof *spans);
    bool ok = lexicon->nodes && lexicon->offsets && lexicon->text && spans;
    if (ok) {
        memcpy(lexicon->text, b->text.data, b->text.size);
        for (int32_t w = 1; w < lexicon->n_words; w++)
            lexicon->offsets[w] =
                lexicon->offsets[w - 1] + strlen(oto_lexicon_word(lexicon, w - 1)) + 1;
        make_nodes(lexicon, b->entries, spans);
        *out = lexicon;
    } else {
        oto_lexicon_destroy(lexicon);
    }
    oto_free(spans);
    return ok ? OTO_OK : oto_fail_memory(b->err, "lexicon");
}

/* ---- the whole --------------------------------------------------------------------------- */

static oto_status build(struct oto_lexicon **out, struct build *b)
{
    if (b->text.failed)
        return oto_fail_memory(b->err, "lexicon");
    qsort(b->entries, (size_t)b->n_entries, sizeof *b->entries, compare_entries);
    report_duplicates(b);
    if (b->n_bad > MAX_SHOWN)
        oto_log(OTO_LOG_ERROR, "%s: %d more bad lines are not shown", b->name,
                b->n_bad - MAX_SHOWN);
    if (b->n_bad > 0)
        return fail_bad_lines(b);
    if (b->n_entries == 0)
        return oto_fail(b->err, OTO_ERR_DATA, "%s: no words, expected one a line", b->name);
    return make_lexicon(out, b);
}

static void clear(struct build *b)
{
    oto_free(b->entries);
    oto_free(b->labels);
    oto_writer_clear(&b->text);
}

oto_status oto_lexicon_parse(struct oto_lexicon **out, const void *data, size_t size,
                             const char *name, const struct oto_alphabet *alphabet, oto_error *err)
{
    *out = NULL;
    if (size >= INT_MAX / 4 || memchr(data, '\0', size))
        return oto_fail(err, OTO_ERR_FORMAT, "%s: no text file, expected one word a line", name);
    struct build b = {.name = name, .alphabet = alphabet, .err = err};
    size_t n_lines = 1;
    for (size_t i = 0; i < size; i++)
        n_lines += ((const char *)data)[i] == '\n';
    /* Normalising may lengthen a text, in the worst case of NFC threefold. */
    b.labels = oto_calloc(3 * size + 1, sizeof *b.labels);
    b.entries = oto_calloc(n_lines, sizeof *b.entries);
    char *text = oto_strndup(data, size);
    oto_status status =
        b.labels && b.entries && text ? take_lines(&b, text) : oto_fail_memory(err, "lexicon");
    if (status == OTO_OK)
        status = build(out, &b);
    oto_free(text);
    clear(&b);
    return status;
}

oto_status oto_lexicon_of_lm(struct oto_lexicon **out, const struct oto_lm *lm,
                             const struct oto_alphabet *alphabet, oto_error *err)
{
    struct build b = {
        .name = "the language model in this alphabet", .alphabet = alphabet, .err = err};
    uint32_t n_words = oto_lm_n_words(lm);
    size_t n_bytes = 0;
    *out = NULL;
    for (uint32_t w = 0; w < n_words; w++)
        n_bytes += strlen(oto_lm_word(lm, w));
    if (n_words > INT_MAX / 4 || n_bytes > INT_MAX / 4)
        return oto_fail(err, OTO_ERR_DATA, "a language model of %u words, too many for a search",
                        (unsigned)n_words);
    b.labels = oto_calloc(n_bytes + 1, sizeof *b.labels);
    b.entries = oto_calloc(n_words, sizeof *b.entries);
    oto_status status = b.labels && b.entries ? OTO_OK : oto_fail_memory(err, "lexicon");
    char what[256];
    for (uint32_t w = 0; status == OTO_OK && w < n_words; w++)
        if (oto_lm_word(lm, w)[0] != '<') /* a mark: of sentence, of what is unknown */
            (void)take_word(&b, oto_lm_word(lm, w), 0, what);
    if (status == OTO_OK)
        status = build(out, &b);
    clear(&b);
    return status;
}

/** Gives the word that was taken last back when it is one of the lexicon. */
static void drop_known(struct build *b, const struct oto_lexicon *lexicon)
{
    const struct entry *e = &b->entries[b->n_entries - 1];
    int32_t node = OTO_LEXICON_ROOT;
    for (int32_t i = 0; lexicon && node != OTO_LEXICON_NONE && i < e->n_labels; i++)
        node = oto_lexicon_child(lexicon, node, e->labels[i]);
    if (!lexicon || node == OTO_LEXICON_NONE || lexicon->nodes[node].word < 0)
        return;
    b->text.size = e->offset;
    b->n_labels -= (size_t)e->n_labels;
    b->n_entries--;
}

oto_status oto_lexicon_extend(struct oto_lexicon **out, const struct oto_lexicon *base,
                              const struct oto_word_list *list, bool phrases,
                              const struct oto_alphabet *alphabet, oto_error *err)
{
    struct build b = {.name = "word list", .alphabet = alphabet, .phrases = phrases, .err = err};
    size_t n_bytes = 0, n_words = list->n + (base ? (size_t)base->n_words : 0);
    *out = NULL;
    for (int32_t w = 0; base && w < base->n_words; w++)
        n_bytes += strlen(oto_lexicon_word(base, w));
    for (size_t i = 0; i < list->n; i++)
        n_bytes += strlen(list->items[i].text);
    if (n_words > INT_MAX / 4 || n_bytes > INT_MAX / 4)
        return oto_fail(err, OTO_ERR_DATA, "%zu words, too many for a search", n_words);
    b.labels = oto_calloc(n_bytes + 1, sizeof *b.labels);
    b.entries = oto_calloc(n_words + 1, sizeof *b.entries);
    oto_status status = b.labels && b.entries ? OTO_OK : oto_fail_memory(err, "lexicon");
    char what[256];
    for (int32_t w = 0; status == OTO_OK && base && w < base->n_words; w++)
        (void)take_word(&b, oto_lexicon_word(base, w), 0, what);
    for (size_t i = 0; status == OTO_OK && i < list->n; i++)
        if (take_word(&b, list->items[i].text, 0, what))
            drop_known(&b, base);
    if (status == OTO_OK)
        status = build(out, &b);
    clear(&b);
    return status;
}

oto_status oto_lexicon_load(struct oto_lexicon **out, const char *path,
                            const struct oto_alphabet *alphabet, oto_error *err)
{
    struct oto_map map;
    *out = NULL;
    oto_status status = oto_map_open(&map, path, err);
    if (status != OTO_OK)
        return status;
    status = oto_lexicon_parse(out, map.data, map.size, path, alphabet, err);
    oto_map_close(&map);
    return status;
}

void oto_lexicon_destroy(struct oto_lexicon *lexicon)
{
    if (!lexicon)
        return;
    oto_free(lexicon->nodes);
    oto_free(lexicon->offsets);
    oto_free(lexicon->text);
    oto_free(lexicon);
}

void oto_lexicon_write(const struct oto_lexicon *lexicon, struct oto_writer *w)
{
    for (int32_t i = 0; i < lexicon->n_words; i++) {
        const char *word = oto_lexicon_word(lexicon, i);
        oto_write_bytes(w, word, strlen(word));
        oto_write_u8(w, '\n');
    }
}

int32_t oto_lexicon_search(const struct oto_lexicon *lexicon, int32_t node, int32_t label)
{
    const struct oto_lexicon_node *parent = &lexicon->nodes[node];
    int32_t low = parent->first_child, high = low + parent->n_children;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (lexicon->nodes[middle].label < label)
            low = middle + 1;
        else
            high = middle;
    }
    bool found =
        low < parent->first_child + parent->n_children && lexicon->nodes[low].label == label;
    return found ? low : OTO_LEXICON_NONE;
}
