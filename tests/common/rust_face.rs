// SPDX-License-Identifier: MIT OR Apache-2.0
//! The Rust API as a face of the conformance table.

#![allow(clippy::unwrap_used, reason = "support code of tests")]

use crate::conformance::{Face, Outcome, Queue};
use evl::Error;
use evl::reactor::{BackendKind, Event, Reactor};
use std::os::fd::RawFd;
use std::time::Duration;

pub(crate) const FACE: Face = Face { name: "Rust", create, simulated: false, otherwise: &[] };

fn create(kind: BackendKind) -> Outcome<Box<dyn Queue>> {
    match Reactor::with_backend(kind) {
        Ok(reactor) => Ok(Box::new(reactor)),
        Err(error) => Err(errno(error)),
    }
}

fn errno(error: Error) -> i32 {
    error.errno().unwrap()
}

impl Queue for Reactor {
    fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Outcome<usize> {
        self.change(changes, receipts).map_err(errno)
    }

    fn wait(&self, events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        self.wait(events, timeout).map_err(errno)
    }

    fn kevent(&self, changes: &[Event], events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        self.kevent(changes, events, timeout).map_err(errno)
    }

    fn trigger(&self, ident: usize) -> Outcome<()> {
        self.trigger(ident).map_err(errno)
    }

    fn fd(&self) -> Outcome<RawFd> {
        self.fd().map_err(errno)
    }
}
