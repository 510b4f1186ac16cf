// SPDX-License-Identifier: MIT OR Apache-2.0
//! The completion driver: an io_uring accepts, receives and sends, and the worker is told what it has
//! done. The kernel is entered once per turn, in [`wait`](super::Driver::wait), and does nothing for
//! the worker between two waits.
//!
//! Every connection receives all the time, into buffers that all of them share, and has at most one
//! send under way, so that its bytes keep their order. The reactor, with the mailbox and whatever else
//! is registered there, is one more descriptor to poll.

use super::{Client, Notice, Turn, send_file, unwatch, watch};
use crate::error::Result;
use crate::reactor::{Event, Filter, Reactor};
use crate::server::connection::{Connection, Next};
use crate::server::context::Context;
use crate::server::limits;
use crate::server::listener::Listener;
use crate::server::output::Outgoing;
use crate::server::site::Site;
use crate::sys::socket;
use crate::sys::uring::{Capacity, Completion, Operation, Outcome, Ring};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The owner of the operation that polls the reactor; listeners and clients have their udata.
const REACTOR: usize = usize::MAX;

pub(crate) struct Driver {
    ring: Ring,
    reactor: Arc<Reactor>,
    events: Vec<Event>,
    /// Whether the ring polls the reactor.
    polled: bool,
    /// The worker may have no room for connections, which are to wait in the listeners' queues then.
    limited: bool,
    listening: Vec<Listening>,
    /// Notices that are told after all completions: whoever acts on them may close connections, or
    /// receive without the ring, and must not leave anything unread in it.
    late: VecDeque<Notice>,
}

/// A listener whose connections the ring accepts.
struct Listening {
    listener: Listener,
    udata: usize,
    /// Accepting, or waiting for a connection.
    operation: Option<Operation>,
    /// Descriptors or memory ran out.
    failed: bool,
}

/// A connection's socket and what the ring does for it.
pub(crate) struct Carrier {
    socket: OwnedFd,
    receiving: Option<Operation>,
    /// A send, or the wait for room to send.
    sending: Option<Operation>,
    /// Receiving is to end: enough is kept that nobody has looked at.
    full: bool,
    /// The client has sent its FIN.
    at_end: bool,
    /// An operation failed.
    broken: bool,
    /// All is sent and the connection closes, once everything that has come has been looked at.
    parting: bool,
    /// Something came all the same.
    came: bool,
}

const CAPACITY: Capacity = Capacity {
    submissions: limits::SUBMISSIONS,
    completions: limits::COMPLETIONS,
    buffers: limits::RECEIVE_BUFFERS,
    buffer: limits::RECEIVE_BUFFER,
};

/// Whether workers with such reactors can have this driver. An io_uring is tried by a thread of its own:
/// the end of a ring interrupts whatever the thread that made it waits for.
pub(crate) fn is_possible(reactor: &Reactor) -> bool {
    if reactor.fd().is_err() {
        return false;
    }
    let attempt = thread::Builder::new().spawn(|| Ring::new(CAPACITY).is_ok());
    attempt.is_ok_and(|attempt| attempt.join().unwrap_or(false))
}

impl Driver {
    /// If the worker is `limited`, it is told of connections that wait and accepts them itself.
    ///
    /// # Errors
    /// Those of [`Ring::new`]; `ENOTSUP` where the reactor has no descriptor.
    pub(crate) fn new(reactor: Arc<Reactor>, limited: bool) -> Result<Self> {
        reactor.fd()?;
        Ok(Self {
            ring: Ring::new(CAPACITY)?,
            reactor,
            events: vec![Event::default(); limits::EVENTS],
            polled: false,
            limited,
            listening: Vec::new(),
            late: VecDeque::new(),
        })
    }

    /// Asks for what is always to be under way.
    fn arm(&mut self) -> Result<()> {
        if !self.polled {
            self.ring.poll_readable(REACTOR, self.reactor.fd()?);
            self.polled = true;
        }
        for Listening { listener, udata, operation, failed } in &mut self.listening {
            operation.get_or_insert_with(|| match failed {
                true => self.ring.poll_readable(*udata, listener.socket().as_raw_fd()),
                false => self.ring.accept(*udata, listener.socket()),
            });
        }
        Ok(())
    }

