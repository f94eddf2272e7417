/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples to text in one call. */
#include "base/mem.h"
#include "base/status.h"
#include "otolith/otolith.h"

oto_status oto_transcribe(char **text, const oto_model *model, const float *samples,
                          size_t n_samples, oto_error *err)
{
    if (text == NULL)
        return oto_fail(err, OTO_ERR_ARGUMENT, "oto_transcribe: text is NULL");
    *text = NULL;
    oto_recognizer *rec = NULL;
    const oto_result *result = NULL;
    oto_status status = oto_recognizer_create(&rec, model, NULL, err);
    if (status == OTO_OK)
        status = oto_recognizer_feed(rec, samples, n_samples, err);
    if (status == OTO_OK)
        status = oto_recognizer_finish(rec, &result, err);
    if (status == OTO_OK) {
        *text = oto_strdup(result->text);
        if (*text == NULL)
            status = oto_fail_memory(err, "text");
    }
    oto_recognizer_destroy(rec);
    return status;
}

void oto_text_free(char *text)
{
    oto_free(text);
}
