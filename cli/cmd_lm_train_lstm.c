/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith lm train-lstm: LSTM language models from text. */
#include <math.h>

#include "base/mem.h"
#include "cli/lm.h"
#include "cli/progress.h"
#include "cli/stop.h"
#include "models/lstm_lm.h"
#include "training/lstm_trainer.h"

struct text_options {
    char *dev;
    int letter_case, punctuation;
};

#define FIELD(f) .offset = offsetof(struct text_options, f)
/* clang-format off */
static const struct oto_option text_option_table[] = {
    {.name = "dev", .type = OTO_OPTION_TEXT, FIELD(dev), .default_text = "", .argument = "TEXT",
     .help = "Text that is not learned from, one sentence a line: the model that gives it the highest probability is kept."},
    {.name = "case", .type = OTO_OPTION_CHOICE, FIELD(letter_case), .default_text = "lower", .choices = oto_lm_case_names,
     .help = "Letter case that the texts are brought to, as in training."},
    {.name = "punctuation", .type = OTO_OPTION_CHOICE, FIELD(punctuation), .default_text = "strip",
     .choices = oto_lm_punctuation_names, .help = "Whether punctuation but the apostrophe is removed, as in training."},
};
/* clang-format on */
#define N_TEXT_OPTIONS (sizeof text_option_table / sizeof text_option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "lm",
    .synopsis = "  otolith lm train-lstm [options] -o FILE [TEXT...]\n",
    .examples = "  otolith lm train-lstm --dev=dev.txt -o en.otolstm books.txt.xz\n"
                "  otolith lm train-lstm --hidden=512 --layers=2 --dropout=0.1 --epochs=3 "
                "--dev=dev.txt -o en.otolstm *.txt\n"
                "  otolith lm train-lstm --minutes=40 --dev=dev.txt -o en.otolstm books.txt.xz\n"
                "  otolith lm train-lstm --init=en.otolstm --lr=0.0005 -o reports.otolstm "
                "reports.txt\n",
    .notes = "TEXT holds one sentence a line, plain or compressed; - or none is standard input. "
             "Prints the\n"
             "perplexity of the dev text whenever it was measured: step, nats a word in training, "
             "perplexity, the\n"
             "same without unknown words, with tabs between.\n"
             "Ends with a checkpoint when it is interrupted; --resume goes on from it.\n",
};

/* ---- texts ------------------------------------------------------------------------------- */

struct reading {
    struct oto_lstm_text *text;
    struct oto_words *words; /* new ones are added; or those of a vocabulary */
    bool known;
    struct oto_progress *progress;
    struct oto_text_policy policy;
};

static oto_status read_text(const struct reading *r, const char *path, oto_error *err)
{
    struct oto_lines *in = NULL;
    char *text = NULL;
    oto_status status = oto_lines_open(&in, path, err);
    while (status == OTO_OK) {
        status = oto_lm_next_sentence(in, &r->policy, &text, err);
        if (status != OTO_OK || text == NULL)
            break;
        status = r->known ? oto_lstm_text_add_known(r->text, r->words, text, err)
                          : oto_lstm_text_add(r->text, r->words, text, err);
        oto_free(text);
        oto_progress_show(r->progress, "%s: %zu lines", path, oto_lines_number(in));
    }
    oto_lines_close(in);
    return status;
}

/* ---- training ---------------------------------------------------------------------------- */

struct train_command {
    struct oto_lstm_train_options train;
    struct text_options text;
    struct oto_progress progress;
    struct oto_lstm_text learned, dev;
    struct oto_lstm_vocabulary vocabulary;
    struct oto_lstm_lm *init; /* NULL: from random weights */
};

static void tell(void *arg, const struct oto_lstm_train_event *event)
{
    struct train_command *c = arg;
    if (!event->measured) {
        oto_progress_show(&c->progress,
                          "%.1f %%, step %llu: %.3f nats a word, learning rate %.5f, %.0f words/s",
                          100 * event->done, (unsigned long long)event->step, event->loss,
                          event->rate, event->words_per_s);
        return;
    }
    oto_progress_hide();
    printf("%llu\t%.4f\t%.2f\t%.2f\n", (unsigned long long)event->step, event->loss,
           event->perplexity, event->known_perplexity);
    fflush(stdout);
}

/* The model to go on from says what network and words there are; options that say something else
 * are refused. */
static oto_status read_init(struct train_command *c, oto_error *err)
{
    struct oto_lstm_train_options *o = &c->train, plain = {0};
    oto_status status = oto_lstm_lm_load(&c->init, o->init, err);
    if (status == OTO_OK)
        status =
            oto_options_init(oto_lstm_train_option_table, oto_lstm_train_n_options, &plain, err);
    if (status != OTO_OK)
        return status;
    const struct oto_word_shape *s = &c->init->shape;
    const struct {
        const char *name;
        int *ours, usual, theirs;
    } options[] = {{"layers", &o->layers, plain.layers, s->n_layers},
                   {"hidden", &o->hidden, plain.hidden, s->n_hidden},
                   {"embedding", &o->embedding, plain.embedding, s->n_embed},
                   {"vocabulary", &o->vocabulary, plain.vocabulary, s->n_words},
                   {"classes", &o->classes, plain.classes, s->n_classes}};
    oto_options_clear(oto_lstm_train_option_table, oto_lstm_train_n_options, &plain);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (*options[i].ours != options[i].usual && *options[i].ours != options[i].theirs)
            return oto_fail(err, OTO_ERR_CONFIG,
                            "--init=%s: the model has --%s=%d, this run has %d", o->init,
                            options[i].name, options[i].theirs, *options[i].ours);
        *options[i].ours = options[i].theirs;
    }
    return oto_lstm_vocabulary_copy(&c->vocabulary, &c->init->words, c->init->class_first,
                                    s->n_classes, c->init->n_unknown, err);
}

