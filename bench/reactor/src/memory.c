// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * memory: by how much the process grows for each thing that is watched, the structures that the peer
 * has its caller keep included. Kernel memory is not in it. The library's code comes into memory when it
 * is first run, so one thing is watched before, for which the peer is opened apart.
 *
 *   memory timers|read|both count
 */
#define _GNU_SOURCE
#include "measure.h"
#include "peer.h"
#include <sys/timerfd.h>
#include <unistd.h>

static long resident_bytes(void) {
    long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm || fscanf(statm, "%*d %ld", &pages) != 1) fail("/proc/self/statm");
    fclose(statm);
    return pages * sysconf(_SC_PAGESIZE);
}

static void never(int i) { (void)i; }

static void watch(const char *kind, int count, const int *fds) {
    int timers = !strcmp(kind, "timers"), both = !strcmp(kind, "both");
    if (timers) peer_open_timers(count, never);
    else peer_open(count, fds, never);
    for (int i = 0; i < count; i++) {
        if (timers) peer_arm(i, 3600000);
        else peer_add(i);
        if (both) peer_modify(i, 1);
    }
    peer_submit();
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    int count = atoi(argv[2]), timers = !strcmp(argv[1], "timers");
    raise_descriptor_limit();
    int *fds = allocate((size_t)count + 1, sizeof *fds);
    for (int i = 0; i <= count && !timers; i++)
        if ((fds[i] = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0) fail("timerfd_create");
    watch(argv[1], 1, fds);
    long before = resident_bytes();
    watch(argv[1], count, fds + 1);
    printf("{\"bytes\": %.1f}\n", (double)(resident_bytes() - before) / count);
    return 0;
}
