/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person sees of the bytes: they are read by a small terminal, which knows the few sequences
 * that may occur and fails at any other. */
#include "unit.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>

#include "base/utf8.h"
#include "cli/live_screen.h"

enum { ROWS = 40, COLUMNS = 100 };

struct cell {
    char text[5]; /* UTF-8; "" for the right half of a wide character */
    char colour;  /* ' ' plain, 'g' grey, 'r' red, 'y' yellow */
};

struct emulator {
    int width, row, column;
    char colour;
    bool cursor;
    struct cell cells[ROWS][COLUMNS];
};

static struct emulator term;
static struct oto_screen screen;
static struct oto_writer bytes;

static void clear(int row, int column)
{
    for (int c = column; c < COLUMNS; c++)
        term.cells[row][c] = (struct cell){" ", ' '};
}

static void start(int width, bool colour)
{
    term = (struct emulator){.width = width, .colour = ' ', .cursor = true};
    for (int r = 0; r < ROWS; r++)
        clear(r, 0);
    bytes.size = 0;
    oto_screen_open(&screen, &bytes, width, colour);
}

/* The sequence behind ESC [. */
static const char *control(const char *p, const char *end)
{
    char parameters[16] = "";
    size_t n = 0;
    while (p < end && !isalpha((unsigned char)*p) && n + 1 < sizeof parameters)
        parameters[n++] = *p++;
    parameters[n] = 0;
    assert_true(p < end);
    if (*p == 'A') {
        term.row -= atoi(parameters);
        assert_true(term.row >= 0);
    } else if (*p == 'J' && n == 0) {
        clear(term.row, term.column);
        for (int r = term.row + 1; r < ROWS; r++)
            clear(r, 0);
    } else if (*p == 'm') {
        const char *known[] = {"0", "90", "31", "33"};
        for (int i = 0; i < 4; i++)
            term.colour = strcmp(parameters, known[i]) == 0 ? " gry"[i] : term.colour;
    } else if ((*p == 'l' || *p == 'h') && strcmp(parameters, "?25") == 0) {
        term.cursor = *p == 'h';
    } else {
        fail_msg("unexpected sequence ESC [ %s %c", parameters, *p);
    }
    return p + 1;
}

static size_t put(const char *p)
{
    size_t n;
    int32_t code_point = oto_utf8_next(p, &n);
    assert_true(code_point >= 0x20 && code_point != 0x7F);
    int w = oto_utf8_width(code_point);
    if (w == 0) /* combines with what is there */
        return n;
    if (term.column + w > term.width) { /* the terminal wraps by itself */
        term.row++;
        term.column = 0;
    }
    assert_true(term.row < ROWS);
    struct cell *cell = &term.cells[term.row][term.column];
    memset(cell->text, 0, sizeof cell->text);
    memcpy(cell->text, p, n);
    cell->colour = term.colour;
    if (w == 2)
        cell[1].text[0] = 0;
    term.column += w;
    return n;
}

/* Shows what was written since the last time. */
static void show(void)
{
    oto_write_u8(&bytes, 0);
    assert_false(bytes.failed);
    const char *p = (const char *)bytes.data, *end = p + bytes.size - 1;
    while (p < end) {
        if (p[0] == '\033') {
            assert_int_equal(p[1], '[');
            p = control(p + 2, end);
        } else if (*p == '\r') {
            term.column = 0;
            p++;
        } else if (*p == '\n') {
            term.row++;
            p++;
        } else {
            p += put(p);
        }
    }
    bytes.size = 0;
}

/* A row without the spaces at its end, in the colour given or in all. */
static const char *row(int r, char colour)
{
    static char text[5 * COLUMNS];
    size_t n = 0;
    text[0] = 0;
    for (int c = 0; c < COLUMNS; c++) {
        const struct cell *cell = &term.cells[r][c];
        const char *shown = colour == 0 || cell->colour == colour ? cell->text : " ";
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", shown);
    }
    while (n > 0 && text[n - 1] == ' ')
        text[--n] = 0;
    return text;
}

static void draw(const char *text, size_t n_stable, double level_db)
{
    const struct oto_screen_view view = {text, n_stable, level_db, false};
    oto_screen_draw(&screen, &bytes, &view);
    show();
}

static void test_live_area(void **state)
{
    (void)state;
    start(80, true);
    draw("", 0, -INFINITY);
    assert_false(term.cursor);
    assert_string_equal(row(0, 0), "[     ]");
    draw("and so it", 4, -30);
    assert_string_equal(row(0, 0), "[###  ] and so it");
    assert_string_equal(row(0, 'g'), "            so it");
    draw("and", 0, 0);
    assert_string_equal(row(0, 0), "[#####] and"); /* what was longer is gone */
    draw("and so", 6, -59);
    assert_string_equal(row(0, 'g'), "");
    assert_string_equal(row(0, 0), "[#    ] and so");
    draw("and", 3, NAN);
    assert_string_equal(row(0, 0), "[     ] and");
    const struct oto_screen_view clipped = {"", 0, 0, true};
    oto_screen_draw(&screen, &bytes, &clipped);
    show();
    assert_string_equal(row(0, 0), "[####!]");
    oto_screen_close(&screen, &bytes);
    show();
    assert_true(term.cursor);
    assert_string_equal(row(0, 0), "");
    assert_int_equal(term.row, 0);
}

