/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/wave.h"

#include <math.h>
#include <string.h>

#include "audio/resample.h"
#include "base/mem.h"
#include "base/rng.h"
#include "training/channel.h"
#include "training/convolve.h"
#include "training/room.h"
#include "training/stretch.h"

struct oto_wave {
    const struct oto_perturb *perturb;
    struct oto_recordings recordings[OTO_PERTURB_KINDS]; /* of kinds with a folder */
};

oto_status oto_wave_create(struct oto_wave **out, const struct oto_perturb *perturb, oto_error *err)
{
    *out = NULL;
    struct oto_wave *wave = oto_calloc(1, sizeof *wave);
    if (!wave)
        return oto_fail_memory(err, "perturb");
    wave->perturb = perturb;
    oto_status status = OTO_OK;
    for (int k = OTO_PERTURB_MEL_KINDS; k < OTO_PERTURB_KINDS && status == OTO_OK; k++)
        if (perturb->kinds[k].folder)
            status = oto_recordings_open(
                &wave->recordings[k], perturb->kinds[k].folder,
                k == OTO_PERTURB_RESPONSE ? "perturb: response" : "perturb: background", err);
    if (status != OTO_OK) {
        oto_wave_destroy(wave);
        return status;
    }
    *out = wave;
    return OTO_OK;
}

void oto_wave_destroy(struct oto_wave *wave)
{
    if (!wave)
        return;
    for (int k = 0; k < OTO_PERTURB_KINDS; k++)
        oto_recordings_clear(&wave->recordings[k]);
    oto_free(wave);
}

void oto_wave_key(const struct oto_wave *wave, struct oto_writer *w, bool times)
{
    oto_write_u32(w, 2); /* to be raised when the same draws give other samples */
    for (int k = OTO_PERTURB_MEL_KINDS; k < OTO_PERTURB_KINDS; k++) {
        oto_write_f64(w, wave->perturb->kinds[k].probability);
        oto_write_f64(w, wave->perturb->kinds[k].low);
        oto_write_f64(w, wave->perturb->kinds[k].high);
        oto_recordings_key(&wave->recordings[k], w, times);
    }
}

/* ---- changes --------------------------------------------------------------------------------- */

struct change {
    const struct oto_wave *wave;
    struct oto_samples *s;
    double value;
    uint64_t seed, stream; /* a stream of its own for each kind */
};

static int rate_of(const struct change *c)
{
    return c->wave->perturb->rate_hz;
}

/* Takes over x [n] as the samples. */
static void replace(struct oto_samples *s, float *x, size_t n)
{
    oto_free(s->x);
    *s = (struct oto_samples){x, n, n};
}

static oto_status speed(struct change *c, oto_error *err)
{
    float *x;
    size_t n;
    oto_status status =
        oto_resample(&x, &n, c->s->x, c->s->n, rate_of(c) * c->value, rate_of(c), err);
    if (status == OTO_OK)
        replace(c->s, x, n);
    return status;
}

static oto_status stretch_to(struct change *c, size_t n, oto_error *err)
{
    float *x;
    oto_status status = oto_stretch(&x, n, c->s->x, c->s->n, rate_of(c), err);
    if (status == OTO_OK)
        replace(c->s, x, n);
    return status;
}

static oto_status pitch(struct change *c, oto_error *err)
{
    size_t n = c->s->n;
    oto_status status = speed(c, err);
    return status == OTO_OK ? stretch_to(c, n, err) : status;
}

static oto_status tempo(struct change *c, oto_error *err)
{
    return stretch_to(c, (size_t)round((double)c->s->n / c->value), err);
}

/* Quiet, not silence, before and after: white noise 30 to 70 dB below the speech runs through all.
 */
static oto_status pause(struct change *c, oto_error *err)
{
    struct oto_samples *s = c->s;
    size_t n_pause = (size_t)(c->value * rate_of(c));
    size_t before = (size_t)((double)n_pause * oto_rng_uniform(c->seed, c->stream, 1));
    double below_db = 30 + 40 * oto_rng_uniform(c->seed, c->stream, 2);
    double level = sqrt(oto_mean_power(s->x, s->n)) * pow(10, -below_db / 20);
    uint64_t stream = oto_rng_u64(c->seed, c->stream, 3);
    size_t n = s->n + n_pause;
    float *x = oto_calloc(n, sizeof *x);
    if (!x)
        return oto_fail_memory(err, "perturb: pause");
    memcpy(x + before, s->x, s->n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] += (float)(level * oto_rng_normal(c->seed, stream, i));
    replace(s, x, n);
    return OTO_OK;
}

