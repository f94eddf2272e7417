/* SPDX-License-Identifier: BSD-2-Clause */
/* The model file: round trip, damage of every kind, failing allocations. Handmade bad files:
 * test_bundle_bad.c. */
#include "unit.h"

#include <math.h>

#include "bad_bundle.h"
#include "features/frontend_options.h"
#include "models/bundle_format.h"
#include "tiny_model.h"
#include "toy_lm.h"

static struct tiny_model tiny;
static char folder[64], path[128];
static unsigned char *image; /* the tiny model as a file */
static size_t image_size;

static unsigned char *read_file(const char *name, size_t *size)
{
    FILE *f = fopen(name, "rb");
    assert_non_null(f);
    unsigned char *data = malloc(1 << 20);
    assert_non_null(data);
    *size = fread(data, 1, 1 << 20, f);
    fclose(f);
    return data;
}

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/tiny.oto", folder);
    if (tiny_model_init(&tiny, 1, &err) != OTO_OK ||
        oto_bundle_save(&tiny.bundle, path, &err) != OTO_OK)
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

/* ---- what is written comes back
 * --------------------------------------------------------------------------------- */

static void check_same(const struct oto_bundle *a, const struct oto_bundle *b, double tolerance)
{
    size_t at = 0;
    assert_null(oto_frontend_next_difference(&a->frontend, &b->frontend, &at));
    assert_memory_equal(&a->beam, &b->beam, sizeof a->beam);
    assert_memory_equal(&a->shape, &b->shape, sizeof a->shape);
    assert_int_equal(a->alphabet->n_symbols, b->alphabet->n_symbols);
    for (int k = 0; k < a->alphabet->n_symbols; k++)
        assert_string_equal(a->alphabet->symbols[k], b->alphabet->symbols[k]);
    assert_memory_equal(&a->alphabet->policy, &b->alphabet->policy, sizeof a->alphabet->policy);
    assert_true(a->cmvn.count == b->cmvn.count && a->cmvn.dim == b->cmvn.dim);
    assert_memory_equal(a->cmvn.sum, b->cmvn.sum, sizeof(double) * (size_t)a->cmvn.dim);
    assert_memory_equal(a->cmvn.sum_squares, b->cmvn.sum_squares,
                        sizeof(double) * (size_t)a->cmvn.dim);
    assert_string_equal(a->card.name, b->card.name);
    assert_string_equal(a->card.notes, b->card.notes);
    assert_true(a->card.dev_wer == b->card.dev_wer && isnan(b->card.test_wer));
    for (size_t i = 0; i < oto_network_n_parameters(&a->shape); i++)
        assert_true(fabs((double)a->weights[i] - (double)b->weights[i]) <=
                    tolerance * fabs((double)a->weights[i]));
}

static void test_round_trip(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_null(b->owned_weights); /* used where they lie in the file */
    assert_int_equal((uintptr_t)b->weights % 64, 0);
    check_same(&tiny.bundle, b, 0);
    oto_bundle_destroy(b);
    oto_bundle_destroy(NULL);
}

/* The tiny model as it is now, through a file of the minor version that it must have; destroyed by
 * the caller. */
static struct oto_bundle *through_file(int minor)
{
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    char name[128];
    size_t size;
    snprintf(name, sizeof name, "%s/newer.oto", folder);
    assert_int_equal(oto_bundle_save(&tiny.bundle, name, &err), OTO_OK);
    unsigned char *data = read_file(name, &size);
    assert_int_equal(data[10], minor);
    free(data);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    return b;
}

/* The skipping of blanks and the margin of CMVN stand in the file where they are on, which only
 * then is a newer one. */
static void test_newer_numbers(void **state)
{
    (void)state;
    struct oto_bundle *b = through_file(0);
    assert_true(b->beam.blank_skip == 0.0);
    assert_true(b->frontend.cmvn_margin_ms == 0.0);
    oto_bundle_destroy(b);
    tiny.bundle.beam.blank_skip = 0.95;
    b = through_file(6);
    tiny.bundle.beam.blank_skip = 0.0;
    assert_true(b->beam.blank_skip == 0.95);
    oto_bundle_destroy(b);
    const int cmvn = tiny.bundle.frontend.cmvn;
    tiny.bundle.frontend.cmvn = OTO_CMVN_UTTERANCE;
    tiny.bundle.frontend.cmvn_margin_ms = 300;
    b = through_file(9);
    tiny.bundle.frontend.cmvn = cmvn;
    tiny.bundle.frontend.cmvn_margin_ms = 0;
    assert_true(b->frontend.cmvn_margin_ms == 300);
    oto_bundle_destroy(b);
}