    /// Takes what the reactor has.
    fn collect(&mut self) {
        self.polled = false;
        if let Ok(count) = self.reactor.wait(&mut self.events, Some(Duration::ZERO)) {
            self.late.extend(self.events.iter().take(count).map(|event| Notice::Event(*event)));
        }
    }

    /// A connection was accepted. If that failed, the next one that waits is the worker's to accept.
    fn accepted(&mut self, completion: Completion, index: usize) -> Option<Notice> {
        let Completion { owner: udata, outcome, last } = completion;
        let listening = self.listening.get_mut(index)?;
        if last {
            listening.operation = None;
        }
        match outcome {
            Outcome::Accepted(Ok(socket)) => {
                return Some(Notice::Accepted { endpoint: listening.listener.endpoint(), socket });
            }
            Outcome::Accepted(Err(_)) => listening.failed = true,
            _ => {
                listening.failed = false;
                let event = Event { udata, filter: Filter::READ, ..Event::default() };
                self.late.push_back(Notice::Event(event));
            }
        }
        None
    }

    /// Takes note of what became of an operation.
    fn note(
        &self,
        client: &mut Client<Carrier>,
        completion: Completion,
        site: &Site,
        cx: &mut Context,
    ) {
        let Client { carrier, connection, .. } = client;
        match completion.outcome {
            Outcome::Received(result) => {
                if completion.last {
                    carrier.receiving = None;
                    carrier.full = false;
                }
                match result {
                    Ok(0) => {
                        carrier.at_end = true;
                        connection.received_end();
                    }
                    Ok(_) => {
                        carrier.came = true;
                        connection.received(self.ring.received(), site, cx);
                    }
                    Err(error) => carrier.broken |= !is_passing(&error),
                }
            }
            Outcome::Sent(result, bytes) => {
                carrier.sending = None;
                match result {
                    Ok(count) => {
                        connection.output().give_back(bytes, count, cx);
                        connection.sent(cx.now);
                    }
                    Err(_) => {
                        carrier.broken = true;
                        cx.buffers.give(bytes);
                    }
                }
            }
            Outcome::Ready => carrier.sending = None,
            Outcome::Accepted(_) => {}
        }
    }

    /// Receives once without the ring.
    fn hear(client: &mut Client<Carrier>, site: &Site, cx: &mut Context) {
        let mut buffer = cx.buffers.take();
        buffer.resize(limits::BUFFER, 0);
        if let Ok(count @ 1..) = socket::receive(client.carrier.socket.as_fd(), &mut buffer) {
            buffer.truncate(count);
            client.connection.received(&buffer, site, cx);
        }
        cx.buffers.give(buffer);
    }

    fn turn(
        &mut self,
        client: &mut Client<Carrier>,
        udata: usize,
        site: &Site,
        cx: &mut Context,
    ) -> Turn {
        let Client { carrier, connection, .. } = client;
        for _ in 0..limits::TURN {
            if carrier.broken {
                return Turn::Closed;
            }
            match connection.next() {
                Next::Send if carrier.sending.is_some() => return Turn::Waits,
                Next::Send => match self.send(carrier, connection, udata, cx) {
                    Ok(false) => {}
                    Ok(true) => return Turn::GoesOn,
                    Err(_) => return Turn::Closed,
                },
                Next::Resume => connection.resume(site, cx),
                Next::Receive => {
                    if carrier.receiving.is_none() {
                        carrier.receiving = Some(self.ring.receive(udata, carrier.socket.as_fd()));
                    }
                    return Turn::Waits;
                }
                Next::ShutDown => {
                    if socket::shutdown_write(carrier.socket.as_fd()).is_err() {
                        return Turn::Closed;
                    }
                    connection.linger();
                }
                Next::Close if carrier.parting || carrier.at_end => {
                    if !(carrier.came && connection.begins_to_linger()) {
                        return Turn::Closed;
                    }
                }
                // What else the ring has for this client comes first.
                Next::Close => {
                    carrier.parting = true;
                    carrier.came = false;
                    return Turn::GoesOn;
                }
            }
        }
        Turn::GoesOn
    }

