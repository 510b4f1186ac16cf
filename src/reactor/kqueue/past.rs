// SPDX-License-Identifier: MIT OR Apache-2.0
//! Knotes whose event had come before them. Kernels refuse WRITE of a pipe that nobody reads (`EPIPE`),
//! and some do not find a process that has ended (`ESRCH`); the rule is that both are told.

use super::State;
use super::knote::{Key, Knote, Place};
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::filters::descriptor;
use crate::sys::fd::Identity;
use crate::sys::kqueue::Kernel;
use crate::sys::process;
use crate::{Error, Result};

impl<K: Kernel> State<K> {
    /// ADD of a knote that the kernel refused with that error.
    pub(super) fn attach_past(&mut self, change: &Event, error: Error) -> Result<()> {
        let place = match (change.filter, error.errno()) {
            (Filter::WRITE, Some(libc::EPIPE)) => {
                let identity = Identity::of(descriptor::number(change)?)?;
                Place::Past { identity: Some(identity), data: 0 }
            }
            (Filter::PROC, Some(libc::ESRCH)) if change.fflags & note::EXIT != 0 => {
                let pid = libc::pid_t::try_from(change.ident).ok();
                let Some(status) = pid.and_then(process::zombie_status) else { return Err(error) };
                Place::Past { identity: None, data: status.into() }
            }
            _ => return Err(error),
        };
        let key = self.attach_soft(Knote::new(change, place))?;
        self.activate(key);
        Ok(())
    }

    /// A change of such a knote.
    pub(super) fn update_past(&mut self, key: Key, change: &Event) {
        if let Some(knote) = self.knotes.get_mut(key) {
            if change.flags.contains(Flags::ADD) {
                knote.fflags = change.fflags;
            }
            knote.adopt(change);
            self.activate(key);
        }
    }

    /// The event of such a knote.
    pub(super) fn past_event(&mut self, key: Key) -> Option<Event> {
        if !self.is_current(key) {
            self.lose(key);
            return None;
        }
        let knote = self.knotes.get(key)?;
        let Place::Past { data, .. } = knote.place else { return None };
        let mut event = knote.record();
        event.data = data;
        event.flags |= Flags::EOF;
        if event.filter == Filter::PROC {
            event.flags |= Flags::ONESHOT;
            event.fflags &= note::EXIT | note::EXITSTATUS;
        } else {
            event.fflags = 0;
        }
        Some(event)
    }
}
