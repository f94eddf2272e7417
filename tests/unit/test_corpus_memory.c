/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and writing each corpus format, with every allocation failing once: either the result is
 * the whole corpus, or there is none and a message says why. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "toy_corpus.h"
#include "training/corpus_format.h"
#include "training/corpus_write.h"

static char folder[64];

static const struct {
    const char *name, *text;
} files[] = {
    {"a.wav", "RIFF"},
    {"b.wav", "RIFF"},
    {"m.tsv", "id\tpath\tseconds\tspeaker\tstart\ttext\na\ta.wav\t1.5\tann\t2\tyes\nb\tb.wav\t1\t"
              "\t\tno no\n"},
    {"m.csv", "wav_filename,wav_filesize,transcript\na.wav,4,\"yes, yes\"\nb.wav,4,no\n"},
    {"m.jsonl",
     "{\"audio_filepath\": \"a.wav\", \"duration\": 1.5, \"text\": \"yes\"}\n"
     "{\"audio_filepath\": \"b.wav\", \"offset\": 2, \"duration\": 1, \"text\": \"no\"}\n"},
    {"kaldi/wav.scp", "r1 ../a.wav\nr2 ../b.wav\n"},
    {"kaldi/text", "a yes\nb no\n"},
    {"kaldi/segments", "a r1 0 1.5\nb r2 1 2\n"},
    {"kaldi/utt2spk", "a ann\nb ben\n"},
    {"kaldi/utt2dur", "a 1.5\nb 1\n"},
    {"ls/1/2/1-2-3.wav", "RIFF"},
    {"ls/1/2/1-2.trans.txt", "1-2-3 YES\n"},
    {"lj/wavs/x.wav", "RIFF"},
    {"lj/metadata.csv", "x|1 yes|one yes\n"},
    {"cv/clips/x.wav", "RIFF"},
    {"cv/validated.tsv", "client_id\tpath\tsentence\nann\tx.wav\tyes\n"},
    {"cv/clip_durations.tsv", "clip\tduration[ms]\nx.wav\t1500\n"},
    {"both/ann/x.wav", "RIFF"},
    {"both/ann/x.txt", "yes\nand no\n"},
};

static int make(void **state)
{
    (void)state;
    unit_make_folder(folder);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[200];
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
            *p = '\0';
            mkdir(path, 0777);
            *p = '/';
        }
        toy_write_text(folder, files[i].name, files[i].text);
    }
    return 0;
}

static int clean(void **state)
{
    (void)state;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    unit_remove_folder(folder);
    return 0;
}

static oto_status load(struct oto_corpus **c, const char *name, oto_error *err)
{
    char list[200];
    const char *colon = strchr(name, ':');
    const struct oto_corpus_options options = {.max_messages = 5, .check_audio = true};
    snprintf(list, sizeof list, "%.*s%s/%s", (int)(colon - name) + 1, name, folder, colon + 1);
    return oto_corpus_load(c, list, &options, err);
}

static void describe(const struct oto_corpus *c, char *text, size_t capacity)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < c->n; i++) {
        const struct oto_utterance *u = &c->utts[i];
        n += (size_t)snprintf(text + n, capacity - n, "%s|%s|%s|%s|%g|%g+%g\n", u->id, u->path,
                              u->speaker, u->text, u->seconds, u->start_s, u->length_s);
        assert_true(n < capacity);
    }
}

static void reads_all_or_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"tsv:m.tsv",      "csv:m.csv",      "jsonl:m.jsonl",
                                        "kaldi:kaldi",    "librispeech:ls", "ljspeech:lj",
                                        "commonvoice:cv", "folder:both"};
    static struct toy_log log_text;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        char whole[1000] = "", found[1000];
        size_t n = 0, n_failed = 0;
        for (size_t nth = 0; nth <= n; nth++) {
            struct oto_corpus *c = NULL;
            oto_error err = {OTO_OK, ""};
            toy_log_catch(&log_text);
            oto_mem_fail_nth(nth);
            oto_status status = load(&c, names[k], &err);
            size_t n_made = oto_mem_fail_nth(0);
            if (status == OTO_OK) {
                describe(c, nth == 0 ? whole : found, sizeof whole);
                if (nth > 0)
                    assert_string_equal(found, whole);
            } else if (nth == 0 || c || !err.message[0]) {
                fail_msg("%s, allocation %zu: %s", names[k], nth, err.message);
            }
            n = nth == 0 ? n_made : n;
            n_failed += status != OTO_OK;
            oto_corpus_destroy(c);
        }
        print_message("%s: %zu allocations, %zu of them needed\n", names[k], n, n_failed);
        assert_true(n > 10 && n_failed > n / 2);
    }
}

static int format_named(const char *name)
{
    for (int f = 0; f < oto_n_corpus_formats; f++)
        if (strcmp(oto_corpus_formats[f]->name, name) == 0)
            return f;
    return -1;
}

/* What was there stays there when writing fails. */
static void writes_all_or_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *format, *from, *file;
    } cases[] = {{"tsv", "tsv:m.tsv", "out.tsv"},
                 {"csv", "csv:m.csv", "out.csv"},
                 {"jsonl", "jsonl:m.jsonl", "out.jsonl"},
                 {"kaldi", "kaldi:kaldi", "out/text"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct oto_corpus *c;
        char path[200];
        size_t n = 0, n_whole = 0;
        unsigned char *whole = NULL;
        assert_int_equal(load(&c, cases[k].from, NULL), OTO_OK);
        snprintf(path, sizeof path, "%s/%s", folder, cases[k].file);
        if (strcmp(cases[k].format, "kaldi") == 0)
            *strrchr(path, '/') = '\0';
        for (size_t nth = 0; nth <= n; nth++) {
            oto_error err = {OTO_OK, ""};
            oto_mem_fail_nth(nth);
            oto_status status = oto_corpus_save(c, NULL, c->n, path, format_named(cases[k].format),
                                                OTO_PATHS_ABSOLUTE, &err);
            size_t n_made = oto_mem_fail_nth(0), n_found;
            assert_true(nth == 0 ? status == OTO_OK : status == OTO_OK || err.message[0]);
            unsigned char *found = toy_read(folder, cases[k].file, &n_found);
            assert_non_null(found);
            if (nth == 0) {
                whole = found;
                n_whole = n_found;
                n = n_made;
                continue;
            }
            assert_int_equal(n_found, n_whole);
            assert_memory_equal(found, whole, n_whole);
            free(found);
        }
        print_message("%s: %zu allocations\n", cases[k].format, n);
        assert_true(n > 3);
        free(whole);
        oto_corpus_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_or_nothing),
        cmocka_unit_test(writes_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
