/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * What `otolith live` writes to a terminal, as a function from state to bytes: finished words stay,
 * and below them a few rows are rewritten in place with a level meter and the words that may still
 * change. Knows nothing of files and terminals but the width.
 *
 *     so it was said                  permanent: colour by confidence
 *     [###  ] and now                 live: settled words plain, the others grey
 */
#ifndef OTO_CLI_LIVE_SCREEN_H
#define OTO_CLI_LIVE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum { OTO_SCREEN_ROWS = 4 }; /* of the live area at most: the end of a longer text is shown */

struct oto_screen {
    int width;   /* columns of the terminal */
    bool colour; /* also the grey of words that may change */
    /* The live area as it was drawn; the cursor stands at the end of its last row. */
    int n_rows, row_width[OTO_SCREEN_ROWS];
};

struct oto_screen_word {
    const char *text;
    double confidence; /* 0..1, or NAN: not known */
};

struct oto_screen_view {
    const char *text; /* of the utterance in work, "" for none */
    size_t n_stable;  /* bytes of text that stay */
    double level_db;  /* loudness against full scale */
    bool clipped;     /* the sound is cut off at full scale */
};

/** Hides the cursor. width below 8 counts as 8. */
void oto_screen_open(struct oto_screen *s, struct oto_writer *out, int width, bool colour);
/** The terminal has another width now: what is drawn may have been wrapped anew. */
void oto_screen_resize(struct oto_screen *s, int width);
/** The live area, in place of what it was. */
void oto_screen_draw(struct oto_screen *s, struct oto_writer *out,
                     const struct oto_screen_view *view);
/** Words that stay, wrapped between words; the live area is empty then. */
void oto_screen_print(struct oto_screen *s, struct oto_writer *out,
                      const struct oto_screen_word *words, size_t n);
/** A remark that stays, in lines of its own. */
void oto_screen_note(struct oto_screen *s, struct oto_writer *out, const char *text);
/** Erases the live area and shows the cursor. */
void oto_screen_close(struct oto_screen *s, struct oto_writer *out);
/** What gives a terminal its cursor back, whatever was drawn: for a signal handler. */
extern const char oto_screen_restore[];

#endif
