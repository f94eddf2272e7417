/* SPDX-License-Identifier: BSD-2-Clause */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "base/bytes.h"
#include "base/mem.h"

struct fixture {
    char folder[64];
    char path[96];
};

static int set_up(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    assert_non_null(f);
    unit_make_folder(f->folder);
    snprintf(f->path, sizeof f->path, "%s/model.oto", f->folder);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unit_remove_folder(f->folder);
    free(f);
    return 0;
}

static void assert_holds(const char *path, const char *text)
{
    struct oto_map map;
    assert_int_equal(oto_map_open(&map, path, NULL), OTO_OK);
    assert_int_equal(map.size, strlen(text));
    assert_memory_equal(map.data, text, map.size);
    oto_map_close(&map);
}

static int n_entries(const char *folder)
{
    int n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        n += entry->d_name[0] != '.';
    }
    closedir(dir);
    return n;
}

static void saved_whole(void **state)
{
    struct fixture *f = *state;
    oto_error err = {0};
    assert_int_equal(oto_atomic_save(f->path, "first", 5, &err), OTO_OK);
    assert_holds(f->path, "first");
    assert_int_equal(oto_atomic_save(f->path, "second one", 10, &err), OTO_OK);
    assert_holds(f->path, "second one");
    assert_int_equal(oto_atomic_save(f->path, NULL, 0, &err), OTO_OK);
    assert_holds(f->path, "");
    assert_int_equal(n_entries(f->folder), 1);
}

static void many_writes_of_every_size(void **state)
{
    struct fixture *f = *state;
    static char expected[400000];
    size_t n = 0;
    struct oto_atomic_file *file;
    assert_int_equal(oto_atomic_open(&file, f->path, NULL), OTO_OK);
    static const size_t sizes[] = {1, 0, 1000, 65536, 3, 65535, 65537, 2, 131072, 65530, 6, 1};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            expected[n + k] = (char)((n + k) % 251);
        }
        assert_int_equal(oto_atomic_write(file, expected + n, sizes[i], NULL), OTO_OK);
        n += sizes[i];
    }
    assert_true(n < sizeof expected);
    assert_int_equal(oto_atomic_commit(file, NULL), OTO_OK);
    struct oto_map map;
    assert_int_equal(oto_map_open(&map, f->path, NULL), OTO_OK);
    assert_int_equal(map.size, n);
    assert_memory_equal(map.data, expected, n);
    oto_map_close(&map);
}

static void abort_leaves_the_former_file(void **state)
{
    struct fixture *f = *state;
    struct oto_atomic_file *file;
    assert_int_equal(oto_atomic_save(f->path, "former", 6, NULL), OTO_OK);
    assert_int_equal(oto_atomic_open(&file, f->path, NULL), OTO_OK);
    assert_int_equal(oto_atomic_write(file, "half of it", 10, NULL), OTO_OK);
    assert_holds(f->path, "former");
    assert_int_equal(n_entries(f->folder), 2); /* the temporary stands in the same folder */
    oto_atomic_abort(file);
    assert_holds(f->path, "former");
    assert_int_equal(n_entries(f->folder), 1);
    oto_atomic_abort(NULL);
}

static void two_writers_do_not_meet(void **state)
{
    struct fixture *f = *state;
    struct oto_atomic_file *a, *b;
    assert_int_equal(oto_atomic_open(&a, f->path, NULL), OTO_OK);
    assert_int_equal(oto_atomic_open(&b, f->path, NULL), OTO_OK);
    assert_int_equal(oto_atomic_write(a, "aaaa", 4, NULL), OTO_OK);
    assert_int_equal(oto_atomic_write(b, "b", 1, NULL), OTO_OK);
    assert_int_equal(oto_atomic_commit(b, NULL), OTO_OK);
    assert_int_equal(oto_atomic_commit(a, NULL), OTO_OK);
    assert_holds(f->path, "aaaa");
    assert_int_equal(n_entries(f->folder), 1);
}

static void permissions_stay(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(oto_atomic_save(f->path, "x", 1, NULL), OTO_OK);
    assert_int_equal(chmod(f->path, 0604), 0);
    assert_int_equal(oto_atomic_save(f->path, "y", 1, NULL), OTO_OK);
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0604);
}

static void links_are_followed(void **state)
{
    struct fixture *f = *state;
    char link[96];
    struct stat info;
    snprintf(link, sizeof link, "%s/link.oto", f->folder);
    assert_int_equal(symlink("model.oto", link), 0);
    oto_error err = {0};
    assert_int_equal(oto_atomic_save(link, "z", 1, &err), OTO_ERR_NOT_FOUND); /* dangling */
    assert_int_equal(oto_atomic_save(f->path, "x", 1, NULL), OTO_OK);
    assert_int_equal(oto_atomic_save(link, "through the link", 16, &err), OTO_OK);
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_holds(f->path, "through the link");
}

static void relative_paths_work(void **state)
{
    struct fixture *f = *state;
    char here[4096];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(f->folder), 0);
    assert_int_equal(oto_atomic_save("model.oto", "here", 4, NULL), OTO_OK);
    assert_int_equal(chdir(here), 0);
    assert_holds(f->path, "here");
}

