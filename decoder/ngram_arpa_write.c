/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "decoder/ngram.h"

#define BUFFER 65536

struct arpa_file {
    const struct oto_sink *sink;
    const struct oto_ngram *m;
    int k; /* order that is written */
    char buffer[BUFFER];
    size_t n;
};

static oto_status flush(struct arpa_file *f, oto_error *err)
{
    size_t n = f->n;
    f->n = 0;
    return f->sink->write(f->sink->arg, f->buffer, n, err);
}

static oto_status put(struct arpa_file *f, const char *text, size_t n, oto_error *err)
{
    while (n > 0) {
        size_t room = BUFFER - f->n, now = n < room ? n : room;
        memcpy(f->buffer + f->n, text, now);
        f->n += now;
        text += now;
        n -= now;
        if (f->n == BUFFER) {
            oto_status status = flush(f, err);
            if (status != OTO_OK)
                return status;
        }
    }
    return OTO_OK;
}

/* Nine digits bring a float back exactly; the point is one in every locale. */
static size_t format_number(char text[40], char before, double v, char after)
{
    size_t n = 0;
    if (before != 0)
        text[n++] = before;
    n += (size_t)snprintf(text + n, 32, "%.9g", v);
    for (size_t i = 0; i < n; i++) {
        if (text[i] == ',')
            text[i] = '.';
    }
    text[n++] = after;
    return n;
}

static oto_status put_ngram(void *arg, uint32_t node, const uint32_t *words, oto_error *err)
{
    struct arpa_file *f = arg;
    const struct oto_ngram_level *l = &f->m->levels[f->k - 1];
    char number[40];
    oto_status status = put(f, number, format_number(number, 0, (double)l->log_p[node], '\t'), err);
    for (int i = 0; status == OTO_OK && i < f->k; i++) {
        const char *word = oto_words_text(&f->m->words, words[i]);
        status = put(f, " ", i > 0, err);
        if (status == OTO_OK)
            status = put(f, word, strlen(word), err);
    }
    /* A back-off of 0 may be left out, but some readers want it where there are continuations. */
    if (status == OTO_OK && l->backoff != NULL &&
        (l->children[node + 1] > l->children[node] || fabsf(l->backoff[node]) > 0))
        return put(f, number, format_number(number, '\t', (double)l->backoff[node], '\n'), err);
    return status == OTO_OK ? put(f, "\n", 1, err) : status;
}

static oto_status put_all(struct arpa_file *f, oto_error *err)
{
    char line[64];
    oto_status status = put(f, "\\data\\\n", 7, err);
    for (int k = 1; status == OTO_OK && k <= f->m->order; k++) {
        int n = snprintf(line, sizeof line, "ngram %d=%zu\n", k, f->m->levels[k - 1].n);
        status = put(f, line, (size_t)n, err);
    }
    for (int k = 1; status == OTO_OK && k <= f->m->order; k++) {
        int n = snprintf(line, sizeof line, "\n\\%d-grams:\n", k);
        status = put(f, line, (size_t)n, err);
        f->k = k;
        if (status == OTO_OK)
            status = oto_ngram_visit(f->m, k, put_ngram, f, err);
    }
    if (status == OTO_OK)
        status = put(f, "\n\\end\\\n", 7, err);
    return status == OTO_OK ? flush(f, err) : status;
}

oto_status oto_ngram_write_arpa(const struct oto_ngram *m, const struct oto_sink *sink,
                                oto_error *err)
{
    struct arpa_file f = {.sink = sink, .m = m};
    return put_all(&f, err);
}
