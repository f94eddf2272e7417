/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/stretch.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* Eight partial sums, so that vectors can be used. */
static float dot(const float *a, const float *b, size_t n)
{
    float sums[8] = {0}, sum = 0;
    for (size_t i = 0; i + 8 <= n; i += 8)
        for (size_t k = 0; k < 8; k++)
            sums[k] += a[i + k] * b[i + k];
    for (size_t k = 0; k < 8; k++)
        sum += sums[k];
    return sum;
}

struct search {
    const float *x;     /* padded on both sides */
    size_t hop, window; /* window = 2 * hop, a multiple of 8 */
    size_t last;        /* greatest start of a window */
};

/* The start near wanted whose window is most like that at follow. */
static size_t best_start(const struct search *s, size_t wanted, size_t follow)
{
    size_t low = wanted > s->hop ? wanted - s->hop : 0;
    size_t high = wanted + s->hop < s->last ? wanted + s->hop : s->last, best = wanted;
    double best_score = -1e300, energy = 0;
    for (size_t i = 0; i < s->window; i++)
        energy += (double)s->x[low + i] * (double)s->x[low + i];
    for (size_t start = low; start <= high; start++) {
        double product = (double)dot(s->x + start, s->x + follow, s->window);
        double score = product / sqrt(fmax(energy, 0) + 1e-9);
        /* the exact continuation, and else the nearest, where several are as good */
        if (start == follow && score > 0)
            score *= 1 + 1e-5;
        if (score > best_score || (score == best_score && start <= wanted)) {
            best_score = score;
            best = start;
        }
        if (start < high) {
            double gone = (double)s->x[start], come = (double)s->x[start + s->window];
            energy += come * come - gone * gone;
        }
    }
    return best;
}

oto_status oto_stretch(float **out, size_t n_out, const float *in, size_t n_in, double rate_hz,
                       oto_error *err)
{
    static const double pi = 3.14159265358979323846;
    size_t hop = 4 * (size_t)fmax(1, round(0.012 * rate_hz / 4)), window = 2 * hop;
    size_t margin = 3 * window, n_padded = 0;
    float *padded = NULL, *fade = NULL, *made = NULL;
    *out = NULL;
    n_padded = n_in + 2 * margin;
    padded = oto_calloc(n_padded, sizeof *padded);
    fade = oto_calloc(window, sizeof *fade);
    made = oto_calloc(n_out + 2 * window, sizeof *made); /* one hop before its start */
    if (!padded || !fade || !made)
        goto done;
    if (n_in > 0)
        memcpy(padded + margin, in, n_in * sizeof *in);
    for (size_t i = 0; i < window; i++)
        fade[i] = (float)(0.5 - 0.5 * cos(2 * pi * (double)i / (double)window));
    const struct search s = {padded, hop, window, n_padded - 2 * window};
    double factor = n_out > 0 ? (double)n_in / (double)n_out : 1;
    size_t start = margin - hop; /* of the window around the first sample */
    for (size_t at = 0; at < n_out + hop; at += hop) {
        if (at > 0) {
            size_t wanted = margin - hop + (size_t)lrint((double)at * factor);
            start = best_start(&s, wanted < s.last ? wanted : s.last, start + hop);
        }
        for (size_t i = 0; i < window; i++)
            made[at + i] += fade[i] * padded[start + i];
    }
    memmove(made, made + hop, n_out * sizeof *made);
    *out = made;
    made = NULL;
done:
    oto_free(made);
    oto_free(fade);
    oto_free(padded);
    return *out ? OTO_OK : oto_fail_memory(err, "stretched signal");
}
