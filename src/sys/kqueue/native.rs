// SPDX-License-Identifier: MIT OR Apache-2.0
//! The system's own kqueue.

use super::dialect::Dialect;
use super::{BATCH, Kernel, Record};
use crate::sys::{clock, fd::check, fork};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr;

/// Whether this system has kqueue.
pub(crate) const AVAILABLE: bool = true;

/// Some systems refuse longer waits (`EINVAL`).
const LONGEST_WAIT_NS: u64 = 24 * 3_600 * 1_000_000_000;

/// A kernel's event queue.
#[derive(Debug)]
pub(crate) struct Queue {
    fd: RawFd,
    generation: u32,
}

impl Drop for Queue {
    /// A forked child does not inherit the descriptor (kqueue(2)): there its number is another's.
    fn drop(&mut self) {
        if fork::current_generation() == self.generation {
            // SAFETY: the descriptor is this queue's and nobody uses it any more.
            unsafe { libc::close(self.fd) };
        }
    }
}

impl Kernel for Queue {
    fn new() -> io::Result<Self> {
        let generation = fork::generation();
        // SAFETY: no arguments.
        let queue = Self { fd: check(unsafe { libc::kqueue() })?, generation };
        // SAFETY: F_SETFD takes an int.
        check(unsafe { libc::fcntl(queue.fd, libc::F_SETFD, libc::FD_CLOEXEC) })?;
        Ok(queue)
    }

    fn dialect(&self) -> &'static Dialect {
        &OWN
    }

    fn kevent(
        &self,
        changes: &[Record],
        events: &mut [Record],
        timeout_ns: Option<u64>,
    ) -> io::Result<usize> {
        let mut input = [const { MaybeUninit::<libc::kevent>::uninit() }; BATCH];
        let mut output = input;
        let time =
            clock::timespec(timeout_ns.map_or(LONGEST_WAIT_NS, |ns| ns.min(LONGEST_WAIT_NS)));
        let changes = changes.get(..BATCH).unwrap_or(changes);
        for (place, change) in input.iter_mut().zip(changes) {
            place.write(to_native(change));
        }
        // SAFETY: as many changes as are told were written above, there is room for as many events as
        // are told, and the time lives until the call returns.
        let count = check(unsafe {
            libc::kevent(
                self.fd,
                input.as_ptr().cast(),
                length(changes.len()),
                output.as_mut_ptr().cast(),
                length(events.len().min(BATCH)),
                &raw const time,
            )
        })?;
        let count = usize::try_from(count).unwrap_or(0);
        for (place, event) in events.iter_mut().zip(&output).take(count) {
            // SAFETY: the call filled the first `count`.
            *place = from_native(unsafe { event.assume_init_ref() });
        }
        Ok(count)
    }

    fn fd(&self) -> RawFd {
        self.fd
    }
}

/// kevent's counts are int, but size_t on NetBSD.
#[cfg(not(target_os = "netbsd"))]
fn length(count: usize) -> libc::c_int {
    libc::c_int::try_from(count).unwrap_or(0)
}

/// kevent's counts are int, but size_t on NetBSD.
#[cfg(target_os = "netbsd")]
const fn length(count: usize) -> libc::size_t {
    count
}

#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "the fields' types are different on each system"
)]
fn to_native(record: &Record) -> libc::kevent {
    // SAFETY: for each field zero is a valid value; some systems have more than are set here.
    let mut native: libc::kevent = unsafe { MaybeUninit::zeroed().assume_init() };
    native.ident = record.ident;
    native.filter = record.filter.try_into().unwrap_or_default();
    native.flags = record.flags.try_into().unwrap_or_default();
    native.fflags = record.fflags;
    native.data = record.data.try_into().unwrap_or(isize::MAX as _);
    native.udata = ptr::without_provenance_mut(record.udata);
    native
}

