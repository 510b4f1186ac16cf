/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The names of <sys/event.h>: evl's calls with the conventions of system calls, -1 and errno. They are
 * a library of their own, as evl itself exports no name that is not its own. */
#include <errno.h>
#include <evl.h>
#include <fcntl.h>
#include <sys/event.h>

/* The Rust side has the same struct under another name. */
#define SAME(field)                                                                                \
    (offsetof(struct kevent, field) == offsetof(evl_bsd_event, field) &&                           \
     sizeof(((struct kevent *)0)->field) == sizeof(((evl_bsd_event *)0)->field))
_Static_assert(SAME(ident) && SAME(filter) && SAME(flags) && SAME(fflags) && SAME(data) && SAME(udata) &&
                   sizeof(struct kevent) == sizeof(evl_bsd_event),
               "struct kevent");

static int answer(int result)
{
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/* What evl takes for a time-out; -2, which it refuses, if it is none. */
static int64_t nanoseconds(const struct timespec *timeout)
{
    if (timeout == NULL)
        return -1;
    if (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec >= 1000000000)
        return -2;
    if (timeout->tv_sec >= INT64_MAX / 1000000000)
        return INT64_MAX;
    return (int64_t)timeout->tv_sec * 1000000000 + timeout->tv_nsec;
}

int kqueue(void)
{
    return answer(evl_kqueue(O_CLOEXEC));
}

int kqueue1(int flags)
{
    return answer(evl_kqueue(flags));
}

int kqueuex(unsigned int flags)
{
    return answer((flags & ~KQUEUE_CLOEXEC) != 0 ? -EINVAL : evl_kqueue(flags == 0 ? 0 : O_CLOEXEC));
}

int kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
           int nevents, const struct timespec *timeout)
{
    return answer(evl_kevent(kq, (const evl_bsd_event *)changelist, nchanges,
                             (evl_bsd_event *)eventlist, nevents, nanoseconds(timeout)));
}
