/* SPDX-License-Identifier: BSD-2-Clause */
/* The microphones of this machine, one a line. */
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/common.h"
#include "cli/json.h"
#include "otolith/audio.h"

static const char *const format_names[] = {"text", "json", NULL};

struct devices_options {
    int format;
};

/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, .offset = offsetof(struct devices_options, format),
     .default_text = "text", .choices = format_names, .help = "A table, or one JSON object a line."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "devices",
    .synopsis = "  otolith devices [options]\n",
    .examples = "  otolith devices\n"
                "  otolith devices --format=json | jq .name\n",
    .notes =
        "Lists what can be recorded from: index, name, channels, rate and the interface it is\n"
        "reached by; the default is marked with *. Exit code 69: this build has no PortAudio.\n",
};

static void print_text(const oto_audio_device *d)
{
    printf("%c %3d  %-40s %3d channels  %6.0f Hz  %s\n", d->is_default ? '*' : ' ', d->index,
           d->name, d->n_channels, d->default_rate_hz, d->host_api);
}

static void print_json(const oto_audio_device *d)
{
    printf("{\"v\":1,\"index\":%d,\"name\":", d->index);
    oto_json_text(stdout, d->name);
    printf(",\"host_api\":");
    oto_json_text(stdout, d->host_api);
    printf(",\"channels\":%d,\"rate_hz\":", d->n_channels);
    oto_json_number(stdout, d->default_rate_hz);
    printf(",\"default\":%s}\n", d->is_default ? "true" : "false");
}

static int list_devices(const struct devices_options *options)
{
    size_t n = 0, capacity = 0;
    oto_error err;
    if (oto_audio_list_devices(NULL, 0, &capacity, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    oto_audio_device *devices = calloc(capacity + 1, sizeof *devices);
    if (devices == NULL) {
        oto_cli_error("out of memory (devices)");
        return OTO_EXIT_SYSTEM;
    }
    int code = OTO_EXIT_OK;
    if (oto_audio_list_devices(devices, capacity, &n, &err) != OTO_OK)
        code = oto_cli_fail(&err, NULL);
    n = n < capacity ? n : capacity; /* one may have been plugged in since they were counted */
    for (size_t i = 0; i < n; i++) {
        if (options->format == 0)
            print_text(&devices[i]);
        else
            print_json(&devices[i]);
    }
    if (code == OTO_EXIT_OK && n == 0)
        oto_cli_note("there is no input device");
    free(devices);
    return code;
}

int oto_cmd_devices(int argc, char **argv)
{
    struct devices_options options = {0};
    const struct oto_option_group groups[] = {{"Options", option_table, N_OPTIONS, &options}, {0}};
    oto_error err;
    int n_operands = 0, code = OTO_EXIT_INTERNAL;
    if (oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK)
        return oto_cli_fail(&err, NULL);
    const char **operands = calloc((size_t)argc, sizeof *operands);
    if (operands == NULL) {
        oto_cli_error("out of memory (arguments)");
        code = OTO_EXIT_SYSTEM;
    } else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n_operands, &code)) {
        code = n_operands > 0
                   ? oto_cli_usage_error("devices", "no argument expected, found '%s'", operands[0])
                   : list_devices(&options);
    }
    free(operands);
    oto_options_clear(option_table, N_OPTIONS, &options);
    return code;
}
