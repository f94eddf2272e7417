/* SPDX-License-Identifier: BSD-2-Clause */
/* A recording and its text to the times of the words. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/lines.h"
#include "base/utf8.h"
#include "cli/batch.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/output.h"
#include "otolith/audio.h"
#include "otolith/otolith.h"

struct align_options {
    char *model, *raw, *formats;
    int channel, threads;
    double max_segment_s;
    bool gaps;
    struct oto_cli_output output;
};

#define FIELD(f) .offset = offsetof(struct align_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_TEXT, FIELD(formats), .default_text = "ctm", .argument = "NAME,...",
     .help = "What is written, one or several of: " OTO_OUTPUT_NAMES "."},
    {.name = "gaps", .type = OTO_OPTION_BOOL, FIELD(gaps), .default_text = "true",
     .help = "Other things may be heard before, between and after the words of the text."},
    {.name = "channel", .short_name = 'c', .type = OTO_OPTION_INT, FIELD(channel), .default_text = "0", .min = 0, .max = 1024,
     .help = "Channel to use, the first is 1; 0 is the mean of all."},
    {.name = "raw", .type = OTO_OPTION_TEXT, FIELD(raw), .default_text = "", .argument = "FORMAT:RATE:CHANNELS",
     .help = "The input has no header: for example s16le:16000:1."},
    {.name = "max-segment", .type = OTO_OPTION_REAL, FIELD(max_segment_s), .default_text = "30", .min = 1, .max = 600,
     .argument = "SECONDS", .help = "Longer audio goes through the network in parts up to this length, in seconds."},
    {.name = "threads", .short_name = 't', .type = OTO_OPTION_INT, FIELD(threads), .default_text = "1", .min = 1, .max = 256,
     .help = "Threads that share the work: two are worth having, more are not."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "align",
    .synopsis = "  otolith align [options] AUDIO TEXT\n",
    .examples = "  otolith align chapter.flac chapter.txt > chapter.ctm\n"
                "  otolith align --format=textgrid talk.wav talk.txt > talk.TextGrid\n"
                "  otolith align --format=srt,json --output-dir=. film.ogg script.txt\n",
    .notes = "Tells when each word of a text that is known was said. TEXT is UTF-8; its words are "
             "what white space\n"
             "separates, written as they stand there. - is standard input, for one of both.\n\n"
             "The confidence of a word says how well it fits what was heard: words that were not "
             "said as they are\n"
             "written have a low one, those that were not heard at all have 0 and no duration.\n",
};

/* The lines of a file as one text, NUL-terminated. */
static oto_status read_text(struct oto_writer *text, const char *file, oto_error *err)
{
    struct oto_lines *lines = NULL;
    char *line = NULL;
    size_t n = 0;
    oto_status status = oto_lines_open(&lines, file, err);
    while (status == OTO_OK) {
        status = oto_lines_next(lines, &line, &n, err);
        if (status != OTO_OK || line == NULL)
            break;
        if (strlen(line) != n || oto_utf8_invalid_at(line) >= 0)
            status = oto_fail(err, OTO_ERR_DATA, "%.150s:%zu: not UTF-8 text", file,
                              oto_lines_number(lines));
        oto_write_bytes(text, line, n);
        oto_write_u8(text, '\n');
    }
    oto_write_u8(text, 0);
    oto_lines_close(lines);
    return status == OTO_OK && text->failed ? oto_fail_memory(err, "text") : status;
}

struct job {
    const struct align_options *options;
    const char *audio;
    char *output;
    size_t size;
    oto_error err;
    char warning[256];
};

static void align(void *arg, struct oto_batch_worker *worker, size_t k)
{
    struct job *job = arg;
    const oto_result *result = NULL;
    oto_audio_options options;
    (void)k;
    oto_audio_options_init(&options);
    options.channel = job->options->channel;
    options.raw = job->options->raw[0] != 0 ? job->options->raw : NULL;
    oto_status status =
        oto_batch_recognize(worker, &result, job->warning, job->audio, &options, &job->err);
    struct oto_transcript transcript = {.file = job->audio, .n_files = 1, .result = result};
    if (status == OTO_OK)
        status = oto_cli_output_write(&job->options->output, &transcript, &job->output, &job->size,
                                      &job->err);
    job->err.status = status;
}

static bool tell(void *arg, size_t k)
{
    const struct job *job = arg;
    const char *header = job->options->output.list[0]->header;
    (void)k;
    if (job->warning[0] != 0)
        oto_cli_note("warning: %s", job->warning);
    if (job->err.status != OTO_OK) {
        oto_cli_error("%s", job->err.message);
        return true;
    }
    if (job->output == NULL) /* it went to the folder */
        return true;
    if (header != NULL)
        fputs(header, stdout);
    fwrite(job->output, 1, job->size, stdout);
    return oto_cli_flush();
}

static int align_text(const struct align_options *o, const oto_model *model, const char *audio,
                      const char *text_file, const char *text)
{
    oto_error err = {0};
    oto_recognizer_options options;
    struct job job = {.options = o, .audio = audio};
    oto_recognizer_options_init(&options);
    options.known_text = text;
    options.known_gaps = o->gaps;
    options.max_segment_s = o->max_segment_s;
    options.n_threads = o->threads;
    struct oto_batch batch = {.model = model,
                              .options = &options,
                              .n_jobs = 1,
                              .n_items = 1,
                              .what = "files",
                              .arg = &job,
                              .work = align,
                              .tell = tell};
    int code = OTO_EXIT_OK;
    if (oto_batch_run(&batch, &err) != OTO_OK) {
        if (err.status == OTO_ERR_DATA) /* the text's */
            oto_cli_name_file(&err, text_file);
        code = oto_cli_fail(&err, text_file);
    } else if (batch.n_told == 0) {
        code = OTO_EXIT_IO; /* standard output failed; told already */
    } else if (job.err.status != OTO_OK) {
        code = oto_exit_code(&job.err, audio);
    }
    free(job.output);
    return code;
}

static int load_and_run(struct align_options *o, const char *audio, const char *text_file)
{
    oto_error err = {0};
    oto_model *model = NULL;
    char path[4096];
    struct oto_writer text = {0};
    int code = oto_cli_output_choose(&o->output, "align", o->formats, &audio, 1);
    if (code != OTO_EXIT_OK)
        return code;
    if (oto_model_find(o->model, path, sizeof path, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    if (read_text(&text, text_file, &err) != OTO_OK)
        code = oto_cli_fail(&err, text_file);
    else if (oto_model_load(&model, path, &err) != OTO_OK)
        code = oto_cli_fail(&err, path);
    else
        code = align_text(o, model, audio, text_file, (const char *)text.data);
    oto_writer_clear(&text);
    oto_model_destroy(model);
    return code;
}

int oto_cmd_align(int argc, char **argv)
{
    struct align_options options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Output:", oto_cli_output_table, oto_cli_n_output, &options.output},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **operands = calloc((size_t)argc, sizeof *operands);
    if (operands == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_cli_output_table, oto_cli_n_output, &options.output, &err) != OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n, &code)) {
        if (n != 2)
            code = oto_cli_usage_error("align", "%d files named, expected a recording and its text",
                                       n);
        else if (strcmp(operands[0], "-") == 0 && strcmp(operands[1], "-") == 0)
            code = oto_cli_usage_error("align", "- (standard input) can be read once only");
        else
            code = load_and_run(&options, operands[0], operands[1]);
    }
    oto_options_clear(oto_cli_output_table, oto_cli_n_output, &options.output);
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(operands);
    return code;
}
