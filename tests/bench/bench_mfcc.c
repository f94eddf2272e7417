/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end on one thread: noise shaped like speech at 16 kHz, pushed in blocks of a second.
 *
 *     bench_mfcc [--seconds=600] [--mels=40] [--ceps=40] [--fft=auto|fftw|kissfft] [--reps=5]
 *
 * Times are those of the cepstra; apply_ms is normalising and stacking. gflops counts window (2 N),
 * transform (2.5 N log2 N), power (1.5 N), mel bands (2 N) and cosine transform (2 mels ceps).
 */
#include <math.h>

#include "bench.h"
#include "features/frontend.h"

enum { RATE = 16000, FFT_SIZE = 512 };

static int seconds = 600, mels = 40, ceps = 40, reps = 5;
static const char *fft = "auto";

struct data {
    struct oto_frontend *fe;
    float *samples, *out;
};

static oto_status run(void *arg, oto_error *err)
{
    struct data *d = arg;
    oto_status status = OTO_OK;
    oto_frontend_reset(d->fe, 0);
    for (size_t s = 0; s < (size_t)seconds && status == OTO_OK; s++)
        status = oto_frontend_push(d->fe, d->samples + s * RATE, RATE, err);
    return status == OTO_OK ? oto_frontend_finish(d->fe, err) : status;
}

static oto_status apply(void *arg, oto_error *err)
{
    struct data *d = arg;
    size_t n = 0;
    const float *statics = oto_frontend_static(d->fe, &n);
    return oto_frontend_apply(d->fe, d->out, statics, n, NULL, NULL, err);
}

static oto_status set_up(struct data *d, enum oto_fft_backend backend, oto_error *err)
{
    struct oto_frontend_options options = {0};
    const size_t n = (size_t)seconds * RATE;
    oto_status status =
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &options, err);
    options.n_mels = mels;
    options.n_ceps = ceps;
    if (status == OTO_OK)
        status = oto_frontend_create(&d->fe, &options, NULL, backend, err);
    if (status != OTO_OK)
        return status;
    const size_t n_frames = oto_frontend_n_frames(d->fe, oto_frontend_n_static(d->fe, n));
    d->out = oto_calloc(n_frames, sizeof *d->out * (size_t)oto_frontend_dim(d->fe));
    d->samples = bench_numbers(n, 0, 0.5);
    if (!d->out || !d->samples)
        return oto_fail_memory(err, "samples and features");
    for (size_t i = 0; i < n; i++) /* swells and fades */
        d->samples[i] *= (float)(0.2 + 0.2 * sin((double)i / 3000));
    return OTO_OK;
}

int main(int argc, char **argv)
{
#ifdef OTO_HAVE_FFTW
    const char *choices = "auto|fftw|kissfft";
    const enum oto_fft_backend best = OTO_FFT_FFTW;
#else
    const char *choices = "auto|kissfft";
    const enum oto_fft_backend best = OTO_FFT_KISS;
#endif
    const struct bench_option options[] = {
        {.name = "seconds", &seconds, 1, 36000},
        {.name = "mels", &mels, 3, 100},
        {.name = "ceps", &ceps, 1, 100},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
        {.name = "fft", .text = &fft, .choices = choices},
    };
    static struct bench_times mfcc_times, apply_times;
    struct data d = {0};
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    const enum oto_fft_backend backend = strcmp(fft, "kissfft") == 0 ? OTO_FFT_KISS : best;
    oto_status status = set_up(&d, backend, &err);
    if (status == OTO_OK)
        status = bench_repeat(&mfcc_times, 1, reps, run, &d, &err);
    if (status == OTO_OK)
        status = bench_repeat(&apply_times, 1, reps, apply, &d, &err);
    if (status == OTO_OK) {
        const double flop = FFT_SIZE * (2 + 2.5 * log2(FFT_SIZE) + 1.5 + 2) + 2.0 * mels * ceps;
        printf("{\"bench\":\"mfcc\",\"engine\":\"otolith\",\"fft\":\"%s\",\"seconds\":%d,"
               "\"mels\":%d,\"ceps\":%d,\"apply_ms\":%.4g",
               backend == OTO_FFT_KISS ? "kissfft" : "fftw", seconds, mels, ceps,
               1e3 * bench_median(apply_times.cpu_s, reps));
        bench_print_end(&mfcc_times, 1, 1, 1e-9 * flop * 100 * seconds);
    }
    oto_frontend_destroy(d.fe);
    oto_free(d.out);
    oto_free(d.samples);
    return bench_exit("bench_mfcc", status, &err);
}
