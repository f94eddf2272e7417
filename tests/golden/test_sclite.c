/* SPDX-License-Identifier: BSD-2-Clause */
/* Word errors of 1,000 random pairs: substitutions, insertions and deletions of each equal
 * sclite's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rng.h"
#include "decoder/edit_distance.h"

enum { N_PAIRS = 1000, MAX_WORDS = 30, TEXT_SIZE = MAX_WORDS * 8 };

struct pair {
    char ref[TEXT_SIZE], hyp[TEXT_SIZE];
};

static void add_word(char *text, uint64_t word)
{
    snprintf(text + strlen(text), TEXT_SIZE - strlen(text), "%sw%d", *text ? " " : "", (int)word);
}

/** Two thirds: the hypothesis is a damaged reference. One third: unrelated texts of few words,
 * where many alignments cost the same. */
static void make_pair(struct pair *p, uint64_t i)
{
    uint64_t n_ref = oto_rng_below(i, 0, 0, MAX_WORDS - 9),
             n_hyp = oto_rng_below(i, 0, 1, MAX_WORDS - 9);
    uint64_t n_vocabulary = i % 3 ? 40 : 2 + oto_rng_below(i, 0, 2, 5);
    p->ref[0] = p->hyp[0] = '\0';
    for (uint64_t j = 0; j < n_ref; j++) {
        uint64_t word = oto_rng_below(i, 1, j, n_vocabulary), damage = oto_rng_below(i, 2, j, 10);
        add_word(p->ref, word);
        if (i % 3 == 0 || damage == 0)
            continue;
        add_word(p->hyp, damage == 1 ? oto_rng_below(i, 3, j, n_vocabulary) : word);
        if (damage == 2 && j % 3 == 0)
            add_word(p->hyp, oto_rng_below(i, 4, j, n_vocabulary));
    }
    for (uint64_t j = 0; i % 3 == 0 && j < n_hyp; j++)
        add_word(p->hyp, oto_rng_below(i, 5, j, n_vocabulary));
}

static void write_trn(const char *folder, const char *name, const struct pair *pairs, int hyp)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int i = 0; i < N_PAIRS; i++)
        fprintf(f, "%s (s-%d)\n", hyp ? pairs[i].hyp : pairs[i].ref, i);
    assert_int_equal(fclose(f), 0);
}

static void compare_with(FILE *pra, const struct pair *pairs)
{
    struct oto_errors sum = {0, 0, 0, 0, 0};
    int id = -1, n_seen = 0;
    unsigned long all[4] = {0, 0, 0, 0};
    char line[4096];
    while (fgets(line, sizeof line, pra)) {
        unsigned long c, s, d, i;
        sscanf(line, "id: (s-%d)", &id);
        if (sscanf(line, "Scores: (#C #S #D #I) %lu %lu %lu %lu", &c, &s, &d, &i) != 4)
            continue;
        assert_in_range(id, 0, N_PAIRS - 1);
        struct oto_errors e = {0, 0, 0, 0, 0};
        assert_int_equal(oto_edit_add(&e, pairs[id].ref, pairs[id].hyp, OTO_EDIT_WORDS, NULL),
                         OTO_OK);
        assert_int_equal(oto_edit_add(&sum, pairs[id].ref, pairs[id].hyp, OTO_EDIT_WORDS, NULL),
                         OTO_OK);
        if (e.substitutions != s || e.deletions != d || e.insertions != i || e.n_ref != c + s + d)
            fail_msg("\"%s\" \"%s\": S %d I %d D %d, sclite S %lu I %lu D %lu", pairs[id].ref,
                     pairs[id].hyp, (int)e.substitutions, (int)e.insertions, (int)e.deletions, s, i,
                     d);
        all[0] += c + s + d;
        all[1] += s;
        all[2] += i;
        all[3] += d;
        n_seen++;
    }
    assert_int_equal(n_seen, N_PAIRS);
    assert_true(sum.n_ref == all[0] && sum.substitutions == all[1] && sum.insertions == all[2] &&
                sum.deletions == all[3]);
    print_message("%d pairs, %lu words: S %lu I %lu D %lu, WER %.2f %%\n", n_seen, all[0], all[1],
                  all[2], all[3], 100.0 * oto_error_rate(&sum));
}

static void equals_sclite(void **state)
{
    (void)state;
    static struct pair pairs[N_PAIRS];
    char folder[] = "/tmp/oto-sclite-XXXXXX", command[512];
    for (int i = 0; i < N_PAIRS; i++)
        make_pair(&pairs[i], (uint64_t)i);
    assert_non_null(mkdtemp(folder));
    write_trn(folder, "ref.trn", pairs, 0);
    write_trn(folder, "hyp.trn", pairs, 1);
    snprintf(command, sizeof command,
             "cd %s && sctk sclite -r ref.trn trn -h hyp.trn trn -i spu_id -o pra stdout", folder);
    FILE *pra = popen(command, "r");
    assert_non_null(pra);
    compare_with(pra, pairs);
    assert_int_equal(pclose(pra), 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    if (system("command -v sctk >/dev/null 2>&1") != 0) {
        puts("skipped: sctk is not installed (Debian package sctk)");
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(equals_sclite)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
