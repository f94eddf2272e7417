/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <limits.h>
#include <locale.h>
#include <math.h>

#include "base/mem.h"
#include "base/options.h"
#include "options_fixture.h"

static void defaults_are_set(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->settings.beam, 16);
    assert_int_equal(f->settings.format, FORMAT_TSV);
    assert_string_equal(f->settings.model, "english");
    assert_true(f->settings.rate == 0.0015);
    assert_false(f->settings.quiet);
    assert_true(f->settings.colour);
    assert_true(f->settings.seed == 1);
    assert_int_equal(f->settings.any, 0);
    assert_string_equal(f->settings.note, "");
}

static void every_form_on_the_command_line(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(PARSE(f, "--beam=3"), OTO_OK);
    assert_int_equal(f->settings.beam, 3);
    assert_int_equal(PARSE(f, "--beam", "4"), OTO_OK);
    assert_int_equal(f->settings.beam, 4);
    assert_int_equal(PARSE(f, "-b", "5"), OTO_OK);
    assert_int_equal(f->settings.beam, 5);
    assert_int_equal(PARSE(f, "-b6"), OTO_OK);
    assert_int_equal(f->settings.beam, 6);
    assert_int_equal(PARSE(f, "--learning_rate=0.25", "--format", "json"), OTO_OK);
    assert_true(f->settings.rate == 0.25);
    assert_int_equal(f->settings.format, FORMAT_JSON);
    assert_int_equal(PARSE(f, "--quiet", "--no-colour"), OTO_OK);
    assert_true(f->settings.quiet);
    assert_false(f->settings.colour);
    assert_int_equal(PARSE(f, "--no_quiet", "--colour=yes"), OTO_OK);
    assert_false(f->settings.quiet);
    assert_true(f->settings.colour);
    assert_int_equal(PARSE(f, "-qb7", "x"), OTO_OK); /* a switch and an option strung together */
    assert_true(f->settings.quiet);
    assert_int_equal(f->settings.beam, 7);
    assert_int_equal(PARSE(f, "--any", "-5", "--model=--x", "--note="), OTO_OK);
    assert_int_equal(f->settings.any, -5);
    assert_string_equal(f->settings.model, "--x");
    assert_int_equal(PARSE(f, "--beam=1", "--beam=2"), OTO_OK); /* the last one counts */
    assert_int_equal(f->settings.beam, 2);
    assert_int_equal(PARSE(f, "--model", "-"), OTO_OK);
    assert_string_equal(f->settings.model, "-");
    assert_int_equal(f->n_operands, 0);
}

static void operands_keep_their_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        PARSE(f, "a.wav", "--beam=2", "-", "b.wav", "-q", "--", "--beam=9", "-x", "--"), OTO_OK);
    static const char *const expected[] = {"a.wav", "-", "b.wav", "--beam=9", "-x", "--"};
    assert_int_equal(f->n_operands, 6);
    for (int i = 0; i < 6; i++) {
        assert_string_equal(f->operands[i], expected[i]);
    }
    assert_int_equal(f->settings.beam, 2);
    char *argv[] = {NULL};
    assert_int_equal(oto_options_parse(f->groups, 0, argv, f->operands, &f->n_operands, &f->err),
                     OTO_OK);
    assert_int_equal(f->n_operands, 0);
}

static void wrong_command_lines_are_explained(void **state)
{
    struct fixture *f = *state;
    PARSE_FAILS(f, "unknown option --fromat; did you mean --format?", "--fromat=tsv");
    PARSE_FAILS(f, "unknown option --learnig_rate; did you mean --learning-rate?",
                "--learnig_rate=1");
    PARSE_FAILS(f, "unknown option --zebra", "--zebra");
    PARSE_FAILS(f, "unknown option --", "--=3");
    PARSE_FAILS(f, "unknown option -x in \"-qx\"; an operand that starts with - follows --", "-qx");
    PARSE_FAILS(f, "--beam needs a value: --beam=VALUE", "--beam");
    PARSE_FAILS(f, "--beam needs a value: --beam=VALUE", "--beam", "--quiet");
    PARSE_FAILS(f, "-b needs a value: -b VALUE or --beam=VALUE", "-b");
    PARSE_FAILS(f, "--beam: expected a whole number from 1 to 1000000, found \"0\"", "--beam=0");
    PARSE_FAILS(f, "--beam: expected a whole number from 1 to 1000000, found \"\"", "--beam=");
    PARSE_FAILS(f, "-b: expected a whole number from 1 to 1000000, found \"ten\"", "-bten");
    PARSE_FAILS(f, "--no-beam: --beam takes a value and cannot be switched off", "--no-beam");
    PARSE_FAILS(f, "--no-quiet takes no value, found \"1\"", "--no-quiet=1");
    PARSE_FAILS(f, "--quiet: expected true or false, found \"maybe\"", "--quiet=maybe");
    PARSE_FAILS(f, "--format: expected one of text, tsv, json, found \"xml\"", "--format=xml");
    PARSE_FAILS(f, "--learning-rate: expected a number from 0 to 1, found \"2\"",
                "--learning-rate=2");
    PARSE_FAILS(f, "--free-real: expected a number, found \"nan\"", "--free-real=nan");
    assert_int_equal(f->settings.beam, 16); /* nothing changed */
    assert_true(f->settings.rate == 0.0015);
    char long_name[400] = "--";
    memset(long_name + 2, 'n', 397);
    assert_int_equal(PARSE(f, long_name), OTO_ERR_CONFIG);
}

