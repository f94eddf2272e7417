/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cues.h"

#include <math.h>

#include "base/utf8.h"

/* Where the text of a group stands. */
struct place {
    size_t n_chars; /* on the line */
    int n_lines;
};

/* The place behind one word more; true where it begins a line. */
static bool put(struct place *p, const char *word, const struct oto_cue_limits *limits)
{
    size_t n = oto_utf8_length(word);
    bool breaks = p->n_lines > 0 && limits != NULL && p->n_chars + 1 + n > (size_t)limits->n_chars;
    if (p->n_lines == 0 || breaks) {
        p->n_lines++;
        p->n_chars = n;
    } else {
        p->n_chars += 1 + n;
    }
    return breaks;
}

bool oto_cue_next(struct oto_cue *cue, const oto_result *result,
                  const struct oto_cue_limits *limits)
{
    int first = cue->first + cue->n, i = first;
    struct place place = {0, 0};
    if (first >= result->n_words)
        return false;
    for (; i < result->n_words; i++) {
        const oto_word *word = &result->words[i];
        if (i > first && word->start_s - word[-1].end_s >= OTO_CUE_PAUSE_S)
            break;
        (void)put(&place, word->text, limits);
        if (i > first && limits != NULL &&
            (place.n_lines > limits->n_lines ||
             word->end_s - result->words[first].start_s > limits->length_s))
            break;
    }
    *cue = (struct oto_cue){first, i - first, result->words[first].start_s,
                            result->words[i - 1].end_s};
    return true;
}

void oto_cue_print(FILE *out, const struct oto_cue *cue, const oto_result *result,
                   const struct oto_cue_limits *limits, const char *line_end,
                   void (*print)(FILE *out, const char *word))
{
    struct place place = {0, 0};
    for (int i = cue->first; i < cue->first + cue->n; i++) {
        bool breaks = put(&place, result->words[i].text, limits);
        if (i > cue->first)
            fputs(breaks ? line_end : " ", out);
        print(out, result->words[i].text);
    }
}

void oto_cue_print_plain(FILE *out, const char *word)
{
    fputs(word, out);
}
