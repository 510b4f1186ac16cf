// SPDX-License-Identifier: MIT OR Apache-2.0
//! kqueue's semantics: changes go in, events come out.
//!
//! A [`Reactor`] is a kernel event queue. What it does is the same on every OS; what it waits with is its
//! backend, chosen at run time: [`BackendKind`]. It knows nothing of HTTP.
//!
//! From the outside in: `Reactor` → `backend` (the calls) → `emulated` (waiting and waking) →
//! `changes`, `collect` and `farewell` (the rules that all filters share) → `filters` (each filter's
//! own) → `poller` (what the kernel can tell). `state`, `knote`, `names`, `descriptors`, `notices` and
//! `wheel` are what is remembered in between; `wake`, `triggers` and `sleepers` are how threads reach
//! each other. On a system with kqueue, `kqueue` stands in for all from `emulated` on.

mod backend;
mod changes;
mod collect;
mod descriptors;
mod emulated;
mod event;
mod farewell;
mod filters;
mod handover;
mod internals;
mod knote;
mod kqueue;
#[cfg(all(test, loom))]
mod models;
mod names;
mod notices;
mod poller;
mod registrations;
mod sleepers;
mod state;
mod sync;
pub(crate) mod timers;
mod triggers;
mod vacancies;
mod verification;
mod wake;
pub(crate) mod wheel;

pub use backend::BackendKind;
pub use event::{Event, Filter, Flags, note};

use crate::error::ErrorKind;
use crate::sys;
use crate::{Error, Result};
use backend::Backend;
use emulated::Emulated;
use kqueue::Kqueue;
use poller::{epoll::Epoll, poll::Poll, select::Select};
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::slice;
use std::time::Duration;
use verification::Closing;

/// The environment variable that overrides the choice of the backend.
const BACKEND_VARIABLE: &str = "EVL_BACKEND";

/// A kernel event queue: holds knotes and tells which of them have events.
///
/// Thread: every method may be called by any thread at any time, several at once; a thread that waits
/// sees the changes of the others. With CLEAR, ONESHOT or DISPATCH one event goes to one thread.
///
/// A forked child does not own its parent's reactors: there, every method is `EBADF`.
pub struct Reactor {
    backend: Box<dyn Backend>,
    kind: BackendKind,
}

impl Reactor {
    /// A new reactor with the best backend of this system, or with the one that `EVL_BACKEND` names in
    /// the environment.
    ///
    /// Errors: `EMFILE`, `ENFILE`, `ENOMEM`; `EINVAL` if `EVL_BACKEND` is no backend's name; `ENOTSUP` if
    /// this system does not have it.
    pub fn new() -> Result<Self> {
        Self::make(default_backend()?, Closing::Unannounced)
    }

    /// A new reactor with that backend.
    ///
    /// Errors: `EMFILE`, `ENFILE`, `ENOMEM`; `ENOTSUP` if this system does not have it.
    pub fn with_backend(kind: BackendKind) -> Result<Self> {
        Self::make(kind, Closing::Unannounced)
    }

    /// A new reactor, with that backend if one is given, for an owner who calls [`Reactor::forget`] before
    /// closing any descriptor that it has watched: no event is checked for whether its number still names
    /// the file that was added.
    ///
    /// Errors: those of [`Reactor::new`] and [`Reactor::with_backend`].
    pub(crate) fn for_careful_owner(kind: Option<BackendKind>) -> Result<Self> {
        Self::make(kind.map_or_else(default_backend, Ok)?, Closing::Announced)
    }

    fn make(kind: BackendKind, closing: Closing) -> Result<Self> {
        let backend: Box<dyn Backend> = match kind {
            BackendKind::Kqueue if !sys::kqueue::AVAILABLE => {
                let why = "backend kqueue: this system has no kqueue(2); macOS and the BSDs do";
                return Err(Error::new(ErrorKind::Os(libc::ENOTSUP), why));
            }
            BackendKind::Kqueue => Box::new(Kqueue::<sys::kqueue::Queue>::new()?),
            BackendKind::Epoll => Box::new(Emulated::<Epoll>::new(closing)?),
            BackendKind::Poll => Box::new(Emulated::<Poll>::new(closing)?),
            BackendKind::Select => Box::new(Emulated::<Select>::new(closing)?),
        };
        Ok(Self { backend, kind })
    }

    /// What it waits with.
    pub fn backend(&self) -> BackendKind {
        self.kind
    }

