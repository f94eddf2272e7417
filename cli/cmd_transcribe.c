/* SPDX-License-Identifier: BSD-2-Clause */
/* Audio files to text, through the public headers alone. */
#include <stdlib.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/decoding.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

/* ---- options ----------------------------------------------------------------------------- */

struct transcribe_options {
    char *model, *raw, *formats;
    int n_best, channel, jobs, threads;
    double max_segment_s;
    struct oto_cli_decoding decoding;
    struct oto_cli_output output;
};

#define FIELD(f) .offset = offsetof(struct transcribe_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_TEXT, FIELD(formats), .default_text = "text", .argument = "NAME,...",
     .help = "What is written for each file, one or several of: " OTO_OUTPUT_NAMES "."},
    {.name = "n-best", .short_name = 'n', .type = OTO_OPTION_INT, FIELD(n_best), .default_text = "1", .min = 1, .max = 10000,
     .help = "Alternatives listed with --format=json; at most the beam."},
    {.name = "channel", .short_name = 'c', .type = OTO_OPTION_INT, FIELD(channel), .default_text = "0", .min = 0, .max = 1024,
     .help = "Channel to use, the first is 1; 0 is the mean of all."},
    {.name = "raw", .type = OTO_OPTION_TEXT, FIELD(raw), .default_text = "", .argument = "FORMAT:RATE:CHANNELS",
     .help = "The input has no header: for example s16le:16000:1."},
    {.name = "max-segment", .type = OTO_OPTION_REAL, FIELD(max_segment_s), .default_text = "30", .min = 1, .max = 600,
     .argument = "SECONDS", .help = "Longer audio is cut in pauses, else at its quietest moments, into parts up to this length, in seconds."},
    {.name = "jobs", .short_name = 'j', .type = OTO_OPTION_INT, FIELD(jobs), .default_text = "1", .min = 1, .max = 256,
     .help = "Files worked on at the same time."},
    {.name = "threads", .short_name = 't', .type = OTO_OPTION_INT, FIELD(threads), .default_text = "1", .min = 1, .max = 256,
     .help = "Threads that share the work of one file: two are worth having, more are not."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "transcribe",
    .synopsis = "  otolith transcribe [options] FILE...\n",
    .examples = "  otolith transcribe talk.wav\n"
                "  otolith transcribe --format=tsv --jobs=2 *.flac > texts.tsv\n"
                "  otolith transcribe --format=json --n-best=5 call.ogg | jq .text\n"
                "  otolith transcribe --format=srt,json --output-dir=subtitles *.flac\n"
                "  sox talk.mp3 -t wav - | otolith transcribe --model=digits-en -\n"
                "  arecord -t raw -f S16_LE -r 16000 | otolith transcribe --raw=s16le:16000:1 -\n",
    .notes = "FILE is anything libsndfile reads (WAV, FLAC, Ogg, Opus, MP3, ...) at any rate; - is "
             "standard input.\n\n"
             "text prints the text of one file alone, and 'FILE: text' for several; tsv prints the "
             "name without\n"
             "folder and suffix, a tab, and the text; json prints an object on one line, with "
             "words, their times\n"
             "and confidence. The others are described in docs/formats.md. Results come in the "
             "order of the files.\n\n"
             "A file that cannot be read is reported and the others go on: the exit code is then "
             "1. With a single\n"
             "file it tells the reason: 66 missing, 65 no usable audio, 74 read error, 77 no "
             "permission.\n",
};

/* ---- one file ---------------------------------------------------------------------------- */

struct item {
    const char *file;
    char *output; /* what is to be printed; malloc'd */
    size_t size;
    oto_error err;
    char warning[256];
};

struct job {
    const struct transcribe_options *options;
    struct item *items;
    int n_items, n_failed;
    bool has_printed;
};

static oto_status print_result(const struct job *job, struct item *item, const oto_result *result)
{
    struct oto_transcript transcript = {
        .file = item->file, .n_files = job->n_items, .result = result};
    return oto_cli_output_write(&job->options->output, &transcript, &item->output, &item->size,
                                &item->err);
}

static void transcribe(void *arg, struct oto_batch_worker *worker, size_t k)
{
    const struct job *job = arg;
    struct item *item = &job->items[k];
    const char *raw = job->options->raw;
    const oto_result *result = NULL;
    oto_audio_options options;
    oto_audio_options_init(&options);
    options.channel = job->options->channel;
    options.raw = raw[0] != 0 ? raw : NULL;
    oto_status status =
        oto_batch_recognize(worker, &result, item->warning, item->file, &options, &item->err);
    if (status == OTO_OK)
        status = print_result(job, item, result);
    item->err.status = status;
}

