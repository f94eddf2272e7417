/* SPDX-License-Identifier: BSD-2-Clause */
/* The features of audio files: what a network reads, or what goes into it before normalisation. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "features/frontend.h"
#include "models/bundle.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

#define CHUNK 16384 /* samples read at once */

enum format { FORMAT_TSV, FORMAT_KALDI, FORMAT_NPY };
enum stage { STAGE_STATIC, STAGE_FULL };

static const char *const format_names[] = {"tsv", "kaldi", "npy", NULL};
static const char *const stage_names[] = {"static", "full", NULL};
static const char *const fft_names[] = {"auto", "kissfft", "fftw", NULL};

struct features_options {
    char *model, *raw;
    int format, stage, fft, channel;
};

#define FIELD(f) .offset = offsetof(struct features_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Take front end and statistics of this model: a file, or a name in the search path."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "tsv",
     .choices = format_names, .help = "What is printed for each file."},
    {.name = "stage", .short_name = 's', .type = OTO_OPTION_CHOICE, FIELD(stage), .default_text = "full",
     .choices = stage_names, .help = "Static frames, or the vectors made of them by normalisation, derivatives and stacking."},
    {.name = "fft", .type = OTO_OPTION_CHOICE, FIELD(fft), .default_text = "auto",
     .choices = fft_names, .help = "Library for the Fourier transform; auto is FFTW where it was built in."},
    {.name = "channel", .short_name = 'c', .type = OTO_OPTION_INT, FIELD(channel), .default_text = "0", .min = 0, .max = 1024,
     .help = "Channel to use, the first is 1; 0 is the mean of all."},
    {.name = "raw", .type = OTO_OPTION_TEXT, FIELD(raw), .default_text = "", .argument = "FORMAT:RATE:CHANNELS",
     .help = "The input has no header: for example s16le:16000:1."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "features",
    .synopsis = "  otolith features [options] FILE...\n"
                "  otolith features --model=MODEL [options] FILE...\n",
    .examples =
        "  otolith features talk.wav > talk.tsv\n"
        "  otolith features --model=english talk.wav      # what that network reads\n"
        "  otolith features --stage=static --mels=23 --ceps=13 --format=kaldi *.wav > mfcc.txt\n"
        "  otolith features --feature=fbank --mels=80 --stage=static --format=npy a.flac > a.npy\n",
    .notes = "tsv prints a line for each vector: the file's name without folder and suffix, the "
             "second at "
             "which the\n"
             "vector begins, and the values, with tabs between; kaldi prints a text archive; npy "
             "writes one "
             "file's\n"
             "vectors as a NumPy array of float32. Printed values read back to the same bits.\n\n"
             "Each file is taken as one utterance; transcribe cuts long ones before it normalises. "
             "FILE is "
             "anything\n"
             "libsndfile reads, at any rate; - is standard input.\n",
};

/* What one file after another goes through. */
struct job {
    const struct features_options *options;
    int rate_hz, stride;
    struct oto_frontend *frontend;
    float *samples; /* [CHUNK] */
};

/* ---- audio to vectors */

/* The front end knows no file. */
static oto_status name_file(oto_error *err, const char *file)
{
    char message[sizeof err->message];
    memcpy(message, err->message, sizeof message);
    return oto_fail(err, err->status, "%.100s: %.140s", file, message);
}

static oto_status read_all(struct job *job, const char *file, oto_error *err)
{
    oto_audio_options options;
    oto_audio *audio = NULL;
    oto_audio_options_init(&options);
    options.rate_hz = job->rate_hz;
    options.channel = job->options->channel;
    options.raw = job->options->raw[0] != 0 ? job->options->raw : NULL;
    oto_status status = oto_audio_open(&audio, file, &options, err);
    if (status != OTO_OK)
        return status;
    for (;;) {
        size_t n = 0;
        status = oto_audio_read(audio, job->samples, CHUNK, &n, err);
        if (status != OTO_OK || n == 0)
            break;
        status = oto_frontend_push(job->frontend, job->samples, n, err);
        if (status != OTO_OK) {
            name_file(err, file);
            break;
        }
    }
    oto_audio_info info;
    oto_audio_get_info(audio, &info);
    if (info.warning[0] != 0)
        oto_cli_note("warning: %s", info.warning);
    oto_audio_close(audio);
    return status;
}

