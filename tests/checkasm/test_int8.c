/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Holds every int8 kernel, for every instruction set this machine can run, to exact integers and,
 * in gates and cells, to double precision.
 *
 *     test_int8 [--seed=N] [--max-units=N]
 *
 * OTOLITH_ISA limits the instruction sets. Exit status 1 when a value is off by more than its
 * bound.
 */
#include <math.h>

#include "acoustic/dsp_int8.h"
#include "checkasm.h"
#include "lstm_oracle.h"

#pragma weak oto_dsp_int8_init_avx2 /* NULL in a build without SIMD kernels */

static int max_units = 640;

/* Bytes with margins of a known pattern. */
struct bytes {
    uint8_t *memory, *at;
    size_t n;
};

enum { byte_margin = 64, byte_poison = 0xA5 };

static struct bytes bytes_create(size_t n)
{
    struct bytes b = {allocate(n + 2 * byte_margin, 1), NULL, n};
    memset(b.memory, byte_poison, n + 2 * byte_margin);
    b.at = b.memory + byte_margin;
    return b;
}

static bool bytes_intact(const struct bytes *b)
{
    for (size_t i = 0; i < byte_margin; i++) {
        if (b->memory[i] != byte_poison || b->at[b->n + i] != byte_poison)
            return false;
    }
    return true;
}

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static int code_at(const struct oto_dsp_int8 *dsp, const uint8_t *q)
{
    const int v = dsp->zero ? *q - dsp->zero : (*q < 128 ? *q : *q - 256);
    return v;
}

/* Codes [n], any or (saturating) the largest of either sign; values are what is_code stores. */
static int draw_code(struct random *rng, bool saturating)
{
    if (saturating)
        return random_below(rng, 8) ? 127 : -127;
    return random_below(rng, 255) - 127;
}

/* A matrix with its plain codes and scales, [4, H, K] and [4, H]. */
struct matrix {
    struct oto_int8_matrix packed;
    int8_t *codes;
    float *scales;
};

static struct matrix matrix_create(struct random *rng, const struct oto_dsp_int8 *dsp, int n_units,
                                   int n_cols, bool saturating, float scale)
{
    const size_t n_rows = 4 * (size_t)n_units, n = n_rows * (size_t)n_cols;
    struct matrix m = {{0}, allocate(n, 1), allocate(n_rows, sizeof(float))};
    for (size_t i = 0; i < n; i++)
        m.codes[i] = (int8_t)draw_code(rng, saturating);
    for (size_t i = 0; i < n_rows; i++)
        m.scales[i] = scale > 0 ? scale * (0.5f + fabsf(random_float(rng, 0.5f))) : 1;
    if (!oto_int8_matrix_init(&m.packed, dsp, n_units, n_cols)) {
        fputs("test_int8: out of memory\n", stderr);
        exit(2);
    }
    oto_int8_matrix_set(&m.packed, dsp, m.codes, m.scales, 1);
    return m;
}

static void matrix_destroy(struct matrix *m)
{
    oto_int8_matrix_clear(&m->packed);
    free(m->codes);
    free(m->scales);
}

static int64_t exact_sum(const struct oto_dsp_int8 *dsp, const uint8_t *q, const int8_t *w,
                         size_t n)
{
    int64_t sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (int64_t)code_at(dsp, q + k) * w[k];
    return sum;
}

/* ---- quantisation ------------------------------------------------------------------------ */

/*
 * inverse = 127/max and x * inverse have one rounding each, relative errors of u of at most 127:
 * the number that is rounded is off by less than 127 * 2.01 u.
 */
static void check_quantized_row(const struct oto_dsp_int8 *dsp, struct worst *w, const uint8_t *q,
                                float scale, const float *x, size_t n)
{
    double max = 0;
    for (size_t k = 0; k < n; k++)
        max = fmax(max, fabs((double)x[k]));
    if (max < 0x1p-100)
        max = 0;
    compare(w, "scale", scale, max / 127, U24 * max / 127);
    for (size_t k = 0; k < n; k++)
        compare(w, "code", (float)code_at(dsp, q + k), max > 0 ? 127 * ((double)x[k] / max) : 0,
                0.5 + 127 * 2.01 * U24);
    for (size_t k = n; k < round_up(n, 4); k++)
        require(w, "a column of padding is not zero", code_at(dsp, q + k) == 0);
}

