/* SPDX-License-Identifier: BSD-2-Clause */
/* Model files with 8-bit weights: round trip, damage, files made wrongly on purpose. */
#include "unit.h"

#include <math.h>

#include "acoustic/quant.h"
#include "models/bundle_format.h"
#include "tiny_model.h"

static struct tiny_model tiny;
static char folder[64], path[128];
static unsigned char *image; /* the tiny model with 8-bit weights as a file */
static size_t image_size;

static unsigned char *read_file(const char *name, size_t *size)
{
    struct oto_map map;
    assert_int_equal(oto_map_open(&map, name, NULL), OTO_OK);
    unsigned char *data = malloc(map.size);
    assert_non_null(data);
    memcpy(data, map.data, map.size);
    *size = map.size;
    oto_map_close(&map);
    return data;
}

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/int8.oto", folder);
    if (tiny_model_init(&tiny, 1, &err) != OTO_OK)
        fail_msg("%s", err.message);
    tiny.bundle.weight_type = OTO_WEIGHT_I8;
    if (oto_bundle_save(&tiny.bundle, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    image = read_file(path, &image_size);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(image);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    return 0;
}

static struct oto_bundle *load(const char *name)
{
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    if (oto_bundle_load(&b, name, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return b;
}

static void it_comes_back(void **state)
{
    (void)state;
    struct oto_bundle *b = load(path);
    struct oto_quantized *q;
    assert_int_equal(oto_quantized_create(&q, &b->shape, tiny.weights, NULL), OTO_OK);
    assert_int_equal(b->weight_type, OTO_WEIGHT_I8);
    assert_null(b->weights); /* no float copy unless somebody asks */
    int n_quantized = 0;
    for (int k = 0; k < oto_network_n_tensors(&b->shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(&b->shape, k, &t);
        size_t n = (size_t)t.n_rows * (size_t)t.n_cols;
        if (oto_tensor_is_quantized(&t)) {
            n_quantized++;
            assert_memory_equal(b->tensors[k].codes, q->tensors[k].codes, n);
            assert_memory_equal(b->tensors[k].scales, q->tensors[k].scales,
                                sizeof(float) * (size_t)t.n_rows);
            continue;
        }
        const float tolerance = t.n_cols == 1 ? 0 : 1.0f / 2048; /* biases; others are halves */
        for (size_t i = 0; i < n; i++)
            assert_true(fabsf(b->tensors[k].values[i] - q->tensors[k].values[i]) <=
                        tolerance * fabsf(q->tensors[k].values[i]));
    }
    assert_int_equal(n_quantized, 8); /* two layers, two directions, two matrices */
    oto_quantized_destroy(q);
    oto_bundle_destroy(b);
}

static void weights_are_within_half_a_step(void **state)
{
    (void)state;
    struct oto_bundle *b = load(path);
    assert_int_equal(oto_bundle_dequantize(b, NULL), OTO_OK);
    const float *once = b->weights;
    assert_int_equal(oto_bundle_dequantize(b, NULL), OTO_OK);
    assert_ptr_equal(b->weights, once);
    double worst = 0;
    for (int k = 0; k < oto_network_n_tensors(&b->shape); k++) {
        struct oto_tensor t;
        oto_network_tensor(&b->shape, k, &t);
        for (size_t i = 0; i < (size_t)t.n_rows * (size_t)t.n_cols; i++) {
            double off =
                fabs((double)b->weights[t.offset + i] - (double)tiny.weights[t.offset + i]);
            if (oto_tensor_is_quantized(&t))
                worst = fmax(worst, off / (double)b->tensors[k].scales[i / (size_t)t.n_cols]);
        }
    }
    assert_true(worst > 0.3 && worst < 0.5001);
    oto_bundle_destroy(b);
}

static void expect_same_bytes(const char *name)
{
    size_t size;
    unsigned char *data = read_file(name, &size);
    assert_int_equal(size, image_size);
    assert_memory_equal(data, image, size);
    free(data);
}

static void the_same_bytes_are_written_again(void **state)
{
    (void)state;
    char again[128];
    snprintf(again, sizeof again, "%s/again.oto", folder);
    struct oto_bundle *b = load(path);
    assert_int_equal(oto_bundle_save(b, again, NULL), OTO_OK);
    expect_same_bytes(again);
    b->weight_type = OTO_WEIGHT_F16; /* there are no floats to write */
    oto_error err = {0};
    assert_int_equal(oto_bundle_save(b, again, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "needs weights");
    expect_same_bytes(again);
    oto_bundle_destroy(b);
}

/* Where the section's payload starts. */
static struct oto_section section(const char *name)
{
    struct oto_container c;
    oto_error err = {0};
    assert_int_equal(oto_container_open(&c, &oto_bundle_kind, image, image_size, "int8", &err),
                     OTO_OK);
    const struct oto_section *s = oto_container_find(&c, name, &err);
    assert_non_null(s);
    return *s;
}

static void expect_refused(const unsigned char *data, size_t size, size_t where)
{
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    oto_status status = oto_bundle_parse(&b, data, size, "DAMAGED", &err);
    if (status != OTO_ERR_FORMAT && status != OTO_ERR_VERSION && status != OTO_ERR_CHECKSUM)
        fail_msg("damage at %zu gave status %d", where, (int)status);
    assert_null(b);
    assert_contains(err.message, "DAMAGED: ");
}

static void damage_is_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < image_size; n++)
        expect_refused(image, n, n);
    for (size_t i = 0; i < image_size; i++) {
        for (int bit = 0; bit < 8; bit++) {
            image[i] ^= (unsigned char)(1u << bit);
            expect_refused(image, image_size, i);
            image[i] ^= (unsigned char)(1u << bit);
        }
    }
}

/* Every section but one as it is, that one with another payload or name; all signed. */
static void rebuild(struct oto_container_writer *w, const char *name, const char *new_name,
                    const void *payload, size_t size)
{
    struct oto_container c;
    assert_int_equal(oto_container_open(&c, &oto_bundle_kind, image, image_size, "int8", NULL),
                     OTO_OK);
    oto_container_begin(w, c.n_sections);
    for (int k = 0; k < c.n_sections; k++) {
        const struct oto_section *s = &c.sections[k];
        bool changed = strcmp(s->name, name) == 0;
        oto_container_section(w, changed ? new_name : s->name, s->flags,
                              changed ? payload : c.data + s->offset, changed ? size : s->size);
    }
    oto_container_finish(w, &oto_bundle_kind);
    assert_false(w->out.failed);
}

static void expect_bad_payload(const char *name, const char *new_name, const void *payload,
                               size_t size, const char *message)
{
    struct oto_container_writer w;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    rebuild(&w, name, new_name, payload, size);
    assert_int_equal(oto_bundle_parse(&b, w.out.data, w.out.size, "bad.oto", &err), OTO_ERR_FORMAT);
    assert_null(b);
    assert_contains(err.message, message);
    oto_writer_clear(&w.out);
}

/* The first matrix has 20 rows of 12: scales to byte 80, codes to 320; its bias follows the second,
 * of 20 rows of 5, at 500. */
static void wrong_numbers_are_refused(void **state)
{
    (void)state;
    struct oto_section s = section(OTO_SECTION_INT8), index = section("tensors");
    static const struct {
        size_t at, n;
        unsigned char bytes[4];
        const char *message;
    } cases[] = {
        {0, 4, {0, 0, 0xC0, 0x7F}, "'lstm.weight_ih_l0': element 0: the scale of its row"},
        {8, 4, {0, 0, 0x80, 0x7F}, "'lstm.weight_ih_l0': element 24: the scale of its row"},
        {4, 4, {0, 0, 0x80, 0xBF}, "'lstm.weight_ih_l0': element 12: the scale of its row"},
        {80, 1, {0x80}, "'lstm.weight_ih_l0': element 0: -128, expected -127 to 127"},
        {499, 1, {0x80}, "'lstm.weight_hh_l0': element 99: -128"},
        {500, 4, {0, 0, 0xC0, 0x7F}, "'lstm.bias_l0': element 0: not a finite number"},
    };
    unsigned char *payload = malloc(s.size);
    assert_non_null(payload);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(payload, image + s.offset, s.size);
        memcpy(payload + cases[i].at, cases[i].bytes, cases[i].n);
        expect_bad_payload(OTO_SECTION_INT8, OTO_SECTION_INT8, payload, s.size, cases[i].message);
    }
    memcpy(payload, image + s.offset, s.size);
    expect_bad_payload(OTO_SECTION_INT8, OTO_SECTION_INT8, payload, s.size - 1, "bytes, expected");
    expect_bad_payload(OTO_SECTION_INT8, "weights", payload, s.size, "no section 'weights8'");
    free(payload);

    payload = malloc(index.size);
    assert_non_null(payload);
    memcpy(payload, image + index.offset, index.size);
    payload[8 + 72 + 56] = 1; /* the type of the second tensor */
    expect_bad_payload("tensors", "tensors", payload, index.size,
                       "'lstm.weight_hh_l0' has type 1 0, expected 2 0");
    payload[8 + 72 + 56] = 2;
    payload[8 + 72 + 64] ^= 1;
    expect_bad_payload("tensors", "tensors", payload, index.size, "starts at 321, expected 320");
    free(payload);
}

static void what_cannot_be_stored_is_refused(void **state)
{
    (void)state;
    oto_error err = {0};
    char name[128];
    snprintf(name, sizeof name, "%s/unsaved.oto", folder);
    size_t last = oto_network_n_parameters(&tiny.bundle.shape) - 10; /* of output.weight */
    const size_t places[] = {7, last};
    const float values[] = {NAN, 70000};
    const char *const messages[] = {"'lstm.weight_ih_l0': element 7: not a finite number",
                                    "too large for half precision"};
    for (int i = 0; i < 2; i++) {
        float kept = tiny.weights[places[i]];
        tiny.weights[places[i]] = values[i];
        assert_int_equal(oto_bundle_save(&tiny.bundle, name, &err), OTO_ERR_DATA);
        assert_contains(err.message, messages[i]);
        tiny.weights[places[i]] = kept;
    }
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    char name[128];
    snprintf(name, sizeof name, "%s/memory.oto", folder);
    size_t n = 0;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; n++) {
        struct oto_bundle *b = NULL;
        (void)oto_mem_fail_nth(n + 1);
        status = oto_bundle_load(&b, path, NULL);
        if (status == OTO_OK)
            status = oto_bundle_dequantize(b, NULL);
        if (status == OTO_OK)
            status = oto_bundle_save(&tiny.bundle, name, NULL);
        (void)oto_mem_fail_nth(0);
        oto_bundle_destroy(b);
        if (status != OTO_OK)
            assert_int_equal(status, OTO_ERR_MEMORY);
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back),
        cmocka_unit_test(weights_are_within_half_a_step),
        cmocka_unit_test(the_same_bytes_are_written_again),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(what_cannot_be_stored_is_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
