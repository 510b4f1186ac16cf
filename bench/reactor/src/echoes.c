// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * echoes: sends a line on each connection, and the next one when as many bytes have come back.
 * Prints how many lines came back per second.
 *
 *   echoes port connections milliseconds
 */
#define _GNU_SOURCE
#include "measure.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_EVENTS = 256, LENGTH = 64 };

static char line[LENGTH];

static int connect_to(unsigned short port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address)) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void send_line(int fd) {
    if (send(fd, line, LENGTH, 0) != LENGTH) fail("send");
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    int connections = atoi(argv[2]), queue = epoll_create1(EPOLL_CLOEXEC);
    uint64_t length = (uint64_t)atoll(argv[3]) * 1000000;
    raise_descriptor_limit();
    memset(line, 'x', LENGTH - 1);
    line[LENGTH - 1] = '\n';
    int *left = allocate((size_t)connections, sizeof *left), *fds = allocate((size_t)connections, sizeof *fds);
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        fds[i] = connect_to((unsigned short)atoi(argv[1]));
        epoll_ctl(queue, EPOLL_CTL_ADD, fds[i], &event);
        left[i] = LENGTH;
        send_line(fds[i]);
    }
    long lines = 0;
    uint64_t begin = read_clock(CLOCK_MONOTONIC), now = begin;
    while ((now = read_clock(CLOCK_MONOTONIC)) - begin < length) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(queue, events, MAX_EVENTS, -1);
        for (int k = 0; k < count; k++) {
            char bytes[LENGTH];
            int i = (int)events[k].data.u32;
            ssize_t n = recv(fds[i], bytes, (size_t)left[i], 0);
            if (n <= 0) fail("recv");
            left[i] -= (int)n;
            if (left[i] > 0) continue;
            lines++;
            left[i] = LENGTH;
            send_line(fds[i]);
        }
    }
    printf("{\"lines\": %ld, \"seconds\": %.6f}\n", lines, (double)(now - begin) / 1e9);
    return 0;
}
