// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which knotes watch which descriptor, and how the poller has been told so.
//!
//! A poller has one registration for each descriptor, so it is made of what all its knotes need. Level
//! knotes alone: level-triggered. A knote that is to be told of changes only (CLEAR, low-water mark):
//! edge-triggered; level knotes beside it stay in the queue while they are ready. A single knote that
//! is disabled or deleted at delivery: once, which saves the system call that would silence it. A single
//! EXCLUSIVE knote: exclusive. A descriptor whose knotes are all disabled stays registered without
//! interest, so that a change later finds out whether the number still names the same file.

use super::event::{Event, Filter, Flags, note};
use super::filters::condition::{Condition, is_announced};
use super::knote::{FilterState, Knote, KnoteId};
use super::poller::{Interest, Mode, Outcome, Poller, Registration};
use super::state::State;
use super::verification::Seen;
use crate::{Error, Result};
use std::os::fd::RawFd;

/// The generation of the reactor's own descriptors; those of callers begin after it.
pub(super) const INTERNAL: u32 = 0;

/// How the reactor's own descriptors are registered.
const OWN: Registration =
    Registration { interest: Interest::READ, mode: Mode::Level, generation: INTERNAL };

/// Knotes beyond the first of a filter, which UDATA_SPECIFIC makes possible, and those of other filters.
#[derive(Debug, Default)]
struct Others(Vec<KnoteId>);

/// One descriptor number. There is one for each up to the largest that is watched.
#[derive(Debug, Default)]
pub(super) struct Descriptor {
    pub(super) read: Option<KnoteId>,
    pub(super) write: Option<KnoteId>,
    /// Knotes beyond these, which few descriptors have.
    others: Option<Box<Others>>,
    /// As the poller has it.
    pub(super) registered: Option<Registration>,
    /// The one report of [`Mode::Once`] has come.
    pub(super) fired: bool,
    /// Of its reports; see `verification`.
    pub(super) seen: Seen,
    /// The socket's error, kept for all who ask because the kernel tells it once.
    pub(super) error: i32,
}

impl Descriptor {
    pub(super) fn knotes(&self) -> impl Iterator<Item = KnoteId> {
        self.read.iter().chain(&self.write).chain(self.others()).copied()
    }

    /// The first of the filter's that is as wanted.
    fn find(&self, filter: Filter, wanted: impl Fn(KnoteId) -> bool) -> Option<KnoteId> {
        let first = if filter == Filter::WRITE { self.write } else { self.read };
        match first {
            Some(id) if wanted(id) => first,
            _ => self.others().iter().copied().find(|id| wanted(*id)),
        }
    }

    fn place(&mut self, filter: Filter) -> &mut Option<KnoteId> {
        if filter == Filter::WRITE { &mut self.write } else { &mut self.read }
    }

    fn insert(&mut self, filter: Filter, id: KnoteId) {
        let place = self.place(filter);
        if place.is_none() {
            *place = Some(id);
        } else {
            self.others.get_or_insert_default().0.push(id);
        }
    }

    fn remove(&mut self, filter: Filter, id: KnoteId) {
        let place = self.place(filter);
        if *place == Some(id) {
            *place = None;
        } else {
            self.others.iter_mut().for_each(|others| others.0.retain(|other| *other != id));
        }
    }

    pub(super) fn is_unwatched(&self) -> bool {
        self.read.is_none() && self.write.is_none() && self.others().is_empty()
    }

    fn others(&self) -> &[KnoteId] {
        self.others.as_ref().map_or(&[], |others| &others.0)
    }
}

const _: () = assert!(size_of::<Descriptor>() <= 48);

/// After so many collections in a row in which a registration reported that is not known any more, the
/// poller's set is made anew. A thread that comes late with a report is not mistaken for that.
const SUSPECT_LIMIT: u8 = 16;

/// A registration that reports though it is not known any more.
#[derive(Debug, Default)]
struct Suspect {
    generation: u32,
    turn: u32,
    count: u8,
}

