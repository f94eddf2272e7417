/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/mem.h"

static const unsigned char sample[] = {
    0x01, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0xF0, 0xDE, 0xBC,
    0x9A, 0x78, 0x56, 0x34, 0x12, 0x00, 0x00, 0xC0, 0x3F, /* 1.5f */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0xC0,       /* -2.5 */
    'o',  't',  'o'};

static void numbers_are_little_endian(void **state)
{
    (void)state;
    struct oto_writer w = {0};
    oto_write_u8(&w, 1);
    oto_write_u16(&w, 0x1234);
    oto_write_u32(&w, 0x12345678);
    oto_write_u64(&w, 0x123456789ABCDEF0);
    oto_write_f32(&w, 1.5f);
    oto_write_f64(&w, -2.5);
    oto_write_bytes(&w, "oto", 3);
    assert_false(w.failed);
    assert_int_equal(w.size, sizeof sample);
    assert_memory_equal(w.data, sample, sizeof sample);

    struct oto_reader r;
    oto_reader_init(&r, w.data, w.size);
    assert_int_equal(oto_read_u8(&r), 1);
    assert_int_equal(oto_read_u16(&r), 0x1234);
    assert_int_equal(oto_read_u32(&r), 0x12345678);
    assert_true(oto_read_u64(&r) == 0x123456789ABCDEF0);
    assert_true(oto_read_f32(&r) == 1.5f);
    assert_true(oto_read_f64(&r) == -2.5);
    assert_memory_equal(oto_read_bytes(&r, 3), "oto", 3);
    assert_false(r.failed);
    assert_non_null(oto_read_bytes(&r, 0));
    oto_writer_clear(&w);
    assert_null(w.data);
}

/* Every length of the same data: reads up to it succeed, the first beyond it fails and all later
 * ones give zero. */
static void reading_stops_at_the_end(void **state)
{
    (void)state;
    for (size_t size = 0; size < sizeof sample; size++) {
        unsigned char *exact = malloc(size + 1); /* AddressSanitizer watches the end */
        assert_non_null(exact);
        memcpy(exact, sample, size);
        struct oto_reader r;
        oto_reader_init(&r, exact, size);
        oto_read_u8(&r);
        assert_int_equal(r.failed, size < 1);
        oto_read_u16(&r);
        assert_int_equal(r.failed, size < 3);
        oto_read_u32(&r);
        assert_int_equal(r.failed, size < 7);
        oto_read_u64(&r);
        assert_int_equal(r.failed, size < 15);
        oto_read_f32(&r);
        assert_int_equal(r.failed, size < 19);
        oto_read_f64(&r);
        assert_int_equal(r.failed, size < 27);
        assert_null(oto_read_bytes(&r, 3));
        assert_true(r.failed);
        assert_int_equal(oto_read_u8(&r), 0);
        assert_true(oto_read_f64(&r) == 0.0);
        free(exact);
    }
    struct oto_reader r;
    oto_reader_init(&r, sample, sizeof sample);
    oto_read_u8(&r);
    assert_null(oto_read_bytes(&r, SIZE_MAX)); /* would wrap around if added to the offset */
    assert_true(r.failed);
}

static void writing_aligns_and_grows(void **state)
{
    (void)state;
    struct oto_writer w = {0};
    oto_write_align(&w, 64);
    assert_int_equal(w.size, 0);
    for (int i = 0; i < 1000; i++) {
        oto_write_u8(&w, 0xFF);
        oto_write_align(&w, 64);
        assert_int_equal(w.size, 64 * (i + 1));
    }
    for (size_t i = 0; i < w.size; i++) {
        assert_int_equal(w.data[i], i % 64 == 0 ? 0xFF : 0);
    }
    oto_write_bytes(&w, NULL, 0);
    assert_int_equal(w.size, 64000);
    oto_writer_clear(&w);
}

static void writing_remembers_lack_of_memory(void **state)
{
    (void)state;
    struct oto_writer w = {0};
    oto_mem_fail_nth(1);
    oto_write_u32(&w, 1);
    assert_true(w.failed);
    oto_write_u32(&w, 2); /* memory is back, the gap is not */
    assert_true(w.failed);
    assert_int_equal(w.size, 0);
    oto_writer_clear(&w);
    oto_write_u32(&w, 3);
    assert_false(w.failed);
    oto_write_bytes(&w, "x", SIZE_MAX - 2);
    assert_true(w.failed);
    assert_int_equal(w.size, 4);
    oto_writer_clear(&w);
    oto_mem_fail_nth(0);
}

static void the_checksum_is_xxh3(void **state)
{
    (void)state;
    assert_true(oto_checksum("", 0) == 0x2d06800538d394c2);
    assert_true(oto_checksum("otolith", 7) != oto_checksum("otolitH", 7));
}

/* The value of a half by its definition, in double. */
static double half_value(unsigned h)
{
    int exponent = (int)(h >> 10 & 31);
    double mantissa = h & 1023;
    double v = exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024.0 + mantissa, exponent - 25);
    return h & 0x8000 ? -v : v;
}

