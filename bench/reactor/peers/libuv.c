// SPDX-License-Identifier: MIT OR Apache-2.0
/* libuv. Timers count from the time that its loop has read at the beginning of its turn. */
#include "../src/measure.h"
#include "../src/peer.h"
#include <uv.h>

static uv_loop_t *loop;
static uv_poll_t *polls;
static uv_timer_t *timers;
static uv_async_t wakeup;
static happened *on_event;

static void readable_now(uv_poll_t *handle, int status, int events) {
    (void)status, (void)events;
    on_event((int)(handle - polls));
}

static void expired_now(uv_timer_t *timer) { on_event((int)(timer - timers)); }
static void woken(uv_async_t *async) { (void)async; }

void peer_open(int count, const int *fds, happened *readable) {
    loop = uv_default_loop();
    on_event = readable;
    polls = allocate((size_t)count, sizeof *polls);
    for (int i = 0; i < count; i++) uv_poll_init(loop, &polls[i], fds[i]);
}

static void watch(int i, int events) { uv_poll_start(&polls[i], events, readable_now); }

void peer_add(int i) { watch(i, UV_READABLE); }
void peer_modify(int i, int on) { watch(i, on ? UV_READABLE | UV_WRITABLE : UV_READABLE); }
void peer_renew(int i) { watch(i, UV_READABLE); }
void peer_remove(int i) { uv_poll_stop(&polls[i]); }
void peer_submit(void) { uv_run(loop, UV_RUN_NOWAIT); }
void peer_wait(void) { uv_run(loop, UV_RUN_ONCE); }

void peer_open_timers(int count, happened *expired) {
    loop = uv_default_loop();
    on_event = expired;
    timers = allocate((size_t)count, sizeof *timers);
    for (int i = 0; i < count; i++) uv_timer_init(loop, &timers[i]);
}

void peer_arm(int i, unsigned ms) { uv_timer_start(&timers[i], expired_now, ms, 0); }
void peer_cancel(int i) { uv_timer_stop(&timers[i]); }
void peer_turn(void) { uv_run(loop, UV_RUN_NOWAIT); }

void peer_open_wake(void) {
    loop = uv_default_loop();
    uv_async_init(loop, &wakeup, woken);
}

void peer_wake(void) { uv_async_send(&wakeup); }
void peer_await_wake(void) { uv_run(loop, UV_RUN_ONCE); }
