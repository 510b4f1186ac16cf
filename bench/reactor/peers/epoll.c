// SPDX-License-Identifier: MIT OR Apache-2.0
/* Bare epoll and eventfd: what everybody else is compared with. EDGE: edge-triggered. */
#define _GNU_SOURCE
#include "../src/measure.h"
#include "../src/peer.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#ifdef EDGE
enum { MODE = (int)EPOLLET };
#else
enum { MODE = 0 };
#endif
enum { MAX_EVENTS = 512 };

static int queue, wakeup;
static const int *descriptors;
static happened *on_readable;

static void control(int operation, int i, int events) {
    struct epoll_event event = {.events = (uint32_t)(events | MODE), .data.u32 = (uint32_t)i};
    if (epoll_ctl(queue, operation, descriptors[i], &event)) fail("epoll_ctl");
}

void peer_open(int count, const int *fds, happened *readable) {
    (void)count;
    queue = epoll_create1(EPOLL_CLOEXEC);
    descriptors = fds;
    on_readable = readable;
}

void peer_add(int i) { control(EPOLL_CTL_ADD, i, EPOLLIN); }
void peer_modify(int i, int on) { control(EPOLL_CTL_MOD, i, on ? EPOLLIN | EPOLLOUT : EPOLLIN); }
void peer_renew(int i) { control(EPOLL_CTL_MOD, i, EPOLLIN); }
void peer_remove(int i) { control(EPOLL_CTL_DEL, i, 0); }
void peer_submit(void) {}

void peer_wait(void) {
    static struct epoll_event events[MAX_EVENTS];
    int count = epoll_wait(queue, events, MAX_EVENTS, -1);
    for (int i = 0; i < count; i++) on_readable((int)events[i].data.u32);
}

void peer_open_wake(void) {
    struct epoll_event event = {.events = EPOLLIN};
    queue = epoll_create1(EPOLL_CLOEXEC);
    wakeup = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (epoll_ctl(queue, EPOLL_CTL_ADD, wakeup, &event)) fail("epoll_ctl");
}

void peer_wake(void) {
    uint64_t one = 1;
    if (write(wakeup, &one, sizeof one) != sizeof one) fail("write");
}

void peer_await_wake(void) {
    struct epoll_event event;
    uint64_t count;
    while (epoll_wait(queue, &event, 1, -1) != 1) {}
    if (read(wakeup, &count, sizeof count) != sizeof count) fail("read");
}
