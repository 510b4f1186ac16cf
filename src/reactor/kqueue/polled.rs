// SPDX-License-Identifier: MIT OR Apache-2.0
//! EXCEPT and EMPTY where the kernel has no such filter, or has it for sockets only: while there are such
//! knotes, their descriptors are looked at when a thread begins to wait, and every ten milliseconds of a
//! wait.

use super::State;
use super::knote::{Key, Knote, Place};
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::filters::descriptor;
use crate::reactor::filters::latch::TICK_NS;
use crate::sys::fd::{self, Identity};
use crate::sys::kqueue::Kernel;
use crate::sys::poll::{Events, look};
use crate::{Error, Result};
use std::os::fd::RawFd;

/// Which knotes are looked at, and when next.
#[derive(Debug, Default)]
pub(super) struct Polled {
    keys: Vec<Key>,
    next: u64,
}

impl Polled {
    /// When to look again; `None` if there is nothing to look at.
    pub(super) fn next(&self) -> Option<u64> {
        (!self.keys.is_empty()).then_some(self.next)
    }
}

/// What is found of a descriptor, as far as the filter cares.
fn found(fd: RawFd, filter: Filter) -> Option<Event> {
    let empty = filter == Filter::EMPTY;
    let events = look(fd, if empty { Events::empty() } else { Events::PRI | Events::RDHUP });
    let end = if empty { Events::HUP } else { Events::HUP | Events::RDHUP };
    let mut event = Event::default();
    if events.intersects(end | Events::ERR) {
        event.flags = Flags::EOF;
    } else if events.contains(Events::PRI) {
        (event.flags, event.fflags) = (Flags::OOBAND, note::OOB);
    } else if !(empty && fd::unsent_bytes(fd) == Some(0)) {
        return None;
    }
    Some(event)
}

impl<K: Kernel> State<K> {
    /// ADD of a knote that is not there.
    pub(super) fn attach_polled(&mut self, change: &Event) -> Result<()> {
        let identity = Identity::of(descriptor::number(change)?)?;
        let key = self.attach_soft(Knote::new(change, Place::Polled { identity, told: false }))?;
        self.polled.keys.push(key);
        self.look_at(key);
        Ok(())
    }

    /// A change of a knote that is there.
    pub(super) fn update_polled(&mut self, key: Key, change: &Event) -> Result<()> {
        let Some(knote) = self.knotes.get_mut(key) else { return Ok(()) };
        knote.adopt(change);
        let looks = change.flags.intersects(Flags::ADD | Flags::ENABLE);
        if looks && let Place::Polled { told, .. } = &mut knote.place {
            *told = false;
        }
        self.look_at(key);
        Ok(())
    }

    /// Whether the descriptor still names the file that the knote watches.
    pub(super) fn is_current(&self, key: Key) -> bool {
        let Some(knote) = self.knotes.get(key) else { return false };
        let identity = match &knote.place {
            Place::Polled { identity, .. } | Place::Past { identity: Some(identity), .. } => {
                identity
            }
            _ => return true,
        };
        let fd = RawFd::try_from(knote.name.ident).unwrap_or(-1);
        Identity::of(fd).is_ok_and(|now| now == *identity)
    }

    /// Looks at all of them.
    pub(super) fn look_at_all(&mut self, now: u64) {
        self.polled.next = now.saturating_add(TICK_NS);
        let mut keys = std::mem::take(&mut self.polled.keys);
        keys.retain(|key| {
            let stays = self.is_current(*key);
            if stays {
                self.look_at(*key);
            } else {
                self.lose(*key);
            }
            stays
        });
        self.polled.keys = keys;
    }

    fn look_at(&mut self, key: Key) {
        if self.polled_event(key).is_some() {
            self.activate(key);
        }
    }

    /// The event of a knote, if it has one to tell.
    pub(super) fn polled_event(&mut self, key: Key) -> Option<Event> {
        let knote = self.knotes.get_mut(key)?;
        let clear = knote.flags.contains(Flags::CLEAR);
        let Place::Polled { told, .. } = &mut knote.place else { return None };
        let found = found(RawFd::try_from(knote.name.ident).ok()?, knote.name.filter);
        if found.is_none() {
            *told = false;
        }
        let found = found.filter(|_| !(clear && *told))?;
        let mut event = knote.record();
        event.flags |= found.flags;
        event.fflags = found.fflags;
        Some(event)
    }
}

/// Refuses an EXCEPT or EMPTY that cannot be meant, whoever is to look for it.
pub(super) fn check(change: &Event) -> Result<()> {
    let known = match change.filter {
        Filter::EXCEPT => note::OOB,
        Filter::EMPTY => 0,
        _ => return Ok(()),
    };
    if change.fflags & !known != 0 {
        return Err(Error::invalid("EXCEPT, EMPTY: fflags has bits that mean nothing here"));
    }
    let fd = descriptor::number(change)?;
    if change.filter == Filter::EMPTY && fd::unsent_bytes(fd).is_none() {
        return Err(Error::invalid("EMPTY: the descriptor has no send buffer"));
    }
    Ok(())
}
