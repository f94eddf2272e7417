/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/loader.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"

struct slot { /* of a ring: part number k of the order stands in slot k % n_slots */
    struct oto_batch batch;
    oto_status status;
    oto_error why;
    bool ready;
};

struct worker {
    struct oto_loader *loader;
    struct oto_assembler *assembler;
    pthread_t thread;
};

struct oto_loader {
    struct oto_assembler *direct; /* without threads: used by the caller */
    struct worker *workers;       /* [n_threads] */
    int n_threads, n_started;
    struct slot *slots;
    size_t n_slots;

    pthread_mutex_t lock;
    pthread_cond_t room, arrival; /* for workers; for the caller */
    struct oto_load_order order;
    size_t n;         /* parts of the order in all */
    size_t n_taken;   /* given to the caller, the last of them still in use */
    size_t n_begun;   /* by workers */
    size_t n_working; /* workers at work */
    bool running, quit;
};

/* Slots that the caller has not done with are those of parts n_taken-1 and later. */
static size_t n_done_with(const struct oto_loader *l)
{
    return l->n_taken > 0 ? l->n_taken - 1 : 0;
}

static oto_status load(struct oto_loader *l, struct oto_assembler *assembler, size_t k,
                       struct slot *slot, oto_error *err)
{
    const struct oto_load_order *o = &l->order;
    size_t per_batch = (size_t)(o->n_ranges * o->range_parts);
    size_t batch = o->first + k / per_batch * o->step;
    int j = (int)(k % per_batch);
    const size_t *starts = o->plan->starts + batch;
    struct oto_network_chunks chunks;
    const struct oto_batch_spec spec = {
        .ds = o->ds,
        .items = o->plan->items + starts[0],
        .n = starts[1] - starts[0],
        .n_parts = o->n_parts,
        .n_views = o->n_views,
        .part = o->first_parts[j / o->range_parts] + j % o->range_parts,
        .masks = o->masked ? &o->masks : NULL,
        .seed = o->seed,
        .epoch = o->epoch,
        .sliding = o->sliding &&
                   oto_chunking_draw(o->sliding, o->seed, o->first_step + k / per_batch, &chunks),
    };
    return oto_assemble(assembler, &slot->batch, &spec, err);
}

