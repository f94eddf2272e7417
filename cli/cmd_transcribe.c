/* SPDX-License-Identifier: BSD-2-Clause */
/* Audio files to text, through the public headers alone. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

#define CHUNK 16384 /* samples read at once */

/* ---- options ----------------------------------------------------------------------------- */

static const struct oto_output *const outputs[] = {&oto_output_text, &oto_output_tsv,
                                                   &oto_output_json};
static const char *const output_names[] = {"text", "tsv", "json",
                                           NULL}; /* in the order of outputs */

struct transcribe_options {
    char *model, *raw;
    int format, beam, n_best, channel, jobs;
    double max_segment_s;
};

#define FIELD(f) .offset = offsetof(struct transcribe_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "text",
     .choices = output_names, .help = "What is printed for each file."},
    {.name = "beam", .short_name = 'b', .type = OTO_OPTION_INT, FIELD(beam), .default_text = "0", .min = 0, .max = 10000,
     .help = "Prefixes kept in the search; 1 is greedy, 0 the model's own choice."},
    {.name = "n-best", .short_name = 'n', .type = OTO_OPTION_INT, FIELD(n_best), .default_text = "1", .min = 1, .max = 10000,
     .help = "Alternatives listed with --format=json; at most the beam."},
    {.name = "channel", .short_name = 'c', .type = OTO_OPTION_INT, FIELD(channel), .default_text = "0", .min = 0, .max = 1024,
     .help = "Channel to use, the first is 1; 0 is the mean of all."},
    {.name = "raw", .type = OTO_OPTION_TEXT, FIELD(raw), .default_text = "", .argument = "FORMAT:RATE:CHANNELS",
     .help = "The input has no header: for example s16le:16000:1."},
    {.name = "max-segment", .type = OTO_OPTION_REAL, FIELD(max_segment_s), .default_text = "30", .min = 1, .max = 600,
     .argument = "SECONDS", .help = "Longer audio is cut at its quietest moments into parts up to this length, in seconds."},
    {.name = "jobs", .short_name = 'j', .type = OTO_OPTION_INT, FIELD(jobs), .default_text = "1", .min = 1, .max = 256,
     .help = "Files worked on at the same time."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "transcribe",
    .synopsis = "  otolith transcribe [options] FILE...\n",
    .examples = "  otolith transcribe talk.wav\n"
                "  otolith transcribe --format=tsv --jobs=2 *.flac > texts.tsv\n"
                "  otolith transcribe --format=json --n-best=5 call.ogg | jq .text\n"
                "  sox talk.mp3 -t wav - | otolith transcribe --model=digits-en -\n"
                "  arecord -t raw -f S16_LE -r 16000 | otolith transcribe --raw=s16le:16000:1 -\n",
    .notes = "FILE is anything libsndfile reads (WAV, FLAC, Ogg, Opus, MP3, ...) at any rate; - is "
             "standard input.\n\n"
             "text prints the text of one file alone, and 'FILE: text' for several; tsv prints the "
             "name without\n"
             "folder and suffix, a tab, and the text; json prints an object on one line. Results "
             "come in the order\n"
             "of the files.\n\n"
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
    double seconds;
    bool done;
};

struct batch {
    const struct transcribe_options *options;
    int rate_hz;
    struct item *items;
    int n_items;
    pthread_mutex_t lock; /* guards what follows and item.done */
    pthread_cond_t changed;
    int next;
    bool stop;
    double seconds; /* of audio, so far */
};

struct worker {
    struct batch *batch;
    oto_recognizer *recognizer;
    float *samples; /* [CHUNK] */
    pthread_t thread;
};

/* A failure of the recogniser knows no file. */
static oto_status name_file(struct item *item, oto_status status)
{
    char message[sizeof item->err.message];
    memcpy(message, item->err.message, sizeof message);
    snprintf(item->err.message, sizeof item->err.message, "%.100s: %.140s", item->file, message);
    return status;
}

static oto_status feed_all(struct worker *w, struct item *item, oto_audio *audio)
{
    for (;;) {
        size_t n = 0;
        oto_status status = oto_audio_read(audio, w->samples, CHUNK, &n, &item->err);
        if (status != OTO_OK || n == 0)
            return status;
        status = oto_recognizer_feed(w->recognizer, w->samples, n, &item->err);
        if (status != OTO_OK)
            return name_file(item, status);
        pthread_mutex_lock(&w->batch->lock);
        w->batch->seconds += (double)n / w->batch->rate_hz;
        bool stop = w->batch->stop;
        pthread_mutex_unlock(&w->batch->lock);
        if (stop)
            return oto_fail(&item->err, OTO_ERR_INTERRUPTED, "%s: stopped", item->file);
    }
}