/* Frames that are paired stand in the file, which only then is a newer one. */
static void test_pairs(void **state)
{
    (void)state;
    oto_error err = {0};
    struct tiny_model pairs;
    struct oto_bundle *b = NULL;
    char name[128];
    size_t size;
    snprintf(name, sizeof name, "%s/pairs.oto", folder);
    assert_int_equal(tiny_model_init_pairs(&pairs, 1, &err), OTO_OK);
    assert_int_equal(oto_bundle_save(&pairs.bundle, name, &err), OTO_OK);
    unsigned char *data = read_file(name, &size);
    assert_int_equal(data[10], 4);
    assert_int_equal(image[10], 0);
    free(data);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    assert_int_equal(b->shape.reduce_after, 1);
    assert_int_equal(oto_bundle_stride(b), 4);
    assert_int_equal(oto_bundle_stride(&tiny.bundle), 2);
    check_same(&pairs.bundle, b, 0);
    oto_bundle_destroy(b);
    oto_mem_fail_nth(0);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    oto_bundle_destroy(b);
    size_t n = oto_mem_fail_nth(0);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_bundle_load(&b, name, &err), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
    tiny_model_clear(&pairs);
}

static void test_half_precision(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    char half[128];
    snprintf(half, sizeof half, "%s/half.oto", folder);
    tiny.bundle.weight_type = OTO_WEIGHT_F16;
    assert_int_equal(oto_bundle_save(&tiny.bundle, half, &err), OTO_OK);
    tiny.bundle.weight_type = OTO_WEIGHT_F32;
    assert_int_equal(oto_bundle_load(&b, half, &err), OTO_OK);
    assert_int_equal(b->weight_type, OTO_WEIGHT_F16);
    check_same(&tiny.bundle, b, 1.0 / 2048); /* 11 bits, half a unit of the last place */
    oto_bundle_destroy(b);
    size_t size;
    free(read_file(half, &size));
    assert_true(size < image_size);
}

static void test_unaligned_memory(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    unsigned char *copy = malloc(image_size + 1);
    assert_non_null(copy);
    memcpy(copy + 1, image, image_size);
    assert_int_equal(oto_bundle_parse(&b, copy + 1, image_size, "memory", &err), OTO_OK);
    assert_int_equal((uintptr_t)b->weights % 64, 0);
    check_same(&tiny.bundle, b, 0);
    oto_bundle_destroy(b);
    free(copy);
}

static void test_same_bytes(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    char again[128];
    snprintf(again, sizeof again, "%s/again.oto", folder);
    assert_int_equal(oto_bundle_load(&b, path, &err), OTO_OK);
    assert_int_equal(oto_bundle_save(b, again, &err), OTO_OK);
    oto_bundle_destroy(b);
    size_t size;
    unsigned char *data = read_file(again, &size);
    assert_int_equal(size, image_size);
    assert_memory_equal(data, image, size);
    free(data);
}

static void test_no_statistics(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    struct oto_bundle plain = tiny.bundle;
    char name[128];
    snprintf(name, sizeof name, "%s/plain.oto", folder);
    plain.cmvn.count = 0;
    assert_int_equal(oto_bundle_save(&plain, name, &err), OTO_OK);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    assert_true(b->cmvn.count == 0 && b->cmvn.dim == 0);
    oto_bundle_destroy(b);
}

