// SPDX-License-Identifier: MIT OR Apache-2.0
//! The reactor's own descriptors, which the poller watches beside those of callers.

use super::poller::{Interest, Mode, Poller, Registration};
use super::state::State;
use crate::Result;
use std::os::fd::RawFd;

/// The generation of the reactor's own descriptors; those of callers begin after it.
pub(super) const INTERNAL: u32 = 0;

/// How the reactor's own descriptors are registered.
pub(super) const OWN: Registration =
    Registration { interest: Interest::READ, mode: Mode::Level, generation: INTERNAL };

impl<P: Poller> State<P> {
    /// Has the poller watch a descriptor of the reactor's own.
    pub(super) fn watch_internal(&mut self, fd: RawFd) -> Result<()> {
        // Knotes under the number are of a file that it named before.
        self.vanish(fd);
        self.poller.set(fd, OWN, false)?;
        self.internals.push(fd);
        self.note_set_change();
        Ok(())
    }

    /// Undoes [`State::watch_internal`].
    pub(super) fn unwatch_internal(&mut self, fd: RawFd) {
        self.poller.clear(fd);
        self.internals.retain(|own| *own != fd);
        self.note_set_change();
    }

    /// One of the reactor's own descriptors is ready.
    pub(super) fn report_internal(&mut self, fd: RawFd) {
        if fd == self.wake_fd {
            self.woken = true;
            return;
        }
        self.signals.heard |= self.signals.fd() == Some(fd);
        if let Some(notices) = &mut self.notices
            && notices.fd() == fd
        {
            notices.unread = true;
        }
        self.process_ended(fd);
    }
}
