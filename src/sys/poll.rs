// SPDX-License-Identifier: MIT OR Apache-2.0
//! `poll(2)`: level-triggered readiness of a list of descriptors, on every OS.

use super::fd::check;
use bitflags::bitflags;
use std::io;
use std::os::fd::RawFd;

bitflags! {
    /// poll's bits. `RDHUP` is zero where the system does not have it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Events: libc::c_short {
        const IN = libc::POLLIN;
        const OUT = libc::POLLOUT;
        const PRI = libc::POLLPRI;
        const HUP = libc::POLLHUP;
        const ERR = libc::POLLERR;
        const NVAL = libc::POLLNVAL;
        #[cfg(target_os = "linux")]
        const RDHUP = libc::POLLRDHUP;
        #[cfg(not(target_os = "linux"))]
        const RDHUP = 0;
    }
}

/// One row of the list: C's `struct pollfd`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct PollFd(libc::pollfd);

impl PollFd {
    /// A row that asks for `events` of `fd`.
    pub(crate) const fn new(fd: RawFd, events: Events) -> Self {
        Self(libc::pollfd { fd, events: events.bits(), revents: 0 })
    }

    /// What poll found; errors and hang-ups come without having been asked for.
    pub(crate) const fn found(&self) -> Events {
        Events::from_bits_truncate(self.0.revents)
    }
}

/// Waits until a row is ready or the time is over; returns how many are ready. `None`: for ever.
/// Errors: `EINTR`, `EINVAL` (more rows than the descriptor limit), `ENOMEM`.
pub(crate) fn poll(set: &mut [PollFd], timeout_ns: Option<u64>) -> io::Result<usize> {
    let count = set.len().try_into().unwrap_or(libc::nfds_t::MAX);
    let rows = set.as_mut_ptr().cast::<libc::pollfd>();
    #[cfg(any(target_os = "linux", target_os = "freebsd"))]
    let ready = {
        let time = timeout_ns.map(super::clock::timespec);
        let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        // SAFETY: `rows` points to `count` pollfd (PollFd is transparent); the time lives until the
        // call returns; NULL: the signal mask stays.
        check(unsafe { libc::ppoll(rows, count, time, std::ptr::null()) })?
    };
    #[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
    // SAFETY: `rows` points to `count` pollfd (PollFd is transparent).
    let ready =
        check(unsafe { libc::poll(rows, count, super::clock::milliseconds_up(timeout_ns)) })?;
    Ok(usize::try_from(ready).unwrap_or(0))
}

/// What `fd` is ready for now. `NVAL` if it is not open.
pub(crate) fn look(fd: RawFd, events: Events) -> Events {
    let mut row = [PollFd::new(fd, events)];
    match poll(&mut row, Some(0)) {
        Ok(_) => row[0].found(),
        Err(_) => Events::empty(),
    }
}
