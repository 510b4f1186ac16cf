// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which worker gets the next connection, where one accepts for all: they take turns, and those that
//! are full are passed over.

use super::team::Team;

/// The turns of a team, kept by the worker that accepts.
pub(crate) struct Round {
    next: usize,
    /// By worker: the connections that it was given.
    given: Vec<u64>,
}

impl Round {
    pub(crate) fn new(workers: usize) -> Self {
        Self { next: 0, given: vec![0; workers] }
    }

    /// The next worker that has less than `most` connections; `None` if all are full.
    pub(crate) fn next(&self, team: &Team, most: u64) -> Option<usize> {
        let workers = self.given.len();
        let has_room = |worker: &usize| {
            let given = self.given.get(*worker)?;
            Some(given.saturating_sub(team.seat(*worker)?.tally.closed()) < most)
        };
        let mut turns = (0..workers).map(|step| (self.next + step) % workers);
        turns.find(|worker| has_room(worker).unwrap_or(false))
    }

    /// A connection was given to this worker.
    pub(crate) fn gave(&mut self, worker: usize) {
        if let Some(given) = self.given.get_mut(worker) {
            *given += 1;
        }
        self.next = worker + 1;
    }
}
