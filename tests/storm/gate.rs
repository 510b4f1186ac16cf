// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where threads wait for each other: a barrier that does not take it that one never comes, because
//! nothing woke it.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// The longest time until all are there.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Gate {
    size: usize,
    /// How many have come, ever.
    come: Mutex<usize>,
    opened: Condvar,
}

impl Gate {
    pub(crate) const fn new(size: usize) -> Self {
        Self { size, come: Mutex::new(0), opened: Condvar::new() }
    }

    /// Waits until all are there. `true` for the last one.
    pub(crate) fn wait(&self) -> bool {
        let mut come = self.come.lock().unwrap();
        *come += 1;
        let needed = come.next_multiple_of(self.size);
        if *come == needed {
            self.opened.notify_all();
            return true;
        }
        let closed = |come: &mut usize| *come < needed;
        let (come, timeout) = self.opened.wait_timeout_while(come, PATIENCE, closed).unwrap();
        assert!(!timeout.timed_out(), "{} of {} threads never woke", needed - *come, self.size);
        false
    }
}
