/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An echo server with one reactor and one thread: echo [address]
 *
 * A connection's `udata` is the connection; the listener, its timer and SIGTERM have none.
 */
#include "connection.h"
#include "listener.h"
#include <signal.h>

static connection *connections;

static void accept_all(evl_reactor *reactor, int listener)
{
    int fd;
    while ((fd = evl_accept(listener)) >= 0)
        adopt(reactor, &connections, new_connection(fd));
    watch_listener_again(reactor, listener, fd);
}

int main(int argc, char **argv)
{
    int i, n, running = 1, listener = evl_listen(argc > 1 ? argv[1] : "127.0.0.1:7007", NULL);
    evl_reactor *reactor = listener < 0 ? NULL : evl_create(NULL);
    evl_event events[64], term = {.ident = SIGTERM, .filter = EVL_SIGNAL};
    int ready;

    signal(SIGTERM, SIG_IGN); /* the knote is told all the same */
    signal(SIGPIPE, SIG_IGN);
    ready = reactor != NULL && watch_listener(reactor, listener) == 0 &&
            evl_add(reactor, &term) == 0;
    if (announce("echo", ready, listener) != 0)
        return 1;
    while (running) {
        n = evl_wait(reactor, events, 64, -1);
        for (i = 0; i < n; i++)
            if (events[i].udata != NULL)
                echo(reactor, events[i].udata);
            else if (events[i].filter == EVL_SIGNAL)
                running = 0;
            else
                accept_all(reactor, listener);
    }
    while (connections != NULL)
        close_connection(connections);
    close(listener);
    evl_close(reactor);
    return 0;
}
