// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * load: an HTTP/1.1 load generator for the loopback, one thread, one epoll.
 *
 * It asks twice before the run and learns how long one answer is; then it only counts bytes, so that
 * a request costs it about one send and one recv. Every answer must start with the same status line
 * and have the same length: all else is an error and is counted as one.
 *
 * The processor time and the memory of the server are those of the processes named by -P; the time
 * is read at the first and at the last moment of the measured time.
 *
 *   load -p port [-c connections] [-w warm-up-s] [-d measured-s] [-k] [-t] [-n depth]
 *        [-i connections | -r requests/s] [-P pid]... request
 *     -k  a connection per request, closed by the server: the request has `Connection: close`
 *     -t  large bodies: let the kernel drop what follows an answer's first bytes (MSG_TRUNC)
 *     -n  pipeline: so many requests in one send, the next ones when all are answered
 *     -i  measure, then open so many connections that ask once and stay idle, and measure again
 *     -r  open loop: requests are due at fixed times whatever the server does, and an answer's latency
 *         counts from then (else a slow answer would put off the requests that it makes wait)
 *
 * One line of JSON on stdout; exit status 1 if it could not run to the end.
 */
#define _GNU_SOURCE
#include "generator.h"
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, MAX_EVENTS = 256 };

static struct connection connections[MAX_CONNECTIONS];
static struct {
    struct connection *ring[MAX_CONNECTIONS];
    unsigned head, count;
} unused; /* connections of an open loop that wait for their next request */
static char buffer[1 << 18];
static int poller;
static uint64_t answers, errors;

static struct {
    double begin; /* when the first request was due */
    uint64_t sent;
    double *latencies; /* seconds, of the answers in the measured time */
    size_t count, capacity;
    bool recording;
} loop;

static void ask(struct connection *c) {
    ssize_t n = send(c->fd, plan.batch, plan.batch_length, MSG_NOSIGNAL);
    if (n != (ssize_t)plan.batch_length) errors++;
}

static void open_connection(struct connection *c) {
    c->fd = dial();
    c->received = 0;
    struct epoll_event watch = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &watch)) fail("epoll_ctl");
}

/* What follows an answer: the next request at once, or when it is due. */
static void go_on(struct connection *c) {
    if (!plan.rate) {
        ask(c);
        return;
    }
    unused.ring[(unused.head + unused.count++) % MAX_CONNECTIONS] = c;
}

static void reopen(struct connection *c) {
    close(c->fd);
    open_connection(c);
    go_on(c);
}

static void answered(struct connection *c) {
    answers += (uint64_t)plan.depth;
    if (loop.recording && loop.count < loop.capacity)
        loop.latencies[loop.count++] = seconds_of(CLOCK_MONOTONIC) - c->due;
}

/* Takes what has come. The first bytes of an answer are looked at; the rest is counted. */
static void receive(struct connection *c) {
    const uint64_t whole = plan.answer_length * (uint64_t)plan.depth;
    for (;;) {
        bool drop = plan.truncate && c->received >= STATUS_LENGTH;
        /* Dropped bytes are taken up to the answer's end: what follows would be an error and shows. */
        uint64_t left = whole - c->received;
        ssize_t n = drop ? recv(c->fd, NULL, left ? left : 1, MSG_TRUNC | MSG_DONTWAIT)
                         : recv(c->fd, buffer, plan.truncate ? 4096 : sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) {
            if (n == 0 && plan.close_each && c->received == whole) answered(c);
            else errors++;
            reopen(c);
            return;
        }
        bool first = c->received == 0;
        c->received += (uint64_t)n;
        if (c->received > whole || (first && !is_ok(buffer, n))) {
            errors++;
            reopen(c);
            return;
        }
        if (c->received == whole && !plan.close_each) {
            answered(c);
            c->received = 0;
            go_on(c);
            return;
        }
    }
}

