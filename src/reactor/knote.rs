// SPDX-License-Identifier: MIT OR Apache-2.0
//! A knote is one condition that is watched; the table gives each a name that is never used again.

use super::event::{Event, Filter, Flags, note};
use super::filters::descriptor::DescriptorState;
use super::filters::file::FileState;
use super::filters::process::ProcessState;
use super::filters::signal::SignalState;
use super::filters::vnode::VnodeState;
use super::handover::Handover;
use super::vacancies::Vacancies;
use crate::sys::memory::prefetch;
use std::collections::VecDeque;
use std::num::NonZeroU32;

/// Names a knote. Once the knote has gone, the name finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnoteId {
    index: u32,
    generation: NonZeroU32,
}

impl KnoteId {
    /// The knote's number: small, and free for another once the knote has gone.
    pub(super) const fn number(self) -> u32 {
        self.index
    }
}

/// The flags that stay with a knote, as first given.
const STICKY: Flags = Flags::ADD
    .union(Flags::ONESHOT)
    .union(Flags::CLEAR)
    .union(Flags::DISPATCH)
    .union(Flags::RECEIPT)
    .union(Flags::UDATA_SPECIFIC)
    .union(Flags::OOBAND)
    .union(Flags::VANISHED);

/// Of these, those that say something else in an event.
const TOLD: Flags = Flags::OOBAND.union(Flags::VANISHED);

/// One watched condition.
#[derive(Debug)]
pub(super) struct Knote {
    pub(super) ident: usize,
    pub(super) filter: Filter,
    /// Those of [`STICKY`] that were given when it was added.
    pub(super) flags: Flags,
    pub(super) fflags: u32,
    pub(super) udata: usize,
    pub(super) enabled: bool,
    pub(super) handover: Handover,
    /// Stands in the queue of active knotes.
    active: bool,
    /// Part of its name, given with its place in the table.
    generation: NonZeroU32,
    pub(super) state: FilterState,
}

/// What only one kind of filter needs. A program may have a million knotes: what few of them need is
/// boxed.
#[derive(Debug)]
pub(super) enum FilterState {
    Descriptor(DescriptorState),
    File(Box<FileState>),
    Vnode(Box<VnodeState>),
    /// The time or the period as it was given. When it expires next, the wheel knows.
    Timer {
        data: i64,
    },
    Signal(Box<SignalState>),
    Process(ProcessState),
    /// `data` as it was given last.
    User {
        data: i64,
    },
    /// The knote is gone; a record with this flag is still to be told.
    Gone(Flags),
}

impl Knote {
    /// The knote that an ADD describes, not yet attached to anything.
    pub(super) fn new(change: &Event, state: FilterState) -> Self {
        Self {
            ident: change.ident,
            filter: change.filter,
            flags: (change.flags | Flags::ADD) & STICKY,
            fflags: change.fflags,
            udata: change.udata,
            enabled: !change.flags.contains(Flags::DISABLE),
            handover: Handover::None,
            active: false,
            generation: NonZeroU32::MIN,
            state,
        }
    }

    /// Whether the change means this knote, given that ident and filter agree.
    pub(super) fn answers_to(&self, change: &Event) -> bool {
        let specific = self.flags.contains(Flags::UDATA_SPECIFIC);
        specific == change.flags.contains(Flags::UDATA_SPECIFIC)
            && (!specific || self.udata == change.udata)
    }

    /// Whether its condition comes once, so that it ends with its first event.
    pub(super) const fn is_over(&self) -> bool {
        match &self.state {
            FilterState::Timer { .. } => self.fflags & note::ABSOLUTE != 0,
            FilterState::Process(_) | FilterState::Gone(_) => true,
            _ => false,
        }
    }

    /// The record that tells of the knote; the filter adds what it knows.
    pub(super) const fn record(&self) -> Event {
        Event {
            ident: self.ident,
            filter: self.filter,
            flags: self.flags.difference(TOLD),
            fflags: self.fflags,
            data: 0,
            udata: self.udata,
        }
    }
}

/// A place for a knote.
#[derive(Debug)]
enum Slot {
    Taken(Knote),
    /// The generation of its next knote.
    Vacant(NonZeroU32),
}

const _: () = assert!(size_of::<Slot>() <= 48);

/// For so many knotes there is room at first.
const FIRST_SLOTS: usize = 16;

