/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Holds every entry of the kernel table, for every CPU mask this machine can run, to
 * double-precision versions.
 *
 *     test_checkasm [--seed=N] [--filter=TEXT] [--max-units=N] [--bench]
 *
 * --max-units keeps the group lstm to fewer than its 320 units, for emulators. OTOLITH_ISA limits
 * the masks. Exit status 1 when a value is off by more than its bound.
 */
#include <math.h>
#include <time.h>

#include "acoustic/dsp.h"
#include "checkasm.h"
#include "lstm_oracle.h"

#pragma weak oto_dsp_init_avx2 /* NULL in a build without SIMD kernels */

static int max_units = 320;

enum input { INPUT_NORMAL, INPUT_SATURATING, INPUT_TINY, n_inputs };

/* One step in natural order, with what the double version says. */
struct step {
    int n_units, n_rows, n_prev, n_next;
    float *r, *a, *h_prev, *c_prev;       /* [4H, H], [n, 4, H], [n_prev, H] twice */
    float *gates, *c, *dh, *dc, *da_next; /* backward: [n, 4, H], [n, H] thrice, [n_next, 4, H] */
    struct bounded *forward, *backward;   /* [n, H, 6], [n, H, 5] */
};

static const char *const forward_names[6] = {"i", "f", "g", "o", "c", "h"};
static const char *const backward_names[5] = {"da_i", "da_f", "da_g", "da_o", "dc_prev"};

static float draw(struct random *rng, enum input kind, float range)
{
    if (kind == INPUT_SATURATING)
        return random_float(rng, range * 120);
    if (kind == INPUT_TINY) { /* denormals and both zeros */
        const float zero = random_below(rng, 2) ? 0.0f : -0.0f;
        return random_below(rng, 2) ? zero : random_float(rng, 1e-39f);
    }
    return random_float(rng, range);
}

