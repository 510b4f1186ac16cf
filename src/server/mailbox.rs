// SPDX-License-Identifier: MIT OR Apache-2.0
//! How others reach a worker: orders in a mailbox, and a wake-up.

use super::accepting::Arrival;
use crate::reactor::{Event, Filter, Flags, Reactor};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The user event that says that there is mail.
const MAIL: usize = 0;

/// What a worker can be told.
pub(crate) enum Order {
    /// Take this connection on.
    Serve(Arrival),
    /// Accept: there may be room now, or connections may wait that another worker has left.
    Accept,
    /// The process is out of descriptors or memory, or every worker is full: close idle connections,
    /// and have worker `by` accept as soon as there is room.
    MakeRoom { by: usize },
    /// Accept nothing more, finish what runs, end; what still runs at `deadline` (nanoseconds of the
    /// monotonic clock) is cut off.
    Stop { deadline: u64 },
}

pub(crate) struct Mailbox {
    reactor: Arc<Reactor>,
    mail: Mutex<Mail>,
}

#[derive(Default)]
struct Mail {
    orders: Vec<Order>,
    /// Nobody will take an order out any more.
    closed: bool,
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
        Ok(Self { reactor, mail: Mutex::default() })
    }

    /// Whom it wakes.
    pub(crate) fn reactor(&self) -> Arc<Reactor> {
        Arc::clone(&self.reactor)
    }

    /// Any thread. Gives the order back if the worker has ended.
    pub(crate) fn post(&self, order: Order) -> Option<Order> {
        let mut mail = self.mail();
        if mail.closed {
            return Some(order);
        }
        mail.orders.push(order);
        drop(mail);
        // The event exists as long as the mailbox does, so that this cannot fail.
        let _ = self.reactor.trigger(MAIL);
        None
    }

    pub(crate) fn take(&self) -> Vec<Order> {
        std::mem::take(&mut self.mail().orders)
    }

    /// Takes what is there. If that is nothing, the mailbox closes: the worker may end.
    pub(crate) fn take_last(&self) -> Vec<Order> {
        let mut mail = self.mail();
        mail.closed = mail.orders.is_empty();
        std::mem::take(&mut mail.orders)
    }

    /// The worker has ended: takes no more orders. Returns those that are left.
    pub(crate) fn close(&self) -> Vec<Order> {
        let mut mail = self.mail();
        mail.closed = true;
        std::mem::take(&mut mail.orders)
    }

    fn mail(&self) -> MutexGuard<'_, Mail> {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
