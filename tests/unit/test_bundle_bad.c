/* SPDX-License-Identifier: BSD-2-Clause */
/* Model files that someone made on purpose: every checksum is right, something else is wrong. */
#include "unit.h"

#include "models/bundle_format.h"
#include "tiny_model.h"
#include "toy_lm.h"

static unsigned char *image; /* the tiny model as a file */
static size_t image_size;

static int set_up(void **state)
{
    (void)state;
    oto_error err = {0};
    char folder[64], path[128];
    struct tiny_model tiny;
    struct oto_map map;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/tiny.oto", folder);
    if (tiny_model_init(&tiny, 1, &err) != OTO_OK ||
        oto_bundle_save(&tiny.bundle, path, &err) != OTO_OK ||
        oto_map_open(&map, path, &err) != OTO_OK)
        fail_msg("%s", err.message);
    image_size = map.size;
    image = malloc(image_size);
    assert_non_null(image);
    memcpy(image, map.data, image_size);
    oto_map_close(&map);
    tiny_model_clear(&tiny);
    unit_remove_folder(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(image);
    return 0;
}

#define N_SECTIONS 8

/* The good file taken apart; a test changes a part, and build() signs the whole again. */
struct parts {
    struct {
        char name[9];
        uint32_t flags;
        unsigned char *data;
        size_t size;
    } s[N_SECTIONS + 1];
    int n;
};

static void take_apart(struct parts *p)
{
    struct oto_container c;
    assert_int_equal(oto_container_open(&c, &oto_bundle_kind, image, image_size, "tiny", NULL),
                     OTO_OK);
    memset(p, 0, sizeof *p);
    p->n = c.n_sections;
    assert_int_equal(p->n, N_SECTIONS);
    for (int k = 0; k < p->n; k++) {
        memcpy(p->s[k].name, c.sections[k].name, 9);
        p->s[k].size = c.sections[k].size;
        p->s[k].data = malloc(p->s[k].size + 256);
        assert_non_null(p->s[k].data);
        memcpy(p->s[k].data, image + c.sections[k].offset, p->s[k].size);
    }
}

static int part(const struct parts *p, const char *name)
{
    for (int k = 0; k < p->n; k++) {
        if (strcmp(p->s[k].name, name) == 0)
            return k;
    }
    fail_msg("no section %s", name);
    return 0;
}

static void release(struct parts *p)
{
    for (int k = 0; k < p->n; k++)
        free(p->s[k].data);
}

static void build(const struct parts *p, struct oto_container_writer *w)
{
    oto_container_begin(w, p->n);
    for (int k = 0; k < p->n; k++)
        oto_container_section(w, p->s[k].name, p->s[k].flags, p->s[k].data, p->s[k].size);
    oto_container_finish(w, &oto_bundle_kind);
    assert_false(w->out.failed);
}

#define MAX_SEEN 200
static char seen[MAX_SEEN][256];
static int n_seen;

/* Each bad file has a message of its own. */
static void remember(const char *message)
{
    for (int i = 0; i < n_seen; i++)
        assert_string_not_equal(seen[i], message);
    assert_true(n_seen < MAX_SEEN);
    snprintf(seen[n_seen++], sizeof seen[0], "%s", message);
}

static void expect_bad(const unsigned char *data, size_t size, oto_status status,
                       const char *message)
{
    oto_error err = {0};
    struct oto_bundle *b = NULL;
    oto_status found = oto_bundle_parse(&b, data, size, "bad.oto", &err);
    if (found != status)
        fail_msg("status %d, expected %d with \"%s\": \"%s\"", (int)found, (int)status, message,
                 err.message);
    assert_null(b);
    assert_contains(err.message, "bad.oto: ");
    assert_contains(err.message, message);
    remember(err.message);
}

/* Replaces text in a JSON section. */
static void expect_bad_text(const char *section, const char *from, const char *to,
                            oto_status status, const char *message)
{
    struct parts p;
    struct oto_container_writer w;
    take_apart(&p);
    int k = part(&p, section);
    char *text = (char *)p.s[k].data;
    text[p.s[k].size] = 0;
    char *at = strstr(text, from);
    if (at == NULL)
        fail_msg("no %s in section %s: %s", from, section, text);
    size_t n_from = strlen(from), n_to = strlen(to);
    memmove(at + n_to, at + n_from, strlen(at + n_from) + 1);
    memcpy(at, to, n_to);
    p.s[k].size = p.s[k].size + n_to - n_from;
    build(&p, &w);
    expect_bad(w.out.data, w.out.size, status, message);
    oto_writer_clear(&w.out);
    release(&p);
}

/* Overwrites bytes of a binary section, or with n = 0 changes its size by where. */
static void expect_bad_bytes(const char *section, ptrdiff_t where, const void *bytes, size_t n,
                             const char *message)
{
    struct parts p;
    struct oto_container_writer w;
    take_apart(&p);
    int k = part(&p, section);
    if (n > 0)
        memcpy(p.s[k].data + where, bytes, n);
    else
        p.s[k].size = (size_t)((ptrdiff_t)p.s[k].size + where);
    build(&p, &w);
    expect_bad(w.out.data, w.out.size, OTO_ERR_FORMAT, message);
    oto_writer_clear(&w.out);
    release(&p);
}

static void test_bad_texts(void **state)
{
    (void)state;
    const oto_status format = OTO_ERR_FORMAT, version = OTO_ERR_VERSION;
    expect_bad_text("frontend", "{", "[", format, "section 'frontend': offset");
    expect_bad_text("frontend", "\"mfcc\"", "\"plp\"", format,
                    "feature: found \"plp\", expected mfcc|fbank");
    expect_bad_text("frontend", "\"mfcc\"", "1", format, "feature: found 1, expected mfcc|fbank");
    expect_bad_text("frontend", "16000", "0", format,
                    "sample-rate: found 0, expected a whole number from");
    expect_bad_text("frontend", "16000", "4000000000", format, "sample-rate: found 4e+09");
    expect_bad_text("frontend", "16000", "16000.5", format,
                    "sample-rate: found 16000.5, expected a whole");
    expect_bad_text("frontend", "0.97", "1e999", format, "real number overflow");
    expect_bad_text("frontend", "0.97", "\"much\"", format,
                    "preemphasis: found \"much\", expected a number");
    expect_bad_text("frontend", "0.97", "17.5", format,
                    "preemphasis: found 17.5, expected a number from 0 to 1");
    expect_bad_text("frontend", "true", "1", format, "expected true or false");
    expect_bad_text("frontend", "\"dither-seed\": \"0\"",
                    "\"dither-seed\": \"18446744073709551616\"", format,
                    "expected a whole number below 2^64");
    expect_bad_text("frontend", "\"dither-seed\": \"0\"", "\"dither-seed\": 7", format,
                    "dither-seed: found 7");
    expect_bad_text("frontend", "\"mels\"", "\"bels\"", version, "unknown entry 'bels'");
    expect_bad_text("frontend", "\"mels\": 10,", "", format, "mels: found nothing");
    expect_bad_text("frontend", "\"mels\": 10", "\"mels\": 10, \"mels\": 10", format, "duplicate");
    expect_bad_text("frontend", "\"ceps\": 6", "\"ceps\": 11", format, "section 'frontend': ");
    expect_bad_text("frontend", "\"ceps\": 6", "\"ceps\": 7", format,
                    "inputs: found 12, expected 14");
    expect_bad_text("frontend", "\"stack\": 2", "\"stack\": 3", format,
                    "inputs: found 12, expected 18");
    expect_bad_text("frontend", "\"frame-shift\": 10.0", "\"frame-shift\": null", format,
                    "frame-shift: found null");
    expect_bad_text("network", "\"layers\": 2", "\"layers\": 17", format, "layers: found 17");
    expect_bad_text("network", "\"hidden\": 5", "\"hidden\": 0", format, "hidden: found 0");
    expect_bad_text("network", "\"hidden\": 5", "\"hidden\": 4096", format, "section 'tensors': ");
    expect_bad_text("network", "\"inputs\": 12", "\"inputs\": 999999", format, "n_inputs");
    expect_bad_text("network", "\"outputs\": 9", "\"outputs\": 10", format,
                    "9 symbols, expected 10");
    expect_bad_text("network", "\"layers\": 2", "\"layers\": 3", format, "bytes, expected");
    expect_bad_text("network", "\"projection\": 3", "\"projection\": -1", format,
                    "projection: found -1");
    expect_bad_text("network", "\"hidden\": 5", "\"hidden\": 5, \"reduce-after\": [1]", format,
                    "section 'tensors': ");
    expect_bad_text("network", "\"hidden\": 5", "\"hidden\": 5, \"reduce-after\": [2]", format,
                    "after layer 2, expected layers below the last of 2");
    static const char *const bad[] = {"[]",   "[0]",  "[1, 1]",       "[7, 3]",
                                      "[16]", "[-1]", "[1.5]",        "[\"x\"]",
                                      "null", "{}",   "[99999999999]"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[80];
        snprintf(text, sizeof text, "\"hidden\": 5, \"reduce-after\": %s", bad[i]);
        expect_bad_text("network", "\"hidden\": 5", text, format,
                        "expected an array of rising layers, 1 to 15");
    }
    expect_bad_text("alphabet", "\"lower\"", "\"title\"", format, "expected keep|lower|upper");
    expect_bad_text("alphabet", "\"strip\"", "{}", format,
                    "punctuation: found object, expected keep|strip");
    expect_bad_text("alphabet", "\"a\"", "\"b\"", format, "section 'alphabet': ");
    expect_bad_text("alphabet", "\"a\"", "\"ab\"", format, "section 'alphabet': ");
    expect_bad_text("alphabet", "\"a\"", "\"\"", format,
                    "symbol 3: found \"\", expected a text of");
    expect_bad_text("alphabet", "\"a\"", "3", format, "symbol 3: found no text, expected a text");
    expect_bad_text("alphabet", "\"\"", "\"x\"", format,
                    "symbol 0: found x, expected \"\" for the blank");
    expect_bad_text("alphabet", "\xC3\xA9", "e\xCC\x81", format,
                    "symbol 8 \"e\xCC\x81\" is not in NFC");
    expect_bad_text("alphabet", "\"symbols\"", "\"tokens\"", version, "unknown entry 'tokens'");
    expect_bad_text("alphabet", "\"a\",", "", format, "8 symbols, expected 9");
    expect_bad_text("alphabet", "[", "[[],", format, "symbol 0: found no text");
    expect_bad_text("alphabet", "\xC3\xA9", "\xC3\x28", format, "unable to decode byte 0xc3");
    expect_bad_text("decoder", "\"beam\": 8", "\"beam\": 0", format, "beam: found 0");
    expect_bad_text("card", "0.97", "-1", format,
                    "dev_wer: found -1, expected a number from 0 to 1e+09 or null");
    expect_bad_text("card", "\"tiny\"", "null", format, "name: found null, expected a text");
    expect_bad_text("card", "\"tiny\"", "\"ti\\u0000ny\"", format, "\\u0000");
}

static void test_bad_numbers(void **state)
{
    (void)state;
    static const unsigned char zeros[16] = {0}, ones[16] = {1, 1, 1, 1};
    static const unsigned char nan64[8] = {0, 0, 0, 0, 0, 0, 0xF8, 0x7F},
                               less64[8] = {0, 0, 0, 0, 0, 0, 0xF0, 0xBF};
    static const unsigned char nan32[4] = {0, 0, 0xC0, 0x7F}, inf32[4] = {0, 0, 0x80, 0xFF};
    static const unsigned char huge32[4] = {0xFF, 0xFF, 0xFF, 0xFF}, one32[4] = {1, 0, 0, 0},
                               two32[4] = {2, 0, 0, 0}, three32[4] = {3, 0, 0, 0};
    expect_bad_bytes("cmvn", 0, nan64, 8, "nan frames of 6 values");
    expect_bad_bytes("cmvn", 0, less64, 8, "-1 frames of 6 values");
    expect_bad_bytes("cmvn", 0, zeros, 8, "0 frames of 6 values");
    expect_bad_bytes("cmvn", 8, zeros, 4, "100 frames of 0 values");
    expect_bad_bytes("cmvn", 8, huge32, 4, "112 bytes, expected 68719476736");
    expect_bad_bytes("cmvn", 12, ones, 4, "reserved bytes are not zero");
    expect_bad_bytes("cmvn", 16, nan64, 8, "a sum is not finite");
    expect_bad_bytes("cmvn", -1, NULL, 0, "111 bytes, expected 112");
    expect_bad_bytes("cmvn", -100, NULL, 0, "12 bytes, expected 16");
    expect_bad_bytes("tensors", 0, one32, 4, "1 0, expected 16 tensors and 0");
    expect_bad_bytes("tensors", 4, one32, 4, "16 1, expected 16 tensors and 0");
    expect_bad_bytes("tensors", 8, "Lstm", 4,
                     "name 'Lstm.weight_ih_l0', expected 'lstm.weight_ih_l0'");
    expect_bad_bytes("tensors", 8 + 47, ones, 1,
                     "name 'lstm.weight_ih_l0', expected 'lstm.weight_ih_l0'");
    expect_bad_bytes("tensors", 8 + 48, one32, 4, "is 1 x 12, expected 20 x 12");
    expect_bad_bytes("tensors", 8 + 52, huge32, 4, "is 20 x 4294967295, expected 20 x 12");
    expect_bad_bytes("tensors", 8 + 56, three32, 4, "unknown type 3");
    expect_bad_bytes("tensors", 8 + 56, two32, 4, "has type 0 0, expected 2 0");
    expect_bad_bytes("tensors", 8 + 72 + 56, one32, 4, "has type 1 0, expected 0 0");
    expect_bad_bytes("tensors", 8 + 72 + 60, one32, 4, "has type 0 1, expected 0 0");
    expect_bad_bytes("tensors", 8 + 72 + 64, one32, 4, "starts at 1, expected 960");
    expect_bad_bytes("tensors", 8, NULL, 0, "bytes, expected 1160");
    expect_bad_bytes("weights", -4, NULL, 0, "section 'weights': ");
    expect_bad_bytes("weights", 4, NULL, 0, "section 'weights': ");
    expect_bad_bytes("weights", 12, nan32, 4,
                     "tensor 'lstm.weight_ih_l0': element 3: not a finite number");
    expect_bad_bytes("weights", 960, inf32, 4,
                     "tensor 'lstm.weight_hh_l0': element 0: not a finite number");
}

/* The tiny model with such a section of these bytes. */
static void expect_bad_texts(const char *section, const char *text, size_t size,
                             const char *message)
{
    struct parts p;
    struct oto_container_writer w;
    take_apart(&p);
    memcpy(p.s[p.n].name, section, 8);
    p.s[p.n].flags = OTO_SECTION_OPTIONAL;
    p.s[p.n].data = malloc(size + 1);
    assert_non_null(p.s[p.n].data);
    memcpy(p.s[p.n].data, text, size);
    p.s[p.n].size = size;
    p.n++;
    build(&p, &w);
    expect_bad(w.out.data, w.out.size, OTO_ERR_FORMAT, message);
    oto_writer_clear(&w.out);
    release(&p);
}

static void expect_bad_lexicon(const char *text, size_t size, const char *message)
{
    expect_bad_texts("lexicon", text, size, message);
}

static void test_bad_grammars(void **state)
{
    (void)state;
    static const char unknown[] = "#JSGF V1.0;\ngrammar g;\npublic <s> = x;";
    expect_bad_texts("grammar", "", 0, "section 'grammar':1:1: expected \"#JSGF V1.0;\"");
    expect_bad_texts("grammar", "#JSGF V1.0;\0", 12, "section 'grammar': no text file");
    expect_bad_texts("grammar", unknown, sizeof unknown - 1,
                     "section 'grammar':3:14: \"x\": 'x' (U+0078) is not in");
}

static void test_bad_lexicons(void **state)
{
    (void)state;
    expect_bad_lexicon("", 0, "section 'lexicon': no words");
    expect_bad_lexicon("a\0", 2, "section 'lexicon': no text file");
    expect_bad_lexicon("a\nx\n", 4, "section 'lexicon':2: \"x\": 'x' (U+0078) is not in");
    expect_bad_lexicon("a\n\n", 3, "section 'lexicon':2: empty");
    expect_bad_lexicon("a\na\n", 4, "section 'lexicon':2: \"a\" is there already, in line 1");
    expect_bad_lexicon("a\nb c\n", 6, "section 'lexicon':2: \"b c\" is more than one word");
    expect_bad_lexicon("a\xFF\n", 3, "section 'lexicon':1: invalid UTF-8 at byte 1");
    static const char *const impure[] = {"a\nb",
                                         "A\n",
                                         "a\r\n",
                                         "# a\nb\n",
                                         "a \n",
                                         "e\xCC\x81\n",
                                         "\xEF\xBB\xBF"
                                         "a\n"};
    int before = n_seen;
    for (size_t i = 0; i < sizeof impure / sizeof *impure; i++) {
        n_seen = before; /* one message for all of these */
        expect_bad_lexicon(impure[i], strlen(impure[i]), "not plain lines of normalised words");
    }
}

/* The tiny model with sections of these contents, NULL = none. */
static void expect_bad_lm(const void *lm, size_t n, const char *search, oto_status status,
                          const char *message)
{
    struct parts p;
    struct oto_container_writer w;
    take_apart(&p);
    oto_container_begin(&w, p.n + 1 + (search != NULL));
    for (int k = 0; k < p.n; k++)
        oto_container_section(&w, p.s[k].name, p.s[k].flags, p.s[k].data, p.s[k].size);
    if (search != NULL)
        oto_container_section(&w, "search", OTO_SECTION_OPTIONAL, search, strlen(search));
    oto_container_section(&w, "lm", OTO_SECTION_OPTIONAL, lm, n);
    oto_container_finish(&w, &oto_bundle_kind);
    assert_false(w.out.failed);
    expect_bad(w.out.data, w.out.size, status, message);
    oto_writer_clear(&w.out);
    release(&p);
}

static void test_bad_language_models(void **state)
{
    (void)state;
    static const char search[] =
        "{\"lm-weight\": 0.5, \"word-bonus\": 1.5, \"unknown-weight\": -2}";
    oto_error err = {0};
    struct oto_lm *lm = NULL;
    char folder[64], path[128];
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/toy.arpa", folder);
    unit_write_file(path, toy_arpa, sizeof toy_arpa - 1);
    assert_int_equal(oto_lm_open(&lm, path, &err), OTO_OK);
    unit_remove_folder(folder);
    const size_t n = oto_lm_size(lm);
    unsigned char *data = malloc(n);
    assert_non_null(data);
    memcpy(data, oto_lm_image(lm), n);
    oto_lm_close(lm);
    expect_bad_lm(data, n, NULL, OTO_ERR_FORMAT, "no section 'search'");
    expect_bad_lm(data, n, "{}", OTO_ERR_FORMAT, "section 'search': lm-weight: found nothing");
    expect_bad_lm(data, n, "{\"lm-weight\": 0.5, \"word-bonus\": 1.5, \"unknown-weight\": 2}",
                  OTO_ERR_FORMAT, "unknown-weight: found 2, expected a number from -1000 to 0");
    expect_bad_lm(data, n, "{\"hot\": 1}", OTO_ERR_VERSION, "unknown entry 'hot'");
    expect_bad_lm(data, 0, search, OTO_ERR_FORMAT, "section 'lm'");
    expect_bad_lm(data, n - 64, search, OTO_ERR_FORMAT, "section 'lm'");
    data[200] ^= 1;
    expect_bad_lm(data, n, search, OTO_ERR_CHECKSUM, "section 'lm'");
    free(data);
}

/* Missing, doubled, unknown and optional sections. */
static void test_bad_sections(void **state)
{
    (void)state;
    struct oto_container_writer w;
    struct parts p;
    char message[64];
    for (int k = 0; k < N_SECTIONS; k++) {
        take_apart(&p);
        char name[9];
        memcpy(name, p.s[k].name, sizeof name);
        free(p.s[k].data);
        memmove(&p.s[k], &p.s[k + 1], sizeof p.s[0] * (size_t)(p.n - k));
        p.n--;
        build(&p, &w);
        snprintf(message, sizeof message, "section table: no section '%s'", name);
        expect_bad(w.out.data, w.out.size, OTO_ERR_FORMAT, message);
        oto_writer_clear(&w.out);
        release(&p);
    }
    take_apart(&p);
    snprintf(p.s[2].name, sizeof p.s[2].name, "card");
    build(&p, &w);
    expect_bad(w.out.data, w.out.size, OTO_ERR_FORMAT, "section 'card' is there twice");
    oto_writer_clear(&w.out);
    release(&p);

    take_apart(&p);
    snprintf(p.s[p.n].name, sizeof p.s[p.n].name, "novelty");
    p.s[p.n].data = calloc(1, 100);
    p.s[p.n].size = 100;
    p.n++;
    build(&p, &w);
    expect_bad(w.out.data, w.out.size, OTO_ERR_VERSION, "section 'novelty': ");
    oto_writer_clear(&w.out);
    p.s[p.n - 1].flags = OTO_SECTION_OPTIONAL;
    build(&p, &w);
    struct oto_bundle *b = NULL;
    assert_int_equal(oto_bundle_parse(&b, w.out.data, w.out.size, "newer.oto", NULL), OTO_OK);
    assert_int_equal(b->shape.n_outputs, 9);
    oto_bundle_destroy(b);
    oto_writer_clear(&w.out);
    p.s[p.n - 1].flags = 2;
    build(&p, &w);
    expect_bad(w.out.data, w.out.size, OTO_ERR_FORMAT, "unknown flags 00000002");
    oto_writer_clear(&w.out);
    release(&p);
}

/* Writes a number into header or table and signs those again. */
static void expect_bad_header(size_t where, uint64_t value, int n_bytes, oto_status status,
                              const char *message)
{
    unsigned char *copy = malloc(image_size);
    assert_non_null(copy);
    memcpy(copy, image, image_size);
    for (int i = 0; i < n_bytes; i++)
        copy[where + (size_t)i] = (unsigned char)(value >> (8 * i));
    size_t n = 64 + 40 * N_SECTIONS;
    uint64_t sum = oto_checksum(copy, n);
    for (int i = 0; i < 8; i++)
        copy[n + (size_t)i] = (unsigned char)(sum >> (8 * i));
    expect_bad(copy, image_size, status, message);
    free(copy);
}

static void test_bad_headers(void **state)
{
    (void)state;
    const oto_status format = OTO_ERR_FORMAT;
    const size_t first = 64, second = 64 + 40;
    expect_bad((const unsigned char *)"", 0, format, "empty file");
    expect_bad((const unsigned char *)"RIFF....WAVEfmt ", 16, format, "not an Otolith model file");
    expect_bad(image, 40, format, "truncated: the file has 40 bytes");
    expect_bad_header(8, 2, 2, OTO_ERR_VERSION, "model format 2.0, this build reads 1.x");
    expect_bad_header(12, 0, 4, format, "0 sections, expected 1 to 32");
    expect_bad_header(12, 33, 4, format, "33 sections, expected");
    expect_bad_header(12, 0xFFFFFFFF, 4, format, "4294967295 sections");
    expect_bad_header(16, 100, 8, format, "file size 100 expected");
    expect_bad_header(16, UINT64_MAX, 8, format, "truncated, copy it again");
    expect_bad_header(24, 1, 8, format, "offset 24: reserved bytes are not zero");
    expect_bad_header(first, 0, 8, format, "the name of entry 0 is not");
    expect_bad_header(second, 0x6161006161616161u, 8, format, "the name of entry 1 is not");
    expect_bad_header(first + 8, 0x80000000u, 4, format,
                      "section 'frontend': table offset 72: unknown flags");
    expect_bad_header(second + 12, 5, 4, format,
                      "section 'network': table offset 112: unknown flags");
    expect_bad_header(first + 16, 0, 8, format, "section 'frontend': table offset 80: starts at 0");
    expect_bad_header(second + 16, 1, 8, format,
                      "section 'network': table offset 120: starts at 1");
    expect_bad_header(second + 16, UINT64_MAX - 63, 8, format, "starts at 18446744073709551552");
    expect_bad_header(first + 24, UINT64_MAX, 8, format,
                      "section 'frontend': table offset 88: 18446744073709551615");
    expect_bad_header(first + 24, image_size, 8, format, "end behind the file's end");
    struct oto_container c;
    assert_int_equal(oto_container_open(&c, &oto_bundle_kind, image, image_size, "tiny", NULL),
                     OTO_OK);
    expect_bad_header(first + 24, c.sections[0].size - 1, 8, OTO_ERR_CHECKSUM,
                      "padding is not zero");
    expect_bad_header(first + 32, 0, 8, OTO_ERR_CHECKSUM,
                      "section 'frontend': offset 448: checksum 0000000000000000");
    assert_true(n_seen >= 40);
    print_message("%d handmade bad files, each with a message of its own\n", n_seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_texts),           cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_bad_lexicons),        cmocka_unit_test(test_bad_grammars),
        cmocka_unit_test(test_bad_sections),        cmocka_unit_test(test_bad_headers),
        cmocka_unit_test(test_bad_language_models),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
