/* SPDX-License-Identifier: BSD-2-Clause */
/** The sections of a model file (FORMAT.md). Private to models/bundle*.c. */
#ifndef OTO_MODELS_BUNDLE_FORMAT_H
#define OTO_MODELS_BUNDLE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/container.h"
#include "base/status.h"
#include "models/bundle.h"

#define OTO_BUNDLE_TENSOR_ENTRY 72
/** Takes the place of "weights" where matrices are 8-bit: older programs then say that the file is
 * newer than they are. */
#define OTO_SECTION_INT8 "weights8"

/* ---- payloads: text sections are JSON (bundle_json.c), numbers are binary (bundle_numbers.c)
 * ------------------- */

/** @param text receives the JSON text (oto_free), *size without a terminator. */
oto_status oto_bundle_write_frontend(const struct oto_bundle *b, char **text, size_t *size,
                                     oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_network(const struct oto_bundle *b, char **text, size_t *size,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_alphabet(const struct oto_bundle *b, char **text, size_t *size,
                                     oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_decoder(const struct oto_bundle *b, char **text, size_t *size,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_write_card(const struct oto_bundle *b, char **text, size_t *size,
                                 oto_error *err) OTO_WARN_UNUSED;

oto_status oto_bundle_read_frontend(struct oto_bundle *b, const struct oto_container *c,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_network(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_alphabet(struct oto_bundle *b, const struct oto_container *c,
                                    oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_decoder(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_card(struct oto_bundle *b, const struct oto_container *c,
                                oto_error *err) OTO_WARN_UNUSED;

/** The bundle has a lexicon. */
void oto_bundle_write_lexicon(const struct oto_bundle *b, struct oto_writer *w);
/** None where the section is missing. The alphabet must be known. */
oto_status oto_bundle_read_lexicon(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;

/** Section "grammar"; none where it is missing. The alphabet must be known. */
oto_status oto_bundle_read_grammar(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;

/** Values of an option table as JSON text; what names them in messages. */
oto_status oto_bundle_write_options(const struct oto_option *table, size_t n, const void *src,
                                    const char *what, char **text, size_t *size,
                                    oto_error *err) OTO_WARN_UNUSED;
/** The section must be there, with all of the table and nothing else. */
oto_status oto_bundle_read_options(const struct oto_option *table, size_t n, void *dst,
                                   const struct oto_container *c, const char *section,
                                   oto_error *err) OTO_WARN_UNUSED;
/** Section "confid"; where it is missing, the bundle is not calibrated. */
oto_status oto_bundle_write_confidence(const struct oto_bundle *b, char **text, size_t *size,
                                       oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_confidence(struct oto_bundle *b, const struct oto_container *c,
                                      oto_error *err) OTO_WARN_UNUSED;
/** Sections "search" and "lm", "rescore" and "lstm"; none where the bundle has no such model, but
 * "rescore" also where it has a second network. */
oto_status oto_bundle_add_lm(struct oto_container_writer *w, const struct oto_bundle *b,
                             oto_error *err) OTO_WARN_UNUSED;
/** The models stay in the file. Where the sections are missing: none, and default numbers. */
oto_status oto_bundle_read_lm(struct oto_bundle *b, const struct oto_container *c,
                              oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_rescore(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_read_lstm(struct oto_bundle *b, const struct oto_container *c,
                                oto_error *err) OTO_WARN_UNUSED;
/** Section "priors", of the scale and the priors; none where the bundle has none. OTO_ERR_DATA for
 * a scale without priors. */
oto_status oto_bundle_add_priors(struct oto_container_writer *w, const struct oto_bundle *b,
                                 oto_error *err) OTO_WARN_UNUSED;
/** Section "second", of the network that the bundle has beside its own; none where it has none.
 * path in messages. */
oto_status oto_bundle_add_second(struct oto_container_writer *w, const struct oto_bundle *b,
                                 const char *path, oto_error *err) OTO_WARN_UNUSED;
/** Front end, alphabet and priors must be known. */
oto_status oto_bundle_read_second(struct oto_bundle *b, const struct oto_container *c,
                                  oto_error *err) OTO_WARN_UNUSED;
/** The bytes of a model file; image is zeros at first, cleared by the caller also after a failure.
 * Errors as oto_bundle_save(), path in messages. */
oto_status oto_bundle_write(const struct oto_bundle *b, struct oto_writer *image, const char *path,
                            oto_error *err) OTO_WARN_UNUSED;
/** Behind oto_bundle_read_lm(), whose options it completes. */
oto_status oto_bundle_read_priors(struct oto_bundle *b, const struct oto_container *c,
                                  oto_error *err) OTO_WARN_UNUSED;

void oto_bundle_write_cmvn(const struct oto_bundle *b, struct oto_writer *w);
void oto_bundle_write_tensors(const struct oto_bundle *b, struct oto_writer *w);
/** Fails with "tensor 'output.bias': element 3: WHAT" for element i of the flat array. */
oto_status oto_bundle_fail_weight(const struct oto_bundle *b, size_t i, const char *prefix,
                                  oto_status status, const char *what, oto_error *err);
/** How a tensor is stored in a file of that type, and its bytes there. */
enum oto_weight_type oto_bundle_tensor_type(enum oto_weight_type type,
                                            const struct oto_tensor *tensor);
size_t oto_bundle_tensor_size(enum oto_weight_type type, const struct oto_tensor *tensor);
/** False for a number that half precision cannot hold. */
bool oto_bundle_write_half(struct oto_writer *w, float x);
/** OTO_ERR_DATA with the tensor's name for a weight that is not finite, or not in the range of half
 * precision. */
oto_status oto_bundle_write_weights(const struct oto_bundle *b, struct oto_writer *w,
                                    oto_error *err) OTO_WARN_UNUSED;
/** Payload of OTO_SECTION_INT8; errors as above. */
oto_status oto_bundle_write_int8(const struct oto_bundle *b, struct oto_writer *w,
                                 oto_error *err) OTO_WARN_UNUSED;

oto_status oto_bundle_read_cmvn(struct oto_bundle *b, const struct oto_container *c,
                                oto_error *err) OTO_WARN_UNUSED;
oto_status oto_bundle_fail_size(const struct oto_container *c, const struct oto_section *s,
                                size_t expected, oto_error *err);
/** The index, and weight_type: shape must be known. */
oto_status oto_bundle_read_tensors(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
/** Points into the file where that is aligned float32, else converts. */
oto_status oto_bundle_read_weights(struct oto_bundle *b, const struct oto_container *c,
                                   oto_error *err) OTO_WARN_UNUSED;
/** Codes stay in the file; scales and floats are converted. */
oto_status oto_bundle_read_int8(struct oto_bundle *b, const struct oto_container *c,
                                oto_error *err) OTO_WARN_UNUSED;

#endif
