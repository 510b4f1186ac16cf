// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to files: one inotify instance for all of a queue, and which knotes each of its watches
//! concerns.
//!
//! A file has one watch, however many descriptors and knotes there are for it; the watch tells of
//! everything that one of them wants, and ends with the last of them.

use super::knote::KnoteId;
use super::poller::Poller;
use super::state::State;
use crate::error::ErrorKind;
use crate::sys::inotify::{Buffer, Happened, Inotify, Notice, Watch};
use crate::{Error, Result};
use std::collections::HashMap;
use std::io;
use std::os::fd::RawFd;

pub(super) struct Notices {
    inotify: Inotify,
    watches: HashMap<Watch, Vec<KnoteId>>,
    /// The poller has reported that there is something to read.
    pub(super) unread: bool,
}

impl Notices {
    pub(super) fn fd(&self) -> RawFd {
        self.inotify.fd()
    }
}

impl<P: Poller> State<P> {
    /// Has a knote told of what happens to the file of `fd`. `ENOTSUP` where the system cannot tell,
    /// `ENOSPC` and `EMFILE` by the user's limits of watches and instances.
    pub(super) fn watch_file(&mut self, fd: RawFd, wanted: Happened, id: KnoteId) -> Result<Watch> {
        self.watch(id, |inotify| inotify.add(fd, wanted))
    }

    /// As [`State::watch_file`], of the directory in which the directory `fd` is.
    pub(super) fn watch_parent(
        &mut self,
        fd: RawFd,
        wanted: Happened,
        id: KnoteId,
    ) -> Result<Watch> {
        self.watch(id, |inotify| inotify.add_parent(fd, wanted))
    }

    fn watch(
        &mut self,
        id: KnoteId,
        add: impl FnOnce(&Inotify) -> io::Result<Watch>,
    ) -> Result<Watch> {
        if self.notices.is_none() {
            let inotify = Inotify::new().map_err(explain)?;
            self.watch_internal(inotify.fd())?;
            self.notices = Some(Notices { inotify, watches: HashMap::new(), unread: false });
        }
        let Some(notices) = &mut self.notices else { return Err(Error::os(libc::ENOTSUP)) };
        let watch = add(&notices.inotify)?;
        let concerned = notices.watches.entry(watch).or_default();
        if !concerned.contains(&id) {
            concerned.push(id);
        }
        Ok(watch)
    }

    /// A knote is not concerned by a watch any more.
    pub(super) fn unwatch_file(&mut self, watch: Watch, id: KnoteId) {
        let Some(notices) = &mut self.notices else { return };
        if let Some(concerned) = notices.watches.get_mut(&watch) {
            concerned.retain(|other| *other != id);
            if concerned.is_empty() {
                notices.watches.remove(&watch);
                notices.inotify.remove(watch);
            }
        }
    }

    /// Tells the knotes what happened since the last time.
    pub(super) fn take_notices(&mut self) {
        let Some(notices) = &mut self.notices else { return };
        if !std::mem::take(&mut notices.unread) {
            return;
        }
        let mut buffer = Buffer::new();
        for notice in notices.inotify.read(&mut buffer) {
            self.take_notice(notice);
        }
    }

    /// Knotes on regular files have nothing to take: the wait that ended for it looks at them.
    fn take_notice(&mut self, notice: Notice) {
        let everyone = notice.happened.contains(Happened::LOST);
        let Some(notices) = &self.notices else { return };
        let mut place = 0;
        if everyone {
            let all: Vec<KnoteId> = notices.watches.values().flatten().copied().collect();
            return all.into_iter().for_each(|id| self.notice_vnode(id, notice));
        }
        while let Some(id) = self.concerned(notice.watch, place) {
            self.notice_vnode(id, notice);
            // A knote whose descriptor was closed has gone from the list.
            if self.concerned(notice.watch, place) == Some(id) {
                place += 1;
            }
        }
    }

    fn concerned(&self, watch: Watch, place: usize) -> Option<KnoteId> {
        self.notices.as_ref()?.watches.get(&watch)?.get(place).copied()
    }
}

fn explain(error: io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOTSUP) => Error::new(
            ErrorKind::Os(libc::ENOTSUP),
            "this system has no inotify, so that nothing but its own kqueue tells of files",
        ),
        _ => error.into(),
    }
}
