/* SPDX-License-Identifier: BSD-2-Clause */
/* Model files: what is in them, whether they are whole, and the form of their weights. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "cli/common.h"
#include "cli/json.h"
#include "cli/model.h"
#include "models/bundle.h"
#include "otolith/otolith.h"

static const char *const format_names[] = {"text", "json", NULL};
static const char *const weight_names[] = {"f32", "f16", NULL}; /* as enum oto_weight_type */
static const char *const stored_names[] = {"f32", "f16", "i8"};

static const char *const source_names[] = {"pytorch", NULL};
static int (*const importers[])(const struct oto_import_options *options, const char *in,
                                const char *out) = {oto_cli_import_pytorch}; /* as source_names */

struct model_options {
    int format, weights, from, hidden;
    double share;
    char *like, *prefix;
    char *grammar, *lexicon, *lm, *rescore, *second, *statistics, *priors;
    double cmvn_margin;
    struct oto_beam_options beam;
    struct oto_language_options language;
    struct oto_rescore_options rescoring;
    int argc;
    char **argv;
};

#define FIELD(f) .offset = offsetof(struct model_options, f)
/* clang-format off */
static const struct oto_option option_table[] = {
    {.name = "format", .short_name = 'f', .type = OTO_OPTION_CHOICE, FIELD(format), .default_text = "text",
     .choices = format_names, .help = "What info prints."},
    {.name = "weights", .short_name = 'w', .type = OTO_OPTION_CHOICE, FIELD(weights), .default_text = "f32",
     .choices = weight_names, .help = "How convert and import store weights: single precision, or half of it in half the space."},
    {.name = "from", .type = OTO_OPTION_CHOICE, FIELD(from), .default_text = "pytorch", .choices = source_names,
     .help = "Names and gate order of the weights that import reads: a PyTorch state dict saved as safetensors."},
    {.name = "hidden", .type = OTO_OPTION_INT, FIELD(hidden), .default_text = "0", .min = 0, .max = 4096, .argument = "N",
     .help = "Units that prune keeps of a layer in each direction: those that weigh most where they are read."},
    {.name = "share", .type = OTO_OPTION_REAL, FIELD(share), .default_text = "0", .min = 0, .max = 1, .argument = "X",
     .help = "Share of the first model in an average, the others share the rest alike; 0: all alike."},
    {.name = "like", .type = OTO_OPTION_TEXT, FIELD(like), .default_text = "", .argument = "MODEL",
     .help = "Model whose front end, alphabet and decoder go with imported weights."},
    {.name = "prefix", .type = OTO_OPTION_TEXT, FIELD(prefix), .default_text = "", .argument = "TEXT",
     .help = "What stands before each imported name, such as 'model.'; other tensors are not looked at."},
    {.name = "grammar", .type = OTO_OPTION_TEXT, FIELD(grammar), .default_text = "", .argument = "FILE",
     .help = "Grammar, JSGF, that set puts into the model; 'none' takes out the one that is there."},
    {.name = "lexicon", .type = OTO_OPTION_TEXT, FIELD(lexicon), .default_text = "", .argument = "FILE",
     .help = "Word list that set puts into the model, one word a line; 'none' takes out the one that is there."},
    {.name = "lm", .type = OTO_OPTION_TEXT, FIELD(lm), .default_text = "", .argument = "FILE",
     .help = "Language model, ARPA, binary or that of another model file, that set puts into the model; 'none' takes out the one that is there."},
    {.name = "rescore", .type = OTO_OPTION_TEXT, FIELD(rescore), .default_text = "", .argument = "FILE",
     .help = "LSTM language model of a second pass, of a file or of another model file, that set puts into the model; 'none' takes out the one that is there."},
    {.name = "second", .type = OTO_OPTION_TEXT, FIELD(second), .default_text = "", .argument = "MODEL",
     .help = "Model file whose network set puts beside the model's own, to hear the texts of the second pass; 'none' takes out the one that is there."},
    {.name = "statistics", .type = OTO_OPTION_TEXT, FIELD(statistics), .default_text = "", .argument = "MANIFEST",
     .help = "Corpus whose mean and variance set puts into the model: live text starts from them, where training did not store its own."},
    {.name = "cmvn-margin", .type = OTO_OPTION_REAL, FIELD(cmvn_margin), .default_text = "nan", .min = 0, .max = 10000, .argument = "MS",
     .help = "What set makes of this option of the front end: mean and variance of an utterance from frames at most so far from loud ones; 0 is from all."},
    {.name = "priors", .type = OTO_OPTION_TEXT, FIELD(priors), .default_text = "", .argument = "MANIFEST",
     .help = "Corpus, its texts are not looked at, over which set finds what the network writes on average, for --prior-scale; 'none' takes it out."},
};
/* clang-format on */
#define N_OPTIONS (sizeof option_table / sizeof option_table[0])

