// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * timers: arms timers with far random times, arms each again in random order (what a server does with
 * keep-alive time-outs), cancels them in random order; then arms all within 200 ms and, once these are
 * over, has all fire. Prints the processor time per operation.
 *
 *   timers count passes
 */
#define _GNU_SOURCE
#include "measure.h"
#include "peer.h"
#include <unistd.h>

enum { ARM, REARM, CANCEL, FIRE, PHASES };
enum { NEAR_MS = 200 };

static long fired;

static void expired(int i) {
    (void)i;
    fired++;
}

static void far_times(unsigned *ms, int count) {
    for (int i = 0; i < count; i++) ms[i] = 60000 + random_number() % 600000;
}

static void pass(int count, const int *order, unsigned *ms, double *ns) {
    uint64_t at[PHASES + 1];
    far_times(ms, count);
    peer_turn();
    at[ARM] = cpu_ns();
    for (int i = 0; i < count; i++) peer_arm(i, ms[i]);
    peer_submit();
    at[REARM] = cpu_ns();
    for (int i = 0; i < count; i++) peer_arm(order[i], ms[i] + 5000);
    peer_submit();
    at[CANCEL] = cpu_ns();
    for (int i = 0; i < count; i++) peer_cancel(order[i]);
    peer_submit();
    at[FIRE] = cpu_ns();
    for (int phase = ARM; phase < FIRE; phase++) ns[phase] = (double)(at[phase + 1] - at[phase]) / count;

    for (int i = 0; i < count; i++) ms[i] = 1 + random_number() % NEAR_MS;
    fired = 0;
    peer_turn();
    for (int i = 0; i < count; i++) peer_arm(i, ms[i]);
    peer_submit();
    usleep((NEAR_MS + 10) * 1000);
    at[FIRE] = cpu_ns();
    while (fired < count) peer_turn();
    ns[FIRE] = (double)(cpu_ns() - at[FIRE]) / count;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int count = atoi(argv[1]), passes = atoi(argv[2]);
    if (passes > MAX_PASSES) return 2;
    int *order = shuffled(count);
    unsigned *ms = allocate((size_t)count, sizeof *ms);
    peer_open_timers(count, expired);
    double ns[PHASES][MAX_PASSES], one[PHASES];
    pass(count, order, ms, one); /* warms up */
    for (int i = 0; i < passes; i++) {
        pass(count, order, ms, one);
        for (int phase = 0; phase < PHASES; phase++) ns[phase][i] = one[phase];
    }
    printf("{\"arm\": %.2f, \"re-arm\": %.2f, \"cancel\": %.2f, \"fire\": %.2f}\n", median(ns[ARM], passes),
           median(ns[REARM], passes), median(ns[CANCEL], passes), median(ns[FIRE], passes));
    return 0;
}
