/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"
#include "features/frontend_options.h"
#include "toy_corpus.h"
#include "training/noises.h"

static char folder[64], cache[64];
static struct oto_frontend_options frontend;
static struct oto_feature_cache_options options = {.frontend = &frontend, .max_messages = 3};

static int make(void **state)
{
    (void)state;
    size_t n;
    unit_make_folder(folder);
    unit_make_folder(cache);
    float *x = toy_speak("abcab", 1, 1, &n);
    toy_write_wav(folder, "long.wav", x, n);
    toy_write_wav(folder, "short.wav", x, 100); /* less than a frame */
    free(x);
    return oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, NULL);
}

static int clean(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    unit_remove_folder(cache);
    return 0;
}

/* The energies are those of the front end, whatever features the network reads. */
static void holds_log_mel_energies(void **state)
{
    (void)state;
    struct oto_noises noises = {0};
    struct oto_frontend *fe;
    struct oto_samples s = {0};
    size_t n;
    oto_error err;
    assert_int_equal(oto_noises_load(&noises, folder, cache, &options, NULL, &err), OTO_OK);
    assert_int_equal(noises.files.n, 2);
    assert_int_equal(frontend.kind, OTO_FEATURE_MFCC);
    frontend.kind = OTO_FEATURE_FBANK;
    assert_int_equal(oto_frontend_create(&fe, &frontend, NULL, OTO_FFT_AUTO, NULL), OTO_OK);
    assert_int_equal(oto_samples_read(&s, noises.files.items[0].path, 16000, 0, 0, NULL), OTO_OK);
    oto_frontend_reset(fe, 0);
    assert_int_equal(oto_frontend_push(fe, s.x, s.n, NULL), OTO_OK);
    assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
    const float *expected = oto_frontend_static(fe, &n);
    assert_int_equal(noises.items[0].n, n);
    for (size_t i = 0; i < n * (size_t)frontend.n_mels; i++)
        assert_true(noises.items[0].log_mels[i] == expected[i]);
    assert_int_equal(noises.items[1].n, 0);
    frontend.kind = OTO_FEATURE_MFCC;
    oto_samples_clear(&s);
    oto_frontend_destroy(fe);
    oto_noises_clear(&noises);
}

static void names_what_is_wrong(void **state)
{
    (void)state;
    struct oto_noises noises = {0};
    oto_error err;
    assert_int_equal(oto_noises_load(&noises, "/no/such/folder", cache, &options, NULL, &err),
                     OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "perturb: noise: /no/such/folder");
    oto_noises_clear(&noises);
    assert_int_equal(oto_noises_load(&noises, folder, "/no/such/folder", &options, NULL, &err),
                     OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "/no/such/folder");
    oto_noises_clear(&noises);
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    for (size_t nth = 0, n = 0; nth <= n; nth++) {
        struct oto_noises noises = {0};
        oto_mem_fail_nth(nth);
        oto_status status = oto_noises_load(&noises, folder, cache, &options, NULL, NULL);
        size_t n_made = oto_mem_fail_nth(0);
        /* a cache that could not be read for want of memory is made again */
        assert_true(status == OTO_OK || (nth > 0 && status == OTO_ERR_MEMORY));
        n = nth == 0 ? n_made : n;
        assert_true(n > 10);
        oto_noises_clear(&noises);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_log_mel_energies),
        cmocka_unit_test(names_what_is_wrong),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
