/* SPDX-License-Identifier: BSD-2-Clause */
#include "decoder/edit_distance.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/** A word while words are numbered. */
struct word {
    const char *text;
    size_t length, position;
};

/** Lowest cost of aligning two beginnings, and the deletions on the way. Substitutions and
 * insertions follow from them. */
struct cell {
    uint64_t cost, deletions;
};

struct costs {
    uint64_t substitution, gap; /* gap: insertion or deletion */
};

/** Finds the next word at or after *s: its length, or 0 at the end. */
static size_t next_word(const char **s)
{
    size_t n, length = 0;
    for (int32_t c; (c = oto_utf8_next(*s, &n)) != 0 && oto_utf8_is_space(c);)
        *s += n;
    for (int32_t c; (c = oto_utf8_next(*s + length, &n)) != 0 && !oto_utf8_is_space(c);)
        length += n;
    return length;
}

static size_t count_words(const char *s)
{
    size_t n = 0;
    for (size_t length; (length = next_word(&s)) > 0; s += length)
        n++;
    return n;
}

static size_t list_words(struct word *out, const char *s, size_t position)
{
    size_t n = 0;
    for (size_t length; (length = next_word(&s)) > 0; s += length, n++)
        out[n] = (struct word){s, length, position + n};
    return n;
}

static int compare_words(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return memcmp(x->text, y->text, x->length);
}

/** Words of both texts as numbers, equal words equal numbers: units[0..n_ref) and
 * units[n_ref..n_ref+n_hyp). */
static oto_status number_words(int32_t **units, size_t *n_ref, size_t *n_hyp, const char *ref,
                               const char *hyp, oto_error *err)
{
    *n_ref = count_words(ref);
    *n_hyp = count_words(hyp);
    size_t n = *n_ref + *n_hyp;
    struct word *words = oto_calloc(n, sizeof *words);
    *units = n < INT32_MAX ? oto_calloc(n, sizeof **units) : NULL;
    if (!words || !*units) {
        oto_free(words);
        return oto_fail_memory(err, "words to compare");
    }
    list_words(words, ref, 0);
    list_words(words + *n_ref, hyp, *n_ref);
    qsort(words, n, sizeof *words, compare_words);
    int32_t number = 0;
    for (size_t i = 0; i < n; i++) {
        number += i > 0 && compare_words(&words[i - 1], &words[i]) != 0;
        (*units)[words[i].position] = number;
    }
    oto_free(words);
    return OTO_OK;
}

/** Code points of one text, white space collapsed and trimmed; returns their number. */
static size_t list_characters(int32_t *out, const char *s)
{
    size_t n_out = 0, n;
    bool space = false;
    for (int32_t c; (c = oto_utf8_next(s, &n)) != 0; s += n) {
        if (oto_utf8_is_space(c)) {
            space = n_out > 0;
            continue;
        }
        if (space)
            out[n_out++] = ' ';
        space = false;
        out[n_out++] = c;
    }
    return n_out;
}

static oto_status number_characters(int32_t **units, size_t *n_ref, size_t *n_hyp, const char *ref,
                                    const char *hyp, oto_error *err)
{
    *units = oto_calloc(oto_utf8_length(ref) + oto_utf8_length(hyp), sizeof **units);
    if (!*units)
        return oto_fail_memory(err, "characters to compare");
    *n_ref = list_characters(*units, ref);
    *n_hyp = list_characters(*units + *n_ref, hyp);
    return OTO_OK;
}

/**
 * One row of the table: cells of hyp[0..j] against every beginning of ref, from those of hyp[0..j).
 * Among equal costs the diagonal wins, then the insertion, then the deletion.
 * @param ops  [n_ref + 1] what each cell ends with (enum oto_edit_op), or NULL
 */
static void next_row(struct cell *row, unsigned char *ops, const int32_t *ref, size_t n_ref,
                     int32_t unit, struct costs costs)
{
    struct cell diagonal = row[0];
    row[0].cost += costs.gap; /* an insertion before all of ref */
    if (ops)
        ops[0] = OTO_EDIT_INSERTION;
    for (size_t i = 1; i <= n_ref; i++) {
        struct cell best = {diagonal.cost + (ref[i - 1] == unit ? 0 : costs.substitution),
                            diagonal.deletions};
        struct cell insertion = {row[i].cost + costs.gap, row[i].deletions};
        struct cell deletion = {row[i - 1].cost + costs.gap, row[i - 1].deletions + 1};
        enum oto_edit_op op = ref[i - 1] == unit ? OTO_EDIT_MATCH : OTO_EDIT_SUBSTITUTION;
        if (best.cost > deletion.cost || best.cost > insertion.cost) {
            op = deletion.cost < insertion.cost ? OTO_EDIT_DELETION : OTO_EDIT_INSERTION;
            best = op == OTO_EDIT_DELETION ? deletion : insertion;
        }
        diagonal = row[i];
        row[i] = best;
        if (ops)
            ops[i] = (unsigned char)op;
    }
}

static void first_row(struct cell *row, size_t n_ref, struct costs costs)
{
    for (size_t i = 0; i <= n_ref; i++)
        row[i] = (struct cell){i * costs.gap, i};
}

