/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain samples: headerless ones, and those of a WAV file that comes through a pipe. Constant
 * memory, no length limit. */
#include "audio/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audio/sniff.h"
#include "base/mem.h"

enum { BLOCK_BYTES = 65536 };

struct raw_state {
    struct oto_input *input; /* the source's */
    enum oto_raw_encoding encoding;
    size_t frame_bytes;
    uint64_t bytes_left;    /* by the header; UINT64_MAX when unknown */
    uint64_t bytes_claimed; /* for the warning */
    size_t n_pending;       /* bytes of an unfinished frame at the start of block */
    bool ended;
    unsigned char block[BLOCK_BYTES];
};

static oto_status raw_start(struct oto_source *source, struct oto_input *input,
                            const struct oto_raw_format *format, oto_error *err)
{
    struct raw_state *state = oto_calloc(1, sizeof *state);
    if (state == NULL) {
        return oto_fail_memory(err, "raw audio source");
    }
    state->input = input;
    state->encoding = format->encoding;
    state->frame_bytes = oto_raw_bytes(format->encoding) * (size_t)format->n_channels;
    state->bytes_left = UINT64_MAX;
    source->state = state;
    source->live = !input->seekable;
    source->info.rate_hz = format->rate_hz;
    source->info.n_channels = format->n_channels;
    oto_input_keep_no_more(input);
    return OTO_OK;
}

static bool raw_probe(const struct oto_source_request *request)
{
    const struct oto_input *input = request->input;
    if (input == NULL || (request->raw == NULL && !input->is_stdin)) {
        return false;
    }
    if (request->raw == NULL) {
        return !oto_sniff_known(request->head, request->n_head) && !oto_sniff_mpeg(request->input);
    }
    return !input->is_stdin || !oto_sniff_container(request->head, request->n_head);
}

static oto_status raw_open(struct oto_source *source, const struct oto_source_request *request,
                           oto_error *err)
{
    struct oto_raw_format format = {OTO_RAW_S16LE, 16000, 1};
    struct oto_input *input = request->input;
    if (request->raw != NULL) {
        format = *request->raw;
    } else if (oto_sniff_text(input)) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: is text, not audio", input->name);
    }
    oto_status status = raw_start(source, input, &format, err);
    if (status != OTO_OK) {
        return status;
    }
    struct raw_state *state = source->state;
    const char *encoding = oto_raw_encoding_name(format.encoding);
    snprintf(source->info.format, sizeof source->info.format, "raw, %s", encoding);
    if (input->seekable) {
        source->info.n_frames = input->size / (int64_t)state->frame_bytes;
    }
    if (request->raw == NULL) {
        oto_source_warn(source, "no header: taken for raw samples in %s:%d:%d", encoding,
                        format.rate_hz, format.n_channels);
    } else if (oto_sniff_container(request->head, request->n_head)) {
        oto_source_warn(source, "read as raw samples in %s, though it starts like a %.4s file",
                        encoding, (const char *)request->head);
    }
    return OTO_OK;
}

static bool wav_probe(const struct oto_source_request *request)
{
    const struct oto_wav_header *wav = &request->wav;
    struct oto_raw_format format;
    if (request->input == NULL || !wav->has_format || !wav->has_data ||
        !oto_wav_raw_format(wav, &format)) {
        return false;
    }
    if (!request->input->seekable) {
        return true;
    }
    /* In files only what libsndfile would leave out: samples beyond a length that is a placeholder.
     */
    uint64_t there = (uint64_t)(request->input->size - wav->data_offset);
    return oto_wav_length_unknown(wav) && !wav->data_empty && there > wav->data_size;
}

static oto_status wav_open(struct oto_source *source, const struct oto_source_request *request,
                           oto_error *err)
{
    const struct oto_wav_header *wav = &request->wav;
    struct oto_input *input = request->input;
    struct oto_raw_format format;
    oto_status status = oto_wav_check(wav, input, err);
    if (status == OTO_OK) {
        status = oto_source_check_shape(input->name, wav->rate_hz, wav->n_channels, err);
    }
    if (status != OTO_OK) {
        return status;
    }
    (void)oto_wav_raw_format(wav, &format); /* the probe has seen that it can */
    if (!oto_input_seek(input, wav->data_offset)) {
        return oto_fail(err, OTO_ERR_IO, "%s: its start is no longer there", input->name);
    }
    status = raw_start(source, input, &format, err);
    if (status != OTO_OK) {
        return status;
    }
    struct raw_state *state = source->state;
    snprintf(source->info.format, sizeof source->info.format, "WAV%s, %s",
             input->seekable ? "" : " stream", oto_raw_encoding_name(format.encoding));
    if (wav->data_empty) {
        state->bytes_left = 0;
    } else if (!oto_wav_length_unknown(wav)) {
        state->bytes_left = state->bytes_claimed = wav->data_size;
        source->info.n_frames = (int64_t)(wav->data_size / state->frame_bytes);
    } else {
        oto_source_warn(source, "the WAV header gives no true length: read to the end");
        if (input->seekable) {
            source->info.n_frames = (input->size - wav->data_offset) / (int64_t)state->frame_bytes;
        }
    }
    return OTO_OK;
}

/* The input has ended: says what was missing. */
static void raw_end(struct oto_source *source)
{
    struct raw_state *state = source->state;
    state->ended = true;
    if (state->bytes_claimed > 0 && state->bytes_left > 0) {
        oto_source_warn(source,
                        "the header claims %" PRIu64 " bytes of samples, %" PRIu64 " are there",
                        state->bytes_claimed, state->bytes_claimed - state->bytes_left);
    } else if (state->n_pending > 0) {
        oto_source_warn(source, "%zu bytes after the last whole frame are left out",
                        state->n_pending);
    }
}

static oto_status raw_read(struct oto_source *source, float *frames, size_t capacity,
                           size_t *n_read, oto_error *err)
{
    struct raw_state *state = source->state;
    size_t room = BLOCK_BYTES / state->frame_bytes;
    room = (room < capacity ? room : capacity) * state->frame_bytes;
    while (!state->ended && capacity > 0) {
        size_t want = room - state->n_pending, n = 0;
        want = want < state->bytes_left ? want : (size_t)state->bytes_left;
        oto_status status =
            oto_input_read(state->input, state->block + state->n_pending, want, &n, err);
        if (status != OTO_OK) {
            return status;
        }
        if (n == 0) {
            raw_end(source);
            break;
        }
        if (state->bytes_left != UINT64_MAX) {
            state->bytes_left -= n;
        }
        state->n_pending += n;
        size_t n_frames = state->n_pending / state->frame_bytes;
        if (n_frames > 0) {
            size_t used = n_frames * state->frame_bytes;
            oto_raw_decode(frames, state->block, n_frames * (size_t)source->info.n_channels,
                           state->encoding);
            state->n_pending -= used;
            memmove(state->block, state->block + used, state->n_pending);
            *n_read = n_frames;
            break;
        }
    }
    return OTO_OK;
}

static void raw_close(struct oto_source *source)
{
    oto_free(source->state);
}

const struct oto_source_backend oto_source_raw = {"raw",     raw_probe, raw_open, raw_read,
                                                  raw_close, NULL,      NULL};
const struct oto_source_backend oto_source_wav = {"wav",     wav_probe, wav_open, raw_read,
                                                  raw_close, NULL,      NULL};
