/* SPDX-License-Identifier: BSD-2-Clause */
#include "features/frontend_options.h"

#include <string.h>

#include "features/cmvn.h"

static const char *const feature_names[] = {"mfcc", "fbank", NULL};
static const char *const window_names[] = {"povey",    "hamming",     "hanning",
                                           "blackman", "rectangular", NULL};
static const char *const cmvn_names[] = {"none", "utterance", "global", "sliding", NULL};

#define FIELD(f) .offset = offsetof(struct oto_frontend_options, f)

/* clang-format off */
const struct oto_option oto_frontend_option_table[] = {
    {.name = "feature", .type = OTO_OPTION_CHOICE, FIELD(kind), .default_text = "mfcc", .choices = feature_names,
     .help = "Cepstra or the logarithms of the mel filter bank."},
    {.name = "sample-rate", .type = OTO_OPTION_INT, FIELD(rate_hz), .default_text = "16000", .min = 1000, .max = 384000,
     .argument = "HZ", .help = "Rate of the samples that the features are made of."},
    {.name = "frame-length", .type = OTO_OPTION_REAL, FIELD(frame_length_ms), .default_text = "25", .min = 1, .max = 1000,
     .argument = "MS", .help = "Length of an analysis window in milliseconds."},
    {.name = "frame-shift", .type = OTO_OPTION_REAL, FIELD(frame_shift_ms), .default_text = "10", .min = 0.1, .max = 1000,
     .argument = "MS", .help = "Distance of neighbouring windows in milliseconds."},
    {.name = "dither", .type = OTO_OPTION_REAL, FIELD(dither), .default_text = "0", .min = 0, .max = 32768,
     .argument = "STD", .help = "Standard deviation of white noise added to the samples, in steps of 16-bit audio; 0 is off."},
    {.name = "dither-seed", .type = OTO_OPTION_U64, FIELD(dither_seed), .default_text = "0",
     .argument = "N", .help = "Seed of that noise; the same seed gives the same features."},
    {.name = "preemphasis", .type = OTO_OPTION_REAL, FIELD(preemphasis), .default_text = "0.97", .min = 0, .max = 1,
     .argument = "P", .help = "Coefficient of the pre-emphasis x[i] - P x[i-1]; 0 is off."},
    {.name = "remove-dc", .type = OTO_OPTION_BOOL, FIELD(remove_dc), .default_text = "true",
     .help = "Subtract the mean of each window."},
    {.name = "window", .type = OTO_OPTION_CHOICE, FIELD(window), .default_text = "povey", .choices = window_names,
     .help = "Shape of the analysis window."},
    {.name = "blackman-coeff", .type = OTO_OPTION_REAL, FIELD(blackman_coeff), .default_text = "0.42", .min = 0, .max = 1,
     .argument = "C", .help = "Constant term of the Blackman window."},
    {.name = "snip-edges", .type = OTO_OPTION_BOOL, FIELD(snip_edges), .default_text = "true",
     .help = "Only windows that lie wholly inside the audio; else one window per shift, with the audio mirrored at its ends."},
    {.name = "mels", .type = OTO_OPTION_INT, FIELD(n_mels), .default_text = "40", .min = 3, .max = 512,
     .argument = "N", .help = "Number of mel filters."},
    {.name = "ceps", .type = OTO_OPTION_INT, FIELD(n_ceps), .default_text = "40", .min = 1, .max = 512,
     .argument = "N", .help = "Number of cepstra, C0 included; at most the number of mel filters."},
    {.name = "low-hz", .type = OTO_OPTION_REAL, FIELD(low_hz), .default_text = "20", .min = 0, .max = 192000,
     .argument = "HZ", .help = "Lower edge of the lowest mel filter."},
    {.name = "high-hz", .type = OTO_OPTION_REAL, FIELD(high_hz), .default_text = "0", .min = -192000, .max = 192000,
     .argument = "HZ", .help = "Upper edge of the highest mel filter; 0 or below counts from half the sample rate."},
    {.name = "lifter", .type = OTO_OPTION_REAL, FIELD(lifter), .default_text = "22", .min = 0, .max = 1000,
     .argument = "Q", .help = "Period of the cepstral lifter; 0 is off."},
    {.name = "use-energy", .type = OTO_OPTION_BOOL, FIELD(use_energy), .default_text = "false",
     .help = "Log energy in place of C0; for fbank, before the first filter."},
    {.name = "raw-energy", .type = OTO_OPTION_BOOL, FIELD(raw_energy), .default_text = "true",
     .help = "Take that energy before pre-emphasis and window."},
    {.name = "energy-floor", .type = OTO_OPTION_REAL, FIELD(energy_floor), .default_text = "0", .min = 0, .max = 1e30,
     .argument = "E", .help = "Least energy that the log energy is taken of."},
    {.name = "use-power", .type = OTO_OPTION_BOOL, FIELD(use_power), .default_text = "true",
     .help = "Filter the power spectrum; else the magnitude."},
    {.name = "cmvn", .type = OTO_OPTION_CHOICE, FIELD(cmvn), .default_text = "utterance", .choices = cmvn_names,
     .help = "Where mean and variance for normalisation come from."},
    {.name = "cmvn-variance", .type = OTO_OPTION_BOOL, FIELD(cmvn_variance), .default_text = "true",
     .help = "Normalise the variance too."},
    {.name = "cmvn-window", .type = OTO_OPTION_INT, FIELD(cmvn_window), .default_text = "600", .min = 1, .max = OTO_CMVN_ENDLESS,
     .argument = "FRAMES", .help = "Length of the window of sliding normalisation."},
    {.name = "delta-order", .type = OTO_OPTION_INT, FIELD(delta_order), .default_text = "0", .min = 0, .max = 2,
     .argument = "N", .help = "Time derivatives appended to each vector."},
    {.name = "delta-window", .type = OTO_OPTION_INT, FIELD(delta_window), .default_text = "2", .min = 1, .max = 50,
     .argument = "FRAMES", .help = "Frames to each side that a derivative is taken over."},
    {.name = "stack", .type = OTO_OPTION_INT, FIELD(stack), .default_text = "3", .min = 1, .max = 64,
     .argument = "N", .help = "Neighbouring frames joined into one vector."},
    {.name = "stride", .type = OTO_OPTION_INT, FIELD(stride), .default_text = "3", .min = 1, .max = 64,
     .argument = "N", .help = "Frames from one such vector to the next."},
    /* last, as models/bundle_json.c leaves it out where it is 0 */
    {.name = "cmvn-margin", .type = OTO_OPTION_REAL, FIELD(cmvn_margin_ms), .default_text = "0", .min = 0, .max = 10000,
     .argument = "MS", .help = "Take mean and variance of an utterance from frames at most so far from loud ones, so that pauses around speech do not "
                               "move them; 0 takes all frames."},
};
/* clang-format on */
const size_t oto_frontend_n_options =
    sizeof oto_frontend_option_table / sizeof oto_frontend_option_table[0];

