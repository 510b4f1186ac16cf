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

/** What a client asks. Borrowed by a handler until it returns. */
typedef struct evl_request evl_request;

/** What the client is to get. Borrowed by a handler until it returns. */
typedef struct evl_response evl_response;

/** An HTTP server. Owned: evl_server_create() to evl_server_free(). */
typedef struct evl_server evl_server;

/* -----------------------------------------------------------------------------------------
 * Events
 *
 * A *knote* watches one condition. It is named by (ident, filter), or by (ident, filter, udata) if
 * it was added with EVL_UDATA_SPECIFIC. One struct goes both ways: as a change to a knote, and as
 * the event that it had.
 * ----------------------------------------------------------------------------------------- */

/** What a knote watches: evl_event's `filter`. */
typedef enum evl_filter {
    /** `ident` is a descriptor: bytes to read, a connection to accept, or the end of either. */
    EVL_READ = 1,
    /** `ident` is a descriptor: room to write, or nobody left to read it. */
    EVL_WRITE = 2,
    /** `ident` is a descriptor: urgent data, or the end of the other side. */
    EVL_EXCEPT = 3,
    /** `ident` is any number: time has passed, `data` is how often since last told. */
    EVL_TIMER = 4,
    /**
     * `ident` is a signal: it was delivered to the process, `data` is how often since last told. What
     * the program does at it is done all the same.
     */
    EVL_SIGNAL = 5,
    /** `ident` is a process: it has ended. */
    EVL_PROC = 6,
    /** `ident` is a descriptor: its file or directory changed. */
    EVL_VNODE = 7,
    /** `ident` is any number: the program called evl_trigger(). */
    EVL_USER = 8,
    /**
     * `ident` is a socket, terminal or pipe: everything written has been taken. Told up to ten
     * milliseconds late, as no OS but FreeBSD announces it.
     */
    EVL_EMPTY = 9,
    /**
     * An asynchronous operation has ended. ENOTSUP everywhere, as the next three: evl_last_error() says
     * why, and what to use instead.
     */
    EVL_AIO = 10,
    /** A message came to a Mach port. */
    EVL_MACHPORT = 11,
    /** A file system was mounted or unmounted. */
    EVL_FS = 12,
    /** The process of a descriptor changed. */
    EVL_PROCDESC = 13,
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
    /** READ: urgent data is news, too. Out: urgent data is waiting. */
    EVL_OOBAND = 1 << 11,
    /**
     * Out: the other side shut down; data may still be readable. `fflags` is 0, or with EVL_NOTE_DATA
     * the socket's error.
     */
    EVL_EOF = 1 << 12,
    /** Out: the change failed and `data` is the errno value, or it is a receipt and `data` is 0. */
    EVL_ERROR = 1 << 13,
} evl_flag;

/** READ, WRITE and EXCEPT: evl_event's `fflags`. */
typedef enum evl_io_note {
    /** `data` of the change is the low-water mark, in bytes. */
    EVL_NOTE_LOWAT = 1 << 0,
    /**
     * Fill `data` with how many bytes, connections or how much room there is and, of a failed socket,
     * `fflags` with its error, which takes it from the socket. Costs a system call per event where
     * the kernel does not tell by itself.
     */
    EVL_NOTE_DATA = 1 << 1,
    /** EXCEPT: urgent data waits. Implied in a change. */
    EVL_NOTE_OOB = 1 << 2,
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
    /** `data` is in ticks of a Mac. ENOTSUP everywhere. */
    EVL_NOTE_MACHTIME = 1 << 8,
} evl_timer_note;

/**
 * PROC: evl_event's `fflags`. Systems without a kqueue of their own tell of the end only; the other
 * notes are ENOTSUP there.
 */
