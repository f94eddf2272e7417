/* SPDX-License-Identifier: BSD-2-Clause */
/* What a model costs on this machine: the way of transcribe, with a clock at each stage. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "api/stages.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/decoding.h"
#include "cli/json.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

/* ---- options ----------------------------------------------------------------------------- */

enum format { FORMAT_TEXT, FORMAT_JSON };
static const char *const format_names[] = {"text", "json", NULL};

struct bench_options {
    char *model;
    int format, threads, runs, portion_ms;
    struct oto_cli_decoding decoding;
};

#define FIELD(f) .offset = offsetof(struct bench_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "threads", .short_name = 't', .type = OTO_OPTION_INT, FIELD(threads), .default_text = "1", .min = 1, .max = 256,
     .help = "Threads that share the work of one file."},
    {.name = "runs", .short_name = 'r', .type = OTO_OPTION_INT, FIELD(runs), .default_text = "5", .min = 1, .max = 1000,
     .help = "Times that the files are gone through, after one that is not counted."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "text",
     .choices = format_names, .help = "How the figures are printed."},
    {.name = "portion", .type = OTO_OPTION_INT, FIELD(portion_ms), .default_text = "100", .min = 1, .max = 60000,
     .argument = "MS", .help = "Audio handed to the recognizer at once, in milliseconds."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "bench",
    .synopsis = "  otolith bench [options] FILE...\n",
    .examples = "  otolith bench talk.wav\n"
                "  otolith bench --model=digits-en --threads=2 --runs=20 *.wav\n"
                "  otolith bench --format=json talk.wav | jq .real_time_factor\n",
    .notes = "Goes through the files as transcribe does and tells what each stage takes for a "
             "second of audio, by\n"
             "the wall clock and in processor time: audio (reading, decoding, resampling), "
             "features, network,\n"
             "decoder, and the rest. Every figure is the median of the runs. Latency is what a "
             "program that embeds\n"
             "the library waits for: feed takes a portion of audio, finish returns the text. "
             "Memory is the most\n"
             "that the process held.\n",
};

/* ---- what is measured -------------------------------------------------------------------- */

enum { AUDIO, FEATURES, NETWORK, DECODER, OTHER, TOTAL, N_PARTS };
static const char *const part_names[N_PARTS] = {"audio",   "features", "network",
                                                "decoder", "other",    "total"};

/* Wall times of calls, in seconds; grows. */
struct latencies {
    double *s;
    size_t n, capacity;
};

struct bench {
    const struct bench_options *options;
    oto_model *model;
    oto_model_info model_info;
    oto_recognizer *recognizer;
    const char **files;
    int n_files;
    float *samples; /* [n_portion] */
    size_t n_portion;

    double load_s, audio_s; /* of one run */
    double *wall_s, *cpu_s; /* [N_PARTS, runs] */
    struct latencies feed, finish;
    bool warm; /* the run counts */
};

static oto_status add_latency(struct latencies *l, double s, oto_error *err)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity > 0 ? 2 * l->capacity : 1024;
        double *grown = realloc(l->s, capacity * sizeof *grown);
        if (grown == NULL)
            return oto_fail_memory(err, "latencies");
        l->s = grown;
        l->capacity = capacity;
    }
    l->s[l->n++] = s;
    return OTO_OK;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The smallest of the sorted n values that is at least as large as a share p of them. */
static double percentile(const double *sorted, size_t n, double p)
{
    size_t rank = (size_t)ceil(p * (double)n);
    return sorted[rank > 0 ? rank - 1 : 0];
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare_doubles);
    return percentile(v, n, 0.5);
}

/* ---- the runs ---------------------------------------------------------------------------- */

static struct oto_stage_time clocks(void)
{
    return (struct oto_stage_time){oto_clock_wall_s(), oto_clock_cpu_s()};
}

