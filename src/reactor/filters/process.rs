// SPDX-License-Identifier: MIT OR Apache-2.0
//! PROC: a process has ended. What else it does, no call of the systems without kqueue tells another
//! process that does not trace it.
//!
//! Each watched process has a descriptor, which all its knotes share and the poller watches like any
//! other. The status is kept when the end is seen, so that a caller may reap the child before the event
//! is collected.

use super::{invalid, unsupported};
use crate::reactor::event::{Event, Flags, note};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::{Name, State};
use crate::sys::poll::{Events, look};
use crate::sys::process::Process;
use crate::{Error, Result};
use std::collections::HashMap;
use std::os::fd::RawFd;

const UNTOLD: u32 = note::FORK | note::EXEC | note::SIGNAL | note::REAP;

/// What is known of a knote's process.
#[derive(Debug, Default)]
pub(in crate::reactor) struct ProcessState {
    ended: bool,
    /// How, if that is known.
    status: Option<i32>,
}

/// A process that lives, as far as is known, and its knotes.
#[derive(Debug)]
struct Watched {
    process: Process,
    knotes: Vec<KnoteId>,
}

/// The processes that are watched.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Processes {
    by_number: HashMap<libc::pid_t, Watched>,
    numbers: HashMap<RawFd, libc::pid_t>,
}

impl Processes {
    fn take(&mut self, pid: libc::pid_t) -> Option<Watched> {
        let watched = self.by_number.remove(&pid)?;
        self.numbers.remove(&watched.process.fd());
        Some(watched)
    }
}

/// The process that a change or a knote means.
fn number(ident: usize) -> Result<libc::pid_t> {
    let pid = libc::pid_t::try_from(ident).ok().filter(|pid| *pid > 0);
    pid.ok_or(Error::os(libc::ESRCH))
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
        let pid = number(change.ident)?;
        if let Some(known) = self.processes.by_number.get(&pid) {
            // The number may be another process' by now.
            self.process_ended(known.process.fd());
        }
        if !self.processes.by_number.contains_key(&pid) {
            let process = Process::open(pid).map_err(explain)?;
            self.watch_internal(process.fd())?;
            self.processes.numbers.insert(process.fd(), pid);
            self.processes.by_number.insert(pid, Watched { process, knotes: Vec::new() });
        }
        let state = FilterState::Process(ProcessState::default());
        let id = self.knotes.insert(Knote::new(change, state));
        self.names.insert(Name::of(change), id);
        if let Some(watched) = self.processes.by_number.get_mut(&pid) {
            watched.knotes.push(id);
        }
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
        let Some(knote) = self.remove_named(id) else { return };
        let Ok(pid) = number(knote.ident) else { return };
        let Some(watched) = self.processes.by_number.get_mut(&pid) else { return };
        watched.knotes.retain(|other| *other != id);
        if watched.knotes.is_empty()
            && let Some(watched) = self.processes.take(pid)
        {
            self.unwatch_internal(watched.process.fd());
        }
    }

    /// The poller has reported the descriptor of a process.
    pub(in crate::reactor) fn process_ended(&mut self, fd: RawFd) {
        // A report that came late may be of a process whose descriptor had the same number.
        let Some(pid) = self.processes.numbers.get(&fd).copied() else { return };
        if !look(fd, Events::IN).contains(Events::IN) {
            return;
        }
        let Some(Watched { process, knotes }) = self.processes.take(pid) else { return };
        self.unwatch_internal(fd);
        let status = process.wait_status();
        for id in knotes {
            if let Some(FilterState::Process(state)) = self.knotes.state_mut(id) {
                *state = ProcessState { ended: true, status };
                self.knotes.activate(id);
            }
        }
    }

    /// The event of an active knote.
    pub(in crate::reactor) fn collect_process(&self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get(id)?;
        let FilterState::Process(state) = &knote.state else { return None };
        let mut event = knote.record();
        event.flags |= Flags::EOF | Flags::ONESHOT | Flags::CLEAR;
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
