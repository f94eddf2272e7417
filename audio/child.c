/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE /* MAP_ANONYMOUS; close_range() where there is one */
#include "audio/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    LOOK_MS = 50,     /* how often a parent that waits asks whether it shall stop */
    GRACE_MS = 500,   /* to close in good order */
    KILLED_MS = 2000, /* a driver may hold even a killed process for a while */
    ALONE_S = 5,      /* the child's own alarm comes so much after the parent's limit */
    SOCKET = 3,       /* the child's file descriptor */
    MAX_DESCRIPTORS = 65536
};
#define MAX_WAITED_S 0.1

struct oto_child {
    pid_t pid;      /* 0: none, or it has ended and was waited for */
    int socket;     /* to it: a byte tells, or asks to close; its end is the other's end */
    int noise;      /* what it prints */
    char line[512]; /* of that, the line that has begun */
    size_t n_line;
    char end[64];
    int limit_s;
    void *arena;
    size_t arena_bytes;
};

struct oto_child_call {
    void *arena;
    pid_t parent;
};

/* ---- failure injection ------------------------------------------------------------------------
 */

static atomic_size_t n_calls, fail_countdown;

/* Before a system call: 0, or an error it could have. */
static int injected_error(void)
{
    atomic_fetch_add(&n_calls, 1);
    if (atomic_load(&fail_countdown) == 0) {
        return 0;
    }
    return atomic_fetch_sub(&fail_countdown, 1) == 1 ? EAGAIN : 0;
}

size_t oto_child_fail_nth(size_t nth)
{
    atomic_store(&fail_countdown, nth);
    return atomic_exchange(&n_calls, 0);
}

/* ---- the child's side -------------------------------------------------------------------------
 */

/* Ctrl-C and its kin go to all processes of a terminal: what follows from them the parent decides.
 * No handler of the parent's runs here, a sanitizer's neither. */
static void reset_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigset_t none;
    sigemptyset(&action.sa_mask);
    for (int n = 1; n <= SIGRTMAX; n++) {
        (void)sigaction(n, &action, NULL); /* not those that cannot be caught */
    }
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        sigaction(ignored[i], &action, NULL);
    }
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
}

/* 0 and 1 lead nowhere, 2 to the parent's log, 3 to the parent; nothing else stays open: somebody
 * may wait for the end of a pipe. */
static void reset_descriptors(int socket, int noise)
{
    socket = fcntl(socket, F_DUPFD, SOCKET + 1); /* out of the way: the parent's may be 0 to 3 */
    noise = fcntl(noise, F_DUPFD, SOCKET + 1);
    int nowhere = open("/dev/null", O_RDWR);
    nowhere = nowhere < 0 ? noise : fcntl(nowhere, F_DUPFD, SOCKET + 1);
    if (socket < 0 || noise < 0 || nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 ||
        dup2(nowhere, STDOUT_FILENO) < 0 || dup2(noise, STDERR_FILENO) < 0 ||
        dup2(socket, SOCKET) < 0) {
        _exit(1);
    }
#ifdef CLOSE_RANGE_CLOEXEC
    if (close_range(SOCKET + 1, ~0U, 0) == 0) {
        return;
    }
#endif
    long n = sysconf(_SC_OPEN_MAX); /* may be a billion */
    for (int fd = SOCKET + 1; fd < (n > 0 && n < MAX_DESCRIPTORS ? n : MAX_DESCRIPTORS); fd++) {
        close(fd);
    }
}

static void run(const struct oto_child *child, pid_t parent, int socket, int noise,
                oto_child_work *work, const void *arg)
{
    const struct rlimit no_core = {0, 0};
    const struct oto_child_call call = {child->arena, parent};
    reset_signals();
    reset_descriptors(socket, noise);
    setrlimit(RLIMIT_CORE, &no_core);
    alarm((unsigned)(child->limit_s + ALONE_S)); /* SIGALRM ends it, also when work() hangs */
    work(&call, arg);
    _exit(0); /* no handlers of the program's, nothing of its output once more */
}

void *oto_child_call_arena(const struct oto_child_call *call)
{
    return call->arena;
}

