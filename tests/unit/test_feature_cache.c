/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>
#include <unistd.h>

#include "base/mem.h"
#include "toy_corpus.h"
#include "training/feature_cache.h"

enum { N = 150 /* more than one chunk */, SPEEDS = 3 };

static char folder[64], names[N][100], ids[N][20], wheres[N][40];
static struct oto_feature_item items[N];
static struct oto_frontend_options frontend;
static const double speeds[SPEEDS] = {1.0, 0.8, 1.25};
static struct oto_pool *pool;
static struct toy_log *log_text;

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    for (int i = 0; i < N; i++) {
        char file[20];
        size_t n;
        float *samples = toy_speak(i % 2 ? "abc" : "de", 1, (uint64_t)i, &n);
        snprintf(file, sizeof file, "%d.wav", i);
        toy_write_wav(folder, file, samples, n);
        free(samples);
        snprintf(names[i], sizeof names[i], "%s/%s", folder, file);
        snprintf(ids[i], sizeof ids[i], "utt%d", i);
        snprintf(wheres[i], sizeof wheres[i], "list.tsv:%d", i + 2);
        items[i] = (struct oto_feature_item){.id = ids[i], .path = names[i], .where = wheres[i]};
    }
    log_text = malloc(sizeof *log_text);
    if (oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, NULL) !=
        OTO_OK)
        return -1;
    return log_text && oto_pool_create(&pool, 2, NULL) == OTO_OK ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    free(log_text);
    oto_pool_destroy(pool);
    unit_remove_folder(folder);
    return 0;
}

static struct oto_feature_cache_options options(bool half)
{
    return (struct oto_feature_cache_options){.frontend = &frontend,
                                              .speeds = speeds,
                                              .n_speeds = SPEEDS,
                                              .half = half,
                                              .max_messages = 20};
}

static struct oto_feature_cache *open_cache(const struct oto_feature_cache_options *o, size_t n,
                                            bool *reused)
{
    struct oto_feature_cache *cache;
    oto_error err = {0};
    if (oto_feature_cache_open(&cache, folder, items, n, o, pool, reused, &err) != OTO_OK)
        fail_msg("%s", err.message);
    return cache;
}

/* Speed 1 is what the front end gives for the samples; the file holds it to the bit, or to half
 * precision. */
static void holds_the_front_ends_vectors(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        struct oto_feature_cache_options o = options(half == 1);
        struct oto_feature_cache *cache = open_cache(&o, N, NULL);
        struct oto_frontend *fe;
        assert_int_equal(oto_frontend_create(&fe, &frontend, NULL, OTO_FFT_AUTO, NULL), OTO_OK);
        assert_int_equal(oto_feature_cache_dim(cache), oto_frontend_static_dim(fe));
        for (int i = 0; i < N; i += 7) {
            size_t n, n_static, n_values;
            float *samples = toy_speak(i % 2 ? "abc" : "de", 1, (uint64_t)i, &n);
            for (size_t k = 0; k < n; k++) /* as the WAV file holds them */
                samples[k] = (float)lrintf(samples[k] * 32767) / 32768;
            oto_frontend_reset(fe, 0);
            assert_int_equal(oto_frontend_push(fe, samples, n, NULL), OTO_OK);
            assert_int_equal(oto_frontend_finish(fe, NULL), OTO_OK);
            const float *expected = oto_frontend_static(fe, &n_static);
            assert_int_equal(oto_feature_cache_n_static(cache, (size_t)i, 0), n_static);
            n_values = n_static * (size_t)oto_feature_cache_dim(cache);
            float *found = oto_calloc(n_values, sizeof *found);
            assert_int_equal(oto_feature_cache_read(cache, (size_t)i, 0, found, NULL), OTO_OK);
            for (size_t k = 0; k < n_values; k++) {
                float bound = half ? fabsf(expected[k]) / 2048 + 1e-7f : 0;
                if (fabsf(found[k] - expected[k]) > bound)
                    fail_msg("item %d, value %zu: %g, expected %g", i, k, (double)found[k],
                             (double)expected[k]);
            }
            oto_free(found);
            free(samples);
        }
        oto_frontend_destroy(fe);
        oto_feature_cache_close(cache);
    }
}