    /// Adds a knote, or changes the one of that name; ADD need not be given.
    ///
    /// Errors: `EBADF` (closed descriptor), `EINVAL` (unknown filter, contradicting flags, a time that is
    /// none), `ENOTSUP` (known but not available here), `ENOMEM`, `ENOSPC`.
    pub fn add(&self, change: &Event) -> Result<()> {
        if change.flags.contains(Flags::ADD) {
            return self.backend.change(slice::from_ref(change), &mut []).map(drop);
        }
        let change = Event { flags: change.flags | Flags::ADD, ..*change };
        self.backend.change(&[change], &mut []).map(drop)
    }

    /// Forgets the knote that (`ident`, `filter`) names; a pending event of it is dropped.
    /// One whose udata is part of its name is deleted by a change with UDATA_SPECIFIC.
    ///
    /// Errors: `ENOENT` (no such knote), `EBADF` (closed descriptor).
    pub fn delete(&self, ident: usize, filter: Filter) -> Result<()> {
        let change = Event { ident, filter, flags: Flags::DELETE, ..Event::default() };
        self.backend.change(&[change], &mut []).map(drop)
    }

    /// Applies all changes and collects no events. Each failure, and each change with RECEIPT, is
    /// answered by an event with ERROR set and the errno value (0: success) in `data`, placed in
    /// `receipts` from the beginning; returns how many.
    ///
    /// Errors: where there is no room to answer a failure, the first failing change's. The other changes
    /// are applied all the same.
    pub fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Result<usize> {
        self.backend.change(changes, receipts)
    }

    /// Waits until there are events, at most for the time given (`None`: for ever; zero: not at all),
    /// and puts them in `events` from the beginning; returns how many. With no room it returns at once.
    /// The time is kept to the nanosecond where the system can.
    ///
    /// Errors: `EINTR` if a signal handler ran during the wait.
    pub fn wait(&self, events: &mut [Event], timeout: Option<Duration>) -> Result<usize> {
        self.backend.wait(events, timeout)
    }

    /// [`Reactor::change`] and then, if that placed no record in `events`, [`Reactor::wait`]:
    /// `kevent(2)`. A caller whose changes stand in the same memory as its events passes a copy.
    ///
    /// Errors: those of both. Changes that were applied stay so.
    pub fn kevent(
        &self,
        changes: &[Event],
        events: &mut [Event],
        timeout: Option<Duration>,
    ) -> Result<usize> {
        if !changes.is_empty() {
            let records = self.backend.change(changes, events)?;
            if records > 0 {
                return Ok(records);
            }
        }
        self.backend.wait(events, timeout)
    }

    /// Forgets all knotes of a descriptor that the caller closes next, which spares the kernel a call
    /// where closing tells it enough. To be closed before anything else happens to the descriptor.
    pub(crate) fn forget(&self, fd: BorrowedFd<'_>) {
        self.backend.forget(fd.as_raw_fd());
    }

    /// Triggers the user event of that number. Takes no lock and allocates nothing: also for signal
    /// handlers. One whose udata is part of its name is triggered by a change with `NOTE_TRIGGER`.
    ///
    /// Errors: `ENOENT` (no such user event).
    pub fn trigger(&self, ident: usize) -> Result<()> {
        self.backend.trigger(ident)
    }

    /// A descriptor that is readable while events are pending: for another reactor, `poll(2)` or a
    /// foreign event loop. It belongs to the reactor: watch it, do nothing else with it. Once it was
    /// asked for, timers and triggers cost a system call more.
    ///
    /// Errors: `ENOTSUP` with the backends poll and select.
    pub fn fd(&self) -> Result<RawFd> {
        self.backend.fd()
    }
}

/// What `EVL_BACKEND` names, or the best that this system has.
fn default_backend() -> Result<BackendKind> {
    match std::env::var_os(BACKEND_VARIABLE) {
        Some(word) => parse_backend(&word.to_string_lossy()),
        None if sys::kqueue::AVAILABLE => Ok(BackendKind::Kqueue),
        None if sys::epoll::AVAILABLE => Ok(BackendKind::Epoll),
        None => Ok(BackendKind::Poll),
    }
}

fn parse_backend(word: &str) -> Result<BackendKind> {
    word.parse().map_err(|()| {
        let words = BackendKind::ALL.map(BackendKind::name).join(", ");
        let message = format!("{BACKEND_VARIABLE}={word}: not a backend; there are {words}");
        Error::new(ErrorKind::Os(libc::EINVAL), message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_backend_is_answered_with_the_words_there_are() {
        let error = parse_backend("iocp").unwrap_err();
        assert_eq!(error.errno(), Some(libc::EINVAL));
        assert!(error.to_string().ends_with("kqueue, epoll, poll, select"));
        assert_eq!(parse_backend("poll").unwrap(), BackendKind::Poll);
    }
}
