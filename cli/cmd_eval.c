/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith eval: error rates of a model on a corpus, by the same recogniser that transcribe uses. */
#include <stdlib.h>
#include <string.h>

#include "api/model.h"
#include "api/spoken.h"
#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/decoding.h"
#include "cli/eval.h"
#include "cli/model.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

static const char *const format_names[] = {"text", "json", NULL};
static const char *const by_names[] = {"none", "speaker", "folder", "manifest",
                                       NULL}; /* enum oto_eval_by */

struct eval_options {
    char *model, *manifest, *hyp, *alignments, *calibrate;
    int corpus_format, format, by, jobs, latency_ms, n_resamples, n_confusions;
    uint64_t seed;
    struct oto_cli_decoding decoding;
};

#define FIELD(f) .offset = offsetof(struct eval_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "manifest", .short_name = 't', .type = OTO_OPTION_TEXT, FIELD(manifest), .default_text = "", .argument = "LIST",
     .help = "Manifests or corpus folders with audio and its texts, separated by commas; FORMAT:NAME forces a format."},
    {.name = "corpus-format", .type = OTO_OPTION_CHOICE, FIELD(corpus_format), .default_text = "auto",
     .choices = oto_corpus_format_names, .help = "Format of those without one before their name; auto finds it."},
    {.name = "hyp", .type = OTO_OPTION_TEXT, FIELD(hyp), .default_text = "", .argument = "FILE",
     .help = "Writes a line 'id, tab, text' for every utterance; the text of a failed one is empty."},
    {.name = "alignments", .type = OTO_OPTION_TEXT, FIELD(alignments), .default_text = "", .argument = "FILE",
     .help = "Writes reference and recognised text of every utterance side by side, errors marked, as sclite's pra."},
    {.name = "confusions", .type = OTO_OPTION_INT, FIELD(n_confusions), .default_text = "0", .min = 0, .max = 1e6, .argument = "N",
     .help = "Lists the N most frequent substitutions, insertions and deletions."},
    {.name = "calibrate", .type = OTO_OPTION_TEXT, FIELD(calibrate), .default_text = "", .argument = "OUT.oto",
     .help = "Fits the confidence of words to those that were right, and writes the model with it to this file."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "text",
     .choices = format_names, .help = "What is printed."},
    {.name = "by", .type = OTO_OPTION_CHOICE, FIELD(by), .default_text = "none", .choices = by_names,
     .help = "Adds a table with a row for each of them."},
    {.name = "latency", .type = OTO_OPTION_INT, FIELD(latency_ms), .default_text = "0", .min = 0, .max = 5000, .argument = "MS",
     .help = "Recognises as 'otolith live' does while somebody speaks, hearing so much ahead; 0 hears whole utterances."},
    {.name = "jobs", .short_name = 'j', .type = OTO_OPTION_INT, FIELD(jobs), .default_text = "1", .min = 1, .max = 256,
     .help = "Utterances worked on at the same time."},
    {.name = "resamples", .type = OTO_OPTION_INT, FIELD(n_resamples), .default_text = "1000", .min = 0, .max = 1e6,
     .help = "Bootstrap draws for the interval of the word error rate; 0 is no interval."},
    {.name = "seed", .type = OTO_OPTION_U64, FIELD(seed), .default_text = "1", .help = "Seed of these draws."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "eval",
    .synopsis = "  otolith eval [--model=MODEL] --manifest=LIST [options]\n",
    .examples = "  otolith eval --model=digits-en --manifest=test.tsv\n"
                "  otolith eval --manifest=clean.tsv,noisy.tsv --by=manifest --jobs=2\n"
                "  otolith eval --manifest=dev.tsv --confusions=20 --alignments=dev.pra\n"
                "  otolith eval --manifest=dev.tsv --latency=600\n"
                "  otolith eval --model=my.oto --manifest=dev.tsv --calibrate=my.oto\n"
                "  otolith eval --manifest=dev.tsv --hyp=dev.hyp --format=json | jq .wer\n",
    .notes = "A manifest is a text file with tab-separated columns and the header line\n"
             "  id path seconds speaker text\n"
             "(seconds and speaker may be missing); paths are relative to its folder. Other "
             "formats are those of\n"
             "'otolith help data'. References are normalised as the model's texts were: case, "
             "punctuation, Unicode\n"
             "form. Words are aligned as sclite does, characters by plain edit distance, spaces "
             "included.\n\n"
             "Utterances that cannot be read are reported, counted and left out of the rates; the "
             "exit code is then 1.\n"
             "In JSON, rates are fractions of 1 and the interval is wer_low to wer_high.\n",
};

