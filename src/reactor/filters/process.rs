// SPDX-License-Identifier: MIT OR Apache-2.0
//! PROC: a process has ended. What else it does, no call of the systems without kqueue tells another
//! process that does not trace it.
//!
//! Each knote has a descriptor of its process, which the poller watches like any other. The status is
//! kept when the end is seen, so that a caller may reap the child before the event is collected.

use super::{invalid, unsupported};
use crate::reactor::event::{Event, Flags, note};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::{Name, State};
use crate::sys::poll::{Events, look};
use crate::sys::process::Process;
use crate::{Error, Result};
use std::os::fd::RawFd;

const UNTOLD: u32 = note::FORK | note::EXEC | note::SIGNAL | note::REAP;

/// A process that is watched.
#[derive(Debug)]
pub(in crate::reactor) struct ProcessState {
    process: Process,
    ended: bool,
    /// How, if that is known.
    status: Option<i32>,
}

/// Refuses notes that nobody can tell or that mean nothing.
pub(super) fn check(change: &Event) -> Result<()> {
    if change.fflags & UNTOLD != 0 {
        return Err(unsupported(
            "PROC: only NOTE_EXIT and NOTE_EXITSTATUS; the system does not tell of another process' \
             fork, exec, signals or reaping",
        ));
    }
    if change.fflags & !(note::EXIT | note::EXITSTATUS) != 0 {
        return Err(invalid("PROC: fflags has bits that mean nothing for a process"));
    }
    if change.fflags & note::EXIT == 0 {
        return Err(invalid("PROC: fflags has to have NOTE_EXIT"));
    }
    Ok(())
}

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there.
    pub(in crate::reactor) fn attach_process(&mut self, change: &Event) -> Result<()> {
        let pid = libc::pid_t::try_from(change.ident).ok().filter(|pid| *pid > 0);
        let process = Process::open(pid.ok_or(Error::os(libc::ESRCH))?).map_err(explain)?;
        let fd = process.fd();
        let state = ProcessState { process, ended: false, status: None };
        let id = self.knotes.insert(Knote::new(change, FilterState::Process(state)));
        if let Err(error) = self.watch_internal(fd) {
            self.knotes.remove(id);
            return Err(error);
        }
        self.processes.insert(fd, id);
        self.names.insert(Name::of(change), id);
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_process(&mut self, id: KnoteId, change: &Event) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        if change.flags.contains(Flags::ADD) {
            knote.fflags = change.fflags;
        }
        let FilterState::Process(state) = &knote.state else { return };
        if state.ended {
            self.knotes.activate(id);
        }
    }

    /// Forgets a knote.
    pub(in crate::reactor) fn detach_process(&mut self, id: KnoteId) {
        if let Some(knote) = self.remove_named(id)
            && let FilterState::Process(state) = knote.state
            && !state.ended
        {
            self.processes.remove(&state.process.fd());
            self.unwatch_internal(state.process.fd());
        }
    }

    /// The poller has reported the descriptor of a process.
    pub(in crate::reactor) fn process_ended(&mut self, fd: RawFd) {
        // A report that came late may be of a process whose descriptor had the same number.
        if !self.processes.contains_key(&fd) || !look(fd, Events::IN).contains(Events::IN) {
            return;
        }
        let Some(id) = self.processes.remove(&fd) else { return };
        self.unwatch_internal(fd);
        if let Some(FilterState::Process(state)) = self.knotes.state_mut(id) {
            state.ended = true;
            state.status = state.process.wait_status();
            self.knotes.activate(id);
        }
    }

    /// The event of an active knote.
    pub(in crate::reactor) fn collect_process(&self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get(id)?;
        let FilterState::Process(state) = &knote.state else { return None };
        let mut event = knote.record();
        event.flags |= Flags::EOF | Flags::ONESHOT;
        match state.status {
            Some(status) => event.data = status.into(),
            None => event.fflags &= !note::EXITSTATUS,
        }
        state.ended.then_some(event)
    }
}

fn explain(error: std::io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOTSUP) => {
            unsupported("PROC: this system has no descriptors for processes (Linux 5.3 has)")
        }
        _ => error.into(),
    }
}
