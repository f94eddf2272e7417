/* SPDX-License-Identifier: BSD-2-Clause */
/** What every cmocka program needs, in the order cmocka wants it, and a scratch folder. */
#ifndef OTO_TESTS_SUPPORT_UNIT_H
#define OTO_TESTS_SUPPORT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** Fails unless haystack contains needle, and prints both. */
#define assert_contains(haystack, needle)                                                          \
    do {                                                                                           \
        if (!strstr((haystack), (needle))) {                                                       \
            fail_msg("\"%s\" does not contain \"%s\"", (haystack), (needle));                      \
        }                                                                                          \
    } while (0)

/** Makes a fresh folder; path [64]. The caller removes it with unit_remove_folder(). */
static inline void unit_make_folder(char path[64])
{
    const char *base = getenv("TMPDIR");
    int n = snprintf(path, 64, "%s/otolith-XXXXXX", base && strlen(base) < 40 ? base : "/tmp");
    assert_true(n > 0 && n < 64);
    assert_non_null(mkdtemp(path));
}

static inline void unit_remove_folder(const char path[64])
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

/** Writes a whole file. */
static inline void unit_write_file(const char *path, const void *data, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

#endif
