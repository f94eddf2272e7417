/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/corpus.h"

static const char *const names[OTO_N_FAULTS] = {
    [OTO_FAULT_FIELDS] = "fields",
    [OTO_FAULT_ENCODING] = "encoding",
    [OTO_FAULT_NUL] = "nul-byte",
    [OTO_FAULT_ID] = "id",
    [OTO_FAULT_DUPLICATE_ID] = "duplicate-id",
    [OTO_FAULT_PATH] = "path",
    [OTO_FAULT_EMPTY_TEXT] = "empty-text",
    [OTO_FAULT_NUMBER] = "number",
    [OTO_FAULT_MISSING_AUDIO] = "missing-audio",
    [OTO_FAULT_NOT_A_FILE] = "not-a-file",
    [OTO_FAULT_FILE_SIZE] = "file-size",
    [OTO_FAULT_QUOTES] = "quotes",
    [OTO_FAULT_JSON] = "json",
    [OTO_FAULT_KEY] = "missing-key",
    [OTO_FAULT_TYPE] = "wrong-type",
    [OTO_FAULT_PIPE] = "pipe",
    [OTO_FAULT_RECORDING] = "unknown-recording",
    [OTO_FAULT_SEGMENT] = "segment",
    [OTO_FAULT_NO_TEXT] = "no-text",
    [OTO_FAULT_NO_AUDIO] = "no-audio",
    [OTO_FAULT_SPEAKER] = "speaker",
    [OTO_FAULT_ORDER] = "order",
    [OTO_FAULT_UNDECODABLE] = "undecodable",
    [OTO_FAULT_NO_SAMPLES] = "no-samples",
    [OTO_FAULT_TRUNCATED] = "truncated",
    [OTO_FAULT_NOT_FINITE] = "not-finite",
    [OTO_FAULT_DURATION] = "duration",
    [OTO_FAULT_BEYOND_END] = "beyond-end",
    [OTO_FAULT_CLIPPING] = "clipping",
    [OTO_FAULT_SILENCE] = "silence",
    [OTO_FAULT_DUPLICATE_AUDIO] = "duplicate-audio",
    [OTO_FAULT_SYMBOLS] = "symbols",
    [OTO_FAULT_NO_LABELS] = "no-labels",
    [OTO_FAULT_TOO_SHORT] = "too-short",
};

const char *oto_fault_name(enum oto_fault kind)
{
    return names[kind];
}