static void count(struct oto_stage_time *part, struct oto_stage_time start)
{
    struct oto_stage_time end = clocks();
    part->wall_s += end.wall_s - start.wall_s;
    part->cpu_s += end.cpu_s - start.cpu_s;
}

static oto_status feed_all(struct bench *b, struct oto_stage_time *reading, oto_audio *audio,
                           const char *file, oto_error *err)
{
    for (;;) {
        size_t n = 0;
        struct oto_stage_time start = clocks();
        oto_status status = oto_audio_read(audio, b->samples, b->n_portion, &n, err);
        count(reading, start);
        if (status != OTO_OK || n == 0)
            return status;
        double fed = oto_clock_wall_s();
        status = oto_recognizer_feed(b->recognizer, b->samples, n, err);
        if (status != OTO_OK)
            oto_cli_name_file(err, file);
        else if (b->warm)
            status = add_latency(&b->feed, oto_clock_wall_s() - fed, err);
        if (status != OTO_OK)
            return status;
    }
}

static oto_status go_through(struct bench *b, struct oto_stage_time *reading, const char *file,
                             oto_error *err)
{
    oto_audio_options options;
    oto_audio *audio = NULL;
    const oto_result *result = NULL;
    oto_audio_options_init(&options);
    options.rate_hz = b->model_info.rate_hz;
    struct oto_stage_time start = clocks();
    oto_status status = oto_audio_open(&audio, file, &options, err);
    count(reading, start);
    if (status != OTO_OK)
        return status;
    oto_recognizer_reset(b->recognizer);
    status = feed_all(b, reading, audio, file, err);
    start = clocks();
    oto_audio_close(audio);
    count(reading, start);
    if (status != OTO_OK)
        return status;
    double finishing = oto_clock_wall_s();
    status = oto_recognizer_finish(b->recognizer, &result, err);
    if (status != OTO_OK)
        oto_cli_name_file(err, file);
    else if (b->warm)
        status = add_latency(&b->finish, oto_clock_wall_s() - finishing, err);
    if (status == OTO_OK)
        b->audio_s += result->seconds;
    return status;
}

/* All files once; run counts from 0, -1 is the one that warms up. */
static oto_status run_once(struct bench *b, int run, oto_error *err)
{
    struct oto_stage_time stages[OTO_N_STAGES] = {{0}}, parts[N_PARTS] = {{0}};
    oto_status status = OTO_OK;
    b->warm = run >= 0;
    b->audio_s = 0;
    oto_recognizer_time_stages(b->recognizer, stages);
    struct oto_stage_time start = clocks();
    for (int i = 0; i < b->n_files && status == OTO_OK; i++)
        status = go_through(b, &parts[AUDIO], b->files[i], err);
    count(&parts[TOTAL], start);
    oto_recognizer_time_stages(b->recognizer, NULL);
    if (status != OTO_OK || run < 0)
        return status;
    parts[FEATURES] = stages[OTO_STAGE_FEATURES];
    parts[NETWORK] = stages[OTO_STAGE_NETWORK];
    parts[DECODER] = stages[OTO_STAGE_DECODER];
    parts[OTHER] = parts[TOTAL];
    for (int i = AUDIO; i < OTHER; i++) {
        parts[OTHER].wall_s -= parts[i].wall_s;
        parts[OTHER].cpu_s -= parts[i].cpu_s;
    }
    for (int i = 0; i < N_PARTS; i++) {
        b->wall_s[i * b->options->runs + run] = parts[i].wall_s;
        b->cpu_s[i * b->options->runs + run] = parts[i].cpu_s;
    }
    return OTO_OK;
}

