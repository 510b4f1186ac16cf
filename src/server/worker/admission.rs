// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who is let in: a worker accepts, serves or hands over, and makes room where there is none. Idle
//! connections go first; where none is idle, new ones wait in the kernel's queue, and the listeners
//! rest until a connection ends or falls idle.

use super::Worker;
use crate::server::accepting::{Accepting, Arrival};
use crate::server::connection::Connection;
use crate::server::driver::{Client, Driver};
use crate::server::limits;
use crate::server::mailbox::Order;
use crate::server::options::AcceptPolicy;
use crate::server::round::Round;
use crate::server::shedding::longest_idle;
use crate::sys::clock;
use std::sync::Arc;

/// The rules of the door, the same for all workers.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) policy: AcceptPolicy,
    /// Most connections that one worker has open.
    pub(crate) most: u64,
}

impl Rules {
    /// Whether connections may have to wait for others to end.
    pub(crate) const fn has_limit(&self) -> bool {
        self.most != u64::MAX
    }
}

pub(super) struct Admission {
    rules: Rules,
    pub(super) accepting: Accepting,
    /// There if this worker accepts for all.
    round: Option<Round>,
    /// Workers that wait for room here.
    askers: Vec<usize>,
    /// A connection has ended in this turn.
    vacated: bool,
    /// One that may be closed has turned up while somebody waits for room.
    lull: bool,
}

/// What there is none left of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shortage {
    /// Connections that the workers may have.
    Places,
    /// Descriptors or memory, of the process or the system.
    Resources,
}

impl Admission {
    /// Of worker `index` of so many.
    pub(super) fn new(rules: Rules, accepting: Accepting, index: usize, workers: usize) -> Self {
        let accepts_for_all = rules.policy == AcceptPolicy::RoundRobin && index == 0;
        Self {
            rules,
            accepting,
            round: accepts_for_all.then(|| Round::new(workers)),
            askers: Vec::new(),
            vacated: false,
            lull: false,
        }
    }

    /// A connection has ended.
    pub(super) fn vacated(&mut self) {
        self.vacated = true;
    }

    /// A client has had its turn: takes note if it is idle and somebody waits for room.
    pub(super) fn noted(&mut self, client: &Client<impl Sized>, now: u64) {
        if self.accepting.is_paused() || !self.askers.is_empty() {
            self.lull |= client.connection.idle_since(now).is_some();
        }
    }
}

impl<D: Driver> Worker<D> {
    /// Accepts at most so many connections from one listener.
    pub(super) fn accept(&mut self, listener: usize, most: usize) {
        for _ in 0..most {
            let Some(worker) = self.recipient() else {
                if self.make_room(listener, Shortage::Places) {
                    continue;
                }
                return;
            };
            match self.admission.accepting.next(listener) {
                Ok(Some(arrival)) => self.give(worker, arrival),
                Ok(None) => return,
                Err(_) if self.make_room(listener, Shortage::Resources) => {}
                Err(_) => return,
            }
        }
    }

    /// As [`accept`](Self::accept), from all listeners.
    pub(super) fn accept_all(&mut self, most: usize) {
        for listener in 0..self.admission.accepting.count() {
            self.accept(listener, most);
        }
    }

    /// Who is to serve the next connection; `None` if nobody has room.
    fn recipient(&self) -> Option<usize> {
        let most = self.admission.rules.most;
        match &self.admission.round {
            Some(round) => round.next(&self.team, most),
            None => ((self.clients.len() as u64) < most).then_some(self.index),
        }
    }

    /// A connection has been accepted by the driver.
    pub(super) fn arrived(&mut self, arrival: Arrival) {
        self.give(self.recipient().unwrap_or(self.index), arrival);
    }

    fn give(&mut self, worker: usize, arrival: Arrival) {
        if let Some(round) = &mut self.admission.round {
            round.gave(worker);
        }
        let arrival = match worker {
            own if own == self.index => Some(arrival),
            other => self.team.hand_over(other, arrival),
        };
        if let Some(arrival) = arrival {
            self.serve(arrival);
        }
    }

    /// Takes a connection on.
    pub(super) fn serve(&mut self, Arrival { socket, peer, endpoint }: Arrival) {
        let settings = Arc::clone(self.site.settings_before_request(endpoint));
        let connection = Connection::new(peer, endpoint, settings, self.cx.now);
        let key = self.clients.next_key();
        let carrier = self.driver.carry(socket);
        self.clients.insert(Client { carrier, connection, busy: true });
        self.cx.count.accepted += 1;
        // Were it answered at once, its client could be back before the turn is over, for which the
        // files have been looked at.
        self.busy.push(key);
    }

