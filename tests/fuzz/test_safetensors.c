/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights from elsewhere: whatever is read without an error is also taken for a network. */
#include "fuzz.h"

#include "base/mem.h"
#include "models/safetensors.h"

static void fuzz_one(uint8_t *data, size_t size)
{
    struct oto_safetensors s;
    struct oto_network_shape shape;
    float *params = NULL;
    oto_error err = {OTO_OK, ""};
    oto_status status = oto_safetensors_parse(&s, data, size, "fuzz", &err);
    if (status == OTO_OK) {
        status = oto_safetensors_import(&shape, &params, &s, "", "fuzz", &err);
        if ((status == OTO_OK) != (params != NULL))
            abort();
    }
    if (status != OTO_OK && err.message[0] == 0)
        abort();
    oto_free(params);
    oto_safetensors_close(&s);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "safetensors", 3000);
}
#endif
