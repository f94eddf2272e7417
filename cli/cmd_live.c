/* SPDX-License-Identifier: BSD-2-Clause */
/* Speech to text while it is spoken. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/decoding.h"
#include "cli/live.h"

static const char *const format_names[] = {"text", "jsonl", NULL};

enum { SECOND_PASS_MS = 300 }; /* nobody waits longer for a text that stays */

struct live_command {
    char *model, *device, *input, *raw, *output, *save_audio;
    bool list, unpaced, append;
    int format, channel, latency_ms, passes;
    double pace, silence_s, max_utterance_s, min_confidence;
    struct oto_cli_decoding decoding;
};

#define FIELD(f) .offset = offsetof(struct live_command, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "model", .short_name = 'm', .type = OTO_OPTION_TEXT, FIELD(model), .default_text = "", .argument = "MODEL",
     .help = "Model file, or its name in the search path; none is the default model, english."},
    {.name = "device", .short_name = 'd', .type = OTO_OPTION_TEXT, FIELD(device), .default_text = "", .argument = "NAME|INDEX",
     .help = "Microphone: part of its name, or its index as --list shows it; none is the system's default."},
    {.name = "list", .short_name = 'l', .type = OTO_OPTION_BOOL, FIELD(list), .default_text = "false",
     .help = "List the microphones and end, as 'otolith devices' does."},
    {.name = "latency", .type = OTO_OPTION_INT, FIELD(latency_ms), .default_text = "400", .min = 40, .max = 5000, .argument = "MS",
     .help = "Sound behind a word that is waited for before it is shown, in milliseconds: less is sooner and makes more errors."},
    {.name = "passes", .type = OTO_OPTION_INT, FIELD(passes), .default_text = "2", .min = 1, .max = 2,
     .help = "2: each utterance is heard a second time as a whole when it has ended; 1: what was shown first stays."},
    {.name = "silence", .type = OTO_OPTION_REAL, FIELD(silence_s), .default_text = "0.8", .min = 0.2, .max = 10, .argument = "SECONDS",
     .help = "A pause of this length ends an utterance."},
    {.name = "max-utterance", .type = OTO_OPTION_REAL, FIELD(max_utterance_s), .default_text = "20", .min = 2, .max = 60, .argument = "SECONDS",
     .help = "Longer speech without a pause is cut at its quietest moment."},
    {.name = "min-confidence", .type = OTO_OPTION_REAL, FIELD(min_confidence), .default_text = "0.45", .min = 0, .max = 1,
     .help = "Utterances that are less surely speech are taken for noise and left out; 0 takes all."},
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "text", .choices = format_names,
     .help = "text: what stays, an utterance a line; jsonl: everything that happens, an object a line."},
    {.name = "output", .short_name = 'o', .type = OTO_OPTION_TEXT, FIELD(output), .default_text = "", .argument = "FILE",
     .help = "Write there, not to standard output; a terminal still shows what is heard."},
    {.name = "append", .short_name = 'a', .type = OTO_OPTION_BOOL, FIELD(append), .default_text = "false",
     .help = "Keep what is in that file and write behind it."},
    {.name = "save-audio", .type = OTO_OPTION_TEXT, FIELD(save_audio), .default_text = "", .argument = "FILE",
     .help = "Keep the sound as it was recognised, in a WAV file."},
    {.name = "channel", .short_name = 'c', .type = OTO_OPTION_INT, FIELD(channel), .default_text = "0", .min = 0, .max = 64,
     .help = "Channel to use, the first is 1; 0 is the mean of all."},
    {.name = "input", .short_name = 'i', .type = OTO_OPTION_TEXT, FIELD(input), .default_text = "", .argument = "FILE",
     .help = "Hear a recording in place of a microphone, at the speed at which it was spoken; - is standard input."},
    {.name = "unpaced", .type = OTO_OPTION_BOOL, FIELD(unpaced), .default_text = "false",
     .help = "Hear it as fast as it goes."},
    {.name = "pace", .type = OTO_OPTION_REAL, FIELD(pace), .default_text = "1", .min = 0.01, .max = 10000, .argument = "FACTOR",
     .help = "Hear it so many times faster; what the machine is too slow for is lost, and said to be."},
    {.name = "raw", .type = OTO_OPTION_TEXT, FIELD(raw), .default_text = "", .argument = "FORMAT:RATE:CHANNELS",
     .help = "That input has no header: for example s16le:16000:1."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "live",
    .synopsis = "  otolith live [options]\n",
    .examples =
        "  otolith live\n"
        "  otolith live --list\n"
        "  otolith live --device=usb --save-audio=talk.wav --output=talk.txt --append\n"
        "  otolith live --format=jsonl | jq -r 'select(.type == \"final\").text'\n"
        "  otolith live --input=talk.wav\n"
        "  arecord -t raw -f S16_LE -r 16000 | otolith live --input=- --raw=s16le:16000:1\n",
    .notes = "On a terminal the words of the utterance that is being spoken are shown as they are "
             "understood, and\n"
             "replaced by its final text when it has ended. Elsewhere only final lines are "
             "written, or JSON lines.\n\n"
             "Ctrl-C ends the utterance, prints it, and exits with 130; a second one quits at "
             "once. Sound that was\n"
             "lost is reported where it is missing. A microphone that vanishes is waited for.\n",
};

