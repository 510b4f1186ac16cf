// SPDX-License-Identifier: MIT OR Apache-2.0
//! Server options
//!
//! What a program can choose of a server when it makes one.

use super::options::SizeFirst;
use super::reactor::backend_kind;
use super::text::string;
use crate::error::{Error, Result};
use crate::server::{self, AcceptPolicy, Io};
use std::ffi::c_char;
use std::time::Duration;

/// How new connections come to the workers, for evl_server_options.accept_policy.
#[repr(C)]
#[derive(Clone, Copy)]
pub enum evl_accept_policy {
    /// The default. Each worker has listening sockets of its own, over which the kernel spreads
    /// connections by a hash: nothing is shared, but few long connections may fall unevenly. As
    /// EVL_ACCEPT_SHARED on unix paths and on systems that do not spread: all but Linux and
    /// FreeBSD.
    EVL_ACCEPT_REUSEPORT = 0,
    /// All workers accept from the same sockets: a busy one holds nobody up, but those that are often
    /// awake get more. With epoll one worker is woken for a connection, otherwise all are.
    EVL_ACCEPT_SHARED = 1,
    /// Worker 0 accepts for all and hands connections over in turn, to those that have room: the
    /// balance is exact, for a wake-up more per connection.
    EVL_ACCEPT_ROUND_ROBIN = 2,
}

/// How a server is to be. Set `size` to sizeof(evl_server_options) and the rest to 0 for the
/// defaults. What a configuration file says goes before these.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_server_options {
    /// sizeof(evl_server_options)
    pub size: libc::size_t,
    /// "kqueue", "epoll", "poll" or "select"; NULL as in evl_options.
    pub backend: *const c_char,
    /// How many workers; 0: one per processor.
    pub workers: u32,
    /// Not 0: the library makes no threads; the program calls evl_server_work() for each worker.
    pub caller_threads: u32,
    /// Longest body of a request, in bytes; UINT64_MAX: any. Default 1 MiB.
    pub max_body_bytes: u64,
    /// The whole head of a request has to be there within. Default 60 000.
    pub header_timeout_ms: u32,
    /// Longest pause between two reads of a body. Default 60 000.
    pub body_timeout_ms: u32,
    /// Longest pause between two writes of an answer. Default 60 000.
    pub send_timeout_ms: u32,
    /// How long an idle connection is kept. Default 75 000.
    pub keepalive_timeout_ms: u32,
    /// Answers on one connection before it is closed; 1: no keep-alive. Default 1000.
    pub keepalive_requests: u64,
    /// Most connections that a worker has open; 0: as many as there can be. At the limit idle
    /// connections are closed for new ones; if none is idle, new ones wait.
    pub worker_connections: u32,
    /// One of evl_accept_policy.
    pub accept_policy: u32,
    /// "readiness" or "uring"; NULL: what EVL_IO says in the environment, else readiness. Where the
    /// system has no io_uring to give, uring is readiness.
    pub io: *const c_char,
}

// SAFETY: repr(C), size first, and integers and pointers have no invalid values.
unsafe impl SizeFirst for evl_server_options {}

impl evl_server_options {
    /// The engine's options, where 0 is the default.
    ///
    /// # Safety
    /// `backend` and `io` are NULL or C strings.
    pub(super) unsafe fn to_engine(self) -> Result<server::Options> {
        // SAFETY: the caller promises it.
        let backend = unsafe { backend_kind(self.backend) }?;
        let default = server::Options::default();
        let or = |ms: u32, default| match ms {
            0 => default,
            ms => Duration::from_millis(ms.into()),
        };
        Ok(server::Options {
            workers: usize::try_from(self.workers).unwrap_or(usize::MAX),
            caller_threads: self.caller_threads != 0,
            backend,
            max_body: match self.max_body_bytes {
                0 => default.max_body,
                u64::MAX => 0,
                bytes => bytes,
            },
            header_timeout: or(self.header_timeout_ms, default.header_timeout),
            body_timeout: or(self.body_timeout_ms, default.body_timeout),
            send_timeout: or(self.send_timeout_ms, default.send_timeout),
            keepalive_timeout: or(self.keepalive_timeout_ms, default.keepalive_timeout),
            keepalive_requests: match self.keepalive_requests {
                0 => default.keepalive_requests,
                requests => requests,
            },
            worker_connections: self.worker_connections.into(),
            accept_policy: accept_policy(self.accept_policy)?,
            // SAFETY: the caller promises it.
            io: unsafe { io(self.io) }?,
        })
    }
}

/// What `name` means.
///
/// # Safety
/// `name` is NULL or a C string.
unsafe fn io(name: *const c_char) -> Result<Option<Io>> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promises a C string.
    unsafe { string(name) }?.parse().map(Some)
}

fn accept_policy(number: u32) -> Result<AcceptPolicy> {
    use evl_accept_policy::{EVL_ACCEPT_REUSEPORT, EVL_ACCEPT_ROUND_ROBIN, EVL_ACCEPT_SHARED};
    let policies = [
        (EVL_ACCEPT_REUSEPORT, AcceptPolicy::ReusePort),
        (EVL_ACCEPT_SHARED, AcceptPolicy::Shared),
        (EVL_ACCEPT_ROUND_ROBIN, AcceptPolicy::RoundRobin),
    ];
    let found = policies.into_iter().find(|(policy, _)| *policy as u32 == number);
    found.map(|(_, policy)| policy).ok_or_else(|| {
        Error::os(libc::EINVAL).context(format_args!("accept_policy {number} is none"))
    })
}