static oto_status print_result(const struct batch *batch, struct item *item,
                               const oto_result *result)
{
    const struct oto_transcript transcript = {item->file, batch->n_items, result};
    FILE *out = open_memstream(&item->output, &item->size);
    if (out == NULL)
        return oto_fail_memory(&item->err, "result");
    outputs[batch->options->format]->write(out, &transcript);
    bool good = ferror(out) == 0;
    good = fclose(out) == 0 && good;
    return good ? OTO_OK : oto_fail_memory(&item->err, "result");
}

static oto_status transcribe(struct worker *w, struct item *item)
{
    const struct transcribe_options *o = w->batch->options;
    oto_audio_options options;
    oto_audio *audio = NULL;
    oto_audio_options_init(&options);
    options.rate_hz = w->batch->rate_hz;
    options.channel = o->channel;
    options.raw = o->raw[0] != 0 ? o->raw : NULL;
    oto_status status = oto_audio_open(&audio, item->file, &options, &item->err);
    if (status != OTO_OK)
        return status;
    oto_recognizer_reset(w->recognizer);
    status = feed_all(w, item, audio);
    oto_audio_info info;
    oto_audio_get_info(audio, &info);
    snprintf(item->warning, sizeof item->warning, "%s", info.warning);
    oto_audio_close(audio);
    if (status != OTO_OK)
        return status;
    const oto_result *result = NULL;
    status = oto_recognizer_finish(w->recognizer, &result, &item->err);
    if (status != OTO_OK)
        return name_file(item, status);
    item->seconds = result->seconds;
    return print_result(w->batch, item, result);
}

/* ---- many files -------------------------------------------------------------------------- */

static void *work(void *argument)
{
    struct worker *w = argument;
    struct batch *batch = w->batch;
    pthread_mutex_lock(&batch->lock);
    while (!batch->stop && batch->next < batch->n_items) {
        struct item *item = &batch->items[batch->next++];
        pthread_mutex_unlock(&batch->lock);
        item->err.status = transcribe(w, item);
        pthread_mutex_lock(&batch->lock);
        item->done = true;
        pthread_cond_broadcast(&batch->changed);
    }
    pthread_mutex_unlock(&batch->lock);
    return NULL;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Waits for item k, showing progress meanwhile. */
static void wait_for(struct batch *batch, int k, struct oto_progress *progress, double start_s)
{
    pthread_mutex_lock(&batch->lock);
    while (!batch->items[k].done) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200000000;
        if (until.tv_nsec >= 1000000000) {
            until.tv_nsec -= 1000000000;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&batch->changed, &batch->lock, &until);
        double passed = now_s() - start_s;
        oto_progress_show(progress, "%d of %d files done, %.0f s of audio, %.1f times real time", k,
                          batch->n_items, batch->seconds, passed > 0 ? batch->seconds / passed : 0);
    }
    pthread_mutex_unlock(&batch->lock);
}

/* Prints item k. False when standard output takes no more. */
static bool report(const struct item *item)
{
    if (item->warning[0] != 0)
        oto_cli_note("warning: %s", item->warning);
    if (item->err.status != OTO_OK) {
        oto_cli_error("%s", item->err.message);
        return true;
    }
    oto_progress_hide();
    fwrite(item->output, 1, item->size, stdout);
    return oto_cli_flush();
}

static int finish(struct batch *batch, int n_reported, int n_failed, double start_s)
{
    double passed = now_s() - start_s;
    if (n_reported < batch->n_items)
        return OTO_EXIT_IO; /* standard output failed; told already */
    if (oto_cli_verbosity() == OTO_VERBOSE)
        oto_cli_note("%.1f s of audio in %.2f s", batch->seconds, passed);
    if (batch->n_items > 1 && n_failed > 0)
        oto_cli_error("%d done, %d failed", batch->n_items - n_failed, n_failed);
    else if (batch->n_items > 1)
        oto_cli_note("%d done, 0 failed", batch->n_items);
    if (n_failed == 0)
        return OTO_EXIT_OK;
    const struct item *first = &batch->items[0];
    return batch->n_items > 1 ? OTO_EXIT_SOME_FAILED : oto_exit_code(&first->err, first->file);
}

