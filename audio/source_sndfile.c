/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything libsndfile decodes. It reads through callbacks only and never sees a path, so that it
 * cannot take a file for headerless data by its name's ending, and memory, files and spooled pipes
 * are one case.
 */
#include "audio/source.h"

#include <ctype.h>
#include <inttypes.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

#include "audio/sniff.h"
#include "base/mem.h"

struct sndfile_state {
    SNDFILE *file;
    struct oto_input *input; /* the source's */
    int64_t length;          /* of the input, as libsndfile is told */
    sf_count_t n_frames;     /* by the header, -1 when unknown */
    sf_count_t n_read;
    sf_count_t slack; /* frames by which the header's length may be wrong without a word */
    bool ended;
};

static sf_count_t vio_length(void *user)
{
    const struct sndfile_state *state = user;
    return state->length;
}

static sf_count_t vio_tell(void *user)
{
    const struct sndfile_state *state = user;
    return state->input->offset;
}

static sf_count_t vio_seek(sf_count_t offset, int whence, void *user)
{
    struct sndfile_state *state = user;
    struct oto_input *input = state->input;
    sf_count_t origin = whence == SF_SEEK_SET   ? 0
                        : whence == SF_SEEK_CUR ? input->offset
                                                : state->length;
    if ((offset > 0 && origin > INT64_MAX - offset) || !oto_input_seek(input, origin + offset)) {
        return -1;
    }
    return input->offset;
}

static sf_count_t vio_read(void *data, sf_count_t count, void *user)
{
    struct sndfile_state *state = user;
    size_t n = 0;
    if (count > 0 && oto_input_read_full(state->input, data, (size_t)count, &n, NULL) != OTO_OK) {
        return 0; /* the input keeps the error, sndfile_read() asks for it */
    }
    return (sf_count_t)n;
}

static sf_count_t vio_write(const void *data, sf_count_t count, void *user)
{
    (void)data;
    (void)count;
    (void)user;
    return 0;
}

static const char *major_name(int major, char *buffer, size_t capacity)
{
    static const struct {
        int major;
        const char *name;
    } names[] = {
        {SF_FORMAT_WAV, "WAV"},   {SF_FORMAT_WAVEX, "WAV"}, {SF_FORMAT_FLAC, "FLAC"},
        {SF_FORMAT_OGG, "Ogg"},   {SF_FORMAT_MPEG, "MPEG"}, {SF_FORMAT_RF64, "RF64"},
        {SF_FORMAT_NIST, "NIST"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i].major == major) {
            return names[i].name;
        }
    }
    SF_FORMAT_INFO info = {.format = major};
    if (sf_command(NULL, SFC_GET_FORMAT_INFO, &info, sizeof info) != 0 || info.name == NULL) {
        return "unnamed format";
    }
    snprintf(buffer, capacity, "%s", info.name);
    char *bracket = strstr(buffer, " (");
    if (bracket != NULL) {
        *bracket = '\0'; /* "AU (Sun/NeXT)" */
    }
    return buffer;
}

static void describe_format(char *out, size_t capacity, int format)
{
    char buffer[64], coding[64] = "unnamed coding";
    const char *major = major_name(format & SF_FORMAT_TYPEMASK, buffer, sizeof buffer);
    SF_FORMAT_INFO info = {.format = format & SF_FORMAT_SUBMASK};
    if (sf_command(NULL, SFC_GET_FORMAT_INFO, &info, sizeof info) == 0 && info.name != NULL) {
        snprintf(coding, sizeof coding, "%s", info.name);
        if (strstr(coding, "igned ") != NULL) { /* "Signed 16 bit PCM", not "Vorbis" or "U-Law" */
            coding[0] = (char)tolower((unsigned char)coding[0]);
        }
    }
    snprintf(out, capacity, "%s, %s", major, coding);
}

/* libsndfile opens what it can and only notes in its log that the samples are fewer than the header
 * claims. */
