/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The reactor from C on every backend: arrays that overlap, udata, receipts, a watched reactor. */
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

static evl_event change(uintptr_t ident, int filter, int flags, void *udata)
{
    evl_event event;
    memset(&event, 0, sizeof event);
    event.ident = ident;
    event.filter = (int16_t)filter;
    event.flags = (uint16_t)flags;
    event.udata = udata;
    return event;
}

static void a_pipe_becomes_readable(evl_reactor *reactor)
{
    int ends[2], word = 42;
    evl_event event;
    REQUIRE(pipe(ends) == 0);
    event = change((uintptr_t)ends[0], EVL_READ, EVL_ADD, &word);
    event.fflags = EVL_NOTE_DATA;
    CHECK(evl_add(reactor, &event) == 0);
    CHECK(evl_wait(reactor, &event, 1, 0) == 0);
    CHECK(write(ends[1], "abc", 3) == 3);
    CHECK(evl_wait(reactor, &event, 1, -1) == 1);
    CHECK(event.ident == (uintptr_t)ends[0] && event.filter == EVL_READ);
    CHECK(event.udata == &word && event.data == 3);
    close(ends[1]);
    CHECK(evl_wait(reactor, &event, 1, -1) == 1 && (event.flags & EVL_EOF));
    CHECK(evl_delete(reactor, (uintptr_t)ends[0], EVL_READ) == 0);
    CHECK(evl_delete(reactor, (uintptr_t)ends[0], EVL_READ) == -ENOENT);
    close(ends[0]);
}

static void receipts_may_overwrite_their_changes(evl_reactor *reactor)
{
    evl_event both[3];
    both[0] = change(1, EVL_USER, EVL_ADD | EVL_RECEIPT, NULL);
    both[1] = change(2, EVL_USER, EVL_DELETE, NULL);
    both[2] = change(3, EVL_USER, EVL_ADD | EVL_RECEIPT, NULL);
    CHECK(evl_change(reactor, both, 3, both, 3) == 3);
    CHECK(both[0].ident == 1 && (both[0].flags & EVL_ERROR) && both[0].data == 0);
    CHECK(both[1].ident == 2 && (both[1].flags & EVL_ERROR) && both[1].data == ENOENT);
    CHECK(both[2].ident == 3 && both[2].data == 0);

    /* Shifted by one, so that each receipt lands on the next change. */
    both[0] = change(1, EVL_USER, EVL_DELETE | EVL_RECEIPT, NULL);
    both[1] = change(3, EVL_USER, EVL_DELETE | EVL_RECEIPT, NULL);
    CHECK(evl_change(reactor, both, 2, both + 1, 2) == 2);
    CHECK(both[1].ident == 1 && both[2].ident == 3 && both[2].data == 0);

    both[0] = change(7, EVL_USER, EVL_DELETE, NULL);
    CHECK(evl_change(reactor, both, 1, NULL, 0) == -ENOENT);
}

static void *trigger(void *reactor)
{
    return evl_trigger((evl_reactor *)reactor, 5) == 0 ? reactor : NULL;
}

static void another_thread_wakes(evl_reactor *reactor)
{
    pthread_t thread;
    void *result;
    evl_event event = change(5, EVL_USER, EVL_CLEAR, NULL);
    CHECK(evl_add(reactor, &event) == 0);
    REQUIRE(pthread_create(&thread, NULL, trigger, reactor) == 0);
    CHECK(evl_wait(reactor, &event, 1, -1) == 1 && event.ident == 5);
    CHECK(pthread_join(thread, &result) == 0 && result == reactor);
    CHECK(evl_wait(reactor, &event, 1, 0) == 0);
}

static void the_reactor_can_be_polled(evl_reactor *reactor)
{
    struct pollfd watched;
    evl_event event = change(9, EVL_TIMER, EVL_ONESHOT, NULL);
    event.data = 5;
    watched.fd = evl_fd(reactor);
    watched.events = POLLIN;
    if (watched.fd == -ENOTSUP) {
        printf("%s: %s\n", evl_backend(reactor), evl_last_error());
        return;
    }
    CHECK(watched.fd >= 0);
    CHECK(poll(&watched, 1, 0) == 0);
    CHECK(evl_add(reactor, &event) == 0);
    CHECK(poll(&watched, 1, 10000) == 1);
    CHECK(evl_wait(reactor, &event, 1, 0) == 1 && event.ident == 9 && event.data == 1);
}

int main(void)
{
    static const char *const backends[] = {"kqueue", "epoll", "poll", "select"};
    size_t i;
    for (i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        evl_options options;
        evl_reactor *reactor;
        memset(&options, 0, sizeof options);
        options.size = sizeof options;
        options.backend = backends[i];
        reactor = evl_create(&options);
        if (reactor == NULL && evl_last_error_code() == -ENOTSUP) {
            printf("%s: %s\n", backends[i], evl_last_error());
            continue;
        }
        REQUIRE(reactor != NULL);
        CHECK(strcmp(evl_backend(reactor), backends[i]) == 0);
        a_pipe_becomes_readable(reactor);
        receipts_may_overwrite_their_changes(reactor);
        another_thread_wakes(reactor);
        the_reactor_can_be_polled(reactor);
        evl_close(reactor);
    }
    return failures != 0;
}
