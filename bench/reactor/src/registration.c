// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * registration: adds descriptors that are never ready, changes what they are watched for, and removes
 * them. Prints the processor time per operation; what a peer puts off until its next turn is in it.
 *
 *   registration descriptors passes
 */
#define _GNU_SOURCE
#include "measure.h"
#include "peer.h"
#include <sys/timerfd.h>

enum { ADD, MODIFY, MODIFY_BACK, RENEW, REMOVE, PHASES };

static void never(int i) { (void)i; }

static void operate(int phase, int i) {
    switch (phase) {
    case ADD: peer_add(i); break;
    case MODIFY: peer_modify(i, 1); break;
    case MODIFY_BACK: peer_modify(i, 0); break;
    case RENEW: peer_renew(i); break;
    default: peer_remove(i);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int count = atoi(argv[1]), passes = atoi(argv[2]);
    if (passes > MAX_PASSES) return 2;
    raise_descriptor_limit();
    int *fds = allocate((size_t)count, sizeof *fds);
    for (int i = 0; i < count; i++)
        /* One that is not armed is neither readable nor writable. */
        if ((fds[i] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0) fail("timerfd_create");
    peer_open(count, fds, never);
    double ns[PHASES][MAX_PASSES];
    for (int pass = -1; pass < passes; pass++) /* the first one warms up */
        for (int phase = 0; phase < PHASES; phase++) {
            uint64_t begin = cpu_ns();
            for (int i = 0; i < count; i++) operate(phase, i);
            peer_submit();
            if (pass >= 0) ns[phase][pass] = (double)(cpu_ns() - begin) / count;
        }
    printf("{\"add\": %.2f, \"modify\": %.2f, \"renew\": %.2f, \"delete\": %.2f}\n", median(ns[ADD], passes),
           (median(ns[MODIFY], passes) + median(ns[MODIFY_BACK], passes)) / 2, median(ns[RENEW], passes),
           median(ns[REMOVE], passes));
    return 0;
}
