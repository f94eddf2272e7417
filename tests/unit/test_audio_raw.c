/* SPDX-License-Identifier: BSD-2-Clause */
/* Headerless samples: every encoding, the parser of "s16le:16000:1", and files read that way. */
#define _XOPEN_SOURCE 700
#include "unit.h"

#include "audio/raw_format.h"
#include "audio_files.h"
#include "near.h"

static enum oto_raw_encoding encoding_of(const char *name)
{
    struct oto_raw_format format;
    char text[32];
    snprintf(text, sizeof text, "%s:16000:1", name);
    assert_int_equal(oto_raw_format_parse(&format, text, NULL), OTO_OK);
    assert_string_equal(oto_raw_encoding_name(format.encoding), name);
    return format.encoding;
}

/* Bytes written out by hand from the definition of each encoding. */
static void test_known_bytes(void **state)
{
    static const struct {
        const char *name;
        size_t bytes;
        unsigned char data[8];
        double value;
    } cases[] = {
        {"u8", 1, {0}, -1.0},
        {"u8", 1, {128}, 0.0},
        {"u8", 1, {255}, 127.0 / 128},
        {"s8", 1, {0x80}, -1.0},
        {"s8", 1, {1}, 1.0 / 128},
        {"s16le", 2, {0x00, 0x80}, -1.0},
        {"s16le", 2, {0xff, 0x7f}, 32767.0 / 32768},
        {"s16be", 2, {0x01, 0x02}, 258.0 / 32768},
        {"s24le", 3, {0x00, 0x00, 0x80}, -1.0},
        {"s24le", 3, {0x01, 0x00, 0x00}, 1.0 / 8388608},
        {"s24be", 3, {0xff, 0xff, 0xff}, -1.0 / 8388608},
        {"s32le", 4, {0x00, 0x00, 0x00, 0x80}, -1.0},
        {"s32be", 4, {0x40, 0x00, 0x00, 0x00}, 0.5},
        {"f32le", 4, {0x00, 0x00, 0x00, 0x3f}, 0.5},
        {"f32be", 4, {0xbf, 0x80, 0x00, 0x00}, -1.0},
        {"f64le", 8, {0, 0, 0, 0, 0, 0, 0xe0, 0x3f}, 0.5},
        {"f64be", 8, {0xc0, 0, 0, 0, 0, 0, 0, 0}, -2.0},
        {"mulaw", 1, {0xff}, 0.0},
        {"mulaw", 1, {0x00}, -32124.0 / 32768},
        {"mulaw", 1, {0x80}, 32124.0 / 32768},
        {"alaw", 1, {0xd5}, 8.0 / 32768},
        {"alaw", 1, {0x55}, -8.0 / 32768},
        {"alaw", 1, {0xaa}, 32256.0 / 32768},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float y = 9.0F;
        enum oto_raw_encoding encoding = encoding_of(cases[i].name);
        assert_int_equal(oto_raw_bytes(encoding), cases[i].bytes);
        oto_raw_decode(&y, cases[i].data, 1, encoding);
        if (!((double)y == cases[i].value)) {
            fail_msg("%s, case %zu: %.9g, expected %.9g", cases[i].name, i, (double)y,
                     cases[i].value);
        }
    }
}

static const struct {
    const char *name;
    int format;
} sndfile_names[] = {
    {"u8", SF_FORMAT_PCM_U8},
    {"s8", SF_FORMAT_PCM_S8},
    {"s16le", SF_FORMAT_PCM_16 | SF_ENDIAN_LITTLE},
    {"s16be", SF_FORMAT_PCM_16 | SF_ENDIAN_BIG},
    {"s24le", SF_FORMAT_PCM_24 | SF_ENDIAN_LITTLE},
    {"s24be", SF_FORMAT_PCM_24 | SF_ENDIAN_BIG},
    {"s32le", SF_FORMAT_PCM_32 | SF_ENDIAN_LITTLE},
    {"s32be", SF_FORMAT_PCM_32 | SF_ENDIAN_BIG},
    {"f32le", SF_FORMAT_FLOAT | SF_ENDIAN_LITTLE},
    {"f32be", SF_FORMAT_FLOAT | SF_ENDIAN_BIG},
    {"f64le", SF_FORMAT_DOUBLE | SF_ENDIAN_LITTLE},
    {"f64be", SF_FORMAT_DOUBLE | SF_ENDIAN_BIG},
    {"mulaw", SF_FORMAT_ULAW},
    {"alaw", SF_FORMAT_ALAW},
};

