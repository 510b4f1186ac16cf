/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * <sys/event.h> for Linux: programs written for the kqueue of a BSD or of macOS compile unchanged with
 *
 *     cc program.c $(pkg-config --cflags --libs evl-kqueue)
 *
 * Numbers are macOS's. What only other systems have got numbers that macOS leaves free; docs/kqueue.md
 * says which of these names do something here, and what differs.
 */
#ifndef EVL_KQUEUE_SYS_EVENT_H
#define EVL_KQUEUE_SYS_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct timespec;

struct kevent {
    uintptr_t ident;       /* what is watched: descriptor, process, signal, any number */
    short filter;          /* which condition of it: EVFILT_... */
    unsigned short flags;  /* what to do, or what happened: EV_... */
    unsigned int fflags;   /* the filter's own flags: NOTE_... */
    intptr_t data;         /* the filter's own number */
    void *udata;           /* the caller's, comes back untouched */
};

/* Evaluates each argument once. */
#define EV_SET(kevp, ident_, filter_, flags_, fflags_, data_, udata_)          \
    do {                                                                       \
        struct kevent *const evl_kevent_ = (kevp);                             \
        evl_kevent_->ident = (uintptr_t)(ident_);                              \
        evl_kevent_->filter = (short)(filter_);                                \
        evl_kevent_->flags = (unsigned short)(flags_);                         \
        evl_kevent_->fflags = (unsigned int)(fflags_);                         \
        evl_kevent_->data = (intptr_t)(data_);                                 \
        evl_kevent_->udata = (void *)(intptr_t)(udata_);                       \
    } while (0)

/* Filters. */
#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_AIO (-3) /* ENOTSUP */
#define EVFILT_VNODE (-4)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)
#define EVFILT_MACHPORT (-8) /* macOS; ENOTSUP */
#define EVFILT_FS (-9)       /* ENOTSUP */
#define EVFILT_USER (-10)
#define EVFILT_VM (-12) /* macOS; ENOTSUP */
#define EVFILT_EXCEPT (-15)
#define EVFILT_EMPTY (-16)    /* FreeBSD, NetBSD */
#define EVFILT_PROCDESC (-17) /* FreeBSD; ENOTSUP */
#define EVFILT_LIO (-18)      /* FreeBSD; ENOTSUP */
#define EVFILT_SENDFILE (-19) /* FreeBSD; ENOTSUP */
#define EVFILT_DEVICE (-20)   /* OpenBSD; ENOTSUP */
#define EVFILT_SYSCOUNT 20

/* What to do. */
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008

/* How to tell. */
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
#define EV_UDATA_SPECIFIC 0x0100
#define EV_DISPATCH2 (EV_DISPATCH | EV_UDATA_SPECIFIC)
#define EV_VANISHED 0x0200
#define EV_FORCEONESHOT 0x0400 /* FreeBSD; ENOTSUP */
#define EV_KEEPUDATA 0x0800    /* FreeBSD */

/* What happened. */
#define EV_SYSFLAGS 0xF000
#define EV_FLAG0 0x1000
#define EV_FLAG1 0x2000
#define EV_POLL EV_FLAG0
#define EV_DROP EV_FLAG0
#define EV_OOBAND EV_FLAG1
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

/* EVFILT_READ, EVFILT_WRITE, EVFILT_EXCEPT. */
#define NOTE_LOWAT 0x00000001
#define NOTE_OOB 0x00000002

/* EVFILT_USER: an operation on the low 24 bits, and whether to fire. */
#define NOTE_FFNOP 0x00000000
#define NOTE_FFAND 0x40000000
#define NOTE_FFOR 0x80000000
#define NOTE_FFCOPY 0xc0000000
#define NOTE_FFCTRLMASK 0xc0000000
#define NOTE_FFLAGSMASK 0x00ffffff
#define NOTE_TRIGGER 0x01000000

/* EVFILT_VNODE. */
#define NOTE_DELETE 0x00000001
#define NOTE_WRITE 0x00000002
#define NOTE_EXTEND 0x00000004
#define NOTE_ATTRIB 0x00000008
#define NOTE_LINK 0x00000010
#define NOTE_RENAME 0x00000020
#define NOTE_REVOKE 0x00000040 /* never happens */
#define NOTE_NONE 0x00000080
#define NOTE_FUNLOCK 0x00000100     /* macOS; ENOTSUP */
#define NOTE_OPEN 0x00000400        /* FreeBSD */
#define NOTE_CLOSE 0x00000800       /* FreeBSD */
#define NOTE_CLOSE_WRITE 0x00001000 /* FreeBSD */
#define NOTE_READ 0x00002000        /* FreeBSD */

/* EVFILT_PROC. */
#define NOTE_EXIT 0x80000000
#define NOTE_FORK 0x40000000 /* ENOTSUP */
#define NOTE_EXEC 0x20000000 /* ENOTSUP */
#define NOTE_REAP 0x10000000 /* ENOTSUP */
#define NOTE_SIGNAL 0x08000000 /* ENOTSUP */
#define NOTE_EXITSTATUS 0x04000000
#define NOTE_EXIT_DETAIL 0x02000000
#define NOTE_PDATAMASK 0x000fffff
#define NOTE_PCTRLMASK 0xfff00000
#define NOTE_TRACK 0x00000001 /* ENOTSUP */
#define NOTE_TRACKERR 0x00000002
#define NOTE_CHILD 0x00000004

/* EVFILT_TIMER. */
#define NOTE_SECONDS 0x00000001
#define NOTE_USECONDS 0x00000002
#define NOTE_NSECONDS 0x00000004
#define NOTE_ABSOLUTE 0x00000008
#define NOTE_ABSTIME NOTE_ABSOLUTE
#define NOTE_LEEWAY 0x00000010
#define NOTE_CRITICAL 0x00000020
#define NOTE_BACKGROUND 0x00000040
#define NOTE_MACH_CONTINUOUS_TIME 0x00000080 /* ENOTSUP */
#define NOTE_MACHTIME 0x00000100             /* ENOTSUP */
#define NOTE_MSECONDS 0x00000200

/* kqueuex() of FreeBSD. */
#define KQUEUE_CLOEXEC 0x00000001

/* The queue is close-on-exec, as it would be of no use to another program. */
int kqueue(void);

/* NetBSD, OpenBSD: O_CLOEXEC, O_NONBLOCK. */
int kqueue1(int flags);

/* FreeBSD. */
int kqueuex(unsigned int flags);

int kevent(int kq, const struct kevent *changelist, int nchanges, struct kevent *eventlist,
           int nevents, const struct timespec *timeout);

#ifdef __cplusplus
}
#endif

#endif /* EVL_KQUEUE_SYS_EVENT_H */