static void speeds_change_the_length(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    struct oto_feature_cache *cache = open_cache(&o, N, NULL);
    for (size_t i = 0; i < N; i++) {
        double n = (double)oto_feature_cache_n_static(cache, i, 0);
        for (int s = 1; s < SPEEDS; s++) /* within a window's length */
            assert_true(fabs((double)oto_feature_cache_n_static(cache, i, s) * speeds[s] - n) <= 4);
    }
    oto_feature_cache_close(cache);
}

static void is_used_again_only_when_it_fits(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    bool reused;
    oto_feature_cache_close(open_cache(&o, N, &reused));
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_true(reused);
    frontend.cmvn = OTO_CMVN_NONE; /* works on what is cached */
    frontend.stack = 5;
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_true(reused);
    frontend.n_mels = 41; /* does not */
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_false(reused);
    frontend.n_mels = 40;
    oto_feature_cache_close(open_cache(&o, N - 1, &reused));
    assert_false(reused);
    const double other[SPEEDS] = {1.0, 0.8, 1.2};
    o.speeds = other;
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_false(reused);
    o = options(true);
    const int n_ceps = frontend.n_ceps;
    frontend.kind = OTO_FEATURE_FBANK; /* cepstra of cached energies are made anew each time */
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_false(reused);
    frontend.n_ceps = n_ceps - 1;
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_true(reused);
    frontend.kind = OTO_FEATURE_MFCC;
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_false(reused);
    frontend.n_ceps = n_ceps;
    size_t n; /* an audio file that has changed */
    float *samples = toy_speak("edcba", 1, 1, &n);
    toy_write_wav(folder, "3.wav", samples, n);
    free(samples);
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_false(reused);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    struct oto_feature_cache *cache = open_cache(&o, 20, NULL);
    size_t n, m;
    const char *name = strrchr(oto_feature_cache_path(cache), '/') + 1;
    unsigned char *a = toy_read(folder, name, &n);
    assert_int_equal(unlink(oto_feature_cache_path(cache)), 0);
    struct oto_pool *pool_of_two = pool;
    pool = NULL;
    struct oto_feature_cache *again = open_cache(&o, 20, NULL);
    pool = pool_of_two;
    unsigned char *b = toy_read(folder, name, &m);
    assert_true(a && b && n == m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
    oto_feature_cache_close(again);
    oto_feature_cache_close(cache);
}

/* Copies come after the speeds, are the same on any number of threads, and their number, seed and
 * changes make another file. */
static void copies_are_changed_alike_everywhere(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    struct oto_perturb perturb;
    bool reused;
    assert_int_equal(oto_perturb_parse(&perturb, "speed:1:0.8:0.9,room:0.7:0.1:0.2,codec:0.5:9:20",
                                       &frontend, NULL),
                     OTO_OK);
    struct oto_wave *wave;
    assert_int_equal(oto_wave_create(&wave, &perturb, NULL), OTO_OK);
    struct oto_feature_cache *plain = open_cache(&o, 20, NULL);
    o.wave = wave;
    o.n_copies = 2;
    o.seed = 5;
    assert_int_equal(oto_feature_n_variants(&o), SPEEDS + 2);
    struct oto_feature_cache *cache = open_cache(&o, 20, &reused);
    assert_false(reused);
    int n_differ = 0;
    for (size_t i = 0; i < 20; i++) {
        size_t n = oto_feature_cache_n_static(cache, i, 0),
               slower = oto_feature_cache_n_static(cache, i, SPEEDS),
               other = oto_feature_cache_n_static(cache, i, SPEEDS + 1);
        for (int s = 0; s < SPEEDS; s++)
            assert_int_equal(oto_feature_cache_n_static(cache, i, s),
                             oto_feature_cache_n_static(plain, i, s));
        assert_true((double)slower > 1.05 * (double)n && (double)slower < 1.3 * (double)n);
        n_differ += slower != other;
    }
    assert_true(n_differ > 10);
    size_t n, m;
    const char *name = strrchr(oto_feature_cache_path(cache), '/') + 1;
    unsigned char *a = toy_read(folder, name, &n);
    assert_int_equal(unlink(oto_feature_cache_path(cache)), 0);
    struct oto_pool *pool_of_two = pool;
    pool = NULL;
    struct oto_feature_cache *again = open_cache(&o, 20, &reused);
    pool = pool_of_two;
    assert_false(reused);
    unsigned char *b = toy_read(folder, name, &m);
    assert_true(a && b && n == m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
    oto_feature_cache_close(again);
    oto_feature_cache_close(cache);
    oto_feature_cache_close(plain);
    oto_feature_cache_close(open_cache(&o, 20, &reused));
    assert_true(reused);
    for (int k = 0; k < 3; k++) {
        o.seed = k == 0 ? 6 : 5;
        o.n_copies = k == 1 ? 1 : 2;
        perturb.kinds[OTO_PERTURB_ROOM].high = k == 2 ? 0.3 : 0.2;
        oto_feature_cache_close(open_cache(&o, 20, &reused));
        assert_false(reused);
    }
    oto_wave_destroy(wave);
    oto_perturb_clear(&perturb);
}

/* A file that changes or is cut while it is in use is an error of the read, not a crash. */
static void damage_is_seen_at_each_read(void **state)
{
    (void)state;
    float found[20000];
    for (int half = 0; half < 2; half++) {
        struct oto_feature_cache_options o = options(half);
        o.unverified = true;
        struct oto_feature_cache *cache = open_cache(&o, 4, NULL);
        oto_error err = {0};
        const char *path = oto_feature_cache_path(cache), *name = strrchr(path, '/') + 1;
        assert_int_equal(oto_feature_cache_read(cache, 0, 0, found, &err), OTO_OK);
        size_t n;
        unsigned char *data = toy_read(folder, name, &n);
        data[80] ^= 1;
        FILE *f = fopen(path, "r+b"); /* in place */
        assert_non_null(f);
        assert_int_equal(fwrite(data, 1, n, f), n);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(oto_feature_cache_read(cache, 0, 0, found, &err), OTO_ERR_CHECKSUM);
        assert_contains(err.message, name);
        assert_int_equal(oto_feature_cache_read(cache, 1, 0, found, &err), OTO_OK);
        assert_int_equal(truncate(path, 100), 0);
        assert_int_equal(oto_feature_cache_read(cache, 1, 0, found, &err), OTO_ERR_IO);
        assert_contains(err.message, "ends at offset");
        assert_int_equal(unlink(path), 0);
        oto_feature_cache_close(cache);
        free(data);
    }
}

static void damage_is_seen_and_repaired(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    struct oto_feature_cache *cache = open_cache(&o, 4, NULL);
    char path[200];
    snprintf(path, sizeof path, "%s", oto_feature_cache_path(cache));
    const char *name = strrchr(path, '/') + 1;
    uint64_t key = strtoull(name + strlen("features-"), NULL, 16);
    oto_feature_cache_close(cache);
    size_t n;
    unsigned char *data = toy_read(folder, name, &n);
    assert_non_null(data);
    size_t n_harmless = 0, n_tried = 0;
    for (size_t i = 0; i < n; i += i < 64 || i + 500 > n ? 1 : 61, n_tried++) {
        oto_error err = {0};
        data[i] ^= 16;
        toy_write(folder, name, data, n);
        if (oto_feature_cache_load(&cache, path, key, 4, SPEEDS, true, pool, &err) == OTO_OK)
            n_harmless++, oto_feature_cache_close(cache); /* padding between blocks */
        else
            assert_contains(err.message, name);
        data[i] ^= 16;
    }
    assert_true(n_harmless * 20 < n_tried);
    for (size_t cut = 0; cut < n; cut += cut < 200 || cut + 200 > n ? 1 : 301) {
        toy_write(folder, name, data, cut);
        assert_true(oto_feature_cache_load(&cache, path, key, 4, SPEEDS, true, pool, NULL) !=
                    OTO_OK);
        assert_null(cache);
    }
    data[100] ^= 1;
    toy_write(folder, name, data, n);
    toy_log_catch(log_text);
    bool reused;
    oto_feature_cache_close(open_cache(&o, 4, &reused));
    assert_false(reused);
    assert_contains(log_text->text, "checksum does not match; the features are computed again");
    oto_feature_cache_close(open_cache(&o, 4, &reused));
    assert_true(reused);
    free(data);
}

static void names_audio_that_cannot_be_used(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    struct oto_feature_cache *cache;
    oto_error err = {0};
    char saved[100];
    snprintf(saved, sizeof saved, "%s", names[1]);
    toy_write_text(folder, "text.wav", "this is no audio at all, whatever its name says\n");
    snprintf(names[1], sizeof names[1], "%s/text.wav", folder);
    toy_log_catch(log_text);
    assert_int_equal(oto_feature_cache_open(&cache, folder, items, 3, &o, pool, NULL, &err),
                     OTO_ERR_DATA);
    assert_contains(err.message, "1 audio file cannot be used");
    assert_contains(log_text->text, "list.tsv:3: ");
    assert_contains(log_text->text, "text.wav");
    o.skip_bad_audio = true;
    cache = open_cache(&o, 3, NULL);
    assert_true(oto_feature_cache_n_static(cache, 0, 0) > 0);
    assert_int_equal(oto_feature_cache_n_static(cache, 1, 0), 0);
    assert_int_equal(oto_feature_cache_n_static(cache, 1, 2), 0);
    oto_feature_cache_close(cache);
    snprintf(names[1], sizeof names[1], "%s", saved);
}

struct watch {
    size_t n_done, n_calls;
    bool stop;
};

static void on_progress(void *arg, size_t n_done, size_t n_items)
{
    struct watch *w = arg;
    assert_true(n_done > w->n_done && n_done <= n_items);
    w->n_done = n_done;
    w->n_calls++;
}

static bool on_stop(void *arg)
{
    return ((struct watch *)arg)->stop;
}

static void tells_progress_and_stops(void **state)
{
    (void)state;
    struct watch watch = {0, 0, true};
    struct oto_feature_cache_options o = options(false);
    struct oto_feature_cache *cache;
    bool reused;
    o.progress = on_progress;
    o.stop = on_stop;
    o.arg = &watch;
    frontend.n_mels = 42;
    assert_int_equal(oto_feature_cache_open(&cache, folder, items, N, &o, pool, NULL, NULL),
                     OTO_ERR_INTERRUPTED);
    assert_null(cache);
    assert_true(watch.n_done < N);
    watch = (struct watch){0, 0, false};
    oto_feature_cache_close(open_cache(&o, N, &reused));
    assert_false(reused); /* nothing half-done was left */
    assert_int_equal(watch.n_done, N);
    assert_true(watch.n_calls > 1);
    frontend.n_mels = 40;
}

/* Every allocation of a build from nothing fails once. */
static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_feature_cache_options o = options(true);
    struct oto_feature_cache *cache;
    struct oto_perturb perturb;
    struct oto_wave *wave;
    char path[200] = "";
    size_t n_total = 1;
    assert_int_equal(oto_perturb_parse(&perturb, "tempo:1:1.2:1.2", &frontend, NULL), OTO_OK);
    assert_int_equal(oto_wave_create(&wave, &perturb, NULL), OTO_OK);
    o.wave = wave;
    o.n_copies = 1;
    frontend.n_mels = 43;
    for (size_t nth = 0; nth <= n_total;
         nth++) { /* the first round counts; one thread, as the counter asks for */
        oto_mem_fail_nth(nth);
        oto_status status = oto_feature_cache_open(&cache, folder, items, 2, &o, NULL, NULL, NULL);
        size_t n = oto_mem_fail_nth(0);
        if (nth == 0) {
            assert_int_equal(status, OTO_OK);
            n_total = n;
            snprintf(path, sizeof path, "%s", oto_feature_cache_path(cache));
        }
        assert_true(status == OTO_OK || cache == NULL);
        oto_feature_cache_close(cache);
        unlink(path);
    }
    assert_true(n_total > 50);
    oto_wave_destroy(wave);
    oto_perturb_clear(&perturb);
    frontend.n_mels = 40;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_the_front_ends_vectors),
        cmocka_unit_test(speeds_change_the_length),
        cmocka_unit_test(is_used_again_only_when_it_fits),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(copies_are_changed_alike_everywhere),
        cmocka_unit_test(damage_is_seen_at_each_read),
        cmocka_unit_test(damage_is_seen_and_repaired),
        cmocka_unit_test(names_audio_that_cannot_be_used),
        cmocka_unit_test(tells_progress_and_stops),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
