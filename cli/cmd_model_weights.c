/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights from and to other programs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "acoustic/network_prune.h"
#include "base/mem.h"
#include "cli/common.h"
#include "cli/model.h"
#include "models/average.h"
#include "models/safetensors.h"

int oto_cli_export(const char *in, const char *out)
{
    oto_error err = {0};
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(in, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    if (oto_bundle_dequantize(bundle, &err) != OTO_OK) {
        code = oto_cli_fail(&err, path);
    } else if (oto_safetensors_export(&bundle->shape, bundle->weights, out, &err) != OTO_OK) {
        oto_cli_error("%s", err.message);
        code = OTO_EXIT_CANNOT_CREATE;
    }
    oto_bundle_destroy(bundle);
    return code;
}

/* The weights must go with the front end and the alphabet of the model that they are put into. */
static oto_status check_fits(const struct oto_bundle *like, const struct oto_network_shape *shape,
                             const char *in, const char *path, oto_error *err)
{
    if (shape->n_inputs != like->shape.n_inputs)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: the network takes %d inputs, the front end of %s makes %d", in,
                        shape->n_inputs, path, like->shape.n_inputs);
    if (shape->n_outputs != like->shape.n_outputs)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "%s: the network has %d outputs, the alphabet of %s needs %d (blank is 0)",
                        in, shape->n_outputs, path, like->shape.n_outputs);
    return OTO_OK;
}

/* What the card said of other weights does not hold for these. */
static oto_status clear_claims(struct oto_card *card, const char *note, oto_error *err)
{
    card->dev_wer = card->dev_cer = card->test_wer = card->train_hours = (double)NAN;
    oto_status status = oto_card_set(&card->notes, note, err);
    if (status == OTO_OK)
        status = oto_card_set(&card->recipe, "", err);
    return status == OTO_OK ? oto_card_set(&card->data, "", err) : status;
}

static oto_status read_weights(struct oto_network_shape *shape, float **params, const char *in,
                               const char *prefix, oto_error *err)
{
    struct oto_safetensors tensors;
    oto_status status = oto_safetensors_open(&tensors, in, err);
    if (status != OTO_OK)
        return status;
    status = oto_safetensors_import(shape, params, &tensors, prefix, in, err);
    oto_safetensors_close(&tensors);
    return status;
}

/* Those of other weights are not its own; they stay with the bundle that it was copied from. */
static void forget_priors(struct oto_bundle *copy)
{
    copy->log_priors = NULL;
    copy->language.prior_scale = 0;
}

int oto_cli_import_pytorch(const struct oto_import_options *o, const char *in, const char *out)
{
    oto_error err = {0};
    char path[4096], note[600];
    int code = OTO_EXIT_OK;
    struct oto_bundle *like = oto_cli_load_model(o->like, path, sizeof path, &code);
    if (like == NULL)
        return code;
    struct oto_bundle bundle = *like; /* everything but shape, weights and what these write */
    forget_priors(&bundle);
    float *params = NULL;
    oto_status status = read_weights(&bundle.shape, &params, in, o->prefix, &err);
    if (status == OTO_OK)
        status = check_fits(like, &bundle.shape, in, path, &err);
    snprintf(note, sizeof note, "weights imported from %.500s", in);
    if (status == OTO_OK)
        status = clear_claims(&like->card, note, &err);
    if (status == OTO_OK) {
        bundle.card = like->card;
        bundle.weights = params;
        bundle.weight_type = o->weight_type;
        code = oto_cli_save_model(&bundle, out);
    } else {
        code = oto_cli_fail(&err, in);
    }
    oto_free(params);
    oto_bundle_destroy(like);
    return code;
}