/* ---- one utterance ----------------------------------------------------------------------- */

static oto_status count_unknown(struct oto_eval_item *item, const struct oto_alphabet *alphabet)
{
    int *labels, n_labels;
    oto_status status = oto_alphabet_encode(alphabet, item->utterance->text, &labels, &n_labels,
                                            &item->n_unknown, NULL, NULL, &item->err);
    oto_free(labels);
    return status;
}

static oto_status prepare(struct oto_eval_item *item, const struct oto_alphabet *alphabet)
{
    oto_status status = oto_text_normalise(&item->ref, item->utterance->text, &alphabet->policy,
                                           alphabet, &item->err);
    return status == OTO_OK ? count_unknown(item, alphabet) : status;
}

static oto_status compare(struct oto_eval_item *item, const oto_result *result)
{
    item->seconds = result->seconds;
    item->hyp = oto_strdup(result->text);
    if (item->hyp == NULL)
        return oto_fail_memory(&item->err, "text");
    oto_status status =
        oto_edit_add(&item->words, item->ref, item->hyp, OTO_EDIT_WORDS, &item->err);
    if (status == OTO_OK)
        status = oto_edit_add(&item->chars, item->ref, item->hyp, OTO_EDIT_CHARACTERS, &item->err);
    return status;
}

static oto_status keep_words(struct oto_eval_item *item, const oto_result *result,
                             struct oto_batch_worker *worker)
{
    return oto_eval_add_words(item, result, oto_recognizer_evidence(oto_batch_recognizer(worker)),
                              &item->err);
}

struct job {
    struct oto_eval *eval;
    const struct oto_alphabet *alphabet;
};

static void recognise(void *arg, struct oto_batch_worker *worker, size_t k)
{
    const struct job *job = arg;
    struct oto_eval_item *item = &job->eval->items[k];
    const char *path = item->utterance->path;
    const oto_result *result = NULL;
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.start_s = item->utterance->start_s;
    options.length_s = item->utterance->length_s;
    /* A failure leaves its status in item->err. */
    if (prepare(item, job->alphabet) != OTO_OK) {
        oto_cli_name_file(&item->err, path);
        return;
    }
    oto_status status = oto_batch_recognize(worker, &result, NULL, path, &options, &item->err);
    if (status == OTO_OK && (compare(item, result) != OTO_OK ||
                             (job->eval->latency_ms == 0 && keep_words(item, result, worker))))
        oto_cli_name_file(&item->err, path);
}

/* ---- all of them ------------------------------------------------------------------------- */

static bool tell(void *arg, size_t k)
{
    const struct job *job = arg;
    const struct oto_eval_item *item = &job->eval->items[k];
    if (item->err.status != OTO_OK)
        oto_cli_error("%s", item->err.message);
    return true;
}

/* Runs every utterance; OTO_OK also where some failed. */
static oto_status recognise_all(struct oto_eval *e, const struct oto_model *model,
                                const struct eval_options *o, oto_error *err)
{
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    oto_cli_set_decoding(&options, &o->decoding);
    struct job job = {e, model->bundle->alphabet};
    struct oto_batch batch = {.model = model,
                              .options = &options,
                              .latency_ms = o->latency_ms,
                              .n_jobs = o->jobs,
                              .n_items = e->n_items,
                              .what = "utterances",
                              .arg = &job,
                              .work = recognise,
                              .tell = tell};
    oto_status status = oto_batch_run(&batch, err);
    e->passed_s = batch.passed_s;
    e->jobs = e->n_items < (size_t)o->jobs ? (int)e->n_items : o->jobs;
    return status;
}

/* ---- results ----------------------------------------------------------------------------- */

static oto_status save_hypotheses(const struct oto_eval *e, const char *path, oto_error *err)
{
    struct oto_writer w = {0};
    for (size_t i = 0; i < e->n_items; i++) {
        const struct oto_eval_item *item = &e->items[i];
        oto_write_bytes(&w, item->utterance->id, strlen(item->utterance->id));
        oto_write_u8(&w, '\t');
        if (item->hyp)
            oto_write_bytes(&w, item->hyp, strlen(item->hyp));
        oto_write_u8(&w, '\n');
    }
    oto_status status =
        w.failed ? oto_fail_memory(err, "hypotheses") : oto_atomic_save(path, w.data, w.size, err);
    oto_writer_clear(&w);
    return status;
}

