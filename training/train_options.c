/* SPDX-License-Identifier: BSD-2-Clause */
#include "training/train_options.h"

#include <string.h>

#include "training/best_n.h"
#include "training/corpus.h"

static const char *const chunk_cmvn_names[] = {"same", "sliding", NULL};
static const char *const init_output_names[] = {"match", "new", NULL};
static const char *const bad_lines_names[] = {"error", "skip", NULL};
static const char *const case_names[] = {"keep", "lower", "upper", NULL};
static const char *const punctuation_names[] = {"keep", "strip", NULL};
static const char *const unknown_names[] = {"error", "skip", "drop", NULL};
static const char *const schedule_names[] = {"constant", "linear", "cosine",
                                             "plateau",  "newbob", NULL};
static const char *const decode_names[] = {"greedy", "beam", NULL};
static const char *const weight_names[] = {"f32", "f16", NULL};

#define FIELD(f) .offset = offsetof(struct oto_train_options, f)

/* clang-format off */
const struct oto_option oto_train_option_table[] = {
    {.name = "train", .type = OTO_OPTION_TEXT, FIELD(train), .default_text = "", .argument = "LIST",
     .help = "Manifests or corpus folders to train on, separated by commas; FILE*N shows each of its utterances N times "
             "an epoch, FORMAT:FILE forces a format."},
    {.name = "dev", .type = OTO_OPTION_TEXT, FIELD(dev), .default_text = "", .argument = "LIST",
     .help = "Manifests that are measured after each epoch to choose the best model."},
    {.name = "corpus-format", .type = OTO_OPTION_CHOICE, FIELD(corpus_format), .default_text = "auto",
     .choices = oto_corpus_format_names, .help = "Format of those without one before their name; auto finds it."},
    {.name = "out", .type = OTO_OPTION_TEXT, FIELD(out), .default_text = "", .argument = "DIR",
     .help = "Folder for models, checkpoints and metrics; made if need be."},
    {.name = "init", .type = OTO_OPTION_TEXT, FIELD(init), .default_text = "", .argument = "MODEL",
     .help = "Model file whose weights the training starts from; same features, but for stride and cmvn, and network."},
    {.name = "init-output", .type = OTO_OPTION_CHOICE, FIELD(init_output), .default_text = "match", .choices = init_output_names,
     .help = "Output layer under --init: symbols that the model knows, too, start from its weights and others at random; or all at random."},
    {.name = "freeze", .type = OTO_OPTION_INT, FIELD(freeze), .default_text = "0", .min = 0, .max = 16, .argument = "N",
     .help = "Lowest layers that keep the weights of --init."},
    {.name = "cache", .type = OTO_OPTION_TEXT, FIELD(cache), .default_text = "", .argument = "DIR",
     .help = "Folder for computed features; empty for the folder of --out."},
    {.name = "cache-half", .type = OTO_OPTION_BOOL, FIELD(cache_half), .default_text = "true",
     .help = "Keep features as 16-bit floats: half the space."},
    {.name = "bad-lines", .type = OTO_OPTION_CHOICE, FIELD(bad_lines), .default_text = "error", .choices = bad_lines_names,
     .help = "What to do about manifest lines and audio files that cannot be used, after listing them."},
    {.name = "min-seconds", .type = OTO_OPTION_REAL, FIELD(min_seconds), .default_text = "0", .min = 0, .max = 1e6, .argument = "S",
     .help = "Leave out training utterances that the manifest says are shorter."},
    {.name = "max-seconds", .type = OTO_OPTION_REAL, FIELD(max_seconds), .default_text = "0", .min = 0, .max = 1e6, .argument = "S",
     .help = "Leave out training utterances that the manifest says are longer; 0 is no limit."},
    {.name = "case", .type = OTO_OPTION_CHOICE, FIELD(letter_case), .default_text = "lower", .choices = case_names,
     .help = "Letter case of the transcripts as the model learns them."},
    {.name = "punctuation", .type = OTO_OPTION_CHOICE, FIELD(punctuation), .default_text = "strip", .choices = punctuation_names,
     .help = "Whether punctuation outside the alphabet is removed from transcripts."},
    {.name = "alphabet", .type = OTO_OPTION_TEXT, FIELD(alphabet), .default_text = "", .argument = "FILE",
     .help = "File with one symbol a line; empty for --symbols."},
    {.name = "symbols", .type = OTO_OPTION_TEXT, FIELD(symbols), .default_text = "", .argument = "TEXT",
     .help = "The alphabet as one text of all its characters; empty for all characters of the training transcripts."},
    {.name = "lexicon", .type = OTO_OPTION_TEXT, FIELD(lexicon), .default_text = "", .argument = "FILE",
     .help = "Word list, one word a line, that the model carries and its decoder keeps to; empty for any text."},
    {.name = "unknown", .type = OTO_OPTION_CHOICE, FIELD(unknown), .default_text = "error", .choices = unknown_names,
     .help = "Characters outside the alphabet, after listing them: stop, skip the utterance, or drop the character."},

    {.name = "layers", .type = OTO_OPTION_INT, FIELD(layers), .default_text = "3", .min = 1, .max = 16,
     .help = "Bidirectional LSTM layers."},
    {.name = "hidden", .type = OTO_OPTION_INT, FIELD(hidden), .default_text = "320", .min = 1, .max = 4096,
     .help = "Units of a layer in each direction."},
    {.name = "proj", .type = OTO_OPTION_INT, FIELD(proj), .default_text = "0", .min = 0, .max = 8192,
     .help = "Units of the projection between layers; 0 is none."},
    {.name = "reduce-after", .type = OTO_OPTION_TEXT, FIELD(reduce_after), .default_text = "", .argument = "LIST",
     .help = "Layers (from 1, below the last) after which two neighbouring frames become one, twice as wide: 1 or 1,2. Empty is none."},
    {.name = "dropout", .type = OTO_OPTION_REAL, FIELD(dropout), .default_text = "0.1", .min = 0, .max = 0.9,
     .help = "Share of a layer's outputs set to zero on the way to the next."},

    {.name = "auxiliary-layer", .type = OTO_OPTION_INT, FIELD(auxiliary_layer), .default_text = "0", .min = 0, .max = 15, .argument = "N",
     .help = "While training, layer N (from 1) has an output and a CTC loss of its own; 0 is none. The model does not keep it."},
    {.name = "auxiliary-weight", .type = OTO_OPTION_REAL, FIELD(auxiliary_weight), .default_text = "0.3", .min = 0.001, .max = 0.999, .argument = "SHARE",
     .help = "Its share of the loss."},
    {.name = "chunk-share", .type = OTO_OPTION_REAL, FIELD(chunk_share), .default_text = "0", .min = 0, .max = 1,
     .help = "Share of the steps that see utterances in chunks with right context, as live transcription does; 0 is none."},
    {.name = "chunk-ms", .type = OTO_OPTION_TEXT, FIELD(chunk_ms), .default_text = "320..1280", .argument = "LOW..HIGH",
     .help = "Length of the chunks of such a step in milliseconds, drawn for each."},
    {.name = "context-ms", .type = OTO_OPTION_TEXT, FIELD(context_ms), .default_text = "160..640", .argument = "LOW..HIGH",
     .help = "Their right context in milliseconds, drawn for each step. Time and memory of a step grow by context / chunk."},
    {.name = "chunk-cmvn", .type = OTO_OPTION_CHOICE, FIELD(chunk_cmvn), .default_text = "same", .choices = chunk_cmvn_names,
     .help = "Normalisation of such a step: as the others, or by what was heard so far, as live transcription does where cmvn is utterance."},

    {.name = "epochs", .type = OTO_OPTION_INT, FIELD(epochs), .default_text = "10", .min = 1, .max = 100000,
     .help = "Passes over the training data."},
    {.name = "batch-seconds", .type = OTO_OPTION_REAL, FIELD(batch_seconds), .default_text = "160", .min = 0.1, .max = 1e6, .argument = "S",
     .help = "Audio of one step, all its utterances together."},
    {.name = "lr", .type = OTO_OPTION_REAL, FIELD(rate), .default_text = "0.001", .min = 0, .max = 10, .argument = "RATE",
     .help = "Highest learning rate."},
    {.name = "warmup-steps", .type = OTO_OPTION_INT, FIELD(warmup_steps), .default_text = "100", .min = 0, .max = 1e9,
     .help = "Steps over which the learning rate grows from zero."},
    {.name = "schedule", .type = OTO_OPTION_CHOICE, FIELD(schedule), .default_text = "linear", .choices = schedule_names,
     .help = "Learning rate after the warm-up: unchanged; falling to zero at the end of the last epoch (linear, cosine); or halved after "
             "epochs without a lower dev loss (plateau), or after each from the first that gains less than 1 % (newbob)."},
    {.name = "patience", .type = OTO_OPTION_INT, FIELD(patience), .default_text = "0", .min = 0, .max = 100000, .argument = "EPOCHS",
     .help = "Stop after so many epochs without a better dev result; 0 is never."},
    {.name = "average-best", .type = OTO_OPTION_INT, FIELD(average_best), .default_text = "0", .min = 0, .max = OTO_BEST_N_MAX, .argument = "N",
     .help = "At the end, measure and save the mean of the weights of the N best epochs as average.oto; 0 is off."},
    {.name = "beta1", .type = OTO_OPTION_REAL, FIELD(beta1), .default_text = "0.9", .min = 0, .max = 0.9999999,
     .help = "Adam: decay of the first moment."},
    {.name = "beta2", .type = OTO_OPTION_REAL, FIELD(beta2), .default_text = "0.999", .min = 0, .max = 0.9999999,
     .help = "Adam: decay of the second moment."},
    {.name = "eps", .type = OTO_OPTION_REAL, FIELD(eps), .default_text = "1e-08", .min = 1e-30, .max = 1,
     .help = "Adam: added to the root of the second moment."},
    {.name = "weight-decay", .type = OTO_OPTION_REAL, FIELD(weight_decay), .default_text = "0", .min = 0, .max = 10,
     .help = "Decoupled weight decay per step, times the learning rate."},
    {.name = "clip-norm", .type = OTO_OPTION_REAL, FIELD(clip_norm), .default_text = "5", .min = 0, .max = 1e9,
     .help = "Longest gradient; longer ones are shortened to it. 0 is off."},
    {.name = "label-smoothing", .type = OTO_OPTION_REAL, FIELD(label_smoothing), .default_text = "0", .min = 0, .max = 0.5, .argument = "SHARE",
     .help = "Share of the loss that is the distance of the outputs from even odds, which keeps them from being too sure; 0 is off."},
    {.name = "weight-noise", .type = OTO_OPTION_REAL, FIELD(weight_noise), .default_text = "0", .min = 0, .max = 10, .argument = "STD",
     .help = "Standard deviation of noise on the weights, drawn anew for each step; 0 is off."},
    {.name = "consistency", .type = OTO_OPTION_REAL, FIELD(consistency), .default_text = "0", .min = 0, .max = 10, .argument = "WEIGHT",
     .help = "Every utterance goes through the network twice in a step, masked and changed differently, and each output is drawn towards the other "
             "by this weight; 0 is off."},
    {.name = "ema", .type = OTO_OPTION_REAL, FIELD(ema), .default_text = "0", .min = 0, .max = 0.9999999,
     .help = "Decay of the moving average of the weights that is evaluated and saved; 0 is off."},
    {.name = "parts", .type = OTO_OPTION_INT, FIELD(parts), .default_text = "4", .min = 1, .max = 4096,
     .help = "Parts of a batch, a power of two, that are computed one after the other, or by several processes, and then summed."},
    {.name = "seed", .type = OTO_OPTION_U64, FIELD(seed), .default_text = "1",
     .help = "Seed of the first weights, the order, dropout and augmentation."},

    {.name = "time-masks", .type = OTO_OPTION_INT, FIELD(time_masks), .default_text = "0", .min = 0, .max = 100,
     .help = "Stretches of time masked in each utterance."},
    {.name = "time-mask-ms", .type = OTO_OPTION_REAL, FIELD(time_mask_ms), .default_text = "300", .min = 0, .max = 1e5, .argument = "MS",
     .help = "Longest such stretch; never more than a fifth of the utterance."},
    {.name = "freq-masks", .type = OTO_OPTION_INT, FIELD(freq_masks), .default_text = "0", .min = 0, .max = 100,
     .help = "Bands of coefficients masked in each utterance."},
    {.name = "freq-mask-bins", .type = OTO_OPTION_INT, FIELD(freq_mask_bins), .default_text = "4", .min = 0, .max = 512,
     .help = "Widest such band."},
    {.name = "mask-warmup", .type = OTO_OPTION_REAL, FIELD(mask_warmup), .default_text = "0", .min = 0, .max = 1e5, .argument = "EPOCHS",
     .help = "Epochs over which masks grow from nothing to full width."},
    {.name = "speeds", .type = OTO_OPTION_TEXT, FIELD(speeds), .default_text = "1.0", .argument = "LIST",
     .help = "Speeds such as 0.9,1.0,1.1; each utterance takes one by chance in each epoch."},
    {.name = "perturb", .type = OTO_OPTION_TEXT, FIELD(perturb), .default_text = "", .argument = "LIST",
     .help = "Changes of voice, room and noise: KIND:PROBABILITY:LOW:HIGH[:FOLDER],... Made anew in each epoch are warp (factor on frequencies), "
             "reverb (s), highpass, lowpass (Hz), colour, noise (signal-to-noise ratio), gain (dB); made once in each of --perturb-copies are "
             "speed, pitch, tempo (factors), room (s), response, background (dB), telephone, codec (dB). noise may, response and background must have a "
             "folder of recordings."},
    {.name = "perturb-copies", .type = OTO_OPTION_INT, FIELD(perturb_copies), .default_text = "3", .min = 1, .max = 32, .argument = "N",
     .help = "Copies of each utterance with changed samples that features are computed of, where --perturb has such changes; each epoch takes one of them, "
             "or of --speeds, by chance."},
    {.name = "tempo", .type = OTO_OPTION_REAL, FIELD(tempo), .default_text = "0", .min = 0, .max = 0.5,
     .help = "Stretch or shorten each utterance by chance by up to this share, with its pitch unchanged."},
    {.name = "feature-noise", .type = OTO_OPTION_REAL, FIELD(feature_noise), .default_text = "0", .min = 0, .max = 10,
     .argument = "STD", .help = "Standard deviation of white noise added to the normalised features."},
    {.name = "short-epochs", .type = OTO_OPTION_INT, FIELD(short_epochs), .default_text = "0", .min = 0, .max = 100000,
     .help = "First epochs that are made easier, see --short-seconds."},
    {.name = "short-seconds", .type = OTO_OPTION_REAL, FIELD(short_seconds), .default_text = "0", .min = 0, .max = 1e6, .argument = "S",
     .help = "Those epochs leave out longer utterances; 0: they go from short to long instead."},

    {.name = "resume", .type = OTO_OPTION_BOOL, FIELD(resume), .default_text = "false",
     .help = "Go on from the checkpoint in --out as if it had never stopped."},
    {.name = "overwrite", .type = OTO_OPTION_BOOL, FIELD(overwrite), .default_text = "false",
     .help = "Start anew although --out holds a checkpoint."},
    {.name = "threads", .short_name = 't', .type = OTO_OPTION_INT, FIELD(threads), .default_text = "0", .min = 0, .max = 1024,
     .help = "Threads of each process; 0 shares out the processors. The result does not depend on it."},
    {.name = "processes", .type = OTO_OPTION_INT, FIELD(processes), .default_text = "1", .min = 1, .max = 256,
     .help = "Processes that compute parts of each step; at most --parts. The result does not depend on it. Under mpirun, its processes do."},
    {.name = "loaders", .type = OTO_OPTION_INT, FIELD(loaders), .default_text = "1", .min = 0, .max = 64,
     .help = "Threads of each process that make batches ready before they are needed; 0 makes them when they are."},
    {.name = "checkpoint-minutes", .type = OTO_OPTION_REAL, FIELD(checkpoint_minutes), .default_text = "10", .min = 0, .max = 1e5, .argument = "MIN",
     .help = "Time between checkpoints within an epoch; 0 is after every step."},
    {.name = "keep", .type = OTO_OPTION_INT, FIELD(keep), .default_text = "2", .min = 1, .max = 100,
     .help = "Checkpoints kept, the newest included."},
    {.name = "dev-decode", .type = OTO_OPTION_CHOICE, FIELD(dev_decode), .default_text = "greedy", .choices = decode_names,
     .help = "Decoder of the measurement after each epoch."},
    {.name = "show", .type = OTO_OPTION_INT, FIELD(show), .default_text = "3", .min = 0, .max = 1000,
     .help = "Pairs of reference and recognised text shown after each epoch."},
    {.name = "log-steps", .type = OTO_OPTION_INT, FIELD(log_steps), .default_text = "10", .min = 1, .max = 1e9,
     .help = "Steps between two lines of metrics.jsonl."},

    {.name = "name", .type = OTO_OPTION_TEXT, FIELD(name), .default_text = "", .argument = "TEXT",
     .help = "Name of the model in its card; empty for the name of the folder --out."},
    {.name = "licence", .type = OTO_OPTION_TEXT, FIELD(licence), .default_text = "", .argument = "TEXT",
     .help = "Licence of the model, for its card."},
    {.name = "data-note", .type = OTO_OPTION_TEXT, FIELD(data_note), .default_text = "", .argument = "TEXT",
     .help = "What the model was trained on, for its card; empty for the manifests and hours."},
    {.name = "notes", .type = OTO_OPTION_TEXT, FIELD(notes), .default_text = "", .argument = "TEXT",
     .help = "Anything else, for the model's card."},
    {.name = "date", .type = OTO_OPTION_TEXT, FIELD(date), .default_text = "", .argument = "YYYY-MM-DD",
     .help = "Date in the model's card; empty for today."},
    {.name = "weight-type", .type = OTO_OPTION_CHOICE, FIELD(weight_type), .default_text = "f32", .choices = weight_names,
     .help = "Numbers of the saved models: 32-bit or 16-bit floats."},
};
/* clang-format on */
const size_t oto_train_n_options = sizeof oto_train_option_table / sizeof *oto_train_option_table;

bool oto_train_option_is_free(const char *name)
{
    static const char *const free_options[] = {
        "train",  "dev",       "corpus-format", "out",     "cache",     "init",
        "resume", "overwrite", "threads",       "loaders", "processes", "checkpoint-minutes",
        "keep",   "show",      "log-steps",     "name",    "licence",   "data-note",
        "notes",  "date",      "weight-type",   "lexicon"};
    for (size_t i = 0; i < sizeof free_options / sizeof *free_options; i++)
        if (strcmp(free_options[i], name) == 0)
            return true;
    return false; /* manifests are compared by their content: see the corpus fingerprint */
}
