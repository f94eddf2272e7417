/* SPDX-License-Identifier: BSD-2-Clause */
/* ARPA files: \data\ with the number of n-grams of each order, then \1-grams:, \2-grams:, ..., each
 * line a log10 probability, the words, and a log10 back-off that may be left out; then \end\. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "decoder/ngram.h"

#define MISSING_UNKNOWN (-100.0f)

struct arpa {
    struct oto_lines *in;
    struct oto_ngram *m;
    struct oto_ngram_records records[OTO_LM_MAX_ORDER];
    unsigned long long counts[OTO_LM_MAX_ORDER]; /* as \data\ says */
    int order;
    char *line; /* the current one, NULL at the end */
};

#define AT(a) oto_lines_name((a)->in), oto_lines_number((a)->in)

/* ---- lines and tokens -------------------------------------------------------------------- */

static oto_status next_line(struct arpa *a, oto_error *err)
{
    size_t n;
    oto_status status = oto_lines_next(a->in, &a->line, &n, err);
    if (status == OTO_OK && a->line != NULL && strlen(a->line) != n)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: NUL byte, expected text", AT(a));
    return status;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Next token, cut off in place; NULL at the end. */
static char *token(char **at, size_t *n)
{
    char *start = *at;
    while (is_blank(*start))
        start++;
    if (*start == 0)
        return NULL;
    char *end = start;
    while (*end != 0 && !is_blank(*end))
        end++;
    *n = (size_t)(end - start);
    *at = *end != 0 ? end + 1 : end;
    *end = 0;
    return start;
}

static oto_status next_filled_line(struct arpa *a, oto_error *err)
{
    oto_status status;
    do {
        status = next_line(a, err);
    } while (status == OTO_OK && a->line != NULL && a->line[strspn(a->line, " \t\r")] == 0);
    return status;
}

/* A decimal number, whatever the locale's point is. Fifteen digits count. */
static bool parse_number(const char *s, float *out)
{
    const bool negative = *s == '-';
    double mantissa = 0;
    int exponent = 0, n_digits = 0;
    bool point = false;
    s += *s == '-' || *s == '+';
    for (; (*s >= '0' && *s <= '9') || (*s == '.' && !point); s++) {
        if (*s == '.') {
            point = true;
            continue;
        }
        n_digits++;
        if (mantissa < 1e15) {
            mantissa = 10 * mantissa + (*s - '0');
            exponent -= point;
        } else {
            exponent += !point;
        }
    }
    if (n_digits == 0 || n_digits > 400)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        const bool down = *s == '-';
        int e = 0;
        s += *s == '-' || *s == '+';
        if (*s < '0' || *s > '9')
            return false;
        for (; *s >= '0' && *s <= '9'; s++)
            e = e < 10000 ? 10 * e + (*s - '0') : e;
        exponent += down ? -e : e;
    }
    if (*s != 0)
        return false;
    double v = exponent < 0 ? mantissa / pow(10, -exponent) : mantissa * pow(10, exponent);
    v = negative ? -v : v;
    if (!isfinite(v) || fabs(v) > 1e6) /* no logarithm of a probability */
        return false;
    *out = (float)v;
    return true;
}

/* ---- \data\ ------------------------------------------------------------------------------ */

static oto_status read_count(struct arpa *a, const char *text, oto_error *err)
{
    unsigned long long order = 0, count = 0;
    const char *s = text;
    for (; *s >= '0' && *s <= '9' && order < 1000; s++)
        order = 10 * order + (unsigned)(*s - '0');
    s += strspn(s, " \t");
    bool good = *s == '=' && order > 0;
    s += good;
    s += strspn(s, " \t");
    good = good && *s >= '0' && *s <= '9';
    for (; *s >= '0' && *s <= '9' && count < OTO_NGRAM_MAX; s++)
        count = 10 * count + (unsigned)(*s - '0');
    s += strspn(s, " \t\r");
    if (!good || *s != 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:%zu: found 'ngram %.60s', expected 'ngram ORDER=COUNT'", AT(a), text);
    if (order > OTO_LM_MAX_ORDER)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: order %llu, this build reads up to %d", AT(a),
                        order, OTO_LM_MAX_ORDER);
    if (order != (unsigned)a->order + 1)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: found order %llu, expected order %d", AT(a),
                        order, a->order + 1);
    if (count > OTO_NGRAM_MAX)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: too many n-grams: %llu", AT(a), count);
    a->counts[a->order++] = count;
    return OTO_OK;
}