    /// Begins to send. True if that was so much of a file that it is the others' turn.
    fn send(
        &mut self,
        carrier: &mut Carrier,
        connection: &mut Connection,
        udata: usize,
        cx: &mut Context,
    ) -> io::Result<bool> {
        let socket = carrier.socket.as_fd();
        let output = connection.output();
        match output.next(cx)? {
            Outgoing::Bytes { more, .. } => {
                let (bytes, from) = output.lend();
                carrier.sending = Some(self.ring.send(udata, socket, bytes, from, more));
                Ok(false)
            }
            Outgoing::File(range) => match send_file(socket, range) {
                Ok(count) => {
                    output.file_went(count, cx);
                    connection.sent(cx.now);
                    Ok(count == limits::SENDFILE)
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    carrier.sending = Some(self.ring.poll_writable(udata, socket));
                    Ok(false)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
                Err(error) => Err(error),
            },
            Outgoing::Nothing => {
                connection.sent(cx.now);
                Ok(false)
            }
        }
    }
}

impl super::Driver for Driver {
    type Carrier = Carrier;

    fn wait(&mut self, patience: Option<Duration>) -> Result<()> {
        self.arm()?;
        Ok(self.ring.wait(patience)?)
    }

    fn next(&mut self) -> Option<Notice> {
        while let Some(completion) = self.ring.next() {
            if completion.owner == REACTOR {
                self.collect();
                continue;
            }
            let owner = |listening: &Listening| listening.udata == completion.owner;
            let Some(index) = self.listening.iter().position(owner) else {
                return Some(Notice::Completion(completion));
            };
            let notice = self.accepted(completion, index);
            if notice.is_some() {
                return notice;
            }
        }
        self.late.pop_front()
    }

    fn listen(&mut self, listener: &Listener, udata: usize) -> Result<()> {
        // The wake-up of a worker that is held up is not passed on to another by io_uring's accept.
        if self.limited || listener.is_shared() {
            return watch(&self.reactor, listener, udata);
        }
        let listener = listener.clone();
        self.listening.push(Listening { listener, udata, operation: None, failed: false });
        Ok(())
    }

    fn rest(&mut self, listener: &Listener, udata: usize) {
        if self.limited || listener.is_shared() {
            return unwatch(&self.reactor, listener);
        }
        let ring = &mut self.ring;
        for listening in self.listening.extract_if(.., |listening| listening.udata == udata) {
            if let Some(operation) = listening.operation {
                ring.cancel(operation);
            }
        }
    }

    fn carry(&mut self, socket: OwnedFd) -> Carrier {
        Carrier {
            socket,
            receiving: None,
            sending: None,
            full: false,
            at_end: false,
            broken: false,
            parting: false,
            came: false,
        }
    }

    fn drive(
        &mut self,
        client: &mut Client<Carrier>,
        udata: usize,
        notice: Option<Notice>,
        site: &Site,
        cx: &mut Context,
    ) -> Turn {
        match notice {
            Some(Notice::Completion(completion)) => self.note(client, completion, site, cx),
            Some(Notice::Unheard) => Self::hear(client, site, cx),
            _ => {}
        }
        let turn = self.turn(client, udata, site, cx);
        let Client { carrier, connection, .. } = client;
        connection.settle(cx);
        if let Some(receiving) = carrier.receiving
            && !carrier.full
            && connection.unprocessed() >= limits::RECEIVE
        {
            carrier.full = true;
            self.ring.stop(receiving);
        }
        turn
    }

    fn end(&mut self, client: Client<Carrier>, wanted: bool, cx: &mut Context) {
        let Client { carrier, mut connection, .. } = client;
        if connection.is_cut() {
            // Should it fail, the end comes in order: there is no other way to tell the client.
            let _ = socket::reset_on_close(carrier.socket.as_fd());
        }
        connection.abandon(cx);
        let mut with_ring = !wanted;
        for operation in [carrier.receiving, carrier.sending].into_iter().flatten() {
            with_ring |= self.ring.is_unheard_of(operation);
            self.ring.cancel(operation);
        }
        if with_ring {
            self.ring.close(carrier.socket);
        }
    }
}

/// Whether receiving can be begun anew: it was ended here, or all buffers were full.
fn is_passing(error: &io::Error) -> bool {
    let passing = [libc::ENOBUFS, libc::ECANCELED, libc::EAGAIN, libc::EINTR];
    error.raw_os_error().is_some_and(|errno| passing.contains(&errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_at_rest_is_small() {
        let size = size_of::<Client<Carrier>>();
        assert!(size <= 112, "{size}");
    }
}
