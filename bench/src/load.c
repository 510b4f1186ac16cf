// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * load: a closed-loop HTTP/1.1 load generator for the loopback, one thread, one epoll.
 *
 * It asks twice before the run and learns how long one answer is; then it only counts bytes, so that
 * a request costs it about one send and one recv. Every answer must start with the same status line
 * and have the same length: all else is an error and is counted as one.
 *
 * The processor time of the server is read from the clocks of the processes named by -P, at the
 * first and at the last moment of the measured time.
 *
 *   load -p port -u path [-c connections] [-w warm-up-s] [-d measured-s] [-k] [-t] [-P pid]...
 *     -k  a connection per request (`Connection: close`), closed by the server
 *     -t  large bodies: let the kernel drop what follows an answer's first bytes (MSG_TRUNC)
 *
 * One line of JSON on stdout; exit status 1 if it could not run to the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 4096, MAX_PROCESSES = 64, MAX_EVENTS = 256, STALL_MS = 5000 };
static const char STATUS[] = "HTTP/1.1 200";
enum { STATUS_LENGTH = sizeof STATUS - 1 };

struct connection {
    int fd;
    uint64_t received; /* bytes of the answer under way */
};

static struct {
    struct sockaddr_in server;
    char request[1024];
    size_t request_length;
    bool close_each, truncate;
    int connections;
    double warm_up, measured;
    clockid_t clocks[MAX_PROCESSES];
    int processes;
} plan = {.connections = 64, .warm_up = 0.3, .measured = 2};

static struct connection connections[MAX_CONNECTIONS];
static char buffer[1 << 18];
static int poller;
static uint64_t answer_length, answers, errors;

static void fail(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static double seconds_of(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t)) fail("a server process is gone");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double server_seconds(void) {
    double sum = 0;
    for (int i = 0; i < plan.processes; i++) sum += seconds_of(plan.clocks[i]);
    return sum;
}

/* Connects with a blocking socket: the kernel completes it as long as the backlog has room, and the
 * time-outs bound what a dead server can cost. */
static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket");
    const int on = 1;
    const struct timeval limit = {.tv_sec = STALL_MS / 1000};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&plan.server, sizeof plan.server)) fail("connect");
    return fd;
}

static void ask(int fd) {
    ssize_t n = send(fd, plan.request, plan.request_length, MSG_NOSIGNAL);
    if (n != (ssize_t)plan.request_length) errors++;
}

/* The length of one whole answer, head and body, read on a connection of its own. */
static uint64_t probe(void) {
    int fd = dial();
    ask(fd);
    uint64_t got = 0, whole = 0;
    while (!whole || got < whole) {
        /* The head is collected in front; the body goes over what follows it. */
        size_t at = whole ? 0 : (size_t)got;
        ssize_t n = recv(fd, buffer + at, sizeof buffer - 1 - at, 0);
        errno = n < 0 ? errno : 0;
        if (n <= 0) fail("the first answer ended early");
        got += (uint64_t)n;
        if (whole) continue;
        buffer[got] = '\0';
        const char *end = strstr(buffer, "\r\n\r\n");
        if (!end) continue;
        if (strncmp(buffer, STATUS, STATUS_LENGTH)) fail("the first answer is not a 200");
        const char *field = strcasestr(buffer, "\r\ncontent-length:");
        if (!field || field > end) fail("the first answer has no Content-Length");
        whole = (uint64_t)(end + 4 - buffer) + strtoull(field + 17, NULL, 10);
    }
    if (got != whole) fail("the first answer is longer than its Content-Length");
    if (plan.close_each && recv(fd, buffer, sizeof buffer, 0) != 0) fail("the server kept the connection open");
    close(fd);
    return whole;
}

static void open_and_ask(struct connection *c) {
    c->fd = dial();
    c->received = 0;
    struct epoll_event watch = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &watch)) fail("epoll_ctl");
    ask(c->fd);
}

static void reopen(struct connection *c) {
    close(c->fd);
    open_and_ask(c);
}

/* Takes what has come. The first bytes of an answer are looked at; the rest is counted. */
static void receive(struct connection *c) {
    for (;;) {
        bool drop = plan.truncate && c->received >= STATUS_LENGTH;
        /* Dropped bytes are taken up to the answer's end: what follows would be an error and shows. */
        uint64_t left = answer_length - c->received;
        ssize_t n = drop ? recv(c->fd, NULL, left ? left : 1, MSG_TRUNC | MSG_DONTWAIT)
                         : recv(c->fd, buffer, plan.truncate ? 4096 : sizeof buffer, MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) {
            if (n == 0 && plan.close_each && c->received == answer_length) answers++;
            else errors++;
            reopen(c);
            return;
        }
        bool first = c->received == 0;
        c->received += (uint64_t)n;
        if (c->received > answer_length || (first && (n < STATUS_LENGTH || memcmp(buffer, STATUS, STATUS_LENGTH)))) {
            errors++;
            reopen(c);
            return;
        }
        if (c->received == answer_length && !plan.close_each) {
            answers++;
            c->received = 0;
            ask(c->fd);
            return;
        }
    }
}

static void turn(void) {
    struct epoll_event events[MAX_EVENTS];
    int n = epoll_wait(poller, events, MAX_EVENTS, STALL_MS);
    if (n < 0 && errno != EINTR) fail("epoll_wait");
    errno = 0;
    if (n == 0) fail("no answer for five seconds");
    for (int i = 0; i < n; i++) receive(events[i].data.ptr);
}

static void run(void) {
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < plan.connections; i++) open_and_ask(&connections[i]);

    const double warm = seconds_of(CLOCK_MONOTONIC) + plan.warm_up;
    double now;
    while ((now = seconds_of(CLOCK_MONOTONIC)) < warm) turn();

    const double begin = now, server = server_seconds(), client = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    const uint64_t before = answers;
    while ((now = seconds_of(CLOCK_MONOTONIC)) < begin + plan.measured) turn();

    printf("{\"requests\": %" PRIu64 ", \"seconds\": %.6f, \"server_cpu_s\": %.6f, \"client_cpu_s\": %.6f, "
           "\"errors\": %" PRIu64 ", \"answer_bytes\": %" PRIu64 "}\n",
           answers - before, now - begin, server_seconds() - server,
           seconds_of(CLOCK_PROCESS_CPUTIME_ID) - client, errors, answer_length);
}

int main(int argc, char **argv) {
    const char *path = "/";
    plan.server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int option; (option = getopt(argc, argv, "p:u:c:w:d:P:kt")) != -1;) switch (option) {
        case 'p': plan.server.sin_port = htons((uint16_t)atoi(optarg)); break;
        case 'u': path = optarg; break;
        case 'c': plan.connections = atoi(optarg); break;
        case 'w': plan.warm_up = atof(optarg); break;
        case 'd': plan.measured = atof(optarg); break;
        case 'k': plan.close_each = true; break;
        case 't': plan.truncate = true; break;
        case 'P':
            if (plan.processes == MAX_PROCESSES) fail("too many -P");
            if (clock_getcpuclockid(atoi(optarg), &plan.clocks[plan.processes++])) fail("-P: no such process");
            break;
        default: return 2;
        }
    if (!plan.server.sin_port || plan.connections < 1 || plan.connections > MAX_CONNECTIONS) fail("bad -p or -c");
    plan.request_length = (size_t)snprintf(plan.request, sizeof plan.request, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                                           path, plan.close_each ? "Connection: close\r\n" : "");
    if (plan.request_length >= sizeof plan.request) fail("-u: too long");

    answer_length = probe();
    if (probe() != answer_length) fail("two answers differ in length");
    run();
}
