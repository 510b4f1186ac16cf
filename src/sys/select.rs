// SPDX-License-Identifier: MIT OR Apache-2.0
//! `pselect(2)`: readiness of descriptors below `FD_SETSIZE`, on every OS.

use super::fd::check;
use std::io;
use std::os::fd::RawFd;

/// The descriptors that fit a set are the numbers below this.
pub(crate) const SET_SIZE: usize = libc::FD_SETSIZE;

/// A set of descriptors: C's `fd_set`.
#[derive(Clone, Copy)]
pub(crate) struct FdSet(libc::fd_set);

impl Default for FdSet {
    fn default() -> Self {
        let mut set = std::mem::MaybeUninit::<libc::fd_set>::zeroed();
        // SAFETY: FD_ZERO takes any memory of the right size.
        unsafe { libc::FD_ZERO(set.as_mut_ptr()) };
        // SAFETY: zeroed memory, then FD_ZERO: an empty set.
        Self(unsafe { set.assume_init() })
    }
}

impl FdSet {
    /// Whether the number may be put into a set at all: below 0 and from [`SET_SIZE`] on,
    /// `FD_SET` would write outside of it.
    pub(crate) fn fits(fd: RawFd) -> bool {
        usize::try_from(fd).is_ok_and(|fd| fd < SET_SIZE)
    }

    /// Puts `fd` in; what does not fit is left out.
    pub(crate) fn insert(&mut self, fd: RawFd) {
        if Self::fits(fd) {
            // SAFETY: the number is inside the set.
            unsafe { libc::FD_SET(fd, &raw mut self.0) };
        }
    }

    /// Whether `fd` is in.
    pub(crate) fn contains(&self, fd: RawFd) -> bool {
        // SAFETY: the number is inside the set.
        Self::fits(fd) && unsafe { libc::FD_ISSET(fd, &raw const self.0) }
    }
}

/// What select(2) is asked, and what it answers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sets {
    pub(crate) read: FdSet,
    pub(crate) write: FdSet,
    pub(crate) urgent: FdSet,
}

impl Sets {
    /// Whether `fd` is in one of them.
    pub(crate) fn contains(&self, fd: RawFd) -> bool {
        [&self.read, &self.write, &self.urgent].iter().any(|set| set.contains(fd))
    }
}

/// Waits until a descriptor below `limit` is in one of the sets and ready for it, or the time is over;
/// leaves the ready ones in the sets and returns how many bits those are. `None`: for ever.
/// Errors: `EBADF` (a descriptor in a set is closed), `EINTR`.
pub(crate) fn select(limit: RawFd, sets: &mut Sets, timeout_ns: Option<u64>) -> io::Result<usize> {
    let time = timeout_ns.map(super::clock::timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the sets and the time live until the call returns; NULL: the signal mask stays.
    let ready = check(unsafe {
        libc::pselect(
            limit,
            &raw mut sets.read.0,
            &raw mut sets.write.0,
            &raw mut sets.urgent.0,
            time,
            std::ptr::null(),
        )
    })?;
    Ok(usize::try_from(ready).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_the_set_are_left_out() {
        let mut set = FdSet::default();
        for fd in [-1, RawFd::try_from(SET_SIZE).unwrap(), RawFd::MAX] {
            set.insert(fd);
            assert!(!set.contains(fd));
        }
        set.insert(0);
        assert!(set.contains(0) && !set.contains(1));
    }
}