/* Rows grow, shrink and scroll inside the area; what is above stays. */
static void test_rows(void **state)
{
    (void)state;
    static const char text[] = "one two three four five six seven eight nine ten eleven twelve "
                               "thirteen fourteen fifteen sixteen";
    start(40, true);
    oto_screen_note(&screen, &bytes, "Listening");
    draw(text, 18, -30);
    assert_string_equal(row(0, 0), "Listening");
    assert_string_equal(row(1, 0), "[###  ] one two three four five six");
    assert_string_equal(row(1, 'g'), "                           five six");
    assert_string_equal(row(2, 0), "        seven eight nine ten eleven");
    assert_string_equal(row(3, 0), "        twelve thirteen fourteen");
    assert_string_equal(row(4, 0), "        fifteen sixteen");
    draw("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
         "sixteen seventeen",
         0, -30);
    assert_string_equal(row(0, 0), "Listening");
    assert_string_equal(row(1, 0), "[###  ] one two three four five six");
    assert_string_equal(row(4, 0), "        fifteen sixteen seventeen");
    assert_string_equal(row(5, 0), "");
    draw("short", 0, -30);
    assert_string_equal(row(1, 0), "[###  ] short");
    assert_string_equal(row(2, 0), "");
    assert_int_equal(term.row, 1);
}

static void test_more_than_fits(void **state)
{
    (void)state;
    char text[2000] = "";
    for (int i = 0; i < 100; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%sword%d", i > 0 ? " " : "", i);
    start(40, false);
    draw(text, 0, -30);
    assert_contains(row(OTO_SCREEN_ROWS - 1, 0), "word99");
    assert_string_equal(row(OTO_SCREEN_ROWS, 0), "");
    assert_int_equal(strncmp(row(0, 0), "[###  ] word", 12), 0);
    for (int r = 0; r < OTO_SCREEN_ROWS; r++)
        assert_true(strlen(row(r, 0)) < 40);
}

static void test_permanent(void **state)
{
    (void)state;
    const struct oto_screen_word words[] = {
        {"the", 0.9}, {"quick", 0.7}, {"brown", 0.3}, {"fox", NAN}, {"jumps", 1}};
    start(20, true);
    draw("the quick", 0, -30);
    oto_screen_print(&screen, &bytes, words, 5);
    show();
    assert_string_equal(row(0, 0), "the quick brown fox");
    assert_string_equal(row(0, 'y'), "    quick");
    assert_string_equal(row(0, 'r'), "          brown");
    assert_string_equal(row(0, 'g'), "");
    assert_string_equal(row(1, 0), "jumps");
    draw("next", 0, -30);
    assert_string_equal(row(2, 0), "[###  ] next");
    oto_screen_note(&screen, &bytes, "[0.5 s of sound lost]");
    show();
    assert_string_equal(row(1, 0), "jumps");
    assert_string_equal(row(2, 0), "[0.5 s of sound");
    assert_string_equal(row(3, 0), "lost]");
    oto_screen_print(&screen, &bytes, words, 0); /* nothing: no empty line */
    show();
    int at = term.row;
    draw("x", 0, -30);
    assert_int_equal(term.row, at);
    start(80, false);
    oto_screen_print(&screen, &bytes, words, 5);
    show();
    assert_string_equal(row(0, ' '), "the quick brown fox jumps");
}

/* Characters of two columns, of none, and words longer than a row. */
static void test_widths(void **state)
{
    (void)state;
    start(20, false);
    draw("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 0, -30);
    assert_string_equal(row(0, 0),
                        "[###  ] \xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E\xE6\x97\xA5\xE6\x9C\xAC");
    assert_string_equal(row(1, 0), "        \xE8\xAA\x9E");
    draw("abcdefghijklmnop q", 0, -30);
    assert_string_equal(row(0, 0), "[###  ] abcdefghijk");
    assert_string_equal(row(1, 0), "        lmnop q");
    start(12, false); /* too narrow for a meter */
    draw("e\xCC\x81t\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC now", 0, -30);
    assert_string_equal(row(0, 0), "et\xC3\xA9 \xE6\x97\xA5\xE6\x9C\xAC");
    assert_string_equal(row(1, 0), "now");
    start(1, false);
    draw("some words", 0, -30); /* as if there were eight columns: no endless loop */
}

/* The terminal becomes narrower: rows that it has wrapped are erased whole. */
static void test_resize(void **state)
{
    (void)state;
    start(60, false);
    oto_screen_note(&screen, &bytes, "above");
    draw("one two three four five six seven eight nine", 0, -30);
    assert_int_equal(term.row, 1);
    /* As a terminal does it: 52 columns on 30 are two lines, the cursor at the end of the second.
     */
    term.width = 30;
    term.row = 2;
    term.column = 22;
    oto_screen_resize(&screen, 30);
    draw("one", 0, -30);
    assert_string_equal(row(0, 0), "above");
    assert_string_equal(row(1, 0), "[###  ] one");
    assert_string_equal(row(2, 0), "");
}

/* No byte of a text is taken for a command by the terminal. */
static void test_hostile(void **state)
{
    (void)state;
    const struct oto_screen_word words[] = {{"a\033[2Jb\x7F", NAN},
                                            {"\xC2\x9B"
                                             "31mc",
                                             NAN}};
    start(60, false);
    draw("x\033]0;title\007y\r\nz", 0, -30);
    assert_string_equal(row(0, 0), "[###  ] x?]0;title?y??z");
    oto_screen_print(&screen, &bytes, words, 2);
    show();
    assert_string_equal(row(0, 0), "a?[2Jb? ?31mc");
    draw("\xFF\xFE", 0, -30); /* not UTF-8 */
    assert_string_equal(row(1, 0), "[###  ] ??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_area),      cmocka_unit_test(test_rows),
        cmocka_unit_test(test_more_than_fits), cmocka_unit_test(test_permanent),
        cmocka_unit_test(test_widths),         cmocka_unit_test(test_resize),
        cmocka_unit_test(test_hostile),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    oto_writer_clear(&bytes);
    return failed;
}
