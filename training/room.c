/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/room.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

enum {
    PHASES = 256, /* places between two samples */
    WING = 16     /* samples of the sinc to each side */
};

static const double speed_m_s = 343, pi = 3.14159265358979323846;

/*
 * Sound that goes in direction u meets a wall each 1 / s_u metres, s_u = sum |u_a| / size_a, so the
 * energy still to come after x = -2 ln(reflection) * metres is the mean of exp(-s_u x) / s_u over
 * all directions (Lehmann and Johansson, JASA 124 (2008), in short). That falls slower than by
 * Eyring's formula, and ever slower: sound along the longest side lives longest.
 */
static double energy_left(const double size[3], double x)
{
    enum { N = 12 };
    double sum = 0;
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double z = (i + 0.5) / N, across = sqrt(1 - z * z), angle = pi / 2 * (j + 0.5) / N;
            double s = z / size[2] + across * (cos(angle) / size[0] + sin(angle) / size[1]);
            sum += exp(-s * x) / s;
        }
    return sum;
}

/* x at which the energy has fallen by so many dB, by halving an interval. */
static double place_of_fall(const double size[3], double decibels)
{
    double low = 0, high = 1e4, wanted = energy_left(size, 0) * pow(10, -decibels / 10);
    for (int k = 0; k < 60; k++) {
        double middle = (low + high) / 2;
        *(energy_left(size, middle) > wanted ? &low : &high) = middle;
    }
    return low;
}

void oto_room_draw(struct oto_room *room, double decay_s, uint64_t seed, uint64_t stream)
{
    static const double least[3] = {3, 3, 2.3}, greatest[3] = {10, 8, 4};
    double margin = 0.5, distance, *size = room->size_m;
    uint64_t counter = 1;
    for (int a = 0; a < 3; a++)
        size[a] = least[a] + (greatest[a] - least[a]) * oto_rng_uniform(seed, stream, counter++);
    do {
        distance = 0;
        for (int a = 0; a < 3; a++) {
            double space = size[a] - 2 * margin;
            room->source_m[a] = margin + space * oto_rng_uniform(seed, stream, counter++);
            room->microphone_m[a] = margin + space * oto_rng_uniform(seed, stream, counter++);
            distance += pow(room->source_m[a] - room->microphone_m[a], 2);
        }
    } while (distance < 0.3 * 0.3);
    /* the fall from -5 to -25 dB, three times over, as ISO 3382 measures it */
    double x = 3 * (place_of_fall(size, 25) - place_of_fall(size, 5));
    room->reflection = exp(-x / (2 * speed_m_s * decay_s));
}

/* Images along one axis: where they lie seen from the microphone, and how many walls were hit. */
struct image {
    double square; /* of the distance along this axis */
    int n_hits;
};

struct axis {
    struct image *images; /* [n] nearest first */
    size_t n;
};

static int nearer(const void *a, const void *b)
{
    const struct image *x = a, *y = b;
    if (x->square != y->square)
        return x->square < y->square ? -1 : 1;
    return x->n_hits - y->n_hits;
}

/* Allen and Berkley's images: (1 - 2p) source + 2 k size, after |k - p| + |k| reflections. */
static bool make_axis(struct axis *axis, const struct oto_room *room, int a, double reach)
{
    int most = (int)(reach / (2 * room->size_m[a])) + 1;
    axis->images = oto_calloc(2 * (2 * (size_t)most + 1), sizeof *axis->images);
    if (!axis->images)
        return false;
    for (int k = -most; k <= most; k++)
        for (int p = 0; p < 2; p++) {
            double place = (1 - 2 * p) * room->source_m[a] + 2 * k * room->size_m[a];
            double square = pow(place - room->microphone_m[a], 2);
            if (square <= reach * reach)
                axis->images[axis->n++] = (struct image){square, abs(k - p) + abs(k)};
        }
    qsort(axis->images, axis->n, sizeof *axis->images, nearer);
    return true;
}

/* [PHASES + 1][2 * WING]: row q is a sinc whose top lies q / PHASES behind sample WING - 1. */
static void fill_sinc(float *table)
{
    for (int q = 0; q <= PHASES; q++)
        for (int i = 0; i < 2 * WING; i++) {
            double x = i - (WING - 1) - (double)q / PHASES;
            double window = fabs(x) < WING ? 0.5 + 0.5 * cos(pi * x / WING) : 0;
            table[q * 2 * WING + i] = (float)(window * (x == 0 ? 1 : sin(pi * x) / (pi * x)));
        }
}

