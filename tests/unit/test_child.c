/* SPDX-License-Identifier: BSD-2-Clause */
/* Children that do what no library should, and the parent that goes on. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audio/capture.h"
#include "audio/child.h"
#include "base/clock.h"
#include "base/mem.h"
#include "otolith/otolith.h"

enum { ARENA = 1 << 20, LIMIT_S = 60 };

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static struct oto_child *start(oto_child_work *work, const void *arg, int limit_s)
{
    struct oto_child *child = NULL;
    oto_error err = {OTO_OK, ""};
    if (oto_child_start(&child, ARENA, work, arg, limit_s, "test", &err) != OTO_OK)
        fail_msg("%s", err.message);
    return child;
}

static void wait_for_end(struct oto_child *child)
{
    while (oto_child_is_running(child))
        pause_ms(1);
}

/* Closes, and nothing is left of it, no zombie either. */
static void close_child(struct oto_child *child)
{
    oto_child_close(child);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- what children do -------------------------------------------------------------------------
 */

static void answer(const struct oto_child_call *call, const void *arg)
{
    atomic_int *numbers = oto_child_call_arena(call);
    atomic_store(&numbers[0], *(const int *)arg);
    oto_child_tell(call);
}

static void end_silently(const struct oto_child_call *call, const void *arg)
{
    (void)call;
    (void)arg;
}

static void fail_with_code(const struct oto_child_call *call, const void *arg)
{
    (void)call;
    _exit(*(const int *)arg);
}

static void crash(const struct oto_child_call *call, const void *arg)
{
    (void)call;
    raise(*(const int *)arg);
}

static void hang(const struct oto_child_call *call, const void *arg)
{
    (void)call;
    (void)arg;
    while (true)
        pause();
}

/* As a library that never returns from opening a device. */
static void hang_before_telling(const struct oto_child_call *call, const void *arg)
{
    atomic_store((atomic_int *)oto_child_call_arena(call) + 1, getpid());
    hang(call, arg);
}

static void hang_when_told_to_close(const struct oto_child_call *call, const void *arg)
{
    oto_child_tell(call);
    while (oto_child_ask(call, 10) == OTO_CHILD_GO_ON) {
    }
    hang(call, arg);
}

/* Notes in the arena what it was told. */
static void obey(const struct oto_child_call *call, const void *arg)
{
    atomic_int *numbers = oto_child_call_arena(call);
    enum oto_child_wish wish = OTO_CHILD_GO_ON;
    (void)arg;
    atomic_store(&numbers[1], getpid());
    oto_child_tell(call);
    while (wish == OTO_CHILD_GO_ON) {
        atomic_fetch_add(&numbers[2], 1);
        wish = oto_child_ask(call, 10);
    }
    atomic_store(&numbers[0], (int)wish);
}

/* How many descriptors are open, what the signals do, how large a core may be. */
static void look_around(const struct oto_child_call *call, const void *arg)
{
    int *numbers = oto_child_call_arena(call);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGSEGV};
    struct sigaction action;
    struct rlimit core;
    sigset_t mask;
    (void)arg;
    for (int fd = 0; fd < 1000; fd++)
        numbers[0] += fcntl(fd, F_GETFD) != -1;
    for (int i = 0; i < 7; i++) {
        sigaction(signals[i], NULL, &action);
        numbers[1 + i] = action.sa_handler == SIG_IGN ? 1 : action.sa_handler == SIG_DFL ? 2 : 3;
    }
    getrlimit(RLIMIT_CORE, &core);
    numbers[8] = core.rlim_cur == 0;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    numbers[9] = sigismember(&mask, SIGUSR1);
    oto_child_tell(call);
}

static void be_noisy(const struct oto_child_call *call, const void *arg)
{
    (void)arg;
    printf("this goes nowhere\n");
    fflush(stdout);
    fprintf(stderr, "first\nsec");
    fprintf(stderr, "ond\n\n");
    oto_child_tell(call);
    for (int i = 0; i < 100000; i++) /* more than anybody keeps: must not block */
        fprintf(stderr, "number %d\n", i);
    fprintf(stderr, "the end");
}

enum { FRAMES = 300000 };

