/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include <math.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/rng.h"
#include "models/lstm_lm.h"
#include "training/lstm_trainer.h"

/* ---- text -------------------------------------------------------------------------------- */

static void vocabulary(void **state)
{
    static const char *const lines[] = {"b a  c\ta", "", "  ", "<s> a b </s>", "<unk> d", "e f a"};
    struct oto_lstm_text text = {0}, other = {0};
    struct oto_lstm_vocabulary v = {0};
    struct oto_words words = {0};
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(oto_lstm_text_add(&text, &words, lines[i], NULL), OTO_OK);
    assert_int_equal(text.n_sentences, 4);
    assert_int_equal(text.n_words, 11);
    assert_int_equal(oto_lstm_vocabulary_make(&v, &text, &words, 5, 3, NULL), OTO_OK);
    /* a 4 times, b twice, c before d, e and f by its bytes; <unk> of the text is none of them */
    static const char *const expected[] = {"</s>", "<unk>", "a", "b", "c"};
    assert_int_equal(v.words.n, 5);
    for (uint32_t i = 0; i < 5; i++)
        assert_string_equal(oto_words_text(&v.words, i), expected[i]);
    assert_int_equal(v.n_unknown, 4); /* d, e, f, <unk> */
    assert_int_equal(text.n_unknown, 4);
    static const int first[] = {3, 2, 4, 2};
    assert_memory_equal(text.words, first, sizeof first);
    /* Roots of 4 ends, 4 + 1 unknown, 4 a, 2 b, 1 c: 2, 2.24, 2, 1.41, 1 of 8.65; thirds at 2.88
     * and 5.77, so classes begin where what stands before is 0, 4.24 and 6.24. */
    static const int classes[] = {0, 2, 3, 5};
    assert_int_equal(v.n_classes, 3);
    assert_memory_equal(v.class_first, classes, sizeof classes);
    assert_int_equal(oto_lstm_text_add_known(&other, &v.words, "a d zebra b", NULL), OTO_OK);
    static const int known[] = {2, 1, 1, 3};
    assert_memory_equal(other.words, known, sizeof known);
    assert_int_equal(other.n_unknown, 2);
    struct oto_lstm_text none = {0};
    struct oto_lstm_vocabulary empty = {0};
    assert_int_equal(oto_lstm_vocabulary_make(&empty, &none, &words, 5, 3, NULL), OTO_ERR_DATA);
    oto_lstm_vocabulary_clear(&empty);
    oto_lstm_vocabulary_clear(&v);
    oto_lstm_text_clear(&text);
    oto_lstm_text_clear(&other);
    oto_words_clear(&words);
}

/* ---- training ---------------------------------------------------------------------------- */

enum { N_WORDS = 6, N_SENTENCES = 400 };

/*
 * Sentences of a language with a memory: the last word repeats the first, three others lie between,
 * each one of six. To an n-gram of up to four words five of a sentence's words are one of six each,
 * and the end is sure: a perplexity of 6^(5/6) = 4.45. With the memory it is 6^(4/6) = 3.30.
 */
static void make_sentence(char line[64], uint64_t i)
{
    int words[5];
    for (uint64_t k = 0; k < 4; k++)
        words[k] = (int)oto_rng_below(3, k, i, N_WORDS);
    words[4] = words[0];
    snprintf(line, 64, "w%d w%d w%d w%d w%d", words[0], words[1], words[2], words[3], words[4]);
}

struct run {
    char folder[64], path[96];
    struct oto_lstm_text text, dev;
    struct oto_lstm_vocabulary vocabulary;
    struct oto_lstm_train_options options;
    struct oto_lstm_train_result result;
    int stop_after, n_steps, n_measured;
    double lowest;
};

