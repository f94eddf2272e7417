/* SPDX-License-Identifier: BSD-2-Clause */
/** Recordings worked on by several threads, each with a recogniser of its own, and told in order.
 */
#ifndef OTO_CLI_BATCH_H
#define OTO_CLI_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "otolith/audio.h"
#include "otolith/otolith.h"

struct oto_batch_worker; /* one thread's part */

struct oto_batch {
    const oto_model *model;
    const oto_recognizer_options *options; /* of every recogniser */
    int latency_ms; /* recognise as live, with that look-ahead; 0: in full context */
    int n_jobs;     /* threads at most, >= 1 */
    size_t n_items;
    const char *what; /* the items' name in the progress line: "files" */
    void *arg;        /* passed to both functions */

    /** Works on item k < n_items in one of the threads; items are begun in order. Keeps what is to
     * be told in a place of item k's own. */
    void (*work)(void *arg, struct oto_batch_worker *worker, size_t k);
    /** Tells the result of item k, in the thread of oto_batch_run(), in order. False stops all. */
    bool (*tell)(void *arg, size_t k);

    /* What came of it. */
    size_t n_told;
    double audio_s;  /* fed to the recognisers */
    double passed_s; /* on the clock */
};

/** OTO_OK also where tell stopped it. OTO_ERR_MEMORY (threads too), or what creating a recogniser
 * says. */
oto_status oto_batch_run(struct oto_batch *batch, oto_error *err) OTO_WARN_UNUSED;

/** Options of recognisers that are watched (api/stages.h) for what the network says: their texts
 * are greedy and without words. */
void oto_batch_network_options(oto_recognizer_options *options);
/** From work(): the worker's recogniser, to be set up before its recording. */
oto_recognizer *oto_batch_recognizer(struct oto_batch_worker *worker);
/**
 * From work(): resets the worker's recogniser, feeds it the whole of a recording, and ends it.
 *
 * @param result   belongs to the recogniser, until its next use
 * @param warning  [256] what the reader of the recording had to say; or NULL
 * @param options  rate_hz is set here; the rest is the caller's
 * Errors: those of audio and recogniser, each naming the file; OTO_ERR_INTERRUPTED once stopped.
 */
oto_status oto_batch_recognize(struct oto_batch_worker *worker, const oto_result **result,
                               char *warning, const char *file, const oto_audio_options *options,
                               oto_error *err) OTO_WARN_UNUSED;

#endif
