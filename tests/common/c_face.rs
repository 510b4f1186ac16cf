// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C functions as a face of the conformance table.

#![allow(clippy::unwrap_used, reason = "support code of tests")]
#![allow(unsafe_code, reason = "the C face is called as C calls it")]

use crate::conformance::{Face, Outcome, Queue};
use evl::ffi;
use evl::reactor::{BackendKind, Event};
use std::ffi::{CString, c_int};
use std::os::fd::RawFd;

pub(crate) const FACE: Face = Face { name: "C", create, simulated: false, otherwise: &[] };

/// What `evl_create` made.
struct Handle(*mut ffi::evl_reactor);

// SAFETY: evl.h says of every function but evl_close() that any thread may call it.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

fn create(kind: BackendKind) -> Outcome<Box<dyn Queue>> {
    let name = CString::new(kind.name()).unwrap();
    let options = ffi::evl_options { size: size_of::<ffi::evl_options>(), backend: name.as_ptr() };
    // SAFETY: the options are as large as they say, and their text lives.
    let reactor = unsafe { ffi::evl_create(&raw const options) };
    if reactor.is_null() {
        return Err(-ffi::evl_last_error_code());
    }
    Ok(Box::new(Handle(reactor)))
}

/// A count, or the errno value of a failure.
fn outcome(result: c_int) -> Outcome<usize> {
    usize::try_from(result).map_err(|_| -result)
}

impl Queue for Handle {
    fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Outcome<usize> {
        let (changes_at, receipts_at) = (changes.as_ptr().cast(), receipts.as_mut_ptr().cast());
        // SAFETY: a live reactor, and arrays of the lengths given; an Event is an evl_event.
        outcome(unsafe {
            ffi::evl_change(self.0, changes_at, changes.len(), receipts_at, receipts.len())
        })
    }

    fn wait(&self, events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        let at = events.as_mut_ptr().cast();
        // SAFETY: a live reactor, and an array of the length given.
        outcome(unsafe { ffi::evl_wait(self.0, at, events.len(), timeout_ns) })
    }

    fn kevent_in_place(
        &self,
        array: &mut [Event],
        changes: usize,
        timeout_ns: i64,
    ) -> Outcome<usize> {
        let at = array.as_mut_ptr().cast();
        // SAFETY: a live reactor, and an array of the length given, which may be both.
        match outcome(unsafe { ffi::evl_change(self.0, at, changes, at, array.len()) })? {
            0 => self.wait(array, timeout_ns),
            records => Ok(records),
        }
    }

    fn trigger(&self, ident: usize) -> Outcome<()> {
        // SAFETY: a live reactor.
        outcome(unsafe { ffi::evl_trigger(self.0, ident) }).map(drop)
    }

    fn fd(&self) -> Outcome<RawFd> {
        // SAFETY: a live reactor.
        outcome(unsafe { ffi::evl_fd(self.0) }).map(|fd| RawFd::try_from(fd).unwrap())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by evl_create, and nobody has it any more.
        unsafe { ffi::evl_close(self.0) };
    }
}