static void count_upwards(const struct oto_child_call *call, const void *arg)
{
    struct oto_capture *c = NULL;
    float block[64];
    (void)arg;
    if (oto_capture_create_in(&c, oto_child_call_arena(call), 1, 4096, NULL) != OTO_OK)
        _exit(2);
    oto_child_tell(call);
    for (int at = 0; at < FRAMES; at += 64) {
        for (int i = 0; i < 64; i++)
            block[i] = (float)(at + i);
        oto_capture_write(c, block, 64, false);
        if (at % 6400 == 0)
            pause_ms(1);
    }
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void test_answer(void **state)
{
    (void)state;
    const int number = 42;
    oto_error err = {OTO_OK, ""};
    struct oto_child *child = start(answer, &number, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "test", &err), OTO_OK);
    assert_int_equal(*(int *)oto_child_arena(child), 42);
    wait_for_end(child);
    assert_string_equal(oto_child_end(child), "");
    assert_false(oto_child_is_running(child));
    oto_child_kill(child); /* too late, and no harm */
    close_child(child);
    oto_child_close(NULL);
}

static void expect_failure(oto_child_work *work, const void *arg, const char *says)
{
    oto_error err = {OTO_OK, ""};
    struct oto_child *child = start(work, arg, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", &err), OTO_ERR_DEVICE);
    assert_string_equal(err.message, says);
    assert_false(oto_child_is_running(child));
    close_child(child);
}

static void test_bad_ends(void **state)
{
    static const int segv = SIGSEGV, aborted = SIGABRT, code = 3;
    (void)state;
    expect_failure(crash, &segv, "it: the audio system was ended by signal 11");
    expect_failure(crash, &aborted, "it: the audio system was ended by signal 6");
    expect_failure(fail_with_code, &code, "it: the audio system ended with code 3");
    expect_failure(end_silently, NULL, "it: the audio system ended without an answer");
}

static int stop_at_third(void *arg)
{
    int *n = arg;
    return ++*n >= 3;
}

static void test_hanging(void **state)
{
    (void)state;
    int n_asked = 0;
    oto_error err = {OTO_OK, ""};
    struct oto_child *child = start(hang, NULL, 1);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", &err), OTO_ERR_DEVICE);
    assert_string_equal(err.message, "it: the audio system has not answered for 1 s");
    assert_string_equal(oto_child_end(child), "was ended by signal 9");
    close_child(child);
    child = start(hang, NULL, LIMIT_S);
    assert_int_equal(oto_child_wait(child, stop_at_third, &n_asked, "it", &err),
                     OTO_ERR_INTERRUPTED);
    assert_int_equal(n_asked, 3);
    close_child(child);
    child = start(hang, NULL, LIMIT_S); /* and nobody waits */
    close_child(child);
    child = start(hang_when_told_to_close, NULL, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", &err), OTO_OK);
    assert_true(oto_child_is_running(child));
    close_child(child);
}

/* A zombie has ended: where process 1 does not wait for it, it stays. */
static bool process_runs(int pid)
{
    char path[64], status[512];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, status, sizeof status - 1) : 0;
    status[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return n > 0 && strstr(status, ") Z") == NULL;
}

/* A process starts the child and is killed when that works. Returns the child's number. */
static int orphan(oto_child_work *work)
{
    int pipes[2], pid = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t parent = fork();
    assert_true(parent >= 0);
    if (parent == 0) {
        atomic_int *numbers = oto_child_arena(start(work, NULL, 1));
        while ((pid = atomic_load(&numbers[1])) == 0)
            pause_ms(1);
        if (write(pipes[1], &pid, sizeof pid) == sizeof pid)
            raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(read(pipes[0], &pid, sizeof pid), sizeof pid);
    assert_true(pid > 0);
    assert_int_equal(waitpid(parent, NULL, 0), parent);
    close(pipes[0]);
    close(pipes[1]);
    return pid;
}

/* A child ends when it is told to, and when a parent that is killed can tell it nothing, be it that
 * it hangs itself. */
static void test_close_and_alone(void **state)
{
    (void)state;
    oto_error err = {OTO_OK, ""};
    struct oto_child *child = start(obey, NULL, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", &err), OTO_OK);
    assert_true(oto_child_is_running(child));
    close_child(child);
    const int orphans[] = {orphan(obey), orphan(hang_before_telling)};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 6000 && process_runs(orphans[k]); i++)
            pause_ms(10);
        assert_false(process_runs(orphans[k]));
    }
}

static void on_signal(int number)
{
    (void)number;
}

/* In the middle of work, and with handlers and files of the program's own. */
static void test_surroundings(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = on_signal}, before[2];
    int fds[20];
    sigset_t mask;
    sigaction(SIGINT, &action, &before[0]);
    sigaction(SIGUSR1, &action, &before[1]);
    for (int i = 0; i < 20; i++)
        assert_true((fds[i] = open("/dev/null", O_RDONLY)) >= 0);
    struct oto_child *child = start(look_around, NULL, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", NULL), OTO_OK);
    static const int expected[] = {4, 1, 1, 1, 1, 1, 2, 2, 1, 0};
    assert_memory_equal(oto_child_arena(child), expected, sizeof expected);
    close_child(child);
    for (int i = 0; i < 20; i++)
        assert_int_equal(close(fds[i]), 0);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGUSR1), 0);
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGUSR1, &before[1], NULL);
}

