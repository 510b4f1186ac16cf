// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stands behind a reactor: kqueue's calls, whoever does the work.
//!
//! [`Emulated`](super::emulated::Emulated) follows kqueue's rules on top of a poller;
//! [`Kqueue`](super::kqueue::Kqueue) has a kernel that does most of it.

use super::event::Event;
use crate::Result;
use std::fmt;
use std::os::fd::RawFd;
use std::str::FromStr;
use std::time::Duration;

/// What a reactor waits with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// `kqueue(2)`: the BSDs and macOS. A wait costs what is ready.
    Kqueue,
    /// `epoll(7)`: Linux. A wait costs what is ready.
    Epoll,
    /// `poll(2)`: everywhere. A wait costs what is watched.
    Poll,
    /// `select(2)`: everywhere. A wait costs what is watched; descriptors below `FD_SETSIZE` only.
    Select,
}

impl BackendKind {
    /// All of them; the first that the system has is taken by default.
    pub const ALL: [Self; 4] = [Self::Kqueue, Self::Epoll, Self::Poll, Self::Select];

    /// The word for it, as in `EVL_BACKEND`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kqueue => "kqueue",
            Self::Epoll => "epoll",
            Self::Poll => "poll",
            Self::Select => "select",
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for BackendKind {
    type Err = ();

    fn from_str(word: &str) -> std::result::Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == word).ok_or(())
    }
}

/// kqueue's calls. Each may be made by any thread at any time.
pub(super) trait Backend: Send + Sync {
    /// Applies the changes. Records of failures and receipts go to `records`, from the beginning;
    /// returns how many. Where there is no room for a failure, it is the result.
    fn change(&self, changes: &[Event], records: &mut [Event]) -> Result<usize>;

    /// Waits until there is an event or the time is over, and fills `events` from the beginning.
    fn wait(&self, events: &mut [Event], timeout: Option<Duration>) -> Result<usize>;

    /// Forgets all knotes of a descriptor that its owner closes next.
    fn forget(&self, fd: RawFd);

    /// Triggers the user events of that number. Async-signal-safe.
    fn trigger(&self, ident: usize) -> Result<()>;

    /// A descriptor that is readable while events are pending.
    fn fd(&self) -> Result<RawFd>;
}
