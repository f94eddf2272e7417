/* SPDX-License-Identifier: BSD-2-Clause */
/** Words of a result in groups: utterances between pauses, subtitles within limits. */
#ifndef OTO_CLI_CUES_H
#define OTO_CLI_CUES_H

#include <stdbool.h>

#include "cli/output.h"

/** A pause of so many seconds parts words into utterances, and ends a subtitle. */
#define OTO_CUE_PAUSE_S 0.8

/** Zero-initialise, then call oto_cue_next() until it is false. */
struct oto_cue {
    int first, n; /* words of the result; n >= 1 */
    double start_s, end_s;
};

/** The next group of words. limits NULL: utterances. A word longer than a line has one to itself.
 */
bool oto_cue_next(struct oto_cue *cue, const oto_result *result,
                  const struct oto_cue_limits *limits);
/** Its words, a space between, or between those of one line and the next line_end. print writes a
 * word. */
void oto_cue_print(FILE *out, const struct oto_cue *cue, const oto_result *result,
                   const struct oto_cue_limits *limits, const char *line_end,
                   void (*print)(FILE *out, const char *word));
/** A word as it is. */
void oto_cue_print_plain(FILE *out, const char *word);

#endif
