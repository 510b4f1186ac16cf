// SPDX-License-Identifier: MIT OR Apache-2.0
//! Takes signals that the program blocks, and counts them: a handler, which counts the others, does not
//! see them. Linux: `signalfd(2)`. Elsewhere blocked signals are not counted before they are unblocked.
//!
//! Taken are only signals for which the program has no handler, which would be owed the call. They are
//! not pending any more then, and do nothing when they are unblocked.

#[cfg(not(target_os = "linux"))]
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// A descriptor that is readable while blocked signals are pending that nobody handles.
#[derive(Debug)]
pub(crate) struct Blocked {
    descriptor: OwnedFd,
    /// Which, a bit for each.
    taken: u64,
}

impl Blocked {
    /// The descriptor to watch.
    pub(crate) fn fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::Blocked;
    use crate::sys::fd::check;
    use crate::sys::signal;
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::ptr;

    impl Blocked {
        /// Of some signals, a bit for each, those that the calling thread blocks and nobody handles.
        pub(crate) fn among(signals: u64) -> u64 {
            let mut mask = MaybeUninit::<libc::sigset_t>::zeroed();
            // SAFETY: NULL only asks; there is room for the answer.
            unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), mask.as_mut_ptr()) };
            // SAFETY: zeroed, which is a valid set, and then filled.
            let mask = unsafe { mask.assume_init() };
            // SAFETY: `mask` is a set of signals.
            let is_blocked = |number| unsafe { libc::sigismember(&raw const mask, number) == 1 };
            let blocked = signal::numbers(signals)
                .filter(|number| is_blocked(*number) && !signal::is_handled(*number));
            blocked.fold(0, |all, number| all | signal::bit(number))
        }

        /// One that takes those signals. `EMFILE`, `ENFILE`.
        pub(crate) fn new(taken: u64) -> io::Result<Self> {
            let fd = set(-1, taken)?;
            // SAFETY: the descriptor is new and nobody else's.
            Ok(Self { descriptor: unsafe { OwnedFd::from_raw_fd(fd) }, taken })
        }

        /// Takes those signals from now on.
        pub(crate) fn set_taken(&mut self, taken: u64) {
            if self.taken != taken && set(self.fd(), taken).is_ok() {
                self.taken = taken;
            }
        }

        /// Takes what is pending and counts it.
        pub(crate) fn take(&self) {
            if self.taken != 0 {
                while let Some(signal) = self.next() {
                    signal::count(signal);
                }
            }
        }

        fn next(&self) -> Option<libc::c_int> {
            let mut info = MaybeUninit::<libc::signalfd_siginfo>::uninit();
            let size = size_of::<libc::signalfd_siginfo>();
            // SAFETY: `info` has room for `size` bytes.
            let got = unsafe { libc::read(self.fd(), info.as_mut_ptr().cast(), size) };
            // SAFETY: it is looked at only if read filled it.
            (got == size.cast_signed())
                .then(|| unsafe { info.assume_init() }.ssi_signo.cast_signed())
        }
    }

    /// `signalfd(2)`: a new descriptor for -1, else another set for one.
    fn set(fd: libc::c_int, signals: u64) -> io::Result<libc::c_int> {
        let mut mask = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: there is room for a set.
        unsafe { libc::sigemptyset(mask.as_mut_ptr()) };
        for number in signal::numbers(signals) {
            // SAFETY: a set that was emptied, and a number that was counted, so there is such a signal.
            unsafe { libc::sigaddset(mask.as_mut_ptr(), number) };
        }
        // SAFETY: `mask` is a set of signals.
        check(unsafe { libc::signalfd(fd, mask.as_ptr(), libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) })
    }
}

#[cfg(not(target_os = "linux"))]
impl Blocked {
    /// None.
    pub(crate) const fn among(_signals: u64) -> u64 {
        0
    }

    /// `ENOTSUP`.
    pub(crate) fn new(_taken: u64) -> io::Result<Self> {
        Err(io::Error::from_raw_os_error(libc::ENOTSUP))
    }

    /// Nothing.
    pub(crate) const fn set_taken(&mut self, taken: u64) {
        self.taken = taken;
    }

    /// Nothing.
    pub(crate) const fn take(&self) {}
}