/* ---- signals ----------------------------------------------------------------------------- */

static volatile sig_atomic_t signalled; /* which one */

static void on_signal(int number)
{
    if (signalled != 0) {
        oto_live_terminal_restore();
        _exit(128 + number);
    }
    signalled = number;
}

static int is_signalled(void *arg)
{
    (void)arg;
    return signalled != 0;
}

/* Without SA_RESTART: a read that waits for a pipe ends. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* ---- output ------------------------------------------------------------------------------ */

/* Results to a file and everything to a terminal, or to one of them alone. */
struct both {
    struct oto_live_sink sink;
    struct oto_live_sink *screen, *file;
};

static void tell_both(struct oto_live_sink *sink, const struct oto_live_event *event)
{
    struct both *b = (struct both *)sink;
    if (b->screen != NULL)
        b->screen->tell(b->screen, event);
    if (b->file != NULL)
        b->file->tell(b->file, event);
}

static void close_both(struct oto_live_sink *sink)
{
    struct both *b = (struct both *)sink;
    if (b->screen != NULL)
        b->screen->close(b->screen);
    if (b->file != NULL)
        b->file->close(b->file);
    b->screen = b->file = NULL;
}

/* results: the file of --output, or NULL. False without memory. */
static bool open_sinks(struct both *b, const struct live_command *o, FILE *results)
{
    const bool screen = oto_live_is_terminal(stdout) && (results != NULL || o->format == 0) &&
                        oto_cli_verbosity() != OTO_QUIET;
    FILE *out = results != NULL ? results : stdout;
    *b = (struct both){{out, tell_both, close_both}, NULL, NULL};
    if (screen && (b->screen = oto_live_terminal_create(stdout)) == NULL)
        return false;
    if (screen && results == NULL)
        return true;
    b->file = o->format == 0 ? oto_live_lines_create(out) : oto_live_jsonl_create(out);
    return b->file != NULL;
}

/* ---- run --------------------------------------------------------------------------------- */

static int listen_to(const struct live_command *o, const oto_model *model, const char *model_path,
                     FILE *results, struct oto_wav_writer *save)
{
    struct both sinks;
    oto_error err = {0};
    oto_recognizer_options recognizer;
    oto_live_options live;
    oto_audio_options audio;
    oto_recognizer_options_init(&recognizer);
    oto_cli_set_decoding(&recognizer, &o->decoding);
    oto_live_options_init(&live);
    live.latency_ms = o->latency_ms;
    live.n_passes = o->passes;
    live.silence_s = o->silence_s;
    live.second_pass_ms =
        o->input[0] == 0 ? SECOND_PASS_MS : 0; /* recordings: the same each time */
    live.min_confidence = o->min_confidence;
    live.max_utterance_s = o->max_utterance_s;
    oto_audio_options_init(&audio);
    audio.channel = o->channel;
    audio.raw = o->raw[0] != 0 ? o->raw : NULL;
    audio.pace = o->unpaced ? 0 : o->pace;
    if (!open_sinks(&sinks, o, results)) {
        oto_cli_error("out of memory (output)");
        close_both(&sinks.sink);
        return OTO_EXIT_SYSTEM;
    }
    bool stopped = false;
    const struct oto_live_session session = {
        .model = model,
        .recognizer = &recognizer,
        .options = &live,
        .input = o->input[0] != 0 ? o->input : NULL,
        .device = o->device,
        .audio = &audio,
        .model_path = model_path,
        .sink = &sinks.sink,
        .save = save,
        .stop = is_signalled,
    };
    oto_status status = oto_live_run(&session, &stopped, &err);
    close_both(&sinks.sink);
    if (status != OTO_OK)
        return oto_cli_fail(&err, session.input != NULL ? o->input : NULL);
    return stopped ? 128 + (int)signalled : OTO_EXIT_OK;
}

