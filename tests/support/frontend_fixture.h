/* SPDX-License-Identifier: BSD-2-Clause */
/** A voice-like signal, and front ends that hear it in portions. */
#ifndef OTO_TESTS_FRONTEND_FIXTURE_H
#define OTO_TESTS_FRONTEND_FIXTURE_H

#include <math.h>

#include "base/rng.h"
#include "features/frontend.h"
#include "unit.h"

#define N_SAMPLES 20000

static float speech[N_SAMPLES]; /* pulses through a slow modulation, with noise */

static inline int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N_SAMPLES; i++) {
        const double t = i / 16000.0, phase = 2.0 * 3.14159265358979323846 * t;
        const double loud = 0.2 * (1.0 + sin(phase * 3.0));
        speech[i] =
            (float)(loud * (sin(phase * 140.0) + 0.5 * sin(phase * 1400.0 * (1.0 + 0.3 * t))) +
                    0.01 * oto_rng_normal(11, 0, (uint64_t)i));
    }
    return 0;
}

static inline struct oto_frontend_options defaults(void)
{
    struct oto_frontend_options o = {0};
    assert_int_equal(oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &o, NULL),
                     OTO_OK);
    return o;
}

static inline struct oto_frontend *make_with(const struct oto_frontend_options *o,
                                             const struct oto_cmvn_stats *stats,
                                             enum oto_fft_backend backend)
{
    struct oto_frontend *fe = NULL;
    oto_error err = {0};
    if (oto_frontend_create(&fe, o, stats, backend, &err))
        fail_msg("%s", err.message);
    return fe;
}

static inline struct oto_frontend *make(const struct oto_frontend_options *o)
{
    return make_with(o, NULL, OTO_FFT_AUTO);
}

/* Pushes n samples in portions (0: at once) and finishes. */
static inline void run_in_portions(struct oto_frontend *fe, const float *x, size_t n,
                                   size_t portion)
{
    oto_frontend_reset(fe, 5);
    for (size_t i = 0; i < n;) {
        const size_t k = portion && portion < n - i ? portion : n - i;
        assert_int_equal(oto_frontend_push(fe, x + i, k, NULL), OTO_OK);
        i += k;
    }
    assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
}

#endif
