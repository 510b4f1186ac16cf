// SPDX-License-Identifier: MIT OR Apache-2.0
//! A descriptor that can be made readable from any thread and from signal handlers: an eventfd, or a
//! pipe where there is none.

use errno::{errno, set_errno};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

/// One descriptor to watch, one to write to; they are the same for an eventfd.
#[derive(Debug)]
pub(crate) struct Wakeup {
    reader: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    writer: OwnedFd,
}

impl Wakeup {
    /// The descriptor that is readable after [`Wakeup::signal`].
    pub(crate) fn fd(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// Makes the descriptor readable. Async-signal-safe; leaves errno as it was. A full counter or
    /// pipe is readable already, so no failure matters.
    pub(crate) fn signal(&self) {
        let saved = errno();
        let one = 1_u64.to_ne_bytes();
        // SAFETY: the buffer holds eight bytes.
        unsafe { libc::write(self.writer(), one.as_ptr().cast(), one.len()) };
        set_errno(saved);
    }

    /// Makes the descriptor unreadable again.
    pub(crate) fn drain(&self) {
        let mut buffer = [0_u8; 64];
        loop {
            // SAFETY: the buffer has the length that is told.
            let got = unsafe {
                libc::read(self.reader.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len())
            };
            if got < buffer.len().cast_signed() {
                break;
            }
        }
    }
}

impl AsFd for Wakeup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

#[cfg(target_os = "linux")]
impl Wakeup {
    /// A new wake-up, non-blocking and close-on-exec.
    pub(crate) fn new() -> io::Result<Self> {
        use std::os::fd::FromRawFd;
        // SAFETY: no pointers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        let fd = super::fd::check(fd)?;
        // SAFETY: the descriptor is new and nobody else's.
        Ok(Self { reader: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    fn writer(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
}

#[cfg(not(target_os = "linux"))]
impl Wakeup {
    /// A new wake-up, non-blocking and close-on-exec.
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        for fd in [&reader, &writer] {
            // SAFETY: F_SETFL takes an int.
            super::fd::check(unsafe {
                libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK)
            })?;
        }
        Ok(Self { reader, writer })
    }

    fn writer(&self) -> RawFd {
        self.writer.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::{Events, PollFd, poll};

    fn is_readable(wakeup: &Wakeup) -> bool {
        let mut set = [PollFd::new(wakeup.fd(), Events::IN)];
        poll(&mut set, Some(0)).unwrap() == 1
    }

    #[test]
    fn signal_makes_readable_and_drain_unreadable() {
        let wakeup = Wakeup::new().unwrap();
        assert!(!is_readable(&wakeup));
        wakeup.signal();
        wakeup.signal();
        assert!(is_readable(&wakeup));
        wakeup.drain();
        assert!(!is_readable(&wakeup));
    }
}