static const struct oto_cli_usage usage = {
    .verb = "model",
    .synopsis = "  otolith model info [options] [MODEL...]\n"
                "  otolith model verify [MODEL...]\n"
                "  otolith model convert --weights=f16|f32 IN OUT\n"
                "  otolith model set [--grammar=FILE|none] [--lexicon=FILE|none] [--lm=FILE|none]\n"
                "      [--rescore=FILE|none] [--second=MODEL|none] [--beam=N ...]\n"
                "      [--statistics=MANIFEST] [--cmvn-margin=MS] [--priors=MANIFEST|none] IN OUT\n"
                "  otolith model quantize IN OUT\n"
                "  otolith model prune --hidden=N IN OUT\n"
                "  otolith model average [--share=X] IN IN... OUT\n"
                "  otolith model export IN OUT.safetensors\n"
                "  otolith model import --like=MODEL [--prefix=TEXT] IN.safetensors OUT\n",
    .examples =
        "  otolith model info english\n"
        "  otolith model info --format=json models/digits-en.oto | jq .card\n"
        "  otolith model verify *.oto\n"
        "  otolith model convert --weights=f16 big.oto small.oto\n"
        "  otolith model set --grammar=lamp.gram english.oto lamp.oto\n"
        "  otolith model set --lexicon=words.txt english.oto commands.oto\n"
        "  otolith model set --lm=en.otolm --lm-weight=0.6 --word-bonus=1 plain.oto english.oto\n"
        "  otolith model set --rescore=en.otolstm --rescore-weight=0.6 english.oto better.oto\n"
        "  otolith model set --second=other.oto --second-weight=0.5 english.oto better.oto\n"
        "  otolith model quantize english english-8bit.oto\n"
        "  otolith model prune --hidden=224 english narrow.oto\n"
        "  otolith model average --share=0.6 tuned.oto before.oto both.oto\n"
        "  otolith model export english english.safetensors\n"
        "  otolith model import --like=english tuned.safetensors tuned.oto\n",
    .notes =
        "MODEL is a file, or a name in the search path; none is the default model. verify "
        "reads every byte,\n"
        "checks every checksum and value, and prints 'FILE: ok'. Exit code 65: the file is "
        "damaged or not a\n"
        "model; 66: it is missing; 1: some of several failed. quantize stores the recurrent layers "
        "as 8-bit\n"
        "integers, with which the model is then run: a quarter of the size, and faster. "
        "convert, prune,\n"
        "export and otolith train --init=MODEL read such a model as the numbers that the "
        "integers stand for.\n"
        "prune makes a smaller network, which must be trained on (train --init=OUT --hidden=N).\n"
        "average is for models that went on from the same start: everything but the weights is "
        "the first one's.\n",
};

/* ---- info -------------------------------------------------------------------------------- */

static void print_row(const char *name, const char *value)
{
    if (value[0] != 0)
        printf("  %-14s%s\n", name, value);
}

static void print_rate(const char *name, double rate)
{
    if (!isnan(rate))
        printf("  %-14s%.2f %%\n", name, 100 * rate);
}

static void print_card(const struct oto_card *card)
{
    print_row("name", card->name);
    print_row("licence", card->licence);
    print_row("date", card->date);
    print_row("data", card->data);
    print_rate("dev WER", card->dev_wer);
    print_rate("dev CER", card->dev_cer);
    print_rate("test WER", card->test_wer);
    if (!isnan(card->train_hours))
        printf("  %-14s%.2f hours\n", "training", card->train_hours);
    print_row("notes", card->notes);
}

/* The recipe is a file of its own: as it is, indented. */
static void print_recipe(const char *text)
{
    if (text[0] != 0)
        printf("\nRecipe\n");
    while (*text != 0) {
        size_t n = strcspn(text, "\n");
        printf("  %.*s\n", (int)n, text);
        text += n + (text[n] != 0);
    }
}