static oto_status count(struct oto_errors *sum, const int32_t *ref, size_t n_ref,
                        const int32_t *hyp, size_t n_hyp, struct costs costs, oto_error *err)
{
    struct cell *row = oto_calloc(n_ref + 1, sizeof *row);
    if (!row)
        return oto_fail_memory(err, "alignment");
    first_row(row, n_ref, costs);
    for (size_t j = 0; j < n_hyp; j++)
        next_row(row, NULL, ref, n_ref, hyp[j], costs);
    struct cell end = row[n_ref];
    oto_free(row);
    uint64_t insertions = end.deletions + n_hyp - n_ref;
    sum->n_ref += n_ref;
    sum->n_hyp += n_hyp;
    sum->substitutions +=
        (end.cost - costs.gap * (insertions + end.deletions)) / costs.substitution;
    sum->insertions += insertions;
    sum->deletions += end.deletions;
    return OTO_OK;
}

/** Walks back from the end; *pairs has room for n_ref + n_hyp, the last n are used. */
static size_t walk_back(struct oto_edit_pair *pairs, const unsigned char *ops,
                        const struct word *ref, size_t n_ref, const struct word *hyp, size_t n_hyp)
{
    size_t i = n_ref, j = n_hyp, n = 0, room = n_ref + n_hyp;
    while (i > 0 || j > 0) {
        enum oto_edit_op op =
            j > 0 ? (enum oto_edit_op)ops[(j - 1) * (n_ref + 1) + i] : OTO_EDIT_DELETION;
        struct oto_edit_pair *pair = &pairs[room - ++n];
        *pair = (struct oto_edit_pair){.op = op};
        if (op != OTO_EDIT_INSERTION) {
            i--;
            pair->ref = ref[i].text;
            pair->ref_length = ref[i].length;
        }
        if (op != OTO_EDIT_DELETION) {
            j--;
            pair->hyp = hyp[j].text;
            pair->hyp_length = hyp[j].length;
        }
    }
    return n;
}

static oto_status check_text(const char *text, const char *which, oto_error *err)
{
    ptrdiff_t bad = oto_utf8_invalid_at(text);
    if (bad >= 0)
        return oto_fail(err, OTO_ERR_DATA, "%s: invalid UTF-8 at byte %td", which, bad);
    return OTO_OK;
}

oto_status oto_edit_add(struct oto_errors *sum, const char *ref, const char *hyp,
                        enum oto_edit_unit unit, oto_error *err)
{
    int32_t *units = NULL;
    size_t n_ref = 0, n_hyp = 0;
    oto_status status = check_text(ref, "reference", err);
    if (!status)
        status = check_text(hyp, "hypothesis", err);
    if (status)
        return status;
    if (unit == OTO_EDIT_WORDS)
        status = number_words(&units, &n_ref, &n_hyp, ref, hyp, err);
    else
        status = number_characters(&units, &n_ref, &n_hyp, ref, hyp, err);
    if (!status)
        status = count(sum, units, n_ref, units + n_ref, n_hyp,
                       unit == OTO_EDIT_WORDS ? (struct costs){4, 3} : (struct costs){1, 1}, err);
    oto_free(units);
    return status;
}

oto_status oto_edit_align(struct oto_edit_pair **pairs, size_t *n_pairs, const char *ref,
                          const char *hyp, oto_error *err)
{
    static const struct costs costs = {4, 3};
    int32_t *units = NULL;
    size_t n_ref, n_hyp, n_cells = 0;
    *pairs = NULL;
    *n_pairs = 0;
    oto_status status = check_text(ref, "reference", err);
    if (!status)
        status = check_text(hyp, "hypothesis", err);
    if (!status)
        status = number_words(&units, &n_ref, &n_hyp, ref, hyp, err);
    if (status) {
        oto_free(units);
        return status;
    }
    bool fits = oto_mul_size(n_ref + 1, n_hyp + 1, &n_cells) && n_cells <= INT32_MAX;
    struct word *words = oto_calloc(n_ref + n_hyp + 1, sizeof *words);
    struct cell *row = oto_calloc(n_ref + 1, sizeof *row);
    unsigned char *ops = fits ? oto_calloc(n_cells, 1) : NULL;
    struct oto_edit_pair *room = oto_calloc(n_ref + n_hyp + 1, sizeof *room);
    if (words && row && ops && room) {
        list_words(words, ref, 0);
        list_words(words + n_ref, hyp, n_ref);
        first_row(row, n_ref, costs);
        for (size_t j = 0; j < n_hyp; j++)
            next_row(row, ops + j * (n_ref + 1), units, n_ref, units[n_ref + j], costs);
        size_t n = walk_back(room, ops, words, n_ref, words + n_ref, n_hyp);
        memmove(room, room + (n_ref + n_hyp - n), n * sizeof *room);
        *pairs = room;
        *n_pairs = n;
    } else {
        status = oto_fail_memory(err, "alignment");
        oto_free(room);
    }
    oto_free(ops);
    oto_free(row);
    oto_free(words);
    oto_free(units);
    return status;
}

double oto_error_rate(const struct oto_errors *e)
{
    uint64_t errors = e->substitutions + e->insertions + e->deletions;
    return (double)errors / (double)(e->n_ref > 0 ? e->n_ref : 1);
}
