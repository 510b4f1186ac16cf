// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker's clients by key, each with its time-out. It knows nothing of what a client is.
//!
//! With thousands at rest, what each of them takes matters: the tables grow by an eighth, so that little
//! of them is empty.

use crate::reactor::wheel::Wheel;
use slab::Slab;

pub(crate) struct Clients<T> {
    slab: Slab<T>,
    /// By the clients' keys.
    timeouts: Wheel,
}

impl<T> Clients<T> {
    /// No clients. `now` is the time from which time-outs are placed.
    pub(crate) fn new(now: u64) -> Self {
        Self { slab: Slab::new(), timeouts: Wheel::new(now) }
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        self.slab.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: usize) -> Option<&mut T> {
        self.slab.get_mut(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, &T)> {
        self.slab.iter()
    }

    /// The key that [`insert`](Self::insert) gives next.
    pub(crate) fn next_key(&self) -> usize {
        self.slab.vacant_key()
    }

    /// Takes a client that has no time-out yet.
    pub(crate) fn insert(&mut self, client: T) {
        let count = self.slab.len();
        if count == self.slab.capacity() {
            self.slab.reserve_exact(FIRST.max(count / 8));
            self.timeouts.reserve(self.slab.capacity());
        }
        self.slab.insert(client);
    }

    /// Gives a client away, without its time-out.
    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        self.timeouts.remove(number(key));
        self.slab.try_remove(key)
    }

    /// Sets a time-out if the one that is set is later; an earlier one finds the new deadline when it
    /// comes.
    pub(crate) fn schedule(&mut self, key: usize, deadline: u64) {
        if !self.timeouts.expires_by(number(key), deadline) {
            self.timeouts.insert(number(key), deadline);
        }
    }

    /// When to look for time-outs at the latest.
    pub(crate) fn next_deadline(&mut self) -> Option<u64> {
        self.timeouts.next_deadline()
    }

    /// The client whose time-out is the first that has come by `now`; it has none any more.
    pub(crate) fn pop_expired(&mut self, now: u64) -> Option<usize> {
        self.timeouts.pop_expired(now).map(|number| number as usize)
    }
}

/// Room that is made first.
const FIRST: usize = 16;

/// The wheel's number for a key. There are never more clients than descriptors, whose numbers are smaller
/// than what a wheel takes.
fn number(key: usize) -> u32 {
    u32::try_from(key).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eighth_at_most_is_empty() {
        let mut clients = Clients::new(0);
        for count in 1..=20_000 {
            clients.insert(());
            clients.schedule(count - 1, 1);
            assert!(clients.slab.capacity() <= count + FIRST.max(count / 8), "of {count}");
        }
        assert_eq!(clients.timeouts.capacity(), clients.slab.capacity());
    }

    #[test]
    fn a_time_out_moves_forward_only() {
        let mut clients = Clients::new(0);
        clients.insert('a');
        clients.schedule(0, 20);
        clients.schedule(0, 30);
        assert_eq!(clients.next_deadline(), Some(20));
        clients.schedule(0, 10);
        assert_eq!((clients.pop_expired(9), clients.pop_expired(10)), (None, Some(0)));
        clients.schedule(0, 40);
        assert_eq!(clients.remove(0), Some('a'));
        assert_eq!((clients.next_deadline(), clients.get(0)), (None, None));
    }
}