static void every_half_goes_round(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        float f = oto_half_to_float((uint16_t)h);
        if ((h & 0x7C00) == 0x7C00) {
            assert_int_equal(isnan(f) != 0, (h & 1023) != 0);
            assert_int_equal(isinf(f) != 0, (h & 1023) == 0);
        } else {
            assert_true((double)f == half_value(h));
        }
        assert_int_equal(signbit(f) != 0, (h & 0x8000) != 0);
        assert_int_equal(oto_float_to_half(f), h);
    }
}

/* The bulk reader gives the bits of the single conversion, reads no byte too many, and zeros with
 * failure when there are too few. */
static void halves_are_read_in_bulk(void **state)
{
    (void)state;
    unsigned char *data = malloc(2 * 65536);
    float *out = malloc(65536 * sizeof *out);
    assert_non_null(data);
    assert_non_null(out);
    for (unsigned h = 0; h < 65536; h++) {
        data[2 * h] = (unsigned char)(h & 255);
        data[2 * h + 1] = (unsigned char)(h >> 8);
    }
    struct oto_reader r;
    oto_reader_init(&r, data, 2 * 65536);
    oto_read_halves(&r, out, 3);
    oto_read_halves(&r, out + 3, 65533);
    assert_false(r.failed);
    for (unsigned h = 0; h < 65536; h++) {
        float f = oto_half_to_float((uint16_t)h);
        assert_memory_equal(&f, out + h, sizeof f);
    }
    oto_read_halves(&r, out + 1, 0);
    assert_false(r.failed);
    oto_reader_init(&r, data + 2, 5);
    oto_read_halves(&r, out + 1, 3);
    assert_true(r.failed);
    assert_true(out[1] == 0 && out[2] == 0 && out[3] == 0);
    free(out);
    free(data);
}

/* Around every boundary between neighbouring halves: below goes down, above goes up, the tie goes
 * to even. */
static void rounding_is_to_nearest_even(void **state)
{
    (void)state;
    for (unsigned h = 0; h < 0x7BFF; h++) {
        float middle = (float)((half_value(h) + half_value(h + 1)) / 2.0); /* exact in a float */
        unsigned even = h % 2 == 0 ? h : h + 1;
        assert_int_equal(oto_float_to_half(middle), even);
        assert_int_equal(oto_float_to_half(nextafterf(middle, 0.0f)), h);
        assert_int_equal(oto_float_to_half(nextafterf(middle, 1e9f)), h + 1);
        assert_int_equal(oto_float_to_half(-middle), even | 0x8000);
    }
    assert_int_equal(oto_float_to_half(65519.996f), 0x7BFF);
    assert_int_equal(oto_float_to_half(65520.0f), 0x7C00);
    assert_int_equal(oto_float_to_half(1e30f), 0x7C00);
    assert_int_equal(oto_float_to_half(-1e30f), 0xFC00);
    assert_int_equal(oto_float_to_half(1e-30f), 0);
    assert_int_equal(oto_float_to_half(-1e-45f), 0x8000);
    uint32_t bits = 0x7F800001; /* a NaN whose payload does not reach the half must stay a NaN */
    float nan_low;
    memcpy(&nan_low, &bits, sizeof nan_low);
    assert_int_equal(oto_float_to_half(nan_low) & 0x7C00, 0x7C00);
    assert_int_not_equal(oto_float_to_half(nan_low) & 0x3FF, 0);
}

static void files_are_mapped(void **state)
{
    (void)state;
    char folder[64], path[96], fifo[96];
    oto_error err = {0};
    struct oto_map map;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/data", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);

    assert_int_equal(oto_map_open(&map, path, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, path);
    unit_write_file(path, sample, sizeof sample);
    assert_int_equal(oto_map_open(&map, path, &err), OTO_OK);
    assert_int_equal(map.size, sizeof sample);
    assert_memory_equal(map.data, sample, sizeof sample);
    oto_map_close(&map);
    assert_null(map.data);
    oto_map_close(&map); /* closing twice is harmless */

    unit_write_file(path, "", 0);
    assert_int_equal(oto_map_open(&map, path, &err), OTO_OK);
    assert_int_equal(map.size, 0);
    assert_non_null(map.data);
    oto_map_close(&map);

    assert_int_equal(oto_map_open(&map, folder, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "folder");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(oto_map_open(&map, fifo, &err), OTO_ERR_FORMAT); /* and does not hang */
    assert_contains(err.message, "special file");
    assert_int_equal(oto_map_open(&map, "/dev/null", &err), OTO_ERR_FORMAT);
    unit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(reading_stops_at_the_end),
        cmocka_unit_test(writing_aligns_and_grows),
        cmocka_unit_test(writing_remembers_lack_of_memory),
        cmocka_unit_test(the_checksum_is_xxh3),
        cmocka_unit_test(every_half_goes_round),
        cmocka_unit_test(halves_are_read_in_bulk),
        cmocka_unit_test(rounding_is_to_nearest_even),
        cmocka_unit_test(files_are_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