static void print_alphabet(const struct oto_alphabet *a)
{
    static const char *const cases[] = {"kept", "lower", "upper"};
    printf("  %d symbols, letter case %s, punctuation %s\n ", a->n_symbols - 1,
           cases[a->policy.letter_case],
           a->policy.punctuation == OTO_PUNCTUATION_STRIP ? "stripped" : "kept");
    for (int k = 1; k < a->n_symbols; k++)
        printf(" %s", k == a->space ? "(space)" : a->symbols[k]);
    printf("\n");
}

static void print_options(const char *title, const struct oto_option *table, size_t n,
                          const void *src)
{
    printf("\n%s\n", title);
    for (size_t i = 0; i < n; i++) {
        char *value = oto_options_get(&table[i], src);
        printf("  %-20s%s\n", table[i].name, value != NULL ? value : "?");
        oto_free(value);
    }
}

/* What it differs in: the front end's rates and the symbols are the first network's. */
static void print_second(const struct oto_bundle *b)
{
    const struct oto_network_shape *s = &b->shape;
    printf("\nSecond network\n  %d x BLSTM of %d units a direction\n  a frame of output every %g "
           "ms\n  %d inputs, %zu parameters stored as %s\n",
           s->n_layers, s->n_hidden, oto_bundle_stride(b) * b->frontend.frame_shift_ms, s->n_inputs,
           oto_network_n_parameters(s), stored_names[b->weight_type]);
    print_card(&b->card);
}

static void info_text(const char *path, const struct oto_bundle *b)
{
    const struct oto_network_shape *s = &b->shape;
    printf("%s\n", path);
    print_card(&b->card);
    printf("\nNetwork\n  %d x BLSTM of %d units a direction", s->n_layers, s->n_hidden);
    if (s->n_proj > 0)
        printf(", projected to %d", s->n_proj);
    if (s->reduce_after != 0) {
        char layers[16];
        oto_network_print_reductions(layers, s->reduce_after);
        printf(", frames paired after layer %s", layers);
    }
    printf("\n  a frame of output every %g ms", oto_bundle_stride(b) * b->frontend.frame_shift_ms);
    printf("\n  %d inputs, %d outputs, %zu parameters stored as %s, %zu bytes in all\n",
           s->n_inputs, s->n_outputs, oto_network_n_parameters(s), stored_names[b->weight_type],
           b->map.size);
    printf("\nAlphabet\n");
    print_alphabet(b->alphabet);
    print_options("Front end", oto_frontend_option_table, oto_frontend_n_options, &b->frontend);
    if (b->cmvn.count > 0)
        printf("  %-20s%.0f frames\n", "cmvn statistics", b->cmvn.count);
    if (b->log_priors != NULL)
        printf("  %-20s%.3f of the blank\n", "priors", exp(b->log_priors[0]));
    print_options("Decoder", oto_beam_option_table, oto_beam_n_options, &b->beam);
    if (b->lexicon != NULL)
        printf("  %-20s%d words\n", "lexicon", (int)b->lexicon->n_words);
    if (b->grammar != NULL)
        printf("  %-20s%s, %d states\n", "grammar", b->grammar->name, (int)b->grammar->n_states);
    if (b->lm != NULL) {
        print_options("Language model", oto_language_option_table, oto_language_n_options,
                      &b->language);
        printf("  %-20s%d\n  %-20s%u\n  %-20s%zu\n", "order", oto_lm_order(b->lm), "words",
               (unsigned)oto_lm_n_words(b->lm), "bytes", oto_lm_size(b->lm));
    }
    if (b->lstm != NULL || b->second != NULL)
        print_options("Second pass", oto_rescore_option_table, oto_bundle_n_rescore(b),
                      &b->rescore);
    if (b->lstm != NULL) {
        printf("\nLSTM language model\n  %-20s%d x %d\n  %-20s%d\n  %-20s%zu\n", "layers",
               b->lstm->shape.n_layers, b->lstm->shape.n_hidden, "words", b->lstm->shape.n_words,
               "bytes", b->lstm->file_size);
    }
    if (b->second != NULL)
        print_second(b->second);
    print_recipe(b->card.recipe);
}

static void json_field(const char *name, const char *value)
{
    printf(",\"%s\":", name);
    oto_json_text(stdout, value);
}

