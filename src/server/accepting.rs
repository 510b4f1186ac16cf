// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a worker's connections come from: its listeners, and when it lets them rest. Who serves a
//! connection, and whether there is room for it, is not decided here.

use super::driver::Driver;
use super::limits;
use super::listener::Listener;
use crate::error::Result;
use crate::net::{self, Peer};
use crate::sys::clock;
use std::os::fd::OwnedFd;

/// The listeners of one worker.
pub(crate) struct Accepting {
    listeners: Vec<Listener>,
    /// `udata` of the first.
    first: usize,
    /// Nothing is accepted; when to see whether there is room.
    paused_until: Option<u64>,
    /// The server stops: when to let go of the listeners.
    closes_at: Option<u64>,
}

/// A connection that was accepted and is nobody's yet.
pub(crate) struct Arrival {
    pub(crate) socket: OwnedFd,
    pub(crate) peer: Peer,
    /// The index of the site's endpoint that it came to.
    pub(crate) endpoint: usize,
}

impl Accepting {
    /// Has the driver accept connections or tell of them, with `first` as `udata` of the first listener.
    pub(crate) fn start(
        listeners: Vec<Listener>,
        driver: &mut impl Driver,
        first: usize,
    ) -> Result<Self> {
        let accepting = Self { listeners, first, paused_until: None, closes_at: None };
        accepting.listen(driver)?;
        Ok(accepting)
    }

    /// How many listeners there are.
    pub(crate) const fn count(&self) -> usize {
        self.listeners.len()
    }

    /// The next connection that waits at this listener; `None` if none does, or while nothing is
    /// accepted.
    ///
    /// # Errors
    /// Descriptors or memory ran out, which is found out before whether a connection waits.
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

    /// Whether somebody waits at this listener who may be accepted.
    pub(crate) fn is_awaited(&self, index: usize) -> bool {
        let listener = self.listeners.get(index).filter(|_| self.paused_until.is_none());
        listener.is_some_and(Listener::is_awaited)
    }

    /// There is no room. The listeners stay readable, so they are not looked at for a while.
    pub(crate) fn pause(&mut self, driver: &mut impl Driver, now: u64) {
        if self.paused_until.is_none() {
            self.rest(driver);
        }
        self.paused_until = Some(now.saturating_add(clock::nanoseconds(limits::ACCEPT_PAUSE)));
    }

    pub(crate) const fn is_paused(&self) -> bool {
        self.paused_until.is_some()
    }

    /// Whether a pause has lasted long enough.
    pub(crate) fn is_pause_over(&self, now: u64) -> bool {
        self.paused_until.is_some_and(|until| until <= now)
    }

    /// There may be room again.
    pub(crate) fn resume(&mut self, driver: &mut impl Driver, now: u64) {
        if self.paused_until.take().is_some() && self.listen(driver).is_err() {
            // There is not.
            self.pause(driver, now);
        }
    }

    /// The server stops: nobody new is let in, but who is on the way may still come until `until`.
    pub(crate) fn close_at(&mut self, until: u64) {
        if self.closes_at.is_none() {
            self.listeners.iter().for_each(Listener::turn_away);
        }
        self.closes_at = Some(self.closes_at.map_or(until, |earlier| earlier.min(until)));
    }

    /// Somebody is left who waits for room.
    pub(crate) fn postpone_close(&mut self, until: u64) {
        self.closes_at = Some(until);
    }

    /// Whether it is time to let go of the listeners.
    pub(crate) fn is_closing(&self, now: u64) -> bool {
        self.closes_at.is_some_and(|at| at <= now)
    }

    /// Lets go of the listeners.
    pub(crate) fn close(&mut self, driver: &mut impl Driver) {
        if !self.is_paused() {
            self.rest(driver);
        }
        self.listeners.clear();
        (self.paused_until, self.closes_at) = (None, None);
    }

    /// When something is to be done though nothing happened, if ever.
    pub(crate) fn deadline(&self) -> u64 {
        self.paused_until.unwrap_or(u64::MAX).min(self.closes_at.unwrap_or(u64::MAX))
    }

    fn listen(&self, driver: &mut impl Driver) -> Result<()> {
        let mut listeners = self.listeners.iter().zip(self.first..);
        listeners.try_for_each(|(listener, udata)| driver.listen(listener, udata))
    }

    fn rest(&self, driver: &mut impl Driver) {
        for (listener, udata) in self.listeners.iter().zip(self.first..) {
            driver.rest(listener, udata);
        }
    }
}
