// SPDX-License-Identifier: MIT OR Apache-2.0
/* libev. Timers count from the time that its loop has read at the beginning of its turn. */
#include "../src/measure.h"
#include "../src/peer.h"
#include <ev.h>

static struct ev_loop *loop;
static ev_io *watchers;
static ev_timer *timers;
static ev_async wakeup;
static happened *on_event;

static void readable_now(struct ev_loop *l, ev_io *watcher, int events) {
    (void)l, (void)events;
    on_event((int)(watcher - watchers));
}

static void expired_now(struct ev_loop *l, ev_timer *timer, int events) {
    (void)l, (void)events;
    on_event((int)(timer - timers));
}

static void woken(struct ev_loop *l, ev_async *async, int events) { (void)l, (void)async, (void)events; }

void peer_open(int count, const int *fds, happened *readable) {
    loop = ev_loop_new(EVBACKEND_EPOLL);
    on_event = readable;
    watchers = allocate((size_t)count, sizeof *watchers);
    for (int i = 0; i < count; i++) ev_io_init(&watchers[i], readable_now, fds[i], EV_READ);
}

static void watch(int i, int events) {
    ev_io_stop(loop, &watchers[i]);
    ev_io_set(&watchers[i], watchers[i].fd, events);
    ev_io_start(loop, &watchers[i]);
}

void peer_add(int i) { ev_io_start(loop, &watchers[i]); }
void peer_modify(int i, int on) { watch(i, on ? EV_READ | EV_WRITE : EV_READ); }
void peer_renew(int i) { watch(i, EV_READ); }
void peer_remove(int i) { ev_io_stop(loop, &watchers[i]); }
void peer_submit(void) { ev_run(loop, EVRUN_NOWAIT); }
void peer_wait(void) { ev_run(loop, EVRUN_ONCE); }

void peer_open_timers(int count, happened *expired) {
    loop = ev_loop_new(EVBACKEND_EPOLL);
    on_event = expired;
    timers = allocate((size_t)count, sizeof *timers);
    for (int i = 0; i < count; i++) ev_init(&timers[i], expired_now);
}

void peer_arm(int i, unsigned ms) {
    timers[i].repeat = ms / 1e3;
    ev_timer_again(loop, &timers[i]);
    timers[i].repeat = 0; /* once */
}

void peer_cancel(int i) { ev_timer_stop(loop, &timers[i]); }
void peer_turn(void) { ev_run(loop, EVRUN_NOWAIT); }

void peer_open_wake(void) {
    loop = ev_loop_new(EVBACKEND_EPOLL);
    ev_async_init(&wakeup, woken);
    ev_async_start(loop, &wakeup);
}

void peer_wake(void) { ev_async_send(loop, &wakeup); }
void peer_await_wake(void) { ev_run(loop, EVRUN_ONCE); }
