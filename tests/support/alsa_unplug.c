/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A microphone for ALSA that can be pulled out: it plays a file of 16-bit samples over and over, 16
 * kHz and one channel, at the speed of the clock, as long as that file is there. While it is not,
 * the device cannot be opened, and one that is open fails with ENODEV, as a microphone at a USB
 * port does. While there is a file of that name with .hang or .crash behind it, whoever opens the
 * device waits, or is ended. Built by tests/device/test_live_unplugged.sh:
 *
 *     pcm_type.unplug { lib "PATH/alsa_unplug.so" }
 *     pcm.!default { type unplug file "PATH/talk.raw" }
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>

enum { RATE = 16000, MAX_SAMPLES = 60 * RATE, TICK_NS = 5000000 };

struct unplug {
    snd_pcm_ioplug_t io;
    char path[4096];
    struct timespec start;
    uint64_t n_given;
    size_t n;
    int16_t samples[MAX_SAMPLES];
};

static bool is_there(const struct unplug *u)
{
    return access(u->path, R_OK) == 0;
}

static bool is_there_with(const char *path, const char *suffix)
{
    char whole[4200];
    snprintf(whole, sizeof whole, "%s%s", path, suffix);
    return access(whole, F_OK) == 0;
}

static uint64_t elapsed(const struct unplug *u)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)((double)(now.tv_sec - u->start.tv_sec) * RATE +
                      (double)(now.tv_nsec - u->start.tv_nsec) * 1e-9 * RATE);
}

static int start(snd_pcm_ioplug_t *io)
{
    struct unplug *u = io->private_data;
    clock_gettime(CLOCK_MONOTONIC, &u->start);
    u->n_given = 0;
    return is_there(u) ? 0 : -ENODEV;
}

static int prepare(snd_pcm_ioplug_t *io)
{
    return is_there(io->private_data) ? 0 : -ENODEV;
}

static int stop(snd_pcm_ioplug_t *io)
{
    (void)io;
    return 0;
}

static snd_pcm_sframes_t pointer(snd_pcm_ioplug_t *io)
{
    const struct unplug *u = io->private_data;
    if (is_there(u))
        return (snd_pcm_sframes_t)(elapsed(u) % io->buffer_size);
    snd_pcm_ioplug_set_state(io, SND_PCM_STATE_DISCONNECTED);
    return -ENODEV;
}

static snd_pcm_sframes_t transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
                                  snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
    struct unplug *u = io->private_data;
    int16_t *out = (int16_t *)areas->addr + areas->first / 16 + offset * (areas->step / 16);
    if (!is_there(u))
        return -ENODEV;
    for (snd_pcm_uframes_t i = 0; i < size; i++)
        out[i * (areas->step / 16)] = u->samples[u->n_given++ % u->n];
    return (snd_pcm_sframes_t)size;
}

static int revents(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned n, unsigned short *events)
{
    const struct unplug *u = io->private_data;
    uint64_t ticks;
    (void)n;
    if (fds->revents != 0 && read(fds->fd, &ticks, sizeof ticks) < 0)
        ticks = 0; /* none yet */
    *events = !is_there(u) ? POLLERR : fds->revents != 0 ? POLLIN : 0;
    return 0;
}

static int close_device(snd_pcm_ioplug_t *io)
{
    struct unplug *u = io->private_data;
    close(io->poll_fd);
    free(u);
    return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {.prepare = prepare,
                                                    .start = start,
                                                    .stop = stop,
                                                    .pointer = pointer,
                                                    .transfer = transfer,
                                                    .poll_revents = revents,
                                                    .close = close_device};

static int constrain(snd_pcm_ioplug_t *io)
{
    static const unsigned access[] = {SND_PCM_ACCESS_RW_INTERLEAVED};
    static const unsigned format[] = {SND_PCM_FORMAT_S16_LE};
    int code = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, access);
    if (code == 0)
        code = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
    if (code == 0)
        code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, 1, 1);
    if (code == 0)
        code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, RATE, RATE);
    if (code == 0)
        code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 320, 8000);
    if (code == 0)
        code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 16);
    return code;
}

static int open_device(snd_pcm_t **out, const char *name, const char *path, snd_pcm_stream_t stream,
                       int mode)
{
    while (is_there_with(path, ".hang"))
        usleep(10000);
    if (is_there_with(path, ".crash"))
        abort();
    FILE *file = stream == SND_PCM_STREAM_CAPTURE ? fopen(path, "rb") : NULL;
    struct unplug *u = file != NULL ? calloc(1, sizeof *u) : NULL;
    const struct itimerspec tick = {{0, TICK_NS}, {0, TICK_NS}};
    if (u != NULL)
        u->n = fread(u->samples, sizeof u->samples[0], MAX_SAMPLES, file);
    if (file != NULL)
        fclose(file);
    if (u == NULL || u->n == 0) {
        free(u);
        return -ENODEV;
    }
    snprintf(u->path, sizeof u->path, "%s", path);
    u->io =
        (snd_pcm_ioplug_t){.version = SND_PCM_IOPLUG_VERSION,
                           .name = "microphone that can be pulled out",
                           .callback = &callbacks,
                           .private_data = u,
                           .poll_events = POLLIN,
                           .poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
    timerfd_settime(u->io.poll_fd, 0, &tick, NULL);
    int code = snd_pcm_ioplug_create(&u->io, name, stream, mode);
    if (code < 0) {
        close(u->io.poll_fd);
        free(u);
        return code;
    }
    code = constrain(&u->io);
    if (code < 0)
        snd_pcm_ioplug_delete(&u->io);
    else
        *out = u->io.pcm;
    return code;
}

SND_PCM_PLUGIN_DEFINE_FUNC(unplug)
{
    snd_config_iterator_t i, next;
    const char *path = NULL;
    (void)root;
    snd_config_for_each(i, next, conf)
    {
        snd_config_t *entry = snd_config_iterator_entry(i);
        const char *id;
        if (snd_config_get_id(entry, &id) == 0 && strcmp(id, "file") == 0 &&
            snd_config_get_string(entry, &path) < 0)
            return -EINVAL;
    }
    return path != NULL ? open_device(pcmp, name, path, stream, mode) : -EINVAL;
}

SND_PCM_PLUGIN_SYMBOL(unplug);
