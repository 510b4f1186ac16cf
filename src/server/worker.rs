// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker: one thread, one reactor, and what belongs to them alone: listeners, connections,
//! time-outs, buffers. Nothing is shared while requests are answered.

mod admission;

use super::accepting::Accepting;
use super::clients::Clients;
use super::context::Context;
use super::driver::{Client, Turn};
use super::limits;
use super::listener::Listener;
use super::log::Logs;
use super::mailbox::Order;
use super::site::Site;
use super::team::Team;
use crate::error::{Error, Result};
use crate::reactor::{Event, Reactor};
use crate::sys::clock;
use admission::Admission;
pub(crate) use admission::Rules;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

/// `udata` of the mailbox; listeners follow, then clients.
pub(crate) const MAIL: usize = 0;

pub(crate) struct Worker {
    /// Its place in the team.
    index: usize,
    team: Arc<Team>,
    site: Arc<Site>,
    reactor: Arc<Reactor>,
    admission: Admission,
    clients: Clients<Client>,
    /// Clients whose turn ended before their work.
    busy: Vec<usize>,
    /// When the stop that has been ordered cuts off what still runs.
    ends_at: Option<u64>,
    /// `udata` of the first client.
    base: usize,
    buffer: Box<[u8]>,
    cx: Context,
}

impl Worker {
    /// A worker of the team that has its listeners, though nobody runs it yet.
    pub(crate) fn new(
        index: usize,
        team: Arc<Team>,
        site: Arc<Site>,
        listeners: Vec<Listener>,
        rules: Rules,
        logs: Logs,
    ) -> Result<Self> {
        let reactor = team.seat(index).map(|seat| seat.mailbox.reactor());
        let reactor = reactor.ok_or_else(|| Error::invalid("a worker has a place in the team"))?;
        let base = MAIL + 1 + listeners.len();
        let accepting = Accepting::watch(listeners, &reactor, MAIL + 1)?;
        Ok(Self {
            admission: Admission::new(rules, accepting, index, team.count()),
            index,
            team,
            site,
            reactor,
            clients: Clients::new(clock::monotonic_ns()),
            busy: Vec::new(),
            ends_at: None,
            base,
            buffer: vec![0; limits::RECEIVE].into(),
            cx: Context::new(logs),
        })
    }

    /// Works until a stop has been ordered and is done.
    pub(crate) fn run(mut self) -> Result<()> {
        let mut events = vec![Event::default(); limits::EVENTS];
        while !self.is_done() || self.has_last_orders() {
            let patience = self.patience();
            let count = match self.reactor.wait(&mut events, patience) {
                Err(error) if error.is_interrupted() => 0,
                other => other?,
            };
            self.cx.now = clock::monotonic_ns();
            self.cx.wall = SystemTime::now();
            self.cx.files.begin_turn(self.cx.now, self.cx.wall);
            for event in events.iter().take(count) {
                self.handle(event);
            }
            for key in std::mem::take(&mut self.busy) {
                if let Some(client) = self.clients.get_mut(key) {
                    client.busy = false;
                    self.drive(key);
                }
            }
            self.expire();
            self.end_turn();
        }
        self.keys().for_each(|key| self.close(key));
        self.end_turn();
        Ok(())
    }

    fn end_turn(&mut self) {
        self.relieve();
        self.admit_waiting();
        self.end_admission();
        self.cx.count.turns += 1;
        self.publish();
        self.cx.logs.flush();
    }

    fn publish(&self) {
        if let Some(seat) = self.team.seat(self.index) {
            seat.tally.publish(&self.cx.count);
        }
    }

    fn is_done(&self) -> bool {
        let is_idle = self.clients.is_empty() && self.admission.accepting.count() == 0;
        self.ends_at.is_some_and(|at| is_idle || at <= self.cx.now)
    }

    /// Obeys what was ordered before the end; whether there is something to do all the same.
    fn has_last_orders(&mut self) -> bool {
        let orders = self.team.seat(self.index).map(|seat| seat.mailbox.take_last());
        orders.into_iter().flatten().for_each(|order| self.obey(order));
        !self.is_done()
    }