static void set_up(struct run *r)
{
    struct oto_words words = {0};
    char line[64];
    *r = (struct run){.stop_after = -1, .lowest = 1e9};
    unit_make_folder(r->folder);
    snprintf(r->path, sizeof r->path, "%s/a.otolstm", r->folder);
    for (uint64_t i = 0; i < N_SENTENCES; i++) {
        make_sentence(line, i);
        assert_int_equal(oto_lstm_text_add(&r->text, &words, line, NULL), OTO_OK);
    }
    assert_int_equal(oto_lstm_vocabulary_make(&r->vocabulary, &r->text, &words, 100, 0, NULL),
                     OTO_OK);
    for (uint64_t i = 0; i < 50; i++) {
        make_sentence(line, N_SENTENCES + i);
        assert_int_equal(oto_lstm_text_add_known(&r->dev, &r->vocabulary.words, line, NULL),
                         OTO_OK);
    }
    oto_words_clear(&words);
    assert_int_equal(
        oto_options_init(oto_lstm_train_option_table, oto_lstm_train_n_options, &r->options, NULL),
        OTO_OK);
    oto_free(r->options.output);
    r->options.output = oto_strdup(r->path);
    r->options.hidden = 12;
    r->options.embedding = 6;
    r->options.batch_words = 60;
    r->options.epochs = 1.5;
    r->options.dropout = 0.2;
    r->options.warmup_steps = 5;
    r->options.threads = 1;
    r->options.dev_steps = 20;
}

static void tear_down(struct run *r)
{
    oto_options_clear(oto_lstm_train_option_table, oto_lstm_train_n_options, &r->options);
    oto_lstm_vocabulary_clear(&r->vocabulary);
    oto_lstm_text_clear(&r->text);
    oto_lstm_text_clear(&r->dev);
    unit_remove_folder(r->folder);
}

static bool stop(void *arg)
{
    struct run *r = arg;
    return r->n_steps == r->stop_after;
}

static void tell(void *arg, const struct oto_lstm_train_event *event)
{
    struct run *r = arg;
    r->n_steps++;
    r->n_measured += event->measured;
    if (event->measured && event->perplexity < r->lowest) {
        assert_true(event->best);
        r->lowest = event->perplexity;
    }
}

static oto_status train(struct run *r, oto_error *err)
{
    const struct oto_lstm_train_setup setup = {.options = &r->options,
                                               .vocabulary = &r->vocabulary,
                                               .train = &r->text,
                                               .dev = r->dev.n_sentences > 0 ? &r->dev : NULL,
                                               .stop = stop,
                                               .tell = tell,
                                               .arg = r};
    return oto_lstm_train(&setup, &r->result, err);
}

static void must_train(struct run *r)
{
    oto_error err = {0};
    if (train(r, &err) != OTO_OK)
        fail_msg("%s", err.message);
}

/* The model's bytes; freed by the caller. */
static unsigned char *bytes_of(const struct run *r, size_t *n)
{
    struct oto_map map;
    assert_int_equal(oto_map_open(&map, r->path, NULL), OTO_OK);
    unsigned char *copy = malloc(map.size);
    assert_non_null(copy);
    memcpy(copy, map.data, map.size);
    *n = map.size;
    oto_map_close(&map);
    return copy;
}

