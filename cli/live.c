/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/live.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/status.h"

enum { BLOCK = 1600, REOPEN_MS = 1000, LOOK_MS = 50 };
#define CLIPPED 0.999f

struct session {
    const struct oto_live_session *s;
    oto_audio_options audio_options;
    oto_audio *audio; /* NULL while the microphone is away */
    oto_live *live;
    double rate_hz;
    bool listening;       /* samples have come from this device */
    double last_s;        /* when samples came last */
    uint64_t n_opened;    /* samples processed before this device was opened */
    uint64_t n_processed; /* given to the recogniser */
    uint64_t n_lost;
    uint64_t base; /* processed and lost before the recogniser's time 0 */
    char *shown;   /* [capacity] text of the last PARTIAL */
    size_t capacity, shown_stable;
    bool failed; /* out of memory while telling */
};

static struct oto_live_event event_of(const struct session *s, enum oto_live_event_type type)
{
    return (struct oto_live_event){
        .type = type,
        .heard_s = (double)(s->n_processed + s->n_lost) / s->rate_hz,
        .text = "",
        .message = "",
    };
}

static void tell(const struct session *s, const struct oto_live_event *e)
{
    s->s->sink->tell(s->s->sink, e);
}

/* ---- text -------------------------------------------------------------------------------- */

/* Remembers the text that is shown. */
static bool remember(struct session *s, const char *text, size_t n_stable)
{
    size_t n = strlen(text) + 1;
    if (n > s->capacity) {
        char *grown = oto_realloc(s->shown, s->capacity, 2 * n, 1);
        if (grown == NULL)
            return false;
        s->shown = grown;
        s->capacity = 2 * n;
    }
    memcpy(s->shown, text, n);
    s->shown_stable = n_stable;
    return true;
}

static void on_utterance(void *user_data, const oto_live_utterance *u)
{
    struct session *s = user_data;
    const double base_s = (double)s->base / s->rate_hz;
    struct oto_live_event e = event_of(s, OTO_LIVE_FINAL);
    e.text = u->result->text;
    e.n_stable = strlen(e.text);
    e.start_s = base_s + u->start_s;
    e.end_s = base_s + u->end_s;
    e.result = u->result;
    e.speech = u->speech;
    tell(s, &e);
    s->failed = !remember(s, "", 0) || s->failed;
}

static oto_status tell_partial(struct session *s, oto_error *err)
{
    const oto_live_partial_text *p = oto_live_partial(s->live);
    const double base_s = (double)s->base / s->rate_hz;
    if (s->failed)
        return oto_fail_memory(err, "text");
    if (strcmp(p->text, s->shown) == 0 && p->n_stable == s->shown_stable)
        return OTO_OK;
    struct oto_live_event e = event_of(s, OTO_LIVE_PARTIAL);
    e.text = p->text;
    e.n_stable = p->n_stable;
    e.start_s = base_s + p->start_s;
    e.end_s = base_s + p->heard_s;
    tell(s, &e);
    return remember(s, p->text, p->n_stable) ? OTO_OK : oto_fail_memory(err, "text");
}

/* ---- samples ----------------------------------------------------------------------------- */

static void tell_level(const struct session *s, const float *samples, size_t n)
{
    struct oto_live_event e = event_of(s, OTO_LIVE_LEVEL);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)samples[i] * (double)samples[i];
        e.clipped = e.clipped || fabsf(samples[i]) >= CLIPPED;
    }
    e.level_db = 10 * log10(sum / (double)n); /* -inf for digital silence */
    tell(s, &e);
}

static oto_status process(struct session *s, const float *samples, size_t n, oto_error *err)
{
    if (n == 0)
        return OTO_OK;
    s->n_processed += n;
    if (s->s->save != NULL) {
        oto_status status = oto_wav_writer_write(s->s->save, samples, n, err);
        if (status != OTO_OK)
            return status;
    }
    oto_status status = oto_live_feed(s->live, samples, n, err);
    if (status == OTO_OK)
        status = tell_partial(s, err);
    if (status == OTO_OK)
        tell_level(s, samples, n);
    return status;
}

/* The utterance in work ends here: what follows does not continue it. */
static oto_status break_off(struct session *s, uint64_t n_lost, oto_error *err)
{
    oto_status status = oto_live_finish(s->live, err);
    if (status == OTO_OK)
        status = tell_partial(s, err);
    oto_live_reset(s->live);
    s->n_lost += n_lost;
    s->base = s->n_processed + s->n_lost;
    return status;
}

static oto_status tell_gap(struct session *s, uint64_t n_lost, oto_error *err)
{
    char message[80] = "the device lost sound";
    const double start_s = (double)(s->n_processed + s->n_lost) / s->rate_hz;
    /* A device that does not know how much it lost mostly lost little: the utterance goes on. */
    oto_status status = n_lost > 0 ? break_off(s, n_lost, err) : OTO_OK;
    if (n_lost > 0)
        snprintf(message, sizeof message, "%.3f s of sound lost", (double)n_lost / s->rate_hz);
    struct oto_live_event e = event_of(s, OTO_LIVE_GAP);
    e.start_s = start_s;
    e.end_s = e.heard_s;
    e.n_lost = n_lost;
    e.message = message;
    tell(s, &e);
    return status;
}

