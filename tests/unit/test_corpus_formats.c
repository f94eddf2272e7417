/* SPDX-License-Identifier: BSD-2-Clause */
/* Every corpus format as others write it: found by probing or named, read to the same utterances.
 */
#include "unit.h"

#include <sys/stat.h>

#include "toy_corpus.h"
#include "training/corpus.h"

static char folder[64];
static struct toy_log *log_text;

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    log_text = malloc(sizeof *log_text);
    return log_text ? 0 : -1;
}

static int clean(void **state)
{
    (void)state;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    free(log_text);
    unit_remove_folder(folder);
    return 0;
}

/* Writes a file and the folders that it is in. */
static void put(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    toy_write_text(folder, name, text);
}

static void touch(const char *names)
{
    char name[200];
    for (const char *p = names; *p;) {
        size_t n = strcspn(p, " ");
        snprintf(name, sizeof name, "%.*s", (int)n, p);
        put(name, "RIFF");
        p += n + (p[n] == ' ');
    }
}

/* id|path below the folder|speaker|text|seconds|start+length, a line each. */
static void dump(const struct oto_corpus *c, char *out, size_t capacity)
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < c->n; i++) {
        const struct oto_utterance *u = &c->utts[i];
        const char *path = u->path;
        if (strncmp(path, folder, strlen(folder)) == 0)
            path += strlen(folder) + 1;
        n += (size_t)snprintf(out + n, capacity - n, "%s|%s|%s|%s|%g|%g+%g\n", u->id, path,
                              u->speaker, u->text, u->seconds, u->start_s, u->length_s);
        assert_true(n < capacity);
    }
}

static oto_status load(struct oto_corpus **c, const char *name, int format, oto_error *err)
{
    char list[300];
    const char *colon = strchr(name, ':');
    size_t prefix = colon ? (size_t)(colon - name) + 1 : 0;
    const struct oto_corpus_options options = {
        .max_messages = 50, .check_audio = true, .format = format};
    snprintf(list, sizeof list, "%.*s%s/%s", (int)prefix, name, folder, name + prefix);
    toy_log_catch(log_text);
    return oto_corpus_load(c, list, &options, err);
}

static void expect(const char *name, const char *expected)
{
    struct oto_corpus *c;
    oto_error err = {0};
    char found[2000];
    if (load(&c, name, 0, &err) != OTO_OK)
        fail_msg("%s: %s\n%s", name, err.message, log_text->text);
    dump(c, found, sizeof found);
    assert_string_equal(found, expected);
    assert_string_equal(log_text->text, "");
    oto_corpus_destroy(c);
}

static void reads_csv(void **state)
{
    (void)state;
    touch("csv/a.wav csv/b.wav csv/c.wav");
    put("csv/train.csv", "\xEF\xBB\xBFwav_filename,wav_filesize,transcript\r\n"
                         "a.wav,4,\"yes, \"\"no\"\"\"\r\n"
                         "\r\n"
                         "b.wav,4,\"two\r\nlines\"\r\n"
                         "c.wav,,plain");
    expect("csv/train.csv", "a|csv/a.wav||yes, \"no\"|0|0+0\n"
                            "b|csv/b.wav||two\r\nlines|0|0+0\n"
                            "c|csv/c.wav||plain|0|0+0\n");
    put("csv/other.csv", "transcript,id,seconds,speaker,wav_filename\n"
                         "hi,one,1.5,ann,a.wav\n");
    expect("csv:csv/other.csv", "one|csv/a.wav|ann|hi|1.5|0+0\n");
}

static void reads_jsonl(void **state)
{
    (void)state;
    touch("nemo/a.wav nemo/b.wav");
    put("nemo/m.json",
        "\xEF\xBB\xBF{\"audio_filepath\": \"a.wav\", \"duration\": 1.5, \"text\": "
        "\"gr\\u00fc\\u00df "
        "dich\"}\r\n"
        "\n"
        "{\"text\":\"part\",\"audio_filepath\":\"b.wav\",\"offset\":2.5,\"duration\":1,\"lang\":"
        "[1]}\n"
        "{\"text\":\"rest\",\"audio_filepath\":\"b.wav\",\"offset\":4,\"speaker\":17,\"id\":"
        "\"x\",\"duration\":null}\n");
    expect("nemo/m.json", "a|nemo/a.wav||grüß dich|1.5|0+0\n"
                          "b-0002500-0003500|nemo/b.wav||part|1|2.5+1\n"
                          "x|nemo/b.wav|17|rest|0|4+0\n");
}

