// SPDX-License-Identifier: MIT OR Apache-2.0
//! What workers have done, to be read from any thread. A worker counts for itself and publishes at
//! the end of each turn, so that counting costs it no more than a few plain stores.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a worker has done since the server started, as of its latest turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections that it has taken on.
    pub accepted: u64,
    /// Of these, those that are open.
    pub open: u64,
    /// Requests whose head has come.
    pub requests: u64,
    /// Idle connections that it has closed to make room for others.
    pub shed: u64,
    /// Turns: how often it woke up for events, orders or time-outs.
    pub turns: u64,
}

/// A worker's own count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) accepted: u64,
    pub(crate) closed: u64,
    pub(crate) requests: u64,
    pub(crate) shed: u64,
    pub(crate) turns: u64,
}

/// What a worker has published.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    accepted: AtomicU64,
    closed: AtomicU64,
    requests: AtomicU64,
    shed: AtomicU64,
    turns: AtomicU64,
}

impl Tally {
    /// Only by the worker whose it is.
    pub(crate) fn publish(&self, count: &Count) {
        let Self { accepted, closed, requests, shed, turns } = self;
        for (place, number) in [
            (accepted, count.accepted),
            (closed, count.closed),
            (requests, count.requests),
            (shed, count.shed),
            (turns, count.turns),
        ] {
            place.store(number, Ordering::Relaxed);
        }
    }

    /// How many connections have ended.
    pub(crate) fn closed(&self) -> u64 {
        self.closed.load(Ordering::Relaxed)
    }

    /// Each of the numbers is right; together they may be of two turns.
    pub(crate) fn read(&self) -> Counters {
        let get = |place: &AtomicU64| place.load(Ordering::Relaxed);
        let closed = get(&self.closed);
        let accepted = get(&self.accepted);
        Counters {
            accepted,
            open: accepted.saturating_sub(closed),
            requests: get(&self.requests),
            shed: get(&self.shed),
            turns: get(&self.turns),
        }
    }
}