static float *draw_array(struct random *rng, size_t n, enum input kind, float range)
{
    float *x = allocate(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = draw(rng, kind, range);
    return x;
}

static void solve_forward(struct step *s)
{
    const size_t h = (size_t)s->n_units;
    for (size_t b = 0; b < (size_t)s->n_rows; b++) {
        const bool has_prev = b < (size_t)s->n_prev;
        for (size_t j = 0; j < h; j++) {
            struct bounded a[4];
            for (size_t gate = 0; gate < 4; gate++)
                a[gate] = oracle_dot(s->a[(b * 4 + gate) * h + j], s->h_prev + b * h, 1,
                                     s->r + (gate * h + j) * h, 1, has_prev ? h : 0);
            oracle_cell(s->forward + (b * h + j) * 6, a,
                        has_prev ? (double)s->c_prev[b * h + j] : 0);
        }
    }
}

static void solve_backward(struct step *s)
{
    const size_t h = (size_t)s->n_units;
    for (size_t b = 0; b < (size_t)s->n_rows; b++) {
        const bool has_next = b < (size_t)s->n_next;
        for (size_t j = 0; j < h; j++) {
            const size_t at = b * h + j;
            const struct bounded dh =
                oracle_dot(s->dh[at], s->da_next + b * 4 * h, 1, s->r + j, h, has_next ? 4 * h : 0);
            double gates[4];
            for (size_t gate = 0; gate < 4; gate++)
                gates[gate] = (double)s->gates[(b * 4 + gate) * h + j];
            oracle_cell_backward(s->backward + at * 5, gates, dh, has_next ? (double)s->dc[at] : 0,
                                 (double)s->c[at],
                                 b < (size_t)s->n_prev ? (double)s->c_prev[at] : 0);
        }
    }
}

static struct step step_create(struct random *rng, int n_units, int n_rows, enum input kind)
{
    const size_t h = (size_t)n_units, n = (size_t)n_rows;
    struct step s = {.n_units = n_units, .n_rows = n_rows};
    s.n_prev = random_below(rng, 3) ? n_rows : random_below(rng, n_rows + 1);
    s.n_next = random_below(rng, 3) ? n_rows : random_below(rng, n_rows + 1);
    const float weight = kind == INPUT_SATURATING ? 0.1f : 1.5f / sqrtf((float)n_units);
    s.r = draw_array(rng, 4 * h * h, kind == INPUT_TINY ? INPUT_TINY : INPUT_NORMAL, weight);
    s.a = draw_array(rng, 4 * n * h, kind, kind == INPUT_NORMAL ? 4 : 1);
    s.h_prev = draw_array(rng, n * h, kind == INPUT_TINY ? INPUT_TINY : INPUT_NORMAL, 1);
    s.c_prev = draw_array(rng, n * h, kind, 2);
    s.gates = draw_array(rng, 4 * n * h, INPUT_NORMAL, 1);
    for (size_t i = 0; i < 4 * n * h; i++) { /* i, f, o in (0, 1) */
        if (i / h % 4 != 2)
            s.gates[i] = 0.5f + 0.4999f * s.gates[i];
    }
    s.c = draw_array(rng, n * h, kind, 2);
    s.dh = draw_array(rng, n * h, kind == INPUT_TINY ? INPUT_TINY : INPUT_NORMAL, 1);
    s.dc = draw_array(rng, n * h, kind == INPUT_TINY ? INPUT_TINY : INPUT_NORMAL, 1);
    s.da_next = draw_array(rng, 4 * n * h, kind == INPUT_TINY ? INPUT_TINY : INPUT_NORMAL, 1);
    s.forward = allocate(6 * n * h, sizeof *s.forward);
    s.backward = allocate(5 * n * h, sizeof *s.backward);
    return s;
}

static void step_destroy(struct step *s)
{
    float *arrays[] = {s->r, s->a, s->h_prev, s->c_prev, s->gates, s->c, s->dh, s->dc, s->da_next};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    free(s->forward);
    free(s->backward);
}

/* Where a number of PyTorch's order stands in a row of blocked gates; written apart from the
 * kernels' own function. */
static size_t blocked(size_t gate, size_t unit, size_t u)
{
    return (unit / u * 4 + gate) * u + unit % u;
}

static size_t padded(size_t h, size_t u)
{
    return (h + u - 1) / u * u;
}

/* [n, 4, H] into poisoned memory in blocked order, padding units zero. */
static struct guarded blocked_gates(const float *from, size_t n, size_t h, size_t u,
                                    size_t misalign)
{
    const size_t hp = padded(h, u);
    struct guarded g = guarded_create(n, 4 * hp, 4 * hp, misalign);
    for (size_t b = 0; b < n; b++) {
        memset(guarded_row(&g, b), 0, 4 * hp * sizeof(float));
        for (size_t gate = 0; gate < 4; gate++) {
            for (size_t j = 0; j < h; j++)
                guarded_row(&g, b)[blocked(gate, j, u)] = from[(b * 4 + gate) * h + j];
        }
    }
    return g;
}

/* [n, H] with a stride; columns n_cols > H are padding units and zero. */
static struct guarded plain_rows(const float *from, size_t n, size_t h, size_t n_cols,
                                 size_t stride, size_t misalign)
{
    struct guarded g = guarded_create(n, n_cols, stride, misalign);
    for (size_t b = 0; b < n; b++) {
        memset(guarded_row(&g, b), 0, n_cols * sizeof(float));
        memcpy(guarded_row(&g, b), from + b * h, h * sizeof(float));
    }
    return g;
}

static struct guarded packed_matrix(const struct oto_dsp *dsp, const struct step *s, bool backward,
                                    size_t misalign)
{
    const size_t size = dsp->recurrent_size(s->n_units);
    struct guarded g = guarded_create(1, size, size, misalign);
    (backward ? dsp->pack_recurrent_backward : dsp->pack_recurrent_forward)(g.at, s->r, s->n_units);
    return g;
}

static void run_forward(const struct oto_dsp *dsp, const struct step *s, struct random *rng,
                        struct worst worst[6])
{
    const size_t h = (size_t)s->n_units, n = (size_t)s->n_rows, u = (size_t)dsp->unit_block,
                 hp = padded(h, u);
    const size_t n_prev = (size_t)s->n_prev, h_stride = h + (size_t)random_below(rng, 20);
    const size_t prev_stride = h + (size_t)random_below(rng, 20),
                 off = (size_t)random_below(rng, 16);
    struct guarded r = packed_matrix(dsp, s, false, off), gates = blocked_gates(s->a, n, h, u, off);
    struct guarded c = guarded_create(n, hp, hp, off),
                   out = guarded_create(n, h, h_stride, off + 1);
    struct guarded h_prev = plain_rows(s->h_prev, n_prev, h, h, prev_stride, off + 2);
    struct guarded c_prev = plain_rows(s->c_prev, n_prev, h, hp, hp, off);
    struct guarded *const buffers[] = {&r, &gates, &c, &out, &h_prev, &c_prev};
    dsp->lstm_forward(gates.at, c.at, out.at, h_stride, n_prev ? h_prev.at : NULL, prev_stride,
                      n_prev ? c_prev.at : NULL, s->n_rows, s->n_prev, r.at, s->n_units,
                      random_below(rng, 2) != 0);
    for (size_t b = 0; b < n; b++) {
        for (size_t j = 0; j < h; j++) {
            const struct bounded *want = s->forward + (b * h + j) * 6;
            for (size_t k = 0; k < 6; k++) {
                const float got = k < 4    ? guarded_row(&gates, b)[blocked(k, j, u)]
                                  : k == 4 ? guarded_row(&c, b)[j]
                                           : guarded_row(&out, b)[j];
                compare(worst + k, forward_names[k], got, want[k].value, want[k].bound);
                if (k < 4 && k != 2 && want[k].value == want[k].value)
                    require(worst + k, "a gate is not strictly inside (0, 1)", got > 0 && got < 1);
            }
        }
    }
    require(worst, "lstm_forward wrote outside its outputs", all_intact(buffers, 6));
    destroy_all(buffers, 6);
}

static void run_backward(const struct oto_dsp *dsp, const struct step *s, struct random *rng,
                         struct worst worst[5])
{
    const size_t h = (size_t)s->n_units, n = (size_t)s->n_rows, u = (size_t)dsp->unit_block,
                 hp = padded(h, u);
    const size_t n_prev = (size_t)s->n_prev, n_next = (size_t)s->n_next,
                 off = (size_t)random_below(rng, 16);
    const size_t dh_stride = h + (size_t)random_below(rng, 20);
    struct guarded r = packed_matrix(dsp, s, true, off),
                   gates = blocked_gates(s->gates, n, h, u, off);
    struct guarded dc = plain_rows(s->dc, n, h, hp, hp, off),
                   dh = plain_rows(s->dh, n, h, h, dh_stride, off + 1);
    struct guarded next = blocked_gates(s->da_next, n_next, h, u, off),
                   c = plain_rows(s->c, n, h, hp, hp, off);
    struct guarded c_prev = plain_rows(s->c_prev, n_prev, h, hp, hp, off);
    struct guarded *const buffers[] = {&r, &gates, &dc, &dh, &next, &c, &c_prev};
    for (size_t b = n_next; b < n; b++) { /* to be taken as zero: must not be read */
        for (size_t j = 0; j < hp; j++)
            guarded_row(&dc, b)[j] = poison();
    }
    dsp->lstm_backward(gates.at, dc.at, dh.at, dh_stride, n_next ? next.at : NULL, s->n_next, c.at,
                       n_prev ? c_prev.at : NULL, s->n_prev, s->n_rows, r.at, s->n_units,
                       random_below(rng, 2) != 0);
    for (size_t b = 0; b < n; b++) {
        for (size_t j = 0; j < h; j++) {
            const struct bounded *want = s->backward + (b * h + j) * 5;
            for (size_t k = 0; k < 5; k++)
                compare(worst + k, backward_names[k],
                        k < 4 ? guarded_row(&gates, b)[blocked(k, j, u)] : guarded_row(&dc, b)[j],
                        want[k].value, want[k].bound);
        }
        for (size_t j = h; j < hp; j++) {
            for (size_t k = 0; k < 4; k++)
                require(worst + k, "a padding unit has a gradient",
                        guarded_row(&gates, b)[blocked(k, j, u)] == 0);
            require(worst + 4, "a padding unit has a gradient", guarded_row(&dc, b)[j] == 0);
        }
    }
    require(worst, "lstm_backward wrote outside its outputs", all_intact(buffers, 7));
    destroy_all(buffers, 7);
}

struct results {
    struct worst forward[6], backward[5];
};

static void run_step(struct random *rng, int n_units, int n_rows, enum input kind,
                     const unsigned masks[], int n_masks, struct results *results)
{
    struct step s = step_create(rng, n_units, n_rows, kind);
    solve_forward(&s);
    solve_backward(&s);
    for (int m = 0; m < n_masks; m++) {
        struct oto_dsp dsp;
        oto_dsp_init(&dsp, masks[m]);
        run_forward(&dsp, &s, rng, results[m].forward);
        run_backward(&dsp, &s, rng, results[m].backward);
    }
    step_destroy(&s);
}

static bool report_steps(const char *suffix, const struct results *results, const unsigned masks[],
                         int n_masks)
{
    bool ok = true;
    char name[40];
    for (int m = 0; m < n_masks; m++) {
        snprintf(name, sizeof name, "forward%s", suffix);
        for (int k = 0; k < 6; k++)
            ok = report(name, forward_names[k], masks[m], results[m].forward + k) && ok;
        snprintf(name, sizeof name, "backward%s", suffix);
        for (int k = 0; k < 5; k++)
            ok = report(name, backward_names[k], masks[m], results[m].backward + k) && ok;
    }
    return ok;
}

/* Every number of units around every block width, every number of rows around every block of rows.
 */
static bool check_lstm(struct random *rng, const unsigned masks[], int n_masks)
{
    static const char *const suffix[n_inputs] = {"", "/saturate", "/tiny"};
    static const int model_units[] = {128, 256, 320}, model_rows[] = {1, 2, 5, 12, 13, 40};
    bool ok = true;
    for (int kind = 0; kind < n_inputs; kind++) {
        struct results results[3] = {0};
        for (int n_units = 1; n_units <= 67 && n_units <= max_units; n_units++) {
            for (int n_rows = 1; n_rows <= 17; n_rows++)
                run_step(rng, n_units, n_rows, (enum input)kind, masks, n_masks, results);
        }
        for (size_t i = 0; i < sizeof model_units / sizeof *model_units; i++) {
            if (model_units[i] > max_units)
                break;
            for (size_t j = 0; j < sizeof model_rows / sizeof *model_rows; j++)
                run_step(rng, model_units[i], model_rows[j], (enum input)kind, masks, n_masks,
                         results);
        }
        ok = report_steps(suffix[kind], results, masks, n_masks) && ok;
    }
    return ok;
}

/**
 * The cell alone over inputs up to +-120: recurrent input zero and |c_prev| <= 1, so that nothing
 * but the gate functions and the cell update is off. Gates within the errors of lstm_oracle.h, c
 * and h within 5e-7 of double.
 */
static bool check_cell(struct random *rng, const unsigned masks[], int n_masks)
{
    static const float ranges[] = {120, 20, 9.2f, 1, 1e-3f, 1e-39f};
    static const float edges[] = {0,     -0.0f, 8.66f, 9.01f, 9.02f, 16.6f, 16.64f,   17.4f,
                                  86.6f, 87,    88,    88.8f, 104,   120,   INFINITY, 1e30f};
    enum { n_units = 64, n_rows = 16, n_edges = sizeof edges / sizeof *edges };
    struct results results[3] = {0};
    for (size_t round = 0; round < 20 * sizeof ranges / sizeof *ranges; round++) {
        struct step s = step_create(rng, n_units, n_rows, INPUT_NORMAL);
        for (size_t i = 0; i < 4 * n_rows * n_units; i++) {
            const float edge = edges[random_below(rng, n_edges)];
            s.a[i] = random_below(rng, 4) ? random_float(rng, ranges[round / 20])
                                          : (random_below(rng, 2) ? edge : -edge);
        }
        memset(s.h_prev, 0, n_rows * n_units * sizeof(float));
        for (size_t i = 0; i < n_rows * n_units; i++)
            s.c_prev[i] /= 2;
        s.n_prev = n_rows;
        solve_forward(&s);
        for (size_t i = 0; i < n_rows * n_units; i++) {
            for (size_t k = 0; k < 6; k++)
                s.forward[i * 6 + k].bound = k > 3 ? 5e-7 : (k == 2 ? TANH_ERROR : SIGMOID_ERROR);
        }
        for (int m = 0; m < n_masks; m++) {
            struct oto_dsp dsp;
            oto_dsp_init(&dsp, masks[m]);
            run_forward(&dsp, &s, rng, results[m].forward);
        }
        step_destroy(&s);
    }
    bool ok = true;
    for (int m = 0; m < n_masks; m++) {
        for (int k = 0; k < 6; k++)
            ok = report("cell", forward_names[k], masks[m], results[m].forward + k) && ok;
    }
    return ok;
}

static float draw_special(struct random *rng, bool infinite)
{
    const int which = random_below(rng, infinite ? 3 : 1);
    return which == 0 ? NAN : (which == 1 ? INFINITY : -INFINITY);
}

/* NaN comes out where it goes in and nowhere else; infinities saturate. The double version says
 * where. */
static bool check_special(struct random *rng, const unsigned masks[], int n_masks)
{
    struct results results[3] = {0};
    for (int round = 0; round < 300; round++) {
        struct step s =
            step_create(rng, 1 + random_below(rng, 40), 1 + random_below(rng, 15), INPUT_NORMAL);
        const int n = s.n_rows * s.n_units;
        s.a[random_below(rng, 4 * n)] = draw_special(rng, true);
        s.c_prev[random_below(rng, n)] = draw_special(rng, true);
        s.h_prev[random_below(rng, n)] = draw_special(rng, false);
        s.dh[random_below(rng, n)] = draw_special(rng, false);
        s.dc[random_below(rng, n)] = draw_special(rng, false);
        s.da_next[random_below(rng, 4 * n)] = draw_special(rng, false);
        s.gates[random_below(rng, 4 * n)] = draw_special(rng, false);
        solve_forward(&s);
        solve_backward(&s);
        for (int m = 0; m < n_masks; m++) {
            struct oto_dsp dsp;
            oto_dsp_init(&dsp, masks[m]);
            run_forward(&dsp, &s, rng, results[m].forward);
            run_backward(&dsp, &s, rng, results[m].backward);
        }
        step_destroy(&s);
    }
    return report_steps("/special", results, masks, n_masks);
}

/* The table itself: block width by mask, the C versions where nothing better is allowed, sizes that
 * cover every unit. */
static bool check_table(struct random *rng, const unsigned masks[], int n_masks)
{
    struct oto_dsp scalar, dsp;
    (void)rng;
    oto_dsp_init(&scalar, OTO_CPU_SCALAR);
    bool ok = true;
    for (int m = 0; m < n_masks; m++) {
        struct worst w = {0};
        oto_dsp_init(&dsp, masks[m]);
        require(&w, "table: cpu_flags are not those asked for", dsp.cpu_flags == masks[m]);
        require(&w, "table: wrong unit_block",
                dsp.unit_block == (masks[m] & OTO_CPU_AVX512 ? 16 : 8));
        require(&w, "table: a kernel of another mask",
                (dsp.lstm_forward == scalar.lstm_forward) == (masks[m] == OTO_CPU_SCALAR) &&
                    (dsp.lstm_backward == scalar.lstm_backward) == (masks[m] == OTO_CPU_SCALAR) &&
                    (dsp.log_softmax == scalar.log_softmax) == (masks[m] == OTO_CPU_SCALAR));
        for (int h = 1; h <= 400; h++) {
            const size_t hp = padded((size_t)h, (size_t)dsp.unit_block);
            require(&w, "table: recurrent_size below 4 * Hp * H",
                    dsp.recurrent_size(h) >= 4 * hp * (size_t)h);
        }
        ok = report("table", "", masks[m], &w) && ok;
    }
    return ok;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Least time of 50 steps of H = 320; bench_gemm is the careful version. */
static void bench(struct random *rng, const unsigned masks[], int n_masks)
{
    static const int rows[] = {1, 8, 32};
    enum { n_units = 320, n_repeats = 50 };
    for (int m = 0; m < n_masks; m++) {
        struct oto_dsp dsp;
        oto_dsp_init(&dsp, masks[m]);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            struct step s = step_create(rng, n_units, rows[i], INPUT_NORMAL);
            struct guarded forward = packed_matrix(&dsp, &s, false, 0),
                           backward = packed_matrix(&dsp, &s, true, 0);
            float *h = allocate((size_t)rows[i] * n_units, sizeof *h);
            double best[2] = {1, 1};
            for (int k = 0; k < 2 * n_repeats; k++) {
                const double start = seconds();
                if (k < n_repeats)
                    dsp.lstm_forward(s.a, s.c, h, n_units, s.h_prev, n_units, s.c_prev, rows[i],
                                     rows[i], forward.at, n_units, (k & 1) != 0);
                else
                    dsp.lstm_backward(s.gates, s.dc, s.dh, n_units, s.da_next, rows[i], s.c,
                                      s.c_prev, rows[i], rows[i], backward.at, n_units,
                                      (k & 1) != 0);
                best[k / n_repeats] = fmin(best[k / n_repeats], seconds() - start);
            }
            printf("bench %-7s H=%d rows=%-2d forward %8.1f us  backward %8.1f us\n",
                   oto_cpu_name(masks[m]), n_units, rows[i], 1e6 * best[0], 1e6 * best[1]);
            free(h);
            guarded_destroy(&forward);
            guarded_destroy(&backward);
            step_destroy(&s);
        }
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool (*run)(struct random *, const unsigned[], int);
    } groups[] = {{"table", check_table},
                  {"cell", check_cell},
                  {"special", check_special},
                  {"lstm", check_lstm}};
    const char *filter = "";
    struct random rng = {1};
    bool with_bench = false, ok = true;
    int n_run = 0;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--seed=", 7) == 0) {
            rng.state = strtoull(argv[i] + 7, NULL, 10);
        } else if (strncmp(argv[i], "--filter=", 9) == 0) {
            filter = argv[i] + 9;
        } else if (strncmp(argv[i], "--max-units=", 12) == 0) {
            max_units = (int)strtol(argv[i] + 12, NULL, 10);
        } else if (strcmp(argv[i], "--bench") == 0) {
            with_bench = true;
        } else {
            fprintf(stderr,
                    "%s: unknown; options are --seed=N --filter=TEXT --max-units=N --bench\n",
                    argv[i]);
            return 64;
        }
    }
    unsigned masks[3];
    const int n_masks = cpu_masks(masks, oto_dsp_init_avx2 != NULL);
    printf("seed %llu, best of this processor: %s\n", (unsigned long long)rng.state,
           oto_cpu_name(masks[n_masks - 1]));
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (!strstr(groups[i].name, filter))
            continue;
        n_run++;
        ok = groups[i].run(&rng, masks, n_masks) && ok;
    }
    if (n_run == 0) {
        fprintf(stderr, "--filter=%s: no such group; groups are table cell special lstm\n", filter);
        return 64;
    }
    if (with_bench)
        bench(&rng, masks, n_masks);
    return !ok;
}