struct lines {
    size_t n;
    char first[3][64], last[64];
};

static void note_line(void *user, oto_log_level level, const char *message)
{
    struct lines *lines = user;
    assert_int_equal(level, OTO_LOG_DEBUG);
    if (lines->n < 3)
        snprintf(lines->first[lines->n], sizeof lines->first[0], "%s", message);
    snprintf(lines->last, sizeof lines->last, "%s", message);
    lines->n++;
}

static void test_noise(void **state)
{
    (void)state;
    static struct lines lines;
    struct oto_child *child = start(be_noisy, NULL, LIMIT_S);
    oto_log_set(note_line, &lines, OTO_LOG_DEBUG);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", NULL), OTO_OK);
    wait_for_end(child);
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    assert_string_equal(oto_child_end(child), "");
    close_child(child);
    assert_true(lines.n > 100);
    assert_string_equal(lines.first[0], "audio system: first");
    assert_string_equal(lines.first[1], "audio system: second");
    assert_string_equal(lines.first[2], "audio system: number 0");
}

/* Each frame is read or counted as lost, and those that are read are in their place. */
static void test_capture(void **state)
{
    (void)state;
    struct oto_capture *c = NULL;
    struct oto_capture_gap gap;
    float out[500];
    uint64_t next = 0, n_lost = 0, n_read = 0;
    struct oto_child *child = start(count_upwards, NULL, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", NULL), OTO_OK);
    assert_true(oto_capture_bytes(1, 4096) < ARENA);
    assert_int_equal(oto_capture_create_in(&c, oto_child_arena(child), 1, 4096, NULL), OTO_OK);
    for (bool running = true; running || !oto_capture_is_over(c);) {
        running = oto_child_is_running(child);
        if (!running)
            oto_capture_end(c);
        while (oto_capture_next_gap(c, &gap)) {
            assert_int_equal(gap.position, n_read);
            next += gap.n_lost;
            n_lost += gap.n_lost;
        }
        size_t n = oto_capture_read(c, out, 500);
        for (size_t i = 0; i < n; i++, next++)
            if (out[i] != (float)next)
                fail_msg("sample %llu is %g", (unsigned long long)next, (double)out[i]);
        n_read += n;
    }
    assert_int_equal(n_lost, oto_capture_n_lost(c));
    assert_int_equal(n_read + n_lost, (FRAMES + 63) / 64 * 64);
    print_message("%llu read, %llu lost\n", (unsigned long long)n_read, (unsigned long long)n_lost);
    oto_capture_destroy(c);
    close_child(child);
}

/* The program ignores SIGCHLD, or waits for any child: nobody knows how it ended. */
static void test_foreign_wait(void **state)
{
    (void)state;
    const int segv = SIGSEGV;
    oto_error err = {OTO_OK, ""};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGCHLD, &ignore, &before);
    struct oto_child *child = start(crash, &segv, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", &err), OTO_ERR_DEVICE);
    close_child(child);
    child = start(obey, NULL, LIMIT_S);
    assert_int_equal(oto_child_wait(child, NULL, NULL, "it", &err), OTO_OK);
    assert_true(oto_child_is_running(child));
    oto_child_kill(child);
    assert_false(oto_child_is_running(child));
    close_child(child);
    sigaction(SIGCHLD, &before, NULL);
}

static void test_failures(void **state)
{
    (void)state;
    const int number = 1;
    oto_error err = {OTO_OK, ""};
    struct oto_child *child = start(answer, &number, LIMIT_S);
    close_child(child);
    (void)oto_child_fail_nth(0);
    (void)oto_mem_fail_nth(0);
    child = start(answer, &number, LIMIT_S);
    const size_t n_calls = oto_child_fail_nth(0), n_allocations = oto_mem_fail_nth(0);
    close_child(child);
    static const char *const says[] = {"no memory to share", "no connection", "no connection",
                                       "no process"};
    assert_int_equal(n_calls, 4);
    for (size_t nth = 1; nth <= n_calls; nth++) {
        (void)oto_child_fail_nth(nth);
        assert_int_equal(oto_child_start(&child, ARENA, answer, &number, 1, "it", &err),
                         nth == 1 ? OTO_ERR_MEMORY : OTO_ERR_IO);
        assert_null(child);
        assert_contains(err.message, "it: ");
        assert_contains(err.message, says[nth - 1]);
    }
    (void)oto_child_fail_nth(0);
    assert_true(n_allocations > 0);
    for (size_t nth = 1; nth <= n_allocations; nth++) {
        (void)oto_mem_fail_nth(nth);
        assert_int_equal(oto_child_start(&child, ARENA, answer, &number, 1, "it", &err),
                         OTO_ERR_MEMORY);
        assert_null(child);
    }
    (void)oto_mem_fail_nth(0);
    assert_int_equal(oto_child_start(&child, (size_t)1 << 62, answer, &number, 1, "it", &err),
                     OTO_ERR_MEMORY);
    assert_null(child);
}

/* Time in which the program itself did not run is not counted. */
static void test_waited(void **state)
{
    (void)state;
    double last_s = -1;
    assert_true(oto_child_waited_s(&last_s) == 0);
    pause_ms(20);
    double waited_s = oto_child_waited_s(&last_s);
    assert_true(waited_s >= 0.02 && waited_s <= 0.1);
    pause_ms(300);
    assert_true(oto_child_waited_s(&last_s) == 0.1);
}

/* Threads that allocate and print all the time: their locks are not held in the child. */
static void *be_busy(void *arg)
{
    atomic_bool *stop = arg;
    while (!atomic_load(stop)) {
        free(malloc(100));
        FILE *f = fopen("/dev/null", "w");
        fprintf(f, "%d", 1);
        fclose(f);
    }
    return NULL;
}

static void allocate(const struct oto_child_call *call, const void *arg)
{
    (void)arg;
    for (size_t n = 1; n < 100000; n *= 2) {
        void *p = malloc(n);
        memset(p, 1, n);
        free(p);
    }
    fprintf(stderr, "%g", 0.5);
    oto_child_tell(call);
}

static void test_threads(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    print_message("the sanitizer's own malloc is not to be used after fork() among threads\n");
    skip();
#endif
    pthread_t threads[3];
    atomic_bool stop = false;
    oto_error err = {OTO_OK, ""};
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, be_busy, &stop), 0);
    for (int i = 0; i < 100; i++) {
        struct oto_child *child = start(allocate, NULL, LIMIT_S);
        if (oto_child_wait(child, NULL, NULL, "it", &err) != OTO_OK)
            fail_msg("%s", err.message);
        close_child(child);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),       cmocka_unit_test(test_bad_ends),
        cmocka_unit_test(test_hanging),      cmocka_unit_test(test_close_and_alone),
        cmocka_unit_test(test_surroundings), cmocka_unit_test(test_noise),
        cmocka_unit_test(test_capture),      cmocka_unit_test(test_foreign_wait),
        cmocka_unit_test(test_failures),     cmocka_unit_test(test_waited),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
