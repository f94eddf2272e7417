/* SPDX-License-Identifier: BSD-2-Clause */
/* Recipes: option files with every table that a training run reads. What is read is printed and
 * read again. */
#include "fuzz.h"

#include "decoder/beam.h"
#include "features/frontend.h"
#include "training/train_options.h"

static void fuzz_one(uint8_t *data, size_t size)
{
    char path[64];
    struct oto_train_options train = {0};
    struct oto_frontend_options frontend = {0};
    struct oto_beam_options beam = {0};
    const struct oto_option_group groups[] = {
        {"Training", oto_train_option_table, oto_train_n_options, &train},
        {"Features", oto_frontend_option_table, oto_frontend_n_options, &frontend},
        {"Decoder", oto_beam_option_table, oto_beam_n_options, &beam},
        {0}};
    oto_error err = {OTO_OK, ""};
    fuzz_file(path, data, size);
    for (int g = 0; g < 3; g++) {
        if (oto_options_init(groups[g].table, groups[g].n, groups[g].dst, &err) != OTO_OK)
            abort();
    }
    oto_status status = oto_options_read_file(groups, path, &err);
    if (status != OTO_OK && err.message[0] == 0)
        abort();
    if (status == OTO_OK) {
        struct oto_frontend *fe = NULL;
        if (oto_frontend_create(&fe, &frontend, NULL, OTO_FFT_KISS, &err) == OTO_OK)
            oto_frontend_destroy(fe);
        FILE *out = fopen(path, "wb");
        if (out == NULL)
            abort();
        for (int g = 0; g < 3; g++)
            oto_options_print(&groups[g], out);
        fclose(out);
        if (oto_options_read_file(groups, path, &err) != OTO_OK) {
            fprintf(stderr, "printed options do not read back: %s\n", err.message);
            abort();
        }
    }
    oto_options_clear(oto_train_option_table, oto_train_n_options, &train);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "recipe", 1000);
}
#endif
