/* SPDX-License-Identifier: BSD-2-Clause */
/* What stays, as lines of text: for files and pipes. */
#include <stdlib.h>

#include "cli/live_sink.h"

static void tell(struct oto_live_sink *sink, const struct oto_live_event *e)
{
    switch (e->type) {
    case OTO_LIVE_FINAL:
        if (e->text[0] == 0)
            return;
        fprintf(sink->out, "%s\n", e->text);
        break;
    case OTO_LIVE_GAP:
        fprintf(sink->out, "[%s at %.3f s]\n", e->message, e->start_s);
        break;
    case OTO_LIVE_DEVICE:
        fprintf(sink->out, "[%s]\n", e->message);
        break;
    case OTO_LIVE_LISTENING:
    case OTO_LIVE_LEVEL:
    case OTO_LIVE_PARTIAL:
    case OTO_LIVE_END:
        return;
    }
    fflush(sink->out);
}

static void release(struct oto_live_sink *sink)
{
    free(sink);
}

struct oto_live_sink *oto_live_lines_create(FILE *out)
{
    struct oto_live_sink *sink = calloc(1, sizeof *sink);
    if (sink != NULL)
        *sink = (struct oto_live_sink){out, tell, release};
    return sink;
}
