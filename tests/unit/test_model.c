/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading a model through the public API, and the search path. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "otolith/otolith.h"
#include "tiny_model.h"

static char folder[64], path[128];

static void save(const char *name, const char *card_name)
{
    oto_error err = {0};
    struct tiny_model tiny;
    if (tiny_model_init(&tiny, 1, &err) != OTO_OK ||
        oto_card_set(&tiny.bundle.card.name, card_name, &err) != OTO_OK ||
        oto_bundle_save(&tiny.bundle, name, &err) != OTO_OK)
        fail_msg("%s", err.message);
    tiny_model_clear(&tiny);
}

static int set_up(void **state)
{
    (void)state;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/first.oto", folder);
    save(path, "tiny");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unit_remove_folder(folder);
    return 0;
}

static void test_load(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_model *model = NULL;
    oto_model_info info;
    assert_int_equal(oto_model_load(&model, path, &err), OTO_OK);
    oto_model_get_info(model, &info);
    assert_string_equal(info.name, "tiny");
    assert_string_equal(info.licence, "");
    assert_int_equal(info.rate_hz, 16000);
    assert_int_equal(info.n_symbols, 8);
    assert_int_equal(info.n_parameters, 1212);
    oto_model_destroy(model);
    oto_model_destroy(NULL);
}

static void test_name_of_file(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_model *model = NULL;
    oto_model_info info;
    char nameless[128];
    snprintf(nameless, sizeof nameless, "%s/my.model.oto", folder);
    save(nameless, "");
    assert_int_equal(oto_model_load(&model, nameless, &err), OTO_OK);
    oto_model_get_info(model, &info);
    assert_string_equal(info.name, "my.model");
    oto_model_destroy(model);
}

static void test_load_errors(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_model *model = (oto_model *)1;
    assert_int_equal(oto_model_load(NULL, path, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_model_load(&model, NULL, &err), OTO_ERR_ARGUMENT);
    assert_null(model);
    assert_int_equal(oto_model_load(&model, "/nonexistent.oto", &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "/nonexistent.oto");
    assert_null(model);
}

static void test_load_without_memory(void **state)
{
    (void)state;
    oto_error err = {0};
    oto_model *model = NULL;
    size_t n = 0;
    for (oto_status status = OTO_ERR_MEMORY; status != OTO_OK; n++) {
        (void)oto_mem_fail_nth(n + 1);
        status = oto_model_load(&model, path, &err);
        (void)oto_mem_fail_nth(0);
        if (status != OTO_OK) {
            assert_int_equal(status, OTO_ERR_MEMORY);
            assert_null(model);
        }
    }
    print_message("load survives the failure of each of %zu allocations\n", n);
    assert_true(n > 20);
    oto_model_destroy(model);
}

/* ---- search path ------------------------------------------------------------------------- */

static void make_folder(char *out, size_t capacity, const char *sub)
{
    char command[256];
    snprintf(out, capacity, "%s/%s", folder, sub);
    snprintf(command, sizeof command, "mkdir -p '%s'", out);
    assert_int_equal(system(command), 0);
}

static void touch(const char *dir, const char *name)
{
    char file[256];
    snprintf(file, sizeof file, "%s/%s", dir, name);
    unit_write_file(file, "x", 1);
}

static void expect_found(const char *name, const char *dir, const char *file)
{
    char found[4096], expected[256];
    oto_error err = {0};
    snprintf(expected, sizeof expected, "%s/%s", dir, file);
    if (oto_model_find(name, found, sizeof found, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_string_equal(found, expected);
}

static void test_find(void **state)
{
    (void)state;
    char own[128], second[128], home[128], home_models[160], data[128], data_models[160],
        found[4096];
    oto_error err = {0};
    make_folder(own, sizeof own, "own");
    make_folder(second, sizeof second, "second");
    make_folder(home, sizeof home, "home");
    make_folder(home_models, sizeof home_models, "home/otolith/models");
    make_folder(data, sizeof data, "data");
    make_folder(data_models, sizeof data_models, "data/otolith/models");
    char list[512];
    snprintf(list, sizeof list, "relative:%s::%s", own, second);
    setenv("OTOLITH_MODEL_PATH", list, 1);
    setenv("XDG_DATA_HOME", home, 1);
    setenv("XDG_DATA_DIRS", data, 1);

    assert_int_equal(oto_model_find("zulu-1", found, sizeof found, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "model 'zulu-1' not found; looked in ");
    assert_contains(err.message, own);
    assert_string_equal(found, "");

    touch(data_models,
          "zulu-1.oto"); /* the later ones first: each new file goes before the former */
    expect_found("zulu-1", data_models, "zulu-1.oto");
    touch(home_models, "zulu-1.oto");
    expect_found("zulu-1", home_models, "zulu-1.oto");
    expect_found("zulu-1.oto", home_models, "zulu-1.oto");
    touch(second, "zulu-1");
    expect_found("zulu-1", second, "zulu-1");
    touch(own, "zulu-1.oto");
    expect_found("zulu-1", own, "zulu-1.oto");
    touch(own, "english.oto");
    expect_found(NULL, own, "english.oto");
    expect_found("", own, "english.oto");

    unsetenv("XDG_DATA_HOME"); /* then it is below the home folder */
    setenv("HOME", home, 1);
    make_folder(home_models, sizeof home_models, "home/.local/share/otolith/models");
    touch(home_models, "zulu-2.oto");
    expect_found("zulu-2", home_models, "zulu-2.oto");
}

static void test_find_as_given(void **state)
{
    (void)state;
    char found[4096], small[8];
    oto_error err = {0};
    assert_int_equal(oto_model_find("./not/there", found, sizeof found, &err), OTO_OK);
    assert_string_equal(found, "./not/there"); /* loading it tells that it is missing */
    assert_int_equal(oto_model_find(path, found, sizeof found, &err), OTO_OK);
    assert_string_equal(found, path);
    assert_int_equal(oto_model_find(path, small, sizeof small, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(oto_model_find(path, NULL, 0, &err), OTO_ERR_ARGUMENT);
    setenv("OTOLITH_MODEL_PATH", folder, 1);
    assert_int_equal(oto_model_find("first", small, sizeof small, &err), OTO_ERR_ARGUMENT);
    assert_contains(err.message, "longer than 7 bytes");
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(oto_model_find("first.oto", found, sizeof found, &err), OTO_OK);
    assert_string_equal(found, "first.oto"); /* a file in the current folder */
    assert_int_equal(mkdir("second", 0700) == 0 || access("second", F_OK) == 0, 1);
    touch(folder, "second.oto");
    expect_found("second", folder, "second.oto"); /* a folder of that name is no model */
    assert_int_equal(chdir(here), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load),        cmocka_unit_test(test_name_of_file),
        cmocka_unit_test(test_load_errors), cmocka_unit_test(test_load_without_memory),
        cmocka_unit_test(test_find),        cmocka_unit_test(test_find_as_given),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