static void numbers_are_strict(void **state)
{
    struct fixture *f = *state;
    static const char *const bad_ints[] = {"1.0",
                                           " 1",
                                           "1 ",
                                           "0x10",
                                           "1e3",
                                           "--1",
                                           "+",
                                           "-",
                                           "2147483648",
                                           "-2147483649",
                                           "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad_ints / sizeof bad_ints[0]; i++) {
        assert_int_equal(
            oto_options_set(general, N_GENERAL, &f->settings, "any", bad_ints[i], &f->err),
            OTO_ERR_CONFIG);
        assert_contains(f->err.message, "from -2147483648 to 2147483647");
    }
    assert_int_equal(f->settings.any, 0);
    static const char *const good_ints[] = {"2147483647", "-2147483648", "+7", "007"};
    static const int values[] = {INT_MAX, INT_MIN, 7, 7};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            oto_options_set(general, N_GENERAL, &f->settings, "any", good_ints[i], &f->err),
            OTO_OK);
        assert_int_equal(f->settings.any, values[i]);
    }
    static const char *const bad_seeds[] = {"-1", "+1", "", "18446744073709551616", "1.5", "x"};
    for (size_t i = 0; i < sizeof bad_seeds / sizeof bad_seeds[0]; i++) {
        assert_int_equal(
            oto_options_set(general, N_GENERAL, &f->settings, "seed", bad_seeds[i], &f->err),
            OTO_ERR_CONFIG);
    }
    assert_int_equal(
        oto_options_set(general, N_GENERAL, &f->settings, "seed", "18446744073709551615", &f->err),
        OTO_OK);
    assert_true(f->settings.seed == UINT64_MAX);
    static const char *const bad_reals[] = {"",      "x",     "1,5", "0x1p3", "nan",
                                            "1e999", "1.5.2", "e5",  " 1"};
    for (size_t i = 0; i < sizeof bad_reals / sizeof bad_reals[0]; i++) {
        assert_int_equal(
            oto_options_set(general, N_GENERAL, &f->settings, "free-real", bad_reals[i], &f->err),
            OTO_ERR_CONFIG);
    }
    assert_int_equal(oto_options_set(general, N_GENERAL, &f->settings, "free_real", "-inf", NULL),
                     OTO_OK);
    assert_true(isinf(f->settings.free_real));
    assert_int_equal(oto_options_set(general, N_GENERAL, &f->settings, "free-real", "1e-320", NULL),
                     OTO_OK); /* denormal, not an error */
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(oto_options_set(general, N_GENERAL, &f->settings, "quiet", yes[i], NULL),
                         OTO_OK);
        assert_true(f->settings.quiet);
        assert_int_equal(oto_options_set(general, N_GENERAL, &f->settings, "quiet", no[i], NULL),
                         OTO_OK);
        assert_false(f->settings.quiet);
    }
}

