/* SPDX-License-Identifier: BSD-2-Clause */
#include "api/model.h"

#include <string.h>

#include "base/cpu.h"
#include "base/mem.h"

/* "english" for "/usr/share/otolith/models/english.oto" */
static char *name_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *start = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(start, '.');
    return oto_strndup(start, dot != NULL && dot > start ? (size_t)(dot - start) : strlen(start));
}

/* With 8-bit kernels where the file has 8-bit weights, else in float. */
static oto_status make_network(struct oto_network **out, const struct oto_bundle *b, oto_error *err)
{
    const unsigned flags = oto_cpu_flags();
    struct oto_dsp dsp;
    struct oto_dsp_int8 int8;
    oto_dsp_init(&dsp, flags);
    if (b->tensors != NULL) {
        oto_dsp_int8_init(&int8, flags);
        oto_status status = oto_network_create_int8(out, &b->shape, &dsp, &int8, err);
        if (status == OTO_OK)
            oto_network_set_int8(*out, b->tensors, NULL);
        return status;
    }
    oto_status status = oto_network_create(out, &b->shape, &dsp, err);
    if (status == OTO_OK)
        status = oto_network_forward_only(*out, err);
    if (status == OTO_OK)
        oto_network_set_parameters(*out, b->weights, NULL);
    return status;
}

oto_status oto_model_load(oto_model **out, const char *path, oto_error *err)
{
    if (out == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_model_load: out is NULL");
    *out = NULL;
    if (path == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_model_load: path is NULL");
    oto_model *model = oto_calloc(1, sizeof *model);
    if (model == NULL)
        return oto_fail_memory(err, "model");
    oto_status status = oto_bundle_load(&model->bundle, path, err);
    if (status != OTO_OK)
        goto fail;
    const char *card_name = model->bundle->card.name;
    model->name = card_name[0] != 0 ? oto_strdup(card_name) : name_of_path(path);
    if (model->name == NULL) {
        status = oto_fail_memory(err, "model name");
        goto fail;
    }
    status = make_network(&model->network, model->bundle, err);
    if (status == OTO_OK && model->bundle->second != NULL)
        status = make_network(&model->second, model->bundle->second, err);
    if (status != OTO_OK)
        goto fail;
    *out = model;
    return OTO_OK;
fail:
    oto_model_destroy(model);
    return status;
}

void oto_model_destroy(oto_model *model)
{
    if (model == NULL)
        return;
    oto_network_destroy(model->network);
    oto_network_destroy(model->second);
    oto_free(model->name);
    oto_bundle_destroy(model->bundle);
    oto_free(model);
}

void oto_model_get_info(const oto_model *model, oto_model_info *info)
{
    const struct oto_bundle *b = model->bundle;
    *info = (oto_model_info){
        .name = model->name,
        .licence = b->card.licence,
        .data = b->card.data,
        .date = b->card.date,
        .rate_hz = b->frontend.rate_hz,
        .n_symbols = b->alphabet->n_symbols - 1,
        .n_parameters = oto_network_n_parameters(&b->shape),
    };
}
