/* SPDX-License-Identifier: BSD-2-Clause */
/* A first layer that reads other features of the same sound than those it has learnt from. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "features/cmvn.h"
#include "models/bundle.h"
#include "training/trainer_private.h"

bool oto_features_carry_over(const struct oto_frontend_options *ours,
                             const struct oto_frontend_options *theirs)
{
    if (ours->use_energy || theirs->use_energy || ours->cmvn == OTO_CMVN_NONE ||
        theirs->cmvn == OTO_CMVN_NONE || theirs->delta_order > 0)
        return false;
    if (ours->kind == theirs->kind)
        return ours->kind == OTO_FEATURE_FBANK || ours->n_ceps <= theirs->n_ceps;
    return ours->kind == OTO_FEATURE_FBANK && theirs->n_ceps == theirs->n_mels;
}

static int n_static(const struct oto_frontend_options *o)
{
    return o->kind == OTO_FEATURE_MFCC ? o->n_ceps : o->n_mels;
}

/* Standard deviation of component i that the front end divides by, taken over the training set. */
static double deviation(const struct oto_frontend_options *o, const struct oto_cmvn_stats *stats,
                        int i)
{
    if (!o->cmvn_variance)
        return 1;
    double mean = stats->sum[i] / stats->count;
    return sqrt(fmax(stats->sum_squares[i] / stats->count - mean * mean, OTO_CMVN_FLOOR));
}

/* What energy j, normalised, adds to cepstrum q, normalised: map[q, j] (math.md, eq. 23a). */
static oto_status map_energies(double *map, int width, const struct oto_trainer *t,
                               const struct oto_bundle *b, oto_error *err)
{
    const int d = b->frontend.n_mels;
    struct oto_frontend_options plain = b->frontend;
    plain.cmvn = OTO_CMVN_NONE;
    if (b->cmvn.count <= 0)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "--init=%s: it reads cepstra and has no statistics of them, so its weights "
                        "cannot be carried over to --feature=fbank: otolith model set --statistics",
                        t->o->init);
    struct oto_frontend *fe;
    oto_status status = oto_frontend_create(&fe, &plain, NULL, OTO_FFT_AUTO, err);
    if (status != OTO_OK)
        return status;
    float *unit = oto_calloc((size_t)d, sizeof *unit);
    float *cepstra = oto_calloc((size_t)d, sizeof *cepstra);
    if (!unit || !cepstra)
        status = oto_fail_memory(err, "input weights");
    for (int j = 0; j < d && status == OTO_OK; j++) {
        unit[j] = 1;
        oto_frontend_of_log_mels(fe, cepstra, unit, 1);
        unit[j] = 0;
        for (int q = 0; q < d; q++)
            map[q * width + j] = (double)cepstra[q] * deviation(t->setup->frontend, &t->stats, j) /
                                 deviation(&b->frontend, &b->cmvn, q);
    }
    oto_free(unit);
    oto_free(cepstra);
    oto_frontend_destroy(fe);
    return status;
}

/* to [width] = from [height] map [height, width], which is what one stacked frame is read by. */
static void multiply(oto_real *to, const float *from, const double *map, int height, int width,
                     double *row)
{
    memset(row, 0, (size_t)width * sizeof *row);
    for (int q = 0; q < height; q++)
        for (int j = 0; j < width; j++)
            row[j] += (double)from[q] * map[q * width + j];
    for (int j = 0; j < width; j++)
        to[j] = (oto_real)row[j];
}

oto_status oto_trainer_carry_over(struct oto_trainer *t, const struct oto_bundle *b, oto_error *err)
{
    const struct oto_frontend_options *ours = t->setup->frontend, *theirs = &b->frontend;
    const int height = n_static(theirs), width = n_static(ours) * (1 + ours->delta_order);
    const bool same = ours->kind == theirs->kind;
    double *map = oto_calloc((size_t)height * (size_t)width, sizeof *map);
    double *row = oto_calloc((size_t)width, sizeof *row);
    oto_status status = map && row ? OTO_OK : oto_fail_memory(err, "input weights");
    if (status == OTO_OK && !same)
        status = map_energies(map, width, t, b, err);
    for (int q = 0; q < n_static(ours) && status == OTO_OK && same; q++)
        map[q * width + q] = 1;
    for (int k = 0; k < oto_network_n_tensors(&t->shape) && status == OTO_OK; k++) {
        struct oto_tensor to, from;
        oto_network_tensor(&t->shape, k, &to);
        oto_network_tensor(&b->shape, k, &from);
        if (strncmp(to.name, "lstm.weight_ih_l0", strlen("lstm.weight_ih_l0")) != 0)
            continue;
        const size_t n_blocks = (size_t)to.n_rows * (size_t)(to.n_cols / width);
        for (size_t i = 0; i < n_blocks; i++)
            multiply(t->params + to.offset + i * (size_t)width,
                     b->weights + from.offset + i * (size_t)height, map, height, width, row);
    }
    oto_free(map);
    oto_free(row);
    if (status == OTO_OK)
        oto_report_line(t->report, "start: weights of %d %s carried over to %d %s", height,
                        theirs->kind == OTO_FEATURE_MFCC ? "cepstra" : "energies", n_static(ours),
                        ours->kind == OTO_FEATURE_MFCC ? "cepstra" : "energies");
    return status;
}
