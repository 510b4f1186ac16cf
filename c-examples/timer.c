/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Two timers on one reactor: one ticks every 100 ms, the other ends the program after 350 ms.
 *
 * A timer's `data` is its period on the way in and the number of expirations on the way out: were we
 * late, two ticks would come as one event. A periodic timer does not drift.
 */
#include <evl.h>
#include <stdio.h>

enum { TICK = 1, END = 2 };

static int add_timer(evl_reactor *reactor, uintptr_t number, int64_t ms, uint16_t flags)
{
    evl_event timer = {.ident = number, .filter = EVL_TIMER, .flags = flags, .data = ms};
    return evl_add(reactor, &timer);
}

int main(void)
{
    evl_reactor *reactor = evl_create(NULL);
    long long ticks = 0;
    int done = 0, failed = reactor == NULL || add_timer(reactor, TICK, 100, 0) < 0 ||
                           add_timer(reactor, END, 350, EVL_ONESHOT) < 0;

    while (!done && !failed) {
        evl_event events[2];
        int i, n = evl_wait(reactor, events, 2, -1);
        failed = n < 0;
        for (i = 0; i < n; i++) {
            if (events[i].ident == END) {
                done = 1;
            } else {
                ticks += events[i].data;
                printf("tick %lld\n", ticks);
            }
        }
    }
    if (failed)
        fprintf(stderr, "timer: %s\n", evl_last_error());
    else
        printf("end after %lld ticks\n", ticks);
    evl_close(reactor);
    return failed;
}
