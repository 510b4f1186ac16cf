/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * evl: kqueue's event model on every OS, and an HTTP server that one can link.
 *
 * Made by `make header` from src/ffi: edit the comments and declarations there.
 */
#ifndef EVL_H
#define EVL_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define EVL_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#define EVL_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define EVL_NONNULL(...)
#define EVL_WARN_UNUSED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* -----------------------------------------------------------------------------------------
 * Text
 *
 * Text that evl takes is a C string, or a pointer with a length (NULL with length 0 is empty).
 * Text that evl gives is an evl_slice: bytes with a length, not ended by a NUL.
 * ----------------------------------------------------------------------------------------- */

/**
 * Borrowed bytes: `len` of them from `ptr` on. What does not exist has a NULL `ptr`; what is empty
 * has not. Print it with `printf("%.*s", (int)slice.len, slice.ptr)`.
 */
typedef struct evl_slice {
    /** The first byte. */
    const char *ptr;
    /** How many bytes. */
    size_t len;
} evl_slice;

/* -----------------------------------------------------------------------------------------
 * Objects
 *
 * Everything that evl makes is behind a pointer, and each pointer is one of these:
 *
 *   owned     yours: free it once, with the function named for it; freeing NULL does nothing
 *   borrowed  evl's: valid until the callback returns, or the object it came from is freed
 *
 * A NULL where an object is due is answered with -EFAULT, never with a crash. Units stand in
 * names (`timeout_ns`, `grace_ms`). No function changes errno.
 * ----------------------------------------------------------------------------------------- */

/** Watches conditions and hands out events. Owned: evl_create() to evl_close(). */
typedef struct evl_reactor evl_reactor;

/* -----------------------------------------------------------------------------------------
 * Reactor
 *
 * kqueue's model on every OS. A *knote* watches one condition and is named by (ident, filter), or
 * by (ident, filter, udata) if added with EVL_UDATA_SPECIFIC. Changes to knotes go in, events come
 * out, both as evl_event. Closing a descriptor removes its knotes. The defaults are level-triggered:
 * an event comes back for as long as its condition holds.
 * ----------------------------------------------------------------------------------------- */

/** What a knote watches: evl_event's `filter`. */
typedef enum evl_filter {
    /** `ident` is a descriptor: bytes to read, a connection to accept, or the end of either. */
    EVL_READ = 1,
    /** `ident` is a descriptor: room to write, or nobody left to read it. */
    EVL_WRITE = 2,
    /** `ident` is a descriptor: urgent data. */
    EVL_EXCEPT = 3,
    /** `ident` is any number: time has passed, `data` is how often since last told. */
    EVL_TIMER = 4,
    /** `ident` is a signal: it was delivered to the process. */
    EVL_SIGNAL = 5,
    /** `ident` is a process: it changed. */
    EVL_PROC = 6,
    /** `ident` is a descriptor: its file or directory changed. */
    EVL_VNODE = 7,
    /** `ident` is any number: the program called evl_trigger(). */
    EVL_USER = 8,
    /** `ident` is a descriptor: everything written has been sent. */
    EVL_EMPTY = 9,
} evl_filter;

/** What to do with a knote, or what happened to it: evl_event's `flags`. */
typedef enum evl_flag {
    /** Create the knote, or change the parameters of the one that exists. Enables it, too. */
    EVL_ADD = 1 << 0,
    /** Forget the knote and its pending event. */
    EVL_DELETE = 1 << 1,
    /** Deliver its events (again). */
    EVL_ENABLE = 1 << 2,
    /** Keep watching, but do not deliver. */
    EVL_DISABLE = 1 << 3,
    /** Deliver once, then delete. */
    EVL_ONESHOT = 1 << 4,
    /** Edge-triggered: told again on a new transition only. Read or write until EAGAIN. */
    EVL_CLEAR = 1 << 5,
    /** Disable at delivery; EVL_ENABLE re-arms. */
    EVL_DISPATCH = 1 << 6,
    /** Answer this change with an EVL_ERROR event, `data` 0 if it succeeded. */
    EVL_RECEIPT = 1 << 7,
    /** `udata` is part of the knote's name. */
    EVL_UDATA_SPECIFIC = 1 << 8,
    /** Leave the knote's `udata` as it is. */
    EVL_KEEPUDATA = 1 << 9,
    /** Say so once if the descriptor vanishes. */
    EVL_VANISHED = 1 << 10,
    /** Out-of-band data is waiting. */
    EVL_OOBAND = 1 << 11,
    /** Out: the other side shut down; data may still be readable. `fflags` is the socket's error. */
    EVL_EOF = 1 << 12,
    /** Out: the change failed and `data` is the errno value, or it is a receipt and `data` is 0. */
    EVL_ERROR = 1 << 13,
} evl_flag;

