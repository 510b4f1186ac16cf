// SPDX-License-Identifier: MIT OR Apache-2.0
//! `epoll(7)`. Linux has it; elsewhere making one is `ENOTSUP`.

use bitflags::bitflags;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Epoll, EpollEvent, wait};
#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{Epoll, EpollEvent, wait};

/// Whether this system has it.
pub(crate) const AVAILABLE: bool = cfg!(target_os = "linux");

bitflags! {
    /// epoll's bits.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) struct Events: u32 {
        const IN = 0x001;
        const PRI = 0x002;
        const OUT = 0x004;
        const ERR = 0x008;
        const HUP = 0x010;
        const RDHUP = 0x2000;
        const EXCLUSIVE = 1 << 28;
        const ONESHOT = 1 << 30;
        const ET = 1 << 31;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Events;
    use crate::sys::clock;
    use crate::sys::fd::check;
    use std::io;
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Whether the kernel lacks `epoll_pwait2` (before Linux 5.11).
    static NO_PWAIT2: AtomicBool = AtomicBool::new(false);

    /// What was found: C's `struct epoll_event`.
    #[repr(transparent)]
    #[derive(Clone, Copy)]
    pub(crate) struct EpollEvent(libc::epoll_event);

    impl EpollEvent {
        /// Room for one.
        pub(crate) const EMPTY: Self = Self(libc::epoll_event { events: 0, u64: 0 });

        /// What the descriptor is ready for.
        pub(crate) const fn events(&self) -> Events {
            Events::from_bits_truncate(self.0.events)
        }

        /// The word that was given at registration.
        pub(crate) const fn key(&self) -> u64 {
            self.0.u64
        }
    }

    /// An epoll instance.
    #[derive(Debug)]
    pub(crate) struct Epoll(OwnedFd);

    impl Epoll {
        /// A new instance, close-on-exec.
        pub(crate) fn new() -> io::Result<Self> {
            // SAFETY: no pointers.
            let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
            // SAFETY: the descriptor is new and nobody else's.
            Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
        }

        /// The instance's descriptor.
        pub(crate) fn fd(&self) -> RawFd {
            self.0.as_raw_fd()
        }

        /// Starts to watch. `EEXIST`, `EBADF`, `EPERM` (a file that cannot be polled).
        pub(crate) fn add(&self, fd: RawFd, events: Events, key: u64) -> io::Result<()> {
            self.control(libc::EPOLL_CTL_ADD, fd, events, key)
        }

        /// Changes what is watched, and looks again at once. `ENOENT`, `EBADF`.
        pub(crate) fn modify(&self, fd: RawFd, events: Events, key: u64) -> io::Result<()> {
            self.control(libc::EPOLL_CTL_MOD, fd, events, key)
        }

        /// Stops to watch. `ENOENT`, `EBADF`.
        pub(crate) fn delete(&self, fd: RawFd) -> io::Result<()> {
            self.control(libc::EPOLL_CTL_DEL, fd, Events::empty(), 0)
        }

        fn control(&self, op: libc::c_int, fd: RawFd, events: Events, key: u64) -> io::Result<()> {
            let mut event = libc::epoll_event { events: events.bits(), u64: key };
            // SAFETY: `event` is valid for the call.
            check(unsafe { libc::epoll_ctl(self.fd(), op, fd, &raw mut event) })?;
            Ok(())
        }

        /// Puts a new, empty instance behind the same descriptor, and returns the old one. Threads
        /// that wait on that go on doing so.
        pub(crate) fn replace(&mut self) -> io::Result<Self> {
            let old = Self(self.0.try_clone()?);
            let fresh = Self::new()?;
            // SAFETY: both descriptors are open and owned here.
            check(unsafe { libc::dup3(fresh.fd(), self.fd(), libc::O_CLOEXEC) })?;
            Ok(old)
        }
    }

    /// Waits on the instance `epoll` and fills `events`; returns how many. `None`: for ever. `EINTR`.
    pub(crate) fn wait(
        epoll: RawFd,
        events: &mut [EpollEvent],
        timeout_ns: Option<u64>,
    ) -> io::Result<usize> {
        let room = libc::c_int::try_from(events.len()).unwrap_or(libc::c_int::MAX);
        let list = events.as_mut_ptr().cast::<libc::epoll_event>();
        let fine = timeout_ns.is_some_and(|ns| ns % 1_000_000 != 0);
        if fine && !NO_PWAIT2.load(Ordering::Relaxed) {
            match fine_wait(epoll, list, room, timeout_ns.unwrap_or(0)) {
                Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
                    NO_PWAIT2.store(true, Ordering::Relaxed);
                }
                result => return result,
            }
        }
        let timeout = clock::milliseconds_up(timeout_ns);
        // SAFETY: `list` has room for `room` events (EpollEvent is transparent).
        let count = check(unsafe { libc::epoll_wait(epoll, list, room, timeout) })?;
        Ok(usize::try_from(count).unwrap_or(0))
    }

    /// `epoll_pwait2(2)` by number, since old C libraries have no wrapper for it.
    fn fine_wait(
        epoll: RawFd,
        list: *mut libc::epoll_event,
        room: libc::c_int,
        timeout_ns: u64,
    ) -> io::Result<usize> {
        // The kernel's timespec for this call has 64 bits in each field on every architecture.
        let time = [timeout_ns / 1_000_000_000, timeout_ns % 1_000_000_000];
        let no_mask = std::ptr::null::<libc::sigset_t>();
        // SAFETY: `list` has room for `room` events; `time` lives until the call returns; NULL: the
        // signal mask stays.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                epoll,
                list,
                room,
                time.as_ptr(),
                no_mask,
                0_usize,
            )
        };
        usize::try_from(count).map_err(|_| io::Error::last_os_error())
    }
}

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use super::Events;
    use std::io;
    use std::os::fd::RawFd;

    fn unsupported() -> io::Error {
        io::Error::from_raw_os_error(libc::ENOTSUP)
    }

    /// Room for an event that never comes.
    #[derive(Clone, Copy)]
    pub(crate) struct EpollEvent;

    impl EpollEvent {
        /// Room for one.
        pub(crate) const EMPTY: Self = Self;

        /// Nothing.
        pub(crate) const fn events(&self) -> Events {
            Events::empty()
        }

        /// Nothing.
        pub(crate) const fn key(&self) -> u64 {
            0
        }
    }

    /// An instance that cannot be: there is no value of this type.
    #[derive(Debug)]
    pub(crate) enum Epoll {}

    impl Epoll {
        /// `ENOTSUP`.
        pub(crate) fn new() -> io::Result<Self> {
            Err(unsupported())
        }

        pub(crate) fn fd(&self) -> RawFd {
            match *self {}
        }

        pub(crate) fn add(&self, _fd: RawFd, _events: Events, _key: u64) -> io::Result<()> {
            match *self {}
        }

        pub(crate) fn modify(&self, _fd: RawFd, _events: Events, _key: u64) -> io::Result<()> {
            match *self {}
        }

        pub(crate) fn delete(&self, _fd: RawFd) -> io::Result<()> {
            match *self {}
        }

        pub(crate) fn replace(&mut self) -> io::Result<Self> {
            match *self {}
        }
    }

    /// `ENOTSUP`.
    pub(crate) fn wait(
        _epoll: RawFd,
        _events: &mut [EpollEvent],
        _timeout_ns: Option<u64>,
    ) -> io::Result<usize> {
        Err(unsupported())
    }
}
