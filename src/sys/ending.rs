// SPDX-License-Identifier: MIT OR Apache-2.0
//! Signals that ask a program to end, as a descriptor that a reactor can watch.

use super::signal::{Counting, Listener};
use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The signals that ask to end.
const ENDING: [i32; 2] = [libc::SIGINT, libc::SIGTERM];

/// Whether a [`Watch`] lives.
static WATCHED: AtomicBool = AtomicBool::new(false);

/// While it lives, SIGINT and SIGTERM do nothing but can be read here; what they did before comes back
/// when it is dropped. One at a time in a process: a second is `EBUSY`.
pub(crate) struct Watch {
    listener: Listener,
    counted: [Counting; ENDING.len()],
    taken: Cell<u64>,
}

impl Watch {
    pub(crate) fn start() -> io::Result<Self> {
        if WATCHED.swap(true, Ordering::AcqRel) {
            return Err(io::Error::from_raw_os_error(libc::EBUSY));
        }
        Self::start_alone().inspect_err(|_| WATCHED.store(false, Ordering::Release))
    }

    fn start_alone() -> io::Result<Self> {
        let listener = Listener::new()?;
        listener.set_wanted(ENDING.into_iter());
        let [first, second] = ENDING;
        let counted = [Counting::start_instead(first)?, Counting::start_instead(second)?];
        let watch = Self { listener, counted, taken: Cell::new(0) };
        watch.taken.set(watch.deliveries());
        Ok(watch)
    }

    fn deliveries(&self) -> u64 {
        self.counted.iter().map(Counting::deliveries).sum()
    }

    /// Whether a signal came; as often as one did.
    pub(crate) fn take(&self) -> bool {
        self.listener.drain();
        let news = self.taken.get() < self.deliveries();
        if news {
            self.taken.set(self.taken.get() + 1);
        }
        news
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.counted.iter().for_each(Counting::resume_action);
        WATCHED.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::MaybeUninit;
    use std::ptr;

    #[test]
    fn a_watch_takes_the_signal_and_gives_the_old_action_back() {
        let watch = Watch::start().unwrap();
        assert_eq!(Watch::start().err().and_then(|e| e.raw_os_error()), Some(libc::EBUSY));
        assert!(!watch.take());
        // SAFETY: raise(3) on a signal that the watch handles.
        unsafe { libc::raise(libc::SIGTERM) };
        assert!(watch.take());
        assert!(!watch.take());
        drop(watch);
        // SAFETY: a null new action only asks.
        let action: libc::sigaction = unsafe {
            let mut action = MaybeUninit::zeroed().assume_init();
            libc::sigaction(libc::SIGTERM, ptr::null(), &raw mut action);
            action
        };
        assert_eq!(action.sa_sigaction, libc::SIG_DFL);
    }
}
