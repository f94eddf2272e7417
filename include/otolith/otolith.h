/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * Otolith: speech to text. Samples in, text out.
 *
 *     oto_model *model;                     // one per file, read-only, shared by threads
 *     oto_recognizer *rec;                  // one per thread and stream
 *     oto_model_load(&model, "english.oto", &err);
 *     oto_recognizer_create(&rec, model, NULL, &err);
 *     oto_recognizer_feed(rec, samples, n_samples, &err);      // any portion, any number of times
 *     oto_recognizer_finish(rec, &result, &err);               // result belongs to rec until its
 * next call puts(result->text);
 *
 * Threads: an oto_model never changes after load and may be used by any number of threads. An
 * oto_recognizer belongs to one thread at a time. No function here prints, exits or changes global
 * state; messages go to the log callback. Audio files and microphones: otolith/audio.h.
 */
#ifndef OTOLITH_H
#define OTOLITH_H

#include <stddef.h>
#include <stdint.h>

#include "otolith/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** "0.1.0" */
OTO_API const char *oto_version(void);

typedef enum oto_log_level {
    OTO_LOG_ERROR = 0,
    OTO_LOG_WARNING = 1,
    OTO_LOG_INFO = 2,
    OTO_LOG_DEBUG = 3
} oto_log_level;
typedef void oto_log_callback(void *user_data, oto_log_level level, const char *message);
/** Receives every message up to level, from any thread; NULL (the default) silences. Set it before
 * other threads start. */
OTO_API void oto_log_set(oto_log_callback *callback, void *user_data, oto_log_level level);

/* ---- model ------------------------------------------------------------------------------- */

typedef struct oto_model oto_model;

/** Maps and verifies the whole file before any weight is used. On failure *out is NULL. */
OTO_API oto_status oto_model_load(oto_model **out, const char *path,
                                  oto_error *err) OTO_WARN_UNUSED;
/** NULL is a no-op. Recognizers of the model must be destroyed before it. */
OTO_API void oto_model_destroy(oto_model *model);
/**
 * Finds a model file by name ("english", "english.oto" or a path): as given if it holds a '/' or
 * exists, then in the folders of OTOLITH_MODEL_PATH (colons), $XDG_DATA_HOME/otolith/models, each
 * $XDG_DATA_DIRS/otolith/models, the install prefix, and models/ beside the build tree. NULL or ""
 * means the default model.
 * @param path      receives the path, NUL-terminated
 * OTO_ERR_NOT_FOUND names the places that were tried.
 */
OTO_API oto_status oto_model_find(const char *name, char *path, size_t capacity,
                                  oto_error *err) OTO_WARN_UNUSED;

typedef struct oto_model_info {
    const char *name, *licence, *data, *date; /* from the card; "" where it is silent */
    int rate_hz;                              /* what feed() expects */
    int n_symbols;                            /* without blank */
    size_t n_parameters;
} oto_model_info;
/** Strings live as long as the model. */
OTO_API void oto_model_get_info(const oto_model *model, oto_model_info *info);

/* ---- recognizer -------------------------------------------------------------------------- */

typedef struct oto_recognizer oto_recognizer;

/** A word or a phrase that is likelier in this recording than elsewhere, such as a name. */
typedef struct oto_hot_word {
    const char *phrase; /* UTF-8 */
    double boost;       /* natural log, -100 to 100; NaN = hot_word_boost */
} oto_hot_word;

