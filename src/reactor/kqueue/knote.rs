// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is remembered of a knote beside the kernel.

use crate::reactor::event::{Event, Flags, note};
use crate::reactor::filters::timer::Schedule;
use crate::reactor::handover::Handover;
use crate::reactor::state::Name;
use crate::reactor::timers::TimerKey;
use crate::sys::fd::Identity;
use slab::Slab;

/// The flags that stay with a knote, as first given.
const STICKY: Flags = Flags::ADD
    .union(Flags::ONESHOT)
    .union(Flags::CLEAR)
    .union(Flags::DISPATCH)
    .union(Flags::RECEIPT)
    .union(Flags::UDATA_SPECIFIC)
    .union(Flags::VANISHED);

/// Names a knote, also in the kernel's udata. Once the knote has gone, the name finds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) usize);

/// The lower half of a key is the index, the upper half tells apart who had it one after the other.
const INDEX_BITS: u32 = usize::BITS / 2;
const INDEX_MASK: usize = (1 << INDEX_BITS) - 1;

impl Key {
    /// Of a record that means a queue of knotes.
    pub(super) const GROUP: Self = Self(usize::MAX);
    /// Of the alarm.
    pub(super) const ALARM: Self = Self(usize::MAX - 1);
}

/// One watched condition.
#[derive(Debug)]
pub(super) struct Knote {
    pub(super) name: Name,
    /// Those of [`STICKY`] that were given when it was added.
    pub(super) flags: Flags,
    pub(super) fflags: u32,
    pub(super) data: i64,
    pub(super) udata: usize,
    pub(super) enabled: bool,
    pub(super) handover: Handover,
    /// A READ knote of a file on disk: its events always have `data`.
    pub(super) on_disk: bool,
    /// Stands in the queue of active soft knotes.
    pub(super) active: bool,
    pub(super) place: Place,
}

/// Who watches.
#[derive(Debug)]
pub(super) enum Place {
    /// The kernel. `lives` is 2 if it was added again while the last event of its first life is on its
    /// way to another thread.
    Kernel { lives: u32 },
    /// The reactor: a timer.
    Timer { schedule: Schedule, alarm: Option<TimerKey> },
    /// The reactor: a user event.
    User { triggered: bool },
    /// Nobody: what it waits for had happened when it was added, so the kernel refused it. WRITE of a
    /// pipe without a reader, PROC of a child that had ended; `data` is of the event.
    Past { identity: Option<Identity>, data: i64 },
    /// The reactor: EXCEPT or EMPTY of the file that the descriptor named. `told`: with CLEAR, that it
    /// has been since the condition came true.
    Polled { identity: Identity, told: bool },
    /// Nobody: the knote has gone, and a record with this flag is still to be told.
    Gone(Flags),
}

impl Knote {
    /// The knote that an ADD describes.
    pub(super) fn new(change: &Event, place: Place) -> Self {
        Self {
            name: Name::of(change),
            flags: (change.flags | Flags::ADD) & STICKY,
            fflags: change.fflags,
            data: change.data,
            udata: change.udata,
            enabled: !change.flags.contains(Flags::DISABLE),
            handover: Handover::None,
            on_disk: false,
            active: false,
            place,
        }
    }

    /// Takes over what a change of it says of udata and of being enabled.
    pub(super) const fn adopt(&mut self, change: &Event) {
        if !change.flags.contains(Flags::KEEPUDATA) {
            self.udata = change.udata;
        }
        if change.flags.contains(Flags::DISABLE) {
            self.enabled = false;
        } else if change.flags.intersects(Flags::ENABLE.union(Flags::ADD)) {
            self.enabled = true;
        }
    }

    /// Its event is given to a thread, which enables it again.
    pub(super) const fn dispatch(&mut self) {
        self.enabled = false;
        self.handover = Handover::Delivered;
    }

    /// The record that tells of the knote.
    pub(super) const fn record(&self) -> Event {
        Event {
            ident: self.name.ident,
            filter: self.name.filter,
            flags: self.flags.difference(Flags::VANISHED),
            fflags: self.fflags,
            data: 0,
            udata: self.udata,
        }
    }

    /// Whether it has a low-water mark, which not every kernel keeps for every kind of descriptor. Then
    /// the kernel reports each change (CLEAR), and the reactor decides.
    pub(super) const fn has_mark(&self) -> bool {
        use crate::reactor::event::Filter;
        matches!(self.name.filter, Filter::READ | Filter::WRITE) && self.fflags & note::LOWAT != 0
    }

    /// Does what a change says to the bits of a user event.
    pub(super) const fn operate(&mut self, change: &Event) {
        let given = change.fflags & note::FFLAGSMASK;
        self.fflags = match change.fflags & note::FFCTRLMASK {
            note::FFAND => self.fflags & given,
            note::FFOR => self.fflags | given,
            note::FFCOPY => given,
            _ => self.fflags,
        };
        let triggers = change.fflags & note::TRIGGER != 0;
        if triggers || change.flags.contains(Flags::ADD) {
            self.data = change.data;
        }
    }
}

/// All knotes of a reactor.
#[derive(Debug, Default)]
pub(super) struct Knotes {
    slots: Slab<(usize, Knote)>,
    /// Counts insertions.
    serial: usize,
}

impl Knotes {
    /// `None` if there are as many as keys can tell apart.
    pub(super) fn insert(&mut self, knote: Knote) -> Option<Key> {
        self.serial = self.serial.wrapping_add(1) & (INDEX_MASK >> 1);
        let entry = self.slots.vacant_entry();
        let key = Key(self.serial << INDEX_BITS | entry.key());
        if entry.key() >= INDEX_MASK {
            return None;
        }
        entry.insert((self.serial, knote));
        Some(key)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Knote> {
        let (serial, knote) = self.slots.get(key.0 & INDEX_MASK)?;
        (*serial == key.0 >> INDEX_BITS).then_some(knote)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Knote> {
        let (serial, knote) = self.slots.get_mut(key.0 & INDEX_MASK)?;
        (*serial == key.0 >> INDEX_BITS).then_some(knote)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Knote> {
        self.get(key)?;
        self.slots.try_remove(key.0 & INDEX_MASK).map(|(_, knote)| knote)
    }
}
