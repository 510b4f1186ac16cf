// SPDX-License-Identifier: MIT OR Apache-2.0
//! READ, WRITE, EXCEPT and EMPTY: a descriptor has bytes, connections or an end to read, room to write,
//! urgent data, or nothing left to send.
//!
//! What a wait reported is believed within the same collection; a knote that waited in the queue for
//! longer is looked at again with `poll(2)`, so nothing stale is delivered.

use super::condition::{Condition, is_announced};
use super::latch::{Edge, Latch};
use crate::Error;
use crate::Result;
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::internals::INTERNAL;
use crate::reactor::knote::{FilterState, Knote, KnoteId, Knotes};
use crate::reactor::poller::{Mode, Outcome, Poller, Readiness, Ready};
use crate::reactor::state::State;
use crate::reactor::verification::{Closing, Verification};
use crate::sys::fd;
use std::os::fd::RawFd;

/// No collection has this number: what a knote was found to be is not to be believed.
const UNREPORTED: u32 = 0;

/// What a knote on a descriptor was found to be, and when. In this order, the compiler finds a place in
/// `latch` to tell it from the states of other filters, and a knote is smaller.
#[derive(Debug, Default)]
#[repr(C)]
pub(in crate::reactor) struct DescriptorState {
    /// There once a mark was given, or it was latched as [`Latch::Edge`].
    pub(super) details: Option<Box<Details>>,
    /// The collection in which `readiness` was reported, or [`UNREPORTED`].
    turn: u32,
    readiness: Readiness,
    /// There while the poller must not report the knote.
    pub(in crate::reactor) latch: Option<Latch>,
}

/// What few knotes on descriptors have.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// The low-water mark, which counts with [`note::LOWAT`] only.
    pub(super) mark: i64,
    pub(super) edge: Edge,
}

impl DescriptorState {
    fn new(change: &Event) -> Self {
        let mut state = Self::default();
        state.set_mark(change);
        state
    }

    fn set_mark(&mut self, change: &Event) {
        if change.fflags & note::LOWAT != 0 {
            self.details.get_or_insert_default().mark = change.data;
        }
    }

    pub(super) fn mark(&self) -> i64 {
        self.details.as_ref().map_or(0, |details| details.mark)
    }
}

/// The descriptor that a change means. `EBADF` if no descriptor can have that number.
pub(in crate::reactor) fn number(change: &Event) -> Result<RawFd> {
    RawFd::try_from(change.ident).map_err(|_| Error::os(libc::EBADF))
}

