/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE /* struct winsize */
#include "cli/progress.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"

#define INTERVAL_S 0.1
#define ERASE_LINE "\r\033[K"

/* The stream on which a line stands now; messages of other threads erase it. */
static _Atomic(FILE *) shown_on;

void oto_progress_hide(void)
{
    FILE *out = atomic_exchange(&shown_on, NULL);
    if (out != NULL)
        fputs(ERASE_LINE, out);
}

static int terminal_width(FILE *out)
{
    struct winsize size;
    if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

/* Ends text in front of the character that would pass the last column. */
static void cut_to_width(char *text, int width)
{
    int column = 0;
    for (char *p = text; *p != 0;) {
        size_t n;
        int32_t code_point = oto_utf8_next(p, &n);
        column += code_point < 0 ? 1 : oto_utf8_width(code_point);
        if (column >= width) { /* the last column stays free: some terminals wrap there */
            *p = 0;
            return;
        }
        p += n;
    }
}

void oto_progress_init(struct oto_progress *p, FILE *out, bool wanted)
{
    const char *term = getenv("TERM");
    bool dumb = term != NULL && strcmp(term, "dumb") == 0;
    *p = (struct oto_progress){.out = out, .enabled = wanted && !dumb && isatty(fileno(out)) == 1};
}

void oto_progress_show(struct oto_progress *p, const char *format, ...)
{
    if (!p->enabled)
        return;
    double now = oto_clock_wall_s();
    if (now < p->next_s)
        return;
    p->next_s = now + INTERVAL_S;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cut_to_width(text, terminal_width(p->out));
    fprintf(p->out, ERASE_LINE "%s", text);
    fflush(p->out);
    atomic_store(&shown_on, p->out);
}

void oto_progress_end(struct oto_progress *p)
{
    if (!p->enabled)
        return;
    oto_progress_hide();
    fflush(p->out);
}
