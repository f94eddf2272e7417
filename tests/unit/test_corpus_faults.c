/* SPDX-License-Identifier: BSD-2-Clause */
/* Corpora with every kind of fault, looked at in one go as `otolith data check` does: each fault
 * gives one message, at its file and line, that says what was found, what was expected and what to
 * do. */
#include "unit.h"

#include <sys/stat.h>

#include "audio_files.h"
#include "toy_corpus.h"
#include "training/corpus_check.h"
#include "training/transcripts.h"

enum { RATE_HZ = 16000, MAX_SEEN = 100 };

static char folder[64];

static struct {
    enum oto_fault kind;
    char place[100], message[900];
} seen[MAX_SEEN];
static size_t n_seen;

static void note(void *arg, const struct oto_corpus_fault *fault)
{
    (void)arg;
    assert_true(n_seen < MAX_SEEN);
    seen[n_seen].kind = fault->kind;
    const char *file = fault->file;
    if (strncmp(file, folder, strlen(folder)) == 0)
        file += strlen(folder) + 1;
    snprintf(seen[n_seen].place, sizeof seen[n_seen].place, "%s:%d", file, fault->line);
    snprintf(seen[n_seen].message, sizeof seen[n_seen].message, "%s", fault->message);
    n_seen++;
}

static void put(const char *name, const void *data, size_t n)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    toy_write(folder, name, data, n);
}

#define PUT(name, text) put(name, text, sizeof(text) - 1)

/* A tone of that many seconds and amplitude; beyond 1 it is clipped. */
static void sound(const char *name, double seconds, double amplitude)
{
    char path[300];
    size_t n = (size_t)(seconds * RATE_HZ);
    float *x = audio_tone(n, 1, 440, RATE_HZ, amplitude);
    for (size_t i = 0; i < n; i++)
        x[i] = fmaxf(-1, fminf(1, x[i]));
    PUT(name, "");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, RATE_HZ, 1, x, n));
    free(x);
}

static void make_sounds(void)
{
    static const char *const good[] = {
        "1.wav",     "2.wav",     "3.wav",         "4.wav",        "5.wav",
        "6.wav",     "7.wav",     "c1.wav",        "c2.wav",       "j1.wav",
        "kal/a.wav", "kal/b.wav", "ls/1-2-0.wav",  "ls/9-9-9.wav", "lj/wavs/L1.wav",
        "dir/a.wav", "dir/b.wav", "cv/clips/x.wav"};
    char path[100];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        sound(good[i], 1, 0.3);
    sound("loud.wav", 1, 3);
    sound("silent.wav", 1, 0.0005);
    sound("short.wav", 0.1, 0.3);
    PUT("text.wav", "this is no audio\n");
    PUT("empty.wav", "");
    float x[RATE_HZ] = {0.1F};
    x[9000] = NAN;
    snprintf(path, sizeof path, "%s/nan.wav", folder);
    assert_true(audio_write(path, SF_FORMAT_WAV | SF_FORMAT_FLOAT, RATE_HZ, 1, x, RATE_HZ));
    size_t n;
    unsigned char *whole = toy_read(folder, "7.wav", &n);
    put("cut.wav", whole, n / 2);
    free(whole);
}

