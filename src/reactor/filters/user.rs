// SPDX-License-Identifier: MIT OR Apache-2.0
//! USER: the program triggers it itself, by a change with `NOTE_TRIGGER` or, without a lock, by its
//! number (see `triggers.rs`).

use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::{Name, State};
use crate::reactor::triggers::Triggers;
use crate::{Error, Result};

/// In a knote's `fflags`, beside the program's own: it was triggered and not cleared since.
const TRIGGERED: u32 = note::TRIGGER;

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there.
    pub(in crate::reactor) fn attach_user(
        &mut self,
        change: &Event,
        triggers: &Triggers,
    ) -> Result<()> {
        let name = Name::of(change);
        if name.udata.is_none() && !triggers.insert(change.ident) {
            return Err(Error::os(libc::ENOMEM));
        }
        let mut knote = Knote::new(change, FilterState::User { data: change.data });
        knote.fflags = 0;
        let id = self.knotes.insert(knote);
        self.names.insert(name, id);
        self.update_user(id, change);
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_user(&mut self, id: KnoteId, change: &Event) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let given = change.fflags & note::FFLAGSMASK;
        match change.fflags & note::FFCTRLMASK {
            note::FFAND => knote.fflags &= given | TRIGGERED,
            note::FFOR => knote.fflags |= given,
            note::FFCOPY => knote.fflags = given | knote.fflags & TRIGGERED,
            _ => {}
        }
        let triggers = change.fflags & note::TRIGGER != 0;
        let adds = change.flags.contains(Flags::ADD);
        if triggers || adds {
            knote.state = FilterState::User { data: change.data };
        }
        if triggers {
            knote.fflags |= TRIGGERED;
        } else if change.flags.contains(Flags::CLEAR) && !adds {
            knote.fflags &= !TRIGGERED;
        }
        if knote.fflags & TRIGGERED != 0 {
            self.knotes.activate(id);
        }
    }

    /// Forgets a knote.
    pub(in crate::reactor) fn detach_user(&mut self, id: KnoteId, triggers: &Triggers) {
        if let Some(knote) = self.remove_named(id)
            && !knote.flags.contains(Flags::UDATA_SPECIFIC)
        {
            triggers.remove(knote.ident);
        }
    }

    /// Activates the knotes that were triggered by their numbers.
    pub(in crate::reactor) fn take_triggers(&mut self, triggers: &Triggers) {
        if triggers.is_empty() {
            return;
        }
        triggers.take(|ident| {
            let name = Name { filter: Filter::USER, ident, udata: None };
            if let Some(id) = self.names.get(&name)
                && let Some(knote) = self.knotes.get_mut(id)
            {
                knote.fflags |= TRIGGERED;
                self.knotes.activate(id);
            }
        });
    }

    /// The event of an active knote, if it is triggered.
    pub(in crate::reactor) fn collect_user(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get_mut(id)?;
        let FilterState::User { data } = knote.state else { return None };
        if knote.fflags & TRIGGERED == 0 {
            return None;
        }
        if knote.flags.contains(Flags::CLEAR) {
            knote.fflags &= !TRIGGERED;
        }
        let record = knote.record();
        Some(Event { data, fflags: record.fflags & note::FFLAGSMASK, ..record })
    }
}
