/* SPDX-License-Identifier: BSD-2-Clause */
/** Model files and checkpoints of a run, and what identifies it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "models/bundle.h"
#include "training/trainer_private.h"

/* ---- identity
 * ---------------------------------------------------------------------------------------------------
 */

static void describe_group(struct oto_writer *w, const struct oto_option *table, size_t n,
                           const void *options)
{
    for (size_t i = 0; i < n; i++) {
        if (oto_train_option_is_free(table[i].name))
            continue;
        char *value = oto_options_get(&table[i], options);
        bool quoted = table[i].type == OTO_OPTION_TEXT;
        if (!value) {
            w->failed = true;
            return;
        }
        oto_write_bytes(w, table[i].name, strlen(table[i].name));
        oto_write_bytes(w, quoted ? " = \"" : " = ", quoted ? 4 : 3);
        oto_write_bytes(w, value, strlen(value));
        oto_write_bytes(w, quoted ? "\"\n" : "\n", quoted ? 2 : 1);
        oto_free(value);
    }
}

static void fingerprint_dataset(struct oto_writer *w, const struct oto_dataset *ds)
{
    for (size_t i = 0; i < ds->corpus->n; i++) {
        const struct oto_utterance *u = &ds->corpus->utts[i];
        oto_write_bytes(w, u->id, strlen(u->id) + 1);
        oto_write_bytes(w, u->text, strlen(u->text) + 1);
        oto_write_u32(w, (uint32_t)ds->repeats[i]);
        for (int s = 0; s < ds->n_variants; s++)
            oto_write_u32(w, (uint32_t)ds->n_frames[i * (size_t)ds->n_variants + (size_t)s]);
    }
}

/* A recipe, to be freed; NULL without memory. */
static char *describe_all(const struct oto_train_options *train,
                          const struct oto_frontend_options *frontend,
                          const struct oto_beam_options *beam)
{
    struct oto_writer w = {0};
    describe_group(&w, oto_train_option_table, oto_train_n_options, train);
    describe_group(&w, oto_frontend_option_table, oto_frontend_n_options, frontend);
    describe_group(&w, oto_beam_option_table, oto_beam_n_options, beam);
    char *text = w.failed ? NULL : oto_strndup((const char *)w.data, w.size);
    oto_writer_clear(&w);
    return text;
}

oto_status oto_trainer_describe(struct oto_trainer *t, oto_error *err)
{
    struct oto_writer print = {0};
    fingerprint_dataset(&print, t->train);
    if (t->dev)
        fingerprint_dataset(&print, t->dev);
    if (t->wave)
        oto_wave_key(t->wave, &print, false);
    oto_recordings_key(&t->noises.files, &print, false);
    for (int k = 0; k < t->alphabet->n_symbols; k++)
        oto_write_bytes(&print, t->alphabet->symbols[k], strlen(t->alphabet->symbols[k]) + 1);
    if (!print.failed) {
        t->recipe = describe_all(t->o, t->setup->frontend, t->setup->beam);
        t->fingerprint = oto_checksum(print.data, print.size);
    }
    oto_writer_clear(&print);
    return t->recipe ? OTO_OK : oto_fail_memory(err, "recipe");
}

/* ---- model
 * ------------------------------------------------------------------------------------------------------
 */

/* What stands after the last '/' of --out, without a closing one. */
static void folder_name(char *name, size_t capacity, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && folder[start - 1] != '/')
        start--;
    snprintf(name, capacity, "%.*s", (int)(n - start), folder + start);
}

