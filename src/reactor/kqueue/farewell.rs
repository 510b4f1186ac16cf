// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last records, which only one kernel has: VANISHED, and DELETE after a deferred deletion.
//!
//! A kernel forgets the knotes of a descriptor that is closed. While there are knotes that are to tell
//! of it, it is asked at most once a tick whether it still has them.

use super::knote::{Key, Knote, Place};
use super::{Kqueue, State};
use crate::Result;
use crate::reactor::event::{Event, Flags};
use crate::reactor::filters::latch::TICK_NS;
use crate::reactor::handover::last_record;
use crate::sys::kqueue::Kernel;

/// Knotes that are to tell if their descriptors vanish, and when to ask next.
#[derive(Debug, Default)]
pub(super) struct Vanishing {
    keys: Vec<Key>,
    next: u64,
}

impl Vanishing {
    /// When to ask again; `None` if there is nobody to tell.
    pub(super) fn next(&self) -> Option<u64> {
        (!self.keys.is_empty()).then_some(self.next)
    }

    pub(super) fn add(&mut self, key: Key) {
        self.keys.push(key);
    }
}

impl<K: Kernel> State<K> {
    /// Looks, if a tick is over, which descriptors have vanished.
    pub(super) fn check_vanishing(&mut self, now: u64) {
        if self.vanishing.next().is_none_or(|next| next > now) {
            return;
        }
        self.vanishing.next = now.saturating_add(TICK_NS);
        let mut keys = std::mem::take(&mut self.vanishing.keys);
        keys.retain(|key| {
            let vanished = !self.is_watched(*key);
            if vanished {
                self.lose(*key);
            }
            !vanished
        });
        self.vanishing.keys = keys;
    }

    /// Whether the knote is there, and its descriptor has not been closed since it was added.
    fn is_watched(&self, key: Key) -> bool {
        match self.knotes.get(key).map(|knote| &knote.place) {
            Some(Place::Kernel { .. }) => self.tell(key, 0).is_ok(),
            Some(_) => self.is_current(key),
            None => false,
        }
    }

    /// Removes a knote whose descriptor has gone, and tells of it if that was asked for.
    pub(super) fn lose(&mut self, key: Key) {
        let Some(knote) = self.knotes.get(key) else { return };
        let (record, tells) = (knote.record(), knote.flags.contains(Flags::VANISHED));
        self.remove(key);
        if tells {
            self.leave(&record, Flags::VANISHED);
        }
    }

    /// Takes a knote back from the thread that had its event. `true`: it was deleted meanwhile, and is
    /// now.
    pub(super) fn take_back(
        &mut self,
        key: Key,
        change: &Event,
        queue: &Kqueue<K>,
    ) -> Result<bool> {
        let Some(knote) = self.knotes.get_mut(key) else { return Ok(false) };
        let deleted = knote.handover.take_back(change);
        let record = knote.record();
        if deleted {
            self.delete(key, change, queue)?;
            self.leave(&record, Flags::DELETE);
        }
        Ok(deleted)
    }

    /// Leaves a record of a knote that has gone. It has no name: a new knote may have it.
    fn leave(&mut self, record: &Event, flag: Flags) {
        let gone = Knote::new(&last_record(*record, flag), Place::Gone(flag));
        if let Some(key) = self.knotes.insert(gone) {
            self.activate(key);
        }
    }
}
