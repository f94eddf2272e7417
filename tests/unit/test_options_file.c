/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of options: recipes and what oto_options_print() writes. */
#include "unit.h"

#include "base/mem.h"
#include "options_fixture.h"

static void write_config(struct fixture *f, const char *text)
{
    unit_write_file(f->path, text, strlen(text));
}

static void files_are_read(void **state)
{
    struct fixture *f = *state;
    write_config(f, "\xEF\xBB\xBF# a recipe\n"
                    "beam = 8\r\n"
                    "\n"
                    "   format=json   # as a list\n"
                    "model = models/a b#c.oto\n"
                    "learning_rate = 2.5e-4\t# slow\n"
                    "note = \"  kept # \\\"as is\\\"\\n\\t\\\\ \"  # comment\n"
                    "quiet = yes\n"
                    "seed=77");
    assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_OK);
    assert_int_equal(f->settings.beam, 8);
    assert_int_equal(f->settings.format, FORMAT_JSON);
    assert_string_equal(f->settings.model, "models/a b#c.oto");
    assert_true(f->settings.rate == 2.5e-4);
    assert_string_equal(f->settings.note, "  kept # \"as is\"\n\t\\ ");
    assert_true(f->settings.quiet);
    assert_true(f->settings.seed == 77);
    write_config(f, "");
    assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_OK);
    write_config(f, "model =\n");
    assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_OK);
    assert_string_equal(f->settings.model, "");
}

static void wrong_files_name_the_line(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"beam = 8\n\nbeem = 9\n", ":3: unknown option \"beem\"; did you mean beam?"},
        {"beam = many\n", ":1: beam: expected a whole number from 1 to 1000000, found \"many\""},
        {"# x\nbeam\n", ":2: expected \"name = value\", found \"beam\""},
        {"= 8\n", ":1: expected \"name = value\""},
        {"beam 8 = 3\n", ":1: expected \"name = value\""},
        {"beam = 8\nquiet = on\nbeam = 9\n", ":3: beam is given twice, first in line 1"},
        {"learning-rate = 1\nlearning_rate = 1\n", ":2: learning-rate is given twice"},
        {"\n\nmodel = \"abc\n", ":3: model: closing quote is missing"},
        {"model = \"abc\" d\n", ":1: model: text after the closing quote"},
        {"model = \"a\\x\"\n", ":1: model: unknown escape"},
        {"model = \"a\\", ":1: model: unknown escape"},
        {"beam = 8\nmodel = \xFF\n", ":2: invalid UTF-8 in column 9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_config(f, cases[i].text);
        assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_ERR_CONFIG);
        assert_memory_equal(f->err.message, f->path, strlen(f->path));
        assert_contains(f->err.message, cases[i].message);
    }
    unit_write_file(f->path, "beam = 8\0\n", 10);
    assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_ERR_CONFIG);
    assert_contains(f->err.message, "not a text file");
    assert_int_equal(oto_options_read_file(f->groups, "/nonexistent.conf", &f->err),
                     OTO_ERR_NOT_FOUND);
    assert_int_equal(oto_options_read_file(f->groups, f->folder, &f->err), OTO_ERR_FORMAT);
    static char big[(1 << 20) + 1];
    memset(big, '\n', sizeof big);
    unit_write_file(f->path, big, sizeof big);
    assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_ERR_CONFIG);
}

static void what_is_printed_reads_back(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"",          " lead",      "trail ",  "a#b",
                                        "a # b",     "#",          "\"q\"",   "a\\b",
                                        "tab\there", "line\nfeed", "cr\rend", "\xC3\xA9t\xC3\xA9"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(oto_options_set(general, N_GENERAL, &f->settings, "note", texts[i], NULL),
                         OTO_OK);
        assert_int_equal(PARSE(f, "--seed=18446744073709551615", "--free-real=0.1", "--any=-3"),
                         OTO_OK);
        FILE *out = fopen(f->path, "w");
        assert_non_null(out);
        oto_options_print(&f->groups[1], out);
        assert_int_equal(fclose(out), 0);
        assert_int_equal(PARSE(f, "--seed=2", "--free-real=7", "--any=4", "--note=other"), OTO_OK);
        oto_error err = {0};
        if (oto_options_read_file(f->groups, f->path, &err) != OTO_OK) {
            fail_msg("%s", err.message);
        }
        assert_string_equal(f->settings.note, texts[i]);
        assert_true(f->settings.seed == UINT64_MAX);
        assert_true(f->settings.free_real == 0.1);
        assert_int_equal(f->settings.any, -3);
    }
}

static void lack_of_memory_is_reported(void **state)
{
    struct fixture *f = *state;
    write_config(f, "beam = 3\nmodel = m\n");
    for (size_t nth = 1; nth <= 3; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_options_read_file(f->groups, f->path, &f->err), OTO_ERR_MEMORY);
        assert_string_equal(f->settings.model, "english");
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_read),
        TEST(wrong_files_name_the_line),
        TEST(what_is_printed_reads_back),
        TEST(lack_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
