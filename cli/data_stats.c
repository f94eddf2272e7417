/* SPDX-License-Identifier: BSD-2-Clause */
/* otolith data stats */
#include <string.h>

#include "cli/common.h"
#include "cli/data.h"
#include "cli/json.h"
#include "training/corpus_stats.h"

enum { BAR = 50, SHOWN_SPEAKERS = 20, SHOWN_CHARACTERS = 120 };

static void print_histogram(const struct oto_stats *s)
{
    size_t most = 1;
    for (int k = 0; k < s->n_bins; k++)
        most = s->bins[k] > most ? s->bins[k] : most;
    printf("\n    seconds     utterances\n");
    for (int k = 0; k < s->n_bins; k++) {
        int n = (int)((double)s->bins[k] * BAR / (double)most + 0.5);
        printf("%7.2f -%7.2f%8zu%s%.*s\n", k * s->bin_s, (k + 1) * s->bin_s, s->bins[k],
               n > 0 ? " " : "", n, "##################################################");
    }
}

static void print_characters(const struct oto_stats *s)
{
    printf("\ncharacter          times       share\n");
    for (size_t i = 0; i < s->n_characters && i < SHOWN_CHARACTERS; i++) {
        const struct oto_stats_character *c = &s->characters[i];
        char text[8] = "";
        if (c->code_point > 0x20)
            oto_utf8_encode(c->code_point, text);
        /* A mark alone would join the blank before it. */
        printf("U+%04X %s%-*s%10zu%10.2f %%\n", (unsigned)c->code_point, *text ? text : "(space)",
               *text ? (oto_utf8_width(c->code_point) > 1 ? 5 : 6) : 0, "", c->count,
               100.0 * (double)c->count / (double)s->n_character_tokens);
    }
    if (s->n_characters > SHOWN_CHARACTERS)
        printf("and %zu more (all of them with --format=json)\n",
               s->n_characters - SHOWN_CHARACTERS);
}

static void print_speakers(const struct oto_stats *s)
{
    printf("\n utterances     minutes  speaker\n");
    for (size_t i = 0; i < s->n_speakers && i < SHOWN_SPEAKERS; i++)
        printf("%11zu%12.2f  %s\n", s->speakers[i].n, s->speakers[i].seconds / 60,
               *s->speakers[i].name ? s->speakers[i].name : "(not named)");
    if (s->n_speakers > SHOWN_SPEAKERS)
        printf("and %zu more (all of them with --format=json)\n", s->n_speakers - SHOWN_SPEAKERS);
}

static size_t n_named(const struct oto_stats *s)
{
    return s->n_speakers - (s->n_speakers > 0 && !*s->speakers[s->n_speakers - 1].name);
}

static void print_text(const struct oto_stats *s)
{
    size_t n_known = s->n - s->n_unknown_length;
    printf("utterances  %zu", s->n);
    if (s->n_unknown_length > 0)
        printf(", the length of %zu is not known", s->n_unknown_length);
    printf("\nhours       %.3f\n", s->seconds / 3600);
    if (n_known > 0)
        printf("seconds     %.2f to %.2f, median %.2f, mean %.2f\n", s->shortest_s, s->longest_s,
               s->median_s, s->seconds / (double)n_known);
    printf("speakers    %zu\n", n_named(s));
    printf("words       %zu, %zu different\n", s->n_words, s->n_different_words);
    printf("characters  %zu, %zu different\n", s->n_character_tokens, s->n_characters);
    if (n_known > 0)
        print_histogram(s);
    print_characters(s);
    print_speakers(s);
}

static void print_json(const struct oto_stats *s)
{
    printf("{\"v\":1,\"utterances\":%zu,\"unknown_lengths\":%zu,\"seconds\":", s->n,
           s->n_unknown_length);
    oto_json_number(stdout, s->seconds);
    printf(",\"shortest\":");
    oto_json_number(stdout, s->shortest_s);
    printf(",\"longest\":");
    oto_json_number(stdout, s->longest_s);
    printf(",\"median\":");
    oto_json_number(stdout, s->median_s);
    printf(",\"words\":%zu,\"different_words\":%zu,\"character_tokens\":%zu,\"characters\":{",
           s->n_words, s->n_different_words, s->n_character_tokens);
    for (size_t i = 0; i < s->n_characters; i++) {
        char text[8] = "";
        oto_utf8_encode(s->characters[i].code_point, text);
        if (i > 0)
            putchar(',');
        oto_json_text(stdout, text);
        printf(":%zu", s->characters[i].count);
    }
    printf("},\"histogram\":{\"width\":");
    oto_json_number(stdout, s->bin_s);
    printf(",\"counts\":[");
    for (int k = 0; k < s->n_bins; k++)
        printf("%s%zu", k > 0 ? "," : "", s->bins[k]);
    printf("]},\"speakers\":[");
    for (size_t i = 0; i < s->n_speakers; i++) {
        printf("%s{\"name\":", i > 0 ? "," : "");
        oto_json_text(stdout, s->speakers[i].name);
        printf(",\"utterances\":%zu,\"seconds\":", s->speakers[i].n);
        oto_json_number(stdout, s->speakers[i].seconds);
        putchar('}');
    }
    printf("]}\n");
}

int oto_data_stats(const struct oto_data_options *o, const char **names, int n)
{
    const struct oto_text_policy policy = {o->letter_case, o->punctuation};
    struct oto_corpus *corpus = NULL;
    struct oto_stats stats = {0};
    oto_error err = {0};
    int code = oto_data_load(&corpus, o, names, n, NULL, NULL);
    if (code == OTO_EXIT_OK)
        code = oto_data_measure(corpus, o);
    if (code == OTO_EXIT_OK && oto_stats_compute(&stats, corpus, &policy, &err) != OTO_OK)
        code = oto_cli_fail(&err, NULL);
    if (code == OTO_EXIT_OK) {
        if (o->format == OTO_DATA_JSON)
            print_json(&stats);
        else
            print_text(&stats);
    }
    oto_stats_clear(&stats);
    oto_corpus_destroy(corpus);
    return code;
}