static void values_go_round_in_shortest_form(void **state)
{
    struct fixture *f = *state;
    static const char *const reals[] = {"0",
                                        "1",
                                        "-3",
                                        "0.1",
                                        "0.0015",
                                        "1e-08",
                                        "16000",
                                        "1e+100",
                                        "0.3333333333333333",
                                        "-inf",
                                        "9007199254740993",
                                        "1234567.5"};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
        const struct oto_option *option = oto_options_find(general, N_GENERAL, "free-real");
        assert_int_equal(
            oto_options_set(general, N_GENERAL, &f->settings, "free-real", reals[i], NULL), OTO_OK);
        double v = f->settings.free_real;
        char *text = oto_options_get(option, &f->settings);
        assert_true(strlen(text) <= strlen(reals[i]) + 1);
        assert_int_equal(oto_options_set(general, N_GENERAL, &f->settings, "free-real", text, NULL),
                         OTO_OK);
        assert_memory_equal(&v, &f->settings.free_real, sizeof v);
        oto_free(text);
    }
    static const struct {
        const char *name, *expected;
    } rest[] = {
        {"beam", "16"}, {"format", "tsv"}, {"model", "english"}, {"learning-rate", "0.0015"}};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        char *text =
            oto_options_get(oto_options_find(decoding, N_DECODING, rest[i].name), &f->settings);
        assert_string_equal(text, rest[i].expected);
        oto_free(text);
    }
    char *text = oto_options_get(oto_options_find(general, N_GENERAL, "colour"), &f->settings);
    assert_string_equal(text, "true");
    oto_free(text);
    text = oto_options_get(oto_options_find(general, N_GENERAL, "seed"), &f->settings);
    assert_string_equal(text, "1");
    oto_free(text);
}

static void values_are_compared(void **state)
{
    struct fixture *f = *state;
    struct settings other = f->settings;
    char copy[16];
    snprintf(copy, sizeof copy, "%s", f->settings.model);
    other.model = copy; /* the same text elsewhere */
    for (size_t i = 0; i < N_DECODING; i++)
        assert_true(oto_options_equal(&decoding[i], &f->settings, &other));
    copy[0] = 'E';
    other.beam++;
    other.format = FORMAT_JSON;
    other.rate = NAN;
    for (size_t i = 0; i < N_DECODING; i++)
        assert_false(oto_options_equal(&decoding[i], &f->settings, &other));
    f->settings.rate = NAN;
    assert_true(oto_options_equal(&decoding[3], &f->settings, &other));
    for (size_t i = 0; i < N_GENERAL; i++)
        assert_true(oto_options_equal(&general[i], &f->settings, &other));
    other.quiet = true;
    other.seed = UINT64_MAX;
    assert_false(oto_options_equal(&general[0], &f->settings, &other));
    assert_false(oto_options_equal(&general[2], &f->settings, &other));
}

static void the_locale_of_the_program_does_not_matter(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    bool found = false;
    for (size_t i = 0; i < 4 && !found; i++) {
        found = setlocale(LC_ALL, names[i]) != NULL;
    }
    if (!found) {
        print_message("no locale with a decimal comma is installed\n");
        skip();
    }
    oto_status status = PARSE(f, "--learning-rate=0.5");
    char *text =
        oto_options_get(oto_options_find(decoding, N_DECODING, "learning-rate"), &f->settings);
    setlocale(LC_ALL, "C");
    assert_int_equal(status, OTO_OK);
    assert_string_equal(text, "0.5");
    oto_free(text);
}

static void suggestions_are_near(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *typed, *expected;
    } cases[] = {{"baem", "beam"},           {"bean", "beam"},    {"beams", "beam"},
                 {"form", "format"},         {"colur", "colour"}, {"learning_rat", "learning-rate"},
                 {"learn", "learning-rate"}, {"Quiet", "quiet"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = oto_options_suggest(f->groups, cases[i].typed);
        assert_non_null(found);
        assert_string_equal(found, cases[i].expected);
    }
    assert_null(oto_options_suggest(f->groups, "zzzz"));
    assert_null(oto_options_suggest(f->groups, ""));
    assert_null(oto_options_suggest(f->groups, "notes")); /* hidden options are not advertised */
    oto_status status = oto_options_set(decoding, N_DECODING, &f->settings, "beem", "3", &f->err);
    assert_int_equal(status, OTO_ERR_CONFIG);
    assert_string_equal(f->err.message, "unknown option \"beem\"; did you mean beam?");
}

static void the_environment_is_read(void **state)
{
    struct fixture *f = *state;
    setenv("OTOLITH_BEAM", "21", 1);
    setenv("OTOLITH_LEARNING_RATE", "0.125", 1);
    setenv("OTOLITH_MODEL", "", 1);
    assert_int_equal(oto_options_read_environment(f->groups, &f->err), OTO_OK);
    assert_int_equal(f->settings.beam, 21);
    assert_true(f->settings.rate == 0.125);
    assert_string_equal(f->settings.model, "english"); /* empty is as if unset */
    setenv("OTOLITH_BEAM", "x", 1);
    assert_int_equal(oto_options_read_environment(f->groups, &f->err), OTO_ERR_CONFIG);
    assert_string_equal(f->err.message,
                        "OTOLITH_BEAM: expected a whole number from 1 to 1000000, found \"x\"");
    assert_int_equal(f->settings.beam, 21);
    unsetenv("OTOLITH_BEAM");
    unsetenv("OTOLITH_LEARNING_RATE");
    unsetenv("OTOLITH_MODEL");
}

