/* SPDX-License-Identifier: BSD-2-Clause */
#include "acoustic/linear.h"

#include "acoustic/buffer.h"
#include "acoustic/gemm.h"

enum { SUM_COLUMNS = 64 }; /* columns whose double sums are held at once */

struct linear_job {
    const struct oto_linear *layer;
    oto_real *y, *dweight, *dbias, *dx;
    const oto_real *x, *dy;
    size_t n_rows;
};

static void forward_task(void *arg, int k)
{
    const struct linear_job *job = arg;
    struct oto_row_block rows = oto_row_block(job->n_rows, k);
    size_t n_in = (size_t)job->layer->n_inputs, n_out = (size_t)job->layer->n_outputs;
    oto_real *y = job->y + rows.first * n_out; /* [rows.n, n_out] */
    const oto_real *bias = job->layer->bias;

    oto_gemm(false, true, rows.n, n_out, n_in, job->x + rows.first * n_in, n_in, job->layer->weight,
             n_in, 0, y, n_out);
    for (size_t n = 0; n < rows.n; n++, y += n_out)
        for (size_t j = 0; j < n_out; j++)
            y[j] += bias[j];
}

void oto_linear_forward(const struct oto_linear *layer, oto_real *y, const oto_real *x,
                        size_t n_rows, struct oto_pool *pool)
{
    struct linear_job job = {.layer = layer, .y = y, .x = x, .n_rows = n_rows};
    oto_pool_run(pool, oto_row_blocks(n_rows), forward_task, &job);
}

static void sum_rows(oto_real *sums, const oto_real *a, size_t n_rows, size_t n_cols)
{
    for (size_t first = 0; first < n_cols; first += SUM_COLUMNS) {
        double acc[SUM_COLUMNS] = {0};
        size_t n = n_cols - first < SUM_COLUMNS ? n_cols - first : SUM_COLUMNS;
        for (size_t row = 0; row < n_rows; row++) {
            const oto_real *p = a + row * n_cols + first;
            for (size_t j = 0; j < n; j++)
                acc[j] += (double)p[j];
        }
        for (size_t j = 0; j < n; j++)
            sums[first + j] = (oto_real)acc[j];
    }
}

/* Task 0 makes the parameters' gradients, the others blocks of rows of dx. */
static void backward_task(void *arg, int k)
{
    const struct linear_job *job = arg;
    size_t n_in = (size_t)job->layer->n_inputs, n_out = (size_t)job->layer->n_outputs;
    if (k == 0) {
        oto_gemm(true, false, n_out, n_in, job->n_rows, job->dy, n_out, job->x, n_in, 0,
                 job->dweight, n_in);
        sum_rows(job->dbias, job->dy, job->n_rows, n_out);
        return;
    }
    struct oto_row_block rows = oto_row_block(job->n_rows, k - 1);
    oto_gemm(false, false, rows.n, n_in, n_out, job->dy + rows.first * n_out, n_out,
             job->layer->weight, n_in, 0, job->dx + rows.first * n_in, n_in);
}

void oto_linear_backward(const struct oto_linear *layer, oto_real *dweight, oto_real *dbias,
                         oto_real *dx, const oto_real *dy, const oto_real *x, size_t n_rows,
                         struct oto_pool *pool)
{
    struct linear_job job = {.layer = layer,
                             .dweight = dweight,
                             .dbias = dbias,
                             .dx = dx,
                             .x = x,
                             .dy = dy,
                             .n_rows = n_rows};
    int n_tasks = 1 + (dx != NULL ? oto_row_blocks(n_rows) : 0);
    oto_pool_run(pool, n_tasks, backward_task, &job);
}
