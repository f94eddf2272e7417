/* SPDX-License-Identifier: BSD-2-Clause */
/** Symbols that the network writes, and how text becomes symbols. Symbol 0 is the blank; the others
 * are NFC code points or clusters. */
#ifndef OTO_DECODER_ALPHABET_H
#define OTO_DECODER_ALPHABET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "base/utf8.h"

enum oto_punctuation { OTO_PUNCTUATION_KEEP, OTO_PUNCTUATION_STRIP };

/** How transcripts are normalised before they are looked up; travels in the model file, so
 * references are treated alike. */
struct oto_text_policy {
    int letter_case; /* enum oto_text_case */
    int punctuation; /* enum oto_punctuation: STRIP removes P* and S* code points that are not in
                        the alphabet (hyphens, slashes and dashes become a space) */
};

struct oto_alphabet {
    int n_symbols;  /* with blank: K */
    char **symbols; /* [n_symbols] UTF-8; symbols[0] is "" (blank); owned */
    int space;      /* index of " ", or -1 */
    struct oto_text_policy policy;
    struct oto_alphabet_index *index; /* private: code point -> symbol */
};

/** @param symbols  n UTF-8 strings of one code point each after NFC, without the blank. Duplicates,
 * empty ones: OTO_ERR_DATA. */
oto_status oto_alphabet_create(struct oto_alphabet **out, const char *const *symbols, int n,
                               const struct oto_text_policy *policy,
                               oto_error *err) OTO_WARN_UNUSED;
/** One symbol a line; BOM and CR are dropped; a line that is a single space is the space; "#" alone
 * is the symbol #, "# text" a comment. Errors name the line. */
oto_status oto_alphabet_load(struct oto_alphabet **out, const char *path,
                             const struct oto_text_policy *policy, oto_error *err) OTO_WARN_UNUSED;
void oto_alphabet_destroy(struct oto_alphabet *a);
/** Symbol of a code point, 0 where the alphabet has none. */
int oto_alphabet_find(const struct oto_alphabet *a, int32_t code_point);
/** The same of another alphabet's symbol; the blank, "", is 0 in all. */
int oto_alphabet_find_symbol(const struct oto_alphabet *a, const char *symbol);

/** All symbols of normalised texts, sorted by code point (space first). Feed texts, then build. */
struct oto_alphabet_builder;
oto_status oto_alphabet_builder_create(struct oto_alphabet_builder **out,
                                       const struct oto_text_policy *policy,
                                       oto_error *err) OTO_WARN_UNUSED;
oto_status oto_alphabet_builder_add(struct oto_alphabet_builder *b, const char *text,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_alphabet_builder_finish(struct oto_alphabet_builder *b, struct oto_alphabet **out,
                                       oto_error *err) OTO_WARN_UNUSED;
void oto_alphabet_builder_destroy(struct oto_alphabet_builder *b);

/**
 * NFC, case, punctuation, white space collapsed and trimmed; byte order marks dropped. *out freed
 * with oto_free(). alphabet may be NULL (then STRIP removes all punctuation but the apostrophe).
 * STRIP turns the typographic apostrophe (U+2019) into the plain one where only that is known.
 * Doing it twice changes nothing. Invalid UTF-8: OTO_ERR_DATA with the byte.
 */
oto_status oto_text_normalise(char **out, const char *text, const struct oto_text_policy *policy,
                              const struct oto_alphabet *alphabet, oto_error *err) OTO_WARN_UNUSED;

/**
 * Normalises and encodes. Code points outside the alphabet are reported, not dropped silently.
 * @param labels     receives oto_calloc'd [*n_labels], freed with oto_free(); each in 1..K-1; no
 * space first, last or twice in a row
 * @param unknown    called for each unknown code point (may be NULL); *n_unknown counts them
 */
oto_status oto_alphabet_encode(const struct oto_alphabet *a, const char *text, int **labels,
                               int *n_labels, int *n_unknown,
                               void (*unknown)(void *arg, int32_t code_point), void *arg,
                               oto_error *err) OTO_WARN_UNUSED;
/** Labels to text; *out freed with oto_free(). Labels outside 1..K-1 are OTO_ERR_ARGUMENT. Leading,
 * trailing and double spaces are collapsed. */
oto_status oto_alphabet_decode(const struct oto_alphabet *a, const int *labels, int n_labels,
                               char **out, oto_error *err) OTO_WARN_UNUSED;

#endif
