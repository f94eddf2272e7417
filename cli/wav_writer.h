/* SPDX-License-Identifier: BSD-2-Clause */
/** A WAV file that grows: 16 bit, one channel. Its header is true after every write, so that the
 * file can be read whatever ends the program. */
#ifndef OTO_CLI_WAV_WRITER_H
#define OTO_CLI_WAV_WRITER_H

#include <stddef.h>

#include "base/status.h"

struct oto_wav_writer;

/** A file of that name is replaced. OTO_ERR_IO, OTO_ERR_MEMORY. */
oto_status oto_wav_writer_open(struct oto_wav_writer **out, const char *path, int rate_hz,
                               oto_error *err) OTO_WARN_UNUSED;
/** Samples beyond full scale are cut. After 4 GiB, which is as much as the header can tell,
 * OTO_ERR_UNSUPPORTED. */
oto_status oto_wav_writer_write(struct oto_wav_writer *w, const float *samples, size_t n,
                                oto_error *err) OTO_WARN_UNUSED;
/** Releases w in every case; NULL is a no-op. */
oto_status oto_wav_writer_close(struct oto_wav_writer *w, oto_error *err) OTO_WARN_UNUSED;

#endif
