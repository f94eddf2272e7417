/* SPDX-License-Identifier: BSD-2-Clause */
/** How a simulated room answers to a sound: the image method for a rectangular room. */
#ifndef OTO_TRAINING_ROOM_H
#define OTO_TRAINING_ROOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct oto_room {
    double size_m[3], source_m[3], microphone_m[3];
    double reflection; /* share of the pressure that a wall gives back, 0 to 1 */
};

/**
 * A room of 3 to 10 by 3 to 8 by 2.3 to 4 m, a speaker and a microphone half a metre or more from
 * its walls and 0.3 m or more from each other, and walls that let sound fall by 60 dB in about
 * decay_s (the fall from -5 to -25 dB, three times over).
 */
void oto_room_draw(struct oto_room *room, double decay_s, uint64_t seed, uint64_t stream);

enum { OTO_ROOM_HIGHPASS_HZ = 80 };

/**
 * The room's answer to an impulse, from the moment at which the direct sound arrives, which has
 * height 1 before the high-pass:
 *
 *     h(t) = sum over images of reflection^(walls hit) * d0/d * sinc(rate (t - (d - d0)/c))
 *
 * d being the distance of an image, d0 that of the source; c = 343 m/s. The sinc lies under a Hann
 * window of 16 samples to each side, at 256 places between two samples. All images having the same
 * sign, the many late ones add up to a pressure that no room holds; as in the paper a high-pass
 * takes it away (Butterworth, second order, 80 Hz).
 *
 * @param n  samples wanted; images that come later are left out
 * Errors: OTO_ERR_MEMORY.   Cost: the number of images, 4/3 pi (c n / rate + d0)^3 / V.
 * Source: J. Allen, D. Berkley, "Image method for efficiently simulating small-room acoustics",
 * JASA 65 (1979); fractional delays as in P. Peterson, JASA 80 (1986).
 */
oto_status oto_room_response(float **out, const struct oto_room *room, size_t n, double rate_hz,
                             oto_error *err) OTO_WARN_UNUSED;

#endif
