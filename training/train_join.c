/* SPDX-License-Identifier: BSD-2-Clause */
/** Where one process becomes several, and all of them get ready for the first step. */
#include <string.h>

#include "base/bytes.h"
#include "base/cpu.h"
#include "base/log.h"
#include "base/mem.h"
#include "features/cmvn.h"
#include "training/trainer_private.h"

oto_status oto_trainer_fall_silent(struct oto_trainer *t, oto_error *err)
{
    const struct oto_report_sink nobody = {0};
    oto_report_close(t->report);
    t->report = NULL;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    return oto_report_open(&t->report, "/dev/null", &nobody, err);
}

oto_status oto_trainer_wait_for_all(struct oto_trainer *t, oto_error *err)
{
    struct {
        char nothing;
    } mine = {0}, *all = oto_calloc((size_t)oto_comm_size(t->comm), sizeof *all);
    oto_status status = all ? oto_comm_gather(t->comm, all, &mine, sizeof mine, err)
                            : oto_fail_memory(err, "processes");
    oto_free(all);
    return status;
}

/* What must be alike in all processes for their sums to mean anything. */
struct identity {
    uint64_t recipe, fingerprint, n;
    unsigned cpu_flags;
};

static oto_status check_alike(struct oto_trainer *t, oto_error *err)
{
    int size = oto_comm_size(t->comm);
    const struct identity mine = {
        .recipe = oto_checksum(t->recipe, strlen(t->recipe)),
        .fingerprint = t->fingerprint,
        .n = t->n,
        .cpu_flags = oto_cpu_flags(),
    };
    struct identity *all = oto_calloc((size_t)size, sizeof *all);
    oto_status status = all ? oto_comm_gather(t->comm, all, &mine, sizeof mine, err)
                            : oto_fail_memory(err, "processes");
    for (int r = 1; r < size && status == OTO_OK; r++) {
        const struct identity *other = &all[r];
        if (other->recipe != all->recipe || other->n != all->n)
            status = oto_fail(err, OTO_ERR_CONFIG,
                              "process %d of %d has other options than the first", r + 1, size);
        else if (other->fingerprint != all->fingerprint)
            status = oto_fail(err, OTO_ERR_CONFIG,
                              "process %d of %d sees other data than the first: manifests, "
                              "transcripts and audio must be the same on every machine",
                              r + 1, size);
        else if (other->cpu_flags != all->cpu_flags)
            status =
                oto_fail(err, OTO_ERR_CONFIG,
                         "process %d of %d runs %s kernels, the first %s: their sums differ; "
                         "set OTOLITH_ISA to what all machines have",
                         r + 1, size, oto_cpu_name(other->cpu_flags), oto_cpu_name(all->cpu_flags));
    }
    oto_free(all);
    return status;
}

/* What rank 0 read from its checkpoint, to processes that are no copies of it. */
static oto_status share_state(struct oto_trainer *t, oto_error *err)
{
    oto_status status = oto_comm_share(t->comm, &t->state, sizeof t->state, err);
    float *const numbers[] = {t->params, t->adam.m, t->adam.v, t->adam.ema};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == OTO_OK; i++)
        if (numbers[i])
            status = oto_comm_share(t->comm, numbers[i], t->n * sizeof(float), err);
    if (status == OTO_OK)
        status = oto_comm_share(t->comm, &t->adam.t, sizeof t->adam.t, err);
    return status;
}

static void report_workers(struct oto_trainer *t)
{
    char text[64];
    int n_threads = oto_pool_n_threads(t->pool);
    bool several = oto_comm_size(t->comm) > 1;
    oto_report_line(t->report, "%llu steps in %d epochs, %s%s%d thread%s%s",
                    (unsigned long long)t->n_steps, t->o->epochs,
                    several ? oto_comm_describe(t->comm, text) : "", several ? ", " : "", n_threads,
                    n_threads == 1 ? "" : "s", several ? " each" : "");
}

static oto_status create_loader(struct oto_trainer *t, oto_error *err)
{
    struct oto_frontend_options live = *t->setup->frontend;
    live.cmvn = OTO_CMVN_SLIDING;
    live.cmvn_window = OTO_CMVN_ENDLESS;
    live.cmvn_margin_ms = 0;
    return oto_loader_create(&t->loader, t->o->loaders, t->setup->frontend,
                             t->o->chunk_cmvn == OTO_CHUNK_CMVN_SLIDING ? &live : NULL,
                             t->stats.count > 0 ? &t->stats : NULL, t->pool, err);
}

oto_status oto_trainer_join(struct oto_trainer *t, oto_error *err)
{
    /* Threads are not there in copies of a process, so there are none while copies are made. */
    oto_pool_destroy(t->pool);
    t->pool = NULL;
    bool apart = oto_comm_size(t->comm) > 1;
    oto_status status = oto_comm_reserve(t->comm, t->n, t->o->parts, err);
    if (status == OTO_OK && !apart && oto_comm_rank(t->comm) > 0)
        status = oto_trainer_fall_silent(t, err);
    if (status == OTO_OK && apart)
        status = check_alike(t, err);
    if (status == OTO_OK && apart)
        status = share_state(t, err);
    if (status == OTO_OK)
        status = oto_trainer_reserve_parts(t, err);
    int shared = oto_cpu_count() / oto_comm_n_local(t->comm);
    if (status == OTO_OK)
        status = oto_pool_create(&t->pool,
                                 t->o->threads ? t->o->threads
                                 : shared > 1  ? shared
                                               : 1,
                                 err);
    if (status == OTO_OK)
        status = create_loader(t, err);
    if (status != OTO_OK)
        return status;
    report_workers(t);
    oto_network_set_parameters(t->net, t->params, t->pool);
    return OTO_OK;
}
