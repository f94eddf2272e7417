/* SPDX-License-Identifier: BSD-2-Clause */
/* What identifies a run, its checkpoints, and its model. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "models/lstm_lm.h"
#include "training/lstm_private.h"

/* May differ between a checkpoint and the run that goes on from it. */
static bool is_free(const char *name)
{
    static const char *const list[] = {"output",    "checkpoints", "minutes", "checkpoint-minutes",
                                       "dev-steps", "weights",     "threads", "resume",
                                       "overwrite", "init"};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static bool describe(struct oto_lstm_trainer *t)
{
    struct oto_writer w = {0};
    for (size_t i = 0; i < oto_lstm_train_n_options; i++) {
        const struct oto_option *option = &oto_lstm_train_option_table[i];
        if (is_free(option->name))
            continue;
        char *value = oto_options_get(option, t->o);
        if (value == NULL) {
            w.failed = true;
            break;
        }
        oto_write_bytes(&w, option->name, strlen(option->name));
        oto_write_bytes(&w, " = ", 3);
        oto_write_bytes(&w, value, strlen(value));
        oto_write_u8(&w, '\n');
        oto_free(value);
    }
    t->recipe = w.failed ? NULL : oto_strndup((const char *)w.data, w.size);
    oto_writer_clear(&w);
    return t->recipe != NULL;
}

static uint64_t text_print(const struct oto_lstm_text *text)
{
    if (text == NULL || text->n_sentences == 0)
        return 0;
    return oto_checksum(text->words, text->n_words * sizeof *text->words) ^
           oto_checksum(text->first, (text->n_sentences + 1) * sizeof *text->first) * 31;
}

oto_status oto_lstm_identify(struct oto_lstm_trainer *t, oto_error *err)
{
    const struct oto_words *words = &t->setup->vocabulary->words;
    const float *start = t->setup->params;
    const uint64_t prints[] = {text_print(t->setup->train), text_print(t->setup->dev),
                               oto_checksum(words->text, words->text_size),
                               start != NULL ? oto_checksum(start, t->n_params * sizeof *start)
                                             : 0};
    t->fingerprint = oto_checksum(prints, (start != NULL ? 4 : 3) * sizeof *prints);
    if (t->o->checkpoints[0] != 0) {
        t->folder = oto_strdup(t->o->checkpoints);
    } else {
        const size_t capacity = strlen(t->o->output) + sizeof ".train";
        t->folder = oto_calloc(capacity, 1);
        if (t->folder != NULL)
            snprintf(t->folder, capacity, "%s.train", t->o->output);
    }
    return t->folder != NULL && describe(t) ? OTO_OK : oto_fail_memory(err, "recipe");
}

/* ---- checkpoints ------------------------------------------------------------------------- */

enum { KEEP = 2 };

oto_status oto_lstm_checkpoint(struct oto_lstm_trainer *t, oto_error *err)
{
    t->state.updates = t->adam.t;
    const struct oto_checkpoint c = {.state = t->state,
                                     .recipe = t->recipe,
                                     .fingerprint = t->fingerprint,
                                     .n = t->n_params,
                                     .params = t->params,
                                     .m = t->adam.m,
                                     .v = t->adam.v};
    return oto_checkpoint_save(&c, t->folder, KEEP, err);
}

/* The first line in which they differ. */
static oto_status check_recipe(const char *ours, const char *theirs, oto_error *err)
{
    while (*ours != 0 || *theirs != 0) {
        const size_t n = strcspn(ours, "\n"), m = strcspn(theirs, "\n");
        if (n != m || memcmp(ours, theirs, n) != 0)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "cannot resume: the checkpoint was made with '%.*s', not '%.*s'",
                            (int)(m < 80 ? m : 80), theirs, (int)(n < 80 ? n : 80), ours);
        ours += n + (ours[n] == '\n');
        theirs += m + (theirs[m] == '\n');
    }
    return OTO_OK;
}

static oto_status check_fits(const struct oto_lstm_trainer *t, const struct oto_checkpoint *c,
                             oto_error *err)
{
    oto_status status = check_recipe(t->recipe, c->recipe, err);
    if (status != OTO_OK)
        return status;
    if (c->fingerprint != t->fingerprint)
        return oto_fail(
            err, OTO_ERR_CONFIG,
            "cannot resume: the texts, or the model to start from, are not those of the "
            "checkpoint in %s",
            t->folder);
    if (c->n != t->n_params)
        return oto_fail(err, OTO_ERR_CONFIG,
                        "cannot resume: the checkpoint holds %zu parameters, the network %zu", c->n,
                        t->n_params);
    return OTO_OK;
}

static oto_status resume(struct oto_lstm_trainer *t, oto_error *err)
{
    struct oto_checkpoint c;
    oto_status status = oto_checkpoint_load(&c, t->folder, err);
    if (status != OTO_OK)
        return status;
    status = check_fits(t, &c, err);
    if (status == OTO_OK) {
        t->state = c.state;
        t->adam.t = c.state.updates;
        memcpy(t->params, c.params, t->n_params * sizeof *t->params);
        memcpy(t->adam.m, c.m, t->n_params * sizeof *t->params);
        memcpy(t->adam.v, c.v, t->n_params * sizeof *t->params);
    }
    oto_checkpoint_close(&c);
    return status;
}

oto_status oto_lstm_begin(struct oto_lstm_trainer *t, oto_error *err)
{
    if (t->o->resume)
        return resume(t, err);
    if (oto_checkpoint_exists(t->folder)) {
        if (!t->o->overwrite)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "%s holds a checkpoint: go on with --resume, or start anew with "
                            "--overwrite",
                            t->folder);
        oto_checkpoint_remove(t->folder);
    }
    if (mkdir(t->folder, 0777) != 0 && errno != EEXIST)
        return oto_fail_errno(err, t->folder, "cannot make the folder of checkpoints");
    return OTO_OK;
}

/* ---- model ------------------------------------------------------------------------------- */

oto_status oto_lstm_save_model(const struct oto_lstm_trainer *t, oto_error *err)
{
    const struct oto_lstm_vocabulary *v = t->setup->vocabulary;
    const struct oto_lstm_parts parts = {.shape = t->shape,
                                         .words = &v->words,
                                         .class_first = v->class_first,
                                         .n_unknown = v->n_unknown,
                                         .params = t->params};
    struct oto_lstm_lm *lm = NULL;
    oto_status status = oto_lstm_lm_create(&lm, &parts, err);
    if (status == OTO_OK)
        status = oto_lstm_lm_save(lm, t->o->output, (enum oto_lstm_weights)t->o->weights, err);
    oto_lstm_lm_destroy(lm);
    return status;
}
