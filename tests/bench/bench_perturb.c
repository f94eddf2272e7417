/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes of samples on one thread: utterances of noise at 16 kHz, each with one kind of change, or
 * with features alone to compare with.
 *
 *     bench_perturb [--seconds=5] [--utterances=20] [--kind=room|...|features] [--reps=5]
 */
#include "bench.h"
#include "features/frontend.h"
#include "training/wave.h"

enum { RATE = 16000 };

static int seconds = 5, utterances = 20, reps = 5;
static const char *kind = "room";

static const char *const texts[] = {
    "speed:1:0.9:1.1", "pitch:1:0.9:1.1", "tempo:1:0.9:1.1",     "room:1:0.1:0.3",
    "room:1:0.3:0.7",  "pause:1:1:3",     "telephone:1:-30:-10", "codec:1:8:20",
};
static const char choices[] = "speed|pitch|tempo|room|large-room|pause|telephone|codec|features";

struct data {
    struct oto_frontend *fe;
    struct oto_perturb perturb;
    struct oto_wave *wave;
    struct oto_samples samples;
    float *original;
};

static oto_status run(void *arg, oto_error *err)
{
    struct data *d = arg;
    size_t n = (size_t)seconds * RATE;
    oto_status status = OTO_OK;
    for (int u = 0; u < utterances && status == OTO_OK; u++) {
        if (!oto_samples_reserve(&d->samples, n))
            return oto_fail_memory(err, "samples");
        memcpy(d->samples.x, d->original, n * sizeof *d->original);
        d->samples.n = n;
        if (strcmp(kind, "features") != 0) {
            status = oto_wave_apply(d->wave, &d->samples, 1, (uint64_t)u, err);
            continue;
        }
        oto_frontend_reset(d->fe, 0);
        status = oto_frontend_push(d->fe, d->samples.x, n, err);
        if (status == OTO_OK)
            status = oto_frontend_finish(d->fe, err);
    }
    return status;
}

static oto_status set_up(struct data *d, oto_error *err)
{
    struct oto_frontend_options options;
    const char *name = choices;
    size_t chosen = 0;
    for (size_t length;
         (length = strcspn(name, "|")) != strlen(kind) || strncmp(name, kind, length) != 0;
         name += length + 1)
        chosen++;
    oto_status status =
        oto_options_init(oto_frontend_option_table, oto_frontend_n_options, &options, err);
    if (status == OTO_OK)
        status = oto_frontend_create(&d->fe, &options, NULL, OTO_FFT_AUTO, err);
    if (status == OTO_OK)
        status = oto_perturb_parse(
            &d->perturb, chosen < sizeof texts / sizeof *texts ? texts[chosen] : "", &options, err);
    if (status == OTO_OK)
        status = oto_wave_create(&d->wave, &d->perturb, err);
    if (status != OTO_OK)
        return status;
    d->original = bench_numbers((size_t)seconds * RATE, 0, 0.2);
    return d->original ? OTO_OK : oto_fail_memory(err, "samples");
}

int main(int argc, char **argv)
{
    const struct bench_option options[] = {
        {.name = "seconds", &seconds, 1, 3600},
        {.name = "utterances", &utterances, 1, 100000},
        {.name = "reps", &reps, 1, BENCH_REPS_MAX},
        {.name = "kind", .text = &kind, .choices = choices},
    };
    static struct bench_times times;
    struct data d = {0};
    oto_error err = {0};
    bench_parse(argc, argv, options, sizeof options / sizeof *options);
    oto_status status = set_up(&d, &err);
    if (status == OTO_OK)
        status = bench_repeat(&times, 1, reps, run, &d, &err);
    if (status == OTO_OK) {
        printf("{\"bench\":\"perturb\",\"engine\":\"otolith\",\"kind\":\"%s\",\"seconds\":%d,"
               "\"utterances\":%d,\"audio_s_per_s\":%.4g",
               kind, seconds, utterances, seconds * utterances / bench_median(times.cpu_s, reps));
        bench_print_end(&times, 1, 1, 0);
    }
    oto_wave_destroy(d.wave);
    oto_perturb_clear(&d.perturb);
    oto_samples_clear(&d.samples);
    oto_frontend_destroy(d.fe);
    oto_free(d.original);
    return bench_exit("bench_perturb", status, &err);
}
