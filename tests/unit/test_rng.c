/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/rng.h"

/* Known answers of the Random123 library (kat_vectors, philox4x32 with 10 rounds). */
static void known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed, stream, counter;
        uint32_t expected[4];
    } vectors[] = {
        {0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {0x299f31d0a4093822,
         0x0370734413198a2e,
         0x85a308d3243f6a88,
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint32_t out[4];
        oto_rng_block(vectors[i].seed, vectors[i].stream, vectors[i].counter, out);
        assert_memory_equal(out, vectors[i].expected, sizeof out);
    }
    assert_true(oto_rng_u64(0, 0, 0) == 0xe169c58d6627e8d5);
}

static void uniform_is_uniform(void **state)
{
    (void)state;
    const int n = 200000;
    double sum = 0.0, squares = 0.0;
    int bins[16] = {0};
    for (int i = 0; i < n; i++) {
        double u = oto_rng_uniform(7, 3, (uint64_t)i);
        assert_true(u >= 0.0 && u < 1.0);
        sum += u;
        squares += u * u;
        bins[(int)(u * 16.0)]++;
    }
    /* Five standard deviations of mean and second moment. */
    assert_true(fabs(sum / n - 0.5) < 5.0 * sqrt(1.0 / 12.0 / n));
    assert_true(fabs(squares / n - 1.0 / 3.0) < 5.0 * sqrt(4.0 / 45.0 / n));
    double chi2 = 0.0;
    for (int i = 0; i < 16; i++) {
        double d = bins[i] - n / 16.0;
        chi2 += d * d / (n / 16.0);
    }
    assert_true(chi2 < 44.3); /* 15 degrees of freedom, p = 1e-4 */
}

static void normal_is_normal(void **state)
{
    (void)state;
    const int n = 200000;
    double m1 = 0.0, m2 = 0.0, m3 = 0.0, m4 = 0.0;
    for (int i = 0; i < n; i++) {
        double z = oto_rng_normal(11, 5, (uint64_t)i);
        assert_true(isfinite(z));
        m1 += z;
        m2 += z * z;
        m3 += z * z * z;
        m4 += z * z * z * z;
    }
    assert_true(fabs(m1 / n) < 5.0 * sqrt(1.0 / n));
    assert_true(fabs(m2 / n - 1.0) < 5.0 * sqrt(2.0 / n));
    assert_true(fabs(m3 / n) < 5.0 * sqrt(15.0 / n));
    assert_true(fabs(m4 / n - 3.0) < 5.0 * sqrt(96.0 / n));
}

static void below_stays_below(void **state)
{
    (void)state;
    int counts[6] = {0};
    const int n = 60000;
    for (int i = 0; i < n; i++) {
        uint64_t v = oto_rng_below(1, 2, (uint64_t)i, 6);
        assert_true(v < 6);
        counts[v]++;
        assert_int_equal(oto_rng_below(1, 2, (uint64_t)i, 1), 0);
    }
    for (int k = 0; k < 6; k++) {
        assert_true(abs(counts[k] - n / 6) < 5 * 92); /* five standard deviations of n/6 */
    }
    /* The product is the exact high half: with n = 2^32 it is the upper word itself. */
    assert_true(oto_rng_below(9, 8, 7, (uint64_t)1 << 32) == oto_rng_u64(9, 8, 7) >> 32);
    assert_true(oto_rng_below(9, 8, 7, (uint64_t)1 << 63) == oto_rng_u64(9, 8, 7) >> 1);
    /* u * (2^64 - 1) = u * 2^64 - u, so the high half is u - 1 for u > 0. */
    assert_true(oto_rng_below(9, 8, 7, UINT64_MAX) == oto_rng_u64(9, 8, 7) - 1);
}

static void shuffle_is_a_permutation_and_fair(void **state)
{
    (void)state;
    size_t order[100];
    int seen[100] = {0}, moved = 0;
    for (size_t i = 0; i < 100; i++) {
        order[i] = i;
    }
    oto_rng_shuffle(3, 4, order, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_true(order[i] < 100);
        assert_int_equal(seen[order[i]]++, 0);
        moved += order[i] != i;
    }
    assert_true(moved > 80);
    int counts[6] = {0};
    for (uint64_t seed = 0; seed < 6000; seed++) { /* all six orders of three, equally often */
        size_t three[3] = {0, 1, 2};
        oto_rng_shuffle(seed, 0, three, 3);
        counts[three[0] * 2 + (three[1] > three[2])]++;
    }
    for (int k = 0; k < 6; k++) {
        assert_true(abs(counts[k] - 1000) < 150);
    }
    oto_rng_shuffle(3, 4, order, 0);
    oto_rng_shuffle(3, 4, order, 1);
}

static void streams_differ(void **state)
{
    (void)state;
    assert_true(oto_rng_u64(1, 0, 0) != oto_rng_u64(2, 0, 0));
    assert_true(oto_rng_u64(1, 0, 0) != oto_rng_u64(1, 1, 0));
    assert_true(oto_rng_u64(1, 0, 0) != oto_rng_u64(1, 0, 1));
    assert_true(oto_rng_stream("dropout") != oto_rng_stream("dropouT"));
    assert_true(oto_rng_stream("a") == oto_rng_stream("a"));
    assert_true(oto_rng_stream("") == 0x2d06800538d394c2); /* XXH3-64 of nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(uniform_is_uniform),
        cmocka_unit_test(normal_is_normal),
        cmocka_unit_test(below_stays_below),
        cmocka_unit_test(shuffle_is_a_permutation_and_fair),
        cmocka_unit_test(streams_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