static void assert_same_model(const struct run *a, const struct run *b)
{
    size_t n, m;
    unsigned char *x = bytes_of(a, &n), *y = bytes_of(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

/* Well below what an n-gram of four words can reach, and no less than there is to know. */
static void learns_what_an_n_gram_cannot(void **state)
{
    struct run r;
    (void)state;
    set_up(&r);
    r.options.dropout = 0;
    r.options.hidden = 32;
    r.options.epochs = 40;
    r.options.rate = 0.01;
    r.options.batch_words = 240;
    must_train(&r);
    print_message("perplexity %.3f\n", r.result.perplexity);
    assert_true(r.result.perplexity < 3.8);
    assert_true(r.result.perplexity > 3.2);
    assert_true(fabs(r.result.perplexity - r.lowest) < 1e-9);
    assert_int_equal(r.result.n_skipped, 0);
    tear_down(&r);
}

static void threads_change_nothing(void **state)
{
    struct run one, three;
    (void)state;
    set_up(&one);
    set_up(&three);
    one.options.parts = three.options.parts = 3;
    three.options.threads = 3;
    must_train(&one);
    must_train(&three);
    assert_same_model(&one, &three);
    tear_down(&one);
    tear_down(&three);
}

static void stopped_and_resumed(void **state)
{
    struct run whole, stopped;
    oto_error err = {0};
    (void)state;
    set_up(&whole);
    set_up(&stopped);
    must_train(&whole);
    stopped.stop_after = 7; /* in the first epoch, and again in the second */
    must_train(&stopped);
    assert_true(stopped.result.stopped);
    assert_int_equal(train(&stopped, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "--resume");
    stopped.options.resume = true;
    stopped.stop_after = 45;
    must_train(&stopped);
    stopped.stop_after = -1;
    stopped.options.rate = 0.5;
    assert_int_equal(train(&stopped, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "'lr = 0.002', not 'lr = 0.5'");
    stopped.options.rate = 0.002;
    stopped.text.words[0] = 1;
    assert_int_equal(train(&stopped, &err), OTO_ERR_CONFIG);
    assert_contains(err.message, "are not those of the checkpoint");
    stopped.text.words[0] = whole.text.words[0];
    must_train(&stopped);
    assert_false(stopped.result.stopped);
    assert_same_model(&whole, &stopped);
    assert_int_equal(stopped.result.n_steps, whole.result.n_steps);
    tear_down(&whole);
    tear_down(&stopped);
}

static void without_a_dev_text(void **state)
{
    struct run r;
    struct oto_lstm_lm *lm = NULL;
    (void)state;
    set_up(&r);
    oto_lstm_text_clear(&r.dev);
    r.options.weights = OTO_LSTM_F32;
    must_train(&r);
    assert_true(isnan(r.result.perplexity));
    assert_int_equal(r.n_measured, 0);
    assert_int_equal(oto_lstm_lm_load(&lm, r.path, NULL), OTO_OK);
    assert_int_equal(lm->words.n, 2 + N_WORDS);
    oto_lstm_lm_destroy(lm);
    r.options.max_words = 4;
    r.options.overwrite = true;
    oto_error err = {0};
    assert_int_equal(train(&r, &err), OTO_ERR_DATA);
    assert_contains(err.message, "no sentence of up to 4 words");
    tear_down(&r);
}

/* With a limit of time the rate falls with it, and the training ends. */
static void limited_by_time(void **state)
{
    struct run r;
    (void)state;
    set_up(&r);
    r.options.epochs = 1e6;
    r.options.minutes = 0.3 / 60;
    must_train(&r);
    assert_true(r.result.n_steps > 0);
    assert_int_equal(r.result.stopped, false);
    tear_down(&r);
}

static void failing_allocations(void **state)
{
    struct run r;
    (void)state;
    set_up(&r);
    r.options.epochs = 0.05;
    r.options.overwrite = true;
    must_train(&r);
    oto_mem_fail_nth(0);
    must_train(&r);
    const size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 30, 5000);
    size_t n_failed = 0;
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        const oto_status status = train(&r, NULL);
        assert_true(status == OTO_ERR_MEMORY || status == OTO_OK);
        n_failed += status == OTO_ERR_MEMORY;
    }
    /* Names of older checkpoints that cannot be made are passed over, a hundred of them. */
    assert_true(n_failed + 101 >= n);
    assert_true(n_failed > 60);
    oto_mem_fail_nth(0);
    tear_down(&r);
}

static oto_status read_text(void)
{
    struct oto_lstm_text text = {0};
    struct oto_lstm_vocabulary v = {0};
    struct oto_words words = {0};
    oto_status status = oto_lstm_text_add(&text, &words, "a b c", NULL);
    if (status == OTO_OK)
        status = oto_lstm_text_add(&text, &words, "a", NULL);
    if (status == OTO_OK)
        status = oto_lstm_vocabulary_make(&v, &text, &words, 4, 0, NULL);
    oto_lstm_vocabulary_clear(&v);
    oto_lstm_text_clear(&text);
    oto_words_clear(&words);
    return status;
}

static void failing_allocations_of_text(void **state)
{
    (void)state;
    oto_mem_fail_nth(0);
    assert_int_equal(read_text(), OTO_OK);
    const size_t n = oto_mem_fail_nth(0);
    assert_in_range(n, 6, 100);
    for (size_t nth = 1; nth <= n; nth++) {
        oto_mem_fail_nth(nth);
        assert_int_equal(read_text(), OTO_ERR_MEMORY);
    }
    oto_mem_fail_nth(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vocabulary),
        cmocka_unit_test(learns_what_an_n_gram_cannot),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(stopped_and_resumed),
        cmocka_unit_test(without_a_dev_text),
        cmocka_unit_test(limited_by_time),
        cmocka_unit_test(failing_allocations),
        cmocka_unit_test(failing_allocations_of_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