static oto_status answer(struct change *c, const float *h, size_t n_h, oto_error *err)
{
    double power = oto_mean_power(c->s->x, c->s->n);
    oto_status status = oto_convolve(c->s->x, c->s->n, h, n_h, err);
    if (status == OTO_OK)
        oto_set_power(c->s->x, c->s->n, power);
    return status;
}

static oto_status room(struct change *c, oto_error *err)
{
    struct oto_room r;
    float *h;
    size_t n_h = (size_t)ceil(c->value * rate_of(c));
    oto_room_draw(&r, c->value, c->seed, c->stream);
    oto_status status = oto_room_response(&h, &r, n_h, rate_of(c), err);
    if (status != OTO_OK)
        return status;
    status = answer(c, h, n_h, err);
    oto_free(h);
    return status;
}

static const struct oto_recording *draw_recording(const struct change *c,
                                                  enum oto_perturb_kind kind)
{
    const struct oto_recordings *all = &c->wave->recordings[kind];
    return &all->items[oto_rng_below(c->seed, c->stream, 1, all->n)];
}

void oto_wave_prepare_response(struct oto_samples *h, int rate_hz, double late_db)
{
    size_t top = 0, before = (size_t)(rate_hz / 1000), direct = (size_t)(rate_hz / 400);
    float late = (float)pow(10, late_db / 20);
    for (size_t i = 1; i < h->n; i++)
        if (fabsf(h->x[i]) > fabsf(h->x[top]))
            top = i;
    size_t first = top > before ? top - before : 0;
    for (size_t i = top + direct + 1; i < h->n; i++)
        h->x[i] *= late;
    h->n -= first;
    memmove(h->x, h->x + first, h->n * sizeof *h->x);
}

static oto_status response(struct change *c, oto_error *err)
{
    static const double longest_s = 8; /* what is later than that is no room's */
    const struct oto_recording *recording = draw_recording(c, OTO_PERTURB_RESPONSE);
    struct oto_samples h = {0};
    oto_status status = oto_samples_read(&h, recording->path, rate_of(c), 0, longest_s, err);
    if (status == OTO_OK && oto_mean_power(h.x, h.n) == 0)
        status = oto_fail(err, OTO_ERR_DATA,
                          "perturb: response: %s: silence; expected the "
                          "response of a room to an impulse",
                          recording->path);
    if (status == OTO_OK) {
        oto_wave_prepare_response(&h, rate_of(c), c->value);
        status = answer(c, h.x, h.n, err);
    }
    oto_samples_clear(&h);
    return status;
}

static oto_status background(struct change *c, oto_error *err)
{
    struct oto_samples noise = {0};
    double place = oto_rng_uniform(c->seed, c->stream, 2);
    oto_status status = oto_recording_loop(draw_recording(c, OTO_PERTURB_BACKGROUND), &noise,
                                           c->s->n, place, rate_of(c), err);
    if (status == OTO_OK) {
        oto_set_power(noise.x, noise.n, oto_mean_power(c->s->x, c->s->n) * pow(10, -c->value / 10));
        for (size_t i = 0; i < c->s->n; i++)
            c->s->x[i] += noise.x[i];
    }
    oto_samples_clear(&noise);
    return status;
}

static oto_status telephone(struct change *c, oto_error *err)
{
    return oto_telephone(c->s->x, c->s->n, rate_of(c), c->value, err);
}

/* Codecs cut between 40 % of the band and none of it. */
static oto_status codec(struct change *c, oto_error *err)
{
    double share = 0.4 + 0.6 * oto_rng_uniform(c->seed, c->stream, 1);
    return oto_codec(c->s->x, c->s->n, rate_of(c), c->value, share * rate_of(c) / 2, err);
}

oto_status oto_wave_apply(const struct oto_wave *wave, struct oto_samples *s, uint64_t seed,
                          uint64_t stream, oto_error *err)
{
    static oto_status (*const changes[])(struct change *, oto_error *) = {
        speed, pitch, tempo, pause, room, response, background, telephone, codec,
    };
    for (int k = OTO_PERTURB_MEL_KINDS; k < OTO_PERTURB_KINDS && s->n > 0; k++) {
        struct change c = {.wave = wave, .s = s, .seed = seed};
        if (!oto_perturb_draw(wave->perturb, (enum oto_perturb_kind)k, seed, stream, &c.value,
                              &c.stream))
            continue;
        oto_status status = changes[k - OTO_PERTURB_MEL_KINDS](&c, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}
