// SPDX-License-Identifier: MIT OR Apache-2.0
//! Wakes a thread that waits in the kernel, at the cost of a system call only if there is one.
//!
//! The rule on both sides is: first publish (work, or "I wait"), then look for the other. A sequentially
//! consistent fence stands between the two, so one of them sees the other and no wake-up is lost;
//! `models` tries every order.

use super::sync::{AtomicBool, AtomicUsize, Ordering, Wakeup, fence};
use crate::Result;
use std::os::fd::RawFd;

pub(super) struct Wake {
    wakeup: Wakeup,
    /// Threads that wait, and one more once the reactor's own descriptor was handed out.
    listeners: AtomicUsize,
    /// The descriptor was made readable and nobody has drained it since.
    signalled: AtomicBool,
}

impl Wake {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            wakeup: Wakeup::new()?,
            listeners: AtomicUsize::new(0),
            signalled: AtomicBool::new(false),
        })
    }

    /// The descriptor to watch for reading.
    pub(super) fn fd(&self) -> RawFd {
        self.wakeup.fd()
    }

    /// Says how many may have to be woken. Look for work after this, then wait.
    pub(super) fn set_listeners(&self, count: usize) {
        self.listeners.store(count, Ordering::Relaxed);
        // Nobody waits for what a notifier does that does not see yet that nobody waits.
        if count > 0 {
            fence(Ordering::SeqCst);
        }
    }

    /// Wakes a listener, if there is one, for work that was published before. Async-signal-safe.
    pub(super) fn notify(&self) {
        fence(Ordering::SeqCst);
        if self.listeners.load(Ordering::Relaxed) != 0
            && !self.signalled.swap(true, Ordering::SeqCst)
        {
            self.wakeup.signal();
        }
    }

    /// Signals as one who was stopped between saying so and doing it, while others went on.
    #[cfg(all(test, not(loom)))]
    pub(super) fn signal_late(&self) {
        self.wakeup.signal();
    }

    /// Takes the signal back, if there is one. `reported`: the descriptor was found to be readable. It
    /// may be so though there is no signal: one that was taken back before the notifier came to write.
    /// If this is `true`, look for work after it: what is published later signals anew.
    pub(super) fn take_back(&self, reported: bool) -> bool {
        if !reported && !self.signalled.load(Ordering::SeqCst) {
            return false;
        }
        self.wakeup.drain();
        // A notifier that found it set did so before this, and what it published is seen from here on.
        self.signalled.swap(false, Ordering::SeqCst);
        true
    }
}
