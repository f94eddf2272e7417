/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * A file that is there wholly or not at all: written to a temporary beside it, fsync, rename over
 * it, fsync of the folder. The former file stays until the rename, whatever happens (disk full,
 * kill -9, power loss).
 */
#ifndef OTO_BASE_ATOMIC_FILE_H
#define OTO_BASE_ATOMIC_FILE_H

#include <stddef.h>

#include "base/status.h"

struct oto_atomic_file;

/** Opens PATH.tmp-PID-N for writing; PATH itself is not touched. */
oto_status oto_atomic_open(struct oto_atomic_file **out, const char *path,
                           oto_error *err) OTO_WARN_UNUSED;
oto_status oto_atomic_write(struct oto_atomic_file *f, const void *data, size_t n,
                            oto_error *err) OTO_WARN_UNUSED;
/** Syncs, renames, syncs the folder, and releases f in every case. On failure the temporary is
 * removed, PATH is as before. */
oto_status oto_atomic_commit(struct oto_atomic_file *f, oto_error *err) OTO_WARN_UNUSED;
/** Gives up: removes the temporary, releases f. NULL is a no-op. */
void oto_atomic_abort(struct oto_atomic_file *f);
/** Open, write, commit. */
oto_status oto_atomic_save(const char *path, const void *data, size_t n,
                           oto_error *err) OTO_WARN_UNUSED;

#endif