static void check_quantize(struct random *rng, const struct oto_dsp_int8 *dsp,
                           const struct oto_dsp_int8 *scalar, struct worst *w, int n_cols)
{
    const size_t n = (size_t)n_cols, n_rows = 1 + (size_t)random_below(rng, 4);
    const size_t x_stride = n + (size_t)random_below(rng, 9), q_stride = round_up(n, 16) + 16;
    struct guarded x = guarded_create(n_rows, n, x_stride, (size_t)random_below(rng, 16));
    struct guarded scale = guarded_create(1, n_rows, n_rows, 1);
    float *scale_c = allocate(n_rows, sizeof *scale_c);
    struct bytes q = bytes_create((n_rows - 1) * q_stride + round_up(n, 16)),
                 q_c = bytes_create(q.n);
    for (size_t r = 0; r < n_rows; r++) {
        const int kind = random_below(rng, 4);
        for (size_t k = 0; k < n; k++)
            guarded_row(&x, r)[k] = kind == 0   ? random_float(rng, 1e-36f)
                                    : kind == 1 ? random_float(rng, 1e30f)
                                                : random_float(rng, 3);
        if (kind == 3 && n > 2) /* half-way cases and the largest in the last column */
            for (size_t k = 0; k < n; k++)
                guarded_row(&x, r)[k] = k + 1 == n ? -127 : (float)random_below(rng, 254) - 126.5f;
    }
    dsp->quantize_rows(q.at, q_stride, scale.at, x.at, x_stride, n_rows, n);
    scalar->quantize_rows(q_c.at, q_stride, scale_c, x.at, x_stride, n_rows, n);
    for (size_t r = 0; r < n_rows; r++) {
        check_quantized_row(dsp, w, q.at + r * q_stride, scale.at[r], guarded_row(&x, r), n);
        require(w, "scales of two instruction sets differ", scale.at[r] == scale_c[r]);
        for (size_t k = 0; k < n; k++)
            require(w, "codes of two instruction sets differ",
                    code_at(dsp, q.at + r * q_stride + k) ==
                        code_at(scalar, q_c.at + r * q_stride + k));
    }
    require(w, "quantize_rows wrote outside its outputs",
            bytes_intact(&q) && guarded_intact(&scale) && guarded_intact(&x));
    free(q.memory);
    free(q_c.memory);
    free(scale_c);
    guarded_destroy(&x);
    guarded_destroy(&scale);
}

/* Rows that are not numbers have scales that are not: no product of theirs looks like one. */
static void check_not_numbers(const struct oto_dsp_int8 *dsp, struct worst *w)
{
    for (size_t at = 0; at < 37; at++) {
        float x[3 * 37], scale[3];
        uint8_t q[3 * 48];
        for (size_t k = 0; k < 3 * 37; k++)
            x[k] = (float)k - 50;
        x[at] = NAN;
        x[37 + at] = -INFINITY;
        x[2 * 37 + at] = INFINITY;
        x[2 * 37 + (at + 5) % 37] = NAN;
        dsp->quantize_rows(q, 48, scale, x, 37, 3, 37);
        require(w, "the scale of a row with NaN is a number", scale[0] != scale[0]);
        require(w, "the scale of a row with an infinity is finite", isinf(scale[1]));
        require(w, "the scale of a row with both is a number", scale[2] != scale[2]);
    }
}

/* ---- products ---------------------------------------------------------------------------- */

static struct bytes draw_codes(struct random *rng, const struct oto_dsp_int8 *dsp, size_t n_rows,
                               size_t n_cols, size_t stride, bool saturating)
{
    struct bytes q = bytes_create(n_rows * stride);
    for (size_t r = 0; r < n_rows; r++) {
        for (size_t k = 0; k < n_cols; k++)
            q.at[r * stride + k] = (uint8_t)(draw_code(rng, saturating) + dsp->zero);
    }
    return q;
}