    /// There is no room for a connection that waits, if one does: closes idle ones. If there are
    /// none, false: the listeners rest, and the other workers are asked.
    fn make_room(&mut self, listener: usize, shortage: Shortage) -> bool {
        if !self.admission.accepting.is_awaited(listener) {
            return false;
        }
        if self.give_up(shortage) {
            return true;
        }
        self.admission.accepting.pause(&mut self.driver, self.cx.now);
        self.publish_pause();
        self.ask_others(shortage);
        false
    }

    fn ask_others(&self, shortage: Shortage) {
        let by = self.index;
        match (shortage, self.admission.rules.policy) {
            (Shortage::Resources, _) | (Shortage::Places, AcceptPolicy::RoundRobin) => {
                self.team.tell_others(by, || Order::MakeRoom { by });
            }
            // The kernel may have woken this worker alone for what waits.
            (Shortage::Places, AcceptPolicy::Shared) => {
                if let Some(other) = self.team.find_accepting(by) {
                    self.team.tell(other, Order::Accept);
                }
            }
            (Shortage::Places, AcceptPolicy::ReusePort) => {}
        }
    }

    /// Another worker has no room.
    pub(super) fn make_room_for(&mut self, worker: usize) {
        if self.give_up(Shortage::Resources) {
            self.team.tell(worker, Order::Accept);
        } else if !self.admission.askers.contains(&worker) {
            self.admission.askers.push(worker);
        }
    }

    /// A handler or a file could not be had for want of descriptors or memory.
    pub(super) fn relieve(&mut self) {
        if std::mem::take(&mut self.cx.exhausted) && !self.give_up(Shortage::Resources) {
            self.ask_others(Shortage::Resources);
        }
    }

    /// The end of a turn: whoever waits for room is told if there may be some.
    pub(super) fn admit_waiting(&mut self) {
        let vacated = std::mem::take(&mut self.admission.vacated);
        let lull = std::mem::take(&mut self.admission.lull);
        if vacated || lull {
            self.resume_accepting();
            if !self.admission.askers.is_empty() && (vacated || self.shed()) {
                for worker in std::mem::take(&mut self.admission.askers) {
                    self.team.tell(worker, Order::Accept);
                }
            }
        } else if self.admission.accepting.is_pause_over(self.cx.now) {
            // Somebody who has said nothing so far may count as idle by now.
            if self.recipient().is_some() || !longest_idle(&self.clients, self.cx.now).is_empty() {
                self.resume_accepting();
            } else {
                self.admission.accepting.pause(&mut self.driver, self.cx.now);
                if self.admission.round.is_some() {
                    self.ask_others(Shortage::Places);
                }
            }
        }
    }

    pub(super) fn resume_accepting(&mut self) {
        self.admission.accepting.resume(&mut self.driver, self.cx.now);
        self.publish_pause();
    }

    fn publish_pause(&self) {
        if let Some(seat) = self.team.seat(self.index) {
            seat.set_accepting(!self.admission.accepting.is_paused());
        }
    }

    /// Closes files that are kept open, if that helps, or else some idle connections. False if that made
    /// no room.
    fn give_up(&mut self, shortage: Shortage) -> bool {
        let closed_files = matches!(shortage, Shortage::Resources) && self.cx.files.shed();
        closed_files || self.shed()
    }

    /// Closes some idle connections. False if that made no room.
    fn shed(&mut self) -> bool {
        let now = self.cx.now;
        let before = self.clients.len();
        for key in longest_idle(&self.clients, now) {
            self.hear(key);
            let idle = self.clients.get(key).and_then(|client| client.connection.idle_since(now));
            if idle.is_some() {
                self.cx.count.shed += 1;
                self.end(key, true);
            }
        }
        // Whose turn it is depends on what is published.
        self.publish();
        self.clients.len() < before
    }

    /// The server stops: lets in who is on the way, and nobody else.
    pub(super) fn admit_last(&mut self, deadline: u64) {
        let patience = clock::nanoseconds(limits::DRAIN_PATIENCE);
        self.resume_accepting();
        self.admission.accepting.close_at(deadline.min(self.cx.now.saturating_add(patience)));
        self.accept_all(limits::LAST_ACCEPTS);
    }

    /// Lets go of the listeners when that is due, unless there are still some who wait for room.
    pub(super) fn end_admission(&mut self) {
        let now = self.cx.now;
        if !self.admission.accepting.is_closing(now) {
            return;
        }
        self.accept_all(limits::LAST_ACCEPTS);
        if self.admission.accepting.is_paused() {
            let patience = clock::nanoseconds(limits::DRAIN_PATIENCE);
            self.admission.accepting.postpone_close(now.saturating_add(patience));
        } else {
            self.admission.accepting.close(&mut self.driver);
        }
    }
}
