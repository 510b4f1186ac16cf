// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker: one thread, one reactor, and what belongs to them alone: listeners, connections,
//! time-outs, buffers. Nothing is shared while requests are answered.

use super::accepting::{Accepting, Arrival};
use super::connection::Connection;
use super::context::Context;
use super::driver::{Client, Turn};
use super::limits;
use super::listener::Listener;
use super::log::Logs;
use super::mailbox::{Mailbox, Order};
use super::shedding::longest_idle;
use super::site::Site;
use crate::error::Result;
use crate::reactor::timers::Timers;
use crate::reactor::{BackendKind, Event, Reactor};
use crate::sys::clock;
use slab::Slab;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

/// `udata` of the mailbox; listeners follow, then clients.
const MAIL: usize = 0;

pub(crate) struct Worker {
    site: Arc<Site>,
    reactor: Arc<Reactor>,
    mailbox: Arc<Mailbox>,
    accepting: Accepting,
    clients: Slab<Client>,
    timers: Timers<usize>,
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
    /// A worker that has its listeners, though nobody runs it yet.
    pub(crate) fn new(
        site: Arc<Site>,
        listeners: Vec<Listener>,
        logs: Logs,
        backend: Option<BackendKind>,
    ) -> Result<Self> {
        let reactor = Arc::new(Reactor::for_careful_owner(backend)?);
        Ok(Self {
            mailbox: Arc::new(Mailbox::new(Arc::clone(&reactor), MAIL)?),
            base: MAIL + 1 + listeners.len(),
            accepting: Accepting::watch(listeners, &reactor, MAIL + 1)?,
            site,
            reactor,
            clients: Slab::new(),
            timers: Timers::new(clock::monotonic_ns()),
            busy: Vec::new(),
            ends_at: None,
            buffer: vec![0; limits::RECEIVE].into(),
            cx: Context::new(logs),
        })
    }

    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Works until a stop has been ordered and is done.
    pub(crate) fn run(mut self) -> Result<()> {
        let mut events = vec![Event::default(); limits::EVENTS];
        while !self.is_done() {
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
        let files = self.cx.files.next_deadline();
        let next =
            [self.timers.next_deadline(), self.accepting.paused_until(), self.ends_at, files]
                .map(|at| at.unwrap_or(u64::MAX));
        let next = next[0].min(next[1]).min(next[2]).min(next[3]);
        (next != u64::MAX).then(|| Duration::from_nanos(next.saturating_sub(clock::monotonic_ns())))
    }

    fn handle(&mut self, event: &Event) {
        if event.udata == MAIL {
            for order in self.mailbox.take() {
                self.obey(order);
            }
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
                    self.drive(key);
                } else {
                    self.close(key);
                }
            } else {
                self.schedule(key);
            }
        }
        self.accepting.resume(&self.reactor, self.cx.now);
    }

    fn close(&mut self, key: usize) {
        let Some(mut client) = self.clients.try_remove(key) else { return };
        client.end(&self.reactor, &mut self.cx);
        if let Some((timer, _)) = client.timer {
            self.timers.remove(timer);
        }
    }

    fn accept(&mut self, index: usize, most: usize) {
        for _ in 0..most {
            match self.accepting.next(index) {
                Ok(Some(arrival)) => self.serve(arrival),
                Ok(None) => return,
                // Descriptors or memory ran out.
                Err(_) if self.shed() => {}
                Err(_) => return self.accepting.pause(&self.reactor, self.cx.now),
            }
        }
    }

    /// Takes a connection over.
    fn serve(&mut self, Arrival { socket, peer, endpoint }: Arrival) {
        let settings = Arc::clone(self.site.settings_before_request(endpoint));
        let connection = Connection::new(peer, endpoint, settings, self.cx.now);
        let entry = self.clients.vacant_entry();
        let key = entry.key();
        if let Ok(client) = Client::watch(socket, connection, &self.reactor, self.base + key) {
            entry.insert(client);
            self.schedule(key);
        }
    }

    /// Descriptors or memory ran out: closes files that are kept open, or else some idle connections.
    /// False if that made no room.
    fn shed(&mut self) -> bool {
        if self.cx.files.shed() {
            return true;
        }
        let now = self.cx.now;
        let before = self.clients.len();
        for key in longest_idle(&self.clients, now) {
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
        if let Some(client) = self.clients.get_mut(key) {
            client.try_receive();
            self.drive(key);
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
                self.drive(key);
            }
        }
    }

    /// The keys that clients have now; it may be that some lose theirs meanwhile.
    fn keys(&self) -> vec::IntoIter<usize> {
        self.clients.iter().map(|(key, _)| key).collect::<Vec<_>>().into_iter()
    }

    /// Takes what waits in the listeners' queues, which was promised an answer, and no more.
    fn stop_listening(&mut self) {
        for index in 0..self.accepting.count() {
            self.accept(index, limits::LAST_ACCEPTS);
        }
        self.accepting.close(&self.reactor);
    }
}
