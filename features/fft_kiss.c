/* SPDX-License-Identifier: BSD-2-Clause */
/* KissFFT behind the plan interface. The only file that sees it. */
#include <kiss_fftr.h>

#include "base/mem.h"
#include "features/fft.h"

struct fft_kiss {
    struct oto_fft base;
    kiss_fftr_cfg cfg; /* lies in memory of oto_calloc, not KissFFT's own */
};

_Static_assert(sizeof(kiss_fft_cpx) == 2 * sizeof(float),
               "KissFFT must be the single-precision one");

static void forward(struct oto_fft *fft, float *spectrum, float *samples)
{
    struct fft_kiss *k = (struct fft_kiss *)fft;
    kiss_fftr(k->cfg, samples, (kiss_fft_cpx *)(void *)spectrum);
}

static void destroy(struct oto_fft *fft)
{
    struct fft_kiss *k = (struct fft_kiss *)fft;
    oto_free(k->cfg);
    oto_free(k);
}

oto_status oto_fft_kiss_create(struct oto_fft **out, int n, oto_error *err)
{
    struct fft_kiss *k = oto_calloc(1, sizeof *k);
    size_t n_bytes = 0;

    *out = NULL;
    if (!k)
        return oto_fail_memory(err, "FFT plan");
    k->base = (struct oto_fft){.n = n, .name = "KissFFT", .forward = forward, .destroy = destroy};
    /* First call: how large is the plan? Second: build it in our memory, so that failures can be
     * injected. */
    kiss_fftr_alloc(n, 0, NULL, &n_bytes);
    k->cfg = oto_calloc(n_bytes, 1);
    if (!k->cfg || !kiss_fftr_alloc(n, 0, k->cfg, &n_bytes)) {
        destroy(&k->base);
        return oto_fail_memory(err, "FFT plan");
    }
    *out = &k->base;
    return OTO_OK;
}
