/* SPDX-License-Identifier: BSD-2-Clause */
/** Checks of the front end's options, and the sizes that follow from them. The table itself is
 * declared in frontend.h. */
#ifndef OTO_FEATURES_FRONTEND_OPTIONS_H
#define OTO_FEATURES_FRONTEND_OPTIONS_H

#include "features/frontend.h"

/** Every range of the table and every condition between options. OTO_ERR_CONFIG; the message names
 * option, value and range. */
oto_status oto_frontend_options_check(const struct oto_frontend_options *options,
                                      oto_error *err) OTO_WARN_UNUSED;

/** The first option from table index *at on that differs, *at then being the index after it; NULL
 * where there is no other. Start with *at = 0. */
const struct oto_option *oto_frontend_next_difference(const struct oto_frontend_options *a,
                                                      const struct oto_frontend_options *b,
                                                      size_t *at);

/* Of checked options. Milliseconds are cut to whole samples, as in Kaldi. */
int oto_frontend_window_samples(const struct oto_frontend_options *options);
int oto_frontend_shift_samples(const struct oto_frontend_options *options);
/** Least power of two that holds a window. */
int oto_frontend_fft_size(const struct oto_frontend_options *options);
/** Upper edge of the mel bank: high_hz, or Nyquist + high_hz where that is not positive. */
double oto_frontend_high_hz(const struct oto_frontend_options *options);

#endif