static oto_status fill_card(const struct oto_trainer *t, struct oto_card *card,
                            const struct oto_dev_result *dev, oto_error *err)
{
    const struct oto_train_options *o = t->o;
    char name[256], date[16], data[600];
    folder_name(name, sizeof name, o->out);
    time_t now = time(NULL);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || strftime(date, sizeof date, "%Y-%m-%d", &utc) == 0)
        date[0] = '\0';
    snprintf(data, sizeof data, "%zu utterances, %.2f hours", t->train->n_used,
             t->train->used_hours);
    card->train_hours = t->train->used_hours;
    if (dev) {
        card->dev_wer = dev->wer;
        card->dev_cer = dev->cer;
    }
    oto_status status = oto_card_set(&card->name, *o->name ? o->name : name, err);
    if (status == OTO_OK)
        status = oto_card_set(&card->licence, o->licence, err);
    if (status == OTO_OK)
        status = oto_card_set(&card->data, *o->data_note ? o->data_note : data, err);
    if (status == OTO_OK)
        status = oto_card_set(&card->notes, o->notes, err);
    if (status == OTO_OK)
        status = oto_card_set(&card->date, *o->date ? o->date : date, err);
    return status == OTO_OK ? oto_card_set(&card->recipe, t->recipe, err) : status;
}

oto_status oto_trainer_save_model(struct oto_trainer *t, const char *file, const float *weights,
                                  const struct oto_dev_result *dev, oto_error *err)
{
    struct oto_bundle bundle = {
        .frontend = *t->setup->frontend,
        .cmvn = t->stats,
        .shape = t->shape,
        .weights = weights,
        .alphabet = t->alphabet,
        .lexicon = t->lexicon,
        .beam = *t->setup->beam,
        .weight_type = t->o->weight_type == 1 ? OTO_WEIGHT_F16 : OTO_WEIGHT_F32,
    };
    oto_status status = oto_card_init(&bundle.card, err);
    if (status != OTO_OK)
        return status;
    status = fill_card(t, &bundle.card, dev, err);
    char *path = oto_trainer_path(t->o->out, file);
    if (status == OTO_OK && !path)
        status = oto_fail_memory(err, "model");
    if (status == OTO_OK)
        status = oto_bundle_save(&bundle, path, err);
    oto_free(path);
    oto_card_clear(&bundle.card);
    return status;
}

/* ---- checkpoint
 * -------------------------------------------------------------------------------------------------
 */

oto_status oto_trainer_save_checkpoint(struct oto_trainer *t, oto_error *err)
{
    if (oto_comm_rank(t->comm) > 0)
        return OTO_OK;
    oto_status status = oto_report_sync(t->report, &t->state.metrics_bytes, err);
    if (status != OTO_OK)
        return status;
    t->state.updates = t->adam.t;
    struct oto_checkpoint c = {
        .state = t->state,
        .recipe = t->recipe,
        .fingerprint = t->fingerprint,
        .n = t->n,
        .params = t->params,
        .m = t->adam.m,
        .v = t->adam.v,
        .ema = t->adam.ema,
        .n_best = t->best.n,
        .best_weights = t->best.weights,
    };
    memcpy(c.best, t->best.entries, sizeof c.best);
    return oto_checkpoint_save(&c, t->o->out, t->o->keep, err);
}

/* The line of a recipe that gives an option, and its length; NULL where there is none. */
static const char *find_line(const char *recipe, const char *name, size_t n_name, size_t *n)
{
    for (const char *line = recipe; *line; line += *n + (line[*n] == '\n')) {
        *n = strcspn(line, "\n");
        if (*n > n_name && memcmp(line, name, n_name) == 0 && line[n_name] == ' ')
            return line;
    }
    *n = 0;
    return NULL;
}

/* Every line of `a` stands in `b`; one that is missing there, as options are that came later than
 * the checkpoint, stands in `defaults`. Names the first that does not. */
static oto_status compare_recipes(const char *ours, const char *theirs, const char *defaults,
                                  oto_error *err)
{
    for (size_t n; *ours; ours += n + (ours[n] == '\n')) {
        n = strcspn(ours, "\n");
        size_t m, n_name = strcspn(ours, " ");
        const char *line = find_line(theirs, ours, n_name, &m);
        if (line == NULL)
            line = find_line(defaults, ours, n_name, &m);
        if (line == NULL || n != m || memcmp(ours, line, n) != 0)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "cannot resume: the checkpoint was made with '%.*s', not '%.*s'",
                            (int)(m < 80 ? m : 80), line != NULL ? line : "",
                            (int)(n < 80 ? n : 80), ours);
    }
    return OTO_OK;
}