static void make_manifests(void)
{
    PUT("m.tsv", "id\tpath\tseconds\tspeaker\ttext\n"
                 "good\t1.wav\t1\tann\tgood\n"
                 "few\t2.wav\t1\tann\n"
                 "latin\t2.wav\t1\tann\tgr\xFC\xDF\n"
                 "nul\t2.wav\t1\tann\ta\0b\n"
                 "\t2.wav\t1\tann\tno id\n"
                 "good\t2.wav\t1\tann\ttwice\n"
                 "nopath\t\t1\tann\tno path\n"
                 "blank\t2.wav\t1\tann\t \xE3\x80\x80 \n"
                 "number\t2.wav\t1,5\tann\tcomma\n"
                 "missing\tnowhere.wav\t1\tann\tgone\n"
                 "folder\tls\t1\tann\ta folder\n"
                 "noaudio\ttext.wav\t1\tann\ttext\n"
                 "empty\tempty.wav\t1\tann\tempty\n"
                 "cut\tcut.wav\t1\tann\tcut off\n"
                 "nan\tnan.wav\t1\tann\tnot a number\n"
                 "long\t3.wav\t9.5\tann\tlong\n"
                 "loud\tloud.wav\t1\tann\tloud\n"
                 "silent\tsilent.wav\t1\tann\tsilent\n"
                 "again\t1.wav\t1\tann\tagain\n"
                 "symbols\t4.wav\t1\tann\tpr\xC3\xA9t \xC3\xA0 100\n"
                 "nothing\t5.wav\t1\tann\t?! ...\n"
                 "short\tshort.wav\t0.1\tann\tfar too much for that\n");
    PUT("parts.tsv", "id\tpath\tstart\tseconds\ttext\n"
                     "behind\t6.wav\t5\t1\tbehind\n"
                     "over\t7.wav\t0.5\t2\tover the end\n"
                     "start\t7.wav\tx\t2\tno start\n");
    PUT("m.csv", "wav_filename,wav_filesize,transcript\n"
                 "c1.wav,17,size\n"
                 "c2.wav,many,number\n"
                 "c2.wav,,one,too many\n"
                 "c2.wav,,say \"so\"\n"
                 "c2.wav,,\"never closed\n");
    PUT("m.jsonl", "{\"audio_filepath\": \"j1.wav\", \"text\": \"good\"}\n"
                   "{\"audio_filepath\": \"j1.wav\", \"text\": }\n"
                   "[\"j1.wav\"]\n"
                   "{\"audio_filepath\": \"j1.wav\"}\n"
                   "{\"audio_filepath\": 7, \"text\": \"x\"}\n"
                   "{\"audio_filepath\": \"j1.wav\", \"text\": \"x\", \"duration\": \"1\"}\n"
                   "{\"audio_filepath\": \"j1.wav\", \"text\": \"x\", \"offset\": -1}\n");
    PUT("kal/wav.scp", "b b.wav\na a.wav\npipe sph2pipe x.sph |\n");
    PUT("kal/text", "u1 good\nu2 pipe\nu3 recording\nu4 segment\nu5 audio\nu6 speaker\nu7 fields\n"
                    "u8 number\n");
    PUT("kal/segments", "u1 a 0 0.5\nu2 pipe 0 1\nu3 c 0 1\nu4 a 1 0.5\nu6 b 0 1\nu7 a 0\n"
                        "u8 a zero 1\nu9 b 0 1\n");
    PUT("kal/utt2spk", "u1 s\nu1 t\nu2 s\nu3 s\nu4 s\nu5 s\nu7 s\nu8 s\nu99 s\n");
    PUT("ls/1-2.trans.txt", "1-2-0 GOOD\n1/2 SLASH\n");
    PUT("lj/metadata.csv", "L1|good\nL2\n../L1|x\n");
    PUT("dir/a.txt", "good");
    PUT("dir/c.txt", "lonely");
    PUT("cv/validated.tsv", "client_id\tpath\tsentence\nc\tx.wav\tgood\nc\tx.wav\n");
}

