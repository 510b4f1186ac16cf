/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An echo server with one thread and one reactor: echo [port]
 *
 * A connection waits for one condition at a time: to read, or, while something is left to write, for
 * room to write it. So nobody who does not read can make us buffer more, and WRITE, which holds
 * nearly always, is not watched without need. `udata` carries the connection. SIGINT ends the
 * program by way of a user event.
 */
#include <errno.h>
#include <evl.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    int fd;
    int watched; /* EVL_READ or EVL_WRITE; 0 at first */
    size_t begin, end;
    char buffer[16384];
} connection;

static evl_reactor *reactor;

static int watch(connection *c, int filter)
{
    evl_event add = {.ident = (uintptr_t)c->fd, .filter = (int16_t)filter, .udata = c};
    if (c->watched != 0)
        evl_delete(reactor, (uintptr_t)c->fd, c->watched);
    c->watched = filter;
    return evl_add(reactor, &add);
}

/* Reads and writes until one of them has to wait, and then watches for that. */
static void serve(connection *c)
{
    for (;;) {
        int writing = c->begin < c->end;
        ssize_t n = writing ? write(c->fd, c->buffer + c->begin, c->end - c->begin)
                            : read(c->fd, c->buffer, sizeof c->buffer);
        if (n > 0) {
            c->begin = writing ? c->begin + (size_t)n : 0;
            c->end = writing ? c->end : (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            int filter = writing ? EVL_WRITE : EVL_READ;
            if (filter == c->watched || watch(c, filter) == 0)
                return;
            break;
        } else if (n == 0 || errno != EINTR) {
            break;
        }
    }
    close(c->fd); /* which removes its knote, too */
    free(c);
}

/* Accepts until nobody waits any more. */
static void welcome(int listener)
{
    int fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        connection *c = calloc(1, sizeof *c);
        if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
            exit(1);
        c->fd = fd;
        serve(c);
    }
}

static int open_listener(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, SOMAXCONN) < 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
        perror("echo");
        exit(1);
    }
    return fd;
}

static void stop(int number)
{
    evl_trigger(reactor, (uintptr_t)number);
}

int main(int argc, char **argv)
{
    int i, n, listener = open_listener(argc > 1 ? atoi(argv[1]) : 7007);
    evl_event events[64], first[] = {
        {.ident = (uintptr_t)listener, .filter = EVL_READ, .flags = EVL_ADD},
        {.ident = SIGINT, .filter = EVL_USER, .flags = EVL_ADD},
    };
    reactor = evl_create(NULL);
    n = reactor != NULL ? evl_change(reactor, first, 2, NULL, 0) : -1;
    signal(SIGINT, stop);
    signal(SIGPIPE, SIG_IGN);
    while (n >= 0 || n == -EINTR) {
        n = evl_wait(reactor, events, 64, -1);
        for (i = 0; i < n; i++)
            if (events[i].filter == EVL_USER)
                return evl_close(reactor), 0;
            else if (events[i].udata == NULL)
                welcome(listener);
            else
                serve(events[i].udata);
    }
    fprintf(stderr, "echo: %s\n", evl_last_error());
    return 1;
}
