// SPDX-License-Identifier: MIT OR Apache-2.0
//! The poller over `poll(2)`.

use super::table::{Copy, Row, Table};
use super::{Batch, Interest, Outcome, Poller, Readiness, Ready, Registration};
use crate::Result;
use crate::reactor::backend::BackendKind;
use crate::sys::poll::{Events, PollFd, poll};
use std::os::fd::RawFd;

pub(in crate::reactor) struct Poll(Table);

impl Poller for Poll {
    const KIND: BackendKind = BackendKind::Poll;
    const IN_KERNEL: bool = false;
    const TELLS_ENDS: bool = true;
    type Batch = PollBatch;

    fn new() -> Result<Self> {
        Ok(Self(Table::default()))
    }

    fn set(&mut self, fd: RawFd, registration: Registration, known: bool) -> Result<Outcome> {
        self.0.set(fd, registration, known)
    }

    fn clear(&mut self, fd: RawFd) -> Outcome {
        self.0.clear(fd)
    }

    fn reset(&mut self) -> Result<Self> {
        Ok(Self(self.0.reset()))
    }

    fn names_same_file(&self, fd: RawFd) -> bool {
        self.0.names_same_file(fd)
    }

    fn prepare(&self, batch: &mut PollBatch, _room: usize) {
        if self.0.copy_to(&mut batch.copy) {
            batch.set.clear();
            batch.set.extend(batch.copy.rows.iter().map(to_poll_fd));
        }
    }

    fn fd(&mut self) -> Result<Option<RawFd>> {
        Ok(None)
    }
}

fn to_poll_fd(row: &Row) -> PollFd {
    PollFd::new(row.key.fd, to_events(row.interest))
}

/// The bits that poll(2) is to be asked for.
pub(in crate::reactor) fn to_events(interest: Interest) -> Events {
    let mut events = Events::empty();
    if interest.contains(Interest::READ) {
        events |= Events::IN | Events::RDHUP;
    }
    if interest.contains(Interest::WRITE) {
        events |= Events::OUT;
    }
    if interest.contains(Interest::URGENT) {
        events |= Events::PRI | Events::RDHUP;
    }
    events
}

#[derive(Default)]
pub(in crate::reactor) struct PollBatch {
    copy: Copy,
    set: Vec<PollFd>,
    any: bool,
}

impl Batch for PollBatch {
    fn wait(&mut self, timeout_ns: Option<u64>) -> Result<()> {
        self.any = false;
        self.any = poll(&mut self.set, timeout_ns)? != 0;
        Ok(())
    }

    fn ready(&self) -> impl Iterator<Item = Ready> {
        let rows = if self.any { self.copy.rows.as_slice() } else { &[] };
        rows.iter().zip(&self.set).filter(|(_, found)| !found.found().is_empty()).map(
            |(row, found)| {
                let same = row.is_same_file();
                let readiness = if same { found.found().into() } else { Readiness::GONE };
                Ready { key: row.key, readiness }
            },
        )
    }
}
