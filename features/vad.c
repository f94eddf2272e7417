/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/vad.h"

#include <math.h>
#include <string.h>

#define LOWEST (-20.0) /* ln power: far below the rounding of 16-bit samples */
#define WIDTH 0.25
#define QUIET_SHARE 0.05  /* of the frames are below the floor */
#define LOUD_FRAMES 5.0   /* reach the peak: a click is shorter */
#define LOUD_SHARE 0.3    /* of the way from floor to peak is loud */
#define SPEECH_RANGE 1.4  /* 6 dB between quiet and loud: less is noise */
#define LOUD_BELOW_PEAK 7 /* ln power: 30 dB, whatever the floor is */

double oto_vad_level(const struct oto_frontend_options *o, const float *statics, int dim)
{
    if (o->use_energy)
        return (double)statics[0];
    double scale = o->use_power ? 1 : 2, sum = 0;
    if (o->kind == OTO_FEATURE_MFCC) /* C0 is the sum over the filters times sqrt(1 / n) */
        return scale * (double)statics[0] / sqrt((double)o->n_mels);
    for (int d = 0; d < dim; d++)
        sum += (double)statics[d];
    return scale * sum / dim;
}

void oto_vad_add(struct oto_vad *vad, double level)
{
    double bin = (level - LOWEST) / WIDTH;
    size_t k = bin > 0 ? (size_t)fmin(bin, OTO_VAD_BINS - 1) : 0; /* NaN: 0 */
    vad->bins[k] += 1;
    vad->n += 1;
}

void oto_vad_fade(struct oto_vad *vad)
{
    for (size_t k = 0; k < OTO_VAD_BINS; k++)
        vad->bins[k] /= 2;
    vad->n /= 2;
}

double oto_vad_threshold(const struct oto_vad *vad, double range)
{
    int floor = 0, peak = OTO_VAD_BINS - 1;
    double below = (double)vad->bins[0], above = (double)vad->bins[OTO_VAD_BINS - 1];
    while (floor < OTO_VAD_BINS - 1 && below <= QUIET_SHARE * vad->n)
        below += (double)vad->bins[++floor];
    while (peak > floor && above < LOUD_FRAMES)
        above += (double)vad->bins[--peak];
    double span = WIDTH * (peak - floor);
    if (span < range)
        return INFINITY;
    if (peak == floor)
        return -INFINITY;
    return LOWEST + WIDTH * peak - fmin((1 - LOUD_SHARE) * span, LOUD_BELOW_PEAK);
}

static size_t margin_frames(const struct oto_frontend_options *o)
{
    return (size_t)ceil(o->cmvn_margin_ms / o->frame_shift_ms);
}

void oto_vad_mark(uint8_t *counts, const struct oto_frontend_options *o, const float *statics,
                  size_t n, int dim)
{
    struct oto_vad vad = {0};
    for (size_t t = 0; t < n; t++)
        oto_vad_add(&vad, oto_vad_level(o, statics + t * (size_t)dim, dim));
    double threshold = oto_vad_threshold(&vad, 0);
    size_t margin = margin_frames(o), done = 0; /* marked, or left out, so far */
    memset(counts, 0, n);
    for (size_t t = 0; t < n; t++) {
        if (!(oto_vad_level(o, statics + t * (size_t)dim, dim) >= threshold))
            continue;
        size_t first = t > margin ? t - margin : 0, end = n - t > margin ? t + margin + 1 : n;
        first = first > done ? first : done;
        memset(counts + first, 1, end - first);
        done = end;
    }
    if (done == 0)
        memset(counts, 1, n);
}

void oto_vad_stream_init(struct oto_vad_stream *s, const struct oto_frontend_options *o)
{
    *s = (struct oto_vad_stream){.margin = margin_frames(o)};
}

void oto_vad_stream_next(struct oto_vad_stream *s)
{
    oto_vad_fade(&s->vad);
    s->n = s->n_counted = s->near_end = 0;
}

size_t oto_vad_stream_push(struct oto_vad_stream *s, double level)
{
    size_t t = s->n++, first = t;
    oto_vad_add(&s->vad, level);
    if (level >= oto_vad_threshold(&s->vad, SPEECH_RANGE)) {
        first = t > s->margin ? t - s->margin : 0;
        first = first > s->n_counted ? first : s->n_counted;
        s->near_end = t + s->margin + 1;
    } else if (s->margin > 0 && t >= s->near_end) {
        return 0;
    }
    s->n_counted = t + 1;
    return t + 1 - first;
}
