// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts the signals that are delivered to the process, beside whatever the program does with them.
//!
//! `handler` does it, `actions` puts that beside the program's action, and `listener` wakes those who want
//! to know.

mod actions;
mod handler;
mod listener;
mod uninterrupted;

pub(crate) use actions::{can_be_handled, set_action};
pub(crate) use listener::Listener;

#[cfg(target_os = "linux")]
pub(super) use actions::is_handled;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// The greatest signal number there may be.
const LAST: usize = 64;

static DELIVERIES: [AtomicU64; LAST + 1] = [const { AtomicU64::new(0) }; LAST + 1];

/// Where a table of all signals has this one.
fn index(signal: libc::c_int) -> Option<usize> {
    usize::try_from(signal).ok().filter(|index| *index <= LAST)
}

/// Counts a signal. Async-signal-safe.
pub(super) fn count(signal: libc::c_int) {
    if let Some(index) = index(signal) {
        DELIVERIES[index].fetch_add(1, Ordering::SeqCst);
        listener::wake_all(signal);
    }
}

/// The bit of a signal in a set of them.
pub(crate) fn bit(signal: libc::c_int) -> u64 {
    u32::try_from(signal - 1).map_or(0, |shift| 1_u64.checked_shl(shift).unwrap_or(0))
}

/// The signals of a set.
#[cfg(target_os = "linux")]
pub(super) fn numbers(signals: u64) -> impl Iterator<Item = libc::c_int> {
    (1..=64).filter(move |signal| signals & bit(*signal) != 0)
}

/// While it lives, deliveries of a signal are counted.
#[derive(Debug)]
pub(crate) struct Counting {
    signal: libc::c_int,
}

impl Counting {
    /// `EINVAL`: there is no such signal, or it cannot be handled.
    pub(crate) fn start(signal: libc::c_int) -> io::Result<Self> {
        actions::start(signal)?;
        Ok(Self { signal })
    }

    /// Counts on if the program has set another action since: that is done from now on, beside counting.
    pub(crate) fn renew(&self) {
        actions::renew(self.signal);
    }

    /// As [`Counting::start`], and what was done at the signal is not done any more.
    pub(super) fn start_instead(signal: libc::c_int) -> io::Result<Self> {
        handler::set_replaced(signal, true);
        Self::start(signal).inspect_err(|_| handler::set_replaced(signal, false))
    }

    /// Has the old action done again, after [`Counting::start_instead`].
    pub(super) fn resume_action(&self) {
        handler::set_replaced(self.signal, false);
    }

    /// How often the signal was delivered since the process began to count it.
    pub(crate) fn deliveries(&self) -> u64 {
        index(self.signal).map_or(0, |index| DELIVERIES[index].load(Ordering::SeqCst))
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        actions::stop(self.signal);
    }
}
