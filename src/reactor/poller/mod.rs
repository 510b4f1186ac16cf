// SPDX-License-Identifier: MIT OR Apache-2.0
//! Readiness of descriptors from the kernel: what `epoll`, `poll` and `select` have in common. A poller
//! knows nothing of knotes and their rules.

pub(super) mod epoll;
pub(super) mod poll;
pub(super) mod select;
mod table;

use super::backend::BackendKind;
use crate::Result;
use bitflags::bitflags;
use std::os::fd::RawFd;

bitflags! {
    /// What to watch a descriptor for. Errors and hang-ups are always reported.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Interest: u8 {
        const READ = 1;
        const WRITE = 2;
        /// Urgent data, and the end of the other side.
        const URGENT = 4;
    }
}

bitflags! {
    /// What a descriptor was found to be.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub(super) struct Readiness: u8 {
        const READ = 0x01;
        const WRITE = 0x02;
        /// The other side will send no more.
        const READ_EOF = 0x04;
        /// Nobody will take what is written.
        const HANGUP = 0x08;
        /// An error waits to be asked for.
        const ERROR = 0x10;
        /// The number does not name the file any more that it named when it was set.
        const GONE = 0x20;
        /// Urgent data waits.
        const URGENT = 0x40;
        /// Everything written has been sent. No poller tells this.
        const DRAINED = 0x80;
    }
}

impl From<crate::sys::poll::Events> for Readiness {
    fn from(found: crate::sys::poll::Events) -> Self {
        use crate::sys::poll::Events;
        let pairs = [
            (Events::IN, Self::READ),
            (Events::OUT, Self::WRITE),
            (Events::RDHUP, Self::READ_EOF),
            (Events::HUP, Self::HANGUP),
            (Events::ERR, Self::ERROR),
            (Events::NVAL, Self::GONE),
            (Events::PRI, Self::URGENT),
        ];
        pairs.iter().filter(|pair| found.intersects(pair.0)).map(|pair| pair.1).collect()
    }
}

/// How often the kernel reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// As long as the descriptor is ready.
    Level,
    /// Each time that it becomes ready, and when it is set.
    Edge,
    /// Once, until it is set again.
    Once,
    /// As long as the descriptor is ready; of several sets that it is in, at least one is told when it
    /// becomes so, not all.
    Exclusive,
}

/// Names a registration. Each time that a descriptor is set it gets another generation, so that what
/// another thread was told before, of this file or of a predecessor under the same number, is not
/// believed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) fd: RawFd,
    pub(super) generation: u32,
}

/// A registration and what it was found to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) key: Key,
    pub(super) readiness: Readiness,
}

/// How to register a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) interest: Interest,
    pub(super) mode: Mode,
    pub(super) generation: u32,
}

/// What became of [`Poller::set`] and [`Poller::clear`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done,
    /// The number names another file than the one that was registered, or none: nothing was done. The
    /// old registration may go on reporting if its file is still open elsewhere.
    Stale,
}

/// A set of descriptors to wait for.
pub(super) trait Poller: Send + Sized {
    /// Which it is.
    const KIND: BackendKind;
    /// Whether the kernel keeps the set: it then tells edges (the modes other than level are available),
    /// and a thread that waits already sees each change. If not, only [`Mode::Level`] is to be set.
    const IN_KERNEL: bool;
    /// Whether it tells of the other side's end also where only [`Interest::URGENT`] was asked for.
    const TELLS_ENDS: bool;

    /// What one thread needs to wait.
    type Batch: Batch;

    /// An empty set; `ENOTSUP` where the system does not have it.
    fn new() -> Result<Self>;

    /// Registers a descriptor, or changes a registration that is `known`. `EBADF`; `EPERM`: not a file
    /// that one can wait for; `EINVAL`: does not fit this poller.
    fn set(&mut self, fd: RawFd, registration: Registration, known: bool) -> Result<Outcome>;

    /// Forgets a registration.
    fn clear(&mut self, fd: RawFd) -> Outcome;

    /// Forgets all registrations, those that could not be cleared too. What is returned knows them
    /// still, for [`Poller::names_same_file`].
    fn reset(&mut self) -> Result<Self>;

    /// Whether a registered number still names the file that it named then.
    fn names_same_file(&self, fd: RawFd) -> bool;

    /// Makes a batch ready to wait for what is registered now, and for `room` reports at once.
    fn prepare(&self, batch: &mut Self::Batch, room: usize);

    /// A descriptor that is readable when something in the set is ready, the same one at any time, also
    /// after [`Poller::reset`]; `None` where the kernel keeps no set.
    fn fd(&mut self) -> Result<Option<RawFd>>;
}

/// One thread's wait on a poller, apart from it, so that no lock is held.
pub(super) trait Batch: Default + Send {
    /// Waits until something is ready or the time is over. `EINTR`.
    fn wait(&mut self, timeout_ns: Option<u64>) -> Result<()>;

    /// What the last wait found.
    fn ready(&self) -> impl Iterator<Item = Ready>;
}
