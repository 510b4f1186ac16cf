// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kqueue(2)` and `kevent(2)`, the only place that calls them.
//!
//! A [`Record`] is every system's `struct kevent` in one shape; which numbers a system uses in it says its
//! [`Dialect`]. Whoever follows kqueue's rules does so through [`Kernel`], so that it can be tried on
//! a simulated kernel where there is no real one.

mod dialect;

#[cfg(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "openbsd",
    target_os = "netbsd"
))]
mod native;

#[cfg(not(any(
    target_os = "macos",
    target_os = "ios",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "openbsd",
    target_os = "netbsd"
)))]
#[path = "absent.rs"]
mod native;

pub(crate) use dialect::{Dialect, ev, note};
pub(crate) use native::{AVAILABLE, Queue};

#[cfg(test)]
pub(crate) use dialect::{DRAGONFLY, FREEBSD, MACOS, NETBSD, OPENBSD};

use std::io;
use std::os::fd::RawFd;

/// The most changes, and the most events, of one call.
pub(crate) const BATCH: usize = 64;

/// `struct kevent`, as wide as the widest system has each field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) ident: usize,
    pub(crate) filter: i32,
    pub(crate) flags: u32,
    pub(crate) fflags: u32,
    pub(crate) data: i64,
    pub(crate) udata: usize,
}

/// A kernel event queue. Each method may be called by any thread at any time.
pub(crate) trait Kernel: Send + Sync + Sized {
    /// A new queue, close-on-exec. Errors: `EMFILE`, `ENFILE`, `ENOMEM`; `ENOTSUP` where there is none.
    fn new() -> io::Result<Self>;

    /// The numbers that the queue's records are written in.
    fn dialect(&self) -> &'static Dialect;

    /// `kevent(2)`: makes the changes up to the first that fails, then waits for events; returns how
    /// many; 0 may also mean that a wait without a near end was cut short. Without room for events it
    /// only makes the changes. Async-signal-safe.
    fn kevent(
        &self,
        changes: &[Record],
        events: &mut [Record],
        timeout_ns: Option<u64>,
    ) -> io::Result<usize>;

    /// The queue's descriptor: readable while there are events.
    fn fd(&self) -> RawFd;
}
