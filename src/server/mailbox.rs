// SPDX-License-Identifier: MIT OR Apache-2.0
//! How others reach a worker: orders in a mailbox, and a wake-up. Workers share nothing else.

use crate::reactor::{Event, Filter, Flags, Reactor};
use std::sync::{Arc, Mutex, PoisonError};

/// The user event that says that there is mail.
const MAIL: usize = 0;

/// What a worker can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Accept nothing more, finish what runs, end; what still runs at `deadline` (nanoseconds of the
    /// monotonic clock) is cut off.
    Stop { deadline: u64 },
}

pub(crate) struct Mailbox {
    reactor: Arc<Reactor>,
    orders: Mutex<Vec<Order>>,
}

impl Mailbox {
    /// A mailbox whose wake-ups carry `udata`.
    pub(crate) fn new(reactor: Arc<Reactor>, udata: usize) -> crate::Result<Self> {
        let flags = Flags::ADD | Flags::CLEAR;
        reactor.add(&Event {
            ident: MAIL,
            filter: Filter::USER,
            flags,
            udata,
            ..Event::default()
        })?;
        Ok(Self { reactor, orders: Mutex::default() })
    }

    /// Any thread.
    pub(crate) fn post(&self, order: Order) {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner).push(order);
        // The event exists as long as the mailbox does, so that this cannot fail.
        let _ = self.reactor.trigger(MAIL);
    }

    pub(crate) fn take(&self) -> Vec<Order> {
        std::mem::take(&mut self.orders.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
