// SPDX-License-Identifier: MIT OR Apache-2.0
//! The workers of a server as they see each other. They share nothing else.

use super::accepting::Arrival;
use super::counters::{Counters, Tally};
use super::mailbox::{Mailbox, Order};
use std::sync::atomic::{AtomicBool, Ordering};

/// By the workers' indices.
pub(crate) struct Team {
    seats: Vec<Seat>,
}

/// What others know of a worker. It shares no line of the processor's cache with another's, as each
/// writes to its own in every turn.
#[repr(align(128))]
pub(crate) struct Seat {
    pub(crate) mailbox: Mailbox,
    pub(crate) tally: Tally,
    /// Whether it accepts: it is not out of room.
    accepting: AtomicBool,
}

impl Seat {
    /// Only by the worker whose it is.
    pub(crate) fn set_accepting(&self, accepting: bool) {
        self.accepting.store(accepting, Ordering::Relaxed);
    }
}

impl Team {
    /// A team of as many workers as there are mailboxes.
    pub(crate) fn new(mailboxes: Vec<Mailbox>) -> Self {
        let seat =
            |mailbox| Seat { mailbox, tally: Tally::default(), accepting: AtomicBool::new(true) };
        Self { seats: mailboxes.into_iter().map(seat).collect() }
    }

    pub(crate) const fn count(&self) -> usize {
        self.seats.len()
    }

    /// `None` past the last worker.
    pub(crate) fn seat(&self, worker: usize) -> Option<&Seat> {
        self.seats.get(worker)
    }

    /// What a worker has published; `None` past the last one.
    pub(crate) fn counters(&self, worker: usize) -> Option<Counters> {
        self.seat(worker).map(|seat| seat.tally.read())
    }

    /// A worker other than this one that accepts.
    pub(crate) fn find_accepting(&self, except: usize) -> Option<usize> {
        let mut seats = self.seats.iter().enumerate();
        let found = seats
            .find(|(worker, seat)| *worker != except && seat.accepting.load(Ordering::Relaxed));
        found.map(|(worker, _)| worker)
    }

    /// Tells a worker, unless it has ended.
    pub(crate) fn tell(&self, worker: usize, order: Order) {
        self.seat(worker).and_then(|seat| seat.mailbox.post(order));
    }

    /// Tells all workers but `except`.
    pub(crate) fn tell_others(&self, except: usize, order: impl Fn() -> Order) {
        (0..self.count()).filter(|&worker| worker != except).for_each(|worker| {
            self.tell(worker, order());
        });
    }

    /// Gives a connection to a worker; gives it back if that one has ended.
    pub(crate) fn hand_over(&self, worker: usize, arrival: Arrival) -> Option<Arrival> {
        match self.seat(worker)?.mailbox.post(Order::Serve(arrival)) {
            Some(Order::Serve(arrival)) => Some(arrival),
            _ => None,
        }
    }
}
