/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE /* struct winsize */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/live_screen.h"
#include "cli/live_sink.h"

#define METER_S 0.1 /* the meter alone is drawn this often */

struct terminal {
    struct oto_live_sink sink;
    struct oto_screen screen;
    struct oto_writer bytes;
    struct oto_screen_view view;
    char *text; /* [capacity] view's */
    size_t capacity;
    double next_s; /* time of the next drawing of the meter */
};

static int drawn_on = -1; /* the descriptor to restore, -1 for none */

bool oto_live_is_terminal(FILE *out)
{
    const char *term = getenv("TERM");
    return isatty(fileno(out)) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

void oto_live_terminal_restore(void)
{
    if (drawn_on >= 0 && write(drawn_on, oto_screen_restore, strlen(oto_screen_restore)) < 0)
        return; /* nothing else can be done in a signal handler */
}

static int width_of(FILE *out)
{
    struct winsize size;
    return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void flush(struct terminal *t)
{
    fwrite(t->bytes.data, 1, t->bytes.size, t->sink.out);
    fflush(t->sink.out);
    t->bytes.size = 0;
}

/* Keeps the text for later drawings. Without memory the former stays. */
static void set_text(struct terminal *t, const char *text, size_t n_stable)
{
    size_t n = strlen(text) + 1;
    if (n > t->capacity) {
        char *grown = realloc(t->text, 2 * n);
        if (grown == NULL)
            return;
        t->text = grown;
        t->capacity = 2 * n;
    }
    memcpy(t->text, text, n);
    t->view.text = t->text;
    t->view.n_stable = n_stable;
}

/* An utterance's words begin a line, more than so many another. */
static void print_words(struct terminal *t, const oto_result *result)
{
    struct oto_screen_word words[256];
    const int most = (int)(sizeof words / sizeof words[0]);
    for (int at = 0; at < result->n_words; at += most) {
        int n = result->n_words - at < most ? result->n_words - at : most;
        for (int i = 0; i < n; i++)
            words[i] = (struct oto_screen_word){result->words[at + i].text,
                                                result->words[at + i].confidence};
        oto_screen_print(&t->screen, &t->bytes, words, (size_t)n);
    }
    set_text(t, "", 0);
}

static void tell(struct oto_live_sink *sink, const struct oto_live_event *e)
{
    struct terminal *t = (struct terminal *)sink;
    char line[256];
    double now_s = oto_clock_wall_s();
    oto_screen_resize(&t->screen, width_of(sink->out));
    switch (e->type) {
    case OTO_LIVE_LISTENING:
        snprintf(line, sizeof line, "Listening to %.150s, %d Hz; Ctrl-C ends.", e->source,
                 e->source_rate_hz);
        oto_screen_note(&t->screen, &t->bytes, line);
        break;
    case OTO_LIVE_LEVEL:
        t->view.level_db = e->level_db > t->view.level_db ? e->level_db : t->view.level_db;
        t->view.clipped = t->view.clipped || e->clipped;
        if (now_s < t->next_s)
            return;
        break;
    case OTO_LIVE_PARTIAL:
        set_text(t, e->text, e->n_stable);
        break;
    case OTO_LIVE_FINAL:
        print_words(t, e->result);
        break;
    case OTO_LIVE_GAP:
    case OTO_LIVE_DEVICE:
        snprintf(line, sizeof line, "[%.200s]", e->message);
        oto_screen_note(&t->screen, &t->bytes, line);
        break;
    case OTO_LIVE_END:
        return;
    }
    oto_screen_draw(&t->screen, &t->bytes, &t->view);
    flush(t);
    if (now_s >= t->next_s) { /* the loudest since the meter was drawn last */
        t->next_s = now_s + METER_S;
        t->view.level_db = -INFINITY;
        t->view.clipped = false;
    }
}

static void release(struct oto_live_sink *sink)
{
    struct terminal *t = (struct terminal *)sink;
    oto_screen_close(&t->screen, &t->bytes);
    flush(t);
    drawn_on = -1;
    oto_writer_clear(&t->bytes);
    free(t->text);
    free(t);
}

struct oto_live_sink *oto_live_terminal_create(FILE *out)
{
    struct terminal *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    const char *no_colour = getenv("NO_COLOR");
    t->sink = (struct oto_live_sink){out, tell, release};
    t->view = (struct oto_screen_view){.text = "", .level_db = -INFINITY};
    oto_screen_open(&t->screen, &t->bytes, width_of(out), no_colour == NULL || no_colour[0] == 0);
    drawn_on = fileno(out);
    flush(t);
    return &t->sink;
}
