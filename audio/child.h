/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Work in a process of its own, for a library that may crash, hang for ever or leave a thread
 * behind that nobody can stop: whatever it does, the child can be ended and the program goes on.
 *
 * The child is a copy made by fork() without exec(): the library that needs it has no file of its
 * own to start. That is sound in a program with threads as long as the child uses nothing whose
 * lock another thread may have held at that moment. The C library sees to malloc, stdio and the
 * loader; of what the work calls, the parent must never have called anything; oto_log() is the
 * parent's alone. Parent and child meet in an arena of shared memory. What the child prints goes to
 * the parent's log, at debug level. It leaves no core file, heeds no Ctrl-C, holds no file of the
 * parent open, runs nothing at exit, and ends when the parent has ended, however that did.
 *
 * One thread at a time.
 */
#ifndef OTO_AUDIO_CHILD_H
#define OTO_AUDIO_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

struct oto_child;

/* ---- the parent's side ------------------------------------------------------------------------
 */

struct oto_child_call; /* the child's side */
typedef void oto_child_work(const struct oto_child_call *call, const void *arg);

/**
 * Starts a child that does the work and ends.
 *
 * @param arena_bytes  of zeroed memory that both see; only what is touched is taken
 * @param arg          the child sees it as it is now
 * @param limit_s      seconds in which the child must have told (oto_child_tell()), >= 1; it is
 *                     ended soon after, whether the parent is still there or not
 * @param name         for messages
 * OTO_ERR_MEMORY, OTO_ERR_IO.
 */
oto_status oto_child_start(struct oto_child **out, size_t arena_bytes, oto_child_work *work,
                           const void *arg, int limit_s, const char *name,
                           oto_error *err) OTO_WARN_UNUSED;
void *oto_child_arena(const struct oto_child *child);
/**
 * Waits until the child has told. OTO_ERR_DEVICE: it has ended before or told nothing in time;
 * OTO_ERR_INTERRUPTED: stop (NULL: never) gave nonzero. In both cases there is no child any more.
 */
oto_status oto_child_wait(struct oto_child *child, int (*stop)(void *stop_arg), void *stop_arg,
                          const char *name, oto_error *err) OTO_WARN_UNUSED;
/** Asked first, it also says that the arena is complete. Passes on what the child has printed. */
bool oto_child_is_running(struct oto_child *child);
/** Of a child that no longer runs: "" when it came to its end, else "was ended by signal 11". */
const char *oto_child_end(const struct oto_child *child);
/** Ends it at once. */
void oto_child_kill(struct oto_child *child);
/** Tells a child that still runs to end, and ends it when it does not soon. The arena is gone then.
 * NULL is a no-op. */
void oto_child_close(struct oto_child *child);

/**
 * Waiting that is not counted while the whole program stood still (Ctrl-Z, a debugger, a machine
 * that sleeps): seconds since the last call, 0.1 at most. *last_s < 0 starts.
 */
double oto_child_waited_s(double *last_s);

/** Tests only, as oto_mem_fail_nth(): the nth system call that start makes from now on fails. */
size_t oto_child_fail_nth(size_t nth);

/* ---- the child's side -------------------------------------------------------------------------
 */

enum oto_child_wish { OTO_CHILD_GO_ON, OTO_CHILD_CLOSE, OTO_CHILD_ALONE };

void *oto_child_call_arena(const struct oto_child_call *call);
/** What stands in the arena can be read. Once; then the child asks or ends within 5 s. */
void oto_child_tell(const struct oto_child_call *call);
/**
 * Waits so long for the parent's wish. CLOSE: end in good order, but soon: the child is ended when
 * it takes longer than half a second. ALONE: the parent is gone, end at once.
 */
enum oto_child_wish oto_child_ask(const struct oto_child_call *call, int timeout_ms);

#endif
