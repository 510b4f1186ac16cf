// SPDX-License-Identifier: MIT OR Apache-2.0
//! VNODE: something happened to a file or directory, told by inotify.
//!
//! inotify says less than kqueue and at other times. What it leaves out is seen by looking at the file
//! when it tells of something: that its size has grown (EXTEND), that its number of names has changed
//! (LINK) or fallen to none (DELETE), which inotify itself tells only once nobody has the file open. Of
//! the removal of a directory that is open it tells nothing: such a knote watches the directory's
//! parent as well.
//!
//! A number that was closed and opened again for the same file is not told from one that stayed open.

use super::{invalid, unsupported};
use crate::Result;
use crate::reactor::event::{Event, Flags, note};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::State;
use crate::sys::fd::{Identity, Status, is_nameless_pipe};
use crate::sys::inotify::{Happened, Notice, Watch};
use std::os::fd::RawFd;

/// A file that is watched.
#[derive(Debug)]
pub(in crate::reactor) struct VnodeState {
    /// The file as it was when last looked at.
    known: Status,
    watch: Option<Watch>,
    /// Of a directory's parent.
    parent: Option<Watch>,
    /// What happened, as notes, and was not told or, without CLEAR, goes on being told.
    happened: u32,
}

const UNTOLD: u32 = note::REVOKE | note::FUNLOCK;
const TOLD: u32 = note::DELETE
    | note::WRITE
    | note::EXTEND
    | note::ATTRIB
    | note::LINK
    | note::RENAME
    | note::OPEN
    | note::CLOSE
    | note::CLOSE_WRITE
    | note::READ;

/// Refuses notes that nobody can tell or that mean nothing.
pub(super) fn check(change: &Event) -> Result<()> {
    if change.fflags & UNTOLD != 0 {
        return Err(unsupported(
            "VNODE: Linux cannot revoke open files, and does not tell of unlocked ones: \
             not NOTE_REVOKE and NOTE_FUNLOCK",
        ));
    }
    match change.fflags {
        0 => Err(invalid("VNODE: fflags has to say what to tell of")),
        notes if notes & !TOLD != 0 => {
            Err(invalid("VNODE: fflags has bits that mean nothing for a file"))
        }
        _ => Ok(()),
    }
}

/// What inotify is to tell of so that the notes can be told.
fn wanted(notes: u32, is_directory: bool) -> Happened {
    let entries = Happened::ENTRY_CREATED
        | Happened::ENTRY_DELETED
        | Happened::ENTRY_CAME
        | Happened::ENTRY_LEFT;
    let content = if is_directory { entries } else { Happened::WRITTEN };
    let attributes = Happened::ATTRIBUTES;
    let links = if is_directory { attributes | entries } else { attributes };
    let table = [
        (note::WRITE | note::EXTEND, content),
        (note::LINK | note::DELETE, links),
        (note::ATTRIB, attributes),
        (note::RENAME | note::DELETE, Happened::MOVED),
        (note::OPEN, Happened::OPENED),
        (note::CLOSE, Happened::CLOSED_READER),
        (note::CLOSE_WRITE, Happened::CLOSED_WRITER),
        (note::READ, Happened::READ),
    ];
    let rows = table.iter().filter(|(row, _)| notes & row != 0);
    rows.fold(Happened::empty(), |all, (_, wanted)| all | *wanted)
}

impl VnodeState {
    /// Whether the number still names the same file.
    pub(super) fn is_current(&self, fd: RawFd) -> bool {
        Identity::of(fd).is_ok_and(|identity| identity == self.known.identity)
    }

    /// Takes up what a notice says, `now` being the file as it is.
    fn take(&mut self, happened: Happened, to_entry: bool, now: Status) {
        let grown = now.size > self.known.size;
        let relinked = now.links != self.known.links;
        let reowned = now.access != self.known.access;
        if to_entry {
            // inotify also tells of an entry that was opened, read or changed.
            let moved = happened.intersects(Happened::ENTRY_CAME | Happened::ENTRY_LEFT);
            let listed = happened.intersects(Happened::ENTRY_CREATED | Happened::ENTRY_DELETED);
            self.happened |= if moved { note::WRITE | note::EXTEND } else { 0 };
            self.happened |= if listed { note::WRITE } else { 0 };
        } else {
            self.happened |= to_notes(happened);
            // The notice of what made it grow may come after that of something older.
            if grown && !self.known.identity.is_directory() {
                self.happened |= note::EXTEND;
            }
            // One notice may tell of a new link and of a new mode.
            if happened.contains(Happened::ATTRIBUTES) && (reowned || !relinked) {
                self.happened |= note::ATTRIB;
            }
        }
        self.take_links(now);
    }

    fn take_links(&mut self, now: Status) {
        if now.links != self.known.links {
            self.happened |= note::LINK | if now.links == 0 { note::DELETE } else { 0 };
        }
        self.known = now;
    }
}

