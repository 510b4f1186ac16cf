// SPDX-License-Identifier: MIT OR Apache-2.0
//! SIGNAL: a signal was delivered to the process.
//!
//! The process counts deliveries, whatever it does with them; a knote remembers up to where it has told.
//! So nothing is lost while it is disabled, and each of several knotes and queues tells of all of them.

use super::invalid;
use crate::Result;
use crate::reactor::event::{Event, Flags};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::{Name, State};
use crate::sys::blocked::Blocked;
use crate::sys::signal::{Counting, Listener, bit};
use std::os::fd::RawFd;

/// A signal that is counted.
#[derive(Debug)]
pub(in crate::reactor) struct SignalState {
    counting: Counting,
    /// Deliveries that were told of, or came before the knote.
    told: u64,
}

impl SignalState {
    fn news(&self) -> u64 {
        self.counting.deliveries().saturating_sub(self.told)
    }
}

/// The SIGNAL knotes of a queue.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Signals {
    knotes: Vec<KnoteId>,
    /// There once a knote was added.
    listener: Option<Listener>,
    /// There once a thread that blocked such a signal waited.
    blocked: Option<Blocked>,
    /// A signal was delivered, or interrupted a wait.
    pub(in crate::reactor) heard: bool,
}

impl Signals {
    pub(in crate::reactor) fn fd(&self) -> Option<RawFd> {
        self.listener.as_ref().map(Listener::fd)
    }

    pub(in crate::reactor) const fn are_watched(&self) -> bool {
        !self.knotes.is_empty()
    }
}

/// The signal that a change means.
pub(super) fn number(change: &Event) -> Result<libc::c_int> {
    libc::c_int::try_from(change.ident).map_err(|_| invalid("SIGNAL: no signal has that number"))
}

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there.
    pub(in crate::reactor) fn attach_signal(&mut self, change: &Event) -> Result<()> {
        let signal = number(change)?;
        if self.signals.listener.is_none() {
            let listener = Listener::new()?;
            self.watch_internal(listener.fd())?;
            self.signals.listener = Some(listener);
        }
        let counting = Counting::start(signal)
            .map_err(|_| invalid("SIGNAL: no such signal, or one that cannot be handled"))?;
        let told = counting.deliveries();
        let state = FilterState::Signal(Box::new(SignalState { counting, told }));
        let mut knote = Knote::new(change, state);
        knote.flags |= Flags::CLEAR;
        let id = self.knotes.insert(knote);
        self.names.insert(Name::of(change), id);
        self.signals.knotes.push(id);
        self.listen();
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_signal(&mut self, id: KnoteId, change: &Event) -> Result<()> {
        if change.flags.contains(Flags::ADD) {
            // The program may have set another action since.
            let counting = Counting::start(number(change)?)?;
            if let Some(FilterState::Signal(state)) = self.knotes.state_mut(id) {
                state.counting = counting;
            }
        }
        self.count_signals();
        Ok(())
    }

    /// Forgets a knote.
    pub(in crate::reactor) fn detach_signal(&mut self, id: KnoteId) {
        self.signals.knotes.retain(|other| *other != id);
        self.remove_named(id);
        self.listen();
    }

    /// Has the handler wake this queue for the signals of its knotes.
    fn listen(&self) {
        if let Some(listener) = &self.signals.listener {
            let knotes = self.signals.knotes.iter().filter_map(|id| self.knotes.get(*id));
            listener.set_wanted(knotes.filter_map(|knote| knote.ident.try_into().ok()));
        }
    }

    /// Before a wait: counts the signals, too, for which the program has set another action since, and
    /// those that this thread blocks.
    pub(in crate::reactor) fn renew_signals(&mut self) {
        let mut counted = 0;
        for id in &self.signals.knotes {
            if let Some(knote) = self.knotes.get_mut(*id)
                && let FilterState::Signal(state) = &mut knote.state
            {
                state.counting.renew();
                counted |= knote.ident.try_into().map_or(0, bit);
            }
        }
        let blocked = if counted == 0 { 0 } else { Blocked::among(counted) };
        if let Some(known) = &mut self.signals.blocked {
            known.set_taken(blocked);
        } else if blocked != 0
            && let Ok(new) = Blocked::new(blocked)
            && self.watch_internal(new.fd()).is_ok()
        {
            self.signals.blocked = Some(new);
        }
    }

    /// Activates the knotes whose signals were delivered.
    pub(in crate::reactor) fn count_signals(&mut self) {
        if std::mem::take(&mut self.signals.heard)
            && let Some(listener) = &self.signals.listener
        {
            listener.drain();
        }
        if let Some(blocked) = &self.signals.blocked {
            blocked.take();
        }
        for id in &self.signals.knotes {
            if let Some(FilterState::Signal(state)) = self.knotes.state_mut(*id)
                && state.news() > 0
            {
                self.knotes.activate(*id);
            }
        }
    }

    /// The event of an active knote, if its signal was delivered.
    pub(in crate::reactor) fn collect_signal(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get_mut(id)?;
        let mut event = knote.record();
        let FilterState::Signal(state) = &mut knote.state else { return None };
        let news = state.news();
        state.told += news;
        event.data = i64::try_from(news).unwrap_or(i64::MAX);
        (news > 0).then_some(event)
    }
}
