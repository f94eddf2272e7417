/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "base/mem.h"
#include "models/safetensors.h"
#include "tests/support/unit.h"

/* A file of a header text and n bytes of data, all 0x3C: a fine number in every dtype. */
static oto_status parse(struct oto_safetensors *s, const char *header, size_t n_data,
                        oto_error *err)
{
    static unsigned char file[2048];
    size_t n = strlen(header);
    assert_true(8 + n + n_data <= sizeof file);
    memset(file, 0, 8);
    file[0] = (unsigned char)n;
    file[1] = (unsigned char)(n >> 8);
    memcpy(file + 8, header, n);
    memset(file + 8 + n, 0x3C, n_data);
    return oto_safetensors_parse(s, file, 8 + n + n_data, "w.st", err);
}

static void reads_what_is_there(void **state)
{
    (void)state;
    struct oto_safetensors s;
    oto_error err = {0};
    assert_int_equal(parse(&s,
                           "{\"__metadata__\":{\"format\":\"pt\"},"
                           "\"b\":{\"dtype\":\"BF16\",\"shape\":[3],\"data_offsets\":[24,30]},"
                           "\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}  ",
                           30, &err),
                     OTO_OK);
    assert_int_equal(s.n, 2);
    assert_string_equal(s.tensors[0].name, "a");
    assert_int_equal(s.tensors[0].shape[0], 2);
    assert_int_equal(s.tensors[0].shape[1], 3);
    assert_string_equal(s.tensors[1].name, "b");
    assert_int_equal(s.tensors[1].dtype, OTO_DTYPE_BF16);
    assert_int_equal(s.tensors[1].begin, 24);
    oto_safetensors_close(&s);
}

static void refuses_bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header, *message;
        size_t n_data;
        oto_status status;
    } bad[] = {
        {"", "header, byte", 0, OTO_ERR_FORMAT},
        {"[1]", "not a JSON object", 0, OTO_ERR_FORMAT},
        {"{\"a\":{}", "header, byte", 0, OTO_ERR_FORMAT},
        {"{\"a\":1}", "dtype is missing", 0, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"I64\"}}", "dtype is I64", 0, OTO_ERR_UNSUPPORTED},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", "0 dimensions", 0, OTO_ERR_UNSUPPORTED},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1]}}", "3 dimensions", 0, OTO_ERR_UNSUPPORTED},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":4}}", "0 dimensions", 0, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1]}}", "size 0 of its shape", 0, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5]}}", "size 0 of its shape", 0, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", "data_offsets", 4, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", "cut short", 4,
         OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}", "data_offsets", 8,
         OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", "do not hold 2 x 1", 4,
         OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F64\",\"shape\":[2147483647,2147483647],\"data_offsets\":[0,4]}}",
         "do not hold", 4, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "begins at byte 4", 8,
         OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "the file holds 8", 8,
         OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         "tensor", 4, OTO_ERR_FORMAT},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
         "header, byte", 4, OTO_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct oto_safetensors s;
        oto_error err = {0};
        assert_int_equal(parse(&s, bad[i].header, bad[i].n_data, &err), bad[i].status);
        assert_contains(err.message, "w.st: ");
        assert_contains(err.message, bad[i].message);
        assert_null(s.tensors);
    }
}

/* A real network of one layer of two units, and what can be wrong with it. */
static const struct oto_network_shape tiny = {3, 1, 2, 0, 4, 0};

static void *export_tiny(size_t *size, float first)
{
    char folder[64], path[96];
    struct oto_map map;
    oto_error err = {0};
    float *params = oto_calloc(oto_network_n_parameters(&tiny), sizeof *params);
    assert_non_null(params);
    params[0] = first;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/w.st", folder);
    assert_int_equal(oto_safetensors_export(&tiny, params, path, &err), OTO_OK);
    assert_int_equal(oto_map_open(&map, path, &err), OTO_OK);
    void *copy = test_malloc(map.size);
    memcpy(copy, map.data, map.size);
    *size = map.size;
    oto_map_close(&map);
    oto_free(params);
    unit_remove_folder(folder);
    return copy;
}

