// SPDX-License-Identifier: MIT OR Apache-2.0
/* What `load` does before it measures, and what it asks the system about the server. */
#define _GNU_SOURCE
#include "generator.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_PROCESSES = 64 };
static const char STATUS[STATUS_LENGTH + 1] = "HTTP/1.1 200";

struct plan plan = {.connections = 64, .depth = 1, .warm_up = 0.3, .measured = 2};
static struct {
    pid_t pid;
    clockid_t clock;
} processes[MAX_PROCESSES];
static int process_count;

void fail(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

double seconds_of(clockid_t clock) {
    struct timespec t;
    if (clock_gettime(clock, &t)) fail("a server process is gone");
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double server_seconds(void) {
    double sum = 0;
    for (int i = 0; i < process_count; i++) sum += seconds_of(processes[i].clock);
    return sum;
}

double memory(const char *field) {
    double sum = 0;
    for (int i = 0; i < process_count; i++) {
        char name[64], line[256];
        snprintf(name, sizeof name, "/proc/%d/status", (int)processes[i].pid);
        FILE *status = fopen(name, "re");
        if (!status) fail("a server process is gone");
        while (fgets(line, sizeof line, status))
            if (!strncmp(line, field, strlen(field))) sum += strtod(line + strlen(field), NULL) * 1024;
        fclose(status);
    }
    return sum;
}

int dial(void) {
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

bool is_ok(const char *bytes, ssize_t length) {
    return length >= STATUS_LENGTH && !memcmp(bytes, STATUS, STATUS_LENGTH);
}

uint64_t ask_once(int fd) {
    static char buffer[1 << 16];
    if (send(fd, plan.request, plan.request_length, MSG_NOSIGNAL) != (ssize_t)plan.request_length) fail("send");
    uint64_t got = 0, whole = 0;
    while (!whole || got < whole) {
        /* The head is collected in front; the body goes over what follows it. */
        size_t at = whole ? 0 : (size_t)got;
        ssize_t n = recv(fd, buffer + at, sizeof buffer - 1 - at, 0);
        errno = n < 0 ? errno : 0;
        if (n <= 0) fail("an answer ended early");
        got += (uint64_t)n;
        if (whole) continue;
        buffer[got] = '\0';
        const char *end = strstr(buffer, "\r\n\r\n");
        if (!end) continue;
        if (!is_ok(buffer, (ssize_t)got)) fail("an answer is not a 200");
        const char *field = strcasestr(buffer, "\r\ncontent-length:");
        if (!field || field > end) fail("an answer has no Content-Length");
        whole = (uint64_t)(end + 4 - buffer) + strtoull(field + 17, NULL, 10);
    }
    if (got != whole) fail("an answer is longer than its Content-Length");
    return whole;
}

void learn_answer(void) {
    for (int i = 0; i < 2; i++) {
        char rest;
        int fd = dial();
        uint64_t length = ask_once(fd);
        if (plan.close_each && recv(fd, &rest, 1, 0) != 0) fail("the server kept the connection open");
        if (i && length != plan.answer_length) fail("two answers differ in length");
        plan.answer_length = length;
        close(fd);
    }
}

static void add_process(const char *text) {
    if (process_count == MAX_PROCESSES) fail("too many -P");
    pid_t pid = atoi(text);
    processes[process_count].pid = pid;
    if (clock_getcpuclockid(pid, &processes[process_count++].clock)) fail("-P: no such process");
}

void read_plan(int argc, char **argv) {
    plan.server = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int option; (option = getopt(argc, argv, "p:c:w:d:n:i:r:P:kt")) != -1;) switch (option) {
        case 'p': plan.server.sin_port = htons((uint16_t)atoi(optarg)); break;
        case 'c': plan.connections = atoi(optarg); break;
        case 'w': plan.warm_up = atof(optarg); break;
        case 'd': plan.measured = atof(optarg); break;
        case 'n': plan.depth = atoi(optarg); break;
        case 'i': plan.idle = atoi(optarg); break;
        case 'r': plan.rate = atof(optarg); break;
        case 'k': plan.close_each = true; break;
        case 't': plan.truncate = true; break;
        case 'P': add_process(optarg); break;
        default: exit(2);
        }
    if (!plan.server.sin_port || plan.connections < 1 || plan.depth < 1 || optind + 1 != argc)
        fail("bad -p, -c or -n, or not one request");
    plan.request = argv[optind];
    plan.request_length = strlen(plan.request);
    plan.batch_length = plan.request_length * (size_t)plan.depth;
    plan.batch = malloc(plan.batch_length);
    if (!plan.batch) fail("malloc");
    for (int i = 0; i < plan.depth; i++)
        memcpy(plan.batch + (size_t)i * plan.request_length, plan.request, plan.request_length);
}