struct vectors {
    const float *values; /* [n, dim] */
    float *owned;        /* when they are not the front end's own */
    size_t n;
    int dim;
    double shift_s;
};

static oto_status compute(struct vectors *v, struct job *job, const char *file, oto_error *err)
{
    struct oto_frontend *fe = job->frontend;
    size_t n_static, n_values;
    *v = (struct vectors){0};
    oto_frontend_reset(fe, 0);
    oto_status status = read_all(job, file, err);
    if (status == OTO_OK)
        status = oto_frontend_finish(fe, err);
    if (status != OTO_OK)
        return status;
    const float *statics = oto_frontend_static(fe, &n_static);
    if (n_static == 0)
        return oto_fail(err, OTO_ERR_DATA, "%.150s: shorter than one window (--frame-length)",
                        file);
    v->n = oto_frontend_n_frames(fe, n_static);
    v->dim = oto_frontend_dim(fe);
    v->shift_s = oto_frontend_shift_s(fe);
    if (job->options->stage == STAGE_STATIC) {
        v->shift_s /= job->stride;
        v->n = n_static;
        v->dim = oto_frontend_static_dim(fe);
        v->values = statics;
        return OTO_OK;
    }
    if (!oto_mul_size(v->n, (size_t)v->dim, &n_values) ||
        (v->owned = oto_calloc(n_values, sizeof *v->owned)) == NULL)
        return oto_fail_memory(err, "features");
    v->values = v->owned;
    return oto_frontend_apply(fe, v->owned, statics, n_static, NULL, NULL, err);
}

/* ---- vectors to text */

/* The file's name without folder and suffix, which is the id in our manifests. */
static void print_id(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    if (strcmp(name, "-") == 0)
        name = "stdin";
    const char *dot = strrchr(name, '.');
    size_t n = dot != NULL && dot > name ? (size_t)(dot - name) : strlen(name);
    for (size_t i = 0; i < n; i++) /* ids hold no white space, in Kaldi's archives least of all */
        putchar((unsigned char)name[i] <= ' ' ? '_' : name[i]);
}

static void print_tsv(const char *file, const struct vectors *v)
{
    for (size_t t = 0; t < v->n; t++) {
        print_id(file);
        printf("\t%.4f", (double)t * v->shift_s);
        for (int d = 0; d < v->dim; d++)
            printf("\t%.9g", (double)v->values[t * (size_t)v->dim + (size_t)d]);
        putchar('\n');
    }
}

static void print_kaldi(const char *file, const struct vectors *v)
{
    print_id(file);
    printf("  [");
    for (size_t t = 0; t < v->n; t++) {
        printf("\n  ");
        for (int d = 0; d < v->dim; d++)
            printf("%.9g ", (double)v->values[t * (size_t)v->dim + (size_t)d]);
    }
    printf("]\n");
}

/* Format 1.0: magic, length of the header, a Python dictionary padded to 128 bytes, the values. */
static void print_npy(const struct vectors *v)
{
    char header[119];
    int n =
        snprintf(header, sizeof header,
                 "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %d), }", v->n, v->dim);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, stdout);
    printf("%-*s%*s\n", n, header, 117 - n, "");
    for (size_t i = 0; i < v->n * (size_t)v->dim; i++) {
        uint32_t bits;
        memcpy(&bits, &v->values[i], sizeof bits);
        for (int b = 0; b < 32; b += 8)
            putchar((int)(bits >> b & 0xff));
    }
}

static oto_status run_file(struct job *job, const char *file, oto_error *err)
{
    struct vectors v;
    oto_status status = compute(&v, job, file, err);
    if (status == OTO_OK) {
        switch ((enum format)job->options->format) {
        case FORMAT_TSV:
            print_tsv(file, &v);
            break;
        case FORMAT_KALDI:
            print_kaldi(file, &v);
            break;
        case FORMAT_NPY:
            print_npy(&v);
            break;
        }
    }
    oto_free(v.owned);
    return status;
}

/* ---- the whole */

