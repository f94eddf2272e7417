/* SPDX-License-Identifier: BSD-2-Clause */
/** A model file with other sections in the place of some of its own, all checksums right. */
#ifndef OTO_TESTS_BAD_BUNDLE_H
#define OTO_TESTS_BAD_BUNDLE_H

#include "unit.h"

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

#endif
