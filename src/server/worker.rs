// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker: one thread, one reactor, and what belongs to them alone: listeners, connections,
//! time-outs, buffers. Nothing is shared while requests are answered.

mod admission;

use super::accepting::{Accepting, Arrival};
use super::clients::Clients;
use super::context::Context;
use super::driver::{Client, Driver, Notice, Turn};
use super::limits;
use super::listener::Listener;
use super::log::Logs;
use super::mailbox::Order;
use super::site::Site;
use super::team::Team;
use crate::error::Result;
use crate::sys::{clock, socket};
use admission::Admission;
pub(crate) use admission::Rules;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

/// `udata` of the mailbox; listeners follow, then clients.
pub(crate) const MAIL: usize = 0;

pub(crate) struct Worker<D: Driver> {
    /// Its place in the team.
    index: usize,
    team: Arc<Team>,
    site: Arc<Site>,
    driver: D,
    admission: Admission,
    clients: Clients<Client<D::Carrier>>,
    /// Clients whose turn ended before their work.
    busy: Vec<usize>,
    /// When the stop that has been ordered cuts off what still runs.
    ends_at: Option<u64>,
    /// `udata` of the first client.
    base: usize,
    cx: Context,
}

impl<D: Driver> Worker<D> {
    /// Has the driver accept connections.
    pub(crate) fn new(
        index: usize,
        team: Arc<Team>,
        site: Arc<Site>,
        listeners: Vec<Listener>,
        rules: Rules,
        logs: Logs,
        driver: D,
    ) -> Result<Self> {
        let mut driver = driver;
        let base = MAIL + 1 + listeners.len();
        let accepting = Accepting::start(listeners, &mut driver, MAIL + 1)?;
        Ok(Self {
            admission: Admission::new(rules, accepting, index, team.count()),
            index,
            team,
            site,
            driver,
            clients: Clients::new(clock::monotonic_ns()),
            busy: Vec::new(),
            ends_at: None,
            base,
            cx: Context::new(logs),
        })
    }

    /// Works until a stop has been ordered and is done.
    pub(crate) fn run(mut self) -> Result<()> {
        while !self.is_done() || self.has_last_orders() {
            let patience = self.patience();
            self.driver.wait(patience)?;
            self.cx.now = clock::monotonic_ns();
            self.cx.wall = SystemTime::now();
            self.cx.files.begin_turn(self.cx.now, self.cx.wall);
            while let Some(notice) = self.driver.next() {
                self.handle(notice);
            }
            for key in std::mem::take(&mut self.busy) {
                if let Some(client) = self.clients.get_mut(key) {
                    client.busy = false;
                    self.drive(key, None);
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
        // From the time of the turn on: what the turn took, a time-out comes too late, and no sooner.
        (next != u64::MAX).then(|| Duration::from_nanos(next.saturating_sub(self.cx.now)))
    }

    fn handle(&mut self, notice: Notice) {
        let udata = match notice {
            Notice::Accepted { socket, endpoint } => {
                // A client that has gone already has no address.
                if let Ok(peer) = socket::peer(socket.as_fd()) {
                    self.arrived(Arrival { socket, peer, endpoint });
                }
                return;
            }
            Notice::Event(ref event) => event.udata,
            Notice::Completion(ref completion) => completion.owner,
            Notice::Unheard => return,
        };
        if udata == MAIL {
            let orders = self.team.seat(self.index).map(|seat| seat.mailbox.take());
            orders.into_iter().flatten().for_each(|order| self.obey(order));
        } else if let Some(key) = udata.checked_sub(self.base) {
            self.drive(key, Some(notice));
        } else {
            self.accept(udata - MAIL - 1, limits::ACCEPTS);
        }
    }

    fn drive(&mut self, key: usize, notice: Option<Notice>) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let (driver, site, cx) = (&mut self.driver, &*self.site, &mut self.cx);
        let udata = self.base + key;
        // A handler that panics costs its own connection only. What it leaves half done in the
        // context are buffers, which the next answer starts from empty.
        let turn = catch_unwind(AssertUnwindSafe(|| driver.drive(client, udata, notice, site, cx)))
            .unwrap_or(Turn::Closed);
        match turn {
            Turn::Closed => return self.close(key),
            Turn::GoesOn if client.busy => {}
            Turn::GoesOn => {
                client.busy = true;
                self.busy.push(key);
            }
            Turn::Waits => {}
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
                    self.drive(key, None);
                } else {
                    self.close(key);
                }
            } else {
                self.schedule(key);
            }
        }
    }

    fn close(&mut self, key: usize) {
        self.end(key, false);
    }

    /// Closes a connection whose descriptor may be `wanted` by another.
    fn end(&mut self, key: usize, wanted: bool) {
        let Some(client) = self.clients.remove(key) else { return };
        self.cx.count.closed += 1;
        self.admission.vacated();
        self.driver.end(client, wanted, &mut self.cx);
    }

    /// Answers what a client may have sent and nobody has read yet, before it counts as idle.
    fn hear(&mut self, key: usize) {
        self.drive(key, Some(Notice::Unheard));
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