impl Suspect {
    /// Takes note of an unknown registration's report; `true` if that has gone on for too long.
    fn reported(&mut self, generation: u32, turn: u32) -> bool {
        if self.generation == generation {
            self.count = self.count.saturating_add(1);
            self.turn = turn;
        } else if turn.wrapping_sub(self.turn) > 1 {
            *self = Self { generation, turn, count: 1 };
        }
        self.count >= SUSPECT_LIMIT
    }
}

/// All descriptors, by number.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    list: Vec<Descriptor>,
    generations: u32,
    suspect: Suspect,
}

impl Descriptors {
    pub(super) fn get(&self, fd: RawFd) -> Option<&Descriptor> {
        self.list.get(usize::try_from(fd).ok()?)
    }

    pub(super) fn get_mut(&mut self, fd: RawFd) -> Option<&mut Descriptor> {
        self.list.get_mut(usize::try_from(fd).ok()?)
    }

    /// The entry of a number that is open, which the process' limit bounds, or that has one already.
    fn entry(&mut self, fd: RawFd) -> Result<&mut Descriptor> {
        let index = usize::try_from(fd).map_err(|_| Error::os(libc::EBADF))?;
        if self.list.len() <= index {
            // A quarter more: of these, the kernel alone is asked whether they are open.
            self.list.resize_with(index + 1 + index / 4, Descriptor::default);
        }
        self.list.get_mut(index).ok_or(Error::os(libc::EBADF))
    }

    fn next_generation(&mut self) -> u32 {
        self.generations = self.generations.wrapping_add(1).max(INTERNAL + 1);
        self.generations
    }

    /// The numbers that are registered.
    fn registered(&self) -> Vec<RawFd> {
        let registered = self.list.iter().zip(0..).filter(|(entry, _)| entry.registered.is_some());
        registered.map(|(_, fd)| fd).collect()
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
    /// Has the poller watch a descriptor of the reactor's own.
    pub(super) fn watch_internal(&mut self, fd: RawFd) -> Result<()> {
        // Knotes under the number are of a file that it named before.
        self.vanish(fd);
        self.poller.set(fd, OWN, false)?;
        self.internals.push(fd);
        self.note_set_change();
        Ok(())
    }

    /// Undoes [`State::watch_internal`].
    pub(super) fn unwatch_internal(&mut self, fd: RawFd) {
        self.poller.clear(fd);
        self.internals.retain(|own| *own != fd);
        self.note_set_change();
    }

    /// One of the reactor's own descriptors is ready.
    pub(super) fn report_internal(&mut self, fd: RawFd) {
        if fd == self.wake_fd {
            self.woken = true;
            return;
        }
        self.signals.heard |= self.signals.fd() == Some(fd);
        if let Some(notices) = &mut self.notices
            && notices.fd() == fd
        {
            notices.unread = true;
        }
        self.process_ended(fd);
    }

    /// The knote of that name on the descriptor.
    pub(super) fn find_descriptor(&self, fd: RawFd, change: &Event) -> Option<KnoteId> {
        self.descriptors.get(fd)?.find(change.filter, |id| {
            let knote = self.knotes.get(id);
            knote.is_some_and(|knote| knote.filter == change.filter && knote.answers_to(change))
        })
    }

    /// Adds a knote to a descriptor that is open.
    pub(super) fn insert_descriptor(&mut self, fd: RawFd, knote: Knote) -> Result<KnoteId> {
        let filter = knote.filter;
        let entry = self.descriptors.entry(fd)?;
        let id = self.knotes.insert(knote);
        entry.insert(filter, id);
        Ok(id)
    }

    /// Takes a knote from its descriptor. The poller is still to be told.
    pub(super) fn remove_descriptor(&mut self, fd: RawFd, id: KnoteId) {
        let Some(knote) = self.knotes.remove(id) else { return };
        if let Some(entry) = self.descriptors.get_mut(fd) {
            entry.remove(knote.filter, id);
        }
        match knote.state {
            FilterState::File(state) => self.release_file(id, &state),
            FilterState::Vnode(state) => self.release_vnode(id, &state),
            _ => self.latched.retain(|latched| *latched != id),
        }
    }

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

    fn note_set_change(&mut self) {
        if !P::IN_KERNEL {
            self.version += 1;
        }
    }
}
