/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A listener that rests when descriptors run out: what the examples that accept have in common.
 *
 * Its knote has DISPATCH: it is off once it was told. When nobody waits any more it is turned on again.
 * When somebody waits for whom there is no descriptor (EMFILE) it would be told again and again; so it
 * stays off until a timer has expired. Both events are answered by accepting.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <errno.h>
#include <evl.h>
#include <stdio.h>

enum { RETRY_MS = 50 };

static int watch_listener(evl_reactor *reactor, int listener)
{
    evl_event add = {.ident = (uintptr_t)listener, .filter = EVL_READ, .flags = EVL_DISPATCH};
    return evl_add(reactor, &add);
}

/* After accepting: `last` is what evl_accept() ended with. */
static void watch_listener_again(evl_reactor *reactor, int listener, int last)
{
    evl_event on = {.ident = (uintptr_t)listener, .filter = EVL_READ, .flags = EVL_ENABLE};
    evl_event retry = {.filter = EVL_TIMER, .flags = EVL_ADD | EVL_ONESHOT, .data = RETRY_MS};
    evl_change(reactor, last == -EAGAIN ? &on : &retry, 1, NULL, 0);
}

/* Says where it listens, once all is ready; or why it does not. Returns what main() is to return. */
static int announce(const char *program, int ready, int listener)
{
    char address[256];
    if (!ready || evl_socket_address(listener, address, sizeof address) < 0) {
        fprintf(stderr, "%s: %s\n", program, evl_last_error());
        return 1;
    }
    printf("listening on %s\n", address);
    fflush(stdout);
    return 0;
}

#endif
