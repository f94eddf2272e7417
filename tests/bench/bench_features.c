/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processor time of the front end on one thread: noise shaped like speech, pushed in blocks of a
 * second.
 *
 *     bench_features [--seconds=600] [--mels=40] [--ceps=40] [--reps=5]
 *
 * compare_features.py runs it beside kaldi-native-fbank.
 */
#include <math.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "features/frontend.h"

enum { RATE = 16000, REPS_MAX = 1000 };

static int seconds = 600, mels = 40, ceps = 40, reps = 5;

struct times {
    double statics[REPS_MAX], apply[REPS_MAX]; /* seconds */
};

static oto_status measure(struct times *times, struct oto_frontend *fe, const float *samples,
                          oto_error *err)
{
    const size_t n_frames = oto_frontend_n_static(fe, (size_t)seconds * RATE);
    float *out =
        oto_calloc(oto_frontend_n_frames(fe, n_frames), sizeof *out * (size_t)oto_frontend_dim(fe));
    oto_status status = out ? OTO_OK : oto_fail_memory(err, "output");

    for (int rep = -1; rep < reps && status == OTO_OK; rep++) { /* the first warms up */
        size_t n = 0;
        const double start = bench_now(true);
        oto_frontend_reset(fe, 0);
        for (int s = 0; s < seconds && status == OTO_OK; s++)
            status = oto_frontend_push(fe, samples + (size_t)s * RATE, RATE, err);
        if (status == OTO_OK)
            status = oto_frontend_finish(fe, err);
        const double middle = bench_now(true);
        const float *statics = oto_frontend_static(fe, &n);
        if (status == OTO_OK)
            status = oto_frontend_apply(fe, out, statics, n, NULL, NULL, err);
        if (rep >= 0) {
            times->statics[rep] = middle - start;
            times->apply[rep] = bench_now(true) - middle;
        }
    }
    oto_free(out);
    return status;
}

static oto_status run(const char *name, enum oto_fft_backend backend, const float *samples,
                      oto_error *err)
{
    static struct times times;
    struct oto_frontend_options options = {0};
    struct oto_frontend *fe = NULL;
    oto_status status =
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &options, err);

    if (status != OTO_OK)
        return status;
    options.n_mels = mels;
    options.n_ceps = ceps;
    status = oto_frontend_create(&fe, &options, NULL, backend, err);
    if (status == OTO_OK)
        status = measure(&times, fe, samples, err);
    if (status == OTO_OK) {
        const double mfcc_s = bench_median(times.statics, reps);
        printf("{\"bench\": \"features\", \"fft\": \"%s\", \"mels\": %d, \"ceps\": %d, "
               "\"audio_s\": %d, "
               "\"mfcc_s\": %.4f, \"cmvn_stack_s\": %.4f, \"times_real_time\": %.0f}\n",
               name, mels, ceps, seconds, mfcc_s, bench_median(times.apply, reps),
               seconds / mfcc_s);
    }
    oto_frontend_destroy(fe);
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {"seconds", &seconds, 1, 36000},
        {"mels", &mels, 3, 100},
        {"ceps", &ceps, 1, 100},
        {"reps", &reps, 1, REPS_MAX},
    };
    const char *isa = NULL;
    oto_error err = {0};

    bench_parse(argc, argv, options, sizeof options / sizeof options[0], &isa);
    if (isa != NULL) {
        fputs("--isa: the front end has one version for all processors\n", stderr);
        return 64;
    }
    const size_t n = (size_t)seconds * RATE;
    float *samples = oto_calloc(n, sizeof *samples);
    if (samples == NULL) {
        fputs("out of memory\n", stderr);
        return 71;
    }
    for (size_t i = 0; i < n; i++) /* noise that swells and fades */
        samples[i] =
            (float)((oto_rng_uniform(1, 0, i) - 0.5) * (0.2 + 0.2 * sin((double)i / 3000)));
    oto_status status = run("KissFFT", OTO_FFT_KISS, samples, &err);
#ifdef OTO_HAVE_FFTW
    if (status == OTO_OK)
        status = run("FFTW", OTO_FFT_FFTW, samples, &err);
#endif
    oto_free(samples);
    if (status != OTO_OK)
        fprintf(stderr, "%s\n", err.message);
    return status == OTO_OK ? 0 : 70;
}