static size_t blocked(size_t gate, size_t unit, size_t u)
{
    return (unit / u * 4 + gate) * u + unit % u;
}

/*
 * With scales of 1 and no bias the result is the sum, rounded to float once (below 2^24, for K of
 * at most 1040, not at all). Else the factor, the sum, their product and the addition have one
 * rounding each.
 */
static void check_product(struct random *rng, const struct oto_dsp_int8 *dsp, struct worst *w,
                          int n_units, int n_cols, int n_rows, bool plain)
{
    const size_t h = (size_t)n_units, kk = (size_t)n_cols, n = (size_t)n_rows,
                 u = (size_t)dsp->unit_block, width = 4 * round_up(h, u);
    const size_t stride = round_up(kk, 16);
    const bool saturating = random_below(rng, 3) == 0;
    struct matrix m = matrix_create(rng, dsp, n_units, n_cols, saturating, plain ? 0 : 0.01f);
    struct bytes q = draw_codes(rng, dsp, n, kk, stride, saturating);
    struct guarded gates = guarded_create(n, width, width, 3), scale = guarded_create(1, n, n, 0);
    struct guarded bias = guarded_create(1, width, width, 5);
    for (size_t i = 0; i < n; i++)
        scale.at[i] = plain ? 1 : fabsf(random_float(rng, 0.02f));
    for (size_t i = 0; i < width; i++)
        bias.at[i] = plain ? 0 : random_float(rng, 2);
    dsp->input_product(gates.at, q.at, stride, scale.at, n, &m.packed, bias.at);
    for (size_t r = 0; r < n; r++) {
        for (size_t i = 0; i < 4 * h; i++) {
            const size_t at = blocked(i / h, i % h, u);
            const int64_t sum = exact_sum(dsp, q.at + r * stride, m.codes + i * kk, kk);
            const double product = (double)scale.at[r] * (double)m.scales[i] * (double)sum;
            const double want = (double)bias.at[at] + product;
            const double bound = plain ? (llabs((long long)sum) < 1 << 24 ? 0 : U24 * fabs(want))
                                       : 4 * U24 * (fabs(product) + fabs(want)) + TINY;
            compare(w, "gate", guarded_row(&gates, r)[at], want, bound);
        }
    }
    require(w, "input_product wrote outside its outputs",
            guarded_intact(&gates) && bytes_intact(&q));
    free(q.memory);
    matrix_destroy(&m);
    guarded_destroy(&gates);
    guarded_destroy(&scale);
    guarded_destroy(&bias);
}

/* ---- steps ------------------------------------------------------------------------------- */

struct step_case {
    const struct oto_dsp_int8 *dsp;
    struct matrix r;
    struct bytes q, q_prev;
    struct guarded gates, c, h;
    float *c_prev; /* [n, Hp] */
    size_t n_units, hp, n_rows, n_prev;
};

static void check_unit(const struct step_case *s, struct worst w[3], size_t b, size_t j)
{
    const size_t u = (size_t)s->dsp->unit_block, hu = s->n_units;
    const bool has_prev = b < s->n_prev;
    struct bounded a[4], want[6];
    for (size_t gate = 0; gate < 4; gate++) {
        const size_t row = gate * hu + j;
        const double start = (double)guarded_row(&s->gates, b)[blocked(gate, j, u)];
        const double product = has_prev ? (double)s->r.scales[row] *
                                              (double)exact_sum(s->dsp, s->q_prev.at + b * s->hp,
                                                                s->r.codes + row * hu, hu)
                                        : 0;
        a[gate].value = start + product;
        a[gate].bound = 3 * U24 * (fabs(product) + fabs(start)) + TINY;
    }
    oracle_cell(want, a, has_prev ? (double)s->c_prev[b * s->hp + j] : 0);
    const float h = guarded_row(&s->h, b)[j];
    compare(w, "c", guarded_row(&s->c, b)[j], want[4].value, want[4].bound);
    compare(w + 1, "h", h, want[5].value, want[5].bound);
    const int code = code_at(s->dsp, s->q.at + b * s->hp + j);
    compare(w + 2, "code of h", (float)code, (double)rintf(127 * h), 0);
}

