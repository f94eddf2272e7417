/* SPDX-License-Identifier: BSD-2-Clause */
/* Alphabet files, and the same bytes as a transcript that is normalised and encoded. */
#include "fuzz.h"

#include "base/mem.h"
#include "decoder/alphabet.h"

static void use(const struct oto_alphabet *a, const char *text)
{
    int *labels = NULL, n_labels = 0, n_unknown = 0;
    char *back = NULL;
    if (oto_alphabet_encode(a, text, &labels, &n_labels, &n_unknown, NULL, NULL, NULL) == OTO_OK) {
        for (int i = 0; i < n_labels; i++) {
            if (labels[i] < 1 || labels[i] >= a->n_symbols)
                abort();
        }
        if (oto_alphabet_decode(a, labels, n_labels, &back, NULL) != OTO_OK)
            abort();
        oto_free(back);
        oto_free(labels);
    }
}

static void fuzz_one(uint8_t *data, size_t size)
{
    static const char *const few[] = {" ", "'", "a", "b", "\xC3\xA9"};
    char path[64];
    fuzz_file(path, data, size);
    char *text = malloc(size + 1);
    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = 0;
    for (int k = 0; k < 6; k++) {
        const struct oto_text_policy policy = {k % 3, k / 3};
        struct oto_alphabet *a = NULL;
        oto_error err = {OTO_OK, ""};
        oto_status status = oto_alphabet_load(&a, path, &policy, &err);
        if ((status == OTO_OK) != (a != NULL) || (status != OTO_OK && err.message[0] == 0))
            abort();
        if (a != NULL)
            use(a, text);
        oto_alphabet_destroy(a);
        a = NULL;
        if (oto_alphabet_create(&a, few, 5, &policy, NULL) == OTO_OK)
            use(a, text);
        oto_alphabet_destroy(a);
    }
    free(text);
}

#ifndef OTO_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_main(argc, argv, "alphabet", 500);
}
#endif
