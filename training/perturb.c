/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/perturb.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "features/mel.h"

static const double pi = 3.14159265358979323846;

struct change {
    const struct oto_perturb *p;
    float *x; /* [n, n_mels] */
    size_t n;
    float *a, *b; /* [n_mels] scratch */
    double value;
    uint64_t seed, stream; /* a stream of its own for each kind */
};

/* Centre of filter m, which may lie between two, in mel; and back. */
static double mel_step(const struct oto_perturb *p)
{
    return (oto_mel_from_hz(p->high_hz) - oto_mel_from_hz(p->low_hz)) / (p->n_mels + 1);
}

static double centre_hz(const struct oto_perturb *p, double m)
{
    return oto_mel_to_hz(oto_mel_from_hz(p->low_hz) + (m + 1) * mel_step(p));
}

static double place_of_hz(const struct oto_perturb *p, double hz)
{
    return (oto_mel_from_hz(hz) - oto_mel_from_hz(p->low_hz)) / mel_step(p) - 1;
}

/* Filter m takes what lay at its frequency / value; the outermost filters stand for all beyond. */
static void warp(struct change *c)
{
    int n_mels = c->p->n_mels;
    for (int m = 0; m < n_mels; m++) {
        double place = place_of_hz(c->p, centre_hz(c->p, m) / c->value);
        c->b[m] = (float)fmin(fmax(place, 0), n_mels - 1);
    }
    for (size_t t = 0; t < c->n; t++) {
        float *row = c->x + t * (size_t)n_mels;
        memcpy(c->a, row, (size_t)n_mels * sizeof *row);
        for (int m = 0; m < n_mels; m++) {
            int left = (int)c->b[m], right = left + 1 < n_mels ? left + 1 : left;
            row[m] = c->a[left] + (c->b[m] - (float)left) * (c->a[right] - c->a[left]);
        }
    }
}

/* E'[t] = E[t] + ratio (1 - decay) sum_k decay^(k-1) E[t-k]: all echoes together have ratio times
 * the energy. */
static void reverb(struct change *c)
{
    int n_mels = c->p->n_mels;
    double half = c->p->power ? 1 : 0.5, decibels = 2 + 15 * oto_rng_uniform(c->seed, c->stream, 1);
    float decay = (float)pow(10, -6 * half * c->p->shift_s / c->value);
    float share = (1 - decay) * (float)pow(10, -0.1 * half * decibels);
    memset(c->a, 0, (size_t)n_mels * sizeof *c->a);
    for (size_t t = 0; t < c->n; t++)
        for (int m = 0; m < n_mels; m++) {
            float *x = &c->x[t * (size_t)n_mels + (size_t)m], energy = expf(*x);
            *x = logf(energy + share * c->a[m]);
            c->a[m] = decay * c->a[m] + energy;
        }
}

static void add_curve(struct change *c, const float *curve)
{
    for (size_t t = 0; t < c->n; t++)
        for (int m = 0; m < c->p->n_mels; m++)
            c->x[t * (size_t)c->p->n_mels + (size_t)m] += curve[m];
}

/* Decibels as a difference of log-mel energies. */
static double from_db(const struct oto_perturb *p, double decibels)
{
    return decibels * log(10) / (p->power ? 10 : 20);
}

static void cut_band(struct change *c, int direction)
{
    for (int m = 0; m < c->p->n_mels; m++) {
        double octaves = direction * log2(centre_hz(c->p, m) / c->value);
        c->a[m] = (float)from_db(c->p, octaves > 0 ? -fmin(24 * octaves, 60) : 0);
    }
    add_curve(c, c->a);
}

static void highpass(struct change *c)
{
    cut_band(c, -1);
}

static void lowpass(struct change *c)
{
    cut_band(c, 1);
}

/* A curve of three cosines with 1/2 to 3 waves over the filters, each at most a third of decibels
 * high, from draws counter to counter + 8. */
static void draw_curve(const struct change *c, float *curve, double decibels, uint64_t counter)
{
    memset(curve, 0, (size_t)c->p->n_mels * sizeof *curve);
    for (uint64_t k = 0; k < 3; k++, counter += 3) {
        double waves = 0.5 + 2.5 * oto_rng_uniform(c->seed, c->stream, counter);
        double phase = 2 * pi * oto_rng_uniform(c->seed, c->stream, counter + 1);
        double height = from_db(c->p, decibels / 3) *
                        (2 * oto_rng_uniform(c->seed, c->stream, counter + 2) - 1);
        for (int m = 0; m < c->p->n_mels; m++)
            curve[m] += (float)(height * cos(2 * pi * waves * m / c->p->n_mels + phase));
    }
}