typedef enum evl_process_note {
    /**
     * It has ended. `data` is its wait status if it is a child of this process and was not reaped:
     * reaping is left to the program. The knote ends with its event.
     */
    EVL_NOTE_EXIT = 1 << 0,
    /** With EVL_NOTE_EXIT. The event has it if `data` is the wait status. */
    EVL_NOTE_EXITSTATUS = 1 << 1,
    /** It has forked. */
    EVL_NOTE_FORK = 1 << 2,
    /** It has executed a program. */
    EVL_NOTE_EXEC = 1 << 3,
    /** It was sent a signal. */
    EVL_NOTE_SIGNAL = 1 << 4,
    /** It was reaped. */
    EVL_NOTE_REAP = 1 << 5,
} evl_process_note;

/** VNODE: evl_event's `fflags`: what to tell of, and what happened. What an OS cannot tell is ENOTSUP. */
typedef enum evl_vnode_note {
    /** Its last name is gone. */
    EVL_NOTE_DELETE = 1 << 0,
    /** It was written to; a directory has got or lost an entry. */
    EVL_NOTE_WRITE = 1 << 1,
    /** It has grown; an entry was moved into or out of the directory. */
    EVL_NOTE_EXTEND = 1 << 2,
    /** Its owner, mode or times have changed. */
    EVL_NOTE_ATTRIB = 1 << 3,
    /** The number of its names has changed. */
    EVL_NOTE_LINK = 1 << 4,
    /** It was renamed. */
    EVL_NOTE_RENAME = 1 << 5,
    /** Access was revoked, or its file system unmounted. ENOTSUP on Linux. */
    EVL_NOTE_REVOKE = 1 << 6,
    /** A lock on it was released. ENOTSUP on Linux. */
    EVL_NOTE_FUNLOCK = 1 << 7,
    /** It was opened. */
    EVL_NOTE_OPEN = 1 << 8,
    /** A descriptor that could not write to it was closed. */
    EVL_NOTE_CLOSE = 1 << 9,
    /** A descriptor that could write to it was closed. */
    EVL_NOTE_CLOSE_WRITE = 1 << 10,
    /** It was read from. */
    EVL_NOTE_READ = 1 << 11,
} evl_vnode_note;

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

