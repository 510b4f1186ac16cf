/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Threads that compute, and one that waits for events: each worker leaves its result where the main
 * thread finds it and wakes the main thread with evl_trigger().
 *
 * Several triggers before the main thread looks are one event: the event says "look", the list under
 * the mutex says what there is.
 */
#include <evl.h>
#include <pthread.h>
#include <stdio.h>

enum { WORKERS = 4, RESULT = 1 };

static evl_reactor *reactor;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct { int limit, primes; } results[WORKERS];
static int ready;

static int count_primes(int limit)
{
    int count = 0, n, d;
    for (n = 2; n < limit; n++) {
        for (d = 2; d * d <= n && n % d != 0; d++)
            ;
        count += d * d > n;
    }
    return count;
}

static void *work(void *argument)
{
    int limit = *(int *)argument, primes = count_primes(limit);
    pthread_mutex_lock(&mutex);
    results[ready].limit = limit;
    results[ready++].primes = primes;
    pthread_mutex_unlock(&mutex);
    evl_trigger(reactor, RESULT);
    return NULL;
}

int main(void)
{
    static int limits[WORKERS] = {1000, 2000, 4000, 8000};
    pthread_t threads[WORKERS];
    evl_event event = {.ident = RESULT, .filter = EVL_USER, .flags = EVL_CLEAR};
    int i, shown = 0, failed;

    reactor = evl_create(NULL);
    failed = reactor == NULL || evl_add(reactor, &event) < 0;
    for (i = 0; i < WORKERS && !failed; i++)
        failed = pthread_create(&threads[i], NULL, work, &limits[i]) != 0;
    if (failed) {
        fprintf(stderr, "wake: %s\n", evl_last_error());
        return 1;
    }
    while (shown < WORKERS && evl_wait(reactor, &event, 1, -1) >= 0) {
        pthread_mutex_lock(&mutex);
        for (; shown < ready; shown++)
            printf("%d primes below %d\n", results[shown].primes, results[shown].limit);
        pthread_mutex_unlock(&mutex);
    }
    for (i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    evl_close(reactor);
    return shown < WORKERS;
}