/* Our decoding of each encoding equals libsndfile's, over all bytes, bit for bit. */
static void test_same_as_libsndfile(void **state)
{
    enum { FRAMES = 512 };
    char folder[64], path[96];
    (void)state;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/x", folder);
    for (size_t k = 0; k < sizeof sndfile_names / sizeof sndfile_names[0]; k++) {
        enum oto_raw_encoding encoding = encoding_of(sndfile_names[k].name);
        size_t bytes = oto_raw_bytes(encoding), n = 0;
        unsigned char data[FRAMES * 2 * 8];
        float theirs[FRAMES * 2], ours[FRAMES * 2];
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = (unsigned char)(bytes == 1 ? i : i * 40503U >> 5);
        }
        if (strchr("f", sndfile_names[k].name[0]) != NULL) { /* exponents of ordinary size */
            bool big = strstr(sndfile_names[k].name, "be") != NULL;
            for (size_t i = 0; i < FRAMES * 2; i++) {
                unsigned char *p = data + i * bytes;
                p[big ? 0 : bytes - 1] = (unsigned char)(i % 2 ? 0x3e : 0xbe);
            }
        }
        unit_write_file(path, data, FRAMES * 2 * bytes);
        SF_INFO info = {
            .samplerate = 16000, .channels = 2, .format = SF_FORMAT_RAW | sndfile_names[k].format};
        SNDFILE *file = sf_open(path, SFM_READ, &info);
        assert_non_null(file);
        assert_int_equal(sf_readf_float(file, theirs, FRAMES), FRAMES);
        sf_close(file);
        oto_raw_decode(ours, data, FRAMES * 2, encoding);
        for (size_t i = 0; i < FRAMES * 2; i++) {
            if (ours[i] != theirs[i]) {
                fail_msg("%s: sample %zu is %.9g, libsndfile has %.9g", sndfile_names[k].name, i,
                         (double)ours[i], (double)theirs[i]);
            }
        }
        /* And through the front door, second channel alone. */
        char raw[32];
        snprintf(raw, sizeof raw, "%s:16000:2", sndfile_names[k].name);
        oto_audio_options options;
        oto_audio_options_init(&options);
        options.raw = raw;
        options.channel = 2;
        float *y = audio_read_file(path, &options, 100, &n);
        assert_int_equal(n, FRAMES);
        for (size_t i = 0; i < FRAMES; i++) {
            assert_true(y[i] == ours[2 * i + 1]);
        }
        free(y);
    }
    unit_remove_folder(folder);
}

static void test_parser(void **state)
{
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"", "is not one of"},
        {"s16", "is not one of"},
        {"s16le ", "is not one of"},
        {"S16LE:16000:1", "is not one of"},
        {"s16le", "second part"},
        {"s16le:", "second part"},
        {"s16le:16000", "second part"},
        {"s16le:3999:1", "second part"},
        {"s16le:192001:1", "second part"},
        {"s16le:-16000:1", "second part"},
        {"s16le:16000Hz:1", "second part"},
        {"s16le:99999999999999999999:1", "second part"},
        {"s16le:16000:", "third part"},
        {"s16le:16000:0", "third part"},
        {"s16le:16000:65", "third part"},
        {"s16le:16000:1:", "third part"},
        {"s16le:16000: 1", "third part"},
    };
    struct oto_raw_format format;
    oto_error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (oto_raw_format_parse(&format, bad[i].text, &err) != OTO_ERR_CONFIG) {
            fail_msg("\"%s\" was taken", bad[i].text);
        }
        assert_contains(err.message, bad[i].part);
    }
    assert_int_equal(oto_raw_format_parse(&format, "mulaw:8000:64", &err), OTO_OK);
    assert_int_equal(format.encoding, OTO_RAW_MULAW);
    assert_int_equal(format.rate_hz, 8000);
    assert_int_equal(format.n_channels, 64);
}

/* A file read raw although it has a header, and one that ends inside a frame: both say so. */
static void test_warnings(void **state)
{
    char folder[64], path[96];
    float x[100] = {0}, y[200];
    size_t n = 0;
    oto_audio *audio = NULL;
    oto_audio_info info;
    oto_audio_options options;
    (void)state;
    unit_make_folder(folder);
    snprintf(path, sizeof path, "%s/x", folder);
    oto_audio_options_init(&options);
    options.raw = "s16le:16000:2";
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, x, 100));
    assert_int_equal(oto_audio_open(&audio, path, &options, NULL), OTO_OK);
    oto_audio_get_info(audio, &info);
    assert_contains(info.warning, "starts like a RIFF file");
    assert_contains(info.format, "raw, s16le");
    assert_near(info.seconds, (44 + 200) / 4 / 16000.0, 1e-9);
    oto_audio_close(audio);

    unit_write_file(path, x, 4 * 7 + 3);
    assert_int_equal(oto_audio_open(&audio, path, &options, NULL), OTO_OK);
    assert_int_equal(oto_audio_read(audio, y, 200, &n, NULL), OTO_OK);
    assert_int_equal(n, 7);
    oto_audio_get_info(audio, &info);
    assert_contains(info.warning, "3 bytes after the last whole frame");
    oto_audio_close(audio);
    unit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_bytes),
        cmocka_unit_test(test_same_as_libsndfile),
        cmocka_unit_test(test_parser),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