static oto_status set_up(struct bench *b, oto_error *err)
{
    const struct bench_options *o = b->options;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    oto_cli_set_decoding(&options, &o->decoding);
    options.n_threads = o->threads;
    oto_model_get_info(b->model, &b->model_info);
    b->n_portion = (size_t)o->portion_ms * (size_t)b->model_info.rate_hz / 1000;
    b->n_portion = b->n_portion > 0 ? b->n_portion : 1;
    b->samples = calloc(b->n_portion, sizeof *b->samples);
    b->wall_s = calloc((size_t)N_PARTS * (size_t)o->runs, sizeof *b->wall_s);
    b->cpu_s = calloc((size_t)N_PARTS * (size_t)o->runs, sizeof *b->cpu_s);
    if (b->samples == NULL || b->wall_s == NULL || b->cpu_s == NULL)
        return oto_fail_memory(err, "samples and times");
    return oto_recognizer_create(&b->recognizer, b->model, &options, err);
}

static oto_status measure(struct bench *b, oto_error *err)
{
    oto_status status = set_up(b, err);
    for (int run = -1; run < b->options->runs && status == OTO_OK; run++)
        status = run_once(b, run, err);
    if (status == OTO_OK && !(b->audio_s > 0))
        status = oto_fail(err, OTO_ERR_DATA, "%s: no samples to measure with", b->files[0]);
    return status;
}

/* ---- the figures ------------------------------------------------------------------------- */

static double peak_memory_mb(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_maxrss * 1024e-6; /* KiB */
}

struct figures {
    double wall_ms[N_PARTS], cpu_ms[N_PARTS]; /* for a second of audio */
    double real_time_factor, cpu_factor, memory_mb;
};

static struct figures work_out(struct bench *b)
{
    const size_t runs = (size_t)b->options->runs;
    struct figures f;
    for (size_t i = 0; i < N_PARTS; i++) {
        f.wall_ms[i] = 1e3 * median(b->wall_s + i * runs, runs) / b->audio_s;
        f.cpu_ms[i] = 1e3 * median(b->cpu_s + i * runs, runs) / b->audio_s;
    }
    f.real_time_factor = 1e-3 * f.wall_ms[TOTAL];
    f.cpu_factor = 1e-3 * f.cpu_ms[TOTAL];
    f.memory_mb = peak_memory_mb();
    qsort(b->feed.s, b->feed.n, sizeof *b->feed.s, compare_doubles);
    qsort(b->finish.s, b->finish.n, sizeof *b->finish.s, compare_doubles);
    return f;
}

static void print_latency(const char *name, const struct latencies *l)
{
    printf("    %-8s  %10.3f  %10.3f  %10.3f  %10.3f  %10zu\n", name,
           1e3 * percentile(l->s, l->n, 0.5), 1e3 * percentile(l->s, l->n, 0.9),
           1e3 * percentile(l->s, l->n, 0.99), 1e3 * l->s[l->n - 1], l->n);
}

static void print_text(const struct bench *b, const struct figures *f)
{
    const struct bench_options *o = b->options;
    printf("model       %s, %zu parameters, loaded in %.0f ms\n", b->model_info.name,
           b->model_info.n_parameters, 1e3 * b->load_s);
    printf("audio       %.1f s in %d file%s, %d run%s, %d thread%s\n\n", b->audio_s, b->n_files,
           b->n_files == 1 ? "" : "s", o->runs, o->runs == 1 ? "" : "s", o->threads,
           o->threads == 1 ? "" : "s");
    printf("ms for a second of audio\n"
           "    stage           wall   processor       share\n");
    for (int i = 0; i < N_PARTS; i++)
        printf("    %-8s  %10.3f  %10.3f  %9.1f%%\n", part_names[i], f->wall_ms[i], f->cpu_ms[i],
               100 * f->wall_ms[i] / f->wall_ms[TOTAL]);
    printf("\nlatency, ms          p50         p90         p99         max       calls\n");
    print_latency("feed", &b->feed);
    print_latency("finish", &b->finish);
    printf("    (feed takes %d ms of audio)\n\n", o->portion_ms);
    printf("real-time factor    %.4f (in processor time %.4f)\n", f->real_time_factor,
           f->cpu_factor);
    printf("peak memory         %.1f MB\n", f->memory_mb);
}

