/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes what the network of a model says of a corpus, for bench_beam and for other decoders.
 *
 *     bench_posteriors MODEL MANIFEST OUT.f32 OUT.txt [--max=0]
 *
 * OUT.f32 gets for each utterance its number of frames as 32 bits and the natural log-probabilities
 * [frames, symbols] as floats; OUT.txt its transcript, normalised as the model's are, one a line.
 * --max: so many utterances, 0 for all. Utterances longer than a segment (30 s) are refused.
 */
#include "bench.h"

#include "api/model.h"
#include "api/stages.h"
#include "otolith/audio.h"
#include "training/corpus.h"

static int max_utterances;

struct output {
    const oto_model *model;
    oto_recognizer *recognizer;
    FILE *log_probs, *texts;
    int n_segments; /* of the utterance */
};

static oto_status write_segment(void *arg, const float *log_probs, size_t n_frames, oto_error *err)
{
    struct output *out = arg;
    const size_t n = n_frames * (size_t)out->model->bundle->alphabet->n_symbols;
    const uint32_t count = (uint32_t)n_frames;
    if (out->n_segments++ > 0)
        return oto_fail(err, OTO_ERR_DATA, "longer than one segment");
    if (fwrite(&count, sizeof count, 1, out->log_probs) != 1 ||
        fwrite(log_probs, sizeof *log_probs, n, out->log_probs) != n)
        return oto_fail(err, OTO_ERR_IO, "cannot write log-probabilities");
    return OTO_OK;
}

static oto_status hear(struct output *out, const struct oto_utterance *u, oto_error *err)
{
    const struct oto_alphabet *alphabet = out->model->bundle->alphabet;
    oto_audio *audio = NULL;
    oto_audio_options options;
    oto_model_info info;
    const oto_result *result;
    float samples[4096];
    char *text = NULL;
    size_t n = 1;
    oto_model_get_info(out->model, &info);
    oto_audio_options_init(&options);
    options.rate_hz = info.rate_hz;
    options.start_s = u->start_s;
    options.length_s = u->length_s;
    out->n_segments = 0;
    oto_recognizer_reset(out->recognizer);
    oto_status status = oto_audio_open(&audio, u->path, &options, err);
    while (status == OTO_OK && n > 0) {
        status = oto_audio_read(audio, samples, sizeof samples / sizeof samples[0], &n, err);
        if (status == OTO_OK)
            status = oto_recognizer_feed(out->recognizer, samples, n, err);
    }
    if (status == OTO_OK)
        status = oto_recognizer_finish(out->recognizer, &result, err);
    if (status == OTO_OK)
        status = oto_text_normalise(&text, u->text, &alphabet->policy, alphabet, err);
    if (status == OTO_OK)
        fprintf(out->texts, "%s\n", text);
    oto_free(text);
    oto_audio_close(audio);
    return status;
}

static oto_status hear_all(struct output *out, const char *manifest, oto_error *err)
{
    const struct oto_corpus_options corpus_options = {.max_messages = 5};
    struct oto_corpus *corpus = NULL;
    oto_recognizer_options options;
    oto_recognizer_options_init(&options);
    options.beam = 1; /* its texts are not looked at */
    options.lexicon = options.lm = "none";
    options.words = 0;
    oto_status status = oto_corpus_load(&corpus, manifest, &corpus_options, err);
    if (status == OTO_OK)
        status = oto_recognizer_create(&out->recognizer, out->model, &options, err);
    if (status == OTO_OK)
        oto_recognizer_watch_segments(out->recognizer, write_segment, out);
    size_t n = 0;
    for (; status == OTO_OK && n < corpus->n; n++) {
        if (max_utterances > 0 && n == (size_t)max_utterances)
            break;
        status = hear(out, &corpus->utts[n], err);
    }
    if (status == OTO_OK)
        printf("{\"bench\":\"posteriors\",\"utterances\":%zu,\"symbols\":%d}\n", n,
               out->model->bundle->alphabet->n_symbols);
    oto_recognizer_destroy(out->recognizer);
    oto_corpus_destroy(corpus);
    return status;
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {{"max", &max_utterances, 0, 1000000, NULL, NULL}};
    oto_error err = {0};
    oto_model *model = NULL;
    char path[4096];
    if (argc < 5) {
        fprintf(stderr, "usage: bench_posteriors MODEL MANIFEST OUT.f32 OUT.txt [--max=0]\n");
        return 64;
    }
    bench_parse(argc - 4, argv + 4, options, 1);
    struct output out = {.log_probs = fopen(argv[3], "wb"), .texts = fopen(argv[4], "w")};
    oto_status status = out.log_probs && out.texts
                            ? oto_model_find(argv[1], path, sizeof path, &err)
                            : oto_fail(&err, OTO_ERR_IO, "cannot write %s or %s", argv[3], argv[4]);
    if (status == OTO_OK)
        status = oto_model_load(&model, path, &err);
    out.model = model;
    if (status == OTO_OK)
        status = hear_all(&out, argv[2], &err);
    if (out.log_probs && fclose(out.log_probs) != 0 && status == OTO_OK)
        status = oto_fail(&err, OTO_ERR_IO, "cannot write %s", argv[3]);
    if (out.texts && fclose(out.texts) != 0 && status == OTO_OK)
        status = oto_fail(&err, OTO_ERR_IO, "cannot write %s", argv[4]);
    oto_model_destroy(model);
    return bench_exit("bench_posteriors", status, &err);
}
