// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happens to files: one inotify instance for all of a queue, and which knotes each of its watches
//! concerns.
//!
//! A file has one watch, however many descriptors and knotes there are for it; the watch tells of
//! everything that one of them wants, and ends with the last of them.

use super::knote::KnoteId;
use super::poller::Poller;
use super::state::State;
use crate::Result;
use crate::sys::inotify::{Buffer, Happened, Inotify, Watch};
use std::collections::HashMap;
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
        if self.notices.is_none() {
            let inotify = Inotify::new()?;
            self.watch_internal(inotify.fd())?;
            self.notices = Some(Notices { inotify, watches: HashMap::new(), unread: false });
        }
        let Some(notices) = &mut self.notices else { return Err(crate::Error::os(libc::ENOTSUP)) };
        let watch = notices.inotify.add(fd, wanted)?;
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
        // Knotes on regular files are looked at anyway: the notice has woken the thread for that.
        notices.inotify.read(&mut buffer).for_each(drop);
    }
}