static const struct {
    enum oto_fault kind;
    const char *place, *message;
} expected[] = {
    {OTO_FAULT_FIELDS, "m.tsv:3", "found 4 fields, expected 5 as in the header: the field 'text'"},
    {OTO_FAULT_ENCODING, "m.tsv:4", "invalid UTF-8 at byte 21 of the line (0xfc); expected UTF-8"},
    {OTO_FAULT_NUL, "m.tsv:5", "a NUL byte at byte 18 of the line"},
    {OTO_FAULT_ID, "m.tsv:6", "the field 'id' is empty"},
    {OTO_FAULT_DUPLICATE_ID, "m.tsv:7", "the id 'good' was already used at"},
    {OTO_FAULT_PATH, "m.tsv:8", "the field 'path' is empty"},
    {OTO_FAULT_EMPTY_TEXT, "m.tsv:9", "the text is empty"},
    {OTO_FAULT_NUMBER, "m.tsv:10", "'1,5' is not a number of seconds in the field 'seconds'"},
    {OTO_FAULT_NUMBER, "parts.tsv:4", "'x' is not a number of seconds in the field 'start'"},
    {OTO_FAULT_FILE_SIZE, "m.csv:2", "wav_filesize is 17, but"},
    {OTO_FAULT_NUMBER, "m.csv:3", "'many' is not a number of bytes"},
    {OTO_FAULT_FIELDS, "m.csv:4", "found 4 fields, expected 3 as in the header"},
    {OTO_FAULT_QUOTES, "m.csv:5", "a double quote inside a field"},
    {OTO_FAULT_QUOTES, "m.csv:6", "a double quote is opened and never closed"},
    {OTO_FAULT_JSON, "m.jsonl:2", "not valid JSON at column"},
    {OTO_FAULT_JSON, "m.jsonl:3", "found an array, expected an object"},
    {OTO_FAULT_KEY, "m.jsonl:4", "the key \"text\" is missing"},
    {OTO_FAULT_TYPE, "m.jsonl:5", "the key \"audio_filepath\" holds a number; expected a text"},
    {OTO_FAULT_TYPE, "m.jsonl:6", "the key \"duration\" holds a text; expected a number"},
    {OTO_FAULT_NUMBER, "m.jsonl:7", "-1 is not a number of seconds in the key \"offset\""},
    {OTO_FAULT_ORDER, "kal/wav.scp:2", "'a' comes after 'b'"},
    {OTO_FAULT_DUPLICATE_ID, "kal/utt2spk:2", "'u1' was already used at line 1"},
    {OTO_FAULT_PIPE, "kal/wav.scp:3", "the recording 'pipe' is a command with a pipe"},
    {OTO_FAULT_RECORDING, "kal/segments:3", "the recording 'c' is not in wav.scp"},
    {OTO_FAULT_SEGMENT, "kal/segments:4", "the segment ends at 0.5 s and starts at 1 s"},
    {OTO_FAULT_NO_AUDIO, "kal/text:5", "the utterance 'u5' is not in segments"},
    {OTO_FAULT_SPEAKER, "kal/text:6", "the utterance 'u6' is not in utt2spk"},
    {OTO_FAULT_FIELDS, "kal/segments:6", "found 3 fields, expected 4"},
    {OTO_FAULT_NUMBER, "kal/segments:7", "'zero 1' are not two numbers of seconds"},
    {OTO_FAULT_NO_TEXT, "kal/segments:8", "the utterance 'u9' is not in text"},
    {OTO_FAULT_SPEAKER, "kal/utt2spk:9", "the utterance 'u99' is not in text"},
    {OTO_FAULT_ID, "ls/1-2.trans.txt:2", "the id '1/2' holds a slash"},
    {OTO_FAULT_NO_TEXT, "ls/9-9-9.wav:0", "no transcript"},
    {OTO_FAULT_FIELDS, "lj/metadata.csv:2", "found no field after the id"},
    {OTO_FAULT_ID, "lj/metadata.csv:3", "the id '../L1' is no file name"},
    {OTO_FAULT_NO_TEXT, "dir/b.wav:0", "no transcript; expected a file of the same name"},
    {OTO_FAULT_NO_AUDIO, "dir/c.txt:0", "no audio; expected a file of the same name"},
    {OTO_FAULT_FIELDS, "cv/validated.tsv:3", "found 2 fields, expected 3 as in the header"},
    {OTO_FAULT_MISSING_AUDIO, "m.tsv:11", "nowhere.wav"},
    {OTO_FAULT_NOT_A_FILE, "m.tsv:12", "/ls is not a regular file"},
    {OTO_FAULT_UNDECODABLE, "m.tsv:13", "text.wav: is text, not audio"},
    {OTO_FAULT_NO_SAMPLES, "m.tsv:14", "empty.wav: is empty (0 bytes)"},
    {OTO_FAULT_TRUNCATED, "m.tsv:15", "cut.wav: the header claims 32000 bytes of samples"},
    {OTO_FAULT_NOT_FINITE, "m.tsv:16", "nan.wav: sample 9000 (0.562500 s) of channel 1 is NaN"},
    {OTO_FAULT_DURATION, "m.tsv:17", "the manifest says 9.500 s, the recording has 1.000 s"},
    {OTO_FAULT_CLIPPING, "m.tsv:18", "% of the samples are clipped; expected at most 0.10 %"},
    {OTO_FAULT_SILENCE, "m.tsv:19", "the loudest 20 ms are at -69.0 dB of full scale"},
    {OTO_FAULT_DUPLICATE_AUDIO, "m.tsv:20", "the same audio as"},
    {OTO_FAULT_SYMBOLS, "m.tsv:21", "the text holds 'é' U+00E9, 'à' U+00E0, '1' U+0031, '0'"},
    {OTO_FAULT_NO_LABELS, "m.tsv:22", "nothing of the text '?! ...' is left"},
    {OTO_FAULT_TOO_SHORT, "m.tsv:23", "too short for CTC: 3 frames for 21 labels; expected 22"},
    {OTO_FAULT_BEYOND_END, "parts.tsv:2", "a part from 5.000 s on was asked for, but it ends"},
    {OTO_FAULT_BEYOND_END, "parts.tsv:3", "the part ends at 2.500 s, the recording at 1.000 s"},
};
enum { N_EXPECTED = sizeof expected / sizeof *expected };

