// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * floor: the least that an epoll server can do for a request: wait, recv, send.
 *
 * It reads no HTTP: so many bytes are a request, and the answer is the same bytes each time, from
 * memory, or, with a file, its head from memory and the body by sendfile from a descriptor that stays
 * open. No real server can be cheaper with the same system calls: that is its use as a row.
 *
 *   floor port request-bytes body-bytes keep|close [file]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_DESCRIPTORS = 65536, MAX_EVENTS = 256, BACKLOG = 4096, MOST_AT_ONCE = 16 };

static struct connection {
    size_t received; /* bytes of a request under way */
    size_t unsent;   /* bytes of answers still to go; they are alike, so this tells the place in one */
} connections[MAX_DESCRIPTORS];
static char *answers; /* one after the other, as many as go out in one call; with a file only a head */
static size_t request_length, head_length, answer_length;
static int file = -1;
static bool close_each;
static int poller;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void make_answers(size_t body_length) {
    char head[256];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 200 OK\r\nServer: floor\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
                     "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", body_length);
    head_length = (size_t)n;
    answer_length = head_length + body_length;
    answers = malloc(file < 0 ? answer_length * MOST_AT_ONCE : head_length);
    if (!answers) fail("malloc");
    memcpy(answers, head, head_length);
    if (file >= 0) return;
    memset(answers + head_length, 'x', body_length);
    for (int i = 1; i < MOST_AT_ONCE; i++) memcpy(answers + i * answer_length, answers, answer_length);
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
        connections[fd] = (struct connection){0};
        /* Edge-triggered for both ways: no further epoll_ctl for the life of the connection. */
        struct epoll_event watch = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.fd = fd};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &watch);
    }
}

/* One call's worth of what is unsent. */
static ssize_t send_some(int fd, size_t unsent) {
    size_t place = (answer_length - unsent % answer_length) % answer_length;
    if (file < 0) {
        size_t most = answer_length * MOST_AT_ONCE - place;
        return send(fd, answers + place, unsent < most ? unsent : most, MSG_NOSIGNAL);
    }
    if (place < head_length) return send(fd, answers + place, head_length - place, MSG_NOSIGNAL | MSG_MORE);
    off_t offset = (off_t)(place - head_length);
    return sendfile(fd, file, &offset, answer_length - place);
}

static void serve(int fd, unsigned events) {
    static char requests[65536];
    struct connection *c = &connections[fd];
    if (events & EPOLLIN) {
        ssize_t n = recv(fd, requests, sizeof requests, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            close(fd);
            return;
        }
        if (n > 0) {
            c->received += (size_t)n;
            c->unsent += c->received / request_length * answer_length;
            c->received %= request_length;
        }
    }
    while (c->unsent) {
        ssize_t n = send_some(fd, c->unsent);
        if (n < 0) return;
        c->unsent -= (size_t)n;
        if (!c->unsent && close_each) close(fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: floor port request-bytes body-bytes keep|close [file]\n");
        return 2;
    }
    request_length = strtoul(argv[2], NULL, 10);
    close_each = !strcmp(argv[4], "close");
    if (argc == 6 && (file = open(argv[5], O_RDONLY | O_CLOEXEC)) < 0) fail(argv[5]);
    make_answers(strtoul(argv[3], NULL, 10));
    signal(SIGPIPE, SIG_IGN); /* which sendfile cannot be told to leave out */
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