/* Leaves the first line behind the counts in a->line. */
static oto_status read_head(struct arpa *a, oto_error *err)
{
    oto_status status;
    do {
        status = next_filled_line(a, err);
        if (status != OTO_OK)
            return status;
        if (a->line == NULL)
            return oto_fail(err, OTO_ERR_FORMAT,
                            "%s:%zu: no line \\data\\: not an ARPA file, nor a binary language "
                            "model",
                            AT(a));
    } while (strncmp(a->line, "\\data\\", 6) != 0);
    for (;;) {
        status = next_filled_line(a, err);
        if (status != OTO_OK)
            return status;
        if (a->line == NULL || strncmp(a->line, "ngram", 5) != 0 || !is_blank(a->line[5]))
            break;
        status = read_count(a, a->line + 5 + strspn(a->line + 5, " \t"), err);
        if (status != OTO_OK)
            return status;
    }
    if (a->order == 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: expected 'ngram 1=COUNT' after \\data\\",
                        AT(a));
    return OTO_OK;
}

/* ---- n-grams ----------------------------------------------------------------------------- */

static oto_status read_unigram_word(struct arpa *a, const char *word, size_t n, uint32_t *number,
                                    oto_error *err)
{
    if (oto_utf8_invalid_at(word) >= 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: word '%.80s' is not valid UTF-8", AT(a),
                        word);
    if (strcmp(word, "<UNK>") == 0) {
        word = "<unk>";
        n = 5;
    }
    const uint32_t n_before = a->m->words.n;
    if (!oto_words_add(&a->m->words, word, n, number))
        return oto_fail_memory(err, "vocabulary");
    if (a->m->words.n == n_before)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: word '%.80s' is there twice", AT(a), word);
    return OTO_OK;
}

static oto_status read_word(struct arpa *a, int k, const char *word, size_t n, uint32_t *number,
                            oto_error *err)
{
    if (k == 1)
        return read_unigram_word(a, word, n, number, err);
    *number = oto_words_find(&a->m->words, word, n);
    if (*number == OTO_WORDS_NONE && strcmp(word, "<UNK>") == 0)
        *number = OTO_LM_UNKNOWN;
    if (*number == OTO_WORDS_NONE)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: word '%.80s' is not among the 1-grams", AT(a),
                        word);
    return OTO_OK;
}

static oto_status read_ngram(struct arpa *a, int k, oto_error *err)
{
    char *at = a->line;
    size_t n = 0;
    float log_p = 0, backoff = 0;
    uint32_t words[OTO_LM_MAX_ORDER];
    const char *text = token(&at, &n);
    if (text == NULL || !parse_number(text, &log_p))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:%zu: found '%.40s', expected the logarithm of a probability", AT(a),
                        text == NULL ? "" : text);
    if (log_p > 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:%zu: found '%.40s', but no logarithm of a probability is positive",
                        AT(a), text);
    for (int i = 0; i < k; i++) {
        const char *word = token(&at, &n);
        if (word == NULL)
            return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: %d words, expected %d", AT(a), i, k);
        oto_status status = read_word(a, k, word, n, &words[i], err);
        if (status != OTO_OK)
            return status;
    }
    text = token(&at, &n);
    if (text != NULL && (!parse_number(text, &backoff) || token(&at, &n) != NULL))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:%zu: found '%.40s' after %d words, expected a back-off or the line's "
                        "end",
                        AT(a), text, k);
    if (k == a->order && text != NULL && fabsf(backoff) > 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s:%zu: back-off %.40s in the highest order, expected none", AT(a), text);
    if (!oto_ngram_record_add(&a->records[k - 1], words, oto_ngram_bits(log_p),
                              oto_ngram_bits(backoff)))
        return oto_fail_memory(err, "n-grams");
    return OTO_OK;
}