struct response {
    float *h; /* [WING + n + WING] */
    size_t n;
    const float *sinc, *heights; /* heights: reflection^hits */
    double direct_m, samples_per_m;
};

static void add_image(const struct response *r, double distance_m, int n_hits)
{
    double place = (distance_m - r->direct_m) * r->samples_per_m; /* of its top, 0 = direct sound */
    size_t whole = (size_t)place;
    if (whole >= r->n)
        return;
    const float *sinc = r->sinc + lrint((place - (double)whole) * PHASES) * 2 * WING;
    float height = r->heights[n_hits] * (float)(r->direct_m / distance_m);
    float *h = r->h + whole + 1; /* WING before, less WING - 1 */
    for (int i = 0; i < 2 * WING; i++)
        h[i] += height * sinc[i];
}

static void add_images(const struct response *r, const struct axis axes[3], double reach)
{
    double limit = reach * reach;
    for (size_t i = 0; i < axes[0].n; i++)
        for (size_t j = 0; j < axes[1].n; j++) {
            const struct image *x = &axes[0].images[i], *y = &axes[1].images[j];
            double square = x->square + y->square;
            for (size_t k = 0; k < axes[2].n; k++) {
                const struct image *z = &axes[2].images[k];
                if (square + z->square > limit)
                    break;
                add_image(r, sqrt(square + z->square), x->n_hits + y->n_hits + z->n_hits);
            }
        }
}

/* Butterworth, second order, by the bilinear transform. */
static void high_pass(float *x, size_t n, double rate_hz)
{
    double w = tan(pi * OTO_ROOM_HIGHPASS_HZ / rate_hz), norm = 1 / (1 + sqrt(2) * w + w * w);
    double a1 = 2 * (w * w - 1) * norm, a2 = (1 - sqrt(2) * w + w * w) * norm;
    double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
    for (size_t i = 0; i < n; i++) {
        double now = (double)x[i], y = norm * (now - 2 * x1 + x2) - a1 * y1 - a2 * y2;
        x2 = x1;
        x1 = now;
        y2 = y1;
        y1 = y;
        x[i] = (float)y;
    }
}

oto_status oto_room_response(float **out, const struct oto_room *room, size_t n, double rate_hz,
                             oto_error *err)
{
    struct axis axes[3] = {{0}};
    struct response r = {.n = n, .samples_per_m = rate_hz / speed_m_s};
    float *sinc = oto_calloc((PHASES + 1) * 2 * WING, sizeof *sinc), *heights = NULL;
    size_t most_hits = 0;
    *out = NULL;
    for (int a = 0; a < 3; a++)
        r.direct_m += pow(room->source_m[a] - room->microphone_m[a], 2);
    r.direct_m = sqrt(r.direct_m);
    double reach = r.direct_m + (double)n / r.samples_per_m;
    r.h = oto_calloc(n + 2 * WING, sizeof *r.h);
    bool good = sinc && r.h;
    for (int a = 0; a < 3 && good; a++) {
        good = make_axis(&axes[a], room, a, reach);
        most_hits += (size_t)(2 * (reach / (2 * room->size_m[a]) + 2) + 1);
    }
    heights = good ? oto_calloc(most_hits + 1, sizeof *heights) : NULL;
    if (!heights)
        goto done;
    fill_sinc(sinc);
    for (size_t k = 0; k <= most_hits; k++)
        heights[k] = (float)pow(room->reflection, (double)k);
    r.sinc = sinc;
    r.heights = heights;
    add_images(&r, axes, reach);
    /* The wing before the direct sound is left out: it is 0 there, the sound being on a sample. */
    for (size_t i = 0; i < n; i++)
        r.h[i] = r.h[i + WING];
    high_pass(r.h, n, rate_hz);
    *out = r.h;
    r.h = NULL;
done:
    for (int a = 0; a < 3; a++)
        oto_free(axes[a].images);
    oto_free(r.h);
    oto_free(heights);
    oto_free(sinc);
    return *out ? OTO_OK : oto_fail_memory(err, "response of a room");
}
