/* SPDX-License-Identifier: BSD-2-Clause */
/* LSTM language models. Checksums would stop every change at the door, so that each input is tried
 * once as it is and once signed anew; what opens is asked. */
#include "fuzz.h"
#include "fuzz_container.h"

#include <math.h>

#include "models/lstm_lm.h"

static void ask(const struct oto_lstm_lm *lm)
{
    struct oto_lstm_scorer *scorer = NULL;
    int words[5];
    double log_probs[6];
    double *const to[] = {log_probs};
    for (int i = 0; i < 5; i++)
        words[i] = 1 + i % (lm->shape.n_words - 1);
    const struct oto_word_sentence sentence = {words, 5};
    if (oto_lstm_scorer_create(&scorer, lm, NULL) != OTO_OK ||
        oto_lstm_scorer_run(scorer, to, &sentence, 1, NULL) != OTO_OK)
        abort();
    for (int i = 0; i < 6; i++) /* huge weights may give -inf, or NaN of two infinities */
        if (log_probs[i] > 1e-3)
            abort();
    oto_lstm_scorer_destroy(scorer);
}

static void parse(const uint8_t *data, size_t size)
{
    struct oto_lstm_lm *lm = NULL;
    oto_error err = {OTO_OK, ""};
    const oto_status status = oto_lstm_lm_parse(&lm, data, size, "fuzz", &err);
    if ((status == OTO_OK) != (lm != NULL) || (status != OTO_OK && err.message[0] == 0))
        abort();
    if (lm != NULL)
        ask(lm);
    oto_lstm_lm_destroy(lm);
}

static void fuzz_one(uint8_t *data, size_t size)
{
    parse(data, size);
    fuzz_sign(data, size);
    parse(data, size);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "lstm_lm", 1000);
}
#endif