static bool named(const struct oto_option *table, size_t n, const char *name, const char *word)
{
    char *argv[] = {(char *)(uintptr_t) "otolith", (char *)(uintptr_t) "file",
                    (char *)(uintptr_t)word, (char *)(uintptr_t) "--",
                    (char *)(uintptr_t) "--beam=1"};
    return oto_options_in_argv(oto_options_find(table, n, name), 5, argv);
}

static void presence_on_the_command_line(void **state)
{
    (void)state;
    assert_true(named(decoding, N_DECODING, "beam", "--beam=3"));
    assert_true(named(decoding, N_DECODING, "beam", "--beam"));
    assert_true(named(decoding, N_DECODING, "beam", "-b3"));
    assert_true(named(decoding, N_DECODING, "learning-rate", "--learning_rate=1"));
    assert_true(named(general, N_GENERAL, "quiet", "--no-quiet"));
    assert_false(named(decoding, N_DECODING, "beam", "beam=3"));
    assert_false(named(decoding, N_DECODING, "beam", "--beams=3"));
    assert_false(named(decoding, N_DECODING, "beam", "-q")); /* --beam=1 stands behind -- */
    assert_false(named(decoding, N_DECODING, "beam", "-"));
}

static void help_is_complete_and_wrapped(void **state)
{
    struct fixture *f = *state;
    char text[8192];
    FILE *out = fopen(f->path, "w+");
    assert_non_null(out);
    oto_options_print_help(f->groups, out);
    rewind(out);
    size_t n = fread(text, 1, sizeof text - 1, out);
    text[n] = '\0';
    fclose(out);
    assert_contains(text, "Decoding:\n  -b, --beam=N");
    assert_contains(text, "Prefixes kept (1 to 1000000; default 16)\n");
    assert_contains(text, "--format=NAME");
    assert_contains(text, "(text, tsv, json; default tsv)");
    assert_contains(text, "--model=FILE");
    assert_contains(text, "(0 to 1; default 1.5e-3)");
    assert_contains(text, "\n\nGeneral:\n");
    assert_contains(text, "--[no-]colour");
    assert_contains(text, "(default on)");
    assert_contains(text, "-q, --quiet");
    assert_null(strstr(text, "note"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        assert_true(strlen(line) <= 100);
        assert_true(line[strlen(line) - 1] != ' ');
    }
}

static void lack_of_memory_is_reported(void **state)
{
    struct fixture *f = *state;
    struct settings other = {0};
    oto_mem_fail_nth(1);
    assert_int_equal(oto_options_init(decoding, N_DECODING, &other, &f->err), OTO_ERR_MEMORY);
    assert_null(other.model);
    oto_mem_fail_nth(1);
    assert_int_equal(PARSE(f, "--model=x"), OTO_ERR_MEMORY);
    assert_string_equal(f->settings.model, "english");
    oto_mem_fail_nth(1);
    assert_null(oto_options_get(&decoding[2], &f->settings));
    oto_mem_fail_nth(0);
}

static void a_wrong_default_is_refused(void **state)
{
    struct fixture *f = *state;
    struct settings other = {0};
    struct oto_option table[2] = {decoding[2], decoding[0]};
    table[1].default_text = "0";
    assert_int_equal(oto_options_init(table, 2, &other, &f->err), OTO_ERR_CONFIG);
    assert_contains(f->err.message, "beam");
    assert_null(other.model); /* what was set before is released */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_set),
        TEST(every_form_on_the_command_line),
        TEST(operands_keep_their_order),
        TEST(wrong_command_lines_are_explained),
        TEST(numbers_are_strict),
        TEST(values_go_round_in_shortest_form),
        TEST(values_are_compared),
        TEST(the_locale_of_the_program_does_not_matter),
        TEST(suggestions_are_near),
        TEST(the_environment_is_read),
        TEST(presence_on_the_command_line),
        TEST(help_is_complete_and_wrapped),
        TEST(lack_of_memory_is_reported),
        TEST(a_wrong_default_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