static void check_step(struct random *rng, const struct oto_dsp_int8 *dsp, struct worst w[3],
                       int n_units, int n_rows)
{
    const size_t h = (size_t)n_units, n = (size_t)n_rows, u = (size_t)dsp->unit_block,
                 hp = round_up(h, u), off = (size_t)random_below(rng, 16);
    const bool saturating = random_below(rng, 4) == 0;
    struct step_case s = {.dsp = dsp, .n_units = h, .hp = hp, .n_rows = n};
    s.n_prev = (size_t)(random_below(rng, 3) ? n_rows : random_below(rng, n_rows + 1));
    s.r = matrix_create(rng, dsp, n_units, n_units, saturating, 0.02f / (sqrtf((float)h) * 127));
    s.q_prev = draw_codes(rng, dsp, n, h, hp, saturating);
    s.q = bytes_create(n * hp);
    s.gates = guarded_create(n, 4 * hp, 4 * hp, off);
    s.c = guarded_create(n, hp, hp, off);
    s.h = guarded_create(n, h, h + (size_t)random_below(rng, 20), off + 1);
    s.c_prev = allocate(n * hp, sizeof *s.c_prev);
    for (size_t b = 0; b < n; b++) {
        float *gates = guarded_row(&s.gates, b);
        for (size_t i = 0; i < 4 * hp; i++)
            gates[i] = 0;
        for (size_t i = 0; i < 4 * h; i++)
            gates[blocked(i / h, i % h, u)] = random_float(rng, saturating ? 120 : 4);
        for (size_t j = 0; j < hp; j++) {
            s.c_prev[b * hp + j] = j < h ? random_float(rng, 2) : 0;
            /* rows without a past are to be taken as zero */
            guarded_row(&s.c, b)[j] = b < s.n_prev ? s.c_prev[b * hp + j] : poison();
        }
    }
    dsp->lstm_step(s.gates.at, s.c.at, s.h.at, s.h.stride, s.q.at, s.q_prev.at, n_rows,
                   (int)s.n_prev, &s.r.packed, random_below(rng, 2) != 0);
    for (size_t b = 0; b < n; b++) {
        for (size_t j = 0; j < h; j++)
            check_unit(&s, w, b, j);
        for (size_t j = h; j < hp; j++)
            require(w + 2, "padding is not zero", code_at(dsp, s.q.at + b * hp + j) == 0);
    }
    require(w, "lstm_step wrote outside its outputs",
            guarded_intact(&s.gates) && guarded_intact(&s.c) && guarded_intact(&s.h) &&
                bytes_intact(&s.q) && bytes_intact(&s.q_prev));
    matrix_destroy(&s.r);
    free(s.q.memory);
    free(s.q_prev.memory);
    free(s.c_prev);
    guarded_destroy(&s.gates);
    guarded_destroy(&s.c);
    guarded_destroy(&s.h);
}

/* NaN in the cell stays, and in an input gate comes out; an infinity saturates. */
static void check_special(const struct oto_dsp_int8 *dsp, struct worst *w)
{
    enum { n_units = 5 };
    struct random rng = {3};
    struct matrix r = matrix_create(&rng, dsp, n_units, n_units, false, 1e-4f);
    float gates[4 * 16] = {0}, c[16] = {0}, h[n_units];
    uint8_t q[16], q_prev[16];
    const size_t u = (size_t)dsp->unit_block;
    memset(q_prev, dsp->zero, sizeof q_prev);
    c[0] = NAN;
    gates[blocked(2, 1, u)] = NAN;
    gates[blocked(2, 2, u)] = INFINITY;
    gates[blocked(1, 3, u)] = -INFINITY;
    c[3] = 7;
    dsp->lstm_step(gates, c, h, n_units, q, q_prev, 1, 1, &r.packed, false);
    require(w, "NaN in the cell is lost", c[0] != c[0] && h[0] != h[0]);
    require(w, "NaN in a gate is lost", c[1] != c[1] && h[1] != h[1]);
    require(w, "an infinite gate does not saturate", fabsf(c[2] - 0.5f) < 1e-6f);
    require(w, "an infinitely closed gate lets pass", fabsf(c[3]) < 1e-6f);
    matrix_destroy(&r);
}