/* Sends what is due, each on a connection that waits for nothing; without one it is late. */
static void send_due(double now) {
    for (double due; unused.count && (due = loop.begin + (double)loop.sent / plan.rate) <= now; loop.sent++) {
        struct connection *c = unused.ring[unused.head];
        unused.head = (unused.head + 1) % MAX_CONNECTIONS;
        unused.count--;
        c->due = due;
        ask(c);
    }
}

static void turn(void) {
    struct epoll_event events[MAX_EVENTS];
    /* An open loop does not sleep: the generator has a processor of its own, and a sleep ends late. */
    int n = epoll_wait(poller, events, MAX_EVENTS, plan.rate ? 0 : STALL_MS);
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    errno = 0;
    if (n == 0 && !plan.rate) fail("no answer for five seconds");
    for (int i = 0; i < n; i++) receive(events[i].data.ptr);
    if (plan.rate) send_due(seconds_of(CLOCK_MONOTONIC));
}

struct figures {
    uint64_t requests;
    double seconds, server_s, client_s;
};

static struct figures measure(void) {
    const double warm = seconds_of(CLOCK_MONOTONIC) + plan.warm_up;
    double now;
    while ((now = seconds_of(CLOCK_MONOTONIC)) < warm) turn();

    const double begin = now, server = server_seconds(), client = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t before = answers;
    loop.recording = loop.capacity;
    while ((now = seconds_of(CLOCK_MONOTONIC)) < begin + plan.measured) turn();
    loop.recording = false;
    if (answers == before) fail("no request was answered");
    return (struct figures){answers - before, now - begin, server_seconds() - server,
                            seconds_of(CLOCK_PROCESS_CPUTIME_ID) - client};
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_latencies(void) {
    /* What is still unanswered is late by now, and counts with as much. */
    double now = seconds_of(CLOCK_MONOTONIC);
    for (double due; (due = loop.begin + (double)loop.sent / plan.rate) <= now && loop.count < loop.capacity; loop.sent++)
        loop.latencies[loop.count++] = now - due;
    qsort(loop.latencies, loop.count, sizeof *loop.latencies, ascending);
    printf("\"p50_us\": %.2f, \"p99_us\": %.2f, ", loop.latencies[loop.count / 2] * 1e6,
           loop.latencies[loop.count * 99 / 100] * 1e6);
}

/* Connections that have had an answer and say nothing more; the server's memory for each. */
static double add_idle(void) {
    const double before = memory("RssAnon:");
    for (int i = 0; i < plan.idle; i++) ask_once(dial());
    return (memory("RssAnon:") - before) / plan.idle;
}

static void run(void) {
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (plan.rate) {
        loop.capacity = (size_t)(plan.rate * (plan.measured + 1));
        loop.latencies = calloc(loop.capacity, sizeof *loop.latencies);
        if (!loop.latencies) fail("calloc");
    }
    loop.begin = seconds_of(CLOCK_MONOTONIC);
    for (int i = 0; i < plan.connections; i++) {
        open_connection(&connections[i]);
        go_on(&connections[i]);
    }
    struct figures done = measure();
    printf("{");
    if (plan.rate) print_latencies();
    if (plan.idle) {
        printf("\"alone_us\": %.4f, ", done.server_s / (double)done.requests * 1e6);
        printf("\"idle_bytes\": %.1f, ", add_idle());
        done = measure();
    }
    printf("\"requests\": %" PRIu64 ", \"seconds\": %.6f, \"server_cpu_s\": %.6f, \"client_cpu_s\": %.6f, "
           "\"memory_bytes\": %.0f, \"errors\": %" PRIu64 "}\n",
           done.requests, done.seconds, done.server_s, done.client_s, memory("VmRSS:"), errors);
}

int main(int argc, char **argv) {
    read_plan(argc, argv);
    if (plan.connections > MAX_CONNECTIONS) fail("too many -c");
    learn_answer();
    run();
}
