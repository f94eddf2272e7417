/* SPDX-License-Identifier: BSD-2-Clause */
/** The container of a model file (FORMAT.md): header, section table, padded sections. Private to
 * models/bundle*.c. */
#ifndef OTO_MODELS_BUNDLE_FORMAT_H
#define OTO_MODELS_BUNDLE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "models/bundle.h"

#define OTO_BUNDLE_MAGIC "\x89OTO\r\n\x1a\n"
#define OTO_BUNDLE_MAJOR 1
#define OTO_BUNDLE_MINOR 0
#define OTO_BUNDLE_HEADER 64
#define OTO_BUNDLE_ENTRY 40
#define OTO_BUNDLE_MAX_SECTIONS 32
#define OTO_BUNDLE_TENSOR_ENTRY 72

/** A reader that does not know the section may go on without it. */
#define OTO_SECTION_OPTIONAL 1u

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
    struct oto_section sections[OTO_BUNDLE_MAX_SECTIONS];
};

/**
 * Verifies magic, version, size, table and every byte of every section and of the padding between
 * them. Allocates nothing. Errors: OTO_ERR_FORMAT, OTO_ERR_VERSION, OTO_ERR_CHECKSUM, with file,
 * section and offset.
 */
oto_status oto_container_open(struct oto_container *c, const void *data, size_t size,
                              const char *name, oto_error *err) OTO_WARN_UNUSED;
/** The section, or NULL with *err filled: OTO_ERR_FORMAT "no section". */
const struct oto_section *oto_container_find(const struct oto_container *c, const char *name,
                                             oto_error *err);

/** Appends the sections' payloads to a file image. Header and table are written by
 * oto_container_finish(). */
struct oto_container_writer {
    struct oto_writer out;
    int n_sections;
    struct oto_section sections[OTO_BUNDLE_MAX_SECTIONS];
};
/** n_sections calls of oto_container_section() follow; space for header and table is left at the
 * start. */
void oto_container_begin(struct oto_container_writer *w, int n_sections);
void oto_container_section(struct oto_container_writer *w, const char *name, uint32_t flags,
                           const void *payload, size_t size);
/** The image is then w->out.data[0 .. w->out.size); w->out.failed tells of a failed allocation. */
void oto_container_finish(struct oto_container_writer *w);

/* ---- payloads: text sections are JSON (bundle_json.c), numbers are binary (bundle_numbers.c)
 * ------------------- */

/** @param text receives the JSON text (oto_free), *size without a terminator. */
oto_status oto_bundle_write_frontend(const struct oto_bundle *b, char **text, size_t *size,
                                     oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_network(const struct oto_bundle *b, char **text, size_t *size,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_alphabet(const struct oto_bundle *b, char **text, size_t *size,
                                     oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_decoder(const struct oto_bundle *b, char **text, size_t *size,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_card(const struct oto_bundle *b, char **text, size_t *size,
                                 oto_error *err) OTO_WARN_UNUSED;

oto_status oto_bundle_read_frontend(struct oto_bundle *b, const struct oto_container *c,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_network(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_alphabet(struct oto_bundle *b, const struct oto_container *c,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_decoder(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_card(struct oto_bundle *b, const struct oto_container *c,
                                oto_error *err) OTO_WARN_UNUSED;

void oto_bundle_write_cmvn(const struct oto_bundle *b, struct oto_writer *w);
void oto_bundle_write_tensors(const struct oto_bundle *b, struct oto_writer *w);
/** OTO_ERR_DATA with the tensor's name for a weight that is not finite, or not in the range of half
 * precision. */
oto_status oto_bundle_write_weights(const struct oto_bundle *b, struct oto_writer *w,
                                    oto_error *err) OTO_WARN_UNUSED;

oto_status oto_bundle_read_cmvn(struct oto_bundle *b, const struct oto_container *c,
                                oto_error *err) OTO_WARN_UNUSED;
/** Index and data: shape must be known. Points into the file where that is aligned float32, else
 * converts. */
oto_status oto_bundle_read_weights(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;

#endif
