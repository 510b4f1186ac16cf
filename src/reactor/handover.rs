// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deferred deletion, by the same rule on every backend.
//!
//! The event of a knote with DISPATCH and UDATA_SPECIFIC is with one thread, which may be using what
//! `udata` stands for. A deletion by another thread waits until that one enables the knote again, and
//! gives it the record by which it knows that it is the last one to hold it.

use super::event::{Event, Flags};
use crate::error::ErrorKind;
use crate::{Error, Result};

/// The flags of a knote whose event one thread handles at a time.
const EXCLUSIVE: Flags = Flags::DISPATCH.union(Flags::UDATA_SPECIFIC);

/// Where the event of a knote with DISPATCH is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Handover {
    #[default]
    None,
    /// With a thread, until that enables the knote again.
    Delivered,
    /// As before, and the knote is to be deleted then.
    Deleted,
}

impl Handover {
    /// Puts the deletion of a knote with these flags off if its event is with a thread: `EINPROGRESS`.
    pub(super) fn defer(&mut self, flags: Flags, delete: &Event) -> Result<()> {
        let at_once = *self == Self::None || delete.flags.contains(Flags::ENABLE);
        if at_once || !flags.contains(EXCLUSIVE) {
            return Ok(());
        }
        *self = Self::Deleted;
        let why = "a thread handles the knote's event: it is deleted once enabled again";
        Err(Error::new(ErrorKind::Os(libc::EINPROGRESS), why))
    }

    /// The thread gives the knote back if the change enables it. `true`: it was deleted meanwhile.
    pub(super) fn take_back(&mut self, change: &Event) -> bool {
        let enables = change.flags.intersects(Flags::ENABLE | Flags::ADD)
            && !change.flags.contains(Flags::DISABLE);
        enables && std::mem::take(self) == Self::Deleted
    }
}

/// What is told of a knote that has gone: DELETE or VANISHED.
pub(super) fn last_record(record: Event, flag: Flags) -> Event {
    Event { flags: record.flags | flag | Flags::ONESHOT, fflags: 0, data: 0, ..record }
}
