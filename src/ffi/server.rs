// SPDX-License-Identifier: MIT OR Apache-2.0
//! Server
//!
//! An HTTP server. Create it; load a configuration file, or listen, serve directories and add
//! routes by calls, or both; start it; stop it; free it. Everything up to start is set-up: it is
//! refused with EVL_ESTATE later.
//!
//! Handlers run on the workers, so several at once and each thread's by itself: what they share
//! through `udata` is theirs to guard. A handler that blocks holds up the connections of its worker.
//! SIGPIPE is blocked on the workers' threads; what the program does with it elsewhere stays.

use super::callback::{Callback, Udata};
use super::guard::{count, guard, guard_new, guard_or};
use super::handle::{evl_request, evl_response, evl_server, shared, take};
use super::options::{self, SizeFirst};
use super::server_options::evl_server_options;
use super::text::{path, string, write};
use crate::error::Error;
use crate::server::{Counters, Server};
use std::ffi::{c_char, c_int, c_void};
use std::time::Duration;

/// What a handler returns when it did not fail.
#[repr(C)]
pub enum evl_outcome {
    /// The response is complete.
    EVL_ANSWERED = 0,
    /// Not for this handler: the next one that matches is asked.
    EVL_DECLINED = 1,
}

/// Answers a request: EVL_ANSWERED, EVL_DECLINED, or a negative code, for which the client gets 500.
/// Both objects are borrowed until it returns, and return it must: no longjmp(), no pthread_exit().
pub type evl_handler_fn = Option<
    unsafe extern "C" fn(
        request: *const evl_request,
        response: *mut evl_response,
        udata: *mut c_void,
    ) -> c_int,
>;

/// Frees what a `udata` points to.
pub type evl_free_fn = Option<unsafe extern "C" fn(udata: *mut c_void)>;

/// What a worker has done since start. Set `size` to sizeof(evl_counters) before the call.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_counters {
    /// sizeof(evl_counters)
    pub size: libc::size_t,
    /// Connections that it has taken on.
    pub accepted: u64,
    /// Of these, those that are open.
    pub open: u64,
    /// Requests whose head has come.
    pub requests: u64,
    /// Idle connections that it has closed to make room for others.
    pub shed: u64,
    /// How often it woke up for events, orders or time-outs.
    pub turns: u64,
}

// SAFETY: repr(C), size first, and integers have no invalid values.
unsafe impl SizeFirst for evl_counters {}

/// cbindgen:postfix=EVL_WARN_UNUSED
/// Makes a server. NULL `options` are the defaults. NULL on failure. Owned: evl_server_free().
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_create(options: *const evl_server_options) -> *mut evl_server {
    guard_new(|| {
        // SAFETY: the caller gives NULL or options that are as large as they say.
        let options = unsafe { options::read(options) }?;
        // SAFETY: the caller gives NULL or a C string as the backend.
        Server::new(unsafe { options.to_engine() }?).map(evl_server)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1, 2)
/// Takes over what a configuration file says; its addresses are bound at start. If it is wrong
/// nothing of it is taken, the code is EVL_ECONFIG, and evl_last_error() shows file, line, column and
/// what was meant. EVL_ESTATE for a second file.
///
/// Thread: any, before start, one call at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_load(
    server: *mut evl_server,
    config_path: *const c_char,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        // SAFETY: the caller gives NULL or a C string.
        server.0.load(unsafe { path(config_path) }?).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1, 2)
/// Binds an address: `127.0.0.1:8080`, `[::]:80`, `8080`, `unix:/run/app.sock`. Port 0 takes a free
/// one, which evl_server_address() tells. Connections are refused until start. Errors: EADDRINUSE,
/// EACCES, EADDRNOTAVAIL, EINVAL.
///
/// Thread: any, before start, one call at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_listen(
    server: *mut evl_server,
    address: *const c_char,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        // SAFETY: the caller gives NULL or a C string.
        server.0.listen(unsafe { string(address) }?).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Writes the address number `index`, with its real port, into `buffer` as a C string and returns
/// its length. First come those of evl_server_listen(), then, after start, the file's. ENOENT past
/// the last one, ERANGE if `capacity` is too small.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_address(
    server: *const evl_server,
    index: libc::size_t,
    buffer: *mut c_char,
    capacity: libc::size_t,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        let address = server.0.address(index).ok_or(Error::os(libc::ENOENT))?;
        // SAFETY: the caller gives NULL or room for `capacity` bytes.
        unsafe { write(address.as_bytes(), buffer, capacity) }
    })
}