void oto_child_tell(const struct oto_child_call *call)
{
    (void)call;
    alarm(ALONE_S);
    if (send(SOCKET, "t", 1, 0) != 1) {
        _exit(0); /* the parent is gone */
    }
}

enum oto_child_wish oto_child_ask(const struct oto_child_call *call, int timeout_ms)
{
    struct pollfd fd = {.fd = SOCKET, .events = POLLIN};
    char byte;
    alarm(0);
    if (poll(&fd, 1, timeout_ms) > 0) {
        if (recv(SOCKET, &byte, 1, MSG_DONTWAIT) != 1) {
            return OTO_CHILD_ALONE;
        }
        alarm(1 + GRACE_MS / 1000);
        return OTO_CHILD_CLOSE;
    }
    /* Another copy of the parent may hold the other end of the socket. */
    return getppid() != call->parent ? OTO_CHILD_ALONE : OTO_CHILD_GO_ON;
}

/* ---- start ------------------------------------------------------------------------------------
 */

static oto_status map_arena(struct oto_child *child, size_t bytes, const char *name, oto_error *err)
{
    errno = injected_error();
    child->arena = errno != 0 ? MAP_FAILED
                              : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (child->arena == MAP_FAILED) {
        child->arena = NULL;
        return oto_fail(err, OTO_ERR_MEMORY, "%s: no memory to share with the audio system: %s",
                        name, strerror(errno));
    }
    child->arena_bytes = bytes;
    return OTO_OK;
}

/* Sockets, as they are made with their flags at once; pipe() is not. */
static oto_status make_sockets(int sockets[4], const char *name, oto_error *err)
{
    for (int i = 0; i < 4; i += 2) {
        const int flags = SOCK_CLOEXEC | (i == 2 ? SOCK_NONBLOCK : 0); /* noise blocks nobody */
        errno = injected_error();
        if (errno != 0 || socketpair(AF_UNIX, SOCK_STREAM | flags, 0, sockets + i) != 0) {
            return oto_fail(err, OTO_ERR_IO, "%s: no connection to the audio system: %s", name,
                            strerror(errno));
        }
    }
    return OTO_OK;
}

/* All signals wait meanwhile: the child must not run the parent's handlers. */
static oto_status make_process(struct oto_child *child, const int sockets[4], oto_child_work *work,
                               const void *arg, const char *name, oto_error *err)
{
    const pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = injected_error();
    pid_t pid = errno != 0 ? -1 : fork();
    if (pid == 0) {
        run(child, parent, sockets[1], sockets[3], work, arg);
    }
    const int why = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) {
        return oto_fail(err, OTO_ERR_IO, "%s: no process for the audio system: %s", name,
                        strerror(why));
    }
    child->pid = pid;
    return OTO_OK;
}

static void close_socket(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}

oto_status oto_child_start(struct oto_child **out, size_t arena_bytes, oto_child_work *work,
                           const void *arg, int limit_s, const char *name, oto_error *err)
{
    int sockets[4] = {-1, -1, -1, -1}; /* of parent and child: to talk, and for its noise */
    *out = NULL;
    struct oto_child *child = oto_calloc(1, sizeof *child);
    if (child == NULL) {
        return oto_fail_memory(err, "process of the audio system");
    }
    child->socket = child->noise = -1;
    child->limit_s = limit_s;
    oto_status status = map_arena(child, arena_bytes, name, err);
    if (status == OTO_OK) {
        status = make_sockets(sockets, name, err);
    }
    if (status == OTO_OK) {
        status = make_process(child, sockets, work, arg, name, err);
    }
    child->socket = sockets[0];
    child->noise = sockets[2];
    close_socket(&sockets[1]);
    close_socket(&sockets[3]);
    if (status != OTO_OK) {
        oto_child_close(child);
        return status;
    }
    *out = child;
    return OTO_OK;
}

void *oto_child_arena(const struct oto_child *child)
{
    return child->arena;
}

/* ---- while it runs ----------------------------------------------------------------------------
 */

double oto_child_waited_s(double *last_s)
{
    const double now_s = oto_clock_wall_s();
    const double waited_s = *last_s < 0 ? 0 : now_s - *last_s;
    *last_s = now_s;
    return waited_s < MAX_WAITED_S ? waited_s : MAX_WAITED_S;
}

