/* SPDX-License-Identifier: BSD-2-Clause */
#include "audio/resample.h"

#include <math.h>
#include <soxr.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct oto_resampler {
    soxr_t soxr;        /* NULL when the rates are equal: samples are copied */
    double ratio;       /* input rate over output rate */
    bool flushing;      /* input has ended */
    const char *broken; /* soxr's word for a failed reset, reported by the next push */
};

oto_status oto_resampler_create(struct oto_resampler **out, double in_rate_hz, double out_rate_hz,
                                oto_error *err)
{
    *out = NULL;
    if (!(in_rate_hz > 0.0 && isfinite(in_rate_hz)) ||
        !(out_rate_hz > 0.0 && isfinite(out_rate_hz))) {
        return oto_fail(err, OTO_ERR_ARGUMENT, "resampling from %g to %g Hz: both must be positive",
                        in_rate_hz, out_rate_hz);
    }
    struct oto_resampler *r = oto_calloc(1, sizeof *r);
    if (r == NULL) {
        return oto_fail_memory(err, "resampler");
    }
    r->ratio = in_rate_hz / out_rate_hz;
    if (in_rate_hz != out_rate_hz) {
        soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
        soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
        soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
        soxr_error_t why = NULL;
        r->soxr = soxr_create(in_rate_hz, out_rate_hz, 1, &why, &io, &quality, &runtime);
        if (why != NULL || r->soxr == NULL) {
            oto_resampler_destroy(r);
            return oto_fail(err, OTO_ERR_UNSUPPORTED, "resampling from %g to %g Hz: %s", in_rate_hz,
                            out_rate_hz, why != NULL ? why : "soxr gave no resampler");
        }
    }
    *out = r;
    return OTO_OK;
}

void oto_resampler_destroy(struct oto_resampler *r)
{
    if (r == NULL) {
        return;
    }
    soxr_delete(r->soxr);
    oto_free(r);
}

void oto_resampler_reset(struct oto_resampler *r)
{
    r->flushing = false;
    r->broken = NULL;
    if (r->soxr != NULL) {
        /* soxr_clear() forgets the ratio along with the samples, so it is set again. */
        soxr_error_t why = soxr_clear(r->soxr);
        if (why == NULL) {
            why = soxr_set_io_ratio(r->soxr, r->ratio, 0);
        }
        r->broken = why;
    }
}

oto_status oto_resampler_push(struct oto_resampler *r, const float *in, size_t n_in, size_t *n_used,
                              float *out, size_t capacity, size_t *n_out, oto_error *err)
{
    *n_used = 0;
    *n_out = 0;
    if (r->broken != NULL) {
        return oto_fail(err, OTO_ERR_MEMORY, "resampler could not be reset: %s", r->broken);
    }
    if (n_in == 0 && in == NULL) {
        r->flushing = true;
    } else if (r->flushing) {
        return oto_fail(err, OTO_ERR_ARGUMENT,
                        "samples were pushed into a resampler after its end; reset it first");
    }
    if (capacity == 0 || (n_in == 0 && !r->flushing)) {
        return OTO_OK;
    }
    if (r->soxr == NULL) {
        size_t n = n_in < capacity ? n_in : capacity;
        if (n > 0) {
            memcpy(out, in, n * sizeof *out);
        }
        *n_used = *n_out = n;
        return OTO_OK;
    }
    soxr_error_t why =
        soxr_process(r->soxr, r->flushing ? NULL : in, n_in, n_used, out, capacity, n_out);
    if (why != NULL) {
        return oto_fail(err, OTO_ERR_MEMORY, "resampler: %s", why);
    }
    return OTO_OK;
}

/* Room for all of the output: exact length plus what rounding may add. False when it does not fit a
 * size_t. */
static bool output_bound(size_t n_in, double ratio, size_t *bound)
{
    double n = ceil((double)n_in / ratio) + 64.0;
    if (!(n < (double)(SIZE_MAX / (4 * sizeof(float))))) {
        return false;
    }
    *bound = (size_t)n;
    return true;
}

oto_status oto_resample(float **out, size_t *n_out, const float *in, size_t n_in, double in_rate_hz,
                        double out_rate_hz, oto_error *err)
{
    *out = NULL;
    *n_out = 0;
    struct oto_resampler *r = NULL;
    float *samples = NULL;
    size_t capacity = 0, used = 0, made = 0;
    oto_status status = oto_resampler_create(&r, in_rate_hz, out_rate_hz, err);
    if (status != OTO_OK) {
        return status;
    }
    if (!output_bound(n_in, r->ratio, &capacity) ||
        (samples = oto_calloc(capacity, sizeof *samples)) == NULL) {
        status = oto_fail_memory(err, "resampled signal");
        goto done;
    }
    while (true) {
        size_t taken, given;
        bool flush = used == n_in;
        status = oto_resampler_push(r, flush ? NULL : in + used, n_in - used, &taken,
                                    samples + made, capacity - made, &given, err);
        if (status != OTO_OK) {
            goto done;
        }
        used += taken;
        made += given;
        if (flush && given == 0) {
            break;
        }
    }
    *out = samples;
    *n_out = made;
    samples = NULL;
done:
    oto_free(samples);
    oto_resampler_destroy(r);
    return status;
}
