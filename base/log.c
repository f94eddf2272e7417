/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

/* The one piece of global state in the library: where messages go. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static oto_log_callback *current_callback;
static void *current_user_data;
static atomic_int current_level = -1; /* -1: silent, known without taking the lock */

void oto_log_set(oto_log_callback *callback, void *user_data, oto_log_level level)
{
    pthread_mutex_lock(&lock);
    current_callback = callback;
    current_user_data = user_data;
    atomic_store(&current_level, callback ? (int)level : -1);
    pthread_mutex_unlock(&lock);
}

void oto_log(oto_log_level level, const char *format, ...)
{
    if ((int)level > atomic_load_explicit(&current_level, memory_order_relaxed)) {
        return;
    }
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0) {
        return;
    }
    /* The callback runs outside the lock, so that it may log or replace itself. */
    pthread_mutex_lock(&lock);
    oto_log_callback *callback = current_callback;
    void *user_data = current_user_data;
    pthread_mutex_unlock(&lock);
    if (callback) {
        callback(user_data, level, line);
    }
}
