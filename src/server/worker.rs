// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker: one thread, one reactor, and what belongs to them alone: listeners, connections,
//! time-outs, buffers. Nothing is shared while requests are answered.

use super::connection::Connection;
use super::context::Context;
use super::driver::{Client, Driver, Notice, Turn};
use super::limits;
use super::listener::Listener;
use super::log::Logs;
use super::mailbox::{Mailbox, Order};
use super::site::Site;
use crate::error::Result;
use crate::net::{self, Peer};
use crate::reactor::timers::Timers;
use crate::sys::{clock, socket};
use slab::Slab;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

/// `udata` of the mailbox; listeners follow, then clients.
pub(crate) const MAIL: usize = 0;

pub(crate) struct Worker<D: Driver> {
    site: Arc<Site>,
    driver: D,
    mailbox: Arc<Mailbox>,
    listeners: Vec<Listener>,
    /// When to accept again, after descriptors or memory ran out.
    paused_until: Option<u64>,
    clients: Slab<Client<D::Carrier>>,
    timers: Timers<usize>,
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
        site: Arc<Site>,
        listeners: Vec<Listener>,
        logs: Logs,
        mailbox: Arc<Mailbox>,
        driver: D,
    ) -> Result<Self> {
        let mut driver = driver;
        for (listener, udata) in listeners.iter().zip(MAIL + 1..) {
            driver.listen(listener, udata)?;
        }
        Ok(Self {
            mailbox,
            base: MAIL + 1 + listeners.len(),
            site,
            driver,
            listeners,
            paused_until: None,
            clients: Slab::new(),
            timers: Timers::new(clock::monotonic_ns()),
            busy: Vec::new(),
            ends_at: None,
            cx: Context::new(logs),
        })
    }

    /// Works until a stop has been ordered and is done.
    pub(crate) fn run(mut self) -> Result<()> {
        while !self.is_done() {
            let patience = self.patience();
            self.driver.wait(patience)?;
            self.cx.now = clock::monotonic_ns();
            self.cx.wall = SystemTime::now();
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
            if std::mem::take(&mut self.cx.exhausted) {
                self.shed();
            }
            self.cx.logs.flush();
        }
        self.keys().for_each(|key| self.close(key));
        self.cx.logs.flush();
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.ends_at.is_some_and(|at| self.clients.is_empty() || at <= self.cx.now)
    }

    /// How long to wait for events at most.
    fn patience(&mut self) -> Option<Duration> {
        if !self.busy.is_empty() {
            return Some(Duration::ZERO);
        }
        // Not an iterator's `min`: optimised, it looks at what None holds, and valgrind sees that.
        let next = [self.timers.next_deadline(), self.paused_until, self.ends_at]
            .map(|at| at.unwrap_or(u64::MAX));
        let next = next[0].min(next[1]).min(next[2]);
        (next != u64::MAX).then(|| Duration::from_nanos(next.saturating_sub(clock::monotonic_ns())))
    }

    fn handle(&mut self, notice: Notice) {
        let udata = match notice {
            Notice::Accepted { endpoint, socket } => {
                // A client that has gone already has no address.
                if let Ok(peer) = socket::peer(socket.as_fd()) {
                    self.serve(socket, peer, endpoint);
                }
                return;
            }
            Notice::Event(ref event) => event.udata,
            Notice::Completion(ref completion) => completion.owner,
            Notice::Unheard => return,
        };
        if udata == MAIL {
            for order in self.mailbox.take() {
                self.obey(order);
            }
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
        self.schedule(key);
    }

    /// Sets the time-out if the one that is set is later than the deadline; an earlier one finds the
    /// new deadline when it comes.
    fn schedule(&mut self, key: usize) {
        let Some(client) = self.clients.get_mut(key) else { return };
        let deadline = client.connection.deadline(self.cx.now);
        match client.timer {
            Some((_, at)) if at <= deadline => return,
            Some((timer, _)) => drop(self.timers.remove(timer)),
            None => {}
        }
        client.timer = Some((self.timers.insert(deadline, key), deadline));
    }

    fn expire(&mut self) {
        while let Some(key) = self.timers.pop_expired(self.cx.now) {
            let Some(client) = self.clients.get_mut(key) else { continue };
            client.timer = None;
            if client.connection.deadline(self.cx.now) <= self.cx.now {
                if client.connection.timed_out(&self.site, &mut self.cx) {
                    self.drive(key, None);
                } else {
                    self.close(key);
                }
            } else {
                self.schedule(key);
            }
        }
        self.resume_accepting();
    }

    fn close(&mut self, key: usize) {
        let Some(client) = self.clients.try_remove(key) else { return };
        if let Some((timer, _)) = client.timer {
            self.timers.remove(timer);
        }
        self.driver.end(client, &mut self.cx);
    }

    fn accept(&mut self, index: usize, most: usize) {
        if self.paused_until.is_some() {
            return;
        }
        for _ in 0..most {
            let Some(listener) = self.listeners.get(index) else { return };
            match net::accept(listener.socket()) {
                Ok(Some((socket, peer))) => {
                    let endpoint = listener.endpoint();
                    self.serve(socket, peer, endpoint);
                }
                Ok(None) => return,
                // Descriptors or memory ran out.
                Err(_) if self.shed() => {}
                Err(_) => return self.pause(),
            }
        }
    }

    /// Takes a connection over.
    fn serve(&mut self, socket: OwnedFd, peer: Peer, endpoint: usize) {
        let settings = Arc::clone(self.site.settings_before_request(endpoint));
        let connection = Connection::new(peer, endpoint, settings, self.cx.now);
        let entry = self.clients.vacant_entry();
        let key = entry.key();
        if let Ok(carrier) = self.driver.carry(socket, self.base + key) {
            entry.insert(Client { carrier, connection, busy: false, timer: None });
            self.schedule(key);
        }
    }

    /// Descriptors or memory ran out: closes some of the idle connections, those that have been so the
    /// longest. False if that made no room.
    fn shed(&mut self) -> bool {
        let now = self.cx.now;
        let idle =
            |(key, client): (usize, &Client<_>)| Some((client.connection.idle_since(now)?, key));
        let mut idle: Vec<_> = self.clients.iter().filter_map(idle).collect();
        // A few of many: whoever is idle may well be about to ask.
        let count = (idle.len() / 8).clamp(1, limits::SHED);
        if count < idle.len() {
            idle.select_nth_unstable(count);
        }
        let before = self.clients.len();
        for &(_, key) in idle.iter().take(count) {
            self.hear(key);
            let idle = self.clients.get(key).and_then(|client| client.connection.idle_since(now));
            if idle.is_some() {
                self.close(key);
            }
        }
        self.clients.len() < before
    }

    /// Answers what a client may have sent and nobody has read yet, before it counts as idle.
    fn hear(&mut self, key: usize) {
        self.drive(key, Some(Notice::Unheard));
    }

    /// Descriptors or memory ran out. The listeners stay readable, so they are not looked at for a
    /// while: connections that end meanwhile make room.
    fn pause(&mut self) {
        let until = self.cx.now.saturating_add(clock::nanoseconds(limits::ACCEPT_PAUSE));
        self.paused_until = Some(until);
        self.rest();
    }

    fn resume_accepting(&mut self) {
        if self.paused_until.take_if(|until| *until <= self.cx.now).is_some() && !self.listen() {
            self.pause();
        }
    }

    /// Has the driver accept. False if memory ran out.
    fn listen(&mut self) -> bool {
        let mut listeners = self.listeners.iter().zip(MAIL + 1..);
        listeners.all(|(listener, udata)| self.driver.listen(listener, udata).is_ok())
    }

    fn rest(&mut self) {
        for (listener, udata) in self.listeners.iter().zip(MAIL + 1..) {
            self.driver.rest(listener, udata);
        }
    }

    fn obey(&mut self, order: Order) {
        let Order::Stop { deadline } = order;
        self.stop_listening();
        self.cx.draining = true;
        self.ends_at = Some(self.ends_at.map_or(deadline, |earlier| earlier.min(deadline)));
        for key in self.keys() {
            self.hear(key);
            if let Some(client) = self.clients.get_mut(key) {
                client.connection.drain();
                self.drive(key, None);
            }
        }
    }

    /// The keys that clients have now; it may be that some lose theirs meanwhile.
    fn keys(&self) -> vec::IntoIter<usize> {
        self.clients.iter().map(|(key, _)| key).collect::<Vec<_>>().into_iter()
    }

    /// Takes what waits in the listeners' queues, which was promised an answer, and no more.
    fn stop_listening(&mut self) {
        for index in 0..self.listeners.len() {
            self.accept(index, limits::LAST_ACCEPTS);
        }
        if self.paused_until.take().is_none() {
            self.rest();
        }
        self.listeners.clear();
    }
}