static oto_status import(const void *data, size_t size, const char *prefix, oto_error *err)
{
    struct oto_safetensors s;
    struct oto_network_shape shape;
    float *params = NULL;
    oto_status status = oto_safetensors_parse(&s, data, size, "w.st", err);
    if (status == OTO_OK)
        status = oto_safetensors_import(&shape, &params, &s, prefix, "w.st", err);
    if (status == OTO_OK)
        assert_memory_equal(&shape, &tiny, sizeof tiny);
    oto_free(params);
    oto_safetensors_close(&s);
    return status;
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    size_t size;
    unsigned char *file = export_tiny(&size, 1);
    oto_error err = {0};
    assert_int_equal(import(file, size, "", &err), OTO_OK);
    for (size_t n = 0; n < size; n++) {
        assert_int_equal(import(file, n, "", &err), OTO_ERR_FORMAT);
        assert_contains(err.message, "w.st: ");
    }
    test_free(file);
}

/* Renames, in place, the first occurrence of a name. */
static void rename_tensor(unsigned char *file, size_t size, const char *from, const char *to)
{
    size_t n = strlen(from);
    assert_int_equal(n, strlen(to));
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(file + i, from, n) == 0) {
            memcpy(file + i, to, n);
            return;
        }
    }
    fail_msg("no %s", from);
}

static void names_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *message;
    } changes[] = {
        {"lstm.weight_ih_l0\"", "lstm.weight_ih_l9\"", "no tensor 'lstm.weight_ih_l0'"},
        {"lstm.bias_hh_l0\"", "lstm.bias_hh_l7\"", "no tensor 'lstm.bias_hh_l0'"},
        {"lstm.bias_ih_l0_reverse", "lstm.bias_ih_l0_reversf", "bias_ih_l0_reverse'"},
        {"[4,4]", "[8,2]", "in all"},
        {"l0_reverse\":{\"dtype\":\"F32\",\"shape\":[8,3]",
         "l0_reverse\":{\"dtype\":\"F32\",\"shape\":[3,8]", "is 3 x 8, expected 8 x 3"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        size_t size;
        unsigned char *file = export_tiny(&size, 1);
        oto_error err = {0};
        rename_tensor(file, size, changes[i].from, changes[i].to);
        assert_int_not_equal(import(file, size, "", &err), OTO_OK);
        assert_contains(err.message, changes[i].message);
        test_free(file);
    }
}

static void minds_the_prefix_and_other_tensors(void **state)
{
    (void)state;
    size_t size;
    unsigned char *file = export_tiny(&size, 1);
    oto_error err = {0};
    assert_int_equal(import(file, size, "net.", &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "no tensor 'net.lstm.weight_ih_l0'");
    rename_tensor(file, size, "output.bias", "output.biaz");
    assert_int_equal(import(file, size, "", &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "no tensor 'output.bias'");
    test_free(file);
}

static void refuses_a_weight_that_is_no_number(void **state)
{
    (void)state;
    size_t size;
    unsigned char *file = export_tiny(&size, (float)NAN);
    oto_error err = {0};
    assert_int_equal(import(file, size, "", &err), OTO_ERR_DATA);
    assert_contains(err.message, "tensor 'lstm.weight_ih_l0': element 0");
    test_free(file);
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    size_t size;
    unsigned char *file = export_tiny(&size, 1);
    oto_status status = OTO_ERR_MEMORY;
    for (int nth = 1; status != OTO_OK; nth++) {
        oto_error err = {0};
        assert_true(nth < 1000);
        oto_mem_fail_nth(nth);
        status = import(file, size, "", &err);
        oto_mem_fail_nth(0);
        if (status != OTO_OK)
            assert_int_equal(status, OTO_ERR_MEMORY);
    }
    test_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(names_what_does_not_fit),
        cmocka_unit_test(minds_the_prefix_and_other_tensors),
        cmocka_unit_test(refuses_a_weight_that_is_no_number),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
