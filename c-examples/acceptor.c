/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An echo server whose main thread accepts, and hands connections to the reactors of other threads,
 * each in its turn: acceptor [address [threads]]
 *
 * A hand-over is an entry in the thread's list and a trigger. Several triggers before the thread looks
 * are one event: the event says "look", the list says what there is.
 */
#include "connection.h"
#include "listener.h"
#include <pthread.h>
#include <signal.h>

enum { MOST_THREADS = 64, ARRIVED = 1, STOP = 2 };

typedef struct {
    pthread_t thread;
    evl_reactor *reactor;
    connection *connections, *arrived;
} server;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of each `arrived` */

static void hand_over(server *s, connection *c)
{
    pthread_mutex_lock(&mutex);
    c->next = s->arrived;
    s->arrived = c;
    pthread_mutex_unlock(&mutex);
    evl_trigger(s->reactor, ARRIVED);
}

static void take_over(server *s)
{
    connection *c, *next;
    pthread_mutex_lock(&mutex);
    c = s->arrived;
    s->arrived = NULL;
    pthread_mutex_unlock(&mutex);
    for (; c != NULL; c = next) {
        next = c->next;
        adopt(s->reactor, &s->connections, c);
    }
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
            else if (events[i].ident == ARRIVED)
                take_over(s);
            else
                running = 0;
    }
    take_over(s);
    while (s->connections != NULL)
        close_connection(s->connections);
    return NULL;
}

static int start(server *s)
{
    evl_event users[] = {
        {.ident = ARRIVED, .filter = EVL_USER, .flags = EVL_ADD | EVL_CLEAR},
        {.ident = STOP, .filter = EVL_USER, .flags = EVL_ADD},
    };
    return (s->reactor = evl_create(NULL)) != NULL &&
           evl_change(s->reactor, users, 2, NULL, 0) == 0 &&
           pthread_create(&s->thread, NULL, run, s) == 0;
}

int main(int argc, char **argv)
{
    static server servers[MOST_THREADS];
    int fd, i, threads = argc > 2 ? atoi(argv[2]) : 2, ready;
    int listener = evl_listen(argc > 1 ? argv[1] : "127.0.0.1:7007", NULL);
    evl_reactor *reactor = listener < 0 ? NULL : evl_create(NULL);
    evl_event event = {.ident = SIGTERM, .filter = EVL_SIGNAL};
    unsigned turn = 0;

    signal(SIGTERM, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    ready = reactor != NULL && watch_listener(reactor, listener) == 0 &&
            evl_add(reactor, &event) == 0;
    for (i = 0; i < threads && i < MOST_THREADS && ready; i++)
        ready = start(&servers[i]);
    threads = i;
    if (announce("acceptor", ready, listener) != 0)
        return 1;
    while (evl_wait(reactor, &event, 1, -1) != 1 || event.filter != EVL_SIGNAL) {
        while ((fd = evl_accept(listener)) >= 0) {
            connection *c = new_connection(fd);
            if (c != NULL)
                hand_over(&servers[turn++ % (unsigned)threads], c);
        }
        watch_listener_again(reactor, listener, fd);
    }
    for (i = 0; i < threads; i++) {
        evl_trigger(servers[i].reactor, STOP);
        pthread_join(servers[i].thread, NULL);
        evl_close(servers[i].reactor);
    }
    close(listener);
    evl_close(reactor);
    return 0;
}
