/* SPDX-License-Identifier: BSD-2-Clause */
/** The container of our binary files (models/FORMAT.md): header, section table, padded and
 * checksummed sections, fit to be mapped. */
#ifndef OTO_BASE_CONTAINER_H
#define OTO_BASE_CONTAINER_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

#define OTO_CONTAINER_HEADER 64
#define OTO_CONTAINER_ENTRY 40
#define OTO_CONTAINER_MAX_SECTIONS 32

/** A reader that does not know the section may go on without it. */
#define OTO_SECTION_OPTIONAL 1u

/** One sort of file. Another major version is refused; minor is what we write. */
struct oto_container_kind {
    const char *magic; /* 8 bytes */
    int major, minor;
    const char *what; /* in messages: "model" */
};

/** Model files (models/FORMAT.md), whose sections may be whole files of other kinds. */
extern const struct oto_container_kind oto_bundle_kind;

struct oto_section {
    char name[9]; /* NUL-terminated here, NUL-padded to 8 in the file */
    uint32_t flags;
    size_t offset, size;
    uint64_t checksum;
};

struct oto_container {
    char name[100]; /* of the file, in messages; the end of it where it is long */
    const unsigned char *data;
    size_t size;
    int n_sections;
    struct oto_section sections[OTO_CONTAINER_MAX_SECTIONS];
};

/**
 * Verifies magic, version, size, table and every byte of every section and of the padding between
 * them. Allocates nothing; data is borrowed. Errors: OTO_ERR_FORMAT, OTO_ERR_VERSION,
 * OTO_ERR_CHECKSUM, with file, section and offset.
 */
oto_status oto_container_open(struct oto_container *c, const struct oto_container_kind *kind,
                              const void *data, size_t size, const char *name,
                              oto_error *err) OTO_WARN_UNUSED;
/** The section, or NULL with *err filled: OTO_ERR_FORMAT "no section". */
const struct oto_section *oto_container_find(const struct oto_container *c, const char *name,
                                             oto_error *err);

/**
 * Where *data is a model file, verifies that as oto_container_open() does and moves *data and *size
 * to a section of it, which is a file of kind `part`; all else is left as it is. Errors: those of
 * oto_container_open(), and OTO_ERR_FORMAT for a model without that section.
 */
oto_status oto_container_enter(const void **data, size_t *size,
                               const struct oto_container_kind *part, const char *section,
                               const char *name, oto_error *err) OTO_WARN_UNUSED;

/** Appends the sections' payloads to a file image. Header and table are written by
 * oto_container_finish(). */
struct oto_container_writer {
    struct oto_writer out;
    int n_sections;
    struct oto_section sections[OTO_CONTAINER_MAX_SECTIONS];
};
/** n_sections calls of oto_container_section() follow; space for header and table is left at the
 * start. */
void oto_container_begin(struct oto_container_writer *w, int n_sections);
void oto_container_section(struct oto_container_writer *w, const char *name, uint32_t flags,
                           const void *payload, size_t size);
/** The image is then w->out.data[0 .. w->out.size); w->out.failed tells of a failed allocation. */
void oto_container_finish(struct oto_container_writer *w, const struct oto_container_kind *kind);

#endif
