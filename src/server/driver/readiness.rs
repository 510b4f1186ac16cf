// SPDX-License-Identifier: MIT OR Apache-2.0
//! The readiness driver: moves bytes between a socket and its connection when the reactor says that
//! it can be done. READ is watched edge-triggered from the first time that it is waited for, WRITE only while something is left
//! to send. Where the system call behind the reactor knows no edges, a knote is for one event instead
//! and added again when the next one is waited for.

use super::{Client, Notice, Turn, send_file, unwatch, watch};
use crate::error::Result;
use crate::reactor::{BackendKind, Event, Filter, Flags, Reactor};
use crate::server::connection::{Connection, Next};
use crate::server::context::Context;
use crate::server::limits;
use crate::server::listener::Listener;
use crate::server::output::Outgoing;
use crate::server::site::Site;
use crate::sys::socket;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Driver {
    reactor: Arc<Reactor>,
    events: Vec<Event>,
    /// Those that are to be told of yet.
    ready: std::ops::Range<usize>,
    buffer: Box<[u8]>,
    /// CLEAR or ONESHOT.
    trigger: Flags,
}

/// A connection's socket and what is known of it.
pub(crate) struct Carrier {
    socket: OwnedFd,
    /// Nothing says yet that receiving would find nothing.
    readable: bool,
    /// The client has sent its FIN.
    at_end: bool,
    /// The kernel had no room; a WRITE event will come.
    blocked: bool,
    read_watched: bool,
    write_watched: bool,
}

impl Driver {
    pub(crate) fn new(reactor: Arc<Reactor>) -> Self {
        Self {
            trigger: trigger(reactor.backend()),
            reactor,
            events: vec![Event::default(); limits::EVENTS],
            ready: 0..0,
            buffer: vec![0; limits::RECEIVE].into(),
        }
    }

    fn interest(&self, socket: &OwnedFd, filter: Filter, udata: usize) -> Event {
        Event { udata, ..Event::of(socket, filter, Flags::ADD | self.trigger) }
    }

    /// Takes note of an event of this client.
    fn note(&self, carrier: &mut Carrier, event: &Event) {
        let stays = self.trigger == Flags::CLEAR;
        if event.filter == Filter::READ {
            carrier.readable = true;
            carrier.at_end |= event.flags.contains(Flags::EOF);
            carrier.read_watched = stays;
        } else {
            carrier.blocked = false;
            carrier.write_watched &= stays;
        }
    }

    fn turn(&mut self, client: &mut Client<Carrier>, site: &Site, cx: &mut Context) -> Turn {
        let Client { carrier, connection, .. } = client;
        for _ in 0..limits::TURN {
            match connection.next() {
                Next::Send if carrier.blocked => return Turn::Waits,
                Next::Send => match send(carrier, connection, cx) {
                    Ok(false) => {}
                    Ok(true) => return Turn::GoesOn,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        carrier.blocked = true;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Turn::Closed,
                },
                Next::Resume => connection.resume(site, cx),
                Next::Receive if !carrier.readable => return Turn::Waits,
                Next::Receive => match socket::receive(carrier.socket.as_fd(), &mut self.buffer) {
                    Ok(0) => connection.received_end(),
                    Ok(count) => {
                        // A short read took all there was; the next byte is a new edge. After the
                        // client's FIN there is none, so then the end is read as well.
                        carrier.readable = count == self.buffer.len() || carrier.at_end;
                        let bytes = self.buffer.get(..count).unwrap_or_default();
                        connection.received(bytes, site, cx);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        carrier.readable = false;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Turn::Closed,
                },
                Next::ShutDown => {
                    if socket::shutdown_write(carrier.socket.as_fd()).is_err() {
                        return Turn::Closed;
                    }
                    connection.linger();
                }
                Next::Close if carrier.readable && connection.begins_to_linger() => {}
                Next::Close => return Turn::Closed,
            }
        }
        Turn::GoesOn
    }

    /// Watches what the end of a turn leaves to wait for, and forgets WRITE otherwise.
    fn rearm(&self, carrier: &mut Carrier, udata: usize) -> Result<()> {
        if !carrier.read_watched && !carrier.readable {
            carrier.read_watched = true;
            self.reactor.add(&self.interest(&carrier.socket, Filter::READ, udata))?;
        }
        if carrier.blocked == carrier.write_watched {
            return Ok(());
        }
        carrier.write_watched = carrier.blocked;
        let change = self.interest(&carrier.socket, Filter::WRITE, udata);
        if carrier.blocked {
            self.reactor.add(&change)
        } else {
            self.reactor.delete(change.ident, change.filter)
        }
    }
}

impl super::Driver for Driver {
    type Carrier = Carrier;

