/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "toy_corpus.h"
#include "training/checkpoint.h"

enum { N = 1000 };

static char folder[64];
static float numbers[4][N];
static struct toy_log *log_text;

static int make(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < N; i++)
            numbers[k][i] = (float)oto_rng_normal(1, (uint64_t)k, (uint64_t)i);
    log_text = malloc(sizeof *log_text);
    unit_make_folder(folder);
    return log_text ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    free(log_text);
    unit_remove_folder(folder);
    return 0;
}

static struct oto_checkpoint checkpoint(uint64_t step, bool ema)
{
    return (struct oto_checkpoint){
        .state = {.step = step,
                  .epoch = 2,
                  .position = 3,
                  .n_skipped = 4,
                  .updates = 5,
                  .loss_sum = 0.1,
                  .loss_labels = 7,
                  .audio_s = 8.5,
                  .wall_s = 9.5,
                  .total_wall_s = 10.5,
                  .best_cer = 0.25,
                  .best_wer = 0.75,
                  .best_loss = 1.5,
                  .best_epoch = 1,
                  .metrics_bytes = 99},
        .recipe = "layers = 2\nlr = 0.1\n",
        .fingerprint = 0xABCDEF0123456789u,
        .n = N,
        .params = numbers[0],
        .m = numbers[1],
        .v = numbers[2],
        .ema = ema ? numbers[3] : NULL,
        .n_best = ema ? 3 : 0,
        .best = {{4, 0.5, 0.75, 1.5}, {2, 0.25, 0.5, 2.5}, {3, 0.125, 1, 0.5}},
        .best_weights = numbers[0],
    };
}

