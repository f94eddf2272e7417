/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/container.h"

#include <stdio.h>
#include <string.h>

const struct oto_container_kind oto_bundle_kind = {"\x89OTO\r\n\x1a\n", 1, 5, "model"};

/* Keeps the end of a long path, so that a message has room for section, offset and values. */
static void set_name(struct oto_container *c, const char *name)
{
    size_t n = strlen(name);
    size_t room = sizeof c->name - 1;
    if (n <= room) {
        memcpy(c->name, name, n + 1);
        return;
    }
    const char *tail = name + (n - (room - 3));
    while (((unsigned char)*tail & 0xC0u) == 0x80u) /* not inside a character */
        tail++;
    memcpy(c->name, "...", 3);
    memcpy(c->name + 3, tail, strlen(tail) + 1);
}

static bool is_zero(const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] != 0)
            return false;
    }
    return true;
}

static size_t align_up(size_t n)
{
    return (n + 63u) & ~(size_t)63;
}

/* Where the first section stands: header, table and its checksum, padded. */
static size_t first_offset(int n_sections)
{
    return align_up(OTO_CONTAINER_HEADER + (size_t)n_sections * OTO_CONTAINER_ENTRY + 8);
}

static oto_status check_magic(const struct oto_container *c, const struct oto_container_kind *kind,
                              oto_error *err)
{
    if (c->size == 0)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: empty file, expected a %s file", c->name,
                        kind->what);
    if (memcmp(c->data, kind->magic, c->size < 8 ? c->size : 8) == 0)
        return OTO_OK;
    char hex[3 * 8 + 1];
    for (int i = 0; i < 8; i++)
        snprintf(hex + 3 * (size_t)i, 4, " %02X", (unsigned char)kind->magic[i]);
    return oto_fail(err, OTO_ERR_FORMAT,
                    "%s: header: offset 0: not an Otolith %s file (its first bytes are not%s)",
                    c->name, kind->what, hex);
}

static oto_status check_header(struct oto_container *c, const struct oto_container_kind *kind,
                               oto_error *err)
{
    oto_status status = check_magic(c, kind, err);
    if (status != OTO_OK)
        return status;
    if (c->size < OTO_CONTAINER_HEADER)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: header: truncated: the file has %zu bytes, the header alone has %d",
                        c->name, c->size, OTO_CONTAINER_HEADER);
    struct oto_reader r;
    oto_reader_init(&r, c->data, OTO_CONTAINER_HEADER);
    (void)oto_read_bytes(&r, 8);
    int major = oto_read_u16(&r);
    int minor = oto_read_u16(&r);
    uint32_t n_sections = oto_read_u32(&r);
    uint64_t file_size = oto_read_u64(&r);
    if (major != kind->major)
        return oto_fail(err, OTO_ERR_VERSION,
                        "%s: header: offset 8: %s format %d.%d, this build reads %d.x (newer file: "
                        "update Otolith)",
                        c->name, kind->what, major, minor, kind->major);
    if (file_size != c->size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: header: offset 16: file size %llu expected, found %zu bytes%s",
                        c->name, (unsigned long long)file_size, c->size,
                        c->size < file_size ? ": truncated, copy it again" : "");
    if (n_sections < 1 || n_sections > OTO_CONTAINER_MAX_SECTIONS)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: header: offset 12: %u sections, expected 1 to %d",
                        c->name, n_sections, OTO_CONTAINER_MAX_SECTIONS);
    c->n_sections = (int)n_sections;
    if (first_offset(c->n_sections) > c->size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section table: offset %d: %u entries end at %zu, the file at %zu",
                        c->name, OTO_CONTAINER_HEADER, n_sections, first_offset(c->n_sections),
                        c->size);
    return OTO_OK;
}

/* Header and table are checked by their own checksum before an entry is believed. */
static oto_status check_table_sum(const struct oto_container *c, oto_error *err)
{
    size_t n = OTO_CONTAINER_HEADER + (size_t)c->n_sections * OTO_CONTAINER_ENTRY;
    struct oto_reader r;
    oto_reader_init(&r, c->data + n, 8);
    uint64_t stored = oto_read_u64(&r);
    uint64_t actual = oto_checksum(c->data, n);
    if (stored != actual)
        return oto_fail(err, OTO_ERR_CHECKSUM,
                        "%s: header and section table: offset %zu: checksum %016llx expected, "
                        "found %016llx: the file is damaged",
                        c->name, n, (unsigned long long)stored, (unsigned long long)actual);
    if (!is_zero(c->data + 24, OTO_CONTAINER_HEADER - 24))
        return oto_fail(err, OTO_ERR_FORMAT, "%s: header: offset 24: reserved bytes are not zero",
                        c->name);
    return OTO_OK;
}

