// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * wake: from the moment at which one thread calls the wake-up to the moment at which the other, asleep
 * in its wait, has returned from it. Prints the median and the 99th percentile, in nanoseconds.
 *
 *   wake times
 */
#define _GNU_SOURCE
#include "measure.h"
#include "peer.h"
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PAUSE_NS = 50000 }; /* enough for the other thread to fall asleep again */

static int times, answered;
static uint64_t called, *latencies;

static void *sleeper(void *unused) {
    for (int i = 0; i < times; i++) {
        uint64_t one = 1;
        peer_await_wake();
        latencies[i] = read_clock(CLOCK_MONOTONIC) - __atomic_load_n(&called, __ATOMIC_ACQUIRE);
        if (write(answered, &one, sizeof one) != sizeof one) fail("write");
    }
    return unused;
}

static int compare_ns(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    times = atoi(argv[1]);
    latencies = allocate((size_t)times, sizeof *latencies);
    answered = eventfd(0, EFD_CLOEXEC);
    peer_open_wake();
    pthread_t thread;
    if (pthread_create(&thread, NULL, sleeper, NULL)) fail("pthread_create");
    for (int i = 0; i < times; i++) {
        const struct timespec pause = {.tv_nsec = PAUSE_NS};
        uint64_t count;
        nanosleep(&pause, NULL);
        __atomic_store_n(&called, read_clock(CLOCK_MONOTONIC), __ATOMIC_RELEASE);
        peer_wake();
        if (read(answered, &count, sizeof count) != sizeof count) fail("read");
    }
    pthread_join(thread, NULL);
    qsort(latencies, (size_t)times, sizeof *latencies, compare_ns);
    printf("{\"p50\": %llu, \"p99\": %llu}\n", (unsigned long long)latencies[times / 2],
           (unsigned long long)latencies[times - 1 - times / 100]);
    return 0;
}
