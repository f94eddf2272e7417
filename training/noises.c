/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/noises.h"

#include "base/mem.h"

static const char what[] = "perturb: noise";

static oto_status read_all(struct oto_noises *out, const struct oto_feature_cache *cache,
                           oto_error *err)
{
    oto_status status = OTO_OK;
    for (size_t i = 0; i < out->files.n && status == OTO_OK; i++) {
        struct oto_noise *noise = &out->items[i];
        noise->n = oto_feature_cache_n_static(cache, i, 0);
        noise->log_mels =
            oto_calloc(noise->n * (size_t)oto_feature_cache_dim(cache), sizeof(float));
        status = noise->log_mels ? oto_feature_cache_read(cache, i, 0, noise->log_mels, err)
                                 : oto_fail_memory(err, what);
    }
    return status;
}

oto_status oto_noises_load(struct oto_noises *out, const char *folder, const char *cache_folder,
                           const struct oto_feature_cache_options *options, struct oto_pool *pool,
                           oto_error *err)
{
    static const double own_speed = 1;
    struct oto_frontend_options frontend = *options->frontend;
    struct oto_feature_cache_options plain = *options;
    struct oto_feature_cache *cache = NULL;
    frontend.kind = OTO_FEATURE_FBANK;
    plain.frontend = &frontend;
    plain.speeds = &own_speed;
    plain.n_speeds = 1;
    plain.wave = NULL;
    oto_status status = oto_recordings_open(&out->files, folder, what, err);
    if (status != OTO_OK)
        return status;
    struct oto_feature_item *items = oto_calloc(out->files.n, sizeof *items);
    out->items = oto_calloc(out->files.n, sizeof *out->items);
    if (!items || !out->items)
        status = oto_fail_memory(err, what);
    for (size_t i = 0; i < out->files.n && status == OTO_OK; i++)
        items[i] = (struct oto_feature_item){
            .id = out->files.items[i].path, .path = out->files.items[i].path, .where = what};
    if (status == OTO_OK)
        status = oto_feature_cache_open(&cache, cache_folder, items, out->files.n, &plain, pool,
                                        NULL, err);
    if (status == OTO_OK)
        status = read_all(out, cache, err);
    oto_feature_cache_close(cache);
    oto_free(items);
    return status;
}

void oto_noises_clear(struct oto_noises *noises)
{
    for (size_t i = 0; noises->items && i < noises->files.n; i++)
        oto_free(noises->items[i].log_mels);
    oto_free(noises->items);
    oto_recordings_clear(&noises->files);
    noises->items = NULL;
}
