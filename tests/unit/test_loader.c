/* SPDX-License-Identifier: BSD-2-Clause */
/* Batches made ahead are those that are made when they are asked for, in the same order, and no
 * more of them are held than was said. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "features/cmvn.h"
#include "toy_corpus.h"
#include "training/loader.h"

enum { N_PARTS = 4 };

static char folder[64];
static struct oto_frontend_options frontend, sliding;
static struct oto_cmvn_stats stats; /* of nothing in particular */
static const struct oto_chunking chunking = {0.4, 4, 7, 0, 2};
static struct oto_perturb perturb;
static struct oto_dataset *ds;
static struct oto_batch_plan plan;
static struct oto_alphabet *alphabet;

static void make_stats(void)
{
    assert_int_equal(oto_cmvn_stats_init(&stats, frontend.n_ceps, NULL), OTO_OK);
    stats.count = 1000;
    for (int d = 0; d < stats.dim; d++) {
        stats.sum[d] = 1000;
        stats.sum_squares[d] = 5000;
    }
}

static int make_dataset(void **state)
{
    (void)state;
    char list[200];
    const struct oto_corpus_options corpus = {.max_messages = 5, .check_audio = true};
    const struct oto_text_policy policy = {0};
    const char *const letters[TOY_LETTERS] = {"a", "b", "c", "d", "e"};
    const double speeds[] = {0.9, 1.0};
    struct oto_frontend_options energies;
    unit_make_folder(folder);
    toy_corpus(folder, "train", 23, 1);
    snprintf(list, sizeof list, "%s/train.tsv*2", folder);
    assert_int_equal(
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, NULL), 0);
    sliding = frontend;
    sliding.cmvn = OTO_CMVN_SLIDING;
    sliding.cmvn_window = OTO_CMVN_ENDLESS;
    make_stats();
    assert_int_equal(oto_alphabet_create(&alphabet, letters, TOY_LETTERS, &policy, NULL), OTO_OK);
    assert_int_equal(
        oto_perturb_parse(&perturb, "warp:0.5:0.9:1.1,noise:0.8:5:30", &frontend, NULL), OTO_OK);
    assert_int_equal(oto_dataset_create(&ds, "train", list, &corpus, 0, 0, NULL), OTO_OK);
    assert_int_equal(oto_dataset_encode(ds, alphabet, OTO_UNKNOWN_ERROR, NULL), OTO_OK);
    energies = frontend;
    energies.kind = OTO_FEATURE_FBANK;
    ds->perturb = &perturb;
    const struct oto_feature_cache_options cache = {
        .frontend = &energies, .speeds = speeds, .n_speeds = 2, .max_messages = 5};
    assert_int_equal(oto_dataset_features(ds, folder, &cache, NULL, NULL), OTO_OK);
    const struct oto_plan_input input = {ds->corpus->n, 2, ds->n_frames, ds->repeats,
                                         ds->min_frames};
    const struct oto_plan_options options = {.seed = 3, .max_frames = 150, .tempo = 0.1};
    assert_int_equal(oto_batch_plan_make(&plan, &input, &options, 0, NULL), OTO_OK);
    if (plan.n_batches < 6)
        fail_msg("only %zu batches", plan.n_batches);
    return 0;
}

static int remove_dataset(void **state)
{
    (void)state;
    oto_batch_plan_clear(&plan);
    oto_dataset_destroy(ds);
    oto_alphabet_destroy(alphabet);
    oto_cmvn_stats_clear(&stats);
    unit_remove_folder(folder);
    return 0;
}

/* Parts 0 and 3 of every batch, masks on. */
static struct oto_load_order make_order(void)
{
    return (struct oto_load_order){
        .ds = ds,
        .plan = &plan,
        .step = 1,
        .n_parts = N_PARTS,
        .n_views = 1,
        .n_ranges = 2,
        .range_parts = 1,
        .first_parts = {0, 3},
        .masked = true,
        .masks = {.time_masks = 1, .time_mask_frames = 9, .scale = 1, .noise = 0.2},
        .seed = 5,
        .epoch = 2,
        .sliding = &chunking,
        .first_step = 11,
    };
}

