/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus_check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "otolith/audio.h"
#include "training/ctc_loss.h"

enum {
    CHUNK = 64,      /* utterances decoded between two reports */
    READ = 8192,     /* samples read at once */
    CLIPPED_RUN = 3, /* samples in a row at full scale that count as clipped; one may be a peak */
    SHOWN = 8        /* characters outside the alphabet that are named */
};
#define FULL_SCALE 0.999F

/* What one recording is like. */
struct sound {
    oto_error error; /* status OTO_OK when it was decoded to its end */
    bool opened;
    char warning[256];
    int rate_hz;
    size_t n, n_clipped;
    double loudest; /* mean square of the loudest 20 ms */
    double file_s;  /* length of the whole file by its header, negative when unknown */
};

struct check {
    const struct oto_corpus *corpus;
    const struct oto_check_options *options;
    struct oto_frontend *frontend;
    struct sound *sounds; /* [CHUNK] */
    size_t first;
    size_t *paths; /* hash table of utterance index + 1 by audio, open addressing */
    size_t n_slots;
    double audio_s;
};

/* ---- recordings ------------------------------------------------------------------------------ */

struct meter {
    struct sound *sound;
    size_t run;      /* samples at full scale so far */
    double sum;      /* of squares in this block */
    size_t n, block; /* samples in it; samples of 20 ms */
};

static void close_block(struct meter *m)
{
    if (m->n > 0 && m->sum / (double)m->n > m->sound->loudest)
        m->sound->loudest = m->sum / (double)m->n;
    m->sum = 0;
    m->n = 0;
}

static void measure(struct meter *m, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        m->run = fabsf(x[i]) >= FULL_SCALE ? m->run + 1 : 0;
        if (m->run == CLIPPED_RUN)
            m->sound->n_clipped += CLIPPED_RUN;
        else if (m->run > CLIPPED_RUN)
            m->sound->n_clipped++;
        m->sum += (double)x[i] * (double)x[i];
        if (++m->n == m->block)
            close_block(m);
    }
    m->sound->n += n;
}

static void decode(struct sound *s, const struct oto_utterance *u)
{
    float samples[READ];
    oto_audio *audio;
    oto_audio_info info;
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.start_s = u->start_s;
    options.length_s = u->length_s;
    s->error.status = oto_audio_open(&audio, u->path, &options, &s->error);
    if (s->error.status != OTO_OK)
        return;
    s->opened = true;
    oto_audio_get_info(audio, &info);
    s->rate_hz = info.source_rate_hz;
    s->file_s = info.seconds;
    struct meter meter = {.sound = s, .block = (size_t)s->rate_hz / 50};
    for (size_t n = 1; n > 0 && s->error.status == OTO_OK;) {
        s->error.status = oto_audio_read(audio, samples, READ, &n, &s->error);
        if (s->error.status == OTO_OK)
            measure(&meter, samples, n);
    }
    close_block(&meter);
    oto_audio_get_info(audio, &info);
    snprintf(s->warning, sizeof s->warning, "%s", info.warning);
    oto_audio_close(audio);
}

static void decode_task(void *arg, int k)
{
    struct check *c = arg;
    decode(&c->sounds[k], &c->corpus->utts[c->first + (size_t)k]);
}

/* ---- faults ---------------------------------------------------------------------------------- */

