/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Microphones. PortAudio runs in a child and writes into a capture in memory that both see; here it
 * is read. A device that is gone takes the child with it at most.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audio/capture.h"
#include "audio/child.h"
#include "audio/portaudio.h"
#include "audio/source.h"
#include "base/mem.h"

enum {
    RING_SECONDS = 8, /* the reader may be away for so long, where it fits into the arena */
    POLL_MS = 3,
    WATCH_MS = 50, /* how often the child looks after its stream */
    OPEN_S = 15,   /* for all that a device is asked before it starts */
    START_S = 10,  /* PulseAudio was seen to start 2 s late */
    STALL_S = 3,   /* a device that has given samples and gives none for longer is gone */
    MAX_DEVICES = 4096
};
#define ARENA_BYTES ((size_t)64 << 20)

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2 &&
                   ATOMIC_BOOL_LOCK_FREE == 2,
               "a lock would not work between processes");

/* At the start of the arena; the capture, or the devices, behind it. */
struct report {
    oto_error result; /* message: only where the status is none of success */
    struct oto_portaudio_device device;
    size_t n_devices;
};
enum { HEAD_BYTES = (sizeof(struct report) + OTO_ALIGN - 1) / OTO_ALIGN * OTO_ALIGN };

struct question {
    const char *device;
    int channel;
};

struct microphone {
    struct oto_child *child;
    struct oto_capture *capture;
    char name[192];
    uint64_t n_read;
};

static void *behind_report(void *arena)
{
    return (unsigned char *)arena + HEAD_BYTES;
}

/* Frames for 8 s, or what fits: half a second at least, as 64 channels at 192 kHz have. */
static size_t room_for(int n_channels, int rate_hz)
{
    size_t n = (size_t)rate_hz * RING_SECONDS;
    while (oto_capture_bytes(n_channels, n) > ARENA_BYTES - HEAD_BYTES) {
        n /= 2;
    }
    return n;
}

/* ---- in the child -----------------------------------------------------------------------------
 */

static void list_in_child(const struct oto_child_call *call, const void *arg)
{
    struct report *report = oto_child_call_arena(call);
    (void)arg;
    report->result.status =
        oto_portaudio_list(behind_report(report), MAX_DEVICES, &report->n_devices, &report->result);
    oto_child_tell(call);
    oto_portaudio_stop();
}

static oto_status start_in_child(struct report *report, const struct question *question)
{
    struct oto_portaudio_device *device = &report->device;
    struct oto_capture *capture = NULL;
    oto_error *err = &report->result;
    oto_status status = oto_portaudio_open(device, question->device, question->channel, err);
    if (status == OTO_OK) {
        status = oto_source_check_shape(device->name, device->rate_hz, device->n_channels, err);
    }
    if (status == OTO_OK) {
        status = oto_capture_create_in(&capture, behind_report(report), device->n_channels,
                                       room_for(device->n_channels, device->rate_hz), err);
    }
    if (status == OTO_OK) {
        status = oto_portaudio_start(device, capture, err);
    }
    return status;
}

static void capture_in_child(const struct oto_child_call *call, const void *arg)
{
    struct report *report = oto_child_call_arena(call);
    oto_status status = start_in_child(report, arg);
    oto_child_tell(call);
    if (status != OTO_OK) {
        return;
    }
    enum oto_child_wish wish = OTO_CHILD_GO_ON;
    while (wish == OTO_CHILD_GO_ON && oto_portaudio_is_active()) {
        wish = oto_child_ask(call, WATCH_MS);
    }
    if (wish == OTO_CHILD_CLOSE) {
        oto_portaudio_stop();
    }
}

/* ---- here -------------------------------------------------------------------------------------
 */

/* Starts a child and waits for its answer. On failure there is no child. */
static oto_status ask(struct oto_child **out, oto_child_work *work, const struct question *question,
                      const struct oto_source *source, const char *name, oto_error *err)
{
    oto_status status = oto_child_start(out, ARENA_BYTES, work, question, OPEN_S, name, err);
    if (status != OTO_OK) {
        return status;
    }
    status = oto_child_wait(*out, source != NULL ? source->stop : NULL,
                            source != NULL ? source->stop_arg : NULL, name, err);
    if (status == OTO_OK) {
        oto_error result = ((const struct report *)oto_child_arena(*out))->result;
        result.message[sizeof result.message - 1] = '\0';
        if (result.status != OTO_OK) {
            status = oto_fail(err, result.status, "%s", result.message);
        }
    }
    if (status != OTO_OK) {
        oto_child_close(*out);
        *out = NULL;
    }
    return status;
}

