/* SPDX-License-Identifier: BSD-2-Clause */
/** Bounded little-endian reading and writing, and files as read-only maps. Everything untrusted is
 * read through here. */
#ifndef OTO_BASE_BYTES_H
#define OTO_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/** Reads from borrowed memory. After the first read past the end, `failed` stays set and every read
 * gives 0. */
struct oto_reader {
    const unsigned char *data;
    size_t size, offset;
    bool failed;
};

void oto_reader_init(struct oto_reader *r, const void *data, size_t size);
uint8_t oto_read_u8(struct oto_reader *r);
uint16_t oto_read_u16(struct oto_reader *r);
uint32_t oto_read_u32(struct oto_reader *r);
uint64_t oto_read_u64(struct oto_reader *r);
float oto_read_f32(struct oto_reader *r);
double oto_read_f64(struct oto_reader *r);
/** n half-precision numbers to out [n]; zeros and failed where fewer are left. */
void oto_read_halves(struct oto_reader *r, float *out, size_t n);
/** Pointer to the next n bytes inside the data, or NULL and failed. */
const void *oto_read_bytes(struct oto_reader *r, size_t n);

/** Growing buffer; after a failed allocation `failed` stays set. Zero-initialise; release with
 * oto_writer_clear(). */
struct oto_writer {
    unsigned char *data;
    size_t size, capacity;
    bool failed;
};

void oto_write_u8(struct oto_writer *w, uint8_t v);
void oto_write_u16(struct oto_writer *w, uint16_t v);
void oto_write_u32(struct oto_writer *w, uint32_t v);
void oto_write_u64(struct oto_writer *w, uint64_t v);
void oto_write_f32(struct oto_writer *w, float v);
void oto_write_f64(struct oto_writer *w, double v);
void oto_write_bytes(struct oto_writer *w, const void *data, size_t n);
/** Zeros up to the next multiple of alignment (a power of two). */
void oto_write_align(struct oto_writer *w, size_t alignment);
void oto_writer_clear(struct oto_writer *w);

/** XXH3-64 of a block, the checksum of all our formats. */
uint64_t oto_checksum(const void *data, size_t n);

/** IEEE 754 half to single and back (round to nearest even). */
float oto_half_to_float(uint16_t h);
uint16_t oto_float_to_half(float f);

/** A whole file mapped read-only (private). Directories, FIFOs and other special files are refused
 * with OTO_ERR_FORMAT. */
struct oto_map {
    const unsigned char *data;
    size_t size;
};

oto_status oto_map_open(struct oto_map *map, const char *path, oto_error *err) OTO_WARN_UNUSED;
void oto_map_close(struct oto_map *map);

#endif
