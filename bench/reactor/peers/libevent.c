// SPDX-License-Identifier: MIT OR Apache-2.0
/* libevent, without its locks but for the wake-up, which is event_active() from another thread. */
#include "../src/measure.h"
#include "../src/peer.h"
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/thread.h>

static struct event_base *base;
static struct event *events, wakeup;
static const int *descriptors;
static happened *on_event;

static void call(evutil_socket_t fd, short what, void *number) {
    (void)fd, (void)what;
    on_event((int)(intptr_t)number);
}

static void woken(evutil_socket_t fd, short what, void *unused) { (void)fd, (void)what, (void)unused; }

static void open_base(int count, happened *happens) {
    struct event_config *config = event_config_new();
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    base = event_base_new_with_config(config);
    events = allocate((size_t)count, sizeof *events);
    on_event = happens;
}

static void assign(int i, short what) {
    event_assign(&events[i], base, descriptors[i], what | EV_PERSIST, call, (void *)(intptr_t)i);
}

void peer_open(int count, const int *fds, happened *readable) {
    open_base(count, readable);
    descriptors = fds;
    for (int i = 0; i < count; i++) assign(i, EV_READ);
}

static void watch(int i, short what) {
    event_del(&events[i]);
    assign(i, what);
    event_add(&events[i], NULL);
}

void peer_add(int i) { event_add(&events[i], NULL); }
void peer_modify(int i, int on) { watch(i, on ? EV_READ | EV_WRITE : EV_READ); }
void peer_renew(int i) { watch(i, EV_READ); }
void peer_remove(int i) { event_del(&events[i]); }
void peer_submit(void) {}
void peer_wait(void) { event_base_loop(base, EVLOOP_ONCE); }

void peer_open_timers(int count, happened *expired) {
    open_base(count, expired);
    for (int i = 0; i < count; i++) event_assign(&events[i], base, -1, 0, call, (void *)(intptr_t)i);
}

void peer_arm(int i, unsigned ms) {
    const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    event_add(&events[i], &after);
}

void peer_cancel(int i) { event_del(&events[i]); }
void peer_turn(void) { event_base_loop(base, EVLOOP_NONBLOCK); }

void peer_open_wake(void) {
    evthread_use_pthreads();
    base = event_base_new();
    event_assign(&wakeup, base, -1, EV_PERSIST, woken, NULL);
}

void peer_wake(void) { event_active(&wakeup, EV_READ, 0); }
void peer_await_wake(void) { event_base_loop(base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY); }
