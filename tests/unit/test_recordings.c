/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <sys/stat.h>

#include "base/mem.h"
#include "near.h"
#include "toy_corpus.h"
#include "training/recordings.h"

enum { N = 4000 };

static char folder[64], deeper[80];

/* Three recordings that count their samples: each its own range of values. */
static int make(void **state)
{
    (void)state;
    static const char *const names[] = {"b.wav", "a.wav", "in/c.wav"};
    static const int lengths[] = {N, N / 2, 50};
    float samples[N];
    unit_make_folder(folder);
    snprintf(deeper, sizeof deeper, "%s/in", folder);
    if (mkdir(deeper, 0777) != 0)
        return -1;
    for (int k = 0; k < 3; k++) {
        for (int i = 0; i < lengths[k]; i++)
            samples[i] = (float)(k * 10000 + i - 15000) / 32767;
        toy_write_wav(folder, names[k], samples, (size_t)lengths[k]);
    }
    toy_write_text(folder, "README.txt", "no audio");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

static int value(float x)
{
    return (int)lrintf(x * 32768) + 15000;
}

static void lists_audio_by_name(void **state)
{
    (void)state;
    struct oto_recordings r;
    assert_int_equal(oto_recordings_open(&r, folder, "test", NULL), OTO_OK);
    assert_int_equal(r.n, 3);
    assert_contains(r.items[0].path, "/a.wav");
    assert_contains(r.items[1].path, "/b.wav");
    assert_contains(r.items[2].path, "/in/c.wav");
    assert_near(r.items[1].seconds, N / 16000.0, 1e-9);
    struct oto_writer a = {0}, b = {0};
    oto_recordings_key(&r, &a, true);
    oto_recordings_key(&r, &b, false);
    assert_true(a.size == b.size && memcmp(a.data, b.data, a.size) != 0);
    oto_writer_clear(&a);
    oto_writer_clear(&b);
    oto_recordings_clear(&r);
}

/* From any place, as many samples as wanted, each the one after the last, or the first again. */
static void loops(void **state)
{
    (void)state;
    struct oto_recordings r;
    struct oto_samples s = {0};
    static const size_t wanted[] = {1, 30, 50, 1999, 2000, 2001, 5000, 9000};
    static const double places[] = {0, 0.3, 0.75, 0.9999999999};
    static const int starts[] = {10000, 0, 20000}, lengths[] = {N / 2, N, 50};
    assert_int_equal(oto_recordings_open(&r, folder, "test", NULL), OTO_OK);
    for (size_t k = 0; k < r.n; k++)
        for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++)
            for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
                assert_int_equal(
                    oto_recording_loop(&r.items[k], &s, wanted[w], places[p], 16000, NULL), OTO_OK);
                assert_int_equal(s.n, wanted[w]);
                int first = value(s.x[0]) - starts[k];
                assert_near(first, places[p] * lengths[k], 17); /* 1 ms before the end at most */
                for (size_t i = 0; i < s.n; i++)
                    assert_int_equal(value(s.x[i]), starts[k] + (first + (int)i) % lengths[k]);
            }
    oto_samples_clear(&s);
    oto_recordings_clear(&r);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    struct oto_recordings r;
    oto_error err;
    char other[64], path[100];
    assert_int_equal(oto_recordings_open(&r, "/nowhere/at/all", "perturb: background", &err),
                     OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "perturb: background: /nowhere/at/all");
    assert_contains(err.message, "expected a folder of recordings");
    snprintf(path, sizeof path, "%s/a.wav", folder);
    assert_int_equal(oto_recordings_open(&r, path, "perturb: response", &err), OTO_ERR_IO);
    assert_contains(err.message, "a.wav");
    unit_make_folder(other);
    assert_int_equal(oto_recordings_open(&r, other, "test", &err), OTO_ERR_DATA);
    assert_contains(err.message, "no audio in this folder");
    toy_write_wav(other, "empty.wav", NULL, 0);
    assert_int_equal(oto_recordings_open(&r, other, "test", &err), OTO_ERR_DATA);
    assert_contains(err.message, "empty.wav");
    toy_write_text(other, "empty.wav", "no audio at all, for all that its name says");
    assert_true(oto_recordings_open(&r, other, "test", &err) != OTO_OK);
    assert_contains(err.message, "test: ");
    assert_contains(err.message, "empty.wav");
    assert_int_equal(r.n, 0);
    /* gone between opening and use */
    float samples[100] = {0};
    struct oto_samples s = {0};
    toy_write_wav(other, "empty.wav", samples, 100);
    assert_int_equal(oto_recordings_open(&r, other, "test", &err), OTO_OK);
    unit_remove_folder(other);
    assert_int_equal(oto_recording_loop(&r.items[0], &s, 10, 0.5, 16000, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "empty.wav");
    oto_samples_clear(&s);
    oto_recordings_clear(&r);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_recordings r;
    struct oto_samples s = {0};
    for (size_t nth = 0, n = 0; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        oto_status status = oto_recordings_open(&r, folder, "test", NULL);
        if (status == OTO_OK)
            status = oto_recording_loop(&r.items[0], &s, 20000, 0.2, 16000, NULL);
        size_t n_made = oto_mem_fail_nth(0);
        assert_int_equal(status, nth == 0 ? OTO_OK : OTO_ERR_MEMORY);
        n = nth == 0 ? n_made : n;
        assert_true(n > 20);
        oto_samples_clear(&s);
        oto_recordings_clear(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_audio_by_name),
        cmocka_unit_test(loops),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
