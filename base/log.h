/* SPDX-License-Identifier: BSD-2-Clause */
/** Warnings and notes from inside the library go to one callback; without one they go nowhere. The
 * library never prints. */
#ifndef OTO_BASE_LOG_H
#define OTO_BASE_LOG_H

#include "otolith/otolith.h"

/** printf-style; lines longer than 1023 bytes are cut. Thread-safe. */
void oto_log(oto_log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
