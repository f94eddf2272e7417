/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "toy_corpus.h"
#include "training/corpus.h"

static char folder[64], manifest[100];
static struct toy_log *log_text;

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    snprintf(manifest, sizeof manifest, "%s/m.tsv", folder);
    toy_write_text(folder, "a.wav", "");
    toy_write_text(folder, "b.wav", "");
    log_text = malloc(sizeof *log_text);
    return log_text ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    free(log_text);
    unit_remove_folder(folder);
    return 0;
}

static oto_status load(struct oto_corpus **corpus, const void *text, size_t n, int policy,
                       oto_error *err)
{
    const struct oto_corpus_options options = {
        .bad_lines = policy, .max_messages = 20, .check_audio = true};
    toy_write(folder, "m.tsv", text, n);
    toy_log_catch(log_text);
    return oto_corpus_load(corpus, manifest, &options, err);
}

static struct oto_corpus *load_good(const char *text)
{
    struct oto_corpus *corpus;
    oto_error err = {0};
    if (load(&corpus, text, strlen(text), OTO_BAD_LINES_ERROR, &err) != OTO_OK)
        fail_msg("%s\n%s", err.message, log_text->text);
    return corpus;
}

static void reads_columns_by_name(void **state)
{
    (void)state;
    struct oto_corpus *c = load_good("text\tnote\tpath\tid\tspeaker\tseconds\n"
                                     "GOOD  morning\tx\ta.wav\tone\tann\t1.25\n");
    char path[100];
    assert_int_equal(c->n, 1);
    assert_string_equal(c->utts[0].id, "one");
    assert_string_equal(c->utts[0].text,
                        "GOOD  morning"); /* as it stands; normalising comes later */
    assert_string_equal(c->utts[0].speaker, "ann");
    assert_true(c->utts[0].seconds == 1.25);
    assert_int_equal(c->utts[0].line, 2);
    snprintf(path, sizeof path, "%s/a.wav", folder);
    assert_string_equal(c->utts[0].path, path);
    oto_corpus_destroy(c);
    c = load_good("id\tpath\ttext\none\ta.wav\thello\n");
    assert_true(c->utts[0].seconds == 0);
    assert_string_equal(c->utts[0].speaker, "");
    oto_corpus_destroy(c);
}

static void reads_what_windows_writes(void **state)
{
    (void)state;
    struct oto_corpus *c =
        load_good("\xEF\xBB\xBFid\tpath\ttext\r\none\ta.wav\th\xC3\xA9llo\r\n\r\ntwo\tb.wav\tyou");
    assert_int_equal(c->n, 2);
    assert_string_equal(c->utts[0].text, "h\xC3\xA9llo");
    assert_string_equal(c->utts[1].text, "you"); /* without an end of line */
    assert_int_equal(c->utts[1].line, 4);
    oto_corpus_destroy(c);
}

#define HEAD "id\tpath\tseconds\tspeaker\ttext\n"

static const struct {
    const char *line, *message;
} bad[] = {
    {"one\ta.wav\t1\tann",
     "m.tsv:2: found 4 fields, expected 5 as in the header: the field 'text' is missing"},
    {"one", "m.tsv:2: found 1 fields, expected 5 as in the header: the field 'path' is missing"},
    {"one\ta.wav\t1\tann\thi\tx", "m.tsv:2: found 6 fields, expected 5"},
    {"one\ta.wav\tlong\tann\thi", "m.tsv:2: 'long' is not a number of seconds"},
    {"one\ta.wav\t-1\tann\thi", "m.tsv:2: '-1' is not a number of seconds"},
    {"one\ta.wav\tnan\tann\thi", "m.tsv:2: 'nan' is not a number of seconds"},
    {"one\ta.wav\t1e400\tann\thi", "m.tsv:2: '1e400' is not a number of seconds"},
    {"one\ta.wav\t\tann\thi", "m.tsv:2: '' is not a number of seconds"},
    {"one\ta.wav\t1\tann\t", "m.tsv:2: the text is empty"},
    {"one\ta.wav\t1\tann\t \xC2\xA0 ", "m.tsv:2: the text is empty"},
    {"\ta.wav\t1\tann\thi", "m.tsv:2: the field 'id' is empty"},
    {"one\t\t1\tann\thi", "m.tsv:2: the field 'path' is empty"},
    {"one\tc.wav\t1\tann\thi", "c.wav: No such file or directory"},
    {"one\t.\t1\tann\thi", "is not a regular file"},
    {"one\ta.wav\t1\tann\th\xFFi", "m.tsv:2: invalid UTF-8 at byte 18"},
};