typedef struct oto_recognizer_options {
    size_t struct_size;   /* set by oto_recognizer_options_init() */
    int beam;             /* prefixes kept; 1 = greedy without lexicon; 0 = the model's default */
    int n_best;           /* alternatives returned, 1..beam */
    double max_segment_s; /* longer input is cut into parts up to this, in pauses; 30 */
    int n_threads;        /* that share the work of one input: same result for any number; 1 */
    /** Word list, one word a line: only these words are written. NULL or "" = the model's own, if
     * it has one; "none" = any text. Read by oto_recognizer_create(). */
    const char *lexicon;
    /** Language model of words, ARPA, binary or that of a model file; NULL or "" = the model's own,
     * if it has one; "none" = none. Without a lexicon other words may be written, too. A text
     * scores ln p(audio) + lm_weight ln p(words) + word_bonus a word + unknown_weight a character
     * of words that the language model does not know. NaN, the default: as the model says, else
     * 0.5, 1.5 and -2. */
    const char *lm;
    double lm_weight, word_bonus, unknown_weight;
    /** NULL, or the text of the input: it is not searched for, but the times of its words are found
     * (forced alignment). Words are those that white space separates, as they stand here; their
     * confidence says how well they fit, 0 for those that were not heard at all. */
    const char *known_text;
    int known_gaps; /* 1, the default: between its words, other things may be heard; 0: no */
    int words; /* 1: words with times and confidence, the default; 0: text alone, a little faster */
    /** Words that may be written besides those of the lexicon or the language model: a text file, a
     * word a line, maybe a tab and the natural log of its part, -100 to 0, of what the language
     * model gives to all words that it does not know (else -9). NULL or "" = none. */
    const char *more_words;
    /** Hot words: each adds its boost to a text's score wherever it is in it. Words of them that
     * are not known may be written, as if they stood in `more_words`. The file has a phrase a line,
     * maybe a tab and its boost; NULL or "" = none. Both count. */
    const oto_hot_word *hot_words; /* [n_hot_words] */
    size_t n_hot_words;
    const char *hot_words_file;
    double hot_word_boost; /* of those without their own; 6 */
    /** A second pass: an LSTM language model (`otolith lm train-lstm`, or that of a model file)
     * that puts the best texts of each segment in a new order. NULL or "" = the model's own, if it
     * has one, with a beam of more than 1 and where lm is not "none"; "none" = none. One that is
     * named needs a beam. */
    const char *rescore;
    /** 0: changes nothing; 1: it takes the language model's place. NaN, the default: as the model
     * says, else 0.5. */
    double rescore_weight;
    int rescore_best; /* texts that it looks at, the best; the others are dropped. 0, the default:
                         as the model says, else all */
    /** Grammar of a command task, a JSGF file: only its sentences are written, or nothing where
     * nothing is heard or none fits in. The empty text may be a later alternative that is likelier.
     * NULL or "" = the model's own, if it has one; "none" = none. It takes the place of the model's
     * lexicon and language model and goes with no lexicon, language model, more words, hot words or
     * second pass of the options. */
    const char *grammar;
    /** With a language model: how much of what the network writes on average, whatever is said, is
     * taken out of its probabilities, which are ln p(audio) above; 0 to 2, 0 = nothing. NaN, the
     * default: as the model says, else 0. More than 0 needs a model with priors (`otolith model set
     * --priors`, `otolith lm tune`). */
    double prior_scale;
    /** The share of the model's second network, if it has one, in the scores of the texts that the
     * second pass looks at (rescore_best); 0 to 1, 0 = it is left out. It has no part with a beam
     * of 1, a grammar or a known text. NaN, the default: as the model says. */
    double second_weight;
} oto_recognizer_options;
OTO_API void oto_recognizer_options_init(oto_recognizer_options *options);

typedef struct oto_alternative {
    const char *text; /* UTF-8, NFC */
    double log_prob;  /* natural log of the CTC probability given the audio, summed over segments;
                         with a language model and its bonuses added */
} oto_alternative;

typedef struct oto_word {
    const char *text;
    double start_s, end_s; /* in the input since the last reset; in order, without overlap */
    double confidence;     /* 0..1 */
} oto_word;

typedef struct oto_result {
    const char *text;   /* best text, "" when nothing was heard */
    double log_prob;    /* of the best text */
    double seconds;     /* audio fed since the last reset */
    int n_alternatives; /* >= 1; the first is the best */
    /** Of the whole input when it fitted one segment; else the best text alone. */
    const oto_alternative *alternatives;
    int n_words; /* of the best text; 0 where options.words was 0 */
    const oto_word *words;
} oto_result;

/** options NULL: defaults. The model is borrowed until oto_recognizer_destroy(). */
OTO_API oto_status oto_recognizer_create(oto_recognizer **out, const oto_model *model,
                                         const oto_recognizer_options *options,
                                         oto_error *err) OTO_WARN_UNUSED;
/** Another one of the same model and options, for another thread: both share what was read, the
 * lexicon and the language model. like may be in use, and destroyed before *out. */
OTO_API oto_status oto_recognizer_create_like(oto_recognizer **out, const oto_recognizer *like,
                                              oto_error *err) OTO_WARN_UNUSED;
OTO_API void oto_recognizer_destroy(oto_recognizer *rec);
/**
 * Takes mono samples at the model's rate, full scale +-1. Portions of any size give the same
 * result. NaN and infinite samples are refused with OTO_ERR_DATA and their index; nothing of that
 * portion is taken.
 */
OTO_API oto_status oto_recognizer_feed(oto_recognizer *rec, const float *samples, size_t n_samples,
                                       oto_error *err) OTO_WARN_UNUSED;
/** Text of the segments decoded so far (cut by max_segment_s); "" before the first. Valid until the
 * next call on rec. */
OTO_API const char *oto_recognizer_partial(oto_recognizer *rec);
/** Decodes what was fed. *result stays valid until the next call on rec. Then only reset or destroy
 * may follow. */
OTO_API oto_status oto_recognizer_finish(oto_recognizer *rec, const oto_result **result,
                                         oto_error *err) OTO_WARN_UNUSED;
/** Ready for the next input; memory is kept. */
OTO_API void oto_recognizer_reset(oto_recognizer *rec);

/** One shot: create, feed, finish, destroy. *text is released with oto_text_free(). */
OTO_API oto_status oto_transcribe(char **text, const oto_model *model, const float *samples,
                                  size_t n_samples, oto_error *err) OTO_WARN_UNUSED;
OTO_API void oto_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
