/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A connection that gets back what it sends: what echo.c, reuseport.c and acceptor.c have in common.
 *
 * READ is edge-triggered, so what is there is read and written back until one of both would block.
 * WRITE holds nearly always: it is watched only while something is left to write, and READ is off
 * meanwhile. So who does not read cannot make us buffer more, and a connection has one event at a
 * time, in which it may be freed.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <errno.h>
#include <evl.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct connection {
    struct connection *next, **link; /* in the list of its reactor's */
    int fd, waits; /* for room to write */
    size_t begin, end; /* what is left to write of `buffer` */
    char buffer[16384];
} connection;

static void close_connection(connection *c)
{
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    close(c->fd); /* which removes its knotes, too */
    free(c);
}

/* From now on the reactor tells when there is room to write; or, when all is written, bytes to read. */
static int watch(evl_reactor *reactor, connection *c, int writing)
{
    evl_event changes[] = {
        {.ident = (uintptr_t)c->fd, .filter = EVL_READ, .udata = c},
        {.ident = (uintptr_t)c->fd, .filter = EVL_WRITE, .flags = EVL_ADD | EVL_ONESHOT, .udata = c},
    };
    changes[0].flags = writing ? EVL_DISABLE : EVL_ENABLE;
    c->waits = writing;
    return evl_change(reactor, changes, writing ? 2 : 1, NULL, 0);
}

/* Reads and writes until one of them would block. */
static void echo(evl_reactor *reactor, connection *c)
{
    for (;;) {
        int writing = c->begin < c->end;
        ssize_t n = writing ? write(c->fd, c->buffer + c->begin, c->end - c->begin)
                            : read(c->fd, c->buffer, sizeof c->buffer);
        if (n > 0) {
            c->begin = writing ? c->begin + (size_t)n : 0;
            c->end = writing ? c->end : (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            if (!(writing || c->waits) || watch(reactor, c, writing) == 0)
                return;
            break;
        } else if (n == 0 || errno != EINTR) {
            break;
        }
    }
    close_connection(c);
}

/* Of a descriptor that was accepted. Without memory it is closed. */
static connection *new_connection(int fd)
{
    connection *c = calloc(1, sizeof *c);
    if (c == NULL)
        close(fd);
    else
        c->fd = fd;
    return c;
}

/* Takes a connection into a reactor's list, and has the reactor tell when there are bytes to read. */
static void adopt(evl_reactor *reactor, connection **list, connection *c)
{
    evl_event read = {.filter = EVL_READ, .flags = EVL_CLEAR, .udata = c};
    if (c == NULL)
        return;
    c->next = *list;
    c->link = list;
    if (*list != NULL)
        (*list)->link = &c->next;
    *list = c;
    read.ident = (uintptr_t)c->fd;
    if (evl_add(reactor, &read) < 0)
        close_connection(c);
}

#endif
