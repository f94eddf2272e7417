/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * The whole front end: samples to the vectors that the network reads.
 *
 *     samples -> MFCC or log-mel -> CMVN -> deltas -> stacking
 *
 * The options travel in the model file, so the same file gives the same features everywhere.
 */
#ifndef OTO_FEATURES_FRONTEND_H
#define OTO_FEATURES_FRONTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/options.h"
#include "base/status.h"

enum oto_feature_kind { OTO_FEATURE_MFCC, OTO_FEATURE_FBANK };
enum oto_window_kind {
    OTO_WINDOW_POVEY,
    OTO_WINDOW_HAMMING,
    OTO_WINDOW_HANNING,
    OTO_WINDOW_BLACKMAN,
    OTO_WINDOW_RECTANGULAR
};
enum oto_cmvn_kind { OTO_CMVN_NONE, OTO_CMVN_UTTERANCE, OTO_CMVN_GLOBAL, OTO_CMVN_SLIDING };

/** Kaldi's names and meanings. Samples are scaled to the 16-bit range before anything else, as
 * Kaldi reads them. */
struct oto_frontend_options {
    int kind; /* enum oto_feature_kind */
    int rate_hz;
    double frame_length_ms, frame_shift_ms;
    double dither; /* standard deviation in 16-bit units, 0 = off */
    uint64_t dither_seed;
    double preemphasis;
    bool remove_dc;
    int window; /* enum oto_window_kind */
    double blackman_coeff;
    bool snip_edges;
    int n_mels;
    int n_ceps;             /* MFCC only */
    double low_hz, high_hz; /* high <= 0: offset from Nyquist */
    double lifter;          /* cepstral_lifter, 0 = off */
    bool use_energy;        /* MFCC: C0 becomes log energy; FBANK: log energy is prepended */
    bool raw_energy;
    double energy_floor;
    bool use_power; /* else magnitude */
    int cmvn;       /* enum oto_cmvn_kind */
    bool cmvn_variance;
    int cmvn_window;       /* sliding: frames */
    double cmvn_margin_ms; /* utterance: only frames so near to loud ones count; 0 = all */
    int delta_order;       /* 0, 1, 2 */
    int delta_window;      /* Kaldi's 2 */
    int stack;             /* neighbouring frames joined into one vector */
    int stride;            /* frames between vectors */
};
extern const struct oto_option oto_frontend_option_table[];
extern const size_t oto_frontend_n_options;

/** First and second moments for global CMVN and as the prior of sliding CMVN. */
struct oto_cmvn_stats {
    double count; /* frames; 0 = empty */
    int dim;
    double *sum, *sum_squares; /* [dim] each, owned (oto_free) */
};

enum oto_fft_backend { OTO_FFT_AUTO, OTO_FFT_KISS, OTO_FFT_FFTW };

struct oto_frontend;

/** Checks every option. stats may be NULL unless cmvn is global; it is copied. AUTO is FFTW where
 * built, else KissFFT. */
oto_status oto_frontend_create(struct oto_frontend **out,
                               const struct oto_frontend_options *options,
                               const struct oto_cmvn_stats *stats, enum oto_fft_backend fft,
                               oto_error *err) OTO_WARN_UNUSED;
void oto_frontend_destroy(struct oto_frontend *fe);

/** Width of one static vector (n_ceps or n_mels, before deltas and stacking). */
int oto_frontend_static_dim(const struct oto_frontend *fe);
/** Width of one output vector. */
int oto_frontend_dim(const struct oto_frontend *fe);
/** Seconds between output vectors. */
double oto_frontend_shift_s(const struct oto_frontend *fe);
/** Static frames of n_samples (Kaldi's NumFrames for the chosen snip_edges). */
size_t oto_frontend_n_static(const struct oto_frontend *fe, size_t n_samples);
/** Output vectors made of n_static static frames: ceil(n_static / stride); the last is filled by
 * repeating its last frame. */
size_t oto_frontend_n_frames(const struct oto_frontend *fe, size_t n_static);

/**
 * Streaming, static part: pushes samples and collects static frames inside; any portions give
 * bit-identical frames. finish() completes the tail. Frames stay inside until oto_frontend_reset().
 * dither_stream makes the dither of this utterance a pure function of (seed, stream, sample).
 */
void oto_frontend_reset(struct oto_frontend *fe, uint64_t dither_stream);
oto_status oto_frontend_push(struct oto_frontend *fe, const float *samples, size_t n_samples,
                             oto_error *err) OTO_WARN_UNUSED;
oto_status oto_frontend_finish(struct oto_frontend *fe, oto_error *err) OTO_WARN_UNUSED;
/** Static frames so far: row-major [*n_static, static_dim], owned by fe until the next push or
 * reset. */
const float *oto_frontend_static(const struct oto_frontend *fe, size_t *n_static);
/** Static frames [n, static_dim] from log-mel energies [n, n_mels]; only without use_energy. Uses
 * the front end's scratch. */
void oto_frontend_of_log_mels(struct oto_frontend *fe, float *statics, const float *log_mels,
                              size_t n);
/** Forgets the first n static frames (a segment that was decoded), keeping the sample state. */
void oto_frontend_drop(struct oto_frontend *fe, size_t n_static);

/**
 * Static frames to output vectors: CMVN, deltas, stacking. Pure.
 * @param out      [oto_frontend_n_frames(n_static), dim]
 * @param statics  [n_static, static_dim]; not changed
 * @param masks    NULL, or SpecAugment applied after CMVN and deltas: called once with the
 * [n_static, width] block
 */
oto_status oto_frontend_apply(struct oto_frontend *fe, float *out, const float *statics,
                              size_t n_static,
                              void (*masks)(void *arg, float *block, size_t n_static, int width),
                              void *arg, oto_error *err) OTO_WARN_UNUSED;

oto_status oto_cmvn_stats_init(struct oto_cmvn_stats *stats, int dim,
                               oto_error *err) OTO_WARN_UNUSED;
void oto_cmvn_stats_add(struct oto_cmvn_stats *stats, const float *statics, size_t n_static);
void oto_cmvn_stats_clear(struct oto_cmvn_stats *stats);

#endif