static void print_json_numbers(const char *name, const double *values)
{
    printf(",\"%s\":{", name);
    for (int i = 0; i < N_PARTS; i++) {
        printf("%s\"%s\":", i > 0 ? "," : "", part_names[i]);
        oto_json_number(stdout, values[i]);
    }
    putchar('}');
}

static void print_json_latency(const char *name, const struct latencies *l)
{
    static const double shares[] = {0.5, 0.9, 0.99, 1};
    static const char *const names[] = {"p50", "p90", "p99", "max"};
    printf(",\"%s_ms\":{\"calls\":%zu", name, l->n);
    for (int i = 0; i < 4; i++) {
        printf(",\"%s\":", names[i]);
        oto_json_number(stdout, 1e3 * percentile(l->s, l->n, shares[i]));
    }
    putchar('}');
}

static void print_json(const struct bench *b, const struct figures *f)
{
    const struct bench_options *o = b->options;
    fputs("{\"v\":1,\"model\":", stdout);
    oto_json_text(stdout, b->model_info.name);
    printf(",\"parameters\":%zu,\"files\":%d,\"runs\":%d,\"threads\":%d,\"portion_ms\":%d",
           b->model_info.n_parameters, b->n_files, o->runs, o->threads, o->portion_ms);
    fputs(",\"audio_s\":", stdout);
    oto_json_number(stdout, b->audio_s);
    fputs(",\"load_ms\":", stdout);
    oto_json_number(stdout, 1e3 * b->load_s);
    print_json_numbers("wall_ms_per_s", f->wall_ms);
    print_json_numbers("cpu_ms_per_s", f->cpu_ms);
    fputs(",\"real_time_factor\":", stdout);
    oto_json_number(stdout, f->real_time_factor);
    fputs(",\"cpu_factor\":", stdout);
    oto_json_number(stdout, f->cpu_factor);
    print_json_latency("feed", &b->feed);
    print_json_latency("finish", &b->finish);
    fputs(",\"peak_memory_mb\":", stdout);
    oto_json_number(stdout, f->memory_mb);
    fputs("}\n", stdout);
}

/* ---- the subcommand ---------------------------------------------------------------------- */

static int bench_files(const struct bench_options *o, const char **files, int n)
{
    oto_error err = {0};
    struct bench b = {.options = o, .files = files, .n_files = n};
    char path[4096];
    int code = OTO_EXIT_OK;
    if (oto_model_find(o->model, path, sizeof path, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    double start = oto_clock_wall_s();
    if (oto_model_load(&b.model, path, &err) != OTO_OK)
        return oto_cli_fail(&err, path);
    b.load_s = oto_clock_wall_s() - start;
    if (measure(&b, &err) != OTO_OK) {
        code = oto_cli_fail(&err, NULL);
    } else {
        const struct figures f = work_out(&b);
        (o->format == FORMAT_JSON ? print_json : print_text)(&b, &f);
    }
    oto_recognizer_destroy(b.recognizer);
    oto_model_destroy(b.model);
    free(b.feed.s);
    free(b.finish.s);
    free(b.wall_s);
    free(b.cpu_s);
    free(b.samples);
    return code;
}

int oto_cmd_bench(int argc, char **argv)
{
    struct bench_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Decoding:", oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **files = calloc((size_t)argc, sizeof *files);
    if (files == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding, &err) !=
            OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, files, &n, &code) &&
             oto_cli_prepare_decoding(&options.decoding, &code)) {
        code = OTO_EXIT_OK;
        if (n == 0)
            code = oto_cli_usage_error("bench", "no file named");
        for (int i = 0; i < n && code == OTO_EXIT_OK; i++) {
            if (strcmp(files[i], "-") == 0)
                code = oto_cli_usage_error("bench", "- (standard input) can be read once only");
        }
        if (code == OTO_EXIT_OK)
            code = bench_files(&options, files, n);
    }
    oto_cli_clear_decoding(&options.decoding);
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(files);
    return code;
}