static void tell(const struct check *c, const struct oto_utterance *u, enum oto_fault kind,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

static void tell(const struct check *c, const struct oto_utterance *u, enum oto_fault kind,
                 const char *format, ...)
{
    char message[900];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    const struct oto_corpus_fault fault = {kind, oto_corpus_file(c->corpus, u), u->line, u->id,
                                           message};
    c->options->fault(c->options->arg, &fault);
}

/* It was not decoded to its end. */
static void tell_undecodable(const struct check *c, const struct oto_utterance *u,
                             const struct sound *s)
{
    const char *why = s->error.message;
    struct stat st;
    bool there = stat(u->path, &st) == 0;
    if (!there)
        tell(c, u, OTO_FAULT_MISSING_AUDIO,
             "audio file %s; expected a recording there; correct the path (relative ones start at "
             "the manifest) or remove the line",
             why);
    else if (!S_ISREG(st.st_mode))
        tell(c, u, OTO_FAULT_NOT_A_FILE,
             "audio file %s is not a regular file; expected a recording; correct the path or "
             "remove the line",
             u->path);
    else if (s->opened)
        tell(c, u, s->error.status == OTO_ERR_DATA ? OTO_FAULT_NOT_FINITE : OTO_FAULT_UNDECODABLE,
             "%s; expected samples to the end; make the file again", why);
    else if (st.st_size == 0 || strstr(why, "holds no samples"))
        tell(c, u, OTO_FAULT_NO_SAMPLES,
             "%s; expected speech; copy the recording again, or remove the line", why);
    else if (s->error.status == OTO_ERR_DATA && u->start_s > 0)
        tell(c, u, OTO_FAULT_BEYOND_END,
             "%s; expected a part inside of the recording; correct its start, or see that it is "
             "the right recording",
             why);
    else
        tell(c, u, OTO_FAULT_UNDECODABLE,
             "%s; expected audio that libsndfile reads; convert the file, or remove the line", why);
}

static void check_length(const struct check *c, const struct oto_utterance *u,
                         const struct sound *s)
{
    double found = (double)s->n / s->rate_hz, tolerance = c->options->tolerance_s;
    if (u->length_s > 0 && found < u->length_s - tolerance)
        tell(c, u, OTO_FAULT_BEYOND_END,
             "the part ends at %.3f s, the recording at %.3f s; expected a part inside of the "
             "recording; correct its end, or see that it is the right recording",
             u->start_s + u->length_s, u->start_s + found);
    else if (*s->warning && u->length_s <= 0)
        tell(c, u, OTO_FAULT_TRUNCATED, "%s: %s; expected a whole file; copy it again", u->path,
             s->warning);
    else if (u->seconds > 0 && u->length_s <= 0 && fabs(found - u->seconds) > tolerance)
        tell(c, u, OTO_FAULT_DURATION,
             "the manifest says %.3f s, the recording has %.3f s; expected them to agree within "
             "%g s; correct the length, or see that it is the right recording",
             u->seconds, found, tolerance);
}

static void check_sound(const struct check *c, const struct oto_utterance *u, const struct sound *s)
{
    double clipped = s->n > 0 ? (double)s->n_clipped / (double)s->n : 0;
    double db = s->loudest > 0 ? 10 * log10(s->loudest) : -200;
    check_length(c, u, s);
    if (clipped > c->options->max_clipped)
        tell(c, u, OTO_FAULT_CLIPPING,
             "%.2f %% of the samples are clipped; expected at most %.2f %%; record it again with "
             "less gain, or remove the line",
             100 * clipped, 100 * c->options->max_clipped);
    if (db < c->options->silence_db)
        tell(c, u, OTO_FAULT_SILENCE,
             "the loudest 20 ms are at %.1f dB of full scale; expected speech above %.1f dB; see "
             "that it is the right recording, or remove the line",
             db, c->options->silence_db);
}

struct unknown {
    int32_t seen[SHOWN];
    int n, n_more;
};

static void note_unknown(void *arg, int32_t code_point)
{
    struct unknown *list = arg;
    for (int i = 0; i < list->n; i++)
        if (list->seen[i] == code_point)
            return;
    if (list->n < SHOWN)
        list->seen[list->n++] = code_point;
    else
        list->n_more++;
}

static void tell_unknown(const struct check *c, const struct oto_utterance *u,
                         const struct unknown *list)
{
    char names[SHOWN * 24 + 16] = "";
    size_t used = 0;
    for (int i = 0; i < list->n; i++) {
        char text[5] = "";
        if (list->seen[i] >= 0x20 && list->seen[i] != 0x7F)
            oto_utf8_encode(list->seen[i], text);
        int n = snprintf(names + used, sizeof names - used, "%s'%s' U+%04X", i > 0 ? ", " : "",
                         text, (unsigned)list->seen[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    tell(c, u, OTO_FAULT_SYMBOLS,
         "the text holds %s%s; expected symbols of the alphabet alone; add them to it, or change "
         "the text",
         names, list->n_more > 0 ? " and others" : "");
}

static oto_status check_text(const struct check *c, const struct oto_utterance *u,
                             const struct sound *s, oto_error *err)
{
    struct unknown list = {.n = 0};
    int *labels = NULL, n_labels = 0, n_unknown = 0;
    oto_status status = oto_alphabet_encode(c->options->alphabet, u->text, &labels, &n_labels,
                                            &n_unknown, note_unknown, &list, err);
    if (status != OTO_OK)
        return status;
    int needed = oto_ctc_min_frames(labels, n_labels);
    if (n_unknown > 0)
        tell_unknown(c, u, &list);
    if (n_labels == 0)
        tell(c, u, OTO_FAULT_NO_LABELS,
             "nothing of the text '%.100s' is left after normalisation; expected words; write what "
             "is said, or remove the line",
             u->text);
    if (s->error.status == OTO_OK) {
        size_t n_samples =
            (size_t)llround((double)s->n * c->options->frontend->rate_hz / s->rate_hz);
        size_t n_frames =
            oto_frontend_n_frames(c->frontend, oto_frontend_n_static(c->frontend, n_samples));
        n_frames = (n_frames + (size_t)c->options->reduction - 1) / (size_t)c->options->reduction;
        if (n_frames < (size_t)(needed > 1 ? needed : 1))
            tell(c, u, OTO_FAULT_TOO_SHORT,
                 "too short for CTC: %zu frames for %d labels; expected %d frames or more (labels "
                 "and repeated ones); see that text and recording belong together",
                 n_frames, n_labels, needed > 1 ? needed : 1);
    }
    oto_free(labels);
    return OTO_OK;
}

/* ---- the same audio twice -------------------------------------------------------------------- */

static bool same_audio(const struct oto_utterance *a, const struct oto_utterance *b)
{
    return strcmp(a->path, b->path) == 0 && !(a->start_s < b->start_s) &&
           !(a->start_s > b->start_s);
}

static void check_twice(struct check *c, size_t i)
{
    const struct oto_utterance *u = &c->corpus->utts[i];
    uint64_t hash =
        oto_checksum(u->path, strlen(u->path)) ^ oto_checksum(&u->start_s, sizeof u->start_s);
    size_t slot = (size_t)hash & (c->n_slots - 1);
    while (c->paths[slot] && !same_audio(&c->corpus->utts[c->paths[slot] - 1], u))
        slot = (slot + 1) & (c->n_slots - 1);
    if (c->paths[slot] == 0) {
        c->paths[slot] = i + 1;
        return;
    }
    const struct oto_utterance *first = &c->corpus->utts[c->paths[slot] - 1];
    tell(c, u, OTO_FAULT_DUPLICATE_AUDIO,
         "the same audio as %s:%d (%s); expected each recording once; correct the path, or remove "
         "one of them",
         oto_corpus_file(c->corpus, first), first->line, first->path);
}

/* ---- all ------------------------------------------------------------------------------------- */

static oto_status check_chunk(struct check *c, size_t n, oto_error *err)
{
    oto_status status = OTO_OK;
    for (size_t k = 0; k < n && status == OTO_OK; k++) {
        const struct oto_utterance *u = &c->corpus->utts[c->first + k];
        const struct sound *s = &c->sounds[k];
        check_twice(c, c->first + k);
        if (s->error.status == OTO_ERR_MEMORY)
            return oto_fail_memory(err, u->path);
        if (s->error.status == OTO_OK)
            check_sound(c, u, s);
        else
            tell_undecodable(c, u, s);
        if (s->rate_hz > 0)
            c->audio_s += (double)s->n / s->rate_hz;
        status = check_text(c, u, s, err);
    }
    return status;
}

static oto_status create(struct check *c, oto_error *err)
{
    struct oto_frontend_options frontend = *c->options->frontend;
    frontend.cmvn = OTO_CMVN_NONE; /* the number of frames does not depend on it */
    for (c->n_slots = 64; c->n_slots < 2 * c->corpus->n;)
        c->n_slots *= 2;
    c->paths = oto_calloc(c->n_slots, sizeof *c->paths);
    c->sounds = oto_calloc(CHUNK, sizeof *c->sounds);
    if (!c->paths || !c->sounds)
        return oto_fail_memory(err, "check of a corpus");
    return oto_frontend_create(&c->frontend, &frontend, NULL, OTO_FFT_AUTO, err);
}

oto_status oto_corpus_check(const struct oto_corpus *corpus,
                            const struct oto_check_options *options, struct oto_pool *pool,
                            double *audio_s, oto_error *err)
{
    struct check c = {.corpus = corpus, .options = options};
    oto_status status = create(&c, err);
    for (; status == OTO_OK && c.first < corpus->n; c.first += CHUNK) {
        size_t n = corpus->n - c.first < CHUNK ? corpus->n - c.first : CHUNK;
        memset(c.sounds, 0, CHUNK * sizeof *c.sounds);
        oto_pool_run(pool, (int)n, decode_task, &c);
        status = check_chunk(&c, n, err);
        if (options->progress)
            options->progress(options->arg, c.first + n, corpus->n, c.audio_s);
    }
    *audio_s = c.audio_s;
    oto_frontend_destroy(c.frontend);
    oto_free(c.sounds);
    oto_free(c.paths);
    return status;
}