static void what_is_no_file_is_refused(void **state)
{
    struct fixture *f = *state;
    oto_error err = {0};
    char path[128];
    struct stat before, after;
    assert_int_equal(oto_atomic_save(f->folder, "x", 1, &err), OTO_ERR_IO);
    assert_contains(err.message, "is a folder");
    assert_int_equal(stat("/dev/null", &before), 0);
    assert_int_equal(oto_atomic_save("/dev/null", "x", 1, &err), OTO_ERR_IO);
    assert_contains(err.message, "special file");
    assert_int_equal(stat("/dev/null", &after), 0);
    assert_true(S_ISCHR(after.st_mode) && before.st_ino == after.st_ino);
    snprintf(path, sizeof path, "%s/none/model.oto", f->folder);
    assert_int_equal(oto_atomic_save(path, "x", 1, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "none/model.oto");
    assert_int_equal(oto_atomic_save("", "x", 1, &err), OTO_ERR_ARGUMENT);
    assert_int_equal(n_entries(f->folder), 0);
}

static void a_name_left_by_a_dead_process_is_no_obstacle(void **state)
{
    struct fixture *f = *state;
    char path[160];
    for (int i = 0; i < 60; i++) { /* more than were used so far, fewer than are tried */
        snprintf(path, sizeof path, "%s.tmp-%ld-%d", f->path, (long)getpid(), i);
        unit_write_file(path, "stale", 5);
    }
    assert_int_equal(oto_atomic_save(f->path, "new", 3, NULL), OTO_OK);
    assert_holds(f->path, "new");
}

/* A full disk, played by a limit on the file size in a child process. */
static int child_writes_too_much(const char *path, bool buffered)
{
    static char data[200000];
    struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 10;
    }
    oto_error err = {0};
    struct oto_atomic_file *file;
    if (oto_atomic_open(&file, path, &err) != OTO_OK) {
        return 11;
    }
    if (buffered) { /* what is still in the buffer fails at commit at the latest */
        for (int i = 0; i < 2; i++) {
            if (oto_atomic_write(file, data, 60000, &err) != OTO_OK) {
                return 12;
            }
        }
    } else {
        if (oto_atomic_write(file, data, sizeof data, &err) != OTO_ERR_IO ||
            !strstr(err.message, "too large")) {
            return 13;
        }
        if (oto_atomic_write(file, data, 1, &err) != OTO_ERR_IO ||
            !strstr(err.message, "earlier")) {
            return 14;
        }
    }
    return oto_atomic_commit(file, &err) == OTO_ERR_IO ? 0 : 15;
}

static void a_full_disk_keeps_the_former_file(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(oto_atomic_save(f->path, "former", 6, NULL), OTO_OK);
    for (int buffered = 0; buffered < 2; buffered++) {
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            _exit(child_writes_too_much(f->path, buffered));
        }
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        assert_true(WIFEXITED(result));
        assert_int_equal(WEXITSTATUS(result), 0);
        assert_holds(f->path, "former");
        assert_int_equal(n_entries(f->folder), 1);
    }
}

static void a_killed_writer_keeps_the_former_file(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(oto_atomic_save(f->path, "former", 6, NULL), OTO_OK);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct oto_atomic_file *file;
        static char data[100000];
        if (oto_atomic_open(&file, f->path, NULL) == OTO_OK &&
            oto_atomic_write(file, data, sizeof data, NULL) == OTO_OK) {
            raise(SIGKILL);
        }
        _exit(1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));
    assert_holds(f->path, "former");
    assert_int_equal(oto_atomic_save(f->path, "next", 4, NULL), OTO_OK);
    assert_holds(f->path, "next");
}

static void a_rename_that_fails_leaves_no_temporary(void **state)
{
    struct fixture *f = *state;
    struct oto_atomic_file *file;
    oto_error err = {0};
    char inside[128];
    assert_int_equal(oto_atomic_open(&file, f->path, NULL), OTO_OK);
    assert_int_equal(oto_atomic_write(file, "x", 1, NULL), OTO_OK);
    assert_int_equal(mkdir(f->path, 0700), 0); /* somebody puts a folder there meanwhile */
    snprintf(inside, sizeof inside, "%s/occupied", f->path);
    unit_write_file(inside, "x", 1);
    assert_int_equal(oto_atomic_commit(file, &err), OTO_ERR_IO);
    assert_contains(err.message, "rename");
    assert_int_equal(n_entries(f->folder), 1);
}

static void lack_of_memory_is_reported(void **state)
{
    struct fixture *f = *state;
    oto_error err = {0};
    oto_mem_fail_nth(0);
    assert_int_equal(oto_atomic_save(f->path, "former", 6, NULL), OTO_OK);
    size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 2, 10);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(oto_atomic_save(f->path, "latter", 6, &err), OTO_ERR_MEMORY);
        assert_int_equal(n_entries(f->folder), 1);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(saved_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_writes_of_every_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(abort_leaves_the_former_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_writers_do_not_meet, set_up, tear_down),
        cmocka_unit_test_setup_teardown(permissions_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(links_are_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(relative_paths_work, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_name_left_by_a_dead_process_is_no_obstacle, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_keeps_the_former_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_killed_writer_keeps_the_former_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rename_that_fails_leaves_no_temporary, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lack_of_memory_is_reported, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
