/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live transcription of a corpus as one long stream: how long after a word's end it is shown, how
 * long until it stays, how many words are wrong, and the processor time.
 *
 *     bench_live MODEL MANIFEST [--latency=400] [--passes=2] [--beam=0] [--pause=1000] [--max=0]
 *
 * The utterances follow one another with pauses of so many milliseconds. Portions of 10 ms arrive
 * at the speed of a microphone; each is worked on when it has arrived and the work before it is
 * done, and takes its processor time: that is what one core would do, whatever else runs here.
 * A word ends where the aligner finds its end in the text that stays. It was shown when the partial
 * text had this very word in its place for the first time without change since. --max: so many
 * utterances, 0 for all.
 */
#include <ctype.h>
#include <math.h>

#include "bench.h"
#include "decoder/edit_distance.h"
#include "otolith/audio.h"
#include "otolith/live.h"
#include "training/corpus.h"

enum { MAX_WORDS = 2000, MAX_LATENCIES = 200000, PORTION_MS = 10 };

static int latency = 400, n_passes = 2, beam = 0, pause_ms = 1000, max_utterances = 0;

struct shown {
    char text[64];
    double since_s, settled_s; /* settled NAN: not yet */
};

struct run {
    oto_live *live;
    int rate_hz;
    uint64_t n_fed;
    double busy_s; /* processor time of recognition */
    double free_s,
        start_cpu_s; /* when the work in hand is done, as a core of its own would do it */
    struct shown shown[MAX_WORDS];
    int n_shown;
    char partial[20000];
    double first[MAX_LATENCIES], settled[MAX_LATENCIES], second_pass[MAX_LATENCIES];
    int n_first, n_settled, n_second, n_words, n_utterances;
    char *references, *texts; /* of the whole stream */
    size_t references_size, texts_size;
    FILE *reference_file, *text_file;
};

static double now_s(const struct run *r)
{
    return r->free_s + oto_clock_cpu_s() - r->start_cpu_s;
}

/* The partial text has changed: which words are new in their place, and which are settled. */
static void look(struct run *r)
{
    const oto_live_partial_text *p = oto_live_partial(r->live);
    const double now = now_s(r);
    int n = 0;
    snprintf(r->partial, sizeof r->partial, "%s", p->text);
    for (const char *at = p->text; *at != 0 && n < MAX_WORDS; n++) {
        struct shown *s = &r->shown[n];
        size_t length = strcspn(at, " ");
        int m = (int)(length < sizeof s->text ? length : sizeof s->text - 1);
        if (n >= r->n_shown || strncmp(s->text, at, (size_t)m) != 0 || s->text[m] != 0) {
            snprintf(s->text, sizeof s->text, "%.*s", m, at);
            s->since_s = now;
            s->settled_s = (double)NAN;
        }
        at += length;
        if (isnan(s->settled_s) && (size_t)(at - p->text) <= p->n_stable)
            s->settled_s = now;
        at += strspn(at, " ");
    }
    r->n_shown = n;
}

static void on_utterance(void *user_data, const oto_live_utterance *u)
{
    struct run *r = user_data;
    const oto_result *result = u->result;
    const double now = now_s(r);
    struct oto_edit_pair *pairs = NULL;
    size_t n_pairs = 0;
    int word = 0, place = 0;
    fprintf(r->text_file, "%s ", result->text);
    r->n_utterances++;
    r->n_words += result->n_words;
    if (oto_edit_align(&pairs, &n_pairs, result->text, r->partial, NULL) != OTO_OK)
        return;
    for (size_t i = 0; i < n_pairs; i++) {
        const bool final = pairs[i].ref != NULL, partial = pairs[i].hyp != NULL;
        if (final && word < result->n_words && r->n_settled < MAX_LATENCIES) {
            const struct shown *s = &r->shown[place];
            const double end_s = u->start_s + result->words[word].end_s;
            const bool match = pairs[i].op == OTO_EDIT_MATCH && place < r->n_shown;
            if (match)
                r->first[r->n_first++] = s->since_s - end_s;
            const bool early = match && n_passes == 1 && !isnan(s->settled_s);
            r->settled[r->n_settled++] = (early ? s->settled_s : now) - end_s;
        }
        word += final;
        place += partial;
    }
    oto_free(pairs);
    r->n_shown = 0;
    r->partial[0] = 0;
}

static oto_status feed(struct run *r, const float *samples, size_t n, oto_error *err)
{
    const size_t portion = (size_t)(r->rate_hz * PORTION_MS / 1000);
    oto_status status = OTO_OK;
    for (size_t at = 0; at < n && status == OTO_OK; at += portion) {
        size_t m = n - at < portion ? n - at : portion;
        r->n_fed += m;
        const double arrived_s = (double)r->n_fed / r->rate_hz;
        r->free_s = arrived_s > r->free_s ? arrived_s : r->free_s;
        r->start_cpu_s = oto_clock_cpu_s();
        status = oto_live_feed(r->live, samples + at, m, err);
        look(r);
        const double done_s = now_s(r);
        r->busy_s += done_s - r->free_s;
        r->free_s = done_s;
    }
    return status;
}