static void warn_by_log(struct oto_source *source, SNDFILE *file)
{
    static const char *const names[] = {"data", "Data", "SSND", "BODY", "riff"};
    char log[4096];
    int n = sf_command(file, SFC_GET_LOG_INFO, log, sizeof log);
    log[sizeof log - 1] = '\0';
    if (n <= 0) {
        return;
    }
    for (char *save = NULL, *line = strtok_r(log, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        while (*line == ' ') {
            line++;
        }
        const char *wrong = strstr(line, "should be");
        for (size_t i = 0; wrong != NULL && i < sizeof names / sizeof names[0]; i++) {
            if (strncmp(line, names[i], strlen(names[i])) == 0) {
                oto_source_warn(source, "the header claims another length than is there (%.80s)",
                                line);
                return;
            }
        }
    }
}

static void warn_by_wav_header(struct oto_source *source, const struct oto_wav_header *wav,
                               const struct oto_input *input)
{
    uint64_t there = (uint64_t)(input->size - wav->data_offset);
    if (wav->data_size > there) {
        oto_source_warn(source,
                        "the header claims %" PRIu64 " bytes of samples, %" PRIu64 " are there",
                        wav->data_size, there);
    }
}

/* Why libsndfile would not open it, in words that help. */
static oto_status explain(const struct oto_source_request *request, oto_error *err)
{
    struct oto_input *input = request->input;
    int code = sf_error(NULL);
    if (input->error.status != OTO_OK) {
        return oto_fail(err, input->error.status, "%s", input->error.message);
    }
    if (oto_sniff_known(request->head, request->n_head) || oto_sniff_mpeg(input)) {
        const char *why = sf_error_number(code);
        if (request->wav.has_format) {
            return oto_fail(
                err, OTO_ERR_FORMAT,
                "%s: WAV with format tag 0x%04x, %d bits and frames of %d bytes cannot be read: %s",
                input->name, request->wav.tag, request->wav.bits, request->wav.block_align,
                why != NULL ? why : "unknown to libsndfile");
        }
        return oto_fail(err, OTO_ERR_FORMAT, "%s: is damaged, cut off or of an unknown kind: %s",
                        input->name, why != NULL && code != 0 ? why : "libsndfile cannot read it");
    }
    if (oto_sniff_text(input)) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: is text, not audio", input->name);
    }
    char bytes[3 * 8 + 1] = "";
    for (size_t i = 0; i < request->n_head && i < 8; i++) {
        snprintf(bytes + 3 * i, 4, " %02x", request->head[i]);
    }
    return oto_fail(
        err, OTO_ERR_FORMAT,
        "%s: is not in a known audio format (it begins with%s); headerless samples need a "
        "raw format such as s16le:16000:1",
        input->name, bytes);
}

static bool sndfile_probe(const struct oto_source_request *request)
{
    return request->input != NULL;
}

static oto_status sndfile_check(const struct oto_source_request *request, const SF_INFO *info,
                                oto_error *err)
{
    const char *name = request->input->name;
    oto_status status = oto_source_check_shape(name, info->samplerate, info->channels, err);
    if (status == OTO_OK && info->frames < 0) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: the header claims %" PRId64 " frames", name,
                        (int64_t)info->frames);
    }
    return status;
}

/* What the header says is checked before libsndfile acts on it. */
static oto_status check_wav(const struct oto_source_request *request, oto_error *err)
{
    const struct oto_wav_header *wav = &request->wav;
    if (!wav->is_wav) {
        return OTO_OK;
    }
    oto_status status = oto_wav_check(wav, request->input, err);
    if (status != OTO_OK) {
        return status;
    }
    return oto_source_check_shape(request->input->name, wav->rate_hz, wav->n_channels, err);
}

/*
 * libsndfile refuses a CAF file that ends before its data chunk does, where it cuts the length of
 * others. Told that the file goes on, it reads what is there.
 */
