/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FFTW (single precision) behind the plan interface. The only file that sees it.
 *
 * FFTW is GPL: a program built with this file is too. -DOTOLITH_FFTW=OFF leaves it out.
 */
#include <fftw3.h>
#include <pthread.h>

#include "base/mem.h"
#include "features/fft.h"

struct fft_fftw {
    struct oto_fft base;
    fftwf_plan plan;
};

/* Only fftwf_execute* is thread-safe; making and destroying plans shares state inside FFTW. */
static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

static void forward(struct oto_fft *fft, float *spectrum, float *samples)
{
    struct fft_fftw *f = (struct fft_fftw *)fft;
    fftwf_execute_dft_r2c(f->plan, samples, (fftwf_complex *)(void *)spectrum);
}

static void destroy(struct oto_fft *fft)
{
    struct fft_fftw *f = (struct fft_fftw *)fft;
    if (f->plan) {
        pthread_mutex_lock(&planner);
        fftwf_destroy_plan(f->plan);
        pthread_mutex_unlock(&planner);
    }
    oto_free(f);
}

oto_status oto_fft_fftw_create(struct oto_fft **out, int n, oto_error *err)
{
    struct fft_fftw *f = oto_calloc(1, sizeof *f);
    float *in = oto_calloc((size_t)n, sizeof *in);
    float *spectrum = oto_calloc((size_t)n + 2, sizeof *spectrum);
    oto_status status = OTO_OK;

    *out = NULL;
    if (!f || !in || !spectrum) {
        status = oto_fail_memory(err, "FFT plan");
        goto exit;
    }
    f->base = (struct oto_fft){.n = n, .name = "FFTW", .forward = forward, .destroy = destroy};
    /*
     * ESTIMATE, because MEASURE picks its algorithm by the clock and so gives other last bits from
     * run to run. The arrays stand for the later ones: the plan may rely on their alignment, which
     * oto_calloc gives to all.
     */
    pthread_mutex_lock(&planner);
    f->plan = fftwf_plan_dft_r2c_1d(n, in, (fftwf_complex *)(void *)spectrum, FFTW_ESTIMATE);
    pthread_mutex_unlock(&planner);
    if (!f->plan) {
        status = oto_fail_memory(err, "FFTW plan");
        goto exit;
    }
    *out = &f->base;
    f = NULL;
exit:
    oto_free(spectrum);
    oto_free(in);
    oto_free(f);
    return status;
}
