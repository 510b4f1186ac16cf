// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands between a worker and the kernel: waiting, accepting, and moving the bytes of
//! connections, which do not know which driver they have.
//!
//! The readiness driver learns from the reactor what can be done and does it. The completion driver asks
//! an io_uring for it and learns what has been done.

pub(crate) mod completion;
pub(crate) mod readiness;

use super::body::FileRange;
use super::connection::Connection;
use super::context::Context;
use super::limits;
use super::listener::Listener;
use super::site::Site;
use crate::error::Result;
use crate::reactor::{Event, Filter, Flags, Reactor, note};
use crate::sys::sendfile::sendfile;
use crate::sys::uring::Completion;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

/// A connection and what carries it.
pub(crate) struct Client<C> {
    pub(crate) carrier: C,
    pub(crate) connection: Connection,
    /// Whether the worker has it on its list of clients to go on with.
    pub(crate) busy: bool,
}

/// What a driver has to tell its worker.
pub(crate) enum Notice {
    /// Of the mailbox, of a listener on which connections wait, or of a client's socket.
    Event(Event),
    /// A connection to the endpoint of this index.
    Accepted { endpoint: usize, socket: OwnedFd },
    /// Of a client's operation.
    Completion(Completion),
    /// From the worker to the driver: a client may have sent what no notice has told of.
    Unheard,
}

/// How a turn of a client ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It waits for a notice.
    Waits,
    /// It could go on, but others have to have their turn.
    GoesOn,
    Closed,
}

/// A driver, for the thread that made it. `udata` is what the notices of a listener or client carry.
pub(crate) trait Driver {
    /// What it keeps with each connection.
    type Carrier;

    /// Waits for notices, at most for the time given.
    fn wait(&mut self, patience: Option<Duration>) -> Result<()>;

    /// The next notice. All have to be taken before the next wait.
    fn next(&mut self) -> Option<Notice>;

    /// Has connections to a listener accepted or told of, until [`rest`](Self::rest).
    fn listen(&mut self, listener: &Listener, udata: usize) -> Result<()>;

    fn rest(&mut self, listener: &Listener, udata: usize);

    /// Takes a connection over, to be driven next.
    fn carry(&mut self, socket: OwnedFd) -> Self::Carrier;

    /// Takes a client's notice, then sends, decodes and receives until something has to be waited for.
    fn drive(
        &mut self,
        client: &mut Client<Self::Carrier>,
        udata: usize,
        notice: Option<Notice>,
        site: &Site,
        cx: &mut Context,
    ) -> Turn;

    /// Closes the connection: by a reset if its answer would seem whole otherwise. If it is `wanted`, its
    /// descriptor is to be free at once.
    fn end(&mut self, client: Client<Self::Carrier>, wanted: bool, cx: &mut Context);
}

/// Has the reactor tell of connections that wait.
fn watch(reactor: &Reactor, listener: &Listener, udata: usize) -> Result<()> {
    let change = Event::of(listener.socket(), Filter::READ, Flags::ADD);
    // One of the workers that listen on the same socket is enough to wake.
    let fflags = if listener.is_shared() { note::EXCLUSIVE } else { 0 };
    reactor.add(&Event { udata, fflags, ..change })
}

/// Has the reactor forget a listener: another worker may hold it open, and what waits there would wake
/// this one again and again.
fn unwatch(reactor: &Reactor, listener: &Listener) {
    let change = Event::of(listener.socket(), Filter::READ, Flags::DELETE);
    // It is there or was never watched, for want of memory.
    let _ = reactor.change(&[change], &mut []);
}

/// Sends a part of a file, as much as goes and one client may have at a time.
fn send_file(socket: BorrowedFd<'_>, range: &FileRange) -> io::Result<usize> {
    let count = range.left.min(limits::SENDFILE as u64);
    let count = usize::try_from(count).unwrap_or(limits::SENDFILE);
    match sendfile(socket, range.file.as_fd(), range.offset, count)? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank")),
        count => Ok(count),
    }
}