static void json_rate(const char *name, double value)
{
    printf(",\"%s\":", name);
    oto_json_exact(stdout, value);
}

static void info_json(const char *path, const struct oto_bundle *b)
{
    static const char *const cases[] = {"keep", "lower", "upper"};
    const struct oto_network_shape *s = &b->shape;
    const struct oto_card *card = &b->card;
    printf("{\"v\":1,\"file\":");
    oto_json_text(stdout, path);
    printf(",\"bytes\":%zu,\"card\":{\"name\":", b->map.size);
    oto_json_text(stdout, card->name);
    json_field("licence", card->licence);
    json_field("date", card->date);
    json_field("data", card->data);
    json_field("recipe", card->recipe);
    json_field("notes", card->notes);
    json_rate("dev_wer", card->dev_wer);
    json_rate("dev_cer", card->dev_cer);
    json_rate("test_wer", card->test_wer);
    json_rate("train_hours", card->train_hours);
    printf("},\"network\":{\"inputs\":%d,\"layers\":%d,\"hidden\":%d,\"projection\":%d,\"outputs\":"
           "%d,",
           s->n_inputs, s->n_layers, s->n_hidden, s->n_proj, s->n_outputs);
    if (s->reduce_after != 0) {
        char layers[16];
        oto_network_print_reductions(layers, s->reduce_after);
        printf("\"reduce-after\":[%s],", layers);
    }
    printf("\"parameters\":%zu,\"weights\":\"%s\"},\"frontend\":", oto_network_n_parameters(s),
           stored_names[b->weight_type]);
    oto_json_options(stdout, oto_frontend_option_table, oto_frontend_n_options, &b->frontend);
    printf(",\"cmvn_frames\":");
    oto_json_number(stdout, b->cmvn.count);
    if (b->log_priors != NULL) {
        printf(",\"log_priors\":[");
        for (int k = 0; k < s->n_outputs; k++) {
            if (k > 0)
                putchar(',');
            oto_json_exact(stdout, b->log_priors[k]);
        }
        putchar(']');
    }
    printf(",\"decoder\":");
    oto_json_options(stdout, oto_beam_option_table, oto_beam_n_options, &b->beam);
    printf(",\"lexicon_words\":%d", b->lexicon != NULL ? (int)b->lexicon->n_words : 0);
    if (b->grammar != NULL) {
        printf(",\"grammar\":{\"bytes\":%zu", b->grammar->text_size);
        json_field("name", b->grammar->name);
        putchar('}');
    }
    if (b->lm != NULL) {
        printf(",\"lm\":{\"order\":%d,\"words\":%u,\"bytes\":%zu,\"search\":", oto_lm_order(b->lm),
               (unsigned)oto_lm_n_words(b->lm), oto_lm_size(b->lm));
        oto_json_options(stdout, oto_language_option_table, oto_language_n_options, &b->language);
        putchar('}');
    }
    if (b->lstm != NULL) {
        printf(",\"lstm\":{\"layers\":%d,\"hidden\":%d,\"words\":%d,\"bytes\":%zu,\"search\":",
               b->lstm->shape.n_layers, b->lstm->shape.n_hidden, b->lstm->shape.n_words,
               b->lstm->file_size);
        oto_json_options(stdout, oto_rescore_option_table, oto_bundle_n_rescore(b), &b->rescore);
        putchar('}');
    }
    if (b->second != NULL) {
        const struct oto_network_shape *t = &b->second->shape;
        printf(",\"second\":{\"inputs\":%d,\"layers\":%d,\"hidden\":%d,\"parameters\":%zu,"
               "\"weights\":\"%s\",\"search\":",
               t->n_inputs, t->n_layers, t->n_hidden, oto_network_n_parameters(t),
               stored_names[b->second->weight_type]);
        oto_json_options(stdout, oto_rescore_option_table, oto_bundle_n_rescore(b), &b->rescore);
        printf(",\"frontend\":");
        oto_json_options(stdout, oto_frontend_option_table, oto_frontend_n_options,
                         &b->second->frontend);
        json_field("name", b->second->card.name);
        putchar('}');
    }
    printf(",\"alphabet\":{\"case\":\"%s\",\"punctuation\":\"%s\",\"symbols\":[",
           cases[b->alphabet->policy.letter_case],
           b->alphabet->policy.punctuation == OTO_PUNCTUATION_STRIP ? "strip" : "keep");
    for (int k = 1; k < b->alphabet->n_symbols; k++) {
        if (k > 1)
            putchar(',');
        oto_json_text(stdout, b->alphabet->symbols[k]);
    }
    printf("]}}\n");
}

