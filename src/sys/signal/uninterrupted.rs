// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keeps signal handlers from running on a thread.

use std::mem::MaybeUninit;
use std::ptr;

/// While it lives, signals are blocked on the thread that made it.
pub(super) struct Uninterrupted {
    before: libc::sigset_t,
}

impl Uninterrupted {
    pub(super) fn new() -> Self {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::zeroed();
        // SAFETY: sigfillset(3) sets all of what it is given, and pthread_sigmask(3) too; zeroed memory
        // is a valid set.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
            Self { before: before.assume_init() }
        }
    }
}

impl Drop for Uninterrupted {
    fn drop(&mut self) {
        // SAFETY: the set is one that pthread_sigmask(3) gave.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut());
        }
    }
}