static int run_batch(struct batch *batch, struct worker *workers, int n_workers)
{
    struct oto_progress progress;
    double start_s = now_s();
    int n_started = 0, n_reported = 0, n_failed = 0;
    oto_progress_init(&progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    while (n_started < n_workers &&
           pthread_create(&workers[n_started].thread, NULL, work, &workers[n_started]) == 0)
        n_started++;
    if (n_started == 0) {
        oto_cli_error("cannot start a thread");
        return OTO_EXIT_SYSTEM;
    }
    for (bool good = true; good && n_reported < batch->n_items; n_reported += good) {
        wait_for(batch, n_reported, &progress, start_s);
        n_failed += batch->items[n_reported].err.status != OTO_OK;
        good = report(&batch->items[n_reported]);
    }
    oto_progress_end(&progress);
    pthread_mutex_lock(&batch->lock);
    batch->stop = true;
    pthread_mutex_unlock(&batch->lock);
    for (int i = 0; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
    return finish(batch, n_reported, n_failed, start_s);
}

/* ---- the whole --------------------------------------------------------------------------- */

static oto_status create_workers(struct worker *workers, int n, struct batch *batch,
                                 const oto_model *model, oto_error *err)
{
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = batch->options->beam;
    options.n_best = batch->options->n_best;
    options.max_segment_s = batch->options->max_segment_s;
    for (int i = 0; i < n; i++) {
        workers[i].batch = batch;
        workers[i].samples = calloc(CHUNK, sizeof(float));
        if (workers[i].samples == NULL)
            return oto_fail_memory(err, "samples");
        oto_status status = oto_recognizer_create(&workers[i].recognizer, model, &options, err);
        if (status != OTO_OK)
            return status;
    }
    return OTO_OK;
}

static int transcribe_files(const struct transcribe_options *o, const oto_model *model,
                            const char **files, int n)
{
    oto_error err = {0};
    oto_model_info info;
    oto_model_get_info(model, &info);
    struct batch batch = {.options = o, .rate_hz = info.rate_hz, .n_items = n};
    int code = OTO_EXIT_SYSTEM, n_workers = o->jobs < n ? o->jobs : n;
    batch.items = calloc((size_t)n, sizeof *batch.items);
    struct worker *workers = calloc((size_t)n_workers, sizeof *workers);
    pthread_mutex_init(&batch.lock, NULL);
    pthread_cond_init(&batch.changed, NULL);
    if (batch.items == NULL || workers == NULL) {
        oto_cli_error("out of memory (files)");
        goto done;
    }
    for (int i = 0; i < n; i++)
        batch.items[i].file = files[i];
    if (create_workers(workers, n_workers, &batch, model, &err) != OTO_OK)
        code = oto_cli_fail(&err, NULL);
    else
        code = run_batch(&batch, workers, n_workers);
done:
    for (int i = 0; workers != NULL && i < n_workers; i++) {
        oto_recognizer_destroy(workers[i].recognizer);
        free(workers[i].samples);
    }
    free(workers);
    for (int i = 0; batch.items != NULL && i < n; i++)
        free(batch.items[i].output);
    free(batch.items);
    pthread_cond_destroy(&batch.changed);
    pthread_mutex_destroy(&batch.lock);
    return code;
}

static int check_usage(const struct transcribe_options *o, const char **files, int n)
{
    int n_stdin = 0;
    for (int i = 0; i < n; i++)
        n_stdin += strcmp(files[i], "-") == 0;
    if (n == 0)
        return oto_cli_usage_error("transcribe", "no file named; - is standard input");
    if (n_stdin > 1)
        return oto_cli_usage_error("transcribe", "- (standard input) can be read once only");
    if (o->n_best > 1 && outputs[o->format] != &oto_output_json)
        return oto_cli_usage_error("transcribe",
                                   "--n-best needs --format=json, which lists alternatives");
    return OTO_EXIT_OK;
}

static int load_and_run(const struct transcribe_options *o, const char **files, int n)
{
    oto_error err = {0};
    oto_model *model = NULL;
    char path[4096];
    if (oto_model_find(o->model, path, sizeof path, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    if (oto_model_load(&model, path, &err) != OTO_OK)
        return oto_cli_fail(&err, path);
    if (oto_cli_verbosity() == OTO_VERBOSE)
        oto_cli_note("model %s", path);
    int code = transcribe_files(o, model, files, n);
    oto_model_destroy(model);
    return code;
}

int oto_cmd_transcribe(int argc, char **argv)
{
    struct transcribe_options options = {0};
    const struct oto_option_group groups[] = {{"Options:", option_table, N_OPTIONS, &options}, {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **files = calloc((size_t)argc, sizeof *files);
    if (files == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, files, &n, &code)) {
        code = check_usage(&options, files, n);
        if (code == OTO_EXIT_OK)
            code = load_and_run(&options, files, n);
    }
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(files);
    return code;
}
