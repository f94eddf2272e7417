/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Status codes and the error record that every Otolith library shares.
 *
 * Functions that can fail return `enum oto_status`: OTO_OK is 0, failures are negative. Functions
 * that touch files, devices or models also take an `oto_error *` as their last argument; it may be
 * NULL. It is written only on failure.
 */
#ifndef OTOLITH_STATUS_H
#define OTOLITH_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define OTO_API __attribute__((visibility("default")))
#define OTO_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define OTO_API
#define OTO_WARN_UNUSED
#endif

typedef enum oto_status {
    OTO_OK = 0,
    OTO_ERR_ARGUMENT = -1,    /* a caller's argument is outside its documented range */
    OTO_ERR_MEMORY = -2,      /* out of memory */
    OTO_ERR_NOT_FOUND = -3,   /* file, model or device does not exist */
    OTO_ERR_IO = -4,          /* read, write, sync or rename failed */
    OTO_ERR_FORMAT = -5,      /* data is not in the format it claims, or not a known format */
    OTO_ERR_VERSION = -6,     /* known format, but a version this build cannot read */
    OTO_ERR_CHECKSUM = -7,    /* a stored checksum does not match the data */
    OTO_ERR_UNSUPPORTED = -8, /* valid, but this build or machine cannot do it */
    OTO_ERR_DEVICE = -9,      /* audio device failed or vanished */
    OTO_ERR_CONFIG = -10,     /* an option or recipe is wrong */
    OTO_ERR_DATA = -11, /* input data cannot be used (no samples, NaN, unknown symbols, no path) */
    OTO_ERR_INTERRUPTED = -12 /* stopped on the caller's request */
} oto_status;

/** One failure, in words. Owned by the caller. The message names file, line, offset or field, and
 * what was expected. */
typedef struct oto_error {
    oto_status status;
    char message[256];
} oto_error;

/** Short constant English text for a status, never NULL ("unknown status" for a value not listed
 * above). */
OTO_API const char *oto_status_text(oto_status status);

#ifdef __cplusplus
}
#endif
#endif