static int print_report(const struct oto_eval *e, const struct eval_options *o)
{
    oto_error err = {0};
    size_t n_failed = e->n_bad_lines;
    for (size_t i = 0; i < e->n_items; i++)
        n_failed += e->items[i].err.status != OTO_OK;
    oto_status status = o->format == 0 ? oto_eval_write_text(stdout, e, &err)
                                       : oto_eval_write_json(stdout, e, &err);
    if (status != OTO_OK)
        return oto_cli_fail(&err, NULL);
    if (!oto_cli_flush())
        return OTO_EXIT_IO;
    if (o->hyp[0] != 0 && save_hypotheses(e, o->hyp, &err) != OTO_OK)
        return oto_cli_fail(&err, o->hyp);
    if (o->alignments[0] != 0 && oto_eval_save_alignments(e, o->alignments, &err) != OTO_OK)
        return oto_cli_fail(&err, o->alignments);
    if (n_failed == 0)
        return OTO_EXIT_OK;
    oto_cli_error("%zu done, %zu failed", e->n_items + e->n_bad_lines - n_failed, n_failed);
    return OTO_EXIT_SOME_FAILED;
}

/* Calibrates first where that was asked for, and saves the model with what was found. */
static int report(struct oto_eval *e, const struct eval_options *o, struct oto_bundle *bundle)
{
    oto_error err = {0};
    if (o->calibrate[0] == 0)
        return print_report(e, o);
    if (oto_eval_calibrate(e, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    int code = print_report(e, o);
    if (code != OTO_EXIT_OK && code != OTO_EXIT_SOME_FAILED)
        return code;
    bundle->confidence = e->calibration;
    bundle->is_calibrated = true;
    int save_code = oto_cli_save_model(bundle, o->calibrate);
    return save_code != OTO_EXIT_OK ? save_code : code;
}

static int evaluate(const struct eval_options *o, const struct oto_model *model, const char *path)
{
    const struct oto_corpus_options corpus_options = {
        .bad_lines = OTO_BAD_LINES_SKIP, .max_messages = 20, .format = o->corpus_format};
    struct oto_corpus *corpus = NULL;
    oto_error err = {0};
    if (oto_corpus_load(&corpus, o->manifest, &corpus_options, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    struct oto_eval e = {.model = model->name,
                         .model_path = path,
                         .manifests = o->manifest,
                         .corpus = corpus,
                         .n_items = corpus->n,
                         .n_bad_lines = corpus->n_bad,
                         .by = o->by,
                         .beam = o->decoding.beam ? o->decoding.beam : model->bundle->beam.beam,
                         .latency_ms = o->latency_ms,
                         .n_resamples = o->n_resamples,
                         .n_confusions = o->n_confusions,
                         .seed = o->seed};
    int code = OTO_EXIT_SYSTEM;
    e.items = oto_calloc(e.n_items, sizeof *e.items);
    if (!e.items) {
        oto_cli_error("out of memory (utterances)");
        goto out;
    }
    for (size_t i = 0; i < e.n_items; i++)
        e.items[i].utterance = &corpus->utts[i];
    if (recognise_all(&e, model, o, &err) != OTO_OK)
        code = oto_cli_fail(&err, oto_cli_decoding_file(&o->decoding, &err));
    else
        code = report(&e, o, model->bundle);
out:
    for (size_t i = 0; e.items && i < e.n_items; i++) {
        oto_free(e.items[i].ref);
        oto_free(e.items[i].hyp);
        oto_eval_clear_words(&e.items[i]);
    }
    oto_free(e.items);
    oto_corpus_destroy(corpus);
    return code;
}

static int load_and_evaluate(const struct eval_options *o)
{
    char path[4096];
    int code;
    oto_model *model = oto_cli_open_model(o->model, path, sizeof path, &code);
    if (model == NULL)
        return code;
    code = evaluate(o, model, path);
    oto_model_destroy(model);
    return code;
}

int oto_cmd_eval(int argc, char **argv)
{
    struct eval_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Decoding:", oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **operands = oto_calloc((size_t)argc, sizeof *operands);
    if (!operands || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding, &err) !=
            OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n, &code) &&
             oto_cli_prepare_decoding(&options.decoding, &code)) {
        if (n > 0)
            code = oto_cli_usage_error(
                "eval", "unexpected argument '%s'; manifests are given with --manifest",
                operands[0]);
        else if (options.manifest[0] == 0)
            code = oto_cli_usage_error("eval", "no manifest; name one with --manifest=FILE");
        else if (options.latency_ms > 0 && options.calibrate[0] != 0)
            code = oto_cli_usage_error("eval", "--calibrate goes without --latency: it hears whole "
                                               "utterances");
        else
            code = load_and_evaluate(&options);
    }
    oto_cli_clear_decoding(&options.decoding);
    oto_options_clear(option_table, N_OPTIONS, &options);
    oto_free(operands);
    return code;
}