/* One value against its row of the table. The struct may have been filled by hand or from a file.
 */
static oto_status check_range(const struct oto_option *row, const void *options, oto_error *err)
{
    const void *field = (const char *)options + row->offset;
    double real = 0.0;
    int value = 0, n_choices = 0;

    switch (row->type) {
    case OTO_OPTION_REAL:
        memcpy(&real, field, sizeof real);
        if (!(real >= row->min && real <= row->max))
            return oto_fail(err, OTO_ERR_CONFIG, "%s is %g: expected %g to %g", row->name, real,
                            row->min, row->max);
        break;
    case OTO_OPTION_INT:
        memcpy(&value, field, sizeof value);
        if (value < row->min || value > row->max)
            return oto_fail(err, OTO_ERR_CONFIG, "%s is %d: expected %.0f to %.0f", row->name,
                            value, row->min, row->max);
        break;
    case OTO_OPTION_CHOICE:
        memcpy(&value, field, sizeof value);
        while (row->choices[n_choices])
            n_choices++;
        if (value < 0 || value >= n_choices)
            return oto_fail(err, OTO_ERR_CONFIG, "%s is number %d of its choices: expected 0 to %d",
                            row->name, value, n_choices - 1);
        break;
    case OTO_OPTION_BOOL:
    case OTO_OPTION_U64:
    case OTO_OPTION_TEXT:
        break; /* every value is good */
    }
    return OTO_OK;
}

oto_status oto_frontend_options_check(const struct oto_frontend_options *o, oto_error *err)
{
    const double nyquist = o->rate_hz / 2.0;

    for (size_t i = 0; i < oto_frontend_n_options; i++) {
        oto_status status = check_range(&oto_frontend_option_table[i], o, err);
        if (status)
            return status;
    }
    if (o->cmvn_margin_ms > 0 && (o->cmvn == OTO_CMVN_GLOBAL || o->cmvn == OTO_CMVN_SLIDING))
        return oto_fail(err, OTO_ERR_CONFIG,
                        "cmvn-margin is %g ms: it goes with cmvn=utterance, found cmvn=%s",
                        o->cmvn_margin_ms, cmvn_names[o->cmvn]);
    if (oto_frontend_window_samples(o) < 2)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "frame-length of %g ms at %d Hz is %d samples: expected at least 2",
                        o->frame_length_ms, o->rate_hz, oto_frontend_window_samples(o));
    if (oto_frontend_shift_samples(o) < 1)
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "frame-shift of %g ms at %d Hz is less than one sample: expected at least %g ms",
            o->frame_shift_ms, o->rate_hz, 1000.0 / o->rate_hz);
    if (o->kind == OTO_FEATURE_MFCC && o->n_ceps > o->n_mels)
        return oto_fail(err, OTO_ERR_CONFIG, "ceps is %d: expected at most mels, %d", o->n_ceps,
                        o->n_mels);
    if (!(o->low_hz < oto_frontend_high_hz(o) && oto_frontend_high_hz(o) <= nyquist))
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "low-hz %g and high-hz %g: expected low < high <= %g (half the sample-rate)%s",
            o->low_hz, oto_frontend_high_hz(o), nyquist,
            o->high_hz <= 0.0 ? "; high-hz was counted from there" : "");
    return OTO_OK;
}

const struct oto_option *oto_frontend_next_difference(const struct oto_frontend_options *a,
                                                      const struct oto_frontend_options *b,
                                                      size_t *at)
{
    while (*at < oto_frontend_n_options) {
        const struct oto_option *option = &oto_frontend_option_table[(*at)++];
        if (!oto_options_equal(option, a, b))
            return option;
    }
    return NULL;
}

int oto_frontend_window_samples(const struct oto_frontend_options *o)
{
    return (int)(o->rate_hz * 0.001 * o->frame_length_ms);
}

int oto_frontend_shift_samples(const struct oto_frontend_options *o)
{
    return (int)(o->rate_hz * 0.001 * o->frame_shift_ms);
}

int oto_frontend_fft_size(const struct oto_frontend_options *o)
{
    int n = 4;

    while (n < oto_frontend_window_samples(o))
        n *= 2;
    return n;
}

double oto_frontend_high_hz(const struct oto_frontend_options *o)
{
    return o->high_hz > 0.0 ? o->high_hz : o->rate_hz / 2.0 + o->high_hz;
}