static int run_files(struct job *job, const char **files, int n)
{
    int n_failed = 0, code = OTO_EXIT_OK;
    for (int i = 0; i < n; i++) {
        oto_error err = {0};
        if (run_file(job, files[i], &err) != OTO_OK) {
            code = oto_cli_fail(&err, files[i]);
            n_failed++;
        }
        if (!oto_cli_flush())
            return OTO_EXIT_IO;
    }
    if (n_failed == 0 || n == 1)
        return code;
    oto_cli_error("%d done, %d failed", n - n_failed, n_failed);
    return OTO_EXIT_SOME_FAILED;
}

static int run(const struct features_options *o, const struct oto_frontend_options *named,
               const char **files, int n)
{
    struct job job = {.options = o};
    struct oto_bundle *bundle = NULL;
    oto_error err = {0};
    char path[4096] = "";
    int code = OTO_EXIT_SYSTEM;
    if (o->model[0] != 0 && (oto_model_find(o->model, path, sizeof path, &err) != OTO_OK ||
                             oto_bundle_load(&bundle, path, &err) != OTO_OK)) {
        code = oto_cli_fail(&err, path[0] != 0 ? path : NULL);
        goto done;
    }
    const struct oto_frontend_options *frontend = bundle != NULL ? &bundle->frontend : named;
    if (oto_frontend_create(&job.frontend, frontend, bundle != NULL ? &bundle->cmvn : NULL,
                            (enum oto_fft_backend)o->fft, &err) != OTO_OK) {
        code = bundle == NULL && err.status == OTO_ERR_CONFIG
                   ? oto_cli_usage_error("features", "%s", err.message)
                   : oto_cli_fail(&err, NULL);
        goto done;
    }
    job.rate_hz = frontend->rate_hz;
    job.stride = frontend->stride;
    job.samples = calloc(CHUNK, sizeof *job.samples);
    if (job.samples == NULL)
        oto_cli_error("out of memory (samples)");
    else
        code = run_files(&job, files, n);
done:
    free(job.samples);
    oto_frontend_destroy(job.frontend);
    oto_bundle_destroy(bundle);
    return code;
}

static int check_usage(const struct features_options *o, const char **files, int n)
{
    int n_stdin = 0;
    for (int i = 0; i < n; i++)
        n_stdin += strcmp(files[i], "-") == 0;
    if (n == 0)
        return oto_cli_usage_error("features", "no file named; - is standard input");
    if (n_stdin > 1)
        return oto_cli_usage_error("features", "- (standard input) can be read once only");
    if (o->format == FORMAT_NPY && n > 1)
        return oto_cli_usage_error("features", "--format=npy holds one file, found %d", n);
    return OTO_EXIT_OK;
}

/* A model brings its own front end. Named on the command line, options of the front end contradict
 * it; they win over a model that only the environment names. */
static int choose_front_end(struct features_options *o, int argc, char **argv)
{
    for (size_t i = 0; o->model[0] != 0 && i < oto_frontend_n_options; i++) {
        const struct oto_option *option = &oto_frontend_option_table[i];
        if (!oto_options_in_argv(option, argc, argv))
            continue;
        if (oto_options_in_argv(&option_table[0], argc, argv))
            return oto_cli_usage_error(
                "features", "--%s and --model: the model brings its own front end", option->name);
        o->model[0] = 0;
    }
    return OTO_EXIT_OK;
}

int oto_cmd_features(int argc, char **argv)
{
    struct features_options options = {0};
    struct oto_frontend_options frontend = {0};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Front end (without --model):", oto_frontend_option_table, oto_frontend_n_options,
         &frontend},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **files = calloc((size_t)argc, sizeof *files);
    if (files == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, &err) !=
            OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, files, &n, &code)) {
        code = check_usage(&options, files, n);
        if (code == OTO_EXIT_OK)
            code = choose_front_end(&options, argc, argv);
        if (code == OTO_EXIT_OK)
            code = run(&options, &frontend, files, n);
    }
    oto_options_clear(option_table, N_OPTIONS, &options);
    oto_options_clear(oto_frontend_option_table, oto_frontend_n_options, &frontend);
    free(files);
    return code;
}
