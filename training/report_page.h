/* SPDX-License-Identifier: BSD-2-Clause */
/** A training run as one page of HTML that needs nothing else: curves, facts, the best and worst
 * utterances of the dev set, the most frequent confusions. */
#ifndef OTO_TRAINING_REPORT_PAGE_H
#define OTO_TRAINING_REPORT_PAGE_H

#include "base/status.h"

/**
 * Reads metrics.jsonl, best-dev.tsv and last.oto of the run; the last two may be missing, as before
 * the end of the first epoch or without a dev set. Written atomically.
 *
 * @param folder  --out of the run
 * @param path    of the page
 * Errors: OTO_ERR_FORMAT with file and line; OTO_ERR_DATA when no step is recorded yet; those of
 * reading and writing files.
 */
oto_status oto_report_page_write(const char *folder, const char *path,
                                 oto_error *err) OTO_WARN_UNUSED;

#endif
