/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/mem.h"
#include "toy_corpus.h"
#include "training/corpus.h"

static char folder[64];
static const struct oto_corpus_options strict = {.bad_lines = OTO_BAD_LINES_ERROR,
                                                 .max_messages = 20};

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    toy_write_text(folder, "a.tsv", "id\tpath\ttext\na1\tx.wav\tone\na2\t/y/z.wav\ttwo\n");
    toy_write_text(folder, "b.tsv", "id\tpath\ttext\nb1\tx.wav\tthree\n");
    toy_write_text(folder, "star*2", "id\tpath\ttext\ns1\tx.wav\tfour\n");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

/* A list of manifests with the folder put before each name. */
static oto_status load(struct oto_corpus **corpus, const char *names, oto_error *err)
{
    char list[600] = "", *p = list;
    for (const char *name = names;; name++) {
        size_t n = strcspn(name, ",");
        p += sprintf(p, "%s/%.*s%s", folder, (int)n, name, name[n] ? "," : "");
        name += n;
        if (!*name)
            break;
    }
    return oto_corpus_load(corpus, list, &strict, err);
}

static void joins_manifests(void **state)
{
    (void)state;
    struct oto_corpus *c;
    char path[100];
    assert_int_equal(load(&c, "b.tsv*3,a.tsv", NULL), OTO_OK);
    assert_int_equal(c->n, 3);
    assert_int_equal(c->n_manifests, 2);
    assert_int_equal(c->manifests[0].repeat, 3);
    assert_int_equal(c->manifests[1].repeat, 1);
    assert_string_equal(c->utts[0].id, "b1");
    assert_int_equal(c->utts[0].manifest, 0);
    assert_int_equal(c->utts[2].manifest, 1);
    snprintf(path, sizeof path, "%s/x.wav", folder);
    assert_string_equal(c->utts[1].path, path);
    assert_string_equal(c->utts[2].path, "/y/z.wav");
    oto_corpus_destroy(c);
}

static void takes_a_star_in_a_name(void **state)
{
    (void)state;
    struct oto_corpus *c;
    assert_int_equal(load(&c, "star*2*1", NULL), OTO_OK);
    assert_string_equal(c->utts[0].id, "s1");
    oto_corpus_destroy(c);
}

static void finds_ids_used_twice_across_manifests(void **state)
{
    (void)state;
    struct oto_corpus *c;
    oto_error err = {0};
    struct toy_log *log = malloc(sizeof *log);
    assert_non_null(log);
    toy_log_catch(log);
    assert_int_equal(load(&c, "a.tsv,b.tsv,a.tsv", &err), OTO_ERR_DATA);
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    assert_contains(log->text, "a.tsv:3: the id 'a2' was already used at");
    assert_contains(err.message, "2 bad lines");
    free(log);
}

static void refuses_bad_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        oto_status status;
        const char *message;
    } cases[] = {
        {"", OTO_ERR_ARGUMENT, "empty name"},
        {"/nowhere/a.tsv,", OTO_ERR_ARGUMENT, "empty name"},
        {"/nowhere/a.tsv*0", OTO_ERR_ARGUMENT, "1 to 1000"},
        {"/nowhere/a.tsv*1001", OTO_ERR_ARGUMENT, "1 to 1000"},
        {"/nowhere/a.tsv*99999999999", OTO_ERR_ARGUMENT, "1 to 1000"},
        {"/nowhere/a.tsv*2", OTO_ERR_NOT_FOUND, "/nowhere/a.tsv"},
        {"/", OTO_ERR_FORMAT, "/"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct oto_corpus *c;
        oto_error err = {0};
        assert_int_equal(oto_corpus_load(&c, cases[i].list, &strict, &err), cases[i].status);
        assert_contains(err.message, cases[i].message);
        assert_null(c);
    }
}

static void survives_lack_of_memory(void **state)
{
    (void)state;
    struct oto_corpus *c;
    oto_mem_fail_nth(0);
    assert_int_equal(load(&c, "a.tsv,b.tsv", NULL), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    oto_corpus_destroy(c);
    assert_true(n > 10);
    int n_failed = 0;
    for (size_t nth = 1; nth <= n; nth++) {
        oto_error err = {0};
        oto_mem_fail_nth(nth);
        oto_status status = load(&c, "a.tsv,b.tsv", &err);
        oto_mem_fail_nth(0);
        n_failed += status != OTO_OK;
        assert_true(status == OTO_OK || c == NULL);
        oto_corpus_destroy(c);
    }
    assert_int_equal(n_failed, (int)n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_manifests),
        cmocka_unit_test(takes_a_star_in_a_name),
        cmocka_unit_test(refuses_bad_lists),
        cmocka_unit_test(finds_ids_used_twice_across_manifests),
        cmocka_unit_test(survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
