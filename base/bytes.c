/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/mem.h"

void oto_reader_init(struct oto_reader *r, const void *data, size_t size)
{
    r->data = data;
    r->size = size;
    r->offset = 0;
    r->failed = false;
}

const void *oto_read_bytes(struct oto_reader *r, size_t n)
{
    if (r->failed || n > r->size - r->offset) {
        r->failed = true;
        return NULL;
    }
    const unsigned char *p = r->data + r->offset;
    r->offset += n;
    return p;
}

/* Little-endian number of n <= 8 bytes; 0 past the end. */
static uint64_t read_number(struct oto_reader *r, size_t n)
{
    const unsigned char *p = oto_read_bytes(r, n);
    uint64_t v = 0;
    for (size_t i = n; p && i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

uint8_t oto_read_u8(struct oto_reader *r)
{
    return (uint8_t)read_number(r, 1);
}

uint16_t oto_read_u16(struct oto_reader *r)
{
    return (uint16_t)read_number(r, 2);
}

uint32_t oto_read_u32(struct oto_reader *r)
{
    return (uint32_t)read_number(r, 4);
}

uint64_t oto_read_u64(struct oto_reader *r)
{
    return read_number(r, 8);
}

float oto_read_f32(struct oto_reader *r)
{
    uint32_t bits = oto_read_u32(r);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

double oto_read_f64(struct oto_reader *r)
{
    uint64_t bits = oto_read_u64(r);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Room for n more bytes, which are zero; NULL and failed when there is none. */
static unsigned char *extend(struct oto_writer *w, size_t n)
{
    if (w->failed) {
        return NULL;
    }
    if (n > w->capacity - w->size) {
        size_t wanted = w->size + n;
        if (wanted < n || wanted > SIZE_MAX / 2) {
            w->failed = true;
            return NULL;
        }
        size_t capacity = w->capacity < 128 ? 128 : w->capacity * 2;
        if (capacity < wanted) {
            capacity = wanted;
        }
        unsigned char *data = oto_realloc(w->data, w->size, capacity, 1);
        if (!data) {
            w->failed = true;
            return NULL;
        }
        w->data = data;
        w->capacity = capacity;
    }
    unsigned char *p = w->data + w->size;
    w->size += n;
    return p;
}

static void write_number(struct oto_writer *w, uint64_t v, size_t n)
{
    unsigned char *p = extend(w, n);
    for (size_t i = 0; p && i < n; i++) {
        p[i] = (unsigned char)(v >> (8 * i));
    }
}

void oto_write_u8(struct oto_writer *w, uint8_t v)
{
    write_number(w, v, 1);
}

void oto_write_u16(struct oto_writer *w, uint16_t v)
{
    write_number(w, v, 2);
}

void oto_write_u32(struct oto_writer *w, uint32_t v)
{
    write_number(w, v, 4);
}

void oto_write_u64(struct oto_writer *w, uint64_t v)
{
    write_number(w, v, 8);
}

void oto_write_f32(struct oto_writer *w, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    oto_write_u32(w, bits);
}

void oto_write_f64(struct oto_writer *w, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    oto_write_u64(w, bits);
}

void oto_write_bytes(struct oto_writer *w, const void *data, size_t n)
{
    unsigned char *p = extend(w, n);
    if (p && n > 0) {
        memcpy(p, data, n);
    }
}

void oto_write_align(struct oto_writer *w, size_t alignment)
{
    size_t n = (alignment - (w->size & (alignment - 1))) & (alignment - 1);
    extend(w, n);
}

void oto_writer_clear(struct oto_writer *w)
{
    oto_free(w->data);
    *w = (struct oto_writer){0};
}

uint64_t oto_checksum(const void *data, size_t n)
{
    return XXH3_64bits(data, n);
}

/* No branch, so that a loop over many becomes vector code. A subnormal half is a whole number of
 * 2^-24, which the conversion from integer gives without a subnormal float in between. */
static inline float widen(uint16_t h)
{
    const uint32_t exponent = h & 0x7C00u, magnitude = (uint32_t)(h & 0x7FFFu) << 13;
    const float subnormal = (float)(int32_t)(h & 0x3FFu) * 0x1p-24f;
    const uint32_t is_small = 0u - (exponent == 0), is_special = 0u - (exponent == 0x7C00u);
    uint32_t bits, small;
    float f;
    memcpy(&small, &subnormal, sizeof small);
    /* exponents 15 to 127, and 31 to 255: infinity, or NaN with its payload */
    bits = magnitude + (112u << 23) + (is_special & 112u << 23);
    bits = (bits & ~is_small) | (small & is_small) | (uint32_t)(h & 0x8000u) << 16;
    memcpy(&f, &bits, sizeof f);
    return f;
}

float oto_half_to_float(uint16_t h)
{
    return widen(h);
}

void oto_read_halves(struct oto_reader *r, float *out, size_t n)
{
    const unsigned char *p = n <= SIZE_MAX / 2 ? oto_read_bytes(r, 2 * n) : NULL;
    if (p == NULL) {
        r->failed = true;
        memset(out, 0, n * sizeof *out);
        return;
    }
    const uint16_t one = 1;
    const bool low_first = *(const unsigned char *)&one == 1; /* as the data is */
    for (size_t i = 0; i < n; i++) {
        uint16_t h;
        memcpy(&h, p + 2 * i, sizeof h);
        out[i] = widen((uint16_t)(low_first ? h : h << 8 | h >> 8));
    }
}

/* v / 2^shift, rounded to nearest, ties to even. */
static uint32_t shift_rounded(uint32_t v, uint32_t shift)
{
    uint32_t kept = v >> shift;
    uint32_t rest = v & ((1u << shift) - 1);
    uint32_t half = 1u << (shift - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t oto_float_to_half(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t exponent = bits >> 23 & 0xFFu;
    uint32_t mantissa = bits & 0x7FFFFFu;
    uint32_t h;
    if (exponent == 255) {
        uint32_t payload = mantissa >> 13;
        h = 0x7C00u | (mantissa ? (payload ? payload : 1) : 0);
    } else if (exponent >=
               113) { /* normal; a carry out of the mantissa raises the exponent, rightly */
        h = exponent > 142 ? 0x7C00u : shift_rounded((exponent - 112) << 23 | mantissa, 13);
    } else if (exponent >= 102) { /* subnormal: units of 2^-24 */
        h = shift_rounded(mantissa | 0x800000u, 126 - exponent);
    } else { /* below 2^-25, and exactly 2^-25 is in the branch above, where the tie goes to even
                zero */
        h = 0;
    }
    return (uint16_t)(sign | h);
}

oto_status oto_map_open(struct oto_map *map, const char *path, oto_error *err)
{
    oto_status status = OTO_OK;
    struct stat info;
    *map = (struct oto_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO without writer would block */
    if (fd < 0) {
        return oto_fail_errno(err, path, "cannot open");
    }
    if (fstat(fd, &info) != 0) {
        status = oto_fail_errno(err, path, "cannot stat");
        goto out;
    }
    if (!S_ISREG(info.st_mode)) {
        status = oto_fail(err, OTO_ERR_FORMAT, "%s: %s, expected a regular file", path,
                          S_ISDIR(info.st_mode) ? "is a folder" : "is a special file");
        goto out;
    }
    if (info.st_size == 0) { /* cannot be mapped, but is a valid empty file */
        map->data = (const unsigned char *)"";
        goto out;
    }
    void *p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED) {
        status = oto_fail_errno(err, path, "cannot map");
        goto out;
    }
    map->data = p;
    map->size = (size_t)info.st_size;
out:
    close(fd);
    return status;
}

void oto_map_close(struct oto_map *map)
{
    if (map->size > 0) {
        munmap((void *)(uintptr_t)map->data, map->size);
    }
    *map = (struct oto_map){0};
}