static void reads_kaldi(void **state)
{
    (void)state;
    touch("kaldi/wav/a.wav kaldi/wav/b.wav");
    put("kaldi/wav.scp", "a wav/a.wav\r\nb  wav/b.wav \n");
    put("kaldi/text", "a hello  there\nb\tyes\n");
    expect("kaldi", "a|kaldi/wav/a.wav||hello  there|0|0+0\nb|kaldi/wav/b.wav||yes|0|0+0\n");
    put("kaldi/utt2spk", "a ann\nb b\n"); /* the speaker of b is not known */
    put("kaldi/utt2dur", "a 2.5\n");
    expect("kaldi:kaldi",
           "a|kaldi/wav/a.wav|ann|hello  there|2.5|0+0\nb|kaldi/wav/b.wav||yes|0|0+0\n");
}

static void reads_kaldi_segments(void **state)
{
    (void)state;
    touch("kaldi2/wav/a.wav");
    put("kaldi2/wav.scp", "rec wav/a.wav\nunused wav/none.wav\n");
    put("kaldi2/text", "u1 one\nu2 two\nu3 three\n");
    put("kaldi2/segments", "u1 rec 0 1.25\nu2 rec 1.25 3\nu3 rec 3 -1\n");
    put("kaldi2/utt2spk", "u1 s\nu2 s\nu3 s\n");
    expect("kaldi2", "u1|kaldi2/wav/a.wav|s|one|1.25|0+1.25\n"
                     "u2|kaldi2/wav/a.wav|s|two|1.75|1.25+1.75\n"
                     "u3|kaldi2/wav/a.wav|s|three|0|3+0\n");
}

static void reads_librispeech(void **state)
{
    (void)state;
    touch("ls/dev/12/34/12-34-0000.flac ls/dev/12/34/12-34-0001.opus ls/dev/7/8/7-8-0.wav");
    put("ls/dev/12/34/12-34.trans.txt", "12-34-0000 HE SAID\n12-34-0001 AND WENT\n");
    put("ls/dev/7/8/7-8.trans.txt", "7-8-0 SHE STAYED\n");
    put("ls/README.TXT", "about");
    static const char *const expected =
        "12-34-0000|ls/dev/12/34/12-34-0000.flac|12|HE SAID|0|0+0\n"
        "12-34-0001|ls/dev/12/34/12-34-0001.opus|12|AND WENT|0|0+0\n"
        "7-8-0|ls/dev/7/8/7-8-0.wav|7|SHE STAYED|0|0+0\n";
    expect("ls", expected);
    expect("ls/dev/", expected);
}

static void reads_ljspeech(void **state)
{
    (void)state;
    touch("lj/wavs/LJ001-0001.wav lj/wavs/LJ001-0002.wav");
    put("lj/metadata.csv", "LJ001-0001|In 1455, \"it\" was|In fourteen fifty-five, \"it\" was\n"
                           "LJ001-0002|plain\n");
    static const char *const expected =
        "LJ001-0001|lj/wavs/LJ001-0001.wav||In fourteen fifty-five, \"it\" was|0|0+0\n"
        "LJ001-0002|lj/wavs/LJ001-0002.wav||plain|0|0+0\n";
    expect("lj", expected);
    expect("lj/metadata.csv", expected);
}

static void reads_commonvoice(void **state)
{
    (void)state;
    touch("cv/clips/cv_1.mp3 cv/clips/cv_2.mp3");
    put("cv/validated.tsv", "client_id\tpath\tsentence_id\tsentence\tup_votes\n"
                            "c0ffee\tcv_1.mp3\t1\t\"Zitat\" sagt sie\t2\n"
                            "beef\tcv_2.mp3\t2\tÄpfel\t2\n");
    expect("cv", "cv_1|cv/clips/cv_1.mp3|c0ffee|\"Zitat\" sagt sie|0|0+0\n"
                 "cv_2|cv/clips/cv_2.mp3|beef|Äpfel|0|0+0\n");
    put("cv/train.tsv", "client_id\tpath\tsentence\nbeef\tcv_2.mp3\tÄpfel\n");
    put("cv/clip_durations.tsv", "clip\tduration[ms]\ncv_9.mp3\t100\ncv_2.mp3\t4510\n");
    expect("cv/train.tsv", "cv_2|cv/clips/cv_2.mp3|beef|Äpfel|4.51|0+0\n");
}