#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_fallible_conversions,
    reason = "the fields' types are different on each system"
)]
fn from_native(native: &libc::kevent) -> Record {
    Record {
        ident: native.ident,
        filter: native.filter.try_into().unwrap_or_default(),
        flags: native.flags.into(),
        fflags: native.fflags,
        data: native.data.try_into().unwrap_or(i64::MAX),
        udata: native.udata.addr(),
    }
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
use super::dialect::MACOS as OWN;

#[cfg(target_os = "freebsd")]
use super::dialect::FREEBSD as OWN;

#[cfg(target_os = "dragonfly")]
use super::dialect::DRAGONFLY as OWN;

#[cfg(target_os = "openbsd")]
use super::dialect::OPENBSD as OWN;

#[cfg(target_os = "netbsd")]
use super::dialect::NETBSD as OWN;

/// What the C library's headers say of the numbers that they have. A number is compared as its type has
/// it on each system: that some casts do nothing, and others change a sign, is meant.
#[allow(
    clippy::cast_lossless,
    clippy::cast_possible_wrap,
    clippy::unnecessary_cast,
    reason = "the constants' types are different on each system"
)]
const _: () = {
    use super::{ev, note};
    assert!(libc::EV_ADD as u32 == ev::ADD && libc::EV_DELETE as u32 == ev::DELETE);
    assert!(libc::EV_ENABLE as u32 == ev::ENABLE && libc::EV_DISABLE as u32 == ev::DISABLE);
    assert!(libc::EV_ONESHOT as u32 == ev::ONESHOT && libc::EV_CLEAR as u32 == ev::CLEAR);
    assert!(libc::EV_DISPATCH as u32 == ev::DISPATCH && libc::EV_EOF as u32 == ev::EOF);
    assert!(libc::EVFILT_READ as i32 == OWN.read && libc::EVFILT_WRITE as i32 == OWN.write);
    assert!(libc::EVFILT_VNODE as i32 == OWN.vnode && libc::EVFILT_PROC as i32 == OWN.proc);
    assert!(libc::EVFILT_SIGNAL as i32 == OWN.signal && libc::EVFILT_TIMER as i32 == OWN.timer);
    assert!(libc::EVFILT_USER as i32 == OWN.user && libc::NOTE_TRIGGER == note::TRIGGER);
    assert!(libc::NOTE_LOWAT == note::LOWAT && libc::NOTE_DELETE == note::DELETE);
    assert!(libc::NOTE_WRITE == note::WRITE && libc::NOTE_EXTEND == note::EXTEND);
    assert!(libc::NOTE_ATTRIB == note::ATTRIB && libc::NOTE_LINK == note::LINK);
    assert!(libc::NOTE_RENAME == note::RENAME && libc::NOTE_REVOKE == note::REVOKE);
    assert!(libc::NOTE_EXIT == note::EXIT && libc::NOTE_FORK == note::FORK);
    assert!(libc::NOTE_EXEC == note::EXEC);
};

#[cfg(any(target_os = "macos", target_os = "ios"))]
const _: () = {
    assert!(is(OWN.nanoseconds, libc::NOTE_NSECONDS) && is(OWN.funlock, libc::NOTE_FUNLOCK));
    assert!(is(OWN.process_signal, libc::NOTE_SIGNAL) && OWN.oob == libc::NOTE_OOB);
    assert!(OWN.exit_status == libc::NOTE_EXITSTATUS);
};

#[cfg(target_os = "freebsd")]
const _: () = {
    assert!(is(OWN.nanoseconds, libc::NOTE_NSECONDS) && is(OWN.open, libc::NOTE_OPEN));
    assert!(is(OWN.close, libc::NOTE_CLOSE) && is(OWN.close_write, libc::NOTE_CLOSE_WRITE));
    assert!(is(OWN.read_file, libc::NOTE_READ));
};

#[cfg(any(target_os = "macos", target_os = "ios", target_os = "dragonfly", target_os = "openbsd"))]
const _: () = assert!(has(OWN.except, libc::EVFILT_EXCEPT as i32));

#[cfg(any(target_os = "dragonfly", target_os = "openbsd"))]
const _: () = assert!(OWN.oob == libc::NOTE_OOB);

#[cfg(any(target_os = "freebsd", target_os = "netbsd"))]
#[allow(clippy::cast_possible_wrap, clippy::cast_lossless, reason = "as above")]
const _: () = assert!(has(OWN.empty, libc::EVFILT_EMPTY as i32));

#[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
const fn is(number: Option<u32>, expected: u32) -> bool {
    matches!(number, Some(number) if number == expected)
}

const fn has(filter: Option<i32>, expected: i32) -> bool {
    matches!(filter, Some(filter) if filter == expected)
}
