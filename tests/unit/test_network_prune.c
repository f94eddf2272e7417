/* SPDX-License-Identifier: BSD-2-Clause */
/* Units that nothing reads go first, and the network computes the same without them. */
#include "network_fixture.h"

#include <stdio.h>
#include <string.h>

#include "acoustic/network_prune.h"
#include "base/mem.h"

static bool is_dead(int l, int direction, int j)
{
    return j % 3 == (l + direction) % 3;
}

/* Columns of outputs of layer l, both directions, once or twice; those of dead units are zeroed. */
static void kill_columns(const struct fixture *f, const struct oto_tensor *t, int l, int direction)
{
    const int h = f->shape.n_hidden;
    for (int i = 0; i < t->n_rows; i++)
        for (int j = 0; j < t->n_cols; j++)
            if (is_dead(l, direction < 0 ? j / h % 2 : direction, j % h))
                f->params[t->offset + (size_t)i * (size_t)t->n_cols + (size_t)j] = 0;
}

static void kill_units(const struct fixture *f)
{
    for (int k = 0; k < oto_network_n_tensors(&f->shape); k++) {
        struct oto_tensor t;
        int l = 0;
        char reverse[16] = "";
        oto_network_tensor(&f->shape, k, &t);
        if (sscanf(t.name, "lstm.weight_hh_l%d%15s", &l, reverse) >= 1)
            kill_columns(f, &t, l, reverse[0] != 0);
        else if (sscanf(t.name, "proj.weight_l%d", &l) == 1)
            kill_columns(f, &t, l, -1);
        else if (sscanf(t.name, "lstm.weight_ih_l%d", &l) == 1 && l > 0 && f->shape.n_proj == 0)
            kill_columns(f, &t, l - 1, -1);
        else if (strcmp(t.name, "output.weight") == 0)
            kill_columns(f, &t, f->shape.n_layers - 1, -1);
    }
    oto_network_set_parameters(f->net, f->params, NULL);
}

static void leaves_out_what_nothing_reads(void **state)
{
    (void)state;
    static const int lengths[] = {40, 33, 7, 1};
    const struct oto_network_shape shapes[] = {plain, projected, pyramid, paired};
    for (int s = 0; s < 4; s++) {
        struct fixture f, g;
        struct batch a, b;
        struct oto_network_shape narrow;
        float *pruned;
        set_up(&f, shapes[s]);
        kill_units(&f);
        assert_int_equal(
            oto_network_prune(&f.shape, f.params, f.shape.n_hidden / 3 * 2, &narrow, &pruned, NULL),
            OTO_OK);
        assert_int_equal(narrow.n_hidden, f.shape.n_hidden / 3 * 2);
        set_up(&g, narrow);
        oto_network_set_parameters(g.net, pruned, NULL);
        make_batch(&a, &f, lengths, 4);
        make_batch(&b, &g, lengths, 4);
        assert_int_equal(forward(&f, &a, 0, NULL, NULL), OTO_OK);
        assert_int_equal(forward(&g, &b, 0, NULL, NULL), OTO_OK);
        const size_t n_rows = oto_network_n_frames(&f.shape, 40);
        for (size_t i = 0; i < n_rows * (size_t)f.shape.n_outputs; i++)
            assert_float_equal(a.log_probs[i], b.log_probs[i], 2e-5f);
        free_batch(&a);
        free_batch(&b);
        tear_down(&g);
        tear_down(&f);
        oto_free(pruned);
    }
}

/* To one less, the unit that is left out is the lightest, wherever it is read. */
static void leaves_out_the_lightest(void **state)
{
    (void)state;
    const struct oto_network_shape shape = {3, 1, 4, 0, 2, 0};
    const size_t n = oto_network_n_parameters(&shape);
    float *params = oto_calloc(n, sizeof *params), *pruned;
    struct oto_network_shape narrow;
    struct oto_tensor hh, bias, out, t;
    assert_non_null(params);
    oto_network_tensor(&shape, 1, &hh);
    oto_network_tensor(&shape, 2, &bias);
    oto_network_tensor(&shape, 6, &out);
    assert_string_equal(hh.name, "lstm.weight_hh_l0");
    assert_string_equal(out.name, "output.weight");
    for (size_t i = 0; i < n; i++)
        params[i] = 1;
    for (int row = 0; row < 16; row++) {
        params[bias.offset + (size_t)row] = (float)row;
        params[hh.offset + (size_t)(row * 4 + 2)] = 0; /* unit 2: read by the output alone */
    }
    assert_int_equal(oto_network_prune(&shape, params, 3, &narrow, &pruned, NULL), OTO_OK);
    oto_network_tensor(&narrow, 2, &t);
    for (int row = 0; row < 12; row++) {
        const int expected = row / 3 * 4 + (row % 3 == 2 ? 3 : row % 3);
        assert_float_equal(pruned[t.offset + (size_t)row], (float)expected, 0);
    }
    oto_free(pruned);
    params[out.offset + 2] = 9; /* now the output wants it */
    assert_int_equal(oto_network_prune(&shape, params, 3, &narrow, &pruned, NULL), OTO_OK);
    for (int row = 0; row < 12; row++) { /* of equal ones the first stay */
        const int expected = row / 3 * 4 + row % 3;
        assert_float_equal(pruned[t.offset + (size_t)row], (float)expected, 0);
    }
    oto_free(pruned);
    oto_free(params);
}

static void to_all_units_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct oto_network_shape narrow;
    float *pruned;
    set_up(&f, paired);
    assert_int_equal(
        oto_network_prune(&f.shape, f.params, f.shape.n_hidden, &narrow, &pruned, NULL), OTO_OK);
    assert_memory_equal(pruned, f.params, f.n_params * sizeof *pruned);
    oto_free(pruned);
    tear_down(&f);
}

static void refuses_what_it_cannot_do(void **state)
{
    (void)state;
    struct fixture f;
    struct oto_network_shape narrow;
    float *pruned;
    oto_error err = {0};
    set_up(&f, plain);
    assert_int_equal(oto_network_prune(&f.shape, f.params, 22, &narrow, &pruned, &err),
                     OTO_ERR_ARGUMENT);
    assert_contains(err.message, "pruning to 22 units: expected 1 to the network's 21");
    assert_int_equal(oto_network_prune(&f.shape, f.params, 0, &narrow, &pruned, &err),
                     OTO_ERR_ARGUMENT);
    for (size_t nth = 1; nth <= 5; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_network_prune(&f.shape, f.params, 7, &narrow, &pruned, &err),
                         OTO_ERR_MEMORY);
        oto_mem_fail_nth(0);
        assert_null(pruned);
    }
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_out_what_nothing_reads),
        cmocka_unit_test(leaves_out_the_lightest),
        cmocka_unit_test(to_all_units_changes_nothing),
        cmocka_unit_test(refuses_what_it_cannot_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
