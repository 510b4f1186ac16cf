/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An echo server with a reactor and a listener in each of its threads: reuseport [address [threads]]
 *
 * The listeners share the port (SO_REUSEPORT); Linux and FreeBSD spread connections over them. The
 * threads share nothing, so nothing is locked. The main thread waits for SIGTERM and wakes the others.
 */
#include "connection.h"
#include "listener.h"
#include <pthread.h>
#include <signal.h>

enum { MOST_THREADS = 64, STOP = 1 };

typedef struct {
    pthread_t thread;
    evl_reactor *reactor;
    int listener;
    connection *connections;
} server;

static void accept_all(server *s)
{
    int fd;
    while ((fd = evl_accept(s->listener)) >= 0)
        adopt(s->reactor, &s->connections, new_connection(fd));
    watch_listener_again(s->reactor, s->listener, fd);
}

static void *run(void *argument)
{
    server *s = argument;
    evl_event events[64];
    int i, n, running = 1;
    while (running) {
        n = evl_wait(s->reactor, events, 64, -1);
        for (i = 0; i < n; i++)
            if (events[i].udata != NULL)
                echo(s->reactor, events[i].udata);
            else if (events[i].filter == EVL_USER)
                running = 0;
            else
                accept_all(s);
    }
    while (s->connections != NULL)
        close_connection(s->connections);
    close(s->listener);
    return NULL;
}

static int start(server *s, const char *address)
{
    evl_socket_options options = {.size = sizeof options, .reuse_port = 1};
    evl_event stop = {.ident = STOP, .filter = EVL_USER};
    s->listener = evl_listen(address, &options);
    s->reactor = s->listener < 0 ? NULL : evl_create(NULL);
    return s->reactor != NULL && watch_listener(s->reactor, s->listener) == 0 &&
           evl_add(s->reactor, &stop) == 0 && pthread_create(&s->thread, NULL, run, s) == 0;
}

int main(int argc, char **argv)
{
    static server servers[MOST_THREADS];
    int i, threads = argc > 2 ? atoi(argv[2]) : 2, ready;
    char address[256];
    evl_event term = {.ident = SIGTERM, .filter = EVL_SIGNAL};
    evl_reactor *reactor = evl_create(NULL);

    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    snprintf(address, sizeof address, "%s", argc > 1 ? argv[1] : "127.0.0.1:7007");
    ready = reactor != NULL && evl_add(reactor, &term) == 0;
    for (i = 0; i < threads && i < MOST_THREADS && ready; i++) /* the first may choose the port */
        ready = start(&servers[i], address) &&
                evl_socket_address(servers[i].listener, address, sizeof address) > 0;
    threads = i;
    if (announce("reuseport", ready, servers[0].listener) != 0)
        return 1;
    while (evl_wait(reactor, &term, 1, -1) != 1)
        ;
    for (i = 0; i < threads; i++) {
        evl_trigger(servers[i].reactor, STOP);
        pthread_join(servers[i].thread, NULL);
        evl_close(servers[i].reactor);
    }
    evl_close(reactor);
    return 0;
}