/* Every part made on its own; those of steps in chunks are normalised otherwise. */
static void assert_part(struct oto_assembler *a, const struct oto_load_order *o, size_t batch,
                        int part, const struct oto_batch *found)
{
    struct oto_batch expected = {0};
    struct oto_network_chunks chunks;
    const uint64_t step = o->first_step + (batch - o->first) / o->step;
    const bool chunked = oto_chunking_draw(&chunking, o->seed, step, &chunks);
    const struct oto_batch_spec spec = {.ds = o->ds,
                                        .items = plan.items + plan.starts[batch],
                                        .n = plan.starts[batch + 1] - plan.starts[batch],
                                        .n_parts = o->n_parts,
                                        .n_views = o->n_views,
                                        .part = part,
                                        .masks = o->masked ? &o->masks : NULL,
                                        .seed = o->seed,
                                        .epoch = o->epoch,
                                        .sliding = chunked};
    assert_int_equal(oto_assemble(a, &expected, &spec, NULL), OTO_OK);
    assert_int_equal(found->n, expected.n);
    if (expected.n > 0) {
        assert_int_equal(found->seqs.n_rows, expected.seqs.n_rows);
        assert_memory_equal(found->x, expected.x,
                            expected.seqs.n_rows * (size_t)oto_assembler_dim(a) * sizeof(float));
    }
    oto_batch_clear(&expected);
}

static void gives_the_same_in_the_same_order(void **state)
{
    (void)state;
    struct oto_assembler *a;
    assert_int_equal(oto_assembler_create(&a, &frontend, &sliding, &stats, NULL, NULL), OTO_OK);
    for (int n_threads = 0; n_threads < 4; n_threads++) {
        struct oto_loader *loader;
        const struct oto_batch *batch;
        struct oto_load_order o = make_order();
        o.n_views = 1 + n_threads % 2;
        double waited_s = -1;
        assert_int_equal(
            oto_loader_create(&loader, n_threads, &frontend, &sliding, &stats, NULL, NULL), OTO_OK);
        for (size_t first = 0; first < 3; first++)
            for (size_t step = 1; step < 3; step++) {
                o.first = first;
                o.step = step;
                oto_loader_start(loader, &o);
                for (size_t k = first; k < plan.n_batches; k += step)
                    for (int part = 0; part <= 3; part += 3) {
                        assert_int_equal(oto_loader_next(loader, &batch, &waited_s, NULL), OTO_OK);
                        assert_part(a, &o, k, part, batch);
                        assert_true(waited_s >= 0);
                    }
            }
        oto_loader_destroy(loader);
    }
    oto_assembler_destroy(a);
}

/* The first view is what there is without a second, the second is the same at another chance. */
static void shows_two_views(void **state)
{
    (void)state;
    struct oto_assembler *a;
    struct oto_batch one = {0}, two = {0};
    const struct oto_load_order o = make_order();
    struct oto_batch_spec spec = {.ds = ds,
                                  .items = plan.items,
                                  .n = plan.starts[1],
                                  .n_parts = 1,
                                  .n_views = 1,
                                  .masks = &o.masks,
                                  .seed = o.seed,
                                  .epoch = o.epoch};
    assert_int_equal(oto_assembler_create(&a, &frontend, NULL, &stats, NULL, NULL), OTO_OK);
    size_t dim = (size_t)oto_assembler_dim(a);
    assert_int_equal(oto_assemble(a, &one, &spec, NULL), OTO_OK);
    spec.n_views = 2;
    assert_int_equal(oto_assemble(a, &two, &spec, NULL), OTO_OK);
    assert_true(one.n > 1);
    assert_int_equal(two.n, 2 * one.n);
    for (int b = 0; b < one.n; b++) {
        int n_same = 0;
        for (int view = 0; view < 2; view++) {
            assert_int_equal(two.items[2 * b + view].utt, one.items[b].utt);
            assert_int_equal(two.items[2 * b + view].view, view);
            assert_int_equal(two.lengths[2 * b + view], one.lengths[b]);
        }
        for (int t = 0; t < one.lengths[b]; t++) {
            const float *x = one.x + oto_sequences_row(&one.seqs, t, b) * dim;
            assert_memory_equal(two.x + oto_sequences_row(&two.seqs, t, 2 * b) * dim, x,
                                dim * sizeof *x);
            n_same += memcmp(two.x + oto_sequences_row(&two.seqs, t, 2 * b + 1) * dim, x,
                             dim * sizeof *x) == 0;
        }
        assert_true(n_same < one.lengths[b] / 2); /* noise is everywhere but under masks of both */
    }
    oto_batch_clear(&one);
    oto_batch_clear(&two);
    oto_assembler_destroy(a);
}

