// SPDX-License-Identifier: MIT OR Apache-2.0
//! Descriptors that signal handlers make readable.

use super::bit;
use crate::sys::fork;
use crate::sys::wakeup::Wakeup;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A descriptor that becomes readable when one of some signals was delivered and counted.
#[derive(Debug)]
pub(crate) struct Listener(&'static Slot);

/// A listener's place. It is never given up, because a handler may be about to use it at any time, but
/// goes to the next listener.
#[derive(Debug)]
struct Slot {
    wakeup: Wakeup,
    /// A bit for each signal.
    wanted: AtomicU64,
    taken: AtomicBool,
    /// Forks before it was made: parent and child share its descriptor, so the child leaves it alone.
    generation: u32,
    next: OnceLock<&'static Slot>,
}

static SLOTS: OnceLock<&'static Slot> = OnceLock::new();

impl Slot {
    fn all() -> impl Iterator<Item = &'static Self> {
        std::iter::successors(SLOTS.get().copied(), |slot| slot.next.get().copied())
    }
}

/// Makes the descriptors of those readable who want to hear of a signal. Async-signal-safe.
pub(super) fn wake_all(signal: libc::c_int) {
    let generation = fork::current_generation();
    for slot in Slot::all() {
        let wanted = slot.wanted.load(Ordering::SeqCst) & bit(signal) != 0;
        if wanted && slot.generation == generation {
            slot.wakeup.signal();
        }
    }
}

impl Listener {
    /// One that hears nothing yet. `EMFILE`, `ENFILE`.
    pub(crate) fn new() -> io::Result<Self> {
        let generation = fork::generation();
        let free = |slot: &&Slot| {
            slot.generation == generation && !slot.taken.swap(true, Ordering::SeqCst)
        };
        if let Some(slot) = Slot::all().find(free) {
            return Ok(Self(slot));
        }
        let slot: &'static Slot = Box::leak(Box::new(Slot {
            wakeup: Wakeup::new()?,
            wanted: AtomicU64::new(0),
            taken: AtomicBool::new(true),
            generation,
            next: OnceLock::new(),
        }));
        let mut end = &SLOTS;
        while end.set(slot).is_err() {
            let Some(last) = end.get() else { break };
            end = &last.next;
        }
        Ok(Self(slot))
    }

    /// Which signals to hear of from now on.
    pub(crate) fn set_wanted(&self, signals: impl Iterator<Item = libc::c_int>) {
        self.0.wanted.store(signals.fold(0, |all, signal| all | bit(signal)), Ordering::SeqCst);
    }

    /// The descriptor to watch.
    pub(crate) fn fd(&self) -> RawFd {
        self.0.wakeup.fd()
    }

    /// Makes the descriptor unreadable. Count after this.
    pub(crate) fn drain(&self) {
        self.0.wakeup.drain();
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.wakeup.as_fd()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.wanted.store(0, Ordering::SeqCst);
        if self.0.generation == fork::current_generation() {
            self.drain();
            self.0.taken.store(false, Ordering::SeqCst);
        }
    }
}
