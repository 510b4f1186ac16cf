/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* sigaction(2) and what stands on it, for programs that watch signals: a BSD's kernel counts a signal
 * whatever is set for it, and evl by a handler, which has to stay in its place. All are
 * async-signal-safe, as the C library's own are. */
#include <errno.h>
#include <evl.h>
#include <signal.h>
#include <stdatomic.h>

/* A libc that has no other name for its own sigaction, by which evl could call it, keeps it. */
#ifdef __GLIBC__

typedef void (*handler)(int);

/* The signals, a bit for each, whose handlers interrupt system calls: see siginterrupt(3). */
static _Atomic(uint64_t) interrupting;

static uint64_t bit(int number)
{
    return number >= 1 && number <= 64 ? (uint64_t)1 << (number - 1) : 0;
}

int sigaction(int number, const struct sigaction *action, struct sigaction *old)
{
    int result = evl_sigaction(number, action, old);

    if (result >= 0)
        return 0;
    errno = -result;
    return -1;
}

static handler set(int number, struct sigaction *action)
{
    struct sigaction old;

    if (action->sa_handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return sigaction(number, action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

handler signal(int number, handler function)
{
    struct sigaction action = {.sa_handler = function};

    sigemptyset(&action.sa_mask);
    if (sigaddset(&action.sa_mask, number) < 0)
        return SIG_ERR;
    action.sa_flags = (atomic_load(&interrupting) & bit(number)) != 0 ? 0 : SA_RESTART;
    return set(number, &action);
}

/* What <signal.h> makes of signal() for a program that asks for POSIX alone. */
handler __sysv_signal(int number, handler function);

handler __sysv_signal(int number, handler function)
{
    struct sigaction action = {.sa_handler = function};

    sigemptyset(&action.sa_mask);
    action.sa_flags = (int)SA_RESETHAND | SA_NODEFER;
    return set(number, &action);
}

int siginterrupt(int number, int interrupt)
{
    struct sigaction action;

    if (sigaction(number, NULL, &action) < 0)
        return -1;
    if (interrupt) {
        atomic_fetch_or(&interrupting, bit(number));
        action.sa_flags &= ~SA_RESTART;
    } else {
        atomic_fetch_and(&interrupting, ~bit(number));
        action.sa_flags |= SA_RESTART;
    }
    return sigaction(number, &action, NULL);
}

#endif