/* The recipe of all defaults, to be freed; NULL without memory. */
static char *default_recipe(void)
{
    struct oto_train_options train = {0};
    struct oto_frontend_options frontend = {0};
    struct oto_beam_options beam = {0};
    char *text = NULL;
    if (oto_options_init(oto_train_option_table, oto_train_n_options, &train, NULL) == OTO_OK &&
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, NULL) ==
            OTO_OK &&
        oto_options_init(oto_beam_option_table, oto_beam_n_options, &beam, NULL) == OTO_OK)
        text = describe_all(&train, &frontend, &beam);
    oto_options_clear(oto_train_option_table, oto_train_n_options, &train);
    oto_options_clear(oto_frontend_option_table, oto_frontend_n_options, &frontend);
    oto_options_clear(oto_beam_option_table, oto_beam_n_options, &beam);
    return text;
}

/* Both ways, so that an option of a newer version that only the checkpoint knows is found, too. */
static oto_status check_recipe(const struct oto_trainer *t, const char *theirs, oto_error *err)
{
    char *defaults = default_recipe();
    if (!defaults)
        return oto_fail_memory(err, "recipe");
    oto_status status = compare_recipes(t->recipe, theirs, defaults, err);
    for (size_t n, m; status == OTO_OK && *theirs; theirs += n + (theirs[n] == '\n')) {
        n = strcspn(theirs, "\n");
        if (find_line(t->recipe, theirs, strcspn(theirs, " "), &m) == NULL)
            status = oto_fail(err, OTO_ERR_CONFIG,
                              "cannot resume: this version does not know '%.*s' of the checkpoint",
                              (int)(n < 80 ? n : 80), theirs);
    }
    oto_free(defaults);
    return status;
}

static oto_status check_fits(const struct oto_trainer *t, const struct oto_checkpoint *c,
                             oto_error *err)
{
    oto_status status = check_recipe(t, c->recipe, err);
    if (status != OTO_OK)
        return status;
    if (c->fingerprint != t->fingerprint)
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "cannot resume: the manifests, transcripts or audio are not those of the checkpoint");
    if (c->n != t->n || (c->ema != NULL) != (t->adam.ema != NULL))
        return oto_fail(err, OTO_ERR_CONFIG,
                        "cannot resume: the checkpoint holds %zu parameters, the network %zu", c->n,
                        t->n);
    if (c->n_best > t->best.n_max)
        return oto_fail(err, OTO_ERR_FORMAT, "the checkpoint holds %d best epochs, expected %d",
                        c->n_best, t->best.n_max);
    if (c->state.epoch > (uint64_t)t->o->epochs || c->state.step > t->n_steps)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "the checkpoint's epoch %llu, step %llu is past the end",
                        (unsigned long long)c->state.epoch, (unsigned long long)c->state.step);
    return OTO_OK;
}

oto_status oto_trainer_resume(struct oto_trainer *t, oto_error *err)
{
    struct oto_checkpoint c;
    oto_status status = oto_checkpoint_load(&c, t->o->out, err);
    if (status != OTO_OK)
        return status;
    status = check_fits(t, &c, err);
    if (status == OTO_OK) {
        t->state = c.state;
        t->adam.t = c.state.updates;
        memcpy(t->params, c.params, t->n * sizeof(float));
        memcpy(t->adam.m, c.m, t->n * sizeof(float));
        memcpy(t->adam.v, c.v, t->n * sizeof(float));
        if (c.ema)
            memcpy(t->adam.ema, c.ema, t->n * sizeof(float));
        t->best.n = c.n_best;
        memcpy(t->best.entries, c.best, sizeof c.best);
        if (c.n_best > 0)
            memcpy(t->best.weights, c.best_weights, (size_t)c.n_best * t->n * sizeof(float));
    }
    oto_checkpoint_close(&c);
    return status;
}