/* Samples as they came, with what is missing between them. */
static oto_status take(struct session *s, const float *samples, size_t n, oto_error *err)
{
    oto_audio_gap gap;
    oto_status status = OTO_OK;
    while (status == OTO_OK && oto_audio_next_gap(s->audio, &gap)) {
        /* A gap a few samples ahead, which the resampler still holds, is told here already. */
        uint64_t at = s->n_processed - s->n_opened;
        size_t before = gap.position > at ? (size_t)(gap.position - at) : 0;
        before = before < n ? before : n;
        status = process(s, samples, before, err);
        samples += before;
        n -= before;
        if (status == OTO_OK)
            status = tell_gap(s, gap.n_lost, err);
    }
    return status == OTO_OK ? process(s, samples, n, err) : status;
}

/* ---- source ------------------------------------------------------------------------------ */

static oto_status open_audio(struct session *s, oto_error *err)
{
    s->listening = false;
    s->n_opened = s->n_processed;
    if (s->s->input != NULL)
        return oto_audio_open(&s->audio, s->s->input, &s->audio_options, err);
    return oto_audio_open_microphone(&s->audio, s->s->device, &s->audio_options, err);
}

static void tell_listening(struct session *s)
{
    oto_audio_info info;
    oto_audio_get_info(s->audio, &info);
    struct oto_live_event e = event_of(s, OTO_LIVE_LISTENING);
    e.source = oto_audio_name(s->audio);
    e.source_rate_hz = info.source_rate_hz;
    e.rate_hz = (int)s->rate_hz;
    e.model = s->s->model_path;
    tell(s, &e);
    s->listening = true;
}

static void tell_device(const struct session *s, const char *message)
{
    struct oto_live_event e = event_of(s, OTO_LIVE_DEVICE);
    e.message = message;
    tell(s, &e);
}

static bool is_stopped(const struct session *s)
{
    return s->s->stop != NULL && s->s->stop(NULL) != 0;
}

/* The microphone is gone: says so, and tries until it is there again. The time since the last
 * samples counts as lost sound. */
static oto_status open_again(struct session *s, const oto_error *failure, oto_error *err)
{
    const struct timespec pause = {0, LOOK_MS * 1000000L};
    oto_status status = break_off(s, 0, err);
    tell_device(s, failure->message);
    oto_audio_close(s->audio);
    s->audio = NULL;
    while (status == OTO_OK && s->audio == NULL && !is_stopped(s)) {
        for (int i = 0; i < REOPEN_MS / LOOK_MS && !is_stopped(s); i++)
            nanosleep(&pause, NULL);
        if (!is_stopped(s) && open_audio(s, NULL) == OTO_OK)
            status = tell_gap(s, (uint64_t)((oto_clock_wall_s() - s->last_s) * s->rate_hz), err);
    }
    return status;
}

/* ---- session ----------------------------------------------------------------------------- */

static oto_status listen(struct session *s, oto_error *err)
{
    float samples[BLOCK];
    oto_error failure = {OTO_OK, ""};
    while (!is_stopped(s)) {
        size_t n = 0;
        oto_status status = oto_audio_read(s->audio, samples, BLOCK, &n, &failure);
        if (status == OTO_ERR_INTERRUPTED)
            return OTO_OK;
        if (status == OTO_ERR_DEVICE && s->s->input == NULL && s->listening) {
            status = open_again(s, &failure, err);
            if (status != OTO_OK)
                return status;
            continue;
        }
        if (status != OTO_OK)
            return oto_fail(err, status, "%s", failure.message);
        if (n > 0 && !s->listening)
            tell_listening(s);
        s->last_s = oto_clock_wall_s();
        status = take(s, samples, n, err);
        if (status != OTO_OK || n == 0)
            return status;
        if (ferror(s->s->sink->out))
            return oto_fail(err, OTO_ERR_IO, "the output cannot be written");
    }
    return OTO_OK;
}

oto_status oto_live_run(const struct oto_live_session *session, bool *stopped, oto_error *err)
{
    oto_model_info info;
    oto_model_get_info(session->model, &info);
    struct session s = {.s = session, .rate_hz = info.rate_hz};
    oto_live_options options = *session->options;
    options.utterance = on_utterance;
    options.user_data = &s;
    s.audio_options = *session->audio;
    s.audio_options.rate_hz = info.rate_hz;
    s.audio_options.stop = session->stop;
    oto_status status =
        oto_live_create(&s.live, session->model, session->recognizer, &options, err);
    if (status == OTO_OK && !remember(&s, "", 0))
        status = oto_fail_memory(err, "text");
    if (status == OTO_OK)
        status = open_audio(&s, err);
    if (status == OTO_OK)
        status = listen(&s, err);
    if (status == OTO_ERR_INTERRUPTED)
        status = OTO_OK; /* while it was being opened */
    if (status == OTO_OK) {
        status = break_off(&s, 0, err);
        struct oto_live_event e = event_of(&s, OTO_LIVE_END);
        e.n_processed = s.n_processed;
        e.n_lost_total = s.n_lost;
        tell(&s, &e);
    }
    *stopped = is_stopped(&s);
    oto_audio_close(s.audio);
    oto_live_destroy(s.live);
    oto_free(s.shown);
    return status;
}