static bool may_begin(const struct oto_loader *l)
{
    return l->running && l->n_begun < l->n && l->n_begun < n_done_with(l) + l->n_slots;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct oto_loader *l = w->loader;
    pthread_mutex_lock(&l->lock);
    while (!l->quit) {
        if (!may_begin(l)) {
            pthread_cond_wait(&l->room, &l->lock);
            continue;
        }
        size_t k = l->n_begun++;
        struct slot *slot = &l->slots[k % l->n_slots];
        l->n_working++;
        pthread_mutex_unlock(&l->lock);
        slot->status = load(l, w->assembler, k, slot, &slot->why);
        pthread_mutex_lock(&l->lock);
        l->n_working--;
        slot->ready = true;
        pthread_cond_signal(&l->arrival);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static oto_status start_threads(struct oto_loader *l, const struct oto_frontend_options *frontend,
                                const struct oto_frontend_options *sliding,
                                const struct oto_cmvn_stats *stats, oto_error *err)
{
    for (int k = 0; k < l->n_threads; k++) {
        struct worker *w = &l->workers[k];
        w->loader = l;
        oto_status status =
            oto_assembler_create(&w->assembler, frontend, sliding, stats, NULL, err);
        if (status != OTO_OK)
            return status;
    }
    for (; l->n_started < l->n_threads; l->n_started++) {
        struct worker *w = &l->workers[l->n_started];
        if (pthread_create(&w->thread, NULL, work, w) != 0)
            return oto_fail(err, OTO_ERR_MEMORY, "could start only %d of %d loader threads",
                            l->n_started, l->n_threads);
    }
    return OTO_OK;
}

oto_status oto_loader_create(struct oto_loader **out, int n_threads,
                             const struct oto_frontend_options *frontend,
                             const struct oto_frontend_options *sliding,
                             const struct oto_cmvn_stats *stats, struct oto_pool *pool,
                             oto_error *err)
{
    *out = NULL;
    struct oto_loader *l = oto_calloc(1, sizeof *l);
    if (!l)
        return oto_fail_memory(err, "loader");
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->room, NULL);
    pthread_cond_init(&l->arrival, NULL);
    l->n_threads = n_threads;
    /* One with the caller, one ready, and one for each thread to work at. */
    l->n_slots = n_threads > 0 ? (size_t)n_threads + 2 : 1;
    l->slots = oto_calloc(l->n_slots, sizeof *l->slots);
    l->workers = oto_calloc((size_t)n_threads, sizeof *l->workers);
    oto_status status = l->slots && l->workers ? OTO_OK : oto_fail_memory(err, "loader");
    if (status == OTO_OK && n_threads == 0)
        status = oto_assembler_create(&l->direct, frontend, sliding, stats, pool, err);
    if (status == OTO_OK)
        status = start_threads(l, frontend, sliding, stats, err);
    if (status != OTO_OK) {
        oto_loader_destroy(l);
        return status;
    }
    *out = l;
    return OTO_OK;
}

void oto_loader_destroy(struct oto_loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->quit = true;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
    for (int k = 0; k < l->n_started; k++)
        pthread_join(l->workers[k].thread, NULL);
    for (int k = 0; l->workers && k < l->n_threads; k++)
        oto_assembler_destroy(l->workers[k].assembler);
    for (size_t k = 0; l->slots && k < l->n_slots; k++)
        oto_batch_clear(&l->slots[k].batch);
    oto_assembler_destroy(l->direct);
    pthread_cond_destroy(&l->arrival);
    pthread_cond_destroy(&l->room);
    pthread_mutex_destroy(&l->lock);
    oto_free(l->workers);
    oto_free(l->slots);
    oto_free(l);
}

void oto_loader_start(struct oto_loader *l, const struct oto_load_order *order)
{
    oto_loader_stop(l);
    size_t n_batches = order->plan->n_batches;
    size_t left = n_batches > order->first ? n_batches - order->first : 0;
    pthread_mutex_lock(&l->lock);
    l->order = *order;
    l->n = (left + order->step - 1) / order->step * (size_t)(order->n_ranges * order->range_parts);
    l->n_taken = l->n_begun = 0;
    l->running = true;
    pthread_cond_broadcast(&l->room);
    pthread_mutex_unlock(&l->lock);
}

oto_status oto_loader_next(struct oto_loader *l, const struct oto_batch **batch, double *waited_s,
                           oto_error *err)
{
    double start = oto_clock_wall_s();
    pthread_mutex_lock(&l->lock);
    size_t k = l->n_taken++;
    struct slot *slot = &l->slots[k % l->n_slots];
    if (l->n_threads > 0) {
        if (k > 0)
            l->slots[(k - 1) % l->n_slots].ready = false;
        pthread_cond_signal(&l->room);
        while (!slot->ready)
            pthread_cond_wait(&l->arrival, &l->lock);
    }
    pthread_mutex_unlock(&l->lock);
    if (l->n_threads == 0)
        slot->status = load(l, l->direct, k, slot, &slot->why);
    *waited_s = oto_clock_wall_s() - start;
    *batch = &slot->batch;
    return slot->status == OTO_OK ? OTO_OK : oto_fail(err, slot->status, "%s", slot->why.message);
}

void oto_loader_stop(struct oto_loader *l)
{
    pthread_mutex_lock(&l->lock);
    l->running = false;
    while (l->n_working > 0)
        pthread_cond_wait(&l->arrival, &l->lock);
    for (size_t k = 0; k < l->n_slots; k++)
        l->slots[k].ready = false;
    pthread_mutex_unlock(&l->lock);
}
