// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which knotes watch which descriptor. What the poller is told of that is in `registrations`.

use super::event::{Event, Filter};
use super::internals::INTERNAL;
use super::knote::{FilterState, Knote, KnoteId};
use super::poller::{Poller, Registration};
use super::registrations::Suspect;
use super::state::State;
use super::verification::Seen;
use crate::{Error, Result};
use std::os::fd::RawFd;

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
    /// The one report of [`Mode::Once`](super::poller::Mode::Once) has come.
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

    pub(super) fn others(&self) -> &[KnoteId] {
        self.others.as_ref().map_or(&[], |others| &others.0)
    }
}

const _: () = assert!(size_of::<Descriptor>() <= 48);

/// All descriptors, by number.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    list: Vec<Descriptor>,
    generations: u32,
    pub(super) suspect: Suspect,
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

    /// For a registration that is new or has changed.
    pub(super) fn next_generation(&mut self) -> u32 {
        self.generations = self.generations.wrapping_add(1).max(INTERNAL + 1);
        self.generations
    }

    /// The numbers that are registered.
    pub(super) fn registered(&self) -> Vec<RawFd> {
        let registered = self.list.iter().zip(0..).filter(|(entry, _)| entry.registered.is_some());
        registered.map(|(_, fd)| fd).collect()
    }
}

impl<P: Poller> State<P> {
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
}