static oto_status read_name(const struct oto_container *c, int k, struct oto_section *s,
                            const unsigned char *raw, oto_error *err)
{
    size_t n = 0;
    while (n < 8 && raw[n] > 0x20 && raw[n] < 0x7F)
        n++;
    if (n == 0 || !is_zero(raw + n, 8 - n))
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section table: offset %d: the name of entry %d is not 1 to 8 printable"
                        " characters",
                        c->name, OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY, k);
    memcpy(s->name, raw, 8);
    s->name[8] = 0;
    for (int i = 0; i < k; i++) {
        if (strcmp(c->sections[i].name, s->name) == 0)
            return oto_fail(err, OTO_ERR_FORMAT,
                            "%s: section table: offset %d: section '%s' is there twice", c->name,
                            OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY, s->name);
    }
    return OTO_OK;
}

static oto_status read_entry(struct oto_container *c, int k, size_t expected_offset,
                             struct oto_reader *r, oto_error *err)
{
    struct oto_section *s = &c->sections[k];
    int at = OTO_CONTAINER_HEADER + k * OTO_CONTAINER_ENTRY;
    const unsigned char *raw = oto_read_bytes(r, 8);
    oto_status status = read_name(c, k, s, raw, err);
    if (status != OTO_OK)
        return status;
    s->flags = oto_read_u32(r);
    uint32_t reserved = oto_read_u32(r);
    uint64_t offset = oto_read_u64(r);
    uint64_t size = oto_read_u64(r);
    s->checksum = oto_read_u64(r);
    if ((s->flags & ~OTO_SECTION_OPTIONAL) != 0 || reserved != 0)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section '%s': table offset %d: unknown flags %08x %08x", c->name,
                        s->name, at + 8, s->flags, reserved);
    if (offset != expected_offset)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section '%s': table offset %d: starts at %llu, expected %zu", c->name,
                        s->name, at + 16, (unsigned long long)offset, expected_offset);
    if (expected_offset > c->size || size > c->size - expected_offset)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: section '%s': table offset %d: %llu bytes from offset %zu end behind "
                        "the file's end %zu",
                        c->name, s->name, at + 24, (unsigned long long)size, expected_offset,
                        c->size);
    s->offset = expected_offset;
    s->size = (size_t)size;
    return OTO_OK;
}

static oto_status check_padding(const struct oto_container *c, const char *after, size_t from,
                                size_t to, oto_error *err)
{
    if (to > c->size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: %s: offset %zu: padding up to %zu expected, the file ends at %zu",
                        c->name, after, from, to, c->size);
    if (!is_zero(c->data + from, to - from))
        return oto_fail(err, OTO_ERR_CHECKSUM,
                        "%s: %s: offset %zu: padding is not zero: the file is damaged", c->name,
                        after, from);
    return OTO_OK;
}

static oto_status check_section_sums(const struct oto_container *c, oto_error *err)
{
    for (int k = 0; k < c->n_sections; k++) {
        const struct oto_section *s = &c->sections[k];
        uint64_t actual = oto_checksum(c->data + s->offset, s->size);
        if (actual != s->checksum)
            return oto_fail(err, OTO_ERR_CHECKSUM,
                            "%s: section '%s': offset %zu: checksum %016llx expected, found %016llx"
                            ": the file is damaged",
                            c->name, s->name, s->offset, (unsigned long long)s->checksum,
                            (unsigned long long)actual);
    }
    return OTO_OK;
}

