/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * lstm_forward_half of every CPU mask this machine can run: on a matrix of half-precision numbers
 * it must give the bits of lstm_forward, which test_checkasm.c holds to double precision.
 */
#include "acoustic/dsp.h"
#include "base/bytes.h"
#include "checkasm.h"

#pragma weak oto_dsp_init_avx2 /* NULL in a build without SIMD kernels */

/* Any half-precision number below 2^limit, denormals and both zeros among them. */
static float draw_half(struct random *rng, int limit)
{
    const int sign = random_below(rng, 2) << 15, exponent = random_below(rng, 15 + limit) << 10;
    return oto_half_to_float((uint16_t)(sign | exponent | random_below(rng, 1024)));
}

static struct guarded numbers(struct random *rng, size_t n_rows, size_t n_cols, size_t stride,
                              float range)
{
    struct guarded g = guarded_create(n_rows, n_cols, stride, (size_t)random_below(rng, 16));
    for (size_t b = 0; b < n_rows; b++)
        for (size_t j = 0; j < n_cols; j++)
            guarded_row(&g, b)[j] = random_float(rng, range);
    return g;
}

static struct guarded copy_of(const struct guarded *from)
{
    struct guarded g = guarded_create(from->n_rows, from->n_cols, from->stride, 5);
    for (size_t b = 0; b < from->n_rows; b++)
        memcpy(guarded_row(&g, b), guarded_row(from, b), from->n_cols * sizeof(float));
    return g;
}

static bool same_bits(const struct guarded *a, const struct guarded *b)
{
    bool same = true;
    for (size_t row = 0; row < a->n_rows; row++)
        same = same &&
               memcmp(guarded_row(a, row), guarded_row(b, row), a->n_cols * sizeof(float)) == 0;
    return same;
}

static void check_step(struct random *rng, const struct oto_dsp *dsp, int n_units, int n_rows,
                       struct worst *w)
{
    const size_t h = (size_t)n_units, n = (size_t)n_rows, u = (size_t)dsp->unit_block,
                 hp = (h + u - 1) / u * u, size = dsp->recurrent_size(n_units);
    const int n_prev = random_below(rng, 3) ? n_rows : random_below(rng, n_rows + 1);
    struct guarded r = guarded_create(4 * h, h, h, 0), packed = guarded_create(1, size, size, 0);
    for (size_t i = 0; i < 4 * h * h; i++)
        r.at[i] = draw_half(rng, 0);
    dsp->pack_recurrent_forward(packed.at, r.at, n_units);
    uint16_t *half = malloc((size + 1) * sizeof *half);
    if (half == NULL)
        exit(2);
    const uint16_t *odd = half + 1; /* no alignment is asked for */
    require(w, "halving changed a half-precision number", oto_dsp_halve(half + 1, packed.at, size));

    struct guarded h_prev = numbers(rng, n, h, h + 3, 1), c_prev = numbers(rng, n, hp, hp, 2);
    struct guarded gates[2], c[2], out[2];
    gates[0] = numbers(rng, n, 4 * hp, 4 * hp, 4);
    gates[1] = copy_of(gates);
    for (int i = 0; i < 2; i++) {
        c[i] = guarded_create(n, hp, hp, 1);
        out[i] = guarded_create(n, h, h + 7, 2);
    }
    dsp->lstm_forward(gates[0].at, c[0].at, out[0].at, h + 7, h_prev.at, h + 3, c_prev.at, n_rows,
                      n_prev, packed.at, n_units, false);
    dsp->lstm_forward_half(gates[1].at, c[1].at, out[1].at, h + 7, h_prev.at, h + 3, c_prev.at,
                           n_rows, n_prev, odd, n_units, true);
    require(w, "lstm_forward_half: other gates", same_bits(gates, gates + 1));
    require(w, "lstm_forward_half: other cells", same_bits(c, c + 1));
    require(w, "lstm_forward_half: other outputs", same_bits(out, out + 1));
    require(w, "lstm_forward_half wrote outside its outputs",
            guarded_intact(gates + 1) && guarded_intact(c + 1) && guarded_intact(out + 1));

    struct guarded *const all[] = {&r,        &packed, &h_prev, &c_prev, gates,
                                   gates + 1, c,       c + 1,   out,     out + 1};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        guarded_destroy(all[i]);
    free(half);
}

/* Rounding is told from holding, for numbers too fine, too large and too small. */
static void check_halve(struct worst *w)
{
    static const float exact[] = {0, -0.0f, 1, -0.333251953125f, 65504, 0x1p-24f, 0x1.ff8p-15f};
    static const float rounded[] = {0.1f, 1 + 0x1p-11f, 65519, 1e6f, 0x1p-25f, 1e-30f};
    uint16_t half;
    for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
        require(w, "a half-precision number was not told as one",
                oto_dsp_halve(&half, exact + i, 1) && oto_half_to_float(half) == exact[i]);
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++)
        require(w, "a rounded number was told as the same", !oto_dsp_halve(&half, rounded + i, 1));
}

int main(int argc, char **argv)
{
    static const int model_units[] = {128, 320};
    struct random rng = {argc > 1 ? strtoull(argv[1], NULL, 10) : 1};
    unsigned masks[3];
    const int n_masks = cpu_masks(masks, oto_dsp_init_avx2 != NULL);
    bool ok = true;
    for (int m = 0; m < n_masks; m++) {
        struct worst w = {0};
        struct oto_dsp dsp;
        oto_dsp_init(&dsp, masks[m]);
        check_halve(&w);
        for (int n_units = 1; n_units <= 67; n_units++)
            for (int n_rows = 1; n_rows <= 14; n_rows++)
                check_step(&rng, &dsp, n_units, n_rows, &w);
        for (size_t i = 0; i < sizeof model_units / sizeof *model_units; i++)
            for (int n_rows = 1; n_rows <= 5; n_rows++)
                check_step(&rng, &dsp, model_units[i], n_rows, &w);
        ok = report("lstm_half", "", masks[m], &w) && ok;
    }
    return !ok;
}
