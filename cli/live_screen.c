/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/live_screen.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

enum { MIN_WIDTH = 8, METER_CELLS = 5, METER_WIDTH = METER_CELLS + 3, METER_FROM = 20 };
#define METER_FLOOR_DB (-60.0)
#define GREY "\033[90m"
#define PLAIN "\033[0m"

const char oto_screen_restore[] = "\033[0m\033[?25h\n";

static void put(struct oto_writer *out, const char *text)
{
    oto_write_bytes(out, text, strlen(text));
}

/* Texts come from model files: a control character in one must not reach the terminal. */
static void put_text(struct oto_writer *out, const char *text, size_t n)
{
    for (size_t i = 0, m; i < n; i += m) {
        int32_t c = oto_utf8_next(text + i, &m);
        if (c < 0x20 || (c >= 0x7F && c < 0xA0)) /* also what is not UTF-8 */
            oto_write_u8(out, '?');
        else
            oto_write_bytes(out, text + i, m);
    }
}

/* ---- wrapping ---------------------------------------------------------------------------- */

/* A part of a text that fits one row. */
struct row {
    size_t begin, end;
    int width;
};

static int width_at(const char *text, size_t *n)
{
    int32_t code_point = oto_utf8_next(text, n);
    return code_point < 0xA0 ? 1 : oto_utf8_width(code_point); /* put_text() may write a '?' */
}

/* The row that begins at the byte given: whole words while they fit into so many columns, and as
 * much as fits of a word that is longer than a row. */
static struct row next_row(const char *text, size_t begin, int columns)
{
    struct row row = {begin, begin, 0};
    size_t at = begin, n;
    int width = 0;
    while (text[at] != 0) {
        int w = width_at(text + at, &n);
        if (width + w > columns) {
            if (row.end == begin) { /* no word has ended yet */
                row.end = at > begin ? at : at + n;
                row.width = at > begin ? width : w;
            }
            return row;
        }
        if (text[at] == ' ') {
            row.end = at;
            row.width = width;
        }
        width += w;
        at += n;
    }
    row.end = at;
    row.width = width;
    return row;
}

/* The last rows of a text; returns how many there are of them. */
static int last_rows(struct row *rows, const char *text, int columns)
{
    int n = 0;
    for (size_t at = 0; text[at] != 0;) {
        struct row row = next_row(text, at, columns);
        if (n == OTO_SCREEN_ROWS)
            memmove(rows, rows + 1, (OTO_SCREEN_ROWS - 1) * sizeof *rows);
        else
            n++;
        rows[n - 1] = row;
        at = row.end;
        while (text[at] == ' ')
            at++;
    }
    return n;
}

/* ---- live area --------------------------------------------------------------------------- */

void oto_screen_open(struct oto_screen *s, struct oto_writer *out, int width, bool colour)
{
    *s = (struct oto_screen){.colour = colour};
    oto_screen_resize(s, width);
    put(out, "\033[?25l");
}

void oto_screen_resize(struct oto_screen *s, int width)
{
    s->width = width > MIN_WIDTH ? width : MIN_WIDTH;
}

/* Back to the first column of the live area's first row, everything from there on erased. A row
 * that is wider than the terminal has become since takes several lines. */
static void erase(struct oto_screen *s, struct oto_writer *out)
{
    int n_up = -1;
    for (int i = 0; i < s->n_rows; i++)
        n_up += s->row_width[i] > 0 ? (s->row_width[i] + s->width - 1) / s->width : 1;
    if (n_up > 0) {
        char text[16];
        snprintf(text, sizeof text, "\033[%dA", n_up);
        put(out, text);
    }
    put(out, "\r\033[J");
    s->n_rows = 0;
}

static void put_meter(struct oto_writer *out, const struct oto_screen_view *view)
{
    double part = 1 - view->level_db / METER_FLOOR_DB;
    int n = part > 0 ? (int)ceil(part * METER_CELLS) : 0; /* also for NaN and -inf */
    put(out, "[");
    for (int i = 0; i < METER_CELLS; i++)
        put(out, i >= n ? " " : view->clipped && i == METER_CELLS - 1 ? "!" : "#");
    put(out, "] ");
}

/* Bytes [begin, end) of the text, those from n_stable on in grey. */
static void put_live(struct oto_writer *out, const struct oto_screen *s, const char *text,
                     struct row row, size_t n_stable)
{
    size_t settled = n_stable < row.begin ? row.begin : n_stable < row.end ? n_stable : row.end;
    put_text(out, text + row.begin, settled - row.begin);
    if (settled == row.end)
        return;
    put(out, s->colour ? GREY : "");
    put_text(out, text + settled, row.end - settled);
    put(out, s->colour ? PLAIN : "");
}

void oto_screen_draw(struct oto_screen *s, struct oto_writer *out,
                     const struct oto_screen_view *view)
{
    struct row rows[OTO_SCREEN_ROWS] = {{0, 0, 0}};
    const char *text = view->text;
    const bool metered = s->width >= METER_FROM;
    const int indent = metered ? METER_WIDTH : 0;
    /* The last column stays free: some terminals wrap there. */
    int n = last_rows(rows, text, s->width - 1 - indent);
    erase(s, out);
    n = n > 0 ? n : 1;
    for (int i = 0; i < n; i++) {
        if (metered && i == 0)
            put_meter(out, view);
        for (int k = 0; k < indent && i > 0; k++)
            put(out, " ");
        put_live(out, s, text, rows[i], view->n_stable);
        put(out, i + 1 < n ? "\r\n" : "");
        s->row_width[i] = indent + rows[i].width;
    }
    s->n_rows = n;
}

/* ---- what stays -------------------------------------------------------------------------- */

static const char *colour_of(double confidence)
{
    return confidence < 0.5 ? "\033[31m" : confidence < 0.8 ? "\033[33m" : "";
}

static int text_width(const char *text)
{
    int width = 0;
    for (size_t n; *text != 0; text += n)
        width += width_at(text, &n);
    return width;
}

void oto_screen_print(struct oto_screen *s, struct oto_writer *out,
                      const struct oto_screen_word *words, size_t n)
{
    int column = 0;
    erase(s, out);
    for (size_t i = 0; i < n; i++) {
        const char *colour = s->colour ? colour_of(words[i].confidence) : "";
        int width = text_width(words[i].text);
        if (column > 0 && column + 1 + width >= s->width) {
            put(out, "\r\n");
            column = 0;
        }
        put(out, column > 0 ? " " : "");
        column += column > 0;
        put(out, colour);
        put_text(out, words[i].text, strlen(words[i].text));
        put(out, colour[0] != 0 ? PLAIN : "");
        column = (column + width) % s->width; /* of a word that the terminal wraps */
    }
    put(out, n > 0 ? "\r\n" : "");
}

void oto_screen_note(struct oto_screen *s, struct oto_writer *out, const char *text)
{
    erase(s, out);
    for (size_t at = 0; text[at] != 0; at += text[at] == ' ') {
        struct row row = next_row(text, at, s->width - 1);
        put(out, s->colour ? GREY : "");
        put_text(out, text + row.begin, row.end - row.begin);
        put(out, s->colour ? PLAIN : "");
        put(out, "\r\n");
        at = row.end;
    }
}

void oto_screen_close(struct oto_screen *s, struct oto_writer *out)
{
    erase(s, out);
    put(out, "\033[?25h");
}