/* Row by row as its definition says: the prior of 200 frames beside all that was heard. */
static void normalises_as_live(void **state)
{
    (void)state;
    struct oto_frontend_options plain = frontend;
    struct oto_frontend *fe;
    const size_t n = 40, dim = (size_t)frontend.n_ceps;
    float statics[40 * 64] = {0}, expected[40 * 64], found[40 * 64];
    double sums[128] = {0};
    plain.stack = plain.stride = 1;
    plain.cmvn = OTO_CMVN_SLIDING;
    plain.cmvn_window = OTO_CMVN_ENDLESS;
    assert_in_range(dim, 1, 64);
    for (size_t i = 0; i < n * dim; i++)
        statics[i] = (float)((i * 7919) % 101) / 9;
    for (size_t t = 0; t < n; t++)
        for (size_t d = 0; d < dim; d++) {
            const double x = (double)statics[t * dim + d];
            sums[d] += x;
            sums[64 + d] += x * x;
            const double count = 200 + (double)t + 1, mean = (200 * 1 + sums[d]) / count;
            const double variance = (200 * 5 + sums[64 + d]) / count - mean * mean;
            expected[t * dim + d] = (float)((x - mean) / sqrt(variance));
        }
    assert_int_equal(oto_frontend_create(&fe, &plain, &stats, OTO_FFT_KISS, NULL), OTO_OK);
    assert_int_equal(oto_frontend_apply(fe, found, statics, n, NULL, NULL, NULL), OTO_OK);
    for (size_t i = 0; i < n * dim; i++)
        assert_float_equal(found[i], expected[i], 1e-5f);
    oto_frontend_destroy(fe);
}

/* In the middle of an order, at its start, without having taken anything. */
static void stops_at_any_moment(void **state)
{
    (void)state;
    struct oto_assembler *a;
    struct oto_loader *loader;
    const struct oto_batch *batch;
    const struct oto_load_order o = make_order();
    double waited_s;
    assert_int_equal(oto_assembler_create(&a, &frontend, &sliding, &stats, NULL, NULL), OTO_OK);
    assert_int_equal(oto_loader_create(&loader, 2, &frontend, &sliding, &stats, NULL, NULL),
                     OTO_OK);
    oto_loader_stop(loader);
    for (int taken = 0; taken < 7; taken++) {
        oto_loader_start(loader, &o);
        for (int k = 0; k < taken; k++)
            assert_int_equal(oto_loader_next(loader, &batch, &waited_s, NULL), OTO_OK);
        if (taken > 0)
            assert_part(a, &o, (size_t)(taken - 1) / 2, (taken - 1) % 2 * 3, batch);
        if (taken % 2)
            oto_loader_stop(loader);
    }
    oto_loader_start(loader, &o);
    oto_loader_destroy(loader); /* while threads are at work */
    oto_assembler_destroy(a);
}

/* Making a loader, and each of the first parts. */
static void survives_lack_of_memory(void **state)
{
    (void)state;
    const struct oto_load_order o = make_order();
    for (int n_threads = 0; n_threads < 2; n_threads++) {
        bool done = false;
        for (size_t nth = 1; !done; nth++) {
            struct oto_loader *loader;
            const struct oto_batch *batch;
            double waited_s;
            oto_error err = {0};
            assert_true(nth < 500);
            oto_mem_fail_nth(nth);
            oto_status status =
                oto_loader_create(&loader, n_threads, &frontend, &sliding, &stats, NULL, &err);
            if (status == OTO_OK)
                oto_loader_start(loader, &o);
            for (int k = 0; k < 8 && status == OTO_OK; k++)
                status = oto_loader_next(loader, &batch, &waited_s, &err);
            oto_loader_destroy(loader);
            done = oto_mem_fail_nth(0) < nth;
            if (status != OTO_OK) {
                assert_int_equal(status, OTO_ERR_MEMORY);
                assert_contains(err.message, "memory");
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_same_in_the_same_order),
        cmocka_unit_test(shows_two_views),
        cmocka_unit_test(normalises_as_live),
        cmocka_unit_test(stops_at_any_moment),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make_dataset, remove_dataset);
}
