// SPDX-License-Identifier: MIT OR Apache-2.0
//! The threads that wait in the kernel: what each of them knows, so that one is woken exactly when none
//! would notice something in time.

/// A thread that waits.
#[derive(Clone, Copy, Debug)]
struct Sleeper {
    ticket: u64,
    version: u64,
    until: u64,
}

/// All threads that wait. There are few: each operation looks at them all.
#[derive(Debug, Default)]
pub(super) struct Sleepers {
    list: Vec<Sleeper>,
    tickets: u64,
}

impl Sleepers {
    /// A thread goes to sleep, knowing the set of descriptors of that version, and wakes by itself at
    /// `until`. The result is for [`Sleepers::leave`].
    pub(super) fn enter(&mut self, version: u64, until: u64) -> u64 {
        self.tickets += 1;
        self.list.push(Sleeper { ticket: self.tickets, version, until });
        self.tickets
    }

    /// The thread is awake.
    pub(super) fn leave(&mut self, ticket: u64) {
        self.list.retain(|sleeper| sleeper.ticket != ticket);
    }

    /// How many sleep.
    pub(super) const fn count(&self) -> usize {
        self.list.len()
    }

    /// Whether some sleep on an older set of descriptors than `version`.
    pub(super) fn any_before(&self, version: u64) -> bool {
        self.list.iter().any(|sleeper| sleeper.version < version)
    }

    /// Whether threads sleep, all of them beyond `deadline`.
    pub(super) fn all_oversleep(&self, deadline: Option<u64>) -> bool {
        let Some(deadline) = deadline else { return false };
        !self.list.is_empty() && self.list.iter().all(|sleeper| sleeper.until > deadline)
    }
}
