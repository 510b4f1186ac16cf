// SPDX-License-Identifier: MIT OR Apache-2.0
//! A descriptor that becomes readable when a time has come. Linux has it; elsewhere making one is
//! `ENOTSUP`.

use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::fd::{OwnedFd, RawFd};

/// A one-shot timer on the monotonic clock.
#[derive(Debug)]
pub(crate) struct TimerFd(OwnedFd);

#[cfg(target_os = "linux")]
impl TimerFd {
    /// A new timer that is not set, close-on-exec and non-blocking.
    pub(crate) fn new() -> io::Result<Self> {
        // SAFETY: no pointers.
        let fd = unsafe {
            libc::timerfd_create(libc::CLOCK_MONOTONIC, libc::TFD_CLOEXEC | libc::TFD_NONBLOCK)
        };
        let fd = super::fd::check(fd)?;
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Makes the descriptor unreadable, and readable again at the deadline (nanoseconds of the
    /// monotonic clock), if there is one.
    pub(crate) fn set(&self, deadline_ns: Option<u64>) -> io::Result<()> {
        // Zero would stop the timer.
        let value = super::clock::timespec(deadline_ns.map_or(0, |deadline| deadline.max(1)));
        let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let timer = libc::itimerspec { it_interval: none, it_value: value };
        // SAFETY: `timer` is valid; NULL: the old value is not wanted.
        super::fd::check(unsafe {
            libc::timerfd_settime(
                self.0.as_raw_fd(),
                libc::TFD_TIMER_ABSTIME,
                &raw const timer,
                std::ptr::null_mut(),
            )
        })?;
        Ok(())
    }

    /// The descriptor to watch.
    pub(crate) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

#[cfg(not(target_os = "linux"))]
impl TimerFd {
    /// `ENOTSUP`: the system has no such descriptor.
    pub(crate) fn new() -> io::Result<Self> {
        Err(io::Error::from_raw_os_error(libc::ENOTSUP))
    }

    /// Never called: there is no value of this type.
    pub(crate) fn set(&self, _deadline_ns: Option<u64>) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::ENOTSUP))
    }

    /// The descriptor to watch.
    pub(crate) fn fd(&self) -> RawFd {
        std::os::fd::AsRawFd::as_raw_fd(&self.0)
    }
}
