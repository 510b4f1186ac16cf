// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that an emulated queue remembers, behind one lock that is not held while a thread waits.
//!
//! As in a BSD kernel, a knote whose condition came true stands in a queue until it is collected, and
//! its condition is looked at again then. Knotes are collected in the order in which they became
//! active, so none starves.

use super::descriptors::Descriptors;
use super::event::{Event, Filter, Flags};
use super::farewell::Vanishing;
use super::filters::process::Processes;
use super::filters::signal::Signals;
use super::knote::{Knote, KnoteId, Knotes};
use super::names::Names;
use super::notices::Notices;
use super::poller::Poller;
use super::sleepers::Sleepers;
use super::verification::Closing;
use super::wheel::Wheel;
use crate::Result;
use crate::sys::clock;
use crate::sys::timerfd::TimerFd;
use std::os::fd::RawFd;

/// The name of a knote that watches no descriptor. `udata` is there if it is part of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) filter: Filter,
    pub(super) ident: usize,
    pub(super) udata: Option<usize>,
}

impl Name {
    pub(super) fn of(event: &Event) -> Self {
        let specific = event.flags.contains(Flags::UDATA_SPECIFIC);
        Self { filter: event.filter, ident: event.ident, udata: specific.then_some(event.udata) }
    }
}

pub(super) struct State<P: Poller> {
    pub(super) poller: P,
    pub(super) knotes: Knotes,
    pub(super) descriptors: Descriptors,
    pub(super) names: Names,
    /// The deadlines of timers, by their knotes' numbers.
    pub(super) timers: Wheel,
    /// The time, once the call that has the lock has read it.
    now: Option<u64>,
    /// Knotes whose readiness the kernel cannot announce.
    pub(super) latched: Vec<KnoteId>,
    /// Knotes on files that no poller takes: looked at whenever a thread begins to wait.
    pub(super) files: Vec<KnoteId>,
    /// There once a knote wanted to know what happens to a file.
    pub(super) notices: Option<Notices>,
    pub(super) signals: Signals,
    pub(super) vanishing: Vanishing,
    pub(super) processes: Processes,
    /// Counts collections, from 1 on and around: what a knote was found to be counts only in the same one.
    pub(super) turn: u32,
    pub(super) sleepers: Sleepers,
    /// Counts the changes that a sleeping thread does not see by itself.
    pub(super) version: u64,
    /// Batches of threads that are not waiting.
    pub(super) spare: Vec<P::Batch>,
    /// The reactor's own descriptors, which callers cannot have it watch.
    pub(super) internals: Vec<RawFd>,
    /// The one of them that wakes sleepers.
    pub(super) wake_fd: RawFd,
    /// It was reported since the wake-up was last taken back.
    pub(super) woken: bool,
    /// There once the queue's own descriptor was asked for, and for when it is set.
    pub(super) alarm: Option<(TimerFd, Option<u64>)>,
    pub(super) closing: Closing,
}

impl<P: Poller> State<P> {
    pub(super) fn new(poller: P, wake_fd: RawFd, closing: Closing) -> Result<Self> {
        let mut state = Self {
            poller,
            knotes: Knotes::default(),
            descriptors: Descriptors::default(),
            names: Names::default(),
            timers: Wheel::new(clock::monotonic_ns()),
            now: None,
            latched: Vec::new(),
            files: Vec::new(),
            notices: None,
            signals: Signals::default(),
            vanishing: Vanishing::default(),
            processes: Processes::default(),
            turn: 1,
            sleepers: Sleepers::default(),
            version: 0,
            spare: Vec::new(),
            internals: Vec::new(),
            wake_fd,
            woken: false,
            alarm: None,
            closing,
        };
        state.watch_internal(wake_fd)?;
        Ok(state)
    }

    /// Forgets a knote that watches no descriptor.
    pub(super) fn remove_named(&mut self, id: KnoteId) -> Option<Knote> {
        let knote = self.knotes.remove(id)?;
        self.names.remove(&Name::of(&knote.record()));
        Some(knote)
    }

    /// Whether there is something that no descriptor announces, so that it has to be looked for.
    pub(super) fn needs_tick(&self) -> bool {
        !self.latched.is_empty()
            || !self.vanishing.is_empty()
            || self.files.iter().any(|id| self.is_unannounced(*id))
    }

    /// A new call begins, or a wait has ended: the time is another.
    pub(super) fn forget_time(&mut self) {
        self.now = None;
    }

    /// The time, read once in each call.
    pub(super) fn now(&mut self) -> u64 {
        *self.now.get_or_insert_with(clock::monotonic_ns)
    }

    /// The time, or 0 if nothing that it is wanted for depends on it.
    pub(super) fn time(&mut self, wanted: bool) -> u64 {
        if wanted || !self.timers.is_empty() || self.needs_tick() { self.now() } else { 0 }
    }
}
