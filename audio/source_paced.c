/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another source at the speed of a microphone: a thread reads it and hands over its samples when
 * they are due, whether anybody is ready for them or not.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "audio/capture.h"
#include "audio/source.h"
#include "base/clock.h"
#include "base/mem.h"

enum {
    CAPTURE_SECONDS = 8, /* the reader may be away for so long */
    BLOCKS_A_SECOND = 100,
    POLL_MS = 3,
    STOP_MS = 50 /* how often a thread that waits looks whether it shall stop */
};

struct paced_state {
    struct oto_source *inner;
    struct oto_capture *capture;
    double pace;
    float *block; /* [n_block, n_channels] the thread's */
    size_t n_block;
    pthread_t thread;
    bool started;
    atomic_bool stop;
    atomic_bool failed;
    oto_error failure; /* by the thread, before failed */
};

static void sleep_s(double s)
{
    if (s <= 0)
        return;
    const struct timespec t = {(time_t)s, (long)(1e9 * (s - (double)(time_t)s))};
    nanosleep(&t, NULL);
}

/* Waits until the input of a pipe has something to read. False when it shall stop. */
static bool wait_for_input(struct paced_state *state)
{
    const struct oto_input *input = state->inner->input;
    if (input == NULL || input->fd < 0 || input->seekable)
        return !atomic_load(&state->stop);
    struct pollfd fd = {.fd = input->fd, .events = POLLIN};
    while (!atomic_load(&state->stop)) {
        if (poll(&fd, 1, STOP_MS) != 0)
            return true; /* also for errors: read tells them */
    }
    return false;
}

static void *run(void *arg)
{
    struct paced_state *state = arg;
    const double start_s = oto_clock_wall_s();
    const double rate = state->inner->info.rate_hz * state->pace;
    uint64_t n_frames = 0;
    while (wait_for_input(state)) {
        size_t n = 0;
        if (oto_source_read(state->inner, state->block, state->n_block, &n, &state->failure) !=
            OTO_OK) {
            atomic_store(&state->failed, true);
            break;
        }
        if (n == 0)
            break;
        n_frames += n;
        /* A block is due when its last sample has been spoken. */
        double due_s = start_s + (double)n_frames / rate;
        for (double left_s = due_s - oto_clock_wall_s(); left_s > 0 && !atomic_load(&state->stop);
             left_s = due_s - oto_clock_wall_s())
            sleep_s(left_s < 1e-3 * STOP_MS ? left_s : 1e-3 * STOP_MS);
        oto_capture_write(state->capture, state->block, n, false);
    }
    oto_capture_end(state->capture);
    return NULL;
}

static oto_status paced_read(struct oto_source *source, float *frames, size_t capacity,
                             size_t *n_read, oto_error *err)
{
    struct paced_state *state = source->state;
    struct oto_capture_gap gap;
    while (capacity > 0) {
        bool over = oto_capture_is_over(state->capture);
        while (oto_capture_next_gap(state->capture, &gap))
            oto_source_add_gap(source, gap.position, gap.n_lost);
        *n_read = oto_capture_read(state->capture, frames, capacity);
        if (*n_read > 0)
            return OTO_OK;
        if (over && atomic_load(&state->failed))
            return oto_fail(err, state->failure.status, "%s", state->failure.message);
        if (over) { /* the thread has left the inner source alone */
            memcpy(source->warning, state->inner->warning,
                   source->warning[0] == '\0' ? sizeof source->warning : 0);
            return OTO_OK;
        }
        if (oto_source_is_stopped(source))
            return oto_fail(err, OTO_ERR_INTERRUPTED, "%s: reading was stopped", source->name);
        sleep_s(1e-3 * POLL_MS);
    }
    return OTO_OK;
}

static void paced_close(struct oto_source *source)
{
    struct paced_state *state = source->state;
    if (state->started) {
        atomic_store(&state->stop, true);
        pthread_join(state->thread, NULL);
    }
    oto_capture_destroy(state->capture);
    oto_free(state->block);
    oto_source_close(state->inner);
    oto_free(state);
}

static void paced_info(const struct oto_source *source, struct oto_source_info *info)
{
    const struct paced_state *state = source->state;
    info->n_lost = oto_capture_n_lost(state->capture);
}

static const struct oto_source_backend paced = {
    .name = "paced", .read = paced_read, .close = paced_close, .info = paced_info};

oto_status oto_source_pace(struct oto_source **source, double pace, oto_error *err)
{
    struct oto_source *inner = *source;
    *source = NULL;
    struct oto_source *outer = oto_calloc(1, sizeof *outer);
    struct paced_state *state = oto_calloc(1, sizeof *state);
    if (outer == NULL || state == NULL) {
        oto_free(state);
        oto_free(outer);
        oto_source_close(inner);
        return oto_fail_memory(err, "audio source");
    }
    atomic_init(&state->stop, false);
    atomic_init(&state->failed, false);
    *outer = (struct oto_source){
        .backend = &paced, .name = inner->name, .state = state, .live = true, .info = inner->info};
    state->inner = inner;
    state->pace = pace;
    state->n_block = (size_t)(inner->info.rate_hz / BLOCKS_A_SECOND);
    state->block =
        oto_calloc(state->n_block * (size_t)inner->info.n_channels, sizeof *state->block);
    oto_status status = state->block != NULL ? OTO_OK : oto_fail_memory(err, "audio buffers");
    if (status == OTO_OK)
        status = oto_capture_create(&state->capture, inner->info.n_channels,
                                    (size_t)inner->info.rate_hz * CAPTURE_SECONDS, err);
    if (status == OTO_OK && pthread_create(&state->thread, NULL, run, state) != 0)
        status = oto_fail(err, OTO_ERR_MEMORY, "%s: no thread for reading it", inner->name);
    state->started = status == OTO_OK;
    if (status != OTO_OK) {
        oto_source_close(outer);
        return status;
    }
    *source = outer;
    return OTO_OK;
}
