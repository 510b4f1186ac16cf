// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * evl, through its C face. EDGE: with EVL_CLEAR. BATCH: so many changes at a time with evl_change,
 * where a program that has only one would call evl_add.
 */
#define _GNU_SOURCE
#include "../src/measure.h"
#include "../src/peer.h"
#include <evl.h>

#ifdef EDGE
enum { MODE = EVL_CLEAR };
#else
enum { MODE = 0 };
#endif
enum { MAX_EVENTS = 512 };

static evl_reactor *reactor;
static const int *descriptors;
static happened *on_event;

static void check(int result) {
    if (result >= 0) return;
    fprintf(stderr, "%s\n", evl_last_error());
    exit(1);
}

#ifdef BATCH
static evl_event batch[BATCH];
static size_t batched;

void peer_submit(void) {
    check(evl_change(reactor, batch, batched, NULL, 0));
    batched = 0;
}

static void change(const evl_event *one) {
    batch[batched++] = *one;
    if (batched == BATCH) peer_submit();
}

static void forget(uintptr_t ident, int filter) {
    change(&(evl_event){.ident = ident, .filter = (int16_t)filter, .flags = EVL_DELETE});
}
#else
void peer_submit(void) {}
static void change(const evl_event *one) { check(evl_add(reactor, one)); }
static void forget(uintptr_t ident, int filter) { check(evl_delete(reactor, ident, filter)); }
#endif

static void watch(int i, int filter) {
    change(&(evl_event){.ident = (uintptr_t)descriptors[i], .filter = (int16_t)filter, .flags = EVL_ADD | MODE,
                        .udata = (void *)(uintptr_t)i});
}

static void collect(int64_t timeout_ns) {
    static evl_event events[MAX_EVENTS];
    int count = evl_wait(reactor, events, MAX_EVENTS, timeout_ns);
    check(count);
    for (int i = 0; i < count; i++) on_event((int)(uintptr_t)events[i].udata);
}

static void open_reactor(happened *happens) {
    reactor = evl_create(NULL);
    if (!reactor) check(-1);
    on_event = happens;
}

void peer_open(int count, const int *fds, happened *readable) {
    (void)count;
    descriptors = fds;
    open_reactor(readable);
}

void peer_add(int i) { watch(i, EVL_READ); }
void peer_renew(int i) { watch(i, EVL_READ); }
void peer_remove(int i) { forget((uintptr_t)descriptors[i], EVL_READ); }
void peer_wait(void) { collect(-1); }

void peer_modify(int i, int on) {
    if (on) watch(i, EVL_WRITE);
    else forget((uintptr_t)descriptors[i], EVL_WRITE);
}

void peer_open_timers(int count, happened *expired) {
    (void)count;
    open_reactor(expired);
}

void peer_arm(int i, unsigned ms) {
    change(&(evl_event){.ident = (uintptr_t)i, .filter = EVL_TIMER, .flags = EVL_ADD | EVL_ONESHOT, .data = ms,
                        .udata = (void *)(uintptr_t)i});
}

void peer_cancel(int i) { forget((uintptr_t)i, EVL_TIMER); }
void peer_turn(void) { collect(0); }

void peer_open_wake(void) {
    open_reactor(NULL);
    check(evl_add(reactor, &(evl_event){.ident = 1, .filter = EVL_USER, .flags = EVL_ADD | EVL_CLEAR}));
}

void peer_wake(void) { check(evl_trigger(reactor, 1)); }

void peer_await_wake(void) {
    evl_event event;
    while (evl_wait(reactor, &event, 1, -1) != 1) {}
}
