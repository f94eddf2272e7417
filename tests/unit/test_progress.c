/* SPDX-License-Identifier: BSD-2-Clause */
/* The progress line on a pseudo terminal, and nothing elsewhere. */
#define _XOPEN_SOURCE 700 /* posix_openpt */
#include "unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "cli/progress.h"

static FILE *terminal;
static int other_end;

static int set_up(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    other_end = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(other_end >= 0);
    assert_int_equal(grantpt(other_end), 0);
    assert_int_equal(unlockpt(other_end), 0);
    terminal = fopen(ptsname(other_end), "r+");
    assert_non_null(terminal);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fclose(terminal);
    close(other_end);
    return 0;
}

/* What has arrived at the other end, up to the marker that is written last. */
static void read_all(char text[4096])
{
    size_t n = 0;
    fputs("@", terminal);
    fflush(terminal);
    do {
        ssize_t got = read(other_end, text + n, 4095 - n);
        assert_true(got > 0);
        n += (size_t)got;
        text[n] = 0;
    } while (strchr(text, '@') == NULL);
}

static void test_on_a_terminal(void **state)
{
    (void)state;
    char text[4096];
    struct oto_progress p;
    oto_progress_init(&p, terminal, true);
    assert_true(p.enabled);
    oto_progress_show(&p, "%d of %d", 1, 3);
    oto_progress_show(&p, "too soon after the last");
    oto_progress_end(&p);
    read_all(text);
    assert_string_equal(text, "\r\033[K1 of 3\r\033[K@");
}

static void test_ten_a_second(void **state)
{
    (void)state;
    char text[4096];
    struct oto_progress p;
    const struct timespec pause = {.tv_nsec = 110000000};
    oto_progress_init(&p, terminal, true);
    oto_progress_show(&p, "first");
    nanosleep(&pause, NULL);
    oto_progress_show(&p, "second");
    oto_progress_end(&p);
    oto_progress_end(&p); /* nothing is shown any more */
    read_all(text);
    assert_string_equal(text, "\r\033[Kfirst\r\033[Ksecond\r\033[K@");
}

static void test_cut_to_the_width(void **state)
{
    (void)state;
    char text[4096], wide[400] = "";
    struct oto_progress p;
    for (int i = 0; i < 60; i++)
        strcat(
            wide,
            "\xE6\x97\xA5"); /* each takes two columns; a pseudo terminal of unknown width has 80 */
    oto_progress_init(&p, terminal, true);
    oto_progress_show(&p, "%s", wide);
    oto_progress_hide(); /* as a message does */
    read_all(text);
    assert_int_equal(strlen(text), 4 + 39 * 3 + 4 + 1);
}

static void test_elsewhere(void **state)
{
    (void)state;
    struct oto_progress p;
    FILE *file = tmpfile();
    assert_non_null(file);
    oto_progress_init(&p, file, true);
    oto_progress_show(&p, "never seen");
    oto_progress_end(&p);
    assert_int_equal(ftell(file), 0);
    fclose(file);
    oto_progress_init(&p, terminal, false); /* -q */
    assert_false(p.enabled);
    setenv("TERM", "dumb", 1);
    oto_progress_init(&p, terminal, true);
    assert_false(p.enabled);
}

int main(void)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd < 0) {
        puts("SKIP: no pseudo-terminals here (is /dev/pts mounted?)");
        return 77;
    }
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_on_a_terminal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ten_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cut_to_the_width, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_elsewhere, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
