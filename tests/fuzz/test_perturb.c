/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of changes in a recipe. What is read is in its ranges, and what is not has a message. */
#include "fuzz.h"

#include <math.h>

#include "base/mem.h"
#include "features/frontend_options.h"
#include "training/perturb.h"

static void fuzz_one(uint8_t *data, size_t size)
{
    struct oto_frontend_options frontend;
    struct oto_perturb perturb;
    oto_error err = {OTO_OK, ""};
    char *text = oto_strndup((const char *)data, size);
    if (!text || oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend,
                                  NULL) != OTO_OK)
        abort();
    oto_status status = oto_perturb_parse(&perturb, text, &frontend, &err);
    if ((status != OTO_OK) != (err.message[0] != 0))
        abort();
    for (int k = 0; k < OTO_PERTURB_KINDS; k++) {
        bool needs_folder = k == OTO_PERTURB_RESPONSE || k == OTO_PERTURB_BACKGROUND;
        bool may_have_folder = needs_folder || k == OTO_PERTURB_NOISE;
        double value;
        uint64_t stream;
        if (!(perturb.kinds[k].probability >= 0 && perturb.kinds[k].probability <= 1) ||
            !(perturb.kinds[k].low <= perturb.kinds[k].high) ||
            !isfinite(perturb.kinds[k].low + perturb.kinds[k].high))
            abort();
        if (perturb.kinds[k].folder ? !may_have_folder
                                    : needs_folder && perturb.kinds[k].probability > 0)
            abort();
        if (oto_perturb_draw(&perturb, (enum oto_perturb_kind)k, 1, size, &value, &stream) &&
            !(value >= perturb.kinds[k].low && value <= perturb.kinds[k].high))
            abort();
    }
    float log_mels[3 * 512] = {0}, scratch[2 * 512];
    if (frontend.n_mels <= 512 && status == OTO_OK) {
        oto_perturb_apply(&perturb, log_mels, 3, scratch, 1, size);
        for (int i = 0; i < 3 * frontend.n_mels; i++)
            if (!isfinite(log_mels[i]))
                abort();
    }
    oto_perturb_clear(&perturb);
    oto_free(text);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "perturb", 1000);
}
#endif
