/* SPDX-License-Identifier: BSD-2-Clause */
/** What every sort of model file must stand: other sections in the place of some of its own, all
 * checksums right; damage; too little memory. */
#ifndef OTO_TESTS_BAD_BUNDLE_H
#define OTO_TESTS_BAD_BUNDLE_H

#include "unit.h"

#include "base/mem.h"
#include "models/bundle_format.h"

struct new_section {
    const char *name;
    const void *payload; /* NULL: there is no such section */
    size_t size;
};

/** The file at path, so changed, is refused as "bad.oto" with a message that has this part. */
static inline void expect_bad_bundle(const char *path, const struct new_section *sections, size_t n,
                                     oto_status status, const char *message)
{
    struct oto_container c;
    struct oto_container_writer w;
    struct oto_map map;
    struct oto_bundle *b = NULL;
    oto_error err = {0};
    int n_without = 0;
    assert_int_equal(oto_map_open(&map, path, &err), OTO_OK);
    assert_int_equal(oto_container_open(&c, &oto_bundle_kind, map.data, map.size, "x", &err),
                     OTO_OK);
    for (size_t i = 0; i < n; i++)
        n_without += sections[i].payload == NULL;
    oto_container_begin(&w, c.n_sections - n_without);
    for (int k = 0; k < c.n_sections; k++) {
        const struct oto_section *s = &c.sections[k];
        struct new_section as = {s->name, c.data + s->offset, s->size};
        for (size_t i = 0; i < n; i++)
            if (strcmp(s->name, sections[i].name) == 0)
                as = sections[i];
        if (as.payload != NULL)
            oto_container_section(&w, s->name, s->flags, as.payload, as.size);
    }
    oto_container_finish(&w, &oto_bundle_kind);
    assert_false(w.out.failed);
    assert_int_equal(oto_bundle_parse(&b, w.out.data, w.out.size, "bad.oto", &err), status);
    assert_null(b);
    assert_contains(err.message, "bad.oto: ");
    assert_contains(err.message, message);
    oto_writer_clear(&w.out);
    oto_map_close(&map);
}

/** Every bit of the file at path turned over is seen; nothing else is wrong with it. */
static inline void expect_bits_checked(const char *path)
{
    struct oto_map map;
    struct oto_bundle *b = NULL;
    oto_error err = {0};
    assert_int_equal(oto_map_open(&map, path, &err), OTO_OK);
    const size_t n = map.size;
    unsigned char *copy = malloc(n);
    assert_non_null(copy);
    memcpy(copy, map.data, n);
    oto_map_close(&map);
    for (size_t i = 0; i < 8 * n; i++) {
        copy[i / 8] ^= (unsigned char)(1U << i % 8);
        if (oto_bundle_parse(&b, copy, n, "DAMAGED", &err) == OTO_OK)
            fail_msg("bit %zu of byte %zu may be another", i % 8, i / 8);
        assert_null(b);
        assert_contains(err.message, "DAMAGED: ");
        copy[i / 8] ^= (unsigned char)(1U << i % 8);
    }
    assert_int_equal(oto_bundle_parse(&b, copy, n, "DAMAGED", &err), OTO_OK);
    oto_bundle_destroy(b);
    free(copy);
}

/** The file at path is read and written as `again`, each allocation failing in its turn; returns
 * the number of them. */
static inline size_t expect_allocations_checked(const char *path, const char *again)
{
    oto_error err = {0};
    for (size_t nth = 1;; nth++) {
        struct oto_bundle *copy = NULL;
        (void)oto_mem_fail_nth(nth);
        oto_status status = oto_bundle_load(&copy, path, &err);
        if (status == OTO_OK)
            status = oto_bundle_save(copy, again, &err);
        (void)oto_mem_fail_nth(0);
        oto_bundle_destroy(copy);
        if (status == OTO_OK)
            return nth - 1;
        assert_int_equal(status, OTO_ERR_MEMORY);
    }
}

#endif
