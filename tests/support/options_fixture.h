/* SPDX-License-Identifier: BSD-2-Clause */
/** Two groups of options of every type, freshly initialised for each test, and a file to write. */
#ifndef OTO_TESTS_OPTIONS_FIXTURE_H
#define OTO_TESTS_OPTIONS_FIXTURE_H

#include "base/options.h"
#include "unit.h"

enum format { FORMAT_TEXT, FORMAT_TSV, FORMAT_JSON };

struct settings {
    bool quiet, colour;
    int beam, format, any;
    uint64_t seed;
    double rate, free_real;
    char *model, *note;
};

static const char *const formats[] = {"text", "tsv", "json", NULL};

static const struct oto_option decoding[] = {
    {.name = "beam",
     .short_name = 'b',
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct settings, beam),
     .default_text = "16",
     .min = 1,
     .max = 1000000,
     .help = "Prefixes kept."},
    {.name = "format",
     .short_name = 'f',
     .type = OTO_OPTION_CHOICE,
     .offset = offsetof(struct settings, format),
     .default_text = "tsv",
     .choices = formats,
     .help = "Form of the results."},
    {.name = "model",
     .short_name = 'm',
     .type = OTO_OPTION_TEXT,
     .offset = offsetof(struct settings, model),
     .default_text = "english",
     .argument = "FILE",
     .help = "Model by name or path, looked for in the folders of OTOLITH_MODEL_PATH and then in "
             "the user's data folder and the install prefix."},
    {.name = "learning-rate",
     .type = OTO_OPTION_REAL,
     .offset = offsetof(struct settings, rate),
     .default_text = "1.5e-3",
     .min = 0,
     .max = 1,
     .help = "Step length."},
};

static const struct oto_option general[] = {
    {.name = "quiet",
     .short_name = 'q',
     .type = OTO_OPTION_BOOL,
     .offset = offsetof(struct settings, quiet),
     .default_text = "false",
     .help = "Say less."},
    {.name = "colour",
     .short_name = 'c',
     .type = OTO_OPTION_BOOL,
     .offset = offsetof(struct settings, colour),
     .default_text = "true",
     .help = "Colours on a terminal."},
    {.name = "seed",
     .type = OTO_OPTION_U64,
     .offset = offsetof(struct settings, seed),
     .default_text = "1",
     .help = "Seed of all random numbers."},
    {.name = "any",
     .type = OTO_OPTION_INT,
     .offset = offsetof(struct settings, any),
     .help = "Any number."},
    {.name = "free-real",
     .type = OTO_OPTION_REAL,
     .offset = offsetof(struct settings, free_real),
     .help = "Any real number."},
    {.name = "note",
     .type = OTO_OPTION_TEXT,
     .offset = offsetof(struct settings, note),
     .hidden = true,
     .help = "Kept in the model."},
};

#define N_DECODING (sizeof decoding / sizeof decoding[0])
#define N_GENERAL (sizeof general / sizeof general[0])

struct fixture {
    struct settings settings;
    struct oto_option_group groups[3];
    oto_error err;
    char folder[64], path[96];
    const char *operands[16];
    int n_operands;
};

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->groups[0] = (struct oto_option_group){"Decoding:", decoding, N_DECODING, &f->settings};
    f->groups[1] = (struct oto_option_group){"General:", general, N_GENERAL, &f->settings};
    assert_int_equal(oto_options_init(decoding, N_DECODING, &f->settings, &f->err), OTO_OK);
    assert_int_equal(oto_options_init(general, N_GENERAL, &f->settings, &f->err), OTO_OK);
    unit_make_folder(f->folder);
    snprintf(f->path, sizeof f->path, "%s/a.conf", f->folder);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    oto_options_clear(decoding, N_DECODING, &f->settings);
    oto_options_clear(general, N_GENERAL, &f->settings);
    assert_null(f->settings.model);
    unit_remove_folder(f->folder);
    free(f);
    return 0;
}

/* Parses up to 15 words, NULL-terminated. */
static inline oto_status parse(struct fixture *f, const char *const *words)
{
    char *argv[17] = {(char *)(uintptr_t) "otolith"};
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    return oto_options_parse(f->groups, argc, argv, f->operands, &f->n_operands, &f->err);
}

#define PARSE(f, ...) parse((f), (const char *const[]){__VA_ARGS__, NULL})

static inline void assert_parse_fails(struct fixture *f, const char *const *words,
                                      const char *message)
{
    f->err.message[0] = '\0';
    assert_int_equal(parse(f, words), OTO_ERR_CONFIG);
    assert_string_equal(f->err.message, message);
}

#define PARSE_FAILS(f, message, ...)                                                               \
    assert_parse_fails((f), (const char *const[]){__VA_ARGS__, NULL}, (message))

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
