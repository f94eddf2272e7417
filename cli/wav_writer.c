/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/wav_writer.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"

enum { HEADER_BYTES = 44, BLOCK = 1024 };

struct oto_wav_writer {
    FILE *file;
    char *path;
    int rate_hz;
    uint64_t n_samples;
};

static oto_status fail_io(const struct oto_wav_writer *w, const char *what, oto_error *err)
{
    return oto_fail(err, OTO_ERR_IO, "%s: %s: %s", w->path, what, strerror(errno));
}

/* The header at the start, and back to the end. */
static oto_status write_header(struct oto_wav_writer *w, oto_error *err)
{
    struct oto_writer h = {0};
    const uint32_t n_bytes = (uint32_t)(2 * w->n_samples), rate = (uint32_t)w->rate_hz;
    oto_write_bytes(&h, "RIFF", 4);
    oto_write_u32(&h, HEADER_BYTES - 8 + n_bytes);
    oto_write_bytes(&h, "WAVEfmt ", 8);
    oto_write_u32(&h, 16);
    oto_write_u16(&h, 1); /* PCM, one channel */
    oto_write_u16(&h, 1);
    oto_write_u32(&h, rate);
    oto_write_u32(&h, 2 * rate);
    oto_write_u16(&h, 2);
    oto_write_u16(&h, 16);
    oto_write_bytes(&h, "data", 4);
    oto_write_u32(&h, n_bytes);
    oto_status status = h.failed ? oto_fail_memory(err, "WAV header") : OTO_OK;
    if (status == OTO_OK &&
        (fseek(w->file, 0, SEEK_SET) != 0 || fwrite(h.data, 1, h.size, w->file) != h.size ||
         fseek(w->file, 0, SEEK_END) != 0 || fflush(w->file) != 0))
        status = fail_io(w, "cannot be written", err);
    oto_writer_clear(&h);
    return status;
}

oto_status oto_wav_writer_open(struct oto_wav_writer **out, const char *path, int rate_hz,
                               oto_error *err)
{
    *out = NULL;
    struct oto_wav_writer *w = oto_calloc(1, sizeof *w);
    if (w == NULL)
        return oto_fail_memory(err, "WAV file");
    oto_status status = OTO_OK;
    w->rate_hz = rate_hz;
    w->path = oto_strdup(path);
    if (w->path == NULL)
        status = oto_fail_memory(err, "WAV file");
    else if ((w->file = fopen(path, "wb")) == NULL)
        status = fail_io(w, "cannot be created", err);
    else
        status = write_header(w, err);
    if (status != OTO_OK) {
        if (oto_wav_writer_close(w, NULL) != OTO_OK)
            status = err != NULL ? err->status : status; /* told already */
        return status;
    }
    *out = w;
    return OTO_OK;
}

oto_status oto_wav_writer_write(struct oto_wav_writer *w, const float *samples, size_t n,
                                oto_error *err)
{
    unsigned char block[2 * BLOCK];
    if (n > (UINT32_MAX - HEADER_BYTES) / 2 - w->n_samples)
        return oto_fail(err, OTO_ERR_UNSUPPORTED,
                        "%s: holds %.0f s, and a WAV file cannot hold more than 4 GiB", w->path,
                        (double)w->n_samples / w->rate_hz);
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t m = n - at < BLOCK ? n - at : BLOCK;
        for (size_t i = 0; i < m; i++) {
            float x = fminf(fmaxf(samples[at + i] * 32768.0f, -32768.0f), 32767.0f);
            uint16_t v = (uint16_t)(int16_t)lrintf(x);
            block[2 * i] = (unsigned char)(v & 0xFF);
            block[2 * i + 1] = (unsigned char)(v >> 8);
        }
        if (fwrite(block, 2, m, w->file) != m)
            return fail_io(w, "cannot be written", err);
    }
    w->n_samples += n;
    return write_header(w, err);
}

oto_status oto_wav_writer_close(struct oto_wav_writer *w, oto_error *err)
{
    oto_status status = OTO_OK;
    if (w == NULL)
        return OTO_OK;
    if (w->file != NULL && fclose(w->file) != 0)
        status = fail_io(w, "cannot be written", err);
    oto_free(w->path);
    oto_free(w);
    return status;
}
