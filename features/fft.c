/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/fft.h"

#include <stddef.h>

oto_status oto_fft_create(struct oto_fft **out, int n, enum oto_fft_backend backend, oto_error *err)
{
    *out = NULL;
    if (n < 4 || n > 1 << 22 || n % 2 != 0)
        return oto_fail(err, OTO_ERR_ARGUMENT, "FFT size %d: expected an even number from 4 to %d",
                        n, 1 << 22);
    switch (backend) {
    case OTO_FFT_KISS:
        return oto_fft_kiss_create(out, n, err);
    case OTO_FFT_AUTO:
    case OTO_FFT_FFTW:
#ifdef OTO_HAVE_FFTW
        return oto_fft_fftw_create(out, n, err);
#else
        if (backend == OTO_FFT_AUTO)
            return oto_fft_kiss_create(out, n, err);
        return oto_fail(err, OTO_ERR_UNSUPPORTED,
                        "this build has no FFTW; use KissFFT or configure with -DOTOLITH_FFTW=ON");
#endif
    }
    return oto_fail(err, OTO_ERR_ARGUMENT, "unknown FFT back end %d", (int)backend);
}

void oto_fft_destroy(struct oto_fft *fft)
{
    if (fft)
        fft->destroy(fft);
}

void oto_fft_forward(struct oto_fft *fft, float *spectrum, float *samples)
{
    fft->forward(fft, spectrum, samples);
}
