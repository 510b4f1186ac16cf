// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the poller has been told of the descriptors that knotes watch.
//!
//! A poller has one registration for each descriptor, so it is made of what all its knotes need. Level
//! knotes alone: level-triggered. A knote that is to be told of changes only (CLEAR, low-water mark):
//! edge-triggered; level knotes beside it stay in the queue while they are ready. A single knote that
//! is disabled or deleted at delivery: once, which saves the system call that would silence it. A single
//! EXCLUSIVE knote: exclusive. A descriptor whose knotes are all disabled stays registered without
//! interest, so that a change later finds out whether the number still names the same file.

use super::descriptors::Descriptor;
use super::event::{Filter, Flags, note};
use super::filters::condition::{Condition, is_announced};
use super::internals::OWN;
use super::knote::{FilterState, Knote};
use super::poller::{Interest, Mode, Outcome, Poller, Registration};
use super::state::State;
use super::verification::Seen;
use crate::Result;
use std::os::fd::RawFd;

/// After so many collections in a row in which a registration reported that is not known any more, the
/// poller's set is made anew. A thread that comes late with a report is not mistaken for that.
const SUSPECT_LIMIT: u8 = 16;

/// A registration that reports though it is not known any more.
#[derive(Debug, Default)]
pub(super) struct Suspect {
    generation: u32,
    turn: u32,
    count: u8,
}

impl Suspect {
    /// Takes note of an unknown registration's report; `true` if that has gone on for too long.
    pub(super) fn reported(&mut self, generation: u32, turn: u32) -> bool {
        if self.generation == generation {
            self.count = self.count.saturating_add(1);
            self.turn = turn;
        } else if turn.wrapping_sub(self.turn) > 1 {
            *self = Self { generation, turn, count: 1 };
        }
        self.count >= SUSPECT_LIMIT
    }
}

/// What the knotes of a descriptor need of the poller.
#[derive(Default)]
struct Wanted {
    interest: Interest,
    /// There are knotes that are the poller's business at all.
    polled: bool,
    /// Some of them are to be reported now,
    armed: usize,
    /// of which some are to be told of changes only,
    edge: bool,
    /// some once only,
    once: bool,
    /// and some beside other reactors, of which one is enough.
    exclusive: bool,
}

impl Wanted {
    fn add<P: Poller>(&mut self, knote: &Knote) {
        let FilterState::Descriptor(state) = &knote.state else { return };
        self.polled = true;
        if !knote.enabled || state.latch.is_some() || !is_announced::<P>(knote.filter) {
            return;
        }
        let marked = knote.fflags & note::LOWAT != 0;
        self.armed += 1;
        self.interest |= Condition::of(knote).interest();
        self.edge |= marked || knote.flags.contains(Flags::CLEAR);
        self.once |= !marked && knote.flags.intersects(Flags::ONESHOT | Flags::DISPATCH);
        self.exclusive |= knote.filter == Filter::READ && knote.fflags & note::EXCLUSIVE != 0;
    }

    fn mode<P: Poller>(&self) -> Mode {
        match (P::IN_KERNEL, self.armed) {
            (false, _) => Mode::Level,
            (true, 0) => Mode::Once,
            (true, 1) if self.once => Mode::Once,
            (true, 1) if self.exclusive => Mode::Exclusive,
            (true, _) if self.edge => Mode::Edge,
            (true, _) => Mode::Level,
        }
    }
}

impl<P: Poller> State<P> {
    /// Tells the poller what the knotes of a descriptor need. `look_again`: even if that is what it
    /// knows already, so that what is ready now is reported.
    pub(super) fn register(&mut self, fd: RawFd, look_again: bool) -> Result<Outcome> {
        let Some(entry) = self.descriptors.get(fd) else { return Ok(Outcome::Done) };
        let wanted = self.wanted(entry);
        let known = entry.registered;
        if known.is_none() && !wanted.polled {
            return Ok(Outcome::Done);
        }
        let (interest, mode) = (wanted.interest, wanted.mode::<P>());
        if let Some(known) = known {
            let same = (known.interest, known.mode) == (interest, mode) && !entry.fired;
            let silent = entry.fired && interest.is_empty();
            if !look_again && (same || silent) {
                return Ok(Outcome::Done);
            }
        }
        let generation = self.descriptors.next_generation();
        let registration = Registration { interest, mode, generation };
        let outcome = self.poller.set(fd, registration, known.is_some())?;
        if outcome == Outcome::Done
            && let Some(entry) = self.descriptors.get_mut(fd)
        {
            entry.registered = Some(registration);
            entry.fired = false;
            if known.is_none() {
                entry.seen = Seen::default();
            }
            self.note_set_change();
        }
        Ok(outcome)
    }

    fn wanted(&self, entry: &Descriptor) -> Wanted {
        let mut wanted = Wanted::default();
        let mut add = |id| self.knotes.get(id).iter().for_each(|knote| wanted.add::<P>(knote));
        entry.read.into_iter().for_each(&mut add);
        entry.write.into_iter().for_each(&mut add);
        entry.others().iter().copied().for_each(&mut add);
        wanted
    }

    /// Takes a descriptor that nobody watches any more from the poller.
    pub(super) fn unregister(&mut self, fd: RawFd) -> Outcome {
        let Some(entry) = self.descriptors.get_mut(fd) else { return Outcome::Done };
        (entry.fired, entry.error) = (false, 0);
        if entry.registered.take().is_none() {
            return Outcome::Done;
        }
        let outcome = self.poller.clear(fd);
        self.note_set_change();
        outcome
    }

    /// The descriptor was closed or names another file: its knotes are gone.
    pub(super) fn vanish(&mut self, fd: RawFd) {
        while let Some(id) = self.descriptors.get(fd).and_then(|entry| entry.knotes().next()) {
            self.lose(fd, id);
        }
        self.unregister(fd);
    }

    /// The descriptor is about to be closed by its owner: as [`State::vanish`], but a kernel that keeps
    /// the set is not told, because closing tells it.
    pub(super) fn forget(&mut self, fd: RawFd) {
        if P::IN_KERNEL
            && let Some(entry) = self.descriptors.get_mut(fd)
        {
            entry.registered = None;
        }
        self.vanish(fd);
    }

    /// A registration reported that is not known any more: if it goes on doing so, its number was closed
    /// while its file lives, so that it cannot be taken out.
    pub(super) fn report_of_unknown(&mut self, generation: u32) {
        if self.descriptors.suspect.reported(generation, self.turn) {
            self.renew();
        }
    }

    /// Starts the poller's set anew. If the system has no resources for that now, the next report of an
    /// unknown registration tries again.
    fn renew(&mut self) {
        let registered = self.descriptors.registered();
        let Ok(old) = self.poller.reset() else { return };
        self.descriptors.suspect = Suspect::default();
        self.version += 1;
        for fd in &self.internals {
            // None is in the new set, and all are open: only memory can be wanting.
            let _ = self.poller.set(*fd, OWN, false);
        }
        for fd in registered {
            if let Some(entry) = self.descriptors.get_mut(fd) {
                entry.registered = None;
                if entry.is_unwatched() {
                    continue;
                }
                // Other threads close descriptors meanwhile and open others: what the new set has got
                // is right if the old one has the same after that.
                if self.register(fd, true).is_err() || !old.names_same_file(fd) {
                    self.vanish(fd);
                }
            }
        }
    }

    pub(super) fn note_set_change(&mut self) {
        if !P::IN_KERNEL {
            self.version += 1;
        }
    }
}