static bool check_table(const struct oto_dsp_int8 *dsp, const struct oto_dsp_int8 *scalar,
                        unsigned mask, struct random *rng)
{
    static const int sizes[] = {128, 320, 640};
    struct worst quantized = {0}, product = {0}, step[3] = {{0}};
    for (int i = 1; i <= 67 + 3; i++) {
        const int size = i <= 67 ? i : sizes[i - 68];
        if (size > max_units)
            continue;
        const int n_units = size > 320 ? 16 : size, repeats = size > 67 ? 1 : 3;
        for (int k = 0; k < repeats; k++) {
            check_quantize(rng, dsp, scalar, &quantized, size);
            check_product(rng, dsp, &product, 1 + random_below(rng, 40), size,
                          1 + random_below(rng, 14), k == 0);
            check_step(rng, dsp, step, n_units, 1 + random_below(rng, 14));
        }
    }
    if (max_units >= 640) { /* wide layers: sums of 4096 products at their largest, and odd tails */
        check_product(rng, dsp, &product, 3, 4096, 7, true);
        check_product(rng, dsp, &product, 3, 4093, 2, false);
    }
    check_not_numbers(dsp, &quantized);
    check_special(dsp, &step[0]);
    bool ok = report("quantize_rows", "", mask, &quantized);
    ok = report("input_product", "", mask, &product) && ok;
    ok = report("lstm_step", "c", mask, &step[0]) && ok;
    ok = report("lstm_step", "h", mask, &step[1]) && ok;
    return report("lstm_step", "codes", mask, &step[2]) && ok;
}

int main(int argc, char **argv)
{
    static const struct {
        unsigned mask;
        const char *name;
    } sets[] = {{OTO_CPU_SCALAR, "scalar"},
                {OTO_CPU_AVX2, "avx2"},
                {OTO_CPU_AVX2 | OTO_CPU_AVX_VNNI, "avxvnni"},
                {OTO_CPU_AVX2 | OTO_CPU_AVX512, "avx2"}, /* AVX-512 without VNNI */
                {OTO_CPU_AVX2 | OTO_CPU_AVX512 | OTO_CPU_AVX512_VNNI, "avx512vnni"}};
    const unsigned flags = oto_dsp_int8_init_avx2 != NULL ? oto_cpu_flags() : OTO_CPU_SCALAR;
    struct random rng = {1};
    struct oto_dsp_int8 scalar, dsp;
    bool ok = true;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seed=", 7) == 0) {
            rng.state = strtoull(argv[i] + 7, NULL, 10);
        } else if (strncmp(argv[i], "--max-units=", 12) == 0) {
            max_units = (int)strtol(argv[i] + 12, NULL, 10);
        } else {
            fprintf(stderr, "%s: unknown; options are --seed=N --max-units=N\n", argv[i]);
            return 64;
        }
    }
    oto_dsp_int8_init(&scalar, OTO_CPU_SCALAR);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if ((sets[i].mask & flags) != sets[i].mask)
            continue;
        oto_dsp_int8_init(&dsp, sets[i].mask);
        if (strcmp(dsp.name, sets[i].name) != 0) {
            fprintf(stderr, "test_int8: the table is '%s', expected '%s'\n", dsp.name,
                    sets[i].name);
            ok = false;
        }
        ok = check_table(&dsp, &scalar, sets[i].mask, &rng) && ok;
    }
    return !ok;
}