static void look_at_all(void)
{
    static const char *const names[] = {"m.tsv", "parts.tsv", "m.csv", "m.jsonl", "kal",
                                        "ls",    "lj",        "dir",   "cv"};
    char list[1000] = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        sprintf(list + strlen(list), "%s%s/%s", i > 0 ? "," : "", folder, names[i]);
    const struct oto_corpus_options options = {.fault = note};
    const struct oto_text_policy policy = {OTO_CASE_LOWER, OTO_PUNCTUATION_STRIP};
    struct oto_frontend_options frontend = {0};
    struct oto_alphabet *alphabet;
    struct oto_corpus *corpus;
    struct oto_pool *pool;
    oto_error err = {0};
    double audio_s;
    if (oto_corpus_load(&corpus, list, &options, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_int_equal(
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &frontend, NULL),
        OTO_OK);
    assert_int_equal(oto_transcripts_alphabet(&alphabet, corpus, "", " 'abcdefghijklmnopqrstuvwxyz",
                                              &policy, NULL),
                     OTO_OK);
    const struct oto_check_options check = {.alphabet = alphabet,
                                            .frontend = &frontend,
                                            .reduction = 1,
                                            .tolerance_s = 0.1,
                                            .max_clipped = 0.001,
                                            .silence_db = -50,
                                            .fault = note};
    assert_int_equal(oto_pool_create(&pool, 2, NULL), OTO_OK);
    if (oto_corpus_check(corpus, &check, pool, &audio_s, &err) != OTO_OK)
        fail_msg("%s", err.message);
    assert_true(audio_s > 10);
    oto_pool_destroy(pool);
    oto_alphabet_destroy(alphabet);
    oto_corpus_destroy(corpus);
}

static void gives_a_clear_message_for_each(void **state)
{
    (void)state;
    unit_make_folder(folder);
    make_sounds();
    make_manifests();
    look_at_all();
    bool kinds[OTO_N_FAULTS] = {false};
    for (size_t i = 0; i < n_seen && i < N_EXPECTED; i++) {
        if (seen[i].kind != expected[i].kind || strcmp(seen[i].place, expected[i].place) != 0)
            fail_msg("found %s: %s: %s\nexpected %s: %s: %s", seen[i].place,
                     oto_fault_name(seen[i].kind), seen[i].message, expected[i].place,
                     oto_fault_name(expected[i].kind), expected[i].message);
        assert_contains(seen[i].message, expected[i].message);
        const char *advice = strstr(seen[i].message, "expected");
        assert_non_null(advice);
        assert_non_null(strstr(advice, "; ")); /* what to do follows */
        kinds[seen[i].kind] = true;
    }
    if (n_seen != N_EXPECTED)
        fail_msg("%zu messages, expected %d; the last: %s: %s", n_seen, N_EXPECTED,
                 seen[n_seen - 1].place, seen[n_seen - 1].message);
    for (int k = 0; k < OTO_N_FAULTS; k++)
        if (!kinds[k])
            fail_msg("no fault of the kind %s", oto_fault_name((enum oto_fault)k));
    assert_true(OTO_N_FAULTS >= 30);
    unit_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(gives_a_clear_message_for_each)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