static SNDFILE *open_file(struct sndfile_state *state, const struct oto_source_request *request,
                          SF_INFO *info)
{
    SF_VIRTUAL_IO io = {vio_length, vio_seek, vio_read, vio_write, vio_tell};
    bool is_caf = request->n_head >= 4 && memcmp(request->head, "caff", 4) == 0;
    state->length = state->input->size;
    for (int attempt = 0; attempt < 2; attempt++) {
        memset(info, 0, sizeof *info);
        (void)oto_input_seek(state->input, 0); /* a file or memory by now, so it can be done */
        SNDFILE *file = sf_open_virtual(&io, SFM_READ, info, state);
        if (file != NULL || !is_caf) {
            return file;
        }
        state->length = (int64_t)1 << 40;
    }
    return NULL;
}

static oto_status sndfile_open(struct oto_source *source, const struct oto_source_request *request,
                               oto_error *err)
{
    struct oto_input *input = request->input;
    SF_INFO info;
    oto_status status = check_wav(request, err);
    if (status == OTO_OK) {
        status = oto_input_spool(input, err);
    }
    if (status != OTO_OK) {
        return status;
    }
    struct sndfile_state *state = oto_calloc(1, sizeof *state);
    if (state == NULL) {
        return oto_fail_memory(err, "audio file");
    }
    state->input = input;
    state->file = open_file(state, request, &info);
    status = state->file == NULL ? explain(request, err) : sndfile_check(request, &info, err);
    if (status != OTO_OK) {
        if (state->file != NULL) {
            sf_close(state->file);
        }
        oto_free(state);
        return status;
    }
    source->state = state;
    source->info.rate_hz = info.samplerate;
    source->info.n_channels = info.channels;
    state->n_frames = info.frames == SF_COUNT_MAX ? -1 : info.frames;
    /* The length of MPEG audio without a Xing header is an estimate by the file's size. */
    state->slack =
        (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG ? 2304 + info.frames / 50 : 0;
    source->info.n_frames = state->n_frames;
    describe_format(source->info.format, sizeof source->info.format, info.format);
    if (request->wav.is_wav) {
        warn_by_wav_header(source, &request->wav, input);
    } else {
        warn_by_log(source, state->file);
    }
    return OTO_OK;
}

static oto_status sndfile_end(struct oto_source *source, oto_error *err)
{
    struct sndfile_state *state = source->state;
    double seconds = (double)state->n_read / source->info.rate_hz;
    int code = sf_error(state->file);
    state->ended = true;
    if (state->input->error.status != OTO_OK) {
        return oto_fail(err, state->input->error.status, "%s", state->input->error.message);
    }
    if (code != SF_ERR_NO_ERROR && state->n_read == 0) {
        return oto_fail(err, OTO_ERR_FORMAT, "%s: cannot be decoded: %s", source->name,
                        sf_error_number(code));
    }
    if (code != SF_ERR_NO_ERROR) {
        oto_source_warn(source, "decoding stopped after %.3f s: %.100s", seconds,
                        sf_error_number(code));
    } else if (state->n_frames > state->n_read + state->slack) {
        oto_source_warn(source, "ends after %.3f s, the header claims %.3f s", seconds,
                        (double)state->n_frames / source->info.rate_hz);
    }
    return OTO_OK;
}

static oto_status sndfile_read(struct oto_source *source, float *frames, size_t capacity,
                               size_t *n_read, oto_error *err)
{
    struct sndfile_state *state = source->state;
    if (state->ended) {
        return OTO_OK;
    }
    sf_count_t n = sf_readf_float(state->file, frames, (sf_count_t)capacity);
    if (n <= 0) {
        return sndfile_end(source, err);
    }
    state->n_read += n;
    *n_read = (size_t)n;
    return OTO_OK;
}

static void sndfile_close(struct oto_source *source)
{
    struct sndfile_state *state = source->state;
    sf_close(state->file);
    oto_free(state);
}

static bool sndfile_seek(struct oto_source *source, int64_t frame)
{
    struct sndfile_state *state = source->state;
    if (sf_seek(state->file, frame, SEEK_SET) != frame) {
        return false;
    }
    state->n_read = frame;
    return true;
}

const struct oto_source_backend oto_source_sndfile = {
    "libsndfile", sndfile_probe, sndfile_open, sndfile_read, sndfile_close, sndfile_seek, NULL};