/// What a notice about a file itself says without looking at the file.
fn to_notes(happened: Happened) -> u32 {
    let table = [
        (Happened::WRITTEN, note::WRITE),
        (Happened::MOVED, note::RENAME),
        (Happened::OPENED, note::OPEN),
        (Happened::CLOSED_READER, note::CLOSE),
        (Happened::CLOSED_WRITER, note::CLOSE_WRITE),
        (Happened::READ, note::READ),
        // Which of these got lost with the notice nobody knows: whoever asks looks at the file.
        (Happened::LOST, note::WRITE | note::EXTEND | note::ATTRIB | note::LINK | note::RENAME),
    ];
    let rows = table.iter().filter(|(row, _)| happened.contains(*row));
    rows.fold(0, |all, (_, notes)| all | notes)
}

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there, on a descriptor that is open.
    pub(super) fn attach_vnode(&mut self, fd: RawFd, change: &Event) -> Result<()> {
        let known = Status::of(fd)?;
        if !known.identity.has_a_name() || is_nameless_pipe(fd) {
            return Err(invalid("VNODE: the descriptor is of no file in a file system"));
        }
        let state = Box::new(VnodeState { known, watch: None, parent: None, happened: 0 });
        let id = self.insert_descriptor(fd, Knote::new(change, FilterState::Vnode(state)))?;
        let result = self.watch_vnode(id, fd);
        if result.is_err() {
            self.remove_descriptor(fd, id);
        }
        result
    }

    /// Has inotify tell of what the knote's notes need.
    fn watch_vnode(&mut self, id: KnoteId, fd: RawFd) -> Result<()> {
        let Some(knote) = self.knotes.get(id) else { return Ok(()) };
        let FilterState::Vnode(state) = &knote.state else { return Ok(()) };
        let (notes, is_directory) = (knote.fflags, state.known.identity.is_directory());
        let old_parent = state.parent;
        let watch = self.watch_file(fd, wanted(notes, is_directory), id)?;
        let parent = if is_directory && notes & (note::DELETE | note::LINK) != 0 {
            self.watch_parent(fd, Happened::ENTRY_DELETED, id).ok()
        } else {
            None
        };
        if let Some(FilterState::Vnode(state)) = self.knotes.state_mut(id) {
            (state.watch, state.parent) = (Some(watch), parent);
        }
        if let Some(old) = old_parent
            && old_parent != parent
        {
            self.unwatch_file(old, id);
        }
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_vnode(
        &mut self,
        id: KnoteId,
        fd: RawFd,
        change: &Event,
    ) -> Result<()> {
        let Some(knote) = self.knotes.get_mut(id) else { return Ok(()) };
        if change.flags.contains(Flags::ADD) {
            knote.fflags = change.fflags;
            self.watch_vnode(id, fd)?;
        }
        self.activate_vnode(id);
        Ok(())
    }

    /// Lets go of what a removed knote had.
    pub(in crate::reactor) fn release_vnode(&mut self, id: KnoteId, state: &VnodeState) {
        for watch in [state.watch, state.parent].into_iter().flatten() {
            self.unwatch_file(watch, id);
        }
    }

    /// Something happened that concerns a knote.
    pub(in crate::reactor) fn notice_vnode(&mut self, id: KnoteId, notice: Notice) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let fd = RawFd::try_from(knote.ident).unwrap_or(-1);
        let FilterState::Vnode(state) = &mut knote.state else { return };
        let now = Status::of(fd).ok().filter(|now| now.identity == state.known.identity);
        let Some(now) = now else { return self.lose(fd, id) };
        if state.watch == Some(notice.watch) || notice.happened.contains(Happened::LOST) {
            state.take(notice.happened, notice.to_entry, now);
        } else {
            state.take_links(now);
        }
        if state.parent.is_some() && notice.happened.contains(Happened::MOVED) {
            // It has another parent now. If that cannot be watched, its removal is not told.
            let _ = self.watch_vnode(id, fd);
        }
        self.activate_vnode(id);
    }

    fn activate_vnode(&mut self, id: KnoteId) {
        if let Some(knote) = self.knotes.get(id)
            && let FilterState::Vnode(state) = &knote.state
            && state.happened & knote.fflags != 0
        {
            self.knotes.activate(id);
        }
    }

    /// The event of an active knote, if something happened that it is to tell of.
    pub(in crate::reactor) fn collect_vnode(&mut self, id: KnoteId) -> Option<Event> {
        let fd = RawFd::try_from(self.knotes.get(id)?.ident).ok()?;
        if !self.is_current(id, fd) {
            return None;
        }
        let knote = self.knotes.get_mut(id)?;
        let mut event = knote.record();
        let FilterState::Vnode(state) = &mut knote.state else { return None };
        event.fflags = state.happened & knote.fflags;
        if knote.flags.contains(Flags::CLEAR) {
            state.happened = 0;
        }
        (event.fflags != 0).then_some(event)
    }
}