static oto_status feed_utterance(struct run *r, const struct oto_utterance *u, oto_error *err)
{
    oto_audio *audio = NULL;
    oto_audio_options options;
    float samples[4096];
    size_t n = 1;
    oto_audio_options_init(&options);
    options.rate_hz = r->rate_hz;
    options.start_s = u->start_s;
    options.length_s = u->length_s;
    oto_status status = oto_audio_open(&audio, u->path, &options, err);
    while (status == OTO_OK && n > 0) {
        status = oto_audio_read(audio, samples, sizeof samples / sizeof samples[0], &n, err);
        if (status == OTO_OK)
            status = feed(r, samples, n, err);
    }
    oto_audio_close(audio);
    memset(samples, 0, sizeof samples);
    for (size_t left = (size_t)(r->rate_hz / 1000 * pause_ms); left > 0 && status == OTO_OK;) {
        size_t m = left < 4096 ? left : 4096;
        status = feed(r, samples, m, err);
        left -= m;
    }
    for (const char *p = u->text; *p != 0; p++)
        putc(tolower((unsigned char)*p), r->reference_file);
    putc(' ', r->reference_file);
    return status;
}

static double percentile(double *v, int n, double part)
{
    qsort(v, (size_t)n, sizeof *v, bench_compare);
    return n > 0 ? v[(int)(part * (n - 1))] : (double)NAN;
}

static oto_status print_result(struct run *r, oto_error *err)
{
    struct oto_errors errors = {0};
    const double seconds = (double)r->n_fed / r->rate_hz;
    fflush(r->reference_file);
    fflush(r->text_file);
    oto_status status = oto_edit_add(&errors, r->references, r->texts, OTO_EDIT_WORDS, err);
    if (status != OTO_OK)
        return status;
    printf("{\"bench\":\"live\",\"latency_ms\":%d,\"passes\":%d,\"beam\":%d,\"seconds\":%.1f,"
           "\"utterances\":%d,\"words\":%d,\"wer\":%.4f,\"shown\":%.4f",
           latency, n_passes, beam, seconds, r->n_utterances, r->n_words, oto_error_rate(&errors),
           (double)r->n_first / (r->n_words > 0 ? r->n_words : 1));
    for (int k = 0; k < 2; k++) {
        double *v = k == 0 ? r->first : r->settled;
        int n = k == 0 ? r->n_first : r->n_settled;
        printf(",\"%s_ms\":{\"p50\":%.0f,\"p90\":%.0f,\"p99\":%.0f}", k == 0 ? "first" : "settled",
               1e3 * percentile(v, n, 0.5), 1e3 * percentile(v, n, 0.9),
               1e3 * percentile(v, n, 0.99));
    }
    printf(",\"cpu_share\":%.4f,\"rss_mb\":%.1f}\n", r->busy_s / seconds, bench_rss_mb());
    return OTO_OK;
}

static oto_status run(const char *model_name, const char *manifest, oto_error *err)
{
    static struct run r;
    oto_model *model = NULL;
    struct oto_corpus *corpus = NULL;
    oto_model_info info;
    oto_recognizer_options recognizer;
    oto_live_options options;
    char path[4096];
    const struct oto_corpus_options corpus_options = {.max_messages = 5};
    oto_recognizer_options_init(&recognizer);
    recognizer.beam = beam;
    oto_live_options_init(&options);
    options.latency_ms = latency;
    options.n_passes = n_passes;
    options.utterance = on_utterance;
    options.user_data = &r;
    r.reference_file = open_memstream(&r.references, &r.references_size);
    r.text_file = open_memstream(&r.texts, &r.texts_size);
    oto_status status = r.reference_file != NULL && r.text_file != NULL
                            ? oto_model_find(model_name, path, sizeof path, err)
                            : oto_fail_memory(err, "texts");
    if (status == OTO_OK)
        status = oto_model_load(&model, path, err);
    if (status == OTO_OK)
        status = oto_corpus_load(&corpus, manifest, &corpus_options, err);
    if (status == OTO_OK)
        status = oto_live_create(&r.live, model, &recognizer, &options, err);
    if (status == OTO_OK) {
        oto_model_get_info(model, &info);
        r.rate_hz = info.rate_hz;
        for (size_t i = 0; i < corpus->n && status == OTO_OK; i++)
            if (max_utterances == 0 || i < (size_t)max_utterances)
                status = feed_utterance(&r, &corpus->utts[i], err);
        if (status == OTO_OK)
            status = oto_live_finish(r.live, err);
        if (status == OTO_OK)
            status = print_result(&r, err);
    }
    oto_live_destroy(r.live);
    oto_corpus_destroy(corpus);
    oto_model_destroy(model);
    if (r.reference_file != NULL)
        fclose(r.reference_file);
    if (r.text_file != NULL)
        fclose(r.text_file);
    free(r.references);
    free(r.texts);
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {"latency", &latency, 40, 5000, NULL, NULL},
        {"passes", &n_passes, 1, 2, NULL, NULL},
        {"beam", &beam, 0, 10000, NULL, NULL},
        {"pause", &pause_ms, 0, 100000, NULL, NULL},
        {"max", &max_utterances, 0, 1000000, NULL, NULL},
    };
    oto_error err = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: bench_live MODEL MANIFEST [--latency=MS] ...\n");
        return 64;
    }
    bench_parse(argc - 2, argv + 2, options, sizeof options / sizeof options[0]);
    return bench_exit("bench_live", run(argv[1], argv[2], &err), &err);
}
