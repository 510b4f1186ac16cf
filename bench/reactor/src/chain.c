// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * chain: the pipe chain that libevent's own benchmark made known.
 *
 * All pipes are watched for reading, `active` bytes are on their way: whoever reads one passes it on to
 * the next pipe, until `events` were passed. Prints the processor time per event.
 *
 *   chain pipes active events passes
 */
#define _GNU_SOURCE
#include "measure.h"
#include "peer.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int pipes, *readers, *writers;
static long passed, to_write;

static void put(int i) {
    if (write(writers[i], "x", 1) != 1) fail("write");
}

static void pass_on(int i) {
    char byte;
    if (read(readers[i], &byte, 1) != 1) {
        if (errno == EAGAIN) return;
        fail("read");
    }
    passed++;
    if (to_write > 0) {
        to_write--;
        put(i + 1 == pipes ? 0 : i + 1);
    }
}

static double pass(int active, long events) {
    passed = 0;
    to_write = events - active;
    uint64_t begin = cpu_ns();
    for (int i = 0; i < active; i++) put(i * (pipes / active));
    while (passed < events) peer_wait();
    return (double)(cpu_ns() - begin) / (double)events;
}

int main(int argc, char **argv) {
    if (argc != 5) return 2;
    pipes = atoi(argv[1]);
    int active = atoi(argv[2]), passes = atoi(argv[4]);
    long events = atol(argv[3]);
    if (active < 1 || active > pipes || events < active || passes > MAX_PASSES) return 2;
    raise_descriptor_limit();
    readers = allocate((size_t)pipes, sizeof *readers);
    writers = allocate((size_t)pipes, sizeof *writers);
    for (int i = 0; i < pipes; i++) {
        int ends[2];
        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC)) fail("pipe");
        readers[i] = ends[0];
        writers[i] = ends[1];
    }
    peer_open(pipes, readers, pass_on);
    for (int i = 0; i < pipes; i++) peer_add(i);
    peer_submit();
    double ns[MAX_PASSES];
    pass(active, events); /* warms up */
    for (int i = 0; i < passes; i++) ns[i] = pass(active, events);
    printf("{\"event\": %.2f}\n", median(ns, passes));
    return 0;
}