static void colour(struct change *c)
{
    /* at most value: the tallest of a curve's waves is value / 3 times 0 to 1 */
    draw_curve(c, c->a, 3 * c->value, 1);
    for (int m = 0; m < c->p->n_mels; m++)
        c->a[m] =
            (float)fmin(fmax((double)c->a[m], -from_db(c->p, c->value)), from_db(c->p, c->value));
    add_curve(c, c->a);
}

/* The noise's spectrum: white to falling with 9 dB an octave, under a curve; its level comes from
 * the utterance's mean energy over all filters. */
static void steady_noise(struct change *c)
{
    int n_mels = c->p->n_mels;
    double slope = -9 * oto_rng_uniform(c->seed, c->stream, 1), sum = 0, noise_sum = 0;
    draw_curve(c, c->a, 12, 2);
    for (int m = 0; m < n_mels; m++) {
        /* a filter collects white noise as wide as it is: 700 Hz + f on this mel scale */
        double hz = centre_hz(c->p, m), width_db = 10 * log10((700 + hz) / 700);
        c->a[m] += (float)from_db(c->p, width_db + slope * log2((200 + hz) / 200));
        noise_sum += exp((double)c->a[m]);
    }
    for (size_t i = 0; i < c->n * (size_t)n_mels; i++)
        sum += exp((double)c->x[i]);
    double spread = from_db(c->p, 3.5), mean = 0.5 * spread * spread; /* of e^(spread * normal) */
    double level = log(sum / ((double)c->n * noise_sum)) - from_db(c->p, c->value) - mean;
    for (size_t t = 0; t < c->n; t++)
        for (int m = 0; m < n_mels; m++) {
            size_t i = t * (size_t)n_mels + (size_t)m;
            double varied = level + spread * oto_rng_normal(c->seed, c->stream, 16 + i);
            c->x[i] = logf(expf(c->x[i]) + expf(c->a[m] + (float)varied));
        }
}

static double sum_energies(const float *x, int n)
{
    double sum = 0;
    for (int m = 0; m < n; m++)
        sum += exp((double)x[m]);
    return sum;
}

/* Vector t of what is added, from vector first on and round and round. */
static const float *noise_at(const struct oto_noise *noise, size_t first, size_t t, int n_mels)
{
    return noise->log_mels + (first + t) % noise->n * (size_t)n_mels;
}

/* One of the recordings, brought to its level. */
static void recorded_noise(struct change *c)
{
    int n_mels = c->p->n_mels;
    const struct oto_noise *noise =
        &c->p->noises[oto_rng_below(c->seed, c->stream, 1, c->p->n_noises)];
    if (noise->n == 0) /* shorter than a frame */
        return;
    size_t first = (size_t)oto_rng_below(c->seed, c->stream, 2, noise->n);
    double sum = 0, noise_sum = 0;
    for (size_t t = 0; t < c->n; t++) {
        noise_sum += sum_energies(noise_at(noise, first, t, n_mels), n_mels);
        sum += sum_energies(c->x + t * (size_t)n_mels, n_mels);
    }
    if (noise_sum < 1e-3 * (double)c->n * n_mels) /* digital silence: the front end's floor */
        return;
    float level = (float)(log(sum / noise_sum) - from_db(c->p, c->value));
    for (size_t t = 0; t < c->n; t++) {
        const float *added = noise_at(noise, first, t, n_mels);
        float *row = c->x + t * (size_t)n_mels;
        for (int m = 0; m < n_mels; m++)
            row[m] = logf(expf(row[m]) + expf(added[m] + level));
    }
}

static void noise(struct change *c)
{
    if (c->p->n_noises > 0)
        recorded_noise(c);
    else
        steady_noise(c);
}

static void gain(struct change *c)
{
    for (int m = 0; m < c->p->n_mels; m++)
        c->a[m] = (float)from_db(c->p, c->value);
    add_curve(c, c->a);
}

void oto_perturb_apply(const struct oto_perturb *perturb, float *log_mels, size_t n, float *scratch,
                       uint64_t seed, uint64_t stream)
{
    static void (*const changes[OTO_PERTURB_MEL_KINDS])(struct change *) = {
        warp, reverb, highpass, lowpass, colour, noise, gain,
    };
    for (int k = 0; k < OTO_PERTURB_MEL_KINDS && n > 0; k++) {
        struct change c = {.p = perturb,
                           .x = log_mels,
                           .n = n,
                           .a = scratch,
                           .b = scratch + perturb->n_mels,
                           .seed = seed};
        if (oto_perturb_draw(perturb, (enum oto_perturb_kind)k, seed, stream, &c.value, &c.stream))
            changes[k](&c);
    }
}