/* Prints item k. False when standard output takes no more. */
static bool tell(void *arg, size_t k)
{
    struct job *job = arg;
    const struct item *item = &job->items[k];
    if (item->warning[0] != 0)
        oto_cli_note("warning: %s", item->warning);
    if (item->err.status != OTO_OK) {
        oto_cli_error("%s", item->err.message);
        job->n_failed++;
        return true;
    }
    if (item->output == NULL) /* it went to the folder */
        return true;
    oto_progress_hide();
    const char *header = job->options->output.list[0]->header;
    if (!job->has_printed && header != NULL)
        fputs(header, stdout);
    job->has_printed = true;
    fwrite(item->output, 1, item->size, stdout);
    return oto_cli_flush();
}

/* ---- all of them ------------------------------------------------------------------------- */

static int finish(const struct job *job, const struct oto_batch *batch)
{
    if (batch->n_told < batch->n_items)
        return OTO_EXIT_IO; /* standard output failed; told already */
    if (oto_cli_verbosity() == OTO_VERBOSE)
        oto_cli_note("%.1f s of audio in %.2f s", batch->audio_s, batch->passed_s);
    if (job->n_items > 1 && job->n_failed > 0)
        oto_cli_error("%d done, %d failed", job->n_items - job->n_failed, job->n_failed);
    else if (job->n_items > 1)
        oto_cli_note("%d done, 0 failed", job->n_items);
    if (job->n_failed == 0)
        return OTO_EXIT_OK;
    const struct item *first = &job->items[0];
    return job->n_items > 1 ? OTO_EXIT_SOME_FAILED : oto_exit_code(&first->err, first->file);
}

static int transcribe_files(const struct transcribe_options *o, const oto_model *model,
                            const char **files, int n)
{
    oto_error err = {0};
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    oto_cli_set_decoding(&options, &o->decoding);
    options.n_best = o->n_best;
    options.max_segment_s = o->max_segment_s;
    options.n_threads = o->threads;
    options.words = oto_cli_output_has_words(&o->output);
    struct job job = {.options = o, .items = calloc((size_t)n, sizeof *job.items), .n_items = n};
    if (job.items == NULL) {
        oto_cli_error("out of memory (files)");
        return OTO_EXIT_SYSTEM;
    }
    for (int i = 0; i < n; i++)
        job.items[i].file = files[i];
    struct oto_batch batch = {.model = model,
                              .options = &options,
                              .n_jobs = o->jobs,
                              .n_items = (size_t)n,
                              .what = "files",
                              .arg = &job,
                              .work = transcribe,
                              .tell = tell};
    int code = oto_batch_run(&batch, &err) == OTO_OK
                   ? finish(&job, &batch)
                   : oto_cli_fail(&err, oto_cli_decoding_file(&o->decoding, &err));
    for (int i = 0; i < n; i++)
        free(job.items[i].output);
    free(job.items);
    return code;
}

static int check_usage(struct transcribe_options *o, const char **files, int n)
{
    int n_stdin = 0;
    for (int i = 0; i < n; i++)
        n_stdin += strcmp(files[i], "-") == 0;
    if (n == 0)
        return oto_cli_usage_error("transcribe", "no file named; - is standard input");
    if (n_stdin > 1)
        return oto_cli_usage_error("transcribe", "- (standard input) can be read once only");
    int code = oto_cli_output_choose(&o->output, "transcribe", o->formats, files, n);
    if (code == OTO_EXIT_OK && o->n_best > 1 && !oto_cli_output_has(&o->output, &oto_output_json))
        return oto_cli_usage_error("transcribe",
                                   "--n-best needs --format=json, which lists alternatives");
    return code;
}

static int load_and_run(const struct transcribe_options *o, const char **files, int n)
{
    char path[4096];
    int code;
    oto_model *model = oto_cli_open_model(o->model, path, sizeof path, &code);
    if (model == NULL)
        return code;
    if (oto_cli_verbosity() == OTO_VERBOSE)
        oto_cli_note("model %s", path);
    code = transcribe_files(o, model, files, n);
    oto_model_destroy(model);
    return code;
}

int oto_cmd_transcribe(int argc, char **argv)
{
    struct transcribe_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Output:", oto_cli_output_table, oto_cli_n_output, &options.output},
        {"Decoding:", oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **files = calloc((size_t)argc, sizeof *files);
    if (files == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_cli_output_table, oto_cli_n_output, &options.output, &err) != OTO_OK ||
        oto_options_init(oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding, &err) !=
            OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, files, &n, &code) &&
             oto_cli_prepare_decoding(&options.decoding, &code)) {
        code = check_usage(&options, files, n);
        if (code == OTO_EXIT_OK)
            code = load_and_run(&options, files, n);
    }
    oto_cli_clear_decoding(&options.decoding);
    oto_options_clear(oto_cli_output_table, oto_cli_n_output, &options.output);
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(files);
    return code;
}