static int open_and_listen(const struct live_command *o, const oto_model *model,
                           const char *model_path)
{
    oto_error err = {0};
    oto_model_info info;
    FILE *results = NULL;
    struct oto_wav_writer *save = NULL;
    int code = OTO_EXIT_OK;
    oto_model_get_info(model, &info);
    if (o->save_audio[0] != 0 &&
        oto_wav_writer_open(&save, o->save_audio, info.rate_hz, &err) != OTO_OK)
        return oto_cli_fail(&err, o->save_audio);
    if (o->output[0] != 0 && (results = fopen(o->output, o->append ? "a" : "w")) == NULL) {
        oto_cli_error("%s: cannot be written: %s", o->output, strerror(errno));
        code = errno == EACCES ? OTO_EXIT_PERMISSION : OTO_EXIT_CANNOT_CREATE;
    }
    if (code == OTO_EXIT_OK)
        code = listen_to(o, model, model_path, results, save);
    if (oto_wav_writer_close(save, &err) != OTO_OK)
        code = oto_cli_fail(&err, o->save_audio);
    if (results != NULL) {
        bool good = ferror(results) == 0;
        good = fclose(results) == 0 && good;
        if (!good) {
            oto_cli_error("%s: cannot be written", o->output);
            code = OTO_EXIT_IO;
        }
    }
    return code;
}

static int load_and_listen(const struct live_command *o)
{
    oto_error err = {0};
    oto_model *model = NULL;
    char path[4096];
    if (oto_model_find(o->model, path, sizeof path, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    if (oto_model_load(&model, path, &err) != OTO_OK)
        return oto_cli_fail(&err, path);
    catch_signals();
    int code = open_and_listen(o, model, path);
    oto_model_destroy(model);
    return code;
}

static int check_usage(const struct live_command *o, const char **operands, int n)
{
    if (n > 0)
        return oto_cli_usage_error(
            "live", "no argument expected, found '%s'; --input=FILE hears it", operands[0]);
    if (o->input[0] == 0 && (o->unpaced || o->raw[0] != 0))
        return oto_cli_usage_error("live", "--%s needs --input", o->unpaced ? "unpaced" : "raw");
    if (o->input[0] != 0 && o->device[0] != 0)
        return oto_cli_usage_error("live", "--input and --device exclude each other");
    if (o->append && o->output[0] == 0)
        return oto_cli_usage_error("live", "--append needs --output");
    return OTO_EXIT_OK;
}

static int list_devices(void)
{
    char verb[] = "devices";
    char *arguments[] = {verb, NULL};
    return oto_cmd_devices(1, arguments);
}

int oto_cmd_live(int argc, char **argv)
{
    struct live_command options = {0};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Decoding:", oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **operands = calloc((size_t)argc, sizeof *operands);
    if (operands == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_cli_decoding_table, oto_cli_n_decoding, &options.decoding, &err) !=
            OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n, &code) &&
             oto_cli_prepare_decoding(&options.decoding, &code)) {
        code = check_usage(&options, operands, n);
        if (code == OTO_EXIT_OK)
            code = options.list ? list_devices() : load_and_listen(&options);
    }
    oto_cli_clear_decoding(&options.decoding);
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(operands);
    return code;
}
