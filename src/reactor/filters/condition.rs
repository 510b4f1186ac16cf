// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a knote on a descriptor waits for, and what of it the pollers can tell.
//!
//! Nobody tells that a send buffer has drained (EMPTY): TCP wakes a writer when a part of a full buffer
//! is free, not when the last byte was acknowledged. And select(2) tells of urgent data but, unless
//! data is asked for as well, not of an end. Such conditions are looked for; see `latch`.

use crate::reactor::event::{Filter, Flags};
use crate::reactor::knote::Knote;
use crate::reactor::poller::{Interest, Poller, Readiness, poll::to_events};
use crate::sys::{fd, poll};
use std::os::fd::RawFd;

/// READ, WRITE, EXCEPT or EMPTY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) struct Condition {
    filter: Filter,
    /// Urgent data is news, too: READ with OOBAND, and EXCEPT.
    urgent: bool,
}

/// Whether the poller tells when a filter's condition has come true.
pub(in crate::reactor) fn is_announced<P: Poller>(filter: Filter) -> bool {
    match filter {
        Filter::EMPTY => false,
        Filter::EXCEPT => P::TELLS_ENDS,
        _ => true,
    }
}

impl Condition {
    pub(in crate::reactor) fn of(knote: &Knote) -> Self {
        let urgent = knote.filter == Filter::EXCEPT || knote.flags.contains(Flags::OOBAND);
        Self { filter: knote.filter, urgent }
    }

    /// What the poller is to watch for.
    pub(in crate::reactor) fn interest(self) -> Interest {
        let own = match self.filter {
            Filter::READ => Interest::READ,
            Filter::WRITE => Interest::WRITE,
            _ => Interest::empty(),
        };
        if self.urgent { own | Interest::URGENT } else { own }
    }

    /// What the descriptor is now, as far as it matters.
    pub(super) fn look(self, fd: RawFd) -> Readiness {
        let mut readiness: Readiness = poll::look(fd, to_events(self.interest())).into();
        if self.filter == Filter::EMPTY && fd::unsent_bytes(fd) == Some(0) {
            readiness |= Readiness::DRAINED;
        }
        readiness
    }

    /// Whether the condition holds.
    pub(super) fn is_ready(self, readiness: Readiness) -> bool {
        let own = match self.filter {
            Filter::WRITE => Readiness::WRITE,
            Filter::EMPTY => Readiness::DRAINED,
            Filter::EXCEPT => Readiness::READ_EOF,
            _ => Readiness::READ | Readiness::READ_EOF,
        };
        let urgent = self.urgent && readiness.contains(Readiness::URGENT);
        urgent || readiness.intersects(own | Readiness::HANGUP | Readiness::ERROR)
    }

    /// Whether the other side has ended what is waited for.
    pub(super) const fn is_end(self, readiness: Readiness) -> bool {
        match self.filter {
            Filter::WRITE | Filter::EMPTY => readiness.contains(Readiness::HANGUP),
            _ => readiness.intersects(Readiness::READ_EOF.union(Readiness::HANGUP)),
        }
    }

    /// How much there is to read or room to write.
    pub(super) fn count(self, fd: RawFd) -> i64 {
        match self.filter {
            Filter::WRITE => fd::writable_bytes(fd),
            Filter::READ => fd::readable(fd).count(),
            _ => 0,
        }
    }
}