/** READ and WRITE: evl_event's `fflags`. */
typedef enum evl_io_note {
    /** `data` of the change is the low-water mark, in bytes. */
    EVL_NOTE_LOWAT = 1 << 0,
    /**
     * Tell in `data` how many bytes, connections or how much room there is. Costs a system call per
     * event where the kernel does not tell by itself.
     */
    EVL_NOTE_DATA = 1 << 1,
} evl_io_note;

/**
 * TIMER: evl_event's `fflags`. The first four are the unit of `data`; without one it is the
 * millisecond.
 */
typedef enum evl_timer_note {
    /** Seconds. */
    EVL_NOTE_SECONDS = 1 << 0,
    /** Milliseconds. */
    EVL_NOTE_MSECONDS = 1 << 1,
    /** Microseconds. */
    EVL_NOTE_USECONDS = 1 << 2,
    /** Nanoseconds. */
    EVL_NOTE_NSECONDS = 1 << 3,
    /** `data` is a point in wall-clock time since the epoch; fires once. */
    EVL_NOTE_ABSOLUTE = 1 << 4,
    /** Do not coalesce. */
    EVL_NOTE_CRITICAL = 1 << 5,
    /** May be coalesced. */
    EVL_NOTE_BACKGROUND = 1 << 6,
    /** Accepted; the leeway is taken as zero. */
    EVL_NOTE_LEEWAY = 1 << 7,
} evl_timer_note;

/** USER: evl_event's `fflags`. The low 24 bits are the program's own. */
typedef enum evl_user_note {
    /** Leave the knote's own bits. */
    EVL_NOTE_FFNOP = 0,
    /** AND them with the change's. */
    EVL_NOTE_FFAND = 1 << 28,
    /** OR them with the change's. */
    EVL_NOTE_FFOR = 2 << 28,
    /** Copy the change's. */
    EVL_NOTE_FFCOPY = 3 << 28,
    /** Which bits are the program's own. */
    EVL_NOTE_FFLAGSMASK = (1 << 24) - 1,
    /** Fire the event. */
    EVL_NOTE_TRIGGER = 1 << 24,
} evl_user_note;

/** How a reactor is to be. Set `size` to sizeof(evl_options) and the rest to 0 for the defaults. */
typedef struct evl_options {
    /** sizeof(evl_options) */
    size_t size;
    /** "epoll", "poll" or "select". NULL: what the environment's EVL_BACKEND says, else the best. */
    const char *backend;
} evl_options;

/** A change to make, or an event that happened. */
typedef struct evl_event {
    /** Descriptor, or number of a timer or user event. */
    uintptr_t ident;
    /** One of evl_filter. */
    int16_t filter;
    /** Some of evl_flag. */
    uint16_t flags;
    /** Some of the filter's notes. */
    uint32_t fflags;
    /** The filter's number: bytes, a period, expirations, an errno value. */
    int64_t data;
    /** Yours: comes back with each event. */
    void *udata;
} evl_event;

/**
 * Makes a reactor. It belongs to this process: a child after fork() gets -EBADF from it. NULL
 * `options` are the defaults. NULL on failure: EMFILE, ENFILE, ENOMEM; EINVAL for an unknown
 * backend, ENOTSUP for one that this OS does not have. Owned: evl_close().
 *
 * Thread: any.
 */
evl_reactor *evl_create(const evl_options *options) EVL_WARN_UNUSED;

/**
 * Makes one change, with EVL_ADD set. Errors: EBADF, EINVAL, ENOMEM, ENOTSUP.
 *
 * Thread: any, also while others wait: they see the change at once.
 */
int evl_add(evl_reactor *reactor, const evl_event *change) EVL_NONNULL(1, 2);

/**
 * Forgets the knote of that name and its pending event. ENOENT if there is none.
 *
 * Thread: any, also while others wait.
 */
int evl_delete(evl_reactor *reactor, uintptr_t ident, int filter) EVL_NONNULL(1);

