// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * floor: the least that an epoll server can do for a request: wait, recv, send.
 *
 * It reads no HTTP. Whatever one recv returns counts as one request, and the answer is the same bytes
 * each time. No real server can be cheaper with the same system calls: that is its use as a row.
 *
 *   floor port body-bytes keep|close
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 65536, MAX_EVENTS = 256, BACKLOG = 4096 };

static char *answer;
static size_t answer_length;
static bool close_each;
static size_t unsent[MAX_DESCRIPTORS]; /* bytes of the answer still to go, by descriptor */
static int poller;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void make_answer(size_t body_length) {
    char head[256];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                     "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", body_length);
    answer_length = (size_t)n + body_length;
    answer = malloc(answer_length);
    if (!answer) fail("malloc");
    memcpy(answer, head, (size_t)n);
    memset(answer + n, 'x', body_length);
}

static int listen_on(unsigned short port) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG)) fail("listen");
    return fd;
}

static void accept_all(int listener) {
    const int on = 1;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if (fd >= MAX_DESCRIPTORS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        unsent[fd] = 0;
        /* Edge-triggered for both ways: no further epoll_ctl for the life of the connection. */
        struct epoll_event watch = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &watch);
    }
}

static void serve(int fd, unsigned events) {
    static char request[65536];
    if (events & EPOLLIN) {
        ssize_t n = recv(fd, request, sizeof request, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            close(fd);
            return;
        }
        if (n > 0) unsent[fd] = answer_length;
    }
    while (unsent[fd]) {
        ssize_t n = send(fd, answer + answer_length - unsent[fd], unsent[fd], MSG_NOSIGNAL);
        if (n < 0) return;
        unsent[fd] -= (size_t)n;
        if (!unsent[fd] && close_each) close(fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: floor port body-bytes keep|close\n");
        return 2;
    }
    make_answer(strtoul(argv[2], NULL, 10));
    close_each = !strcmp(argv[3], "close");
    int listener = listen_on((unsigned short)atoi(argv[1]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &watch);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int n = epoll_wait(poller, events, MAX_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) accept_all(listener);
            else serve(events[i].data.fd, events[i].events);
        }
    }
}