static oto_status read_all(struct train_command *c, const char **paths, int n, const char **path,
                           oto_error *err)
{
    struct oto_words words = {0};
    struct reading r = {.text = &c->learned,
                        .words = &words,
                        .progress = &c->progress,
                        .policy = {c->text.letter_case, c->text.punctuation}};
    oto_status status = OTO_OK;
    if (c->train.init[0] != 0) {
        *path = c->train.init;
        status = read_init(c, err);
        r.words = &c->vocabulary.words;
        r.known = true;
    }
    for (int i = 0; status == OTO_OK && i < n; i++)
        status = read_text(&r, *path = paths[i], err);
    if (status == OTO_OK && c->init == NULL)
        status = oto_lstm_vocabulary_make(&c->vocabulary, &c->learned, &words, c->train.vocabulary,
                                          c->train.classes, err);
    oto_words_clear(&words);
    if (status != OTO_OK || c->text.dev[0] == 0)
        return status;
    r.text = &c->dev;
    r.words = &c->vocabulary.words;
    r.known = true;
    status = read_text(&r, *path = c->text.dev, err);
    if (status == OTO_OK && c->dev.n_sentences == 0)
        status = oto_fail(err, OTO_ERR_DATA, "%s: no words", c->text.dev);
    return status;
}

static void print_text(const struct train_command *c)
{
    const struct oto_lstm_vocabulary *v = &c->vocabulary;
    oto_cli_note("%zu sentences, %zu words, %zu of them unknown; vocabulary of %u words in %d "
                 "classes, %llu different words left out",
                 c->learned.n_sentences, c->learned.n_words, c->learned.n_unknown, v->words.n,
                 v->n_classes, (unsigned long long)v->n_unknown);
    if (c->dev.n_sentences > 0)
        oto_cli_note("dev: %zu sentences, %zu words, %zu of them unknown", c->dev.n_sentences,
                     c->dev.n_words, c->dev.n_unknown);
}

static int report(const struct train_command *c, const struct oto_lstm_train_result *r)
{
    oto_cli_note("%zu parameters, %llu steps, %llu skipped, %zu sentences too long",
                 r->n_parameters, (unsigned long long)r->n_steps, (unsigned long long)r->n_skipped,
                 r->n_too_long);
    if (r->stopped) {
        oto_cli_note("stopped; --resume goes on");
        return oto_cli_stopped_exit();
    }
    if (isnan(r->perplexity))
        oto_cli_note("%s", c->train.output);
    else
        oto_cli_note("%s: perplexity %.2f", c->train.output, r->perplexity);
    return OTO_EXIT_OK;
}

static int run_train(struct train_command *c, const char **operands, int n)
{
    static const char *standard_input[] = {"-"};
    struct oto_lstm_train_result result;
    oto_error err = {0};
    const char *path = NULL;
    if (c->train.output[0] == 0)
        return oto_cli_usage_error("lm", "train-lstm: no output; name one with -o FILE");
    oto_progress_init(&c->progress, stderr, oto_cli_verbosity() != OTO_QUIET);
    oto_status status = read_all(c, n > 0 ? operands : standard_input, n > 0 ? n : 1, &path, &err);
    oto_progress_hide();
    if (status == OTO_OK) {
        const struct oto_lstm_train_setup setup = {.options = &c->train,
                                                   .vocabulary = &c->vocabulary,
                                                   .params =
                                                       c->init != NULL ? c->init->params : NULL,
                                                   .train = &c->learned,
                                                   .dev = c->dev.n_sentences > 0 ? &c->dev : NULL,
                                                   .stop = oto_cli_is_stopped,
                                                   .tell = tell,
                                                   .arg = c};
        path = c->train.output;
        print_text(c);
        oto_cli_catch_stop();
        status = oto_lstm_train(&setup, &result, &err);
    }
    oto_progress_end(&c->progress);
    int code = status == OTO_OK ? report(c, &result) : oto_cli_fail(&err, path);
    oto_lstm_text_clear(&c->learned);
    oto_lstm_text_clear(&c->dev);
    oto_lstm_vocabulary_clear(&c->vocabulary);
    oto_lstm_lm_destroy(c->init);
    return code;
}

int oto_cmd_lm_train_lstm(int argc, char **argv)
{
    struct train_command c = {0};
    const struct oto_option_group groups[] = {
        {"Text:", text_option_table, N_TEXT_OPTIONS, &c.text},
        {"Network and training:", oto_lstm_train_option_table, oto_lstm_train_n_options, &c.train},
        {0}};
    const char **operands = NULL;
    int n = 0, code = OTO_EXIT_OK;
    if (oto_lm_parse_options(&usage, groups, argc, argv, &operands, &n, &code))
        code = run_train(&c, operands, n);
    oto_lm_clear_options(groups, operands);
    return code;
}