/// All knotes of a reactor, and the queue of those that are active.
#[derive(Debug, Default)]
pub(super) struct Knotes {
    slots: Vec<Slot>,
    vacancies: Vacancies,
    /// In the order in which they became active; names of knotes that have gone are among them.
    active: VecDeque<KnoteId>,
}

impl Knotes {
    /// Puts a knote into the queue, unless it stands there or is disabled.
    pub(super) fn activate(&mut self, id: KnoteId) {
        if let Some(knote) = self.get_mut(id)
            && knote.enabled
            && !knote.active
        {
            knote.active = true;
            self.active.push_back(id);
        }
    }

    /// Takes the first knote out of the queue, if one stands there; it may have gone or been disabled.
    pub(super) fn next_active(&mut self) -> Option<KnoteId> {
        let id = self.active.pop_front()?;
        if let Some(knote) = self.get_mut(id) {
            knote.active = false;
        }
        Some(id)
    }

    /// Whether the knote stands in the queue.
    pub(super) fn is_active(&self, id: KnoteId) -> bool {
        self.get(id).is_some_and(|knote| knote.active)
    }

    /// How many names stand in the queue.
    pub(super) fn active(&self) -> usize {
        self.active.len()
    }

    pub(super) fn insert(&mut self, mut knote: Knote) -> KnoteId {
        if let Some(index) = self.vacancies.take()
            && let Some(slot @ &mut Slot::Vacant(generation)) = self.slots.get_mut(index as usize)
        {
            knote.generation = generation;
            *slot = Slot::Taken(knote);
            return KnoteId { index, generation };
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let generation = knote.generation;
        if self.slots.len() == self.slots.capacity() {
            // By an eighth: of thousands at rest, little of the table is empty.
            self.slots.reserve_exact(FIRST_SLOTS.max(self.slots.len() / 8));
        }
        self.slots.push(Slot::Taken(knote));
        KnoteId { index, generation }
    }

    /// The name of the knote that has this number now.
    pub(super) fn id(&self, number: u32) -> Option<KnoteId> {
        match self.slots.get(number as usize)? {
            Slot::Taken(knote) => Some(KnoteId { index: number, generation: knote.generation }),
            Slot::Vacant(_) => None,
        }
    }

    pub(super) fn get(&self, id: KnoteId) -> Option<&Knote> {
        match self.slots.get(id.index as usize)? {
            Slot::Taken(knote) if knote.generation == id.generation => Some(knote),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: KnoteId) -> Option<&mut Knote> {
        match self.slots.get_mut(id.index as usize)? {
            Slot::Taken(knote) if knote.generation == id.generation => Some(knote),
            _ => None,
        }
    }

    /// Has a knote fetched into the cache, which is needed soon.
    pub(super) fn prefetch(&self, number: u32) {
        if let Some(slot) = self.slots.get(number as usize) {
            prefetch(slot);
        }
    }

    /// What only the knote's filter needs.
    pub(super) fn state_mut(&mut self, id: KnoteId) -> Option<&mut FilterState> {
        Some(&mut self.get_mut(id)?.state)
    }

    pub(super) fn remove(&mut self, id: KnoteId) -> Option<Knote> {
        self.get(id)?;
        let slot = self.slots.get_mut(id.index as usize)?;
        let next = id.generation.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let removed = std::mem::replace(slot, Slot::Vacant(next));
        self.vacancies.put(id.index);
        match removed {
            Slot::Taken(knote) => Some(knote),
            Slot::Vacant(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_does_not_find_the_next_knote_in_its_place() {
        let mut knotes = Knotes::default();
        let mut add = |udata| {
            let change = Event { udata, ..Event::default() };
            knotes.insert(Knote::new(&change, FilterState::Gone(Flags::DELETE)))
        };
        let (first, second) = (add(1), add(2));
        assert_eq!(knotes.remove(first).map(|knote| knote.udata), Some(1));
        assert!(knotes.get(first).is_none() && knotes.remove(first).is_none());
        assert_eq!(knotes.id(first.number()), None);
        let change = Event { udata: 3, ..Event::default() };
        let third = knotes.insert(Knote::new(&change, FilterState::Gone(Flags::DELETE)));
        assert_eq!(third.number(), first.number());
        assert!(knotes.get(first).is_none() && knotes.get_mut(first).is_none());
        assert_eq!(knotes.id(first.number()), Some(third));
        assert_eq!(knotes.get(third).map(|knote| knote.udata), Some(3));
        assert_eq!(knotes.get(second).map(|knote| knote.udata), Some(2));
    }
}
