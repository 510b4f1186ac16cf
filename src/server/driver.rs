// SPDX-License-Identifier: MIT OR Apache-2.0
//! The readiness driver: moves bytes between a socket and its connection when the reactor says that
//! it can be done. READ is watched edge-triggered from the first time that it is waited for, WRITE only
//! while something is left to send. Where the system call behind the reactor knows no edges, a knote is for one event instead
//! and added again when the next one is waited for.

use super::connection::{Connection, Next};
use super::context::Context;
use super::limits;
use super::output::Outgoing;
use super::site::Site;
use crate::reactor::{BackendKind, Event, Filter, Flags, Reactor};
use crate::sys::sendfile::sendfile;
use crate::sys::socket;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// A connection and what carries it.
pub(crate) struct Client {
    socket: OwnedFd,
    pub(crate) connection: Connection,
    /// Nothing says yet that receiving would find nothing.
    readable: bool,
    /// The client has sent its FIN.
    at_end: bool,
    /// The kernel had no room; a WRITE event will come.
    blocked: bool,
    /// CLEAR or ONESHOT.
    trigger: Flags,
    read_watched: bool,
    write_watched: bool,
    /// Whether the worker has it on its list of clients to go on with.
    pub(crate) busy: bool,
}

/// How a turn of a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It waits for an event.
    Waits,
    /// It could go on, but others have to have their turn.
    GoesOn,
    Closed,
}

impl Client {
    /// A new connection, which nothing watches yet: what it is for has mostly come by the time that it
    /// is accepted, and one request may be all.
    pub(crate) fn new(socket: OwnedFd, connection: Connection, reactor: &Reactor) -> Self {
        Self {
            socket,
            connection,
            readable: true,
            at_end: false,
            blocked: false,
            trigger: trigger(reactor.backend()),
            read_watched: false,
            write_watched: false,
            busy: false,
        }
    }

    fn interest(&self, filter: Filter, udata: usize) -> Event {
        Event { udata, ..Event::of(&self.socket, filter, Flags::ADD | self.trigger) }
    }

    /// Has the next turn try to receive, whatever the reactor has said so far.
    pub(crate) fn try_receive(&mut self) {
        self.readable = true;
    }

    /// Takes note of an event of this client.
    pub(crate) fn noted(&mut self, event: &Event) {
        let stays = self.trigger == Flags::CLEAR;
        if event.filter == Filter::READ {
            self.readable = true;
            self.at_end |= event.flags.contains(Flags::EOF);
            self.read_watched = stays;
        } else {
            self.blocked = false;
            self.write_watched &= stays;
        }
    }

    /// Sends, decodes and receives until something has to be waited for.
    pub(crate) fn drive(&mut self, site: &Site, cx: &mut Context, buffer: &mut [u8]) -> Turn {
        let turn = self.go_on(site, cx, buffer);
        self.connection.settle(cx);
        turn
    }

    fn go_on(&mut self, site: &Site, cx: &mut Context, buffer: &mut [u8]) -> Turn {
        for _ in 0..limits::TURN {
            match self.connection.next() {
                Next::Send if self.blocked => return Turn::Waits,
                Next::Send => match self.send(cx) {
                    Ok(false) => {}
                    Ok(true) => return Turn::GoesOn,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Turn::Closed,
                },
                Next::Resume => self.connection.resume(site, cx),
                Next::Receive if !self.readable => return Turn::Waits,
                Next::Receive => match socket::receive(self.socket.as_fd(), buffer) {
                    Ok(0) => self.connection.received_end(),
                    Ok(count) => {
                        // A short read took all there was; the next byte is a new edge. After the
                        // client's FIN there is none, so then the end is read as well.
                        self.readable = count == buffer.len() || self.at_end;
                        let bytes = buffer.get(..count).unwrap_or_default();
                        self.connection.received(bytes, site, cx);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.readable = false;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Turn::Closed,
                },
                Next::ShutDown => {
                    if socket::shutdown_write(self.socket.as_fd()).is_err() {
                        return Turn::Closed;
                    }
                    self.connection.linger();
                }
                Next::Close if self.readable && self.connection.begins_to_linger() => {}
                Next::Close => return Turn::Closed,
            }
        }
        Turn::GoesOn
    }

    /// Sends once. True if that was so much of a file that it is the others' turn.
    fn send(&mut self, cx: &mut Context) -> io::Result<bool> {
        let socket = self.socket.as_fd();
        let output = self.connection.output();
        let mut enough = false;
        match output.next(cx)? {
            Outgoing::Bytes { bytes, more } => {
                let count = socket::send(socket, bytes, more)?;
                output.bytes_went(count, cx);
            }
            Outgoing::File(range) => {
                let count = range.left.min(limits::SENDFILE as u64);
                let count = usize::try_from(count).unwrap_or(limits::SENDFILE);
                let count = sendfile(socket, range.file.as_fd(), range.offset, count)?;
                if count == 0 {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank"));
                }
                enough = count == limits::SENDFILE;
                output.file_went(count, cx);
            }
            Outgoing::Nothing => {}
        }
        self.connection.sent(cx.now);
        Ok(enough)
    }

    /// Watches what the end of a turn leaves to wait for, and forgets WRITE otherwise.
    pub(crate) fn rearm(&mut self, reactor: &Reactor, udata: usize) -> crate::Result<()> {
        if !self.read_watched && !self.readable {
            self.read_watched = true;
            reactor.add(&self.interest(Filter::READ, udata))?;
        }
        if self.blocked == self.write_watched {
            return Ok(());
        }
        self.write_watched = self.blocked;
        let change = self.interest(Filter::WRITE, udata);
        if self.blocked {
            reactor.add(&change)
        } else {
            reactor.delete(change.ident, change.filter)
        }
    }

    /// Ends the connection: by a reset if its answer would seem whole otherwise. The reactor forgets
    /// the socket, which the coming close would do anyway, but later.
    pub(crate) fn end(&mut self, reactor: &Reactor, cx: &mut Context) {
        if self.connection.is_cut() {
            // Should it fail, the end comes in order: there is no other way to tell the client.
            let _ = socket::reset_on_close(self.socket.as_fd());
        }
        self.connection.abandon(cx);
        reactor.forget(self.socket.as_fd());
    }
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
        assert!(size_of::<Client>() <= 88, "{}", size_of::<Client>());
    }
}
