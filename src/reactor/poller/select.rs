// SPDX-License-Identifier: MIT OR Apache-2.0
//! The poller over `select(2)`. It tells that a descriptor is ready but not of what kind its end is, so
//! what select finds is looked at with `poll(2)`.

use super::poll::to_events;
use super::table::{Copy, Table};
use super::{Batch, Interest, Outcome, Poller, Readiness, Ready, Registration};
use crate::error::ErrorKind;
use crate::reactor::backend::BackendKind;
use crate::sys::poll::look;
use crate::sys::select::{FdSet, SET_SIZE, Sets, select};
use crate::{Error, Result};
use std::os::fd::RawFd;

pub(in crate::reactor) struct Select(Table);

impl Poller for Select {
    const KIND: BackendKind = BackendKind::Select;
    const IN_KERNEL: bool = false;
    const TELLS_ENDS: bool = false;
    type Batch = SelectBatch;

    fn new() -> Result<Self> {
        Ok(Self(Table::default()))
    }

    fn set(&mut self, fd: RawFd, registration: Registration, known: bool) -> Result<Outcome> {
        if fd >= 0 && !FdSet::fits(fd) {
            let message = format!(
                "backend select: descriptor {fd} does not fit a set of FD_SETSIZE = {SET_SIZE}; \
                 use the backend poll"
            );
            return Err(Error::new(ErrorKind::Os(libc::EINVAL), message));
        }
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

    fn prepare(&self, batch: &mut SelectBatch, _room: usize) {
        if !self.0.copy_to(&mut batch.copy) {
            return;
        }
        (batch.wanted, batch.limit) = (Sets::default(), 0);
        for row in &batch.copy.rows {
            if row.interest.contains(Interest::READ) {
                batch.wanted.read.insert(row.key.fd);
            }
            if row.interest.contains(Interest::WRITE) {
                batch.wanted.write.insert(row.key.fd);
            }
            if row.interest.contains(Interest::URGENT) {
                batch.wanted.urgent.insert(row.key.fd);
            }
            batch.limit = batch.limit.max(row.key.fd + 1);
        }
    }

    fn fd(&mut self) -> Result<Option<RawFd>> {
        Ok(None)
    }
}

#[derive(Default)]
pub(in crate::reactor) struct SelectBatch {
    copy: Copy,
    wanted: Sets,
    limit: RawFd,
    answer: Answer,
    ready: Sets,
}

/// What select answered.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Answer {
    #[default]
    Nothing,
    /// See the ready sets.
    Ready,
    /// At least one descriptor is closed: select does not tell which.
    Closed,
}

impl SelectBatch {
    fn concerns(&self, fd: RawFd) -> bool {
        match self.answer {
            Answer::Nothing => false,
            Answer::Ready => self.ready.contains(fd),
            Answer::Closed => true,
        }
    }
}

impl Batch for SelectBatch {
    fn wait(&mut self, timeout_ns: Option<u64>) -> Result<()> {
        self.answer = Answer::Nothing;
        self.ready = self.wanted;
        self.answer = match select(self.limit, &mut self.ready, timeout_ns) {
            Ok(0) => Answer::Nothing,
            Ok(_) => Answer::Ready,
            Err(error) if error.raw_os_error() == Some(libc::EBADF) => Answer::Closed,
            Err(error) => return Err(error.into()),
        };
        Ok(())
    }

    fn ready(&self) -> impl Iterator<Item = Ready> {
        let any = self.answer != Answer::Nothing;
        let rows = if any { self.copy.rows.as_slice() } else { &[] };
        rows.iter().filter(|row| self.concerns(row.key.fd)).filter_map(|row| {
            let readiness = if row.is_same_file() {
                look(row.key.fd, to_events(row.interest)).into()
            } else {
                Readiness::GONE
            };
            (!readiness.is_empty()).then_some(Ready { key: row.key, readiness })
        })
    }
}