    fn wait(&mut self, patience: Option<Duration>) -> Result<()> {
        let count = match self.reactor.wait(&mut self.events, patience) {
            Err(error) if error.is_interrupted() => 0,
            other => other?,
        };
        self.ready = 0..count;
        Ok(())
    }

    fn next(&mut self) -> Option<Notice> {
        let index = self.ready.next()?;
        self.events.get(index).map(|event| Notice::Event(*event))
    }

    fn listen(&mut self, listener: &Listener, udata: usize) -> Result<()> {
        watch(&self.reactor, listener, udata)
    }

    fn rest(&mut self, listener: &Listener, _: usize) {
        unwatch(&self.reactor, listener);
    }

    /// Nothing watches it yet: what it is for has mostly come by the time that it is accepted, and one
    /// request may be all.
    fn carry(&mut self, socket: OwnedFd) -> Carrier {
        Carrier {
            socket,
            readable: true,
            at_end: false,
            blocked: false,
            read_watched: false,
            write_watched: false,
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
            Some(Notice::Event(event)) => self.note(&mut client.carrier, &event),
            Some(Notice::Unheard) => client.carrier.readable = true,
            _ => {}
        }
        let turn = self.turn(client, site, cx);
        client.connection.settle(cx);
        if turn != Turn::Closed && self.rearm(&mut client.carrier, udata).is_err() {
            return Turn::Closed;
        }
        turn
    }

    /// The reactor forgets the socket, which the coming close would do anyway, but later.
    fn end(&mut self, mut client: Client<Carrier>, _: bool, cx: &mut Context) {
        let socket = client.carrier.socket.as_fd();
        if client.connection.is_cut() {
            // Should it fail, the end comes in order: there is no other way to tell the client.
            let _ = socket::reset_on_close(socket);
        }
        client.connection.abandon(cx);
        self.reactor.forget(socket);
    }
}

/// Sends once. True if that was so much of a file that it is the others' turn.
fn send(carrier: &Carrier, connection: &mut Connection, cx: &mut Context) -> io::Result<bool> {
    let socket = carrier.socket.as_fd();
    let output = connection.output();
    let mut enough = false;
    match output.next(cx)? {
        Outgoing::Bytes { bytes, more } => {
            let count = socket::send(socket, bytes, more)?;
            output.bytes_went(count, cx);
        }
        Outgoing::File(range) => {
            let count = send_file(socket, range)?;
            enough = count == limits::SENDFILE;
            output.file_went(count, cx);
        }
        Outgoing::Nothing => {}
    }
    connection.sent(cx.now);
    Ok(enough)
}

/// How knotes are to report: poll and select tell no edges, and what a reactor on them makes of CLEAR
/// is late where as much comes as was read.
const fn trigger(backend: BackendKind) -> Flags {
    match backend {
        BackendKind::Kqueue | BackendKind::Epoll => Flags::CLEAR,
        BackendKind::Poll | BackendKind::Select => Flags::ONESHOT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_at_rest_is_small() {
        let size = size_of::<Client<Carrier>>();
        assert!(size <= 88, "{size}");
    }
}