static void test_lexicon(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    struct oto_bundle strict = tiny.bundle;
    char name[128];
    snprintf(name, sizeof name, "%s/strict.oto", folder);
    assert_int_equal(
        oto_lexicon_parse(&strict.lexicon, "# x\nbed\nCafE\n", 13, "x", strict.alphabet, &err),
        OTO_ERR_DATA); /* no f */
    assert_int_equal(
        oto_lexicon_parse(&strict.lexicon, "# x\nbed\nCab\n", 12, "x", strict.alphabet, &err),
        OTO_OK);
    assert_int_equal(oto_bundle_save(&strict, name, &err), OTO_OK);
    oto_lexicon_destroy(strict.lexicon);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    check_same(&tiny.bundle, b, 0);
    assert_non_null(b->lexicon);
    assert_int_equal(b->lexicon->n_words, 2);
    assert_string_equal(oto_lexicon_word(b->lexicon, 0), "bed");
    assert_string_equal(oto_lexicon_word(b->lexicon, 1), "cab");
    oto_bundle_destroy(b);
    assert_int_equal(image[10], 0); /* without: still version 1.0, readable by older programs */
    size_t size;
    unsigned char *data = read_file(name, &size);
    assert_int_equal(data[10], 1);
    free(data);
}

/* A grammar stays as its author wrote it; the file then needs version 1.5. */
static void test_grammar(void **state)
{
    (void)state;
    static const char text[] = "#JSGF V1.0;\n// kept\ngrammar g;\npublic <s> = bed | Cab+;\n";
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    struct oto_bundle strict = tiny.bundle;
    char name[128];
    snprintf(name, sizeof name, "%s/grammar.oto", folder);
    if (oto_grammar_parse(&strict.grammar, text, sizeof text - 1, "g", strict.alphabet, &err) !=
        OTO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(oto_bundle_save(&strict, name, &err), OTO_OK);
    const int32_t n_states = strict.grammar->n_states;
    oto_grammar_destroy(strict.grammar);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    check_same(&tiny.bundle, b, 0);
    assert_non_null(b->grammar);
    assert_int_equal(b->grammar->n_states, n_states);
    assert_string_equal(b->grammar->text, text);
    oto_bundle_destroy(b);
    size_t size;
    unsigned char *data = read_file(name, &size);
    assert_int_equal(data[10], 5);
    free(data);
}

/* A language model stays whole, with its numbers; the file then needs version 1.2. */
static void test_language_model(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    struct oto_bundle scored = tiny.bundle;
    char name[128], again[128], arpa[128];
    snprintf(name, sizeof name, "%s/scored.oto", folder);
    snprintf(again, sizeof again, "%s/again.oto", folder);
    snprintf(arpa, sizeof arpa, "%s/toy.arpa", folder);
    unit_write_file(arpa, toy_arpa, sizeof toy_arpa - 1);
    assert_int_equal(oto_lm_open(&scored.lm, arpa, &err), OTO_OK);
    scored.language = (struct oto_language_options){0.625, -1.5, -3.25, 0.0};
    assert_int_equal(oto_bundle_save(&scored, name, &err), OTO_OK);
    assert_int_equal(oto_bundle_load(&b, name, &err), OTO_OK);
    check_same(&tiny.bundle, b, 0);
    assert_non_null(b->lm);
    assert_memory_equal(&b->language, &scored.language, sizeof b->language);
    assert_int_equal(oto_lm_size(b->lm), oto_lm_size(scored.lm));
    assert_memory_equal(oto_lm_image(b->lm), oto_lm_image(scored.lm), oto_lm_size(b->lm));
    const unsigned char *image_of_lm = oto_lm_image(b->lm);
    assert_true(image_of_lm > b->map.data && image_of_lm < b->map.data + b->map.size);
    assert_int_equal((uintptr_t)image_of_lm % 64, 0);
    assert_int_equal(b->map.data[10], 2);
    assert_int_equal(oto_bundle_save(b, again, &err), OTO_OK);
    struct oto_map map;
    assert_int_equal(oto_map_open(&map, again, &err), OTO_OK);
    assert_int_equal(map.size, b->map.size);
    assert_memory_equal(map.data, b->map.data, map.size);
    oto_map_close(&map);
    (void)expect_allocations_checked(name, again);
    oto_bundle_destroy(b);
    oto_lm_close(scored.lm);
}

/* ---- what must not be written
 * ----------------------------------------------------------------------------------- */

static void expect_unsaved(const struct oto_bundle *b, oto_status status, const char *message)
{
    oto_error err = {0};
    char name[128];
    snprintf(name, sizeof name, "%s/unsaved.oto", folder);
    assert_int_equal(oto_bundle_save(b, name, &err), status);
    assert_contains(err.message, message);
    FILE *f = fopen(name, "rb");
    assert_null(f);
}

static void test_save_refuses(void **state)
{
    (void)state;
    struct oto_bundle b = tiny.bundle;
    char bad_text[] = "caf\xE9";
    float *weights = tiny.weights, kept = weights[7];
    weights[7] = NAN;
    expect_unsaved(&b, OTO_ERR_DATA, "tensor 'lstm.weight_ih_l0': element 7: not a finite number");
    weights[7] = 70000;
    b.weight_type = OTO_WEIGHT_F16;
    expect_unsaved(&b, OTO_ERR_DATA, "too large for half precision");
    weights[7] = kept;
    b.weight_type = (enum oto_weight_type)7;
    expect_unsaved(&b, OTO_ERR_ARGUMENT, "needs weights, their type and an alphabet");
    b = tiny.bundle;
    b.alphabet = NULL;
    expect_unsaved(&b, OTO_ERR_ARGUMENT, "needs weights");
    b = tiny.bundle;
    b.shape.n_layers = 0;
    expect_unsaved(&b, OTO_ERR_ARGUMENT, "n_layers");
    b = tiny.bundle;
    b.shape.n_inputs =
        13; /* the front end gives 12; the array is long enough only for the check before */
    b.shape.n_hidden = 1;
    expect_unsaved(&b, OTO_ERR_FORMAT, "inputs: found 13, expected 12");
    b = tiny.bundle;
    b.card.data = bad_text;
    expect_unsaved(&b, OTO_ERR_DATA, "card: data: invalid UTF-8 at byte 3");
    b = tiny.bundle;
    b.frontend.window = 99;
    expect_unsaved(&b, OTO_ERR_DATA, "window: 99");
    b = tiny.bundle;
    b.frontend.dither = (double)INFINITY;
    expect_unsaved(&b, OTO_ERR_DATA, "dither: infinite");
    oto_error err = {0};
    assert_int_equal(oto_bundle_save(&tiny.bundle, "/nonexistent/x.oto", &err), OTO_ERR_NOT_FOUND);
}

static void test_no_file(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = (struct oto_bundle *)1;
    assert_int_equal(oto_bundle_load(&b, "/nonexistent/x.oto", &err), OTO_ERR_NOT_FOUND);
    assert_null(b);
    assert_contains(err.message, "/nonexistent/x.oto");
    assert_int_equal(oto_bundle_load(&b, folder, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "folder");
    assert_int_equal(oto_bundle_load(&b, path, NULL), OTO_OK); /* err may be NULL */
    oto_bundle_destroy(b);
}

/* ---- damage ------------------------------------------------------------------------------ */

static size_t end_of_table(void)
{
    struct oto_container c;
    oto_error err = {0};
    assert_int_equal(oto_container_open(&c, &oto_bundle_kind, image, image_size, "tiny", &err),
                     OTO_OK);
    return c.sections[0].offset;
}

static void expect_refused(const unsigned char *data, size_t size, const char *what, size_t where)
{
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    (void)oto_mem_fail_nth(0);
    oto_status status = oto_bundle_parse(&b, data, size, "DAMAGED", &err);
    size_t n_allocations = oto_mem_fail_nth(0);
    if (status != OTO_ERR_FORMAT && status != OTO_ERR_VERSION && status != OTO_ERR_CHECKSUM)
        fail_msg("%s at %zu gave status %d", what, where, (int)status);
    assert_null(b);
    assert_int_equal(n_allocations, 0); /* damage shows before anything is allocated */
    assert_contains(err.message, "DAMAGED: ");
}

static void test_truncation(void **state)
{
    (void)state;
    size_t table = end_of_table(), n_payload = 0;
    unsigned char *copy =
        malloc(image_size); /* of the exact size: reading past it shows under ASan */
    assert_non_null(copy);
    for (size_t n = 0; n < table; n++) {
        unsigned char *exact = malloc(n > 0 ? n : 1);
        memcpy(exact, image, n);
        expect_refused(exact, n, "truncation", n);
        free(exact);
    }
    for (size_t n = table; n < image_size; n++, n_payload++)
        expect_refused(image, n, "truncation", n);
    /* The same with the size in the header made to fit, as a file system might pad or a liar write
     * it. */
    for (size_t n = 64; n < image_size; n++) {
        memcpy(copy, image, image_size);
        for (int i = 0; i < 8; i++)
            copy[16 + i] = (unsigned char)(n >> (8 * i));
        expect_refused(copy, n, "truncation with fitting size", n);
    }
    free(copy);
    print_message("%zu lengths in header and table, %zu in the payload: all refused\n", table,
                  n_payload);
    assert_true(n_payload >= 1000);
}

static void test_every_flipped_bit(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; i < image_size; i++) {
        for (int bit = 0; bit < 8; bit++, n++) {
            image[i] ^= (unsigned char)(1u << bit);
            expect_refused(image, image_size, "flipped bit", i);
            image[i] ^= (unsigned char)(1u << bit);
        }
    }
    print_message("%zu flipped bits, every one of the file: all refused\n", n);
    assert_true(n >= 10000);
}

static void test_appended_bytes(void **state)
{
    (void)state;
    unsigned char *longer = calloc(image_size + 64, 1);
    assert_non_null(longer);
    memcpy(longer, image, image_size);
    for (size_t n = 1; n <= 64; n++)
        expect_refused(longer, image_size + n, "appended bytes", n);
    free(longer);
}

/* ---- messages and memory ----------------------------------------------------------------- */

/* A long path leaves room for the message. */
static void test_long_name(void **state)
{
    (void)state;
    char name[400];
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    memset(name, 'x', sizeof name);
    memcpy(name + 380, "/the-end.oto", 13);
    assert_int_equal(oto_bundle_parse(&b, image, image_size - 1, name, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "...xxx");
    assert_contains(err.message, "/the-end.oto: header: offset 16: file size");
    assert_contains(err.message, "truncated");
}

/* ---- failing allocations
 * ----------------------------------------------------------------------------------------- */

static void test_allocation_failures(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    char name[128];
    snprintf(name, sizeof name, "%s/memory.oto", folder);
    size_t n_load = 0, n_save = 0;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; n_load++) {
        (void)oto_mem_fail_nth(n_load + 1);
        status = oto_bundle_load(&b, path, &err);
        (void)oto_mem_fail_nth(0);
        if (status != OTO_OK) {
            assert_int_equal(status, OTO_ERR_MEMORY);
            assert_null(b);
        }
    }
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; n_save++) {
        (void)oto_mem_fail_nth(n_save + 1);
        status = oto_bundle_save(b, name, &err);
        (void)oto_mem_fail_nth(0);
        if (status != OTO_OK)
            assert_int_equal(status, OTO_ERR_MEMORY);
    }
    print_message("load and save survive the failure of each of %zu and %zu allocations\n", n_load,
                  n_save);
    assert_true(n_load > 5 && n_save > n_load);
    oto_bundle_destroy(b);
}

static void test_card(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_card card;
    for (size_t nth = 1; nth <= 6; nth++) {
        (void)oto_mem_fail_nth(nth);
        assert_int_equal(oto_card_init(&card, &err), OTO_ERR_MEMORY);
    }
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_card_init(&card, &err), OTO_OK);
    assert_string_equal(card.licence, "");
    assert_true(isnan(card.train_hours));
    assert_int_equal(oto_card_set(&card.licence, "CC0", &err), OTO_OK);
    (void)oto_mem_fail_nth(1);
    assert_int_equal(oto_card_set(&card.licence, "BSD", &err), OTO_ERR_MEMORY);
    assert_string_equal(card.licence, "CC0"); /* as before */
    oto_card_clear(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_half_precision),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_newer_numbers),
        cmocka_unit_test(test_unaligned_memory),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_no_statistics),
        cmocka_unit_test(test_lexicon),
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_language_model),
        cmocka_unit_test(test_save_refuses),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_every_flipped_bit),
        cmocka_unit_test(test_appended_bytes),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_allocation_failures),
        cmocka_unit_test(test_card),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