static void names_line_and_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[300];
        struct oto_corpus *c;
        oto_error err = {0};
        snprintf(text, sizeof text, HEAD "%s\ngood\tb.wav\t1\tbob\tyes\n", bad[i].line);
        assert_int_equal(load(&c, text, strlen(text), OTO_BAD_LINES_ERROR, &err), OTO_ERR_DATA);
        assert_null(c);
        assert_contains(log_text->text, bad[i].message);
        assert_contains(err.message, "1 bad line");
        assert_contains(err.message, "--bad-lines=skip");
        assert_int_equal(load(&c, text, strlen(text), OTO_BAD_LINES_SKIP, &err), OTO_OK);
        assert_contains(log_text->text, bad[i].message);
        assert_int_equal(c->n, 1);
        assert_int_equal(c->n_bad, 1);
        assert_string_equal(c->utts[0].id, "good");
        oto_corpus_destroy(c);
    }
}

static void names_both_places_of_an_id(void **state)
{
    (void)state;
    struct oto_corpus *c;
    oto_error err = {0};
    const char *text =
        HEAD "one\ta.wav\t1\tann\thi\ntwo\ta.wav\t1\tann\thi\none\tb.wav\t1\tann\thi\n";
    assert_int_equal(load(&c, text, strlen(text), OTO_BAD_LINES_ERROR, &err), OTO_ERR_DATA);
    assert_contains(log_text->text, "m.tsv:4: the id 'one' was already used at");
    assert_contains(log_text->text, "m.tsv:2; expected one that no other");
}

static void reports_every_bad_line(void **state)
{
    (void)state;
    struct oto_corpus *c;
    oto_error err = {0};
    char *text = calloc(30, 40), *p = text;
    p += sprintf(p, HEAD);
    for (int i = 0; i < 25; i++)
        p += sprintf(p, "u%d\ta.wav\tx\tann\thi\n", i);
    assert_int_equal(load(&c, text, strlen(text), OTO_BAD_LINES_ERROR, &err), OTO_ERR_DATA);
    assert_contains(log_text->text, "m.tsv:2: ");
    assert_contains(log_text->text, "m.tsv:21: ");
    assert_null(strstr(log_text->text, "m.tsv:22: "));
    assert_contains(log_text->text, "5 more bad lines");
    assert_contains(err.message, "25 bad lines");
    assert_int_equal(load(&c, text, strlen(text), OTO_BAD_LINES_SKIP, &err), OTO_ERR_DATA);
    assert_contains(err.message, "no utterance");
    free(text);
}

static void refuses_what_is_no_manifest(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "hello\n", "id\tpath\n", "id,path,text\na,b,c\n",
                                        "\n" HEAD};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct oto_corpus *c;
        oto_error err = {0};
        assert_int_equal(load(&c, texts[i], strlen(texts[i]), OTO_BAD_LINES_SKIP, &err),
                         OTO_ERR_FORMAT);
        assert_contains(err.message, "not a manifest");
    }
}

/* Whatever stands in the file, reading ends in a corpus or an error. */
static void takes_any_bytes(void **state)
{
    (void)state;
    static const char start[] = HEAD "one\ta.wav\t1\tann\thi\ntwo\tb.wav\t2.5\tbob\tyou there\n";
    char text[sizeof start];
    size_t n = sizeof start - 1;
    for (uint64_t round = 0; round < 3000; round++) {
        struct oto_corpus *c;
        oto_error err = {0};
        memcpy(text, start, sizeof start);
        for (uint64_t k = 0; k < 1 + round % 6; k++)
            text[oto_rng_below(1, round, 2 * k, n)] = (char)oto_rng_below(1, round, 2 * k + 1, 256);
        if (load(&c, text, oto_rng_below(2, round, 0, n) + 1, OTO_BAD_LINES_SKIP, &err) == OTO_OK)
            assert_true(c->n >= 1 && c->n <= 3);
        else
            assert_true(err.message[0] != 0);
        oto_corpus_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_columns_by_name),  cmocka_unit_test(reads_what_windows_writes),
        cmocka_unit_test(names_line_and_fault),   cmocka_unit_test(names_both_places_of_an_id),
        cmocka_unit_test(reports_every_bad_line), cmocka_unit_test(refuses_what_is_no_manifest),
        cmocka_unit_test(takes_any_bytes),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