static void save(uint64_t step, int keep)
{
    oto_error err = {0};
    struct oto_checkpoint c = checkpoint(step, true);
    if (oto_checkpoint_save(&c, folder, keep, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

/* A file as version 2 wrote it: without the last two sections. */
static void reads_version_2(void **state)
{
    (void)state;
    enum { ENTRY = 40, HEADER = 24, OLD = 6 };
    struct oto_checkpoint a = checkpoint(77, true), b;
    oto_error err = {0};
    size_t n;
    assert_int_equal(oto_checkpoint_save(&a, folder, 1, NULL), OTO_OK);
    unsigned char *data = toy_read(folder, "checkpoint.bin", &n);
    assert_non_null(data);
    uint64_t sum = oto_checksum(data + HEADER, OLD * ENTRY);
    data[8] = 2;
    data[12] = OLD;
    for (int i = 0; i < 8; i++)
        data[16 + i] = (unsigned char)(sum >> (8 * i));
    toy_write(folder, "checkpoint.bin", data, n);
    if (oto_checkpoint_load(&b, folder, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(b.n_best, 0);
    assert_null(b.best_weights);
    assert_int_equal(b.state.step, 77);
    assert_memory_equal(b.ema, numbers[3], sizeof numbers[3]);
    oto_checkpoint_close(&b);
    data[8] = 3; /* but version 3 has them */
    toy_write(folder, "checkpoint.bin", data, n);
    assert_int_equal(oto_checkpoint_load(&b, folder, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "6 sections, expected 8");
    free(data);
}

static void gives_back_what_was_saved(void **state)
{
    (void)state;
    for (int ema = 0; ema < 2; ema++) {
        struct oto_checkpoint a = checkpoint(77, ema == 1), b;
        assert_int_equal(oto_checkpoint_save(&a, folder, 1, NULL), OTO_OK);
        assert_int_equal(oto_checkpoint_load(&b, folder, NULL), OTO_OK);
        assert_memory_equal(&a.state, &b.state, sizeof a.state);
        assert_string_equal(a.recipe, b.recipe);
        assert_true(a.fingerprint == b.fingerprint && b.n == N);
        assert_memory_equal(a.params, b.params, sizeof numbers[0]);
        assert_memory_equal(a.m, b.m, sizeof numbers[0]);
        assert_memory_equal(a.v, b.v, sizeof numbers[0]);
        assert_int_equal(b.ema != NULL, ema);
        if (ema)
            assert_memory_equal(a.ema, b.ema, sizeof numbers[0]);
        assert_int_equal(b.n_best, a.n_best);
        assert_memory_equal(a.best, b.best, (size_t)a.n_best * sizeof *a.best);
        if (ema)
            assert_memory_equal(b.best_weights, numbers, 3 * sizeof numbers[0]);
        oto_checkpoint_close(&b);
    }
    oto_checkpoint_remove(folder);
    assert_false(oto_checkpoint_exists(folder));
}

static uint64_t step_of(const char *name)
{
    struct oto_checkpoint c;
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    uint64_t step = oto_checkpoint_read(&c, path, NULL) == OTO_OK ? c.state.step : 0;
    oto_checkpoint_close(&c);
    return step;
}

static void keeps_as_many_as_asked(void **state)
{
    (void)state;
    for (uint64_t step = 1; step <= 5; step++)
        save(step, 3);
    assert_int_equal(step_of("checkpoint.bin"), 5);
    assert_int_equal(step_of("checkpoint-1.bin"), 4);
    assert_int_equal(step_of("checkpoint-2.bin"), 3);
    assert_int_equal(step_of("checkpoint-3.bin"), 0);
    oto_checkpoint_remove(folder);
}

static unsigned char *read_newest(size_t *n)
{
    unsigned char *data = toy_read(folder, "checkpoint.bin", n);
    assert_non_null(data);
    return data;
}

static oto_status read_bytes(const unsigned char *data, size_t n, oto_error *err)
{
    struct oto_checkpoint c;
    char path[200];
    toy_write(folder, "damaged.bin", data, n);
    snprintf(path, sizeof path, "%s/damaged.bin", folder);
    oto_status status = oto_checkpoint_read(&c, path, err);
    if (status == OTO_OK)
        oto_checkpoint_close(&c);
    return status;
}

static void refuses_every_cut(void **state)
{
    (void)state;
    size_t n;
    save(1, 1);
    unsigned char *data = read_newest(&n);
    for (size_t cut = 0; cut < n; cut += cut < 400 ? 1 : 97) {
        oto_error err = {0};
        oto_status status = read_bytes(data, cut, &err);
        if (status == OTO_OK) /* only the padding behind the last section may be missing */
            assert_true(n - cut < 64);
        else
            assert_contains(err.message, "damaged.bin");
    }
    free(data);
}

static void refuses_every_flipped_bit(void **state)
{
    (void)state;
    size_t n, n_harmless = 0;
    save(1, 1);
    unsigned char *data = read_newest(&n);
    for (size_t i = 0; i < n; i += i < 400 ? 1 : 31) {
        oto_error err = {0};
        unsigned char bit = (unsigned char)(1u << (i % 8));
        data[i] ^= bit;
        if (read_bytes(data, n, &err) == OTO_OK)
            n_harmless++; /* padding between sections */
        else
            assert_contains(err.message, "damaged.bin");
        data[i] ^= bit;
    }
    assert_true(n_harmless < 64);
    oto_error err = {0};
    data[n / 2] ^= 1;
    assert_int_equal(read_bytes(data, n, &err), OTO_ERR_CHECKSUM);
    assert_contains(err.message, "section '");
    assert_contains(err.message, "at offset ");
    data[n / 2] ^= 1;
    data[8] = 9;
    assert_int_equal(read_bytes(data, n, &err), OTO_ERR_VERSION);
    assert_contains(err.message, "version 9");
    free(data);
}

static void falls_back_to_the_one_before(void **state)
{
    (void)state;
    size_t n;
    oto_error err = {0};
    struct oto_checkpoint c;
    oto_checkpoint_remove(folder);
    assert_int_equal(oto_checkpoint_load(&c, folder, &err), OTO_ERR_NOT_FOUND);
    save(1, 3);
    save(2, 3);
    save(3, 3);
    unsigned char *data = read_newest(&n);
    data[n - 100] ^= 1;
    toy_write(folder, "checkpoint.bin", data, n);
    toy_write(folder, "checkpoint-1.bin", data, n / 2);
    free(data);
    toy_log_catch(log_text);
    assert_int_equal(oto_checkpoint_load(&c, folder, &err), OTO_OK);
    assert_int_equal(c.state.step, 1);
    oto_checkpoint_close(&c);
    assert_contains(log_text->text, "/checkpoint.bin: section 'best.weights'");
    assert_contains(log_text->text, "/checkpoint-1.bin: ");
    assert_contains(log_text->text, "going on from the older checkpoint");
    toy_write_text(folder, "checkpoint-2.bin", "rubbish");
    assert_int_equal(oto_checkpoint_load(&c, folder, &err),
                     OTO_ERR_CHECKSUM); /* the newest one's error */
    assert_contains(err.message, "/checkpoint.bin");
    oto_checkpoint_remove(folder);
}

/* A process that saves without pause is killed at 40 moments: something good is always there, and
 * never goes back. */
static void survives_kill(void **state)
{
    (void)state;
    uint64_t last = 0;
    save(1, 2);
    for (int round = 0; round < 40; round++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (uint64_t step = last + 1;; step++) {
                struct oto_checkpoint c = checkpoint(step, true);
                if (oto_checkpoint_save(&c, folder, 2, NULL) != OTO_OK)
                    _exit(1);
            }
        }
        struct timespec pause = {0, 2000000 + 700000 * round};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
        int status;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        struct oto_checkpoint c;
        oto_error err = {0};
        if (oto_checkpoint_load(&c, folder, &err) != OTO_OK)
            fail_msg("%s", err.message);
        assert_true(c.state.step >= last);
        last = c.state.step;
        oto_checkpoint_close(&c);
    }
    assert_true(last > 1);
    oto_checkpoint_remove(folder);
}

static void reports_what_cannot_be_written(void **state)
{
    (void)state;
    oto_error err = {0};
    struct oto_checkpoint c = checkpoint(1, false);
    assert_true(oto_checkpoint_save(&c, "/nowhere", 2, &err) != OTO_OK);
    assert_contains(err.message, "/nowhere/checkpoint.bin");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_saved),
        cmocka_unit_test(reads_version_2),
        cmocka_unit_test(keeps_as_many_as_asked),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(falls_back_to_the_one_before),
        cmocka_unit_test(survives_kill),
        cmocka_unit_test(reports_what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
