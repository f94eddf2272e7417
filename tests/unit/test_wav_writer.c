/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"
#include "cli/wav_writer.h"
#include "otolith/audio.h"

static char folder[64], path[96];

/* Reads the file as anybody would; *n samples. */
static void read_back(float *samples, size_t capacity, size_t *n)
{
    oto_audio *audio = NULL;
    oto_error err = {OTO_OK, ""};
    oto_audio_info info;
    if (oto_audio_open(&audio, path, NULL, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(oto_audio_read(audio, samples, capacity, n, &err), OTO_OK);
    oto_audio_get_info(audio, &info);
    assert_int_equal(info.source_rate_hz, 8000);
    assert_int_equal(info.n_channels, 1);
    assert_string_equal(info.warning, "");
    oto_audio_close(audio);
}

static void test_grows(void **state)
{
    (void)state;
    oto_error err = {OTO_OK, ""};
    struct oto_wav_writer *w = NULL;
    static float in[3000], out[8000];
    for (int i = 0; i < 3000; i++)
        in[i] = (float)(i - 1500) / 32768;
    in[7] = 2;
    in[8] = -2;
    assert_int_equal(oto_wav_writer_open(&w, path, 8000, &err), OTO_OK);
    for (size_t k = 1; k <= 2; k++) { /* whole after each write, while still open */
        size_t n = 0;
        assert_int_equal(oto_wav_writer_write(w, in, 3000, &err), OTO_OK);
        read_back(out, 8000, &n);
        assert_int_equal(n, 3000 * k);
        for (size_t i = 0; i < n; i++) {
            float expected = i % 3000 == 7 ? 32767.0f / 32768 : i % 3000 == 8 ? -1 : in[i % 3000];
            assert_true(out[i] == expected);
        }
    }
    assert_int_equal(oto_wav_writer_close(w, &err), OTO_OK);
    assert_int_equal(oto_wav_writer_close(NULL, &err), OTO_OK);
}

static void test_errors(void **state)
{
    (void)state;
    oto_error err = {OTO_OK, ""};
    struct oto_wav_writer *w = NULL;
    assert_int_equal(oto_wav_writer_open(&w, "/nowhere/at/all.wav", 8000, &err), OTO_ERR_IO);
    assert_null(w);
    assert_contains(err.message, "/nowhere/at/all.wav: cannot be created");
    assert_int_equal(oto_wav_writer_open(&w, "/dev/full", 8000, &err), OTO_ERR_IO);
    assert_null(w);
    assert_contains(err.message, "cannot be written");
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_wav_writer_open(&w, path, 8000, &err), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_int_equal(oto_wav_writer_close(w, &err), OTO_OK);
    for (size_t nth = 1; nth <= n; nth++) {
        (void)oto_mem_fail_nth(nth);
        assert_int_equal(oto_wav_writer_open(&w, path, 8000, &err), OTO_ERR_MEMORY);
        assert_null(w);
    }
    (void)oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_errors),
    };
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/a.wav", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unit_remove_folder(folder);
    return failed;
}
