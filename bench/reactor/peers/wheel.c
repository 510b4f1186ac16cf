// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * A bare timing wheel: the least that timers can cost. Six levels of 64 slots, ticks of a millisecond,
 * the caller's own structs in doubly linked lists; the clock is read once per turn, times count from
 * then, and what is due is counted, not queued.
 */
#include "../src/measure.h"
#include "../src/peer.h"

enum { LEVELS = 6, SLOTS = 64, BITS = 6 };

struct timer {
    struct timer *next, **link; /* `link` is what points here; NULL while not armed */
    uint64_t at;
};

static struct timer *timers, *slots[LEVELS][SLOTS];
static uint64_t tick, begun_at;
static happened *on_expired;

static uint64_t now_ms(void) { return read_clock(CLOCK_MONOTONIC) / 1000000; }

static void insert(struct timer *timer) {
    uint64_t distance = timer->at - tick;
    int level = distance < SLOTS ? 0 : (63 - __builtin_clzll(distance)) / BITS;
    struct timer **slot = &slots[level][timer->at >> (BITS * level) & (SLOTS - 1)];
    timer->next = *slot;
    if (timer->next) timer->next->link = &timer->next;
    timer->link = slot;
    *slot = timer;
}

void peer_open_timers(int count, happened *expired) {
    timers = allocate((size_t)count, sizeof *timers);
    on_expired = expired;
    begun_at = now_ms();
}

void peer_cancel(int i) {
    struct timer *timer = &timers[i];
    *timer->link = timer->next;
    if (timer->next) timer->next->link = timer->link;
    timer->link = NULL;
}

void peer_arm(int i, unsigned ms) {
    if (timers[i].link) peer_cancel(i);
    timers[i].at = tick + ms;
    insert(&timers[i]);
}

void peer_submit(void) {}

static struct timer *empty(struct timer **slot) {
    struct timer *list = *slot;
    *slot = NULL;
    return list;
}

static void advance(void) {
    tick++;
    for (int level = LEVELS - 1; level >= 0; level--) {
        if (tick & ((1ull << (BITS * level)) - 1)) continue; /* its hand has not moved */
        struct timer *timer = empty(&slots[level][tick >> (BITS * level) & (SLOTS - 1)]);
        for (struct timer *next; timer; timer = next) {
            next = timer->next;
            if (timer->at > tick) {
                insert(timer);
                continue;
            }
            timer->link = NULL;
            on_expired((int)(timer - timers));
        }
    }
}

void peer_turn(void) {
    uint64_t now = now_ms() - begun_at;
    while (tick < now) advance();
}
