/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Work that blocks, done by a pool of threads: workers [address [threads]]
 *
 * Each line is answered by the line reversed, as if that took a query in a database. The main thread
 * accepts. The others wait at a second reactor, which is their queue: a connection's knotes have
 * DISPATCH or ONESHOT, so while one thread has its event no other gets one. That keeps the answers in
 * order, and nothing of a connection is locked. Each thread takes one event at a time, as a second
 * one would have to wait behind the work of the first.
 */
#include "listener.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_THREADS = 64, MOST_CONNECTIONS = 65536, LINE = 1024 };

typedef struct {
    int fd;
    size_t read, begin, end; /* bytes in `in`; what is left to write of `out` */
    char in[LINE], out[LINE];
} connection;

static evl_reactor *queue;
static connection *connections[MOST_CONNECTIONS]; /* by descriptor, to be closed at the end */

static void open_connection(int fd)
{
    connection *c = fd < MOST_CONNECTIONS ? calloc(1, sizeof *c) : NULL;
    evl_event read = {.ident = (uintptr_t)fd, .filter = EVL_READ, .flags = EVL_DISPATCH, .udata = c};
    if (c == NULL) {
        close(fd);
        return;
    }
    c->fd = fd;
    connections[fd] = c;
    evl_add(queue, &read); /* from here on it is the threads' */
}

static void close_connection(connection *c)
{
    connections[c->fd] = NULL;
    close(c->fd);
    free(c);
}

static void answer(connection *c, size_t length)
{
    struct timespec query = {.tv_nsec = 1000000};
    size_t i;
    for (i = 0; i < length; i++)
        c->out[i] = c->in[length - 1 - i];
    c->out[length] = '\n';
    c->begin = 0;
    c->end = length + 1;
    c->read -= length + 1;
    memmove(c->in, c->in + length + 1, c->read);
    nanosleep(&query, NULL);
}

/* Gives the connection back to the queue. Another thread may have it at once. */
static int give_back(connection *c, int writing)
{
    evl_event room = {.ident = (uintptr_t)c->fd, .filter = EVL_WRITE, .udata = c};
    evl_event bytes = {.ident = (uintptr_t)c->fd, .filter = EVL_READ, .udata = c};
    room.flags = EVL_ADD | EVL_ONESHOT;
    bytes.flags = EVL_ENABLE;
    return evl_change(queue, writing ? &room : &bytes, 1, NULL, 0);
}

/* Answers lines until there is none, or no room for the answer. */
static void serve(connection *c)
{
    for (;;) {
        int writing = c->begin < c->end;
        char *end = writing ? NULL : memchr(c->in, '\n', c->read);
        ssize_t n;
        if (end != NULL) {
            answer(c, (size_t)(end - c->in));
            continue;
        }
        n = writing ? write(c->fd, c->out + c->begin, c->end - c->begin)
                    : read(c->fd, c->in + c->read, LINE - c->read);
        if (n > 0)
            *(writing ? &c->begin : &c->read) += (size_t)n;
        else if (n < 0 && errno == EAGAIN && give_back(c, writing) == 0)
            return;
        else if (n == 0 || errno != EINTR) /* the end, or a line that is too long */
            break;
    }
    close_connection(c);
}

static void *work(void *unused)
{
    evl_event event;
    for (;;)
        if (evl_wait(queue, &event, 1, -1) == 1) {
            if (event.filter == EVL_USER)
                return unused;
            serve(event.udata);
        }
}

int main(int argc, char **argv)
{
    pthread_t pool[MOST_THREADS];
    int fd, i, threads = argc > 2 ? atoi(argv[2]) : 4, ready;
    int listener = evl_listen(argc > 1 ? argv[1] : "127.0.0.1:7007", NULL);
    evl_reactor *reactor = listener < 0 ? NULL : evl_create(NULL);
    evl_event event = {.ident = SIGTERM, .filter = EVL_SIGNAL}, stop = {.filter = EVL_USER};

    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    ready = reactor != NULL && watch_listener(reactor, listener) == 0 &&
            evl_add(reactor, &event) == 0 && (queue = evl_create(NULL)) != NULL &&
            evl_add(queue, &stop) == 0;
    for (i = 0; i < threads && i < MOST_THREADS && ready; i++)
        ready = pthread_create(&pool[i], NULL, work, NULL) == 0;
    threads = i;
    if (announce("workers", ready, listener) != 0)
        return 1;
    while (evl_wait(reactor, &event, 1, -1) != 1 || event.filter != EVL_SIGNAL) {
        while ((fd = evl_accept(listener)) >= 0)
            open_connection(fd);
        watch_listener_again(reactor, listener, fd);
    }
    evl_trigger(queue, stop.ident); /* without CLEAR, so that each thread is told */
    for (i = 0; i < threads; i++)
        pthread_join(pool[i], NULL);
    for (i = 0; i < MOST_CONNECTIONS; i++)
        if (connections[i] != NULL)
            close_connection(connections[i]);
    close(listener);
    evl_close(queue);
    evl_close(reactor);
    return 0;
}