oto_status oto_container_open(struct oto_container *c, const struct oto_container_kind *kind,
                              const void *data, size_t size, const char *name, oto_error *err)
{
    memset(c, 0, sizeof *c);
    set_name(c, name);
    c->data = data;
    c->size = size;
    oto_status status = check_header(c, kind, err);
    if (status != OTO_OK)
        return status;
    status = check_table_sum(c, err);
    if (status != OTO_OK)
        return status;
    size_t table_end = OTO_CONTAINER_HEADER + (size_t)c->n_sections * OTO_CONTAINER_ENTRY + 8;
    size_t offset = first_offset(c->n_sections);
    status = check_padding(c, "section table", table_end, offset, err);
    if (status != OTO_OK)
        return status;
    struct oto_reader r;
    oto_reader_init(&r, c->data, size);
    (void)oto_read_bytes(&r, OTO_CONTAINER_HEADER);
    for (int k = 0; k < c->n_sections; k++) {
        status = read_entry(c, k, offset, &r, err);
        if (status != OTO_OK)
            return status;
        struct oto_section *s = &c->sections[k];
        char after[32];
        snprintf(after, sizeof after, "section '%s'", s->name);
        offset = align_up(s->offset + s->size);
        status = check_padding(c, after, s->offset + s->size, offset, err);
        if (status != OTO_OK)
            return status;
    }
    if (offset != size)
        return oto_fail(err, OTO_ERR_FORMAT,
                        "%s: offset %zu: %zu bytes after the last section, expected none", c->name,
                        offset, size - offset);
    return check_section_sums(c, err);
}

const struct oto_section *oto_container_find(const struct oto_container *c, const char *name,
                                             oto_error *err)
{
    for (int k = 0; k < c->n_sections; k++) {
        if (strcmp(c->sections[k].name, name) == 0)
            return &c->sections[k];
    }
    (void)oto_fail(err, OTO_ERR_FORMAT, "%s: section table: no section '%s'", c->name, name);
    return NULL;
}

oto_status oto_container_enter(const void **data, size_t *size,
                               const struct oto_container_kind *part, const char *section,
                               const char *name, oto_error *err)
{
    struct oto_container c;
    if (*size < 8 || memcmp(*data, oto_bundle_kind.magic, 8) != 0)
        return OTO_OK;
    oto_status status = oto_container_open(&c, &oto_bundle_kind, *data, *size, name, err);
    if (status != OTO_OK)
        return status;
    const struct oto_section *s = oto_container_find(&c, section, NULL);
    if (s == NULL)
        return oto_fail(err, OTO_ERR_FORMAT, "%s: a model that holds no %s (section '%s')", c.name,
                        part->what, section);
    *data = c.data + s->offset;
    *size = s->size;
    return OTO_OK;
}

void oto_container_begin(struct oto_container_writer *w, int n_sections)
{
    memset(w, 0, sizeof *w);
    size_t n = first_offset(n_sections);
    for (size_t i = 0; i < n; i += 8)
        oto_write_u64(&w->out, 0);
}

void oto_container_section(struct oto_container_writer *w, const char *name, uint32_t flags,
                           const void *payload, size_t size)
{
    struct oto_section *s = &w->sections[w->n_sections++];
    memset(s, 0, sizeof *s);
    strncpy(s->name, name, 8);
    s->flags = flags;
    s->offset = w->out.size;
    s->size = size;
    s->checksum = oto_checksum(payload, size);
    oto_write_bytes(&w->out, payload, size);
    oto_write_align(&w->out, 64);
}

void oto_container_finish(struct oto_container_writer *w, const struct oto_container_kind *kind)
{
    if (w->out.failed)
        return;
    struct oto_writer head = {0};
    oto_write_bytes(&head, kind->magic, 8);
    oto_write_u16(&head, (uint16_t)kind->major);
    oto_write_u16(&head, (uint16_t)kind->minor);
    oto_write_u32(&head, (uint32_t)w->n_sections);
    oto_write_u64(&head, w->out.size);
    oto_write_align(&head, OTO_CONTAINER_HEADER);
    for (int k = 0; k < w->n_sections; k++) {
        const struct oto_section *s = &w->sections[k];
        oto_write_bytes(&head, s->name, 8);
        oto_write_u32(&head, s->flags);
        oto_write_u32(&head, 0);
        oto_write_u64(&head, s->offset);
        oto_write_u64(&head, s->size);
        oto_write_u64(&head, s->checksum);
    }
    if (!head.failed)
        oto_write_u64(&head, oto_checksum(head.data, head.size));
    if (head.failed)
        w->out.failed = true;
    else
        memcpy(w->out.data, head.data, head.size);
    oto_writer_clear(&head);
}
