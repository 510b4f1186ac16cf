// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last records: what is told of a knote that has gone.
//!
//! VANISHED: a descriptor was closed, or its number names another file, while it was watched. No system
//! tells a process of its own closing, so numbers of which it is to be told are looked at, at most once
//! a tick. A number that was closed and opened again for the same file is not told from one that stayed
//! open; on Linux all eventfds, timerfds and the like are one file in this.
//!
//! DELETE: the deletion was deferred (`handover`).

use super::event::{Event, Flags};
use super::filters::latch::TICK_NS;
use super::handover::last_record;
use super::knote::{FilterState, Knote, KnoteId};
use super::poller::Poller;
use super::state::State;
use super::triggers::Triggers;
use crate::Result;
use crate::sys::fd::Identity;
use std::os::fd::RawFd;

/// Knotes that are to tell if their descriptors vanish.
#[derive(Debug, Default)]
pub(super) struct Vanishing {
    list: Vec<(KnoteId, RawFd, Identity)>,
    checked_at: u64,
}

impl Vanishing {
    pub(super) const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}

impl<P: Poller> State<P> {
    /// Has a knote that was added with VANISHED tell of it.
    pub(super) fn tell_vanishing(&mut self, id: KnoteId, fd: RawFd) -> Result<()> {
        self.vanishing.list.push((id, fd, Identity::of(fd)?));
        Ok(())
    }

    /// Looks, if a tick is over, which descriptors have vanished.
    pub(super) fn check_vanishing(&mut self, now: u64) {
        if now < self.vanishing.checked_at.saturating_add(TICK_NS) {
            return;
        }
        self.vanishing.checked_at = now;
        let mut place = 0;
        while let Some((id, fd, identity)) = self.vanishing.list.get(place).copied() {
            let gone = self.knotes.get(id).is_none();
            let vanished = !gone && Identity::of(fd).ok() != Some(identity);
            if vanished {
                self.lose(fd, id);
                if self.descriptors.get(fd).is_some_and(|entry| entry.is_unwatched()) {
                    self.unregister(fd);
                }
            }
            if gone || vanished {
                self.vanishing.list.swap_remove(place);
            } else {
                place += 1;
            }
        }
    }

    /// Removes a knote whose descriptor has gone, and tells of it if that was asked for.
    pub(super) fn lose(&mut self, fd: RawFd, id: KnoteId) {
        let Some(knote) = self.knotes.get(id) else { return };
        let (record, tells) = (knote.record(), knote.flags.contains(Flags::VANISHED));
        self.remove_descriptor(fd, id);
        if tells {
            self.leave(&record, Flags::VANISHED);
        }
    }

    /// Puts the deletion of a knote off whose event is with a thread: `EINPROGRESS`.
    pub(super) fn defer_delete(&mut self, id: KnoteId, change: &Event) -> Result<()> {
        let knote = self.knotes.get_mut(id);
        knote.map_or(Ok(()), |knote| knote.handover.defer(knote.flags, change))
    }

    /// Takes a knote back from the thread that had its event. `true`: it was deleted meanwhile, and is
    /// now.
    pub(super) fn take_back(
        &mut self,
        id: KnoteId,
        change: &Event,
        triggers: &Triggers,
    ) -> Result<bool> {
        let Some(knote) = self.knotes.get_mut(id) else { return Ok(false) };
        if !knote.handover.take_back(change) {
            return Ok(false);
        }
        let record = knote.record();
        self.delete(id, change, triggers)?;
        self.leave(&record, Flags::DELETE);
        Ok(true)
    }

    /// Leaves a record of a knote that has gone.
    fn leave(&mut self, record: &Event, flag: Flags) {
        let id = self.knotes.insert(Knote::new(record, FilterState::Gone(flag)));
        self.knotes.activate(id);
    }

    /// The event that is a last record.
    pub(super) fn collect_gone(&self, id: KnoteId, flag: Flags) -> Option<Event> {
        Some(last_record(self.knotes.get(id)?.record(), flag))
    }
}
