/* SPDX-License-Identifier: BSD-2-Clause */
/** Private to models/lstm_lm*.c. */
#ifndef OTO_MODELS_LSTM_LM_FORMAT_H
#define OTO_MODELS_LSTM_LM_FORMAT_H

#include "base/container.h"
#include "models/lstm_lm.h"

extern const struct oto_container_kind oto_lstm_lm_kind;

/** Makes the network of a model whose other parts are there. */
oto_status oto_lstm_lm_complete(struct oto_lstm_lm *lm, oto_error *err) OTO_WARN_UNUSED;

#endif