/* The section of one order; its title is in a->line, and what follows it is afterwards. */
static oto_status read_section(struct arpa *a, int k, oto_error *err)
{
    char title[24];
    snprintf(title, sizeof title, "\\%d-grams:", k);
    if (a->line == NULL || strncmp(a->line, title, strlen(title)) != 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: found %s%.60s, expected %s", AT(a),
                        a->line == NULL ? "the file's end" : "", a->line == NULL ? "" : a->line,
                        title);
    for (unsigned long long i = 0;; i++) {
        oto_status status = next_filled_line(a, err);
        if (status != OTO_OK)
            return status;
        if (a->line == NULL || a->line[0] == '\\') {
            if (i == a->counts[k - 1])
                return OTO_OK;
            return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: %llu %d-grams, \\data\\ said %llu", AT(a),
                            i, k, a->counts[k - 1]);
        }
        if (i == a->counts[k - 1])
            return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: more than the %llu %d-grams of \\data\\",
                            AT(a), a->counts[k - 1], k);
        status = read_ngram(a, k, err);
        if (status != OTO_OK)
            return status;
    }
}

/* After the unigrams: the unknown word, and final numbers. */
static oto_status settle_words(struct arpa *a, oto_error *err)
{
    struct oto_ngram_records *r = &a->records[0];
    struct oto_words *words = &a->m->words;
    uint32_t number = oto_words_find(words, "<unk>", 5);
    if (number == OTO_WORDS_NONE &&
        (!oto_words_add(words, "<unk>", 5, &number) ||
         !oto_ngram_record_add(r, &number, oto_ngram_bits(MISSING_UNKNOWN), oto_ngram_bits(0))))
        return oto_fail_memory(err, "vocabulary");
    uint32_t *new_of = oto_calloc(words->n, sizeof *new_of);
    if (new_of == NULL || !oto_words_sort(words, new_of)) {
        oto_free(new_of);
        return oto_fail_memory(err, "vocabulary");
    }
    for (size_t i = 0; i < r->n; i++)
        r->data[3 * i] = new_of[r->data[3 * i]];
    oto_free(new_of);
    return OTO_OK;
}

static oto_status read_all(struct arpa *a, oto_error *err)
{
    oto_status status = read_head(a, err);
    for (int k = 1; status == OTO_OK && k <= a->order; k++) {
        status = read_section(a, k, err);
        if (status == OTO_OK && k == 1)
            status = settle_words(a, err);
    }
    if (status != OTO_OK)
        return status;
    if (a->line == NULL || strncmp(a->line, "\\end\\", 5) != 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s:%zu: found %s%.60s, expected \\end\\", AT(a),
                        a->line == NULL ? "the file's end" : "", a->line == NULL ? "" : a->line);
    return oto_ngram_set_levels(a->m, a->records, a->order, oto_lines_name(a->in), err);
}

oto_status oto_ngram_read_arpa(struct oto_ngram **out, struct oto_lines *in, oto_error *err)
{
    struct arpa a = {.in = in, .m = oto_ngram_create()};
    oto_status status;
    *out = NULL;
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++)
        a.records[k].k = k + 1;
    if (a.m == NULL) {
        status = oto_fail_memory(err, "language model");
        goto out;
    }
    status = read_all(&a, err);
    if (status == OTO_OK) {
        *out = a.m;
        a.m = NULL;
    }
out:
    for (int k = 0; k < OTO_LM_MAX_ORDER; k++)
        oto_ngram_records_clear(&a.records[k]);
    oto_ngram_destroy(a.m);
    return status;
}
