// SPDX-License-Identifier: MIT OR Apache-2.0
//! A knote is one condition that is watched; the table gives each a name that is never used again.

use super::event::{Event, Filter, Flags};
use super::filters::descriptor::DescriptorState;
use super::filters::file::FileState;
use super::filters::process::ProcessState;
use super::filters::signal::SignalState;
use super::filters::{timer::TimerState, user::UserState, vnode::VnodeState};
use std::collections::VecDeque;

/// Names a knote. Once the knote has gone, the name finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnoteId {
    index: u32,
    generation: u32,
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
    pub(super) data: i64,
    pub(super) udata: usize,
    pub(super) enabled: bool,
    pub(super) handover: Handover,
    /// Stands in the queue of active knotes.
    active: bool,
    pub(super) state: FilterState,
}

/// Where the event of a knote with DISPATCH is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Handover {
    #[default]
    None,
    /// With a thread, until that enables the knote again.
    Delivered,
    /// As before, and the knote is to be deleted then.
    Deleted,
}

/// What only one kind of filter needs.
#[derive(Debug)]
pub(super) enum FilterState {
    Descriptor(DescriptorState),
    File(FileState),
    Vnode(VnodeState),
    Timer(TimerState),
    Signal(SignalState),
    Process(ProcessState),
    User(UserState),
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
            data: change.data,
            udata: change.udata,
            enabled: !change.flags.contains(Flags::DISABLE),
            handover: Handover::None,
            active: false,
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
            FilterState::Timer(timer) => timer.is_once(),
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

/// All knotes of a reactor, and the queue of those that are active.
#[derive(Debug, Default)]
pub(super) struct Knotes {
    slots: Vec<(u32, Option<Knote>)>,
    free: Vec<u32>,
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

    /// How many names stand in the queue.
    pub(super) fn active(&self) -> usize {
        self.active.len()
    }

    pub(super) fn insert(&mut self, knote: Knote) -> KnoteId {
        if let Some(index) = self.free.pop()
            && let Some((generation, slot)) = self.slots.get_mut(index as usize)
        {
            *slot = Some(knote);
            return KnoteId { index, generation: *generation };
        }
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push((0, Some(knote)));
        KnoteId { index, generation: 0 }
    }

    pub(super) fn get(&self, id: KnoteId) -> Option<&Knote> {
        match self.slots.get(id.index as usize) {
            Some((generation, knote)) if *generation == id.generation => knote.as_ref(),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: KnoteId) -> Option<&mut Knote> {
        match self.slots.get_mut(id.index as usize) {
            Some((generation, knote)) if *generation == id.generation => knote.as_mut(),
            _ => None,
        }
    }

    /// What only the knote's filter needs.
    pub(super) fn state_mut(&mut self, id: KnoteId) -> Option<&mut FilterState> {
        Some(&mut self.get_mut(id)?.state)
    }

    pub(super) fn remove(&mut self, id: KnoteId) -> Option<Knote> {
        match self.slots.get_mut(id.index as usize) {
            Some((generation, slot)) if *generation == id.generation && slot.is_some() => {
                *generation = generation.wrapping_add(1);
                self.free.push(id.index);
                slot.take()
            }
            _ => None,
        }
    }
}