/* ---- actions ----------------------------------------------------------------------------- */

struct oto_bundle *oto_cli_load_model(const char *name, char *path, size_t capacity, int *code)
{
    oto_error err = {0};
    struct oto_bundle *bundle = NULL;
    if (oto_model_find(name, path, capacity, &err) != OTO_OK)
        *code = oto_cli_fail(&err, NULL);
    else if (oto_bundle_load(&bundle, path, &err) != OTO_OK)
        *code = oto_cli_fail(&err, path);
    return bundle;
}

int oto_cli_save_model(const struct oto_bundle *bundle, const char *path)
{
    oto_error err = {0};
    oto_status status = oto_bundle_save(bundle, path, &err);
    if (status == OTO_OK)
        return OTO_EXIT_OK;
    int code = oto_cli_fail(&err, NULL);
    return status == OTO_ERR_NOT_FOUND || status == OTO_ERR_IO ? OTO_EXIT_CANNOT_CREATE : code;
}

static int run_info(const struct model_options *o, const char *name)
{
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(name, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    if (o->format == 1)
        info_json(path, bundle);
    else
        info_text(path, bundle);
    oto_bundle_destroy(bundle);
    return OTO_EXIT_OK;
}

static int run_verify(const struct model_options *o, const char *name)
{
    (void)o;
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(name, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    printf("%s: ok\n", path);
    oto_bundle_destroy(bundle);
    return OTO_EXIT_OK;
}

static int run_convert(const struct model_options *o, const char *in, const char *out)
{
    char path[4096];
    int code = OTO_EXIT_OK;
    struct oto_bundle *bundle = oto_cli_load_model(in, path, sizeof path, &code);
    if (bundle == NULL)
        return code;
    oto_error err = {0};
    bundle->weight_type = (enum oto_weight_type)o->weights;
    if (oto_bundle_dequantize(bundle, &err) == OTO_OK)
        code = oto_cli_save_model(bundle, out);
    else
        code = oto_cli_fail(&err, path);
    oto_bundle_destroy(bundle);
    return code;
}

/* Whether one of the options is on the command line. */
static bool any_given(const struct oto_option *table, size_t n, const struct model_options *o)
{
    for (size_t i = 0; i < n; i++)
        if (oto_options_in_argv(&table[i], o->argc, o->argv))
            return true;
    return false;
}

static int run_set(const struct model_options *o, const char *in, const char *out)
{
    if (o->grammar[0] == 0 && o->lexicon[0] == 0 && o->lm[0] == 0 && o->rescore[0] == 0 &&
        o->second[0] == 0 && o->statistics[0] == 0 && o->priors[0] == 0 && isnan(o->cmvn_margin) &&
        !any_given(oto_beam_option_table, oto_beam_n_options, o) &&
        !any_given(oto_language_option_table, oto_language_n_options, o) &&
        !any_given(oto_rescore_option_table, oto_rescore_n_options, o))
        return oto_cli_usage_error(
            "model", "set needs --grammar=FILE, --lexicon=FILE, --lm=FILE, "
                     "--rescore=FILE or --second=MODEL (none to take it out), "
                     "--statistics or --priors=MANIFEST, --cmvn-margin=MS, or a number of the "
                     "search");
    const struct oto_model_set set = {.grammar = o->grammar,
                                      .lexicon = o->lexicon,
                                      .lm = o->lm,
                                      .rescore = o->rescore,
                                      .second = o->second,
                                      .statistics = o->statistics,
                                      .priors = o->priors,
                                      .cmvn_margin_ms = o->cmvn_margin,
                                      .beam = o->beam,
                                      .language = o->language,
                                      .rescoring = o->rescoring,
                                      .argc = o->argc,
                                      .argv = o->argv};
    return oto_cli_set_search(&set, in, out);
}

static int run_each(int (*action)(const struct model_options *, const char *),
                    const struct model_options *o, const char **names, int n)
{
    if (n == 0)
        return action(o, NULL);
    int n_failed = 0, code = OTO_EXIT_OK;
    for (int i = 0; i < n; i++) {
        code = action(o, names[i]);
        n_failed += code != OTO_EXIT_OK;
    }
    if (n == 1 || n_failed == 0)
        return n_failed > 0 ? code : OTO_EXIT_OK;
    oto_cli_error("%d done, %d failed", n - n_failed, n_failed);
    return OTO_EXIT_SOME_FAILED;
}

static int run_import(const struct model_options *o, const char *in, const char *out)
{
    if (o->like[0] == 0)
        return oto_cli_usage_error("model",
                                   "import needs --like=MODEL: weights alone have no front "
                                   "end and no alphabet");
    const struct oto_import_options options = {o->like, o->prefix,
                                               (enum oto_weight_type)o->weights};
    return importers[o->from](&options, in, out);
}

static int run_quantize(const struct model_options *o, const char *in, const char *out)
{
    (void)o;
    return oto_cli_quantize(in, out);
}

static int run_prune(const struct model_options *o, const char *in, const char *out)
{
    if (o->hidden == 0)
        return oto_cli_usage_error("model", "prune needs --hidden=N, the units to keep");
    return oto_cli_prune(o->hidden, in, out);
}

static int run_average(const struct model_options *o, const char **names, int n)
{
    return oto_cli_average(o->share, names, n - 1, n > 0 ? names[n - 1] : NULL);
}

static int run_export(const struct model_options *o, const char *in, const char *out)
{
    (void)o;
    return oto_cli_export(in, out);
}

static const struct {
    const char *name;
    int (*each)(const struct model_options *o, const char *name); /* any number of models, or */
    int (*pair)(const struct model_options *o, const char *in, const char *out);
    int (*all)(const struct model_options *o, const char **names, int n); /* OUT comes last */
} actions[] = {{"info", .each = run_info},       {"verify", .each = run_verify},
               {"convert", .pair = run_convert}, {"quantize", .pair = run_quantize},
               {"set", .pair = run_set},         {"import", .pair = run_import},
               {"export", .pair = run_export},   {"prune", .pair = run_prune},
               {"average", .all = run_average}};

static int run_action(const struct model_options *o, const char **operands, int n)
{
    static const char expected[] = "info, verify, convert, quantize, prune, average, set, "
                                   "import or export expected";
    if (n == 0)
        return oto_cli_usage_error("model", "%s", expected);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (strcmp(operands[0], actions[i].name) != 0)
            continue;
        if (actions[i].each != NULL)
            return run_each(actions[i].each, o, operands + 1, n - 1);
        if (actions[i].all != NULL)
            return actions[i].all(o, operands + 1, n - 1);
        if (n != 3)
            return oto_cli_usage_error("model", "%s takes IN and OUT, found %d names", operands[0],
                                       n - 1);
        return actions[i].pair(o, operands[1], operands[2]);
    }
    return oto_cli_usage_error("model", "%s, found '%s'", expected, operands[0]);
}

int oto_cmd_model(int argc, char **argv)
{
    struct model_options options = {.argc = argc, .argv = argv};
    const struct oto_option_group groups[] = {
        {"Options:", option_table, N_OPTIONS, &options},
        {"Numbers of the search that set changes:", oto_beam_option_table, oto_beam_n_options,
         &options.beam},
        {"Numbers that go with a language model:", oto_language_option_table,
         oto_language_n_options, &options.language},
        {"Numbers that go with a second pass:", oto_rescore_option_table, oto_rescore_n_options,
         &options.rescoring},
        {0}};
    oto_error err = {0};
    int n = 0, code = OTO_EXIT_SYSTEM;
    const char **operands = calloc((size_t)argc, sizeof *operands);
    if (operands == NULL || oto_options_init(option_table, N_OPTIONS, &options, &err) != OTO_OK ||
        oto_options_init(oto_beam_option_table, oto_beam_n_options, &options.beam, &err) !=
            OTO_OK ||
        oto_options_init(oto_language_option_table, oto_language_n_options, &options.language,
                         &err) != OTO_OK ||
        oto_options_init(oto_rescore_option_table, oto_rescore_n_options, &options.rescoring,
                         &err) != OTO_OK)
        oto_cli_error("out of memory (options)");
    else if (oto_cli_parse(&usage, groups, argc, argv, operands, &n, &code))
        code = run_action(&options, operands, n);
    oto_options_clear(option_table, N_OPTIONS, &options);
    free(operands);
    return code;
}