int oto_cli_prune(int n_hidden, const char *in, const char *out)
{
    oto_error err = {0};
    char path[4096], note[600];
    int code = OTO_EXIT_OK;
    struct oto_bundle *wide = oto_cli_load_model(in, path, sizeof path, &code);
    if (wide == NULL)
        return code;
    struct oto_bundle bundle = *wide; /* everything but shape, weights and what these write */
    forget_priors(&bundle);
    float *pruned = NULL;
    oto_status status = oto_bundle_dequantize(wide, &err);
    if (status == OTO_OK)
        status =
            oto_network_prune(&wide->shape, wide->weights, n_hidden, &bundle.shape, &pruned, &err);
    snprintf(note, sizeof note, "pruned from %d to %d units a direction; to be trained on",
             wide->shape.n_hidden, n_hidden);
    if (status == OTO_OK)
        status = clear_claims(&wide->card, note, &err);
    if (status == OTO_OK) {
        bundle.card = wide->card;
        bundle.weights = pruned;
        bundle.tensors = NULL;
        bundle.weight_type = OTO_WEIGHT_F32;
        code = oto_cli_save_model(&bundle, out);
    } else {
        code = oto_cli_fail(&err, path);
    }
    oto_free(pruned);
    oto_bundle_destroy(wide);
    return code;
}

/* Card, alphabet and search of the first stay, but for what was measured with its own weights. */
static int save_average(struct oto_bundle *first, const float *mean, const char *note,
                        const char *out)
{
    oto_error err = {0};
    first->card.dev_wer = first->card.dev_cer = first->card.test_wer = (double)NAN;
    if (oto_card_set(&first->card.notes, note, &err) != OTO_OK)
        return oto_cli_fail(&err, out);
    struct oto_bundle bundle = *first; /* everything but the weights and what these write */
    forget_priors(&bundle);
    bundle.is_calibrated = false;
    bundle.weights = mean;
    bundle.tensors = NULL;
    bundle.weight_type = OTO_WEIGHT_F32;
    return oto_cli_save_model(&bundle, out);
}

int oto_cli_average(double share, const char **in, int n, const char *out)
{
    enum { MODELS_MAX = 64 };
    struct oto_bundle *models[MODELS_MAX] = {0};
    double shares[MODELS_MAX];
    oto_error err = {0};
    char path[4096], note[200];
    int code = OTO_EXIT_OK;
    float *mean = NULL;
    if (n < 2 || n > MODELS_MAX)
        return oto_cli_usage_error("model", "average takes 2 to %d models and OUT, found %d names",
                                   MODELS_MAX, n + 1);
    for (int i = 0; i < n; i++) {
        shares[i] = i == 0 && share > 0 ? share : share > 0 ? (1 - share) / (n - 1) : 1.0 / n;
        models[i] = oto_cli_load_model(in[i], path, sizeof path, &code);
        if (models[i] == NULL)
            goto done;
        if (oto_bundle_dequantize(models[i], &err) != OTO_OK) {
            code = oto_cli_fail(&err, path);
            goto done;
        }
    }
    if (oto_bundle_average(&mean, models, in, shares, n, &err) != OTO_OK) {
        code = oto_cli_fail(&err, NULL);
        goto done;
    }
    snprintf(note, sizeof note, "Average of the weights of %d models, %.4g of this one.", n,
             shares[0]);
    code = save_average(models[0], mean, note, out);
done:
    oto_free(mean);
    for (int i = 0; i < n; i++)
        oto_bundle_destroy(models[i]);
    return code;
}

/* Rates on the card are those of the model before. */
static oto_status note_quantized(struct oto_card *card, oto_error *err)
{
    static const char note[] = "Weights quantised to 8 bits; rates are from before.";
    const size_t n = strlen(card->notes);
    if (strstr(card->notes, note) != NULL)
        return OTO_OK;
    char *text = oto_calloc(n + sizeof note + 1, 1);
    if (text == NULL)
        return oto_fail_memory(err, "card");
    snprintf(text, n + sizeof note + 1, "%s%s%s", card->notes, n > 0 ? " " : "", note);
    oto_status status = oto_card_set(&card->notes, text, err);
    oto_free(text);
    return status;
}

int oto_cli_quantize(const char *in, const char *out)
{
    oto_error err = {0};
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(in, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    bundle->weight_type = OTO_WEIGHT_I8;
    if (note_quantized(&bundle->card, &err) != OTO_OK)
        code = oto_cli_fail(&err, path);
    else
        code = oto_cli_save_model(bundle, out);
    oto_bundle_destroy(bundle);
    return code;
}
