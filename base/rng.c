/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"

#define TWO_PI 6.283185307179586476925286766559

/* Constants and round function as in the paper, section 4.1; known answers in
 * tests/unit/test_rng.c. */
void oto_rng_block(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4])
{
    uint32_t x0 = (uint32_t)counter, x1 = (uint32_t)(counter >> 32);
    uint32_t x2 = (uint32_t)stream, x3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * x0;
        uint64_t p1 = (uint64_t)0xCD9E8D57u * x2;
        x0 = (uint32_t)(p1 >> 32) ^ x1 ^ k0;
        x1 = (uint32_t)p1;
        x2 = (uint32_t)(p0 >> 32) ^ x3 ^ k1;
        x3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = x0;
    out[1] = x1;
    out[2] = x2;
    out[3] = x3;
}

static uint64_t join(uint32_t low, uint32_t high)
{
    return (uint64_t)high << 32 | low;
}

static double unit_interval(uint64_t bits)
{
    return (double)(bits >> 11) * 0x1p-53;
}

uint64_t oto_rng_u64(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint32_t block[4];
    oto_rng_block(seed, stream, counter, block);
    return join(block[0], block[1]);
}

double oto_rng_uniform(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return unit_interval(oto_rng_u64(seed, stream, counter));
}

/* High half of the 128-bit product, in C11 without extensions. */
static uint64_t multiply_high(uint64_t a, uint64_t b)
{
    uint64_t a_low = (uint32_t)a, a_high = a >> 32;
    uint64_t b_low = (uint32_t)b, b_high = b >> 32;
    uint64_t middle = a_high * b_low + (a_low * b_low >> 32);
    uint64_t carry = a_low * b_high + (uint32_t)middle;
    return a_high * b_high + (middle >> 32) + (carry >> 32);
}

uint64_t oto_rng_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t n)
{
    return multiply_high(oto_rng_u64(seed, stream, counter), n);
}

double oto_rng_normal(uint64_t seed, uint64_t stream, uint64_t counter)
{
    uint32_t block[4];
    oto_rng_block(seed, stream, counter, block);
    double radius_from =
        1.0 - unit_interval(join(block[0], block[1])); /* in (0, 1]: log is finite */
    double angle_from = unit_interval(join(block[2], block[3]));
    return sqrt(-2.0 * log(radius_from)) * cos(TWO_PI * angle_from);
}

void oto_rng_shuffle(uint64_t seed, uint64_t stream, size_t *order, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)oto_rng_below(seed, stream, i, i);
        size_t kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

uint64_t oto_rng_stream(const char *name)
{
    return oto_checksum(name, strlen(name));
}