    /// How long to wait for events at most.
    fn patience(&mut self) -> Option<Duration> {
        if !self.busy.is_empty() {
            return Some(Duration::ZERO);
        }
        // Not an iterator's `min`: optimised, it looks at what None holds, and valgrind sees that.
        let [timer, end, files] =
            [self.clients.next_deadline(), self.ends_at, self.cx.files.next_deadline()]
                .map(|at| at.unwrap_or(u64::MAX));
        let next = timer.min(end).min(files).min(self.admission.accepting.deadline());
        (next != u64::MAX).then(|| Duration::from_nanos(next.saturating_sub(clock::monotonic_ns())))
    }

    fn handle(&mut self, event: &Event) {
        if event.udata == MAIL {
            let orders = self.team.seat(self.index).map(|seat| seat.mailbox.take());
            orders.into_iter().flatten().for_each(|order| self.obey(order));
        } else if let Some(key) = event.udata.checked_sub(self.base) {
            if let Some(client) = self.clients.get_mut(key) {
                client.noted(event);
                self.drive(key);
            }
        } else {
            self.accept(event.udata - MAIL - 1, limits::ACCEPTS);
        }
    }

    fn drive(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let (site, cx, buffer) = (&*self.site, &mut self.cx, &mut self.buffer);
        // A handler that panics costs its own connection only. What it leaves half done in the
        // context are buffers, which the next answer starts from empty.
        let turn = catch_unwind(AssertUnwindSafe(|| client.drive(site, cx, buffer)))
            .unwrap_or(Turn::Closed);
        let udata = self.base + key;
        match turn {
            Turn::Closed => return self.close(key),
            Turn::GoesOn if client.busy => {}
            Turn::GoesOn => {
                client.busy = true;
                self.busy.push(key);
            }
            Turn::Waits => {}
        }
        if client.rearm(&self.reactor, udata).is_err() {
            return self.close(key);
        }
        self.admission.noted(client, self.cx.now);
        self.schedule(key);
    }

    fn schedule(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let deadline = client.connection.deadline(&self.cx);
        self.clients.schedule(key, deadline);
    }

    fn expire(&mut self) {
        while let Some(key) = self.clients.pop_expired(self.cx.now) {
            let Some(client) = self.clients.get_mut(key) else { continue };
            if client.connection.deadline(&self.cx) <= self.cx.now {
                if client.connection.timed_out(&self.site, &mut self.cx) {
                    self.drive(key);
                } else {
                    self.close(key);
                }
            } else {
                self.schedule(key);
            }
        }
    }

    fn close(&mut self, key: usize) {
        let Some(mut client) = self.clients.remove(key) else { return };
        self.cx.count.closed += 1;
        self.admission.vacated();
        client.end(&self.reactor, &mut self.cx);
    }

    /// Answers what a client may have sent and nobody has read yet, before it counts as idle.
    fn hear(&mut self, key: usize) {
        if let Some(client) = self.clients.get_mut(key) {
            client.try_receive();
            self.drive(key);
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Serve(arrival) => self.serve(arrival),
            Order::Accept => {
                self.resume_accepting();
                self.accept_all(limits::ACCEPTS);
            }
            Order::MakeRoom { by } => self.make_room_for(by),
            Order::Stop { deadline } => self.stop(deadline),
        }
    }

    fn stop(&mut self, deadline: u64) {
        self.cx.draining = true;
        self.ends_at = Some(self.ends_at.map_or(deadline, |earlier| earlier.min(deadline)));
        self.admit_last(deadline);
        for key in self.keys() {
            self.hear(key);
        }
    }

    /// The keys that clients have now; it may be that some lose theirs meanwhile.
    fn keys(&self) -> vec::IntoIter<usize> {
        self.clients.iter().map(|(key, _)| key).collect::<Vec<_>>().into_iter()
    }
}