static void reads_a_folder(void **state)
{
    (void)state;
    touch("f/one.wav f/ann/two.flac f/ann/b.c/three.ogg");
    put("f/one.txt", "\xEF\xBB\xBFone\r\n");
    put("f/ann/two.txt", "  two\n\nlines \n");
    put("f/ann/b.c/three.txt", "three");
    put("f/LICENSE.txt", "free");
    put("f/.hidden/x.txt", "no");
    expect("f", "ann/b.c/three|f/ann/b.c/three.ogg|ann/b.c|three|0|0+0\n"
                "ann/two|f/ann/two.flac|ann|two lines|0|0+0\n"
                "one|f/one.wav||one|0|0+0\n");
}

/* Names of recordings are ids only where they tell recordings apart. */
static void makes_ids_that_differ(void **state)
{
    (void)state;
    struct oto_corpus *c;
    char list[300];
    const struct oto_corpus_options options = {.max_messages = 9};
    put("x/a.csv", "wav_filename,transcript\n1.wav,one\n");
    put("y/a.csv", "wav_filename,transcript\n1.wav,one\n");
    snprintf(list, sizeof list, "%s/x/a.csv,csv:%s/y/a.csv*3", folder, folder);
    assert_int_equal(oto_corpus_load(&c, list, &options, NULL), OTO_OK);
    assert_string_equal(c->utts[0].id, "1");
    assert_contains(c->utts[1].id, "/y/1");
    assert_int_equal(c->manifests[1].repeat, 3);
    oto_corpus_destroy(c);
    snprintf(list, sizeof list, "%s/x/a.csv,%s/x/a.csv", folder, folder);
    assert_int_equal(oto_corpus_load(&c, list, &options, NULL), OTO_ERR_DATA);
}

static void takes_the_format_that_is_asked_for(void **state)
{
    (void)state;
    struct oto_corpus *c;
    oto_error err = {0};
    touch("g/a.wav");
    put("g/list", "{\"audio_filepath\":\"a.wav\",\"text\":\"x\"}\n");
    expect("jsonl:g/list", "a|g/a.wav||x|0|0+0\n");
    assert_int_equal(load(&c, "tsv:g/list", 0, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "list:1: not a manifest: the header has no column 'id'");
    assert_int_equal(load(&c, "g/list", 2, &err), OTO_ERR_FORMAT);
    assert_string_equal(oto_corpus_format_names[2], "csv");
    assert_contains(err.message,
                    "list:1: not a manifest: no header; expected wav_filename,wav_filesize");
    assert_int_equal(load(&c, "kaldi:g", 0, &err), OTO_ERR_NOT_FOUND);
    assert_contains(err.message, "g/wav.scp: there is no such file");
    put("empty/x.md", "");
    assert_int_equal(load(&c, "empty", 0, &err), OTO_ERR_FORMAT);
    assert_contains(err.message, "empty: not a corpus: expected wav.scp and text (kaldi)");
}

/* A corpus in other scripts comes through as it is, whatever the format. */
static void keeps_all_scripts(void **state)
{
    (void)state;
    static const char *const texts[] = {"你好，世界", "مرحبا بالعالم", "नमस्ते दुनिया",
                                        "Žluťoučký kůň"};
    char text[600];
    touch("u/0.wav u/1.wav u/2.wav u/3.wav");
    int n = sprintf(text, "wav_filename,transcript\n");
    for (int i = 0; i < 4; i++)
        n += sprintf(text + n, "%d.wav,%s\n", i, texts[i]);
    put("u/m.csv", text);
    n = 0;
    for (int i = 0; i < 4; i++)
        n += sprintf(text + n, "{\"audio_filepath\":\"%d.wav\",\"text\":\"%s\"}\n", i, texts[i]);
    put("u/m.jsonl", text);
    static const char *const names[] = {"u/m.csv", "u/m.jsonl"};
    for (int k = 0; k < 2; k++) {
        struct oto_corpus *c;
        assert_int_equal(load(&c, names[k], 0, NULL), OTO_OK);
        for (int i = 0; i < 4; i++)
            assert_string_equal(c->utts[i].text, texts[i]);
        oto_corpus_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_csv),
        cmocka_unit_test(reads_jsonl),
        cmocka_unit_test(reads_kaldi),
        cmocka_unit_test(reads_kaldi_segments),
        cmocka_unit_test(reads_librispeech),
        cmocka_unit_test(reads_ljspeech),
        cmocka_unit_test(reads_commonvoice),
        cmocka_unit_test(reads_a_folder),
        cmocka_unit_test(makes_ids_that_differ),
        cmocka_unit_test(takes_the_format_that_is_asked_for),
        cmocka_unit_test(keeps_all_scripts),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
