// SPDX-License-Identifier: MIT OR Apache-2.0
//! READ and WRITE of what no poller takes: regular files, and devices that are always ready.
//!
//! A regular file is readable while the offset of the descriptor is not at the end of the file. That is
//! looked at whenever a thread begins to wait; a wait that has begun learns of growth through a notice,
//! or where the system has none for the file through a tick. An offset that another thread moves is
//! seen by the next wait. CLEAR: told again once the size has changed, or the end was reached and left.
//!
//! A number that was closed and opened again for the same file is not told from one that stayed open.

use super::{invalid, unsupported};
use crate::Result;
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::State;
use crate::sys::fd::{self, Identity, Status};
use crate::sys::inotify::{Happened, Watch};
use std::os::fd::RawFd;

/// A knote on a file or an always ready device.
#[derive(Debug)]
pub(in crate::reactor) struct FileState {
    /// What the number named when the knote was added.
    identity: Identity,
    /// It is READ of a regular file, which depends on the offset; everything else is always ready.
    has_end: bool,
    /// What announces growth.
    watch: Option<Watch>,
    /// With CLEAR, the size of which the caller knows.
    told: Option<i64>,
}

impl FileState {
    /// Whether the number still names the same file.
    pub(in crate::reactor) fn is_current(&self, fd: RawFd) -> bool {
        Identity::of(fd).is_ok_and(|identity| identity == self.identity)
    }

    /// The distance to the end if there is something to do; 0 for what is always ready.
    fn look(&mut self, fd: RawFd) -> Option<i64> {
        if !self.has_end {
            return self.told.is_none().then_some(0);
        }
        let size = Status::of(fd).ok()?.size;
        let distance = size - fd::offset(fd);
        if distance == 0 {
            self.told = None;
        }
        (distance != 0 && self.told != Some(size)).then_some(distance)
    }
}

/// Refuses what no one can tell of a file.
pub(in crate::reactor) fn check(change: &Event, identity: &Identity) -> Result<()> {
    match change.filter {
        Filter::WRITE if identity.is_on_disk() && change.fflags & note::ON_DISK == 0 => Err(
            invalid("WRITE: a file on disk can always be written, so there is nothing to wait for"),
        ),
        Filter::EXCEPT | Filter::EMPTY => {
            Err(invalid("EXCEPT and EMPTY: only sockets, terminals and pipes have these"))
        }
        Filter::READ if identity.is_directory() => Err(unsupported(
            "READ: a directory's offset says nothing here; VNODE tells of its changes",
        )),
        _ => Ok(()),
    }
}

impl<P: Poller> State<P> {
    /// ADD of a knote on a descriptor that the poller refused.
    pub(super) fn attach_file(&mut self, fd: RawFd, change: &Event) -> Result<()> {
        let identity = Identity::of(fd)?;
        check(change, &identity)?;
        let has_end = change.filter == Filter::READ && identity.is_regular();
        let state = Box::new(FileState { identity, has_end, watch: None, told: None });
        let id = self.insert_descriptor(fd, Knote::new(change, FilterState::File(state)))?;
        self.files.push(id);
        if has_end
            && let Ok(watch) = self.watch_file(fd, Happened::WRITTEN, id)
            && let Some(FilterState::File(state)) = self.knotes.state_mut(id)
        {
            state.watch = Some(watch);
        }
        self.check_file(id);
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_file(&mut self, id: KnoteId, change: &Event) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        if change.flags.contains(Flags::ADD) {
            knote.fflags = change.fflags;
        }
        if let FilterState::File(state) = &mut knote.state {
            state.told = None;
        }
        self.check_file(id);
    }

    /// Whether the knote on a descriptor still means the file that the number names; if not, it is gone.
    pub(in crate::reactor) fn is_current(&mut self, id: KnoteId, fd: RawFd) -> bool {
        // Of all knotes but those on files and of VNODE, the poller knows.
        if self.files.is_empty() && self.notices.is_none() {
            return true;
        }
        let current = match self.knotes.get(id).map(|knote| &knote.state) {
            Some(FilterState::File(state)) => state.is_current(fd),
            Some(FilterState::Vnode(state)) => state.is_current(fd),
            Some(_) => true,
            None => false,
        };
        if !current {
            self.lose(fd, id);
        }
        current
    }

    /// Lets go of what a removed knote had.
    pub(in crate::reactor) fn release_file(&mut self, id: KnoteId, state: &FileState) {
        self.files.retain(|file| *file != id);
        if let Some(watch) = state.watch {
            self.unwatch_file(watch, id);
        }
    }

    /// Whether only a tick finds out that the knote has an event.
    pub(in crate::reactor) fn is_unannounced(&self, id: KnoteId) -> bool {
        let Some(knote) = self.knotes.get(id) else { return false };
        matches!(&knote.state, FilterState::File(state)
            if knote.enabled && state.watch.is_none() && state.has_end)
    }

    /// Looks at all files and activates the knotes that have an event.
    pub(in crate::reactor) fn check_files(&mut self) {
        let mut place = 0;
        while let Some(id) = self.files.get(place).copied() {
            self.check_file(id);
            place += 1;
        }
    }

    fn check_file(&mut self, id: KnoteId) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let fd = RawFd::try_from(knote.ident).unwrap_or(-1);
        if let FilterState::File(state) = &mut knote.state
            && knote.enabled
            && state.look(fd).is_some()
        {
            self.knotes.activate(id);
        }
    }

    /// The event of an active knote, if its condition holds.
    pub(in crate::reactor) fn collect_file(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get_mut(id)?;
        let fd = RawFd::try_from(knote.ident).ok()?;
        let mut event = knote.record();
        if !self.is_current(id, fd) {
            return None;
        }
        let Some(FilterState::File(state)) = self.knotes.state_mut(id) else { return None };
        event.data = state.look(fd)?;
        Some(event)
    }

    /// After a delivery that left the knote in place.
    pub(in crate::reactor) fn delivered_file(&mut self, id: KnoteId, event: &Event) {
        let fd = RawFd::try_from(event.ident).unwrap_or(-1);
        if !event.flags.contains(Flags::CLEAR) {
            self.knotes.activate(id);
        } else if let Some(FilterState::File(state)) = self.knotes.state_mut(id) {
            state.told = Some(Status::of(fd).map_or(0, |status| status.size));
        }
    }
}