/**
 * Makes `n` changes in their order. A change that fails, or that has EVL_RECEIPT, is answered with
 * an EVL_ERROR event in `receipts`, whose count is returned; the other changes are made all the
 * same. If there is no room for it, the call fails with the first failing change's error, after
 * all changes. `receipts` may be the array of the changes itself.
 *
 * Thread: any, also while others wait.
 */
int evl_change(evl_reactor *reactor,
               const evl_event *changes,
               size_t n,
               evl_event *receipts,
               size_t capacity) EVL_NONNULL(1);

/**
 * Waits for events and returns how many it put into `events`: 0 when the time is over, and at once
 * when `capacity` is 0. `timeout_ns` is in nanoseconds: 0 only looks, -1 waits for ever. EINTR if a
 * signal handler ran.
 *
 * Thread: any, several at once: an event goes to one of them if it has EVL_CLEAR, EVL_ONESHOT or
 * EVL_DISPATCH.
 */
int evl_wait(evl_reactor *reactor,
             evl_event *events,
             size_t capacity,
             int64_t timeout_ns) EVL_WARN_UNUSED EVL_NONNULL(1);

/**
 * Fires the EVL_USER knote of that number. ENOENT if there is none. Leaves evl_last_error().
 *
 * Thread: any, signal handlers too.
 */
int evl_trigger(evl_reactor *reactor, uintptr_t ident) EVL_NONNULL(1);

/**
 * A descriptor that is readable while events are pending, to be watched by poll() or another
 * reactor. Borrowed until evl_close(): do not close it, do not read from it. ENOTSUP with the
 * backends poll and select.
 *
 * Thread: any.
 */
int evl_fd(const evl_reactor *reactor) EVL_NONNULL(1);

/**
 * What the reactor runs on: "epoll", "poll" or "select". Borrowed for ever.
 *
 * Thread: any.
 */
const char *evl_backend(const evl_reactor *reactor) EVL_NONNULL(1);

/**
 * Frees a reactor and its knotes; what they watched stays open. NULL is allowed.
 *
 * Thread: any, once no other uses the reactor.
 */
void evl_close(evl_reactor *reactor);

/* -----------------------------------------------------------------------------------------
 * Errors
 *
 * A call answers 0 or a count if it succeeded, and if not a negative code: -errno, or one of
 * evl's own below. A call that makes an object answers NULL, and evl_last_error_code() has the
 * code. evl_last_error() tells in words what went wrong, and with what.
 * ----------------------------------------------------------------------------------------- */

/** The codes that are evl's own. A released code keeps its number and its meaning. */
typedef enum evl_error {
    /** The configuration is wrong; evl_last_error() shows where. */
    EVL_ECONFIG = -10001,
    /** The call came at the wrong time: before start, after stop, twice. */
    EVL_ESTATE = -10002,
    /** What the call refers to has gone. */
    EVL_EGONE = -10003,
    /** The library has a bug: the call was abandoned, its object should be freed. */
    EVL_EPANIC = -10004,
} evl_error;

/**
 * What a code means, in a few words: "No such file or directory". Never NULL: a code that is not
 * known says so, 0 and counts are "Success". Borrowed for ever.
 *
 * Thread: any.
 */
const char *evl_strerror(int code);

/**
 * What a code is called: "ENOENT", "EVL_ECONFIG"; "OK" for 0 and counts, "UNKNOWN" for a code that
 * is not known. Never NULL. Borrowed for ever.
 *
 * Thread: any.
 */
const char *evl_error_name(int code);

/**
 * Why this thread's last call failed, in sentences for people: of a configuration file the place,
 * the line and what was meant. Empty, never NULL, if the call succeeded. Borrowed until this
 * thread's next call. Calls that cannot fail (close, free, the request's readers) and evl_trigger()
 * leave it.
 *
 * Thread: any; each has its own.
 */
const char *evl_last_error(void);

/**
 * The code of what evl_last_error() tells; 0 if the call succeeded.
 *
 * Thread: any; each has its own.
 */
int evl_last_error_code(void);

/* -----------------------------------------------------------------------------------------
 * Version
 *
 * The library is compatible with every program built against an older header of the same soname.
 * ----------------------------------------------------------------------------------------- */

/**
 * The version of the library that runs, such as "0.1.0". Borrowed for ever.
 *
 * Thread: any.
 */
const char *evl_version(void);

#ifdef __cplusplus
}
#endif

#endif /* EVL_H */