static void log_line(struct oto_child *child)
{
    child->line[child->n_line] = '\0';
    if (child->n_line > 0) {
        oto_log(OTO_LOG_DEBUG, "audio system: %s", child->line);
    }
    child->n_line = 0;
}

static void log_noise(struct oto_child *child)
{
    char text[4096];
    ssize_t n;
    while (child->noise >= 0 && (n = recv(child->noise, text, sizeof text, MSG_DONTWAIT)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] == '\n' || child->n_line == sizeof child->line - 1) {
                log_line(child);
            }
            if (text[i] != '\n') {
                child->line[child->n_line++] = text[i];
            }
        }
    }
}

/* Whoever owns the program may ignore SIGCHLD or wait for any child: then nobody knows how it ended
 * (ECHILD), but ended it has. */
static bool has_ended(struct oto_child *child)
{
    int how = 0;
    pid_t pid = 0;
    if (child->pid != 0) {
        do {
            pid = waitpid(child->pid, &how, WNOHANG);
        } while (pid < 0 && errno == EINTR);
        if (pid == 0) {
            return false;
        }
        child->pid = 0;
        if (pid > 0 && WIFSIGNALED(how)) {
            snprintf(child->end, sizeof child->end, "was ended by signal %d", WTERMSIG(how));
        } else if (pid > 0 && WEXITSTATUS(how) != 0) {
            snprintf(child->end, sizeof child->end, "ended with code %d", WEXITSTATUS(how));
        }
        log_noise(child);
        log_line(child);
    }
    return true;
}

bool oto_child_is_running(struct oto_child *child)
{
    log_noise(child);
    return !has_ended(child);
}

const char *oto_child_end(const struct oto_child *child)
{
    return child->end;
}

oto_status oto_child_wait(struct oto_child *child, int (*stop)(void *stop_arg), void *stop_arg,
                          const char *name, oto_error *err)
{
    struct pollfd fd = {.fd = child->socket, .events = POLLIN};
    double last_s = -1, total_s = 0;
    while (total_s < child->limit_s) {
        char byte;
        if (stop != NULL && stop(stop_arg) != 0) {
            oto_child_kill(child);
            return oto_fail(err, OTO_ERR_INTERRUPTED, "%s: was stopped", name);
        }
        if (poll(&fd, 1, LOOK_MS) > 0) {
            if (recv(child->socket, &byte, 1, MSG_DONTWAIT) == 1) {
                log_noise(child);
                return OTO_OK;
            }
            oto_child_kill(child); /* it has ended; or its library has closed what is not its own */
            return oto_fail(err, OTO_ERR_DEVICE, "%s: the audio system %s", name,
                            child->end[0] != '\0' ? child->end : "ended without an answer");
        }
        log_noise(child);
        total_s += oto_child_waited_s(&last_s);
    }
    oto_child_kill(child);
    return oto_fail(err, OTO_ERR_DEVICE, "%s: the audio system has not answered for %d s", name,
                    child->limit_s);
}

/* ---- end --------------------------------------------------------------------------------------
 */

static bool wait_end(struct oto_child *child, int limit_ms)
{
    const struct timespec pause = {0, 1000000};
    const double start_s = oto_clock_wall_s();
    while (!has_ended(child) && oto_clock_wall_s() - start_s < 1e-3 * limit_ms) {
        log_noise(child);
        nanosleep(&pause, NULL);
    }
    return has_ended(child);
}

void oto_child_kill(struct oto_child *child)
{
    if (!has_ended(child)) { /* so the number is still its own */
        kill(child->pid, SIGKILL);
        (void)wait_end(child, KILLED_MS);
    }
}

void oto_child_close(struct oto_child *child)
{
    if (child == NULL) {
        return;
    }
    if (!has_ended(child) && (send(child->socket, "c", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ||
                              !wait_end(child, GRACE_MS))) {
        oto_child_kill(child);
    }
    close_socket(&child->socket);
    close_socket(&child->noise);
    if (child->arena != NULL) {
        munmap(child->arena, child->arena_bytes);
    }
    oto_free(child);
}