/** A change to make, or an event that happened. */
typedef struct evl_event {
    /** Descriptor, process, signal, or number of a timer or user event. */
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

/* -----------------------------------------------------------------------------------------
 * Reactor
 *
 * kqueue's model on every OS. Changes to knotes go in, events come out. Closing a descriptor
 * removes its knotes. Without flags a knote is level-triggered: its event comes back for as long as
 * its condition holds.
 * ----------------------------------------------------------------------------------------- */

/** How a reactor is to be. Set `size` to sizeof(evl_options) and the rest to 0 for the defaults. */
typedef struct evl_options {
    /** sizeof(evl_options) */
    size_t size;
    /** "kqueue", "epoll", "poll" or "select". NULL: what EVL_BACKEND says, else the best. */
    const char *backend;
} evl_options;

/**
 * Makes a reactor. It belongs to this process: a child after fork() gets -EBADF from it. NULL
 * `options` are the defaults. NULL on failure: EMFILE, ENFILE, ENOMEM; EINVAL for an unknown
 * backend, ENOTSUP for one that this OS does not have. Owned: evl_close().
 *
 * Thread: any.
 */
evl_reactor *evl_create(const evl_options *options) EVL_WARN_UNUSED;

/**
 * Makes one change, with EVL_ADD set. Errors: EBADF, EINVAL, ENOTSUP, ESRCH for a process; and by
 * limits EMFILE, ENFILE, ENOMEM, ENOSPC.
 *
 * Thread: any, also while others wait: they see the change at once.
 */
int evl_add(evl_reactor *reactor, const evl_event *change) EVL_NONNULL(1, 2);

/**
 * Forgets the knote of that name and its pending event. ENOENT if there is none, EBADF if the
 * descriptor is not open.
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
 * What the reactor runs on: "kqueue", "epoll", "poll" or "select". Borrowed for ever.
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
 * BSD's kqueue
 *
 * What <sys/event.h> of evl-kqueue stands on: kqueue(2) and kevent(2) for Linux, with a
 * descriptor for a queue. Programs include that header and link evl-kqueue; these functions are for
 * those who bind kqueue to another language, or who may not define its names.
 * ----------------------------------------------------------------------------------------- */

/** A change or an event: struct kevent of <sys/event.h>, whose numbers it has. */
typedef struct evl_bsd_event {
    /** Descriptor, process, signal, or number of a timer or user event. */
    uintptr_t ident;
    /** One of EVFILT_... */
    int16_t filter;
    /** Some of EV_... */
    uint16_t flags;
    /** Some of the filter's NOTE_... */
    uint32_t fflags;
    /** The filter's number. */
    intptr_t data;
    /** Yours: comes back with each event. */
    void *udata;
} evl_bsd_event;

/**
 * Makes a queue and gives its descriptor: poll() finds it readable while there are events, and
 * close() frees the queue. `flags`: O_CLOEXEC; O_NONBLOCK, which means nothing. Errors: EMFILE, ENFILE, ENOMEM, EINVAL;
 * ENOTSUP on an OS without epoll.
 *
 * Thread: any.
 */
int evl_kqueue(int flags);

/**
 * kevent(2), but for the time-out, which is in nanoseconds, -1 for ever, and for failures, which
 * are returned. The changes are made first. Each that fails, or has EV_RECEIPT, is answered with an
 * EV_ERROR event, and if there were such, only they are returned. `events` may be the array of the
 * changes itself.
 *
 * Thread: any, several at once. Where one closes `kq` while others wait, they get EBADF within a
 * quarter of a second.
 */
int evl_kevent(int kq,
               const evl_bsd_event *changes,
               int nchanges,
               evl_bsd_event *events,
               int nevents,
               int64_t timeout_ns);

/**
 * sigaction(2), both with a struct sigaction or NULL, for a program whose own calls of it are led here, as
 * evl-kqueue does: the action of a signal that a queue counts is done beside the counting, from now
 * on, and the program never sees that there is another. Errors: EINVAL.
 *
 * Thread: any, signal handlers too.
 */
int evl_sigaction(int signal,
                  const void *action,
                  void *old_action);

/* -----------------------------------------------------------------------------------------
 * Sockets
 *
 * Stream sockets in one call each, ready for a reactor: non-blocking and close-on-exec from birth. A
 * descriptor is yours: close() it. Addresses are `127.0.0.1:8080`, `[::]:80`, `*:80`,
 * `localhost:80`, `8080` or `unix:/run/app.sock`; names are not looked up. Port 0 is any free port.
 * ----------------------------------------------------------------------------------------- */

/**
 * How a socket is to be. Set `size` to sizeof(evl_socket_options) and the rest to 0 for the system's
 * defaults. Connections inherit buffers, nodelay, keepalive and linger from the listener that accepts
 * them. What is TCP's is passed over on a unix socket.
 */
typedef struct evl_socket_options {
    /** sizeof(evl_socket_options) */
    size_t size;
    /** Listening: most connections that wait to be accepted. Default: as many as the system allows. */
    uint32_t backlog;
    /**
     * Listening: not 0: sockets of this user that all ask for it may listen on one address
     * (SO_REUSEPORT). Linux and FreeBSD spread connections over them.
     */
    uint32_t reuse_port;
    /** Listening on IPv6: not 0: not on IPv4 as well. Otherwise `[::]` takes both. */
    uint32_t v6only;
    /** Listening on a unix path: permission bits, such as 0660. Default: what the umask leaves. */
    uint32_t mode;
    /** SO_RCVBUF in bytes. The system rounds it and has a limit. */
    uint32_t receive_buffer;
    /** SO_SNDBUF in bytes. The system rounds it and has a limit. */
    uint32_t send_buffer;
    /** TCP: not 0: small segments are sent at once (TCP_NODELAY). */
    uint32_t nodelay;
    /** TCP: not 0: silent peers are probed (SO_KEEPALIVE). The next three imply it. */
    uint32_t keepalive;
    /** TCP: seconds of silence before the first probe. */
    uint32_t keepalive_idle_s;
    /** TCP: seconds between probes. */
    uint32_t keepalive_interval_s;
    /** TCP: probes without an answer after which the connection is dead. */
    uint32_t keepalive_count;
    /** Not 0: close() takes up to `linger_s` to deliver what was written (SO_LINGER). */
    uint32_t linger;
    /** Seconds; 0: what was not sent is dropped and the peer gets a reset. */
    uint32_t linger_s;
} evl_socket_options;

/**
 * Makes a socket that listens on `address`, with SO_REUSEADDR, and returns its descriptor. NULL
 * `options` are the defaults. A unix socket's file is made, and that of a process that has ended is
 * replaced; unlink() it when you close the listener. Errors: EADDRINUSE, also for a unix path where
 * somebody listens or there is another file; EACCES, EADDRNOTAVAIL, EMFILE; EINVAL, and
 * ENAMETOOLONG for a path, for what is no address; EINVAL and ENOTSUP for options.
 *
 * Thread: any.
 */
int evl_listen(const char *address,
               const evl_socket_options *options) EVL_WARN_UNUSED EVL_NONNULL(1);

/**
 * The next connection that waits at a listener. Call it until it returns -EAGAIN: nobody waits any
 * more. Connections that ended before they were accepted are passed over. After -EMFILE, -ENFILE,
 * -ENOBUFS and -ENOMEM the connection still waits: disable the listener's knote until there is room,
 * or each wait tells of it again. Other errors: EBADF, EINVAL, ENOTSOCK.
 *
 * Thread: any, several at once.
 */
int evl_accept(int listener) EVL_WARN_UNUSED;

/**
 * Makes a socket that connects to `address` and returns its descriptor at once. EVL_WRITE tells when
 * the connection is made or has failed, which getsockopt(SO_ERROR) then tells apart. What the system
 * knows at once is an error of this call: ENETUNREACH; of a unix path ENOENT, ECONNREFUSED, and
 * EAGAIN for a full backlog; and those of evl_listen() for `address` and `options`.
 *
 * Thread: any.
 */
int evl_connect(const char *address,
                const evl_socket_options *options) EVL_WARN_UNUSED EVL_NONNULL(1);

/**
 * Sets a connection's buffers, nodelay, keepalive and linger. What is 0 stays as it is, and what
 * is for listening is passed over. Errors: EBADF, ENOTSOCK; EINVAL and ENOTSUP for options.
 *
 * Thread: any.
 */
int evl_socket_set(int socket, const evl_socket_options *options) EVL_NONNULL(2);

/**
 * Writes the address where a socket is bound, with its real port, into `buffer` as a C string that
 * evl_listen() and evl_connect() take, and returns its length. ERANGE if `capacity` is too small;
 * EBADF, ENOTSOCK; EAFNOSUPPORT if it is neither of IP nor of unix.
 *
 * Thread: any.
 */
int evl_socket_address(int socket, char *buffer, size_t capacity) EVL_NONNULL(2);

/* -----------------------------------------------------------------------------------------
 * Server options
 *
 * What a program can choose of a server when it makes one.
 * ----------------------------------------------------------------------------------------- */

/** How new connections come to the workers, for evl_server_options.accept_policy. */
typedef enum evl_accept_policy {
    /**
     * The default. Each worker has listening sockets of its own, over which the kernel spreads
     * connections by a hash: nothing is shared, but few long connections may fall unevenly. As
     * EVL_ACCEPT_SHARED on unix paths and on systems that do not spread: all but Linux and
     * FreeBSD.
     */
    EVL_ACCEPT_REUSEPORT = 0,
    /**
     * All workers accept from the same sockets: a busy one holds nobody up, but those that are often
     * awake get more. With epoll one worker is woken for a connection, otherwise all are.
     */
    EVL_ACCEPT_SHARED = 1,
    /**
     * Worker 0 accepts for all and hands connections over in turn, to those that have room: the
     * balance is exact, for a wake-up more per connection.
     */
    EVL_ACCEPT_ROUND_ROBIN = 2,
} evl_accept_policy;

/**
 * How a server is to be. Set `size` to sizeof(evl_server_options) and the rest to 0 for the
 * defaults. What a configuration file says goes before these.
 */
typedef struct evl_server_options {
    /** sizeof(evl_server_options) */
    size_t size;
    /** "kqueue", "epoll", "poll" or "select"; NULL as in evl_options. */
    const char *backend;
    /** How many workers; 0: one per processor. */
    uint32_t workers;
    /** Not 0: the library makes no threads; the program calls evl_server_work() for each worker. */
    uint32_t caller_threads;
    /** Longest body of a request, in bytes; UINT64_MAX: any. Default 1 MiB. */
    uint64_t max_body_bytes;
    /** The whole head of a request has to be there within. Default 60 000. */
    uint32_t header_timeout_ms;
    /** Longest pause between two reads of a body. Default 60 000. */
    uint32_t body_timeout_ms;
    /** Longest pause between two writes of an answer. Default 60 000. */
    uint32_t send_timeout_ms;
    /** How long an idle connection is kept. Default 75 000. */
    uint32_t keepalive_timeout_ms;
    /** Answers on one connection before it is closed; 1: no keep-alive. Default 1000. */
    uint64_t keepalive_requests;
    /**
     * Most connections that a worker has open; 0: as many as there can be. At the limit idle
     * connections are closed for new ones; if none is idle, new ones wait.
     */
    uint32_t worker_connections;
    /** One of evl_accept_policy. */
    uint32_t accept_policy;
    /**
     * "readiness" or "uring"; NULL: what EVL_IO says in the environment, else readiness. Where the
     * system has no io_uring to give, uring is readiness.
     */
    const char *io;
} evl_server_options;

/* -----------------------------------------------------------------------------------------
 * Server
 *
 * An HTTP server. Create it; load a configuration file, or listen, serve directories and add
 * routes by calls, or both; start it; stop it; free it. Everything up to start is set-up: it is
 * refused with EVL_ESTATE later.
 *
 * Handlers run on the workers, so several at once and each thread's by itself: what they share
 * through `udata` is theirs to guard. A handler that blocks holds up the connections of its worker.
 * SIGPIPE is blocked on the workers' threads; what the program does with it elsewhere stays.
 * ----------------------------------------------------------------------------------------- */

/** What a handler returns when it did not fail. */
typedef enum evl_outcome {
    /** The response is complete. */
    EVL_ANSWERED = 0,
    /** Not for this handler: the next one that matches is asked. */
    EVL_DECLINED = 1,
} evl_outcome;

/**
 * Answers a request: EVL_ANSWERED, EVL_DECLINED, or a negative code, for which the client gets 500.
 * Both objects are borrowed until it returns, and return it must: no longjmp(), no pthread_exit().
 */
typedef int (*evl_handler_fn)(const evl_request *request, evl_response *response, void *udata);

/** Frees what a `udata` points to. */
typedef void (*evl_free_fn)(void *udata);

/** What a worker has done since start. Set `size` to sizeof(evl_counters) before the call. */
typedef struct evl_counters {
    /** sizeof(evl_counters) */
    size_t size;
    /** Connections that it has taken on. */
    uint64_t accepted;
    /** Of these, those that are open. */
    uint64_t open;
    /** Requests whose head has come. */
    uint64_t requests;
    /** Idle connections that it has closed to make room for others. */
    uint64_t shed;
    /** How often it woke up for events, orders or time-outs. */
    uint64_t turns;
} evl_counters;

/**
 * Makes a server. NULL `options` are the defaults. NULL on failure. Owned: evl_server_free().
 *
 * Thread: any.
 */
evl_server *evl_server_create(const evl_server_options *options) EVL_WARN_UNUSED;

/**
 * Takes over what a configuration file says; its addresses are bound at start. If it is wrong
 * nothing of it is taken, the code is EVL_ECONFIG, and evl_last_error() shows file, line, column and
 * what was meant. EVL_ESTATE for a second file.
 *
 * Thread: any, before start, one call at a time.
 */
int evl_server_load(evl_server *server,
                    const char *config_path) EVL_NONNULL(1, 2);

/**
 * Binds an address: `127.0.0.1:8080`, `[::]:80`, `8080`, `unix:/run/app.sock`. Port 0 takes a free
 * one, which evl_server_address() tells. Connections are refused until start. Errors: EADDRINUSE,
 * EACCES, EADDRNOTAVAIL, EINVAL.
 *
 * Thread: any, before start, one call at a time.
 */
int evl_server_listen(evl_server *server, const char *address) EVL_NONNULL(1, 2);

/**
 * Writes the address number `index`, with its real port, into `buffer` as a C string and returns
 * its length. First come those of evl_server_listen(), then, after start, the file's. ENOENT past
 * the last one, ERANGE if `capacity` is too small.
 *
 * Thread: any.
 */
int evl_server_address(const evl_server *server,
                       size_t index,
                       char *buffer,
                       size_t capacity) EVL_NONNULL(1);

/**
 * Serves the files of `directory` to paths that begin with `prefix`, such as "/" or "/static/".
 *
 * Thread: any, before start, one call at a time.
 */
int evl_server_static(evl_server *server,
                      const char *prefix,
                      const char *directory) EVL_NONNULL(1, 2, 3);

/**
 * Has `handler` answer requests of that method ("*": any) whose path matches `pattern`, such as
 * "/users/{id}" or "/files/{path...}", which takes all segments that are left. GET answers HEAD as
 * well. Routes go before directories; of several for one pattern the first is asked first. EINVAL
 * for an unknown method and for a pattern that is wrong or in conflict with another.
 *
 * `udata` is handed to each call. `free_udata`, unless NULL, is called with it exactly once, on any
 * thread: after the last handler has returned, and at the latest in evl_server_free(). If this call
 * fails, `udata` stays the caller's and `free_udata` is not called.
 *
 * Thread: any, before start, one call at a time.
 */
int evl_server_route(evl_server *server,
                     const char *method,
                     const char *pattern,
                     evl_handler_fn handler,
                     void *udata,
                     evl_free_fn free_udata) EVL_NONNULL(1, 2, 3, 4);

/**
 * Starts the workers and returns once they accept. With `caller_threads` the server only gets
 * ready: each worker begins with its evl_server_work(). EVL_ESTATE the second time, and if nothing
 * was loaded or listened on.
 *
 * Thread: any, one call at a time.
 */
int evl_server_start(evl_server *server) EVL_NONNULL(1);

/**
 * How many workers there are. EVL_ESTATE before start.
 *
 * Thread: any.
 */
int evl_server_workers(const evl_server *server) EVL_NONNULL(1);

/**
 * Runs worker number `index`, from 0 to evl_server_workers() - 1, on the calling thread until
 * evl_server_stop(). EVL_ESTATE without `caller_threads`, before start, and if there is no such
 * worker or it runs already.
 *
 * Thread: one of the program's own for each worker.
 */
int evl_server_work(evl_server *server, size_t index) EVL_NONNULL(1);

/**
 * Tells what worker number `index` has done, up to the latest turn that it has ended: an answer may
 * come before it is counted. Also after the stop. EVL_ESTATE before start, EINVAL if there is no such
 * worker.
 *
 * Thread: any.
 */
int evl_server_counters(const evl_server *server,
                        size_t index,
                        evl_counters *counters) EVL_NONNULL(1, 3);

/**
 * Starts unless started, waits for SIGINT or SIGTERM, lets running requests end within ten seconds,
 * or until a second signal, and returns 0. It is the whole main loop of a program that only serves,
 * and so raises the soft limit of descriptors (RLIMIT_NOFILE) to the hard one. Returns also when another thread stops the server. EVL_ESTATE with `caller_threads`, EBUSY if
 * another server is in this call.
 *
 * Thread: any, one call at a time.
 */
int evl_server_run(evl_server *server) EVL_NONNULL(1);

/**
 * Stops accepting, gives running requests `grace_ms` milliseconds to end, closes what is left and
 * returns when the workers have ended; called by a handler, it returns at once. EINVAL for a
 * negative `grace_ms`, EVL_ESTATE before start. A stopped server stays stopped.
 *
 * Thread: any.
 */
int evl_server_stop(evl_server *server, int64_t grace_ms) EVL_NONNULL(1);

/**
 * Frees a server, stopped at once if it runs, and what its routes were given. NULL is allowed.
 *
 * Thread: any but a worker's, once no other uses the server and each evl_server_work() has returned.
 */
void evl_server_free(evl_server *server);

/* -----------------------------------------------------------------------------------------
 * Request
 *
 * What a client asks. Every slice is borrowed until the handler returns. These functions cannot
 * fail: for what does not exist, and for a NULL request, they give a slice whose `ptr` is NULL.
 * ----------------------------------------------------------------------------------------- */

/** A header field. */
typedef struct evl_header {
    /** As the client spelled it. */
    evl_slice name;
    /** Without the white space around it. */
    evl_slice value;
} evl_header;

/**
 * The method: "GET".
 *
 * Thread: the handler's.
 */
evl_slice evl_request_method(const evl_request *request) EVL_NONNULL(1);

/**
 * The target as it was sent: "/a%20file?x=1".
 *
 * Thread: the handler's.
 */
evl_slice evl_request_target(const evl_request *request) EVL_NONNULL(1);

/**
 * The path, percent-decoded, without dot segments and doubled slashes: "/a file".
 *
 * Thread: the handler's.
 */
evl_slice evl_request_path(const evl_request *request) EVL_NONNULL(1);

/**
 * The query as it was sent, without its "?": "x=1". Does not exist if the target has no "?".
 *
 * Thread: the handler's.
 */
evl_slice evl_request_query(const evl_request *request) EVL_NONNULL(1);

/**
 * The value of the first header field of that name, in any case.
 *
 * Thread: the handler's.
 */
evl_slice evl_request_header(const evl_request *request, const char *name) EVL_NONNULL(1, 2);

/**
 * The header field number `index` in the order in which they came; past the last one, both of its
 * slices do not exist.
 *
 * Thread: the handler's.
 */
evl_header evl_request_header_at(const evl_request *request, size_t index) EVL_NONNULL(1);

/**
 * The body, whole and without its transfer coding; empty if there is none.
 *
 * Thread: the handler's.
 */
evl_slice evl_request_body(const evl_request *request) EVL_NONNULL(1);

/**
 * What stands in the path for `{name}` of the route's pattern.
 *
 * Thread: the handler's.
 */
evl_slice evl_request_param(const evl_request *request, const char *name) EVL_NONNULL(1, 2);

/**
 * The client's address and port: `127.0.0.1:50123`, `[::1]:50123`; `unix:` for a unix socket.
 *
 * Thread: the handler's.
 */
evl_slice evl_request_peer(const evl_request *request) EVL_NONNULL(1);

/* -----------------------------------------------------------------------------------------
 * Response
 *
 * What the client is to get: a status, header fields and a body, put together in any order until
 * the handler returns. Without any call it is 200 with an empty body. Date, Server, the length and
 * what the connection needs are added.
 * ----------------------------------------------------------------------------------------- */

/**
 * Answers in one call: status, Content-Type (NULL: none) and the whole body.
 *
 * Thread: the handler's.
 */
int evl_respond(evl_response *response,
                int status,
                const char *content_type,
                const void *body,
                size_t length) EVL_NONNULL(1);

/**
 * Sets the status, 200 to 599; EINVAL for others.
 *
 * Thread: the handler's.
 */
int evl_response_status(evl_response *response, int status) EVL_NONNULL(1);

/**
 * Adds a header field. EINVAL for a name or value that would break the message, and for the fields
 * that the server writes itself, such as Content-Length and Connection.
 *
 * Thread: the handler's.
 */
int evl_response_header(evl_response *response,
                        const char *name,
                        const char *value) EVL_NONNULL(1, 2, 3);

/**
 * Appends to the body. The bytes are copied.
 *
 * Thread: the handler's.
 */
int evl_response_write(evl_response *response, const void *data, size_t length) EVL_NONNULL(1);

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
