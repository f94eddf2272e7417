/* SPDX-License-Identifier: BSD-2-Clause */
#include "unit.h"

#include "base/log.h"
#include "base/pool.h"

#include <stdatomic.h>

struct record {
    int n;
    oto_log_level level;
    char message[2048];
};

static void keep(void *user_data, oto_log_level level, const char *message)
{
    struct record *record = user_data;
    record->n++;
    record->level = level;
    snprintf(record->message, sizeof record->message, "%s", message);
}

static void silent_by_default(void **state)
{
    (void)state;
    oto_log(OTO_LOG_ERROR, "nobody hears %d", 1);
}

static void messages_up_to_the_level_arrive(void **state)
{
    (void)state;
    struct record record = {0};
    oto_log_set(keep, &record, OTO_LOG_WARNING);
    oto_log(OTO_LOG_INFO, "too quiet");
    assert_int_equal(record.n, 0);
    oto_log(OTO_LOG_WARNING, "%s lost %d samples", "mic", 3);
    assert_int_equal(record.n, 1);
    assert_int_equal(record.level, OTO_LOG_WARNING);
    assert_string_equal(record.message, "mic lost 3 samples");
    oto_log(OTO_LOG_ERROR, "worse");
    assert_int_equal(record.n, 2);
    oto_log_set(keep, &record, OTO_LOG_ERROR);
    oto_log(OTO_LOG_WARNING, "now too quiet");
    assert_int_equal(record.n, 2);
    oto_log_set(NULL, NULL, OTO_LOG_DEBUG);
    oto_log(OTO_LOG_ERROR, "to nobody");
    assert_int_equal(record.n, 2);
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    struct record record = {0};
    char text[1500];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    oto_log_set(keep, &record, OTO_LOG_DEBUG);
    oto_log(OTO_LOG_DEBUG, "%s", text);
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    assert_int_equal(strlen(record.message), 1023);
}

/* The callback may log, and may replace itself: no lock is held around it. */
static void once_and_away(void *user_data, oto_log_level level, const char *message)
{
    (void)level;
    (void)message;
    ++*(int *)user_data;
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    oto_log(OTO_LOG_ERROR, "into the void");
}

static void the_callback_may_call_back(void **state)
{
    (void)state;
    int n = 0;
    oto_log_set(once_and_away, &n, OTO_LOG_ERROR);
    oto_log(OTO_LOG_ERROR, "first");
    oto_log(OTO_LOG_ERROR, "second");
    assert_int_equal(n, 1);
}

static void count(void *user_data, oto_log_level level, const char *message)
{
    (void)level;
    if (strcmp(message, "tick") == 0) {
        atomic_fetch_add((atomic_int *)user_data, 1);
    }
}

static void speak(void *arg, int k)
{
    (void)arg;
    (void)k;
    oto_log(OTO_LOG_INFO, "tick");
}

static void any_thread_may_log(void **state)
{
    (void)state;
    atomic_int n = 0;
    struct oto_pool *pool;
    assert_int_equal(oto_pool_create(&pool, 4, NULL), OTO_OK);
    oto_log_set(count, &n, OTO_LOG_INFO);
    oto_pool_run(pool, 1000, speak, NULL);
    oto_log_set(NULL, NULL, OTO_LOG_ERROR);
    oto_pool_destroy(pool);
    assert_int_equal(n, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silent_by_default),  cmocka_unit_test(messages_up_to_the_level_arrive),
        cmocka_unit_test(long_lines_are_cut), cmocka_unit_test(the_callback_may_call_back),
        cmocka_unit_test(any_thread_may_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