/// Why there is no knote on a descriptor: it is not open, or nobody added one.
pub(in crate::reactor) fn missing(fd: RawFd) -> Error {
    Error::os(if fd::is_open(fd) { libc::ENOENT } else { libc::EBADF })
}

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there.
    pub(in crate::reactor) fn attach_descriptor(&mut self, change: &Event) -> Result<()> {
        let fd = number(change)?;
        // A kernel that keeps the set tells by itself that a number is not open.
        let told = P::IN_KERNEL
            && matches!(change.filter, Filter::READ | Filter::WRITE)
            && self.descriptors.get(fd).is_some();
        if self.internals.contains(&fd) || !(told || fd::is_open(fd)) {
            return Err(Error::os(libc::EBADF));
        }
        if change.filter == Filter::VNODE {
            return self.attach_vnode(fd, change);
        }
        if change.filter == Filter::EMPTY && fd::unsent_bytes(fd).is_none() {
            return Err(super::invalid(
                "EMPTY: only sockets, terminals and pipes have something to send",
            ));
        }
        // The first try may find that the number names another file than its other knotes watch. They
        // vanish, and the second try begins from nothing.
        for _ in 0..2 {
            let state = FilterState::Descriptor(DescriptorState::new(change));
            let id = self.insert_descriptor(fd, Knote::new(change, state))?;
            match self.register(fd, true) {
                Ok(Outcome::Done) => {
                    self.look_for(id, change.filter);
                    return Ok(());
                }
                Ok(Outcome::Stale) => {
                    self.remove_descriptor(fd, id);
                    self.vanish(fd);
                }
                Err(error) => {
                    self.remove_descriptor(fd, id);
                    return match error.errno() {
                        Some(libc::EPERM) => self.attach_file(fd, change),
                        _ => Err(error),
                    };
                }
            }
        }
        Err(Error::os(libc::EBADF))
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_descriptor(
        &mut self,
        id: KnoteId,
        change: &Event,
    ) -> Result<()> {
        let fd = number(change)?;
        let adds = change.flags.contains(Flags::ADD);
        let Some(knote) = self.knotes.get_mut(id) else { return Ok(()) };
        let FilterState::Descriptor(state) = &mut knote.state else { return Ok(()) };
        if adds {
            state.set_mark(change);
            knote.fflags = change.fflags;
            knote.flags.set(Flags::OOBAND, change.flags.contains(Flags::OOBAND));
        }
        // An edge that was reported comes again only if the registration is made again.
        let edge = knote.enabled && knote.flags.contains(Flags::CLEAR);
        let look_again = edge || change.flags.intersects(Flags::ADD | Flags::ENABLE);
        if state.latch.is_some() {
            self.unlatch(id);
        }
        match self.register(fd, look_again)? {
            Outcome::Done => {
                self.look_for(id, change.filter);
                Ok(())
            }
            Outcome::Stale => {
                self.vanish(fd);
                if adds { self.attach_descriptor(change) } else { Err(missing(fd)) }
            }
        }
    }

    /// DELETE.
    pub(in crate::reactor) fn detach_descriptor(&mut self, id: KnoteId, fd: RawFd) -> Result<()> {
        self.remove_descriptor(fd, id);
        let unwatched = self.descriptors.get(fd).is_none_or(|entry| entry.is_unwatched());
        let outcome = if unwatched { self.unregister(fd) } else { self.register(fd, false)? };
        match outcome {
            Outcome::Done => Ok(()),
            Outcome::Stale => {
                self.vanish(fd);
                Err(missing(fd))
            }
        }
    }

    /// Activates the knotes that a report of the poller concerns.
    pub(in crate::reactor) fn report(&mut self, ready: Ready, verification: Verification) {
        let fd = ready.key.fd;
        if ready.key.generation == INTERNAL {
            return self.report_internal(fd);
        }
        let Some(entry) = self.descriptors.get_mut(fd) else { return };
        let registered = entry.registered.filter(|it| it.generation == ready.key.generation);
        let Some(registration) = registered else {
            return self.report_of_unknown(ready.key.generation);
        };
        entry.fired |= registration.mode == Mode::Once;
        let gone = ready.readiness.contains(Readiness::GONE);
        let due = P::IN_KERNEL && verification.is_due(&mut entry.seen, ready.readiness);
        if gone || (due && !self.poller.names_same_file(fd)) {
            return self.vanish(fd);
        }
        if may_be_unconnected(ready.readiness) && fd::is_unconnected(fd) {
            return self.await_connection(fd);
        }
        let Some(entry) = self.descriptors.get(fd) else { return };
        let edge = registration.mode == Mode::Edge;
        for id in entry.knotes() {
            // The kernel tells an edge once, to one thread, and threads may come here in another order
            // than they were told. A knote that is in the queue already may have newer news than this:
            // it is looked at when it is collected.
            let turn = if edge && self.knotes.is_active(id) { UNREPORTED } else { self.turn };
            report_to(&mut self.knotes, id, ready.readiness, turn);
        }
    }

    /// What a descriptor is now, as far as a condition cares.
    pub(super) fn look(&self, fd: RawFd, condition: Condition) -> Readiness {
        if self.closing == Closing::Unannounced && !self.poller.names_same_file(fd) {
            return Readiness::GONE;
        }
        let readiness = condition.look(fd);
        if may_be_unconnected(readiness) && fd::is_unconnected(fd) {
            return readiness.difference(Readiness::HANGUP | Readiness::WRITE);
        }
        readiness
    }

    /// The event of an active knote, if its condition holds.
    pub(in crate::reactor) fn collect_descriptor(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get_mut(id)?;
        let FilterState::Descriptor(state) = &mut knote.state else { return None };
        let (mark, turn) = (state.mark(), std::mem::replace(&mut state.turn, UNREPORTED));
        let reported = (turn == self.turn).then_some(state.readiness);
        let (fd, condition) = (RawFd::try_from(knote.ident).ok()?, Condition::of(knote));
        let fflags = knote.fflags;
        let mut event = knote.record();
        let readiness = reported.unwrap_or_else(|| self.look(fd, condition));
        if readiness.contains(Readiness::GONE) {
            self.vanish(fd);
            return None;
        }
        if !condition.is_ready(readiness) {
            if is_announced::<P>(event.filter) {
                self.rearm(fd);
            } else {
                self.look_for_later(id);
            }
            return None;
        }
        event.flags.set(Flags::OOBAND, readiness.contains(Readiness::URGENT));
        let failed = readiness.contains(Readiness::ERROR);
        let end = condition.is_end(readiness);
        if failed || end {
            // Of a pipe, an error says that the reader has gone.
            event.flags.set(Flags::EOF, end || !fd::is_socket(fd));
            event.fflags = 0;
        } else if event.filter == Filter::EXCEPT {
            event.fflags = note::OOB;
        }
        if fflags & note::DATA != 0 {
            self.tell_error(fd, failed, end, &mut event);
        }
        if fflags & (note::DATA | note::LOWAT) != 0 {
            event.data = condition.count(fd);
        }
        let ends = failed || event.flags.contains(Flags::EOF);
        let urgent = event.flags.contains(Flags::OOBAND);
        if fflags & note::LOWAT != 0 && event.data < mark && !ends && !urgent {
            self.below_mark(id);
            return None;
        }
        Some(event)
    }

    /// Adds the error of a failed or ended socket, which this takes from it.
    fn tell_error(&mut self, fd: RawFd, failed: bool, end: bool, event: &mut Event) {
        let Some(entry) = self.descriptors.get_mut(fd) else { return };
        if failed && let Ok(error @ 1..) = fd::take_socket_error(fd) {
            entry.error = error;
        }
        if failed || end {
            event.fflags = entry.error.cast_unsigned();
        } else {
            // The socket is well: it was connected anew, or its error was of one datagram.
            entry.error = 0;
        }
    }

    /// After a delivery that left the knote in place and enabled: sees to it that it is delivered again
    /// while it is ready, or, with CLEAR, not before it becomes so again.
    pub(in crate::reactor) fn delivered_descriptor(&mut self, id: KnoteId, event: &Event) {
        let Ok(fd) = RawFd::try_from(event.ident) else { return };
        let announced = is_announced::<P>(event.filter);
        if event.flags.contains(Flags::CLEAR) {
            if !P::IN_KERNEL || !announced {
                self.latch_edge(id, event.flags.contains(Flags::EOF));
            }
            return;
        }
        let registered = self.descriptors.get(fd).and_then(|entry| entry.registered);
        if !announced || registered.is_some_and(|it| it.mode == Mode::Edge) {
            self.knotes.activate(id);
        }
    }

    /// Has a knote looked at that the poller does not report.
    fn look_for(&mut self, id: KnoteId, filter: Filter) {
        if !is_announced::<P>(filter) {
            self.knotes.activate(id);
        }
    }

    /// After DISPATCH has disabled a knote or ONESHOT deleted it.
    pub(in crate::reactor) fn silence_descriptor(&mut self, fd: RawFd) {
        let Some(entry) = self.descriptors.get(fd) else { return };
        let silent = entry.fired;
        if entry.is_unwatched() && !(silent && P::IN_KERNEL) {
            self.unregister(fd);
        } else if !matches!(self.register(fd, false), Ok(Outcome::Done)) {
            self.vanish(fd);
        }
    }

    /// Has a descriptor reported again whose only report was not used.
    fn rearm(&mut self, fd: RawFd) {
        let fired = self.descriptors.get(fd).is_some_and(|entry| entry.fired);
        if fired && !matches!(self.register(fd, true), Ok(Outcome::Done)) {
            self.vanish(fd);
        }
    }
}

/// Whether a hang-up may be of a socket that was never connected, of which kqueue tells nothing.
const fn may_be_unconnected(readiness: Readiness) -> bool {
    let end = Readiness::READ_EOF.union(Readiness::ERROR);
    readiness.contains(Readiness::HANGUP) && !readiness.intersects(end)
}

/// Activates a knote, if what was found is its condition.
pub(super) fn report_to(knotes: &mut Knotes, id: KnoteId, readiness: Readiness, turn: u32) {
    let Some(knote) = knotes.get_mut(id) else { return };
    let condition = Condition::of(knote);
    let FilterState::Descriptor(state) = &mut knote.state else { return };
    if state.latch.is_none() && condition.is_ready(readiness) {
        (state.readiness, state.turn) = (readiness, turn);
        knotes.activate(id);
    }
}