/// cbindgen:postfix=EVL_NONNULL(1, 2, 3)
/// Serves the files of `directory` to paths that begin with `prefix`, such as "/" or "/static/".
///
/// Thread: any, before start, one call at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_static(
    server: *mut evl_server,
    prefix: *const c_char,
    directory: *const c_char,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        // SAFETY: the caller gives NULL or C strings.
        let (prefix, directory) = unsafe { (string(prefix)?, path(directory)?) };
        server.0.serve_directory(prefix, directory).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1, 2, 3, 4)
/// Has `handler` answer requests of that method ("*": any) whose path matches `pattern`, such as
/// "/users/{id}" or "/files/{path...}", which takes all segments that are left. GET answers HEAD as
/// well. Routes go before directories; of several for one pattern the first is asked first. EINVAL
/// for an unknown method and for a pattern that is wrong or in conflict with another.
///
/// `udata` is handed to each call. `free_udata`, unless NULL, is called with it exactly once, on any
/// thread: after the last handler has returned, and at the latest in evl_server_free(). If this call
/// fails, `udata` stays the caller's and `free_udata` is not called.
///
/// Thread: any, before start, one call at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_route(
    server: *mut evl_server,
    method: *const c_char,
    pattern: *const c_char,
    handler: evl_handler_fn,
    udata: *mut c_void,
    free_udata: evl_free_fn,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        // SAFETY: the caller gives NULL or C strings.
        let (method, pattern) = unsafe { (string(method)?, string(pattern)?) };
        let function = handler.ok_or(Error::os(libc::EFAULT))?;
        let udata = Udata::new(udata);
        server.0.route(method, pattern, Box::new(Callback::new(function, &udata)))?;
        udata.free_with(free_udata);
        Ok(0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Starts the workers and returns once they accept. With `caller_threads` the server only gets
/// ready: each worker begins with its evl_server_work(). EVL_ESTATE the second time, and if nothing
/// was loaded or listened on.
///
/// Thread: any, one call at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_start(server: *mut evl_server) -> c_int {
    // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
    guard(|| unsafe { shared(server) }?.0.start().map(|()| 0))
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// How many workers there are. EVL_ESTATE before start.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_workers(server: *const evl_server) -> c_int {
    // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
    guard(|| unsafe { shared(server) }?.0.workers().map(count))
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Runs worker number `index`, from 0 to evl_server_workers() - 1, on the calling thread until
/// evl_server_stop(). EVL_ESTATE without `caller_threads`, before start, and if there is no such
/// worker or it runs already.
///
/// Thread: one of the program's own for each worker.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_work(server: *mut evl_server, index: libc::size_t) -> c_int {
    // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
    guard(|| unsafe { shared(server) }?.0.work(index).map(|()| 0))
}

/// cbindgen:postfix=EVL_NONNULL(1, 3)
/// Tells what worker number `index` has done, up to the latest turn that it has ended: an answer may
/// come before it is counted. Also after the stop. EVL_ESTATE before start, EINVAL if there is no such
/// worker.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_counters(
    server: *const evl_server,
    index: libc::size_t,
    counters: *mut evl_counters,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        let Counters { accepted, open, requests, shed, turns } = server.0.counters(index)?;
        let known = evl_counters { size: 0, accepted, open, requests, shed, turns };
        // SAFETY: the caller gives NULL or a struct that is as large as it says.
        unsafe { options::write(counters, &known) }.map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Starts unless started, waits for SIGINT or SIGTERM, lets running requests end within ten seconds,
/// or until a second signal, and returns 0. It is the whole main loop of a program that only serves,
/// and so raises the soft limit of descriptors (RLIMIT_NOFILE) to the hard one. Returns also when another thread stops the server. EVL_ESTATE with `caller_threads`, EBUSY if
/// another server is in this call.
///
/// Thread: any, one call at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_run(server: *mut evl_server) -> c_int {
    // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
    guard(|| unsafe { shared(server) }?.0.run().map(|()| 0))
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Stops accepting, gives running requests `grace_ms` milliseconds to end, closes what is left and
/// returns when the workers have ended; called by a handler, it returns at once. EINVAL for a
/// negative `grace_ms`, EVL_ESTATE before start. A stopped server stays stopped.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_stop(server: *mut evl_server, grace_ms: i64) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a server that is not freed meanwhile.
        let server = unsafe { shared(server) }?;
        let grace = u64::try_from(grace_ms)
            .map_err(|_| Error::os(libc::EINVAL).context("grace_ms is negative"))?;
        server.0.stop(Duration::from_millis(grace)).map(|()| 0)
    })
}

/// Frees a server, stopped at once if it runs, and what its routes were given. NULL is allowed.
///
/// Thread: any but a worker's, once no other uses the server and each evl_server_work() has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_server_free(server: *mut evl_server) {
    // SAFETY: the caller gives NULL or what evl_server_create made, and does not use it again.
    guard_or((), || drop(unsafe { take(server) }));
}
