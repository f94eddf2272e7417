/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the errors of otolith eval are: confusions, and texts side by side. */
#include <string.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/eval.h"
#include "cli/json.h"
#include "decoder/confusions.h"

static oto_status count_confusions(struct oto_confusions *c, const struct oto_eval *e,
                                   oto_error *err)
{
    oto_status status = OTO_OK;
    for (size_t i = 0; i < e->n_items && status == OTO_OK; i++)
        if (e->items[i].err.status == OTO_OK)
            status = oto_confusions_add(c, e->items[i].ref, e->items[i].hyp, err);
    oto_confusions_sort(c);
    return status;
}

static size_t limit(const struct oto_confusions *c, const struct oto_eval *e)
{
    return c->n < (size_t)e->n_confusions ? c->n : (size_t)e->n_confusions;
}

oto_status oto_eval_write_confusions(FILE *out, const struct oto_eval *e, oto_error *err)
{
    struct oto_confusions c = {0};
    oto_status status = count_confusions(&c, e, err);
    if (status == OTO_OK)
        fputs("\ncount  said -> heard\n", out);
    for (size_t i = 0; status == OTO_OK && i < limit(&c, e); i++) {
        const struct oto_confusion *x = &c.list[i];
        fprintf(out, "%5llu  %s -> %s\n", (unsigned long long)x->count,
                x->ref[0] ? x->ref : "(nothing)", x->hyp[0] ? x->hyp : "(nothing)");
    }
    oto_confusions_clear(&c);
    return status;
}

oto_status oto_eval_write_json_confusions(FILE *out, const struct oto_eval *e, oto_error *err)
{
    struct oto_confusions c = {0};
    oto_status status = count_confusions(&c, e, err);
    fputs(",\"confusions\":[", out);
    for (size_t i = 0; status == OTO_OK && i < limit(&c, e); i++) {
        fputs(i > 0 ? ",{\"ref\":" : "{\"ref\":", out);
        oto_json_text(out, c.list[i].ref);
        fputs(",\"hyp\":", out);
        oto_json_text(out, c.list[i].hyp);
        fprintf(out, ",\"count\":%llu}", (unsigned long long)c.list[i].count);
    }
    fputs("]", out);
    oto_confusions_clear(&c);
    return status;
}

/* ---- side by side ------------------------------------------------------------------------ */

static int text_width(const char *text, size_t length)
{
    int width = 0;
    size_t n;
    for (size_t i = 0; i < length; i += n)
        width += oto_utf8_width(oto_utf8_next(text + i, &n));
    return width;
}

/* A word and the spaces up to the next column; stars as wide as the other word where there is
 * none. */
static void write_cell(struct oto_writer *w, const char *word, size_t length, int other, int width)
{
    int used = word ? text_width(word, length) : other;
    if (word)
        oto_write_bytes(w, word, length);
    for (int i = 0; !word && i < other; i++)
        oto_write_u8(w, '*');
    for (; used <= width; used++)
        oto_write_u8(w, ' ');
}

static void write_text(struct oto_writer *w, const char *text)
{
    oto_write_bytes(w, text, strlen(text));
}

/* The three lines of one utterance, in columns. */
static void write_rows(struct oto_writer *w, const struct oto_edit_pair *pairs, size_t n)
{
    static const char *const titles[] = {"REF:  ", "HYP:  ", "Eval: "};
    static const char marks[] = " SID"; /* by enum oto_edit_op */
    for (int row = 0; row < 3; row++) {
        write_text(w, titles[row]);
        for (size_t i = 0; i < n; i++) {
            const struct oto_edit_pair *p = &pairs[i];
            int ref = text_width(p->ref, p->ref_length), hyp = text_width(p->hyp, p->hyp_length);
            int width = ref > hyp ? ref : hyp;
            if (row == 0)
                write_cell(w, p->ref, p->ref_length, hyp, width);
            else if (row == 1)
                write_cell(w, p->hyp, p->hyp_length, ref, width);
            else
                write_cell(w, &marks[p->op], 1, 0, width);
        }
        oto_write_u8(w, '\n');
    }
}

static oto_status write_alignment(struct oto_writer *w, const struct oto_eval_item *item,
                                  oto_error *err)
{
    struct oto_edit_pair *pairs;
    const struct oto_errors *e = &item->words;
    char scores[128];
    size_t n;
    oto_status status = oto_edit_align(&pairs, &n, item->ref, item->hyp, err);
    if (status != OTO_OK)
        return status;
    snprintf(scores, sizeof scores, "\nScores: (#C #S #D #I) %llu %llu %llu %llu\n",
             (unsigned long long)(e->n_ref - e->substitutions - e->deletions),
             (unsigned long long)e->substitutions, (unsigned long long)e->deletions,
             (unsigned long long)e->insertions);
    write_text(w, "id: ");
    write_text(w, item->utterance->id);
    write_text(w, scores);
    write_rows(w, pairs, n);
    write_text(w, "\n");
    oto_free(pairs);
    return OTO_OK;
}

oto_status oto_eval_save_alignments(const struct oto_eval *e, const char *path, oto_error *err)
{
    struct oto_writer w = {0};
    oto_status status = OTO_OK;
    for (size_t i = 0; i < e->n_items && status == OTO_OK; i++)
        if (e->items[i].err.status == OTO_OK)
            status = write_alignment(&w, &e->items[i], err);
    if (status == OTO_OK)
        status = w.failed ? oto_fail_memory(err, "alignments")
                          : oto_atomic_save(path, w.data, w.size, err);
    oto_writer_clear(&w);
    return status;
}