oto_status oto_audio_list_devices(oto_audio_device *devices, size_t capacity, size_t *n_devices,
                                  oto_error *err)
{
    if (n_devices == NULL) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "oto_audio_list_devices: n_devices must not be NULL");
    }
    *n_devices = 0;
    struct oto_child *child = NULL;
    oto_status status = ask(&child, list_in_child, NULL, NULL, "microphones", err);
    if (status != OTO_OK) {
        return status;
    }
    struct report *report = oto_child_arena(child);
    const oto_audio_device *found = behind_report(report);
    size_t n = report->n_devices < MAX_DEVICES ? report->n_devices : MAX_DEVICES;
    for (size_t i = 0; devices != NULL && i < n && i < capacity; i++) {
        devices[i] = found[i];
    }
    *n_devices = n;
    oto_child_close(child);
    return OTO_OK;
}

static bool microphone_probe(const struct oto_source_request *request)
{
    return request->device != NULL;
}

static void release(struct microphone *m)
{
    oto_capture_destroy(m->capture);
    oto_child_close(m->child);
    oto_free(m);
}

/* What the child has told, as far as it can be believed. */
static oto_status take_over(struct oto_source *source, struct microphone *m, oto_error *err)
{
    struct report *report = oto_child_arena(m->child);
    const struct oto_portaudio_device device = report->device;
    oto_status status =
        oto_source_check_shape(source->name, device.rate_hz, device.n_channels, err);
    if (status == OTO_OK) {
        status = oto_capture_create_in(&m->capture, behind_report(report), device.n_channels,
                                       room_for(device.n_channels, device.rate_hz), err);
    }
    if (status != OTO_OK) {
        return status;
    }
    snprintf(m->name, sizeof m->name, "%.*s", (int)sizeof device.name - 1, device.name);
    snprintf(source->info.format, sizeof source->info.format, "%.*s", (int)sizeof device.format - 1,
             device.format);
    source->info.rate_hz = device.rate_hz;
    source->info.n_channels = device.n_channels;
    source->name = m->name;
    source->state = m;
    source->live = true;
    return OTO_OK;
}

static oto_status microphone_open(struct oto_source *source,
                                  const struct oto_source_request *request, oto_error *err)
{
    const struct question question = {request->device, request->channel};
    struct microphone *m = oto_calloc(1, sizeof *m);
    if (m == NULL) {
        return oto_fail_memory(err, "microphone");
    }
    oto_status status = ask(&m->child, capture_in_child, &question, source, source->name, err);
    if (status == OTO_OK) {
        status = take_over(source, m, err);
    }
    if (status != OTO_OK) {
        release(m);
    }
    return status;
}

/* The child has ended, by itself when its stream did, or by what its library has done. */
static oto_status fail_ended(const struct oto_source *source, oto_error *err)
{
    const struct microphone *m = source->state;
    const char *how = oto_child_end(m->child);
    return oto_fail(err, OTO_ERR_DEVICE, "%s: stopped after %.3f s%s%s; was it unplugged?",
                    source->name, (double)m->n_read / source->info.rate_hz,
                    how[0] != '\0' ? ": the audio system " : "", how);
}

static oto_status microphone_read(struct oto_source *source, float *frames, size_t capacity,
                                  size_t *n_read, oto_error *err)
{
    struct microphone *m = source->state;
    const struct timespec pause = {0, POLL_MS * 1000000L};
    const int limit_s = m->n_read > 0 ? STALL_S : START_S;
    double last_s = -1, waited_s = 0;
    struct oto_capture_gap gap;
    while (capacity > 0) {
        bool running = oto_child_is_running(m->child); /* asked first: then the ring is complete */
        if (!running) {
            oto_capture_end(m->capture); /* what was lost last is told, too */
        }
        while (oto_capture_next_gap(m->capture, &gap)) {
            oto_source_add_gap(source, gap.position, gap.n_lost);
        }
        size_t n = oto_capture_read(m->capture, frames, capacity);
        if (n > 0) {
            m->n_read += n;
            *n_read = n;
            return OTO_OK;
        }
        if (!running) {
            return fail_ended(source, err);
        }
        waited_s += oto_child_waited_s(&last_s);
        if (waited_s > limit_s) {
            oto_child_kill(m->child); /* to be told to close would be too much for it */
            return oto_fail(err, OTO_ERR_DEVICE, "%s: has given no samples for %d s", source->name,
                            limit_s);
        }
        if (oto_source_is_stopped(source)) {
            return oto_fail(err, OTO_ERR_INTERRUPTED, "%s: reading was stopped", source->name);
        }
        nanosleep(&pause, NULL);
    }
    return OTO_OK;
}

static void microphone_close(struct oto_source *source)
{
    release(source->state);
}

static void microphone_info(const struct oto_source *source, struct oto_source_info *info)
{
    const struct microphone *m = source->state;
    info->n_lost = oto_capture_n_lost(m->capture);
}

const struct oto_source_backend oto_source_microphone = {
    "microphone", microphone_probe, microphone_open, microphone_read, microphone_close,
    NULL,         microphone_info};
