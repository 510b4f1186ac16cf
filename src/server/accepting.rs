// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a worker's connections come from: its listeners, and when it lets them rest. What becomes of a
//! connection is not decided here.

use super::limits;
use super::listener::Listener;
use crate::error::Result;
use crate::net::{self, Peer};
use crate::reactor::Reactor;
use crate::sys::clock;
use std::os::fd::OwnedFd;

/// The listeners of one worker.
pub(crate) struct Accepting {
    listeners: Vec<Listener>,
    /// When to accept again, after descriptors or memory ran out.
    paused_until: Option<u64>,
}

/// A connection that was accepted and is nobody's yet.
pub(crate) struct Arrival {
    pub(crate) socket: OwnedFd,
    pub(crate) peer: Peer,
    /// The index of the site's endpoint that it came to.
    pub(crate) endpoint: usize,
}

impl Accepting {
    /// Has the reactor tell of waiting connections, with `first` as `udata` of the first listener.
    pub(crate) fn watch(listeners: Vec<Listener>, reactor: &Reactor, first: usize) -> Result<Self> {
        for (index, listener) in listeners.iter().enumerate() {
            listener.watch(reactor, first + index)?;
        }
        Ok(Self { listeners, paused_until: None })
    }

    /// How many listeners there are.
    pub(crate) fn count(&self) -> usize {
        self.listeners.len()
    }

    /// The next connection that waits at this listener; `None` if none does, or while nothing is
    /// accepted.
    ///
    /// # Errors
    /// Descriptors or memory ran out.
    pub(crate) fn next(&self, index: usize) -> Result<Option<Arrival>> {
        match self.listeners.get(index) {
            Some(listener) if self.paused_until.is_none() => {
                let endpoint = listener.endpoint();
                let accepted = net::accept(listener.socket())?;
                Ok(accepted.map(|(socket, peer)| Arrival { socket, peer, endpoint }))
            }
            _ => Ok(None),
        }
    }

    /// Descriptors or memory ran out. The listeners stay readable, so they are not looked at for a
    /// while: connections that end meanwhile make room.
    pub(crate) fn pause(&mut self, reactor: &Reactor, now: u64) {
        self.paused_until = Some(now.saturating_add(clock::nanoseconds(limits::ACCEPT_PAUSE)));
        self.enable(reactor, false);
    }

    /// When a pause ends; `None` if there is none.
    pub(crate) const fn paused_until(&self) -> Option<u64> {
        self.paused_until
    }

    /// Accepts again if a pause is over.
    pub(crate) fn resume(&mut self, reactor: &Reactor, now: u64) {
        if self.paused_until.take_if(|until| *until <= now).is_some() {
            self.enable(reactor, true);
        }
    }

    /// Lets go of the listeners.
    pub(crate) fn close(&mut self, reactor: &Reactor) {
        for listener in self.listeners.drain(..) {
            // Another worker may hold it open still, and what waits there then would wake this one
            // again and again. The knote exists, so that this cannot fail.
            let _ = listener.unwatch(reactor);
        }
        self.paused_until = None;
    }

    fn enable(&self, reactor: &Reactor, enabled: bool) {
        for listener in &self.listeners {
            // The knote exists as long as the listener does, so that this cannot fail.
            let _ = listener.enable(reactor, enabled);
        }
    }
}
