/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/acoustics.h"

#include "base/bytes.h"
#include "base/mem.h"

oto_status oto_acoustics_init(struct oto_acoustics *a, const struct oto_bundle *bundle,
                              const struct oto_network *network, size_t most, oto_error *err)
{
    const struct oto_cmvn_stats *stats = bundle->cmvn.count > 0 ? &bundle->cmvn : NULL;
    size_t n_features, n_outputs;
    a->bundle = bundle;
    a->network = network;
    oto_status status =
        oto_frontend_create(&a->frontend, &bundle->frontend, stats, OTO_FFT_AUTO, err);
    if (status == OTO_OK)
        status = oto_network_workspace_create(&a->workspace, network, err);
    if (status != OTO_OK)
        return status;
    a->max_frames = oto_frontend_n_frames(a->frontend, most);
    if (!oto_mul_size(a->max_frames, (size_t)bundle->shape.n_inputs, &n_features) ||
        !oto_mul_size(a->max_frames, (size_t)bundle->shape.n_outputs, &n_outputs))
        return oto_fail_memory(err, "recognizer");
    a->features = oto_calloc(n_features, sizeof(float));
    a->log_probs = oto_calloc(n_outputs, sizeof(float));
    return a->features != NULL && a->log_probs != NULL ? OTO_OK
                                                       : oto_fail_memory(err, "recognizer");
}

void oto_acoustics_clear(struct oto_acoustics *a)
{
    oto_free(a->log_probs);
    oto_free(a->features);
    oto_sequences_clear(&a->sequences);
    oto_network_workspace_destroy(a->workspace);
    oto_frontend_destroy(a->frontend);
    *a = (struct oto_acoustics){0};
}

oto_status oto_acoustics_features(struct oto_acoustics *a, size_t n_static, oto_error *err)
{
    size_t n_waiting;
    const float *statics = oto_frontend_static(a->frontend, &n_waiting);
    return oto_frontend_apply(a->frontend, a->features, statics, n_static, NULL, NULL, err);
}

oto_status oto_acoustics_forward(struct oto_acoustics *a, size_t *n_frames, size_t n_static,
                                 struct oto_pool *pool, oto_error *err)
{
    const int n_vectors = (int)oto_frontend_n_frames(a->frontend, n_static);
    *n_frames = oto_network_n_frames(&a->bundle->shape, (size_t)n_vectors);
    oto_status status = oto_sequences_set(&a->sequences, &n_vectors, 1, err);
    if (status == OTO_OK)
        status = oto_network_forward(a->network, a->workspace, a->log_probs, a->features,
                                     &a->sequences, 0, NULL, pool, err);
    return status;
}
