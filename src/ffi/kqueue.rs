// SPDX-License-Identifier: MIT OR Apache-2.0
//! BSD's kqueue
//!
//! What <sys/event.h> of evl-kqueue stands on: kqueue(2) and kevent(2) for Linux, with a
//! descriptor for a queue. Programs include that header and link evl-kqueue; these functions are for
//! those who bind kqueue to another language, or who may not define its names.

use super::guard::{count, guard, guard_in_signal};
use super::kqueue_numbers::{self as numbers, EV_ERROR};
use super::kqueue_queues::{self as queues, Queue};
use crate::error::{Error, Result};
use crate::reactor::{Event, Filter, Flags, note};
use crate::sys::{clock, failure, fd, process, signal};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::time::Duration;

/// A change or an event: struct kevent of <sys/event.h>, whose numbers it has.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_bsd_event {
    /// Descriptor, process, signal, or number of a timer or user event.
    pub ident: usize,
    /// One of EVFILT_...
    pub filter: i16,
    /// Some of EV_...
    pub flags: u16,
    /// Some of the filter's NOTE_...
    pub fflags: u32,
    /// The filter's number.
    pub data: isize,
    /// Yours: comes back with each event.
    pub udata: *mut c_void,
}

/// Makes a queue and gives its descriptor: poll() finds it readable while there are events, and
/// close() frees the queue. `flags`: O_CLOEXEC; O_NONBLOCK, which means nothing. Errors: EMFILE, ENFILE, ENOMEM, EINVAL;
/// ENOTSUP on an OS without epoll.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn evl_kqueue(flags: c_int) -> c_int {
    guard(|| {
        if flags & !(libc::O_CLOEXEC | libc::O_NONBLOCK) != 0 {
            return Err(Error::invalid("evl_kqueue: flags may be O_CLOEXEC and O_NONBLOCK"));
        }
        queues::create(flags & libc::O_CLOEXEC != 0)
    })
}

/// kevent(2), but for the time-out, which is in nanoseconds, -1 for ever, and for failures, which
/// are returned. The changes are made first. Each that fails, or has EV_RECEIPT, is answered with an
/// EV_ERROR event, and if there were such, only they are returned. `events` may be the array of the
/// changes itself.
///
/// Thread: any, several at once. Where one closes `kq` while others wait, they get EBADF within a
/// quarter of a second.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_kevent(
    kq: c_int,
    changes: *const evl_bsd_event,
    nchanges: c_int,
    events: *mut evl_bsd_event,
    nevents: c_int,
    timeout_ns: i64,
) -> c_int {
    guard(|| {
        let queue = queues::find(kq)?;
        let changes_count = length(changes, nchanges)?;
        let room = length(events, nevents)?;
        let timeout = match timeout_ns {
            -1 => None,
            ns => Some(u64::try_from(ns).map_err(|_| Error::os(libc::EINVAL))?),
        };
        // SAFETY: the caller gives that many changes and room for that many events.
        let records = unsafe { change(&queue, changes, changes_count, events, room) }?;
        if records > 0 || room == 0 {
            return Ok(count(records));
        }
        let room = room.min(MOST_EVENTS);
        let mut found = SCRATCH.take();
        found.resize(found.len().max(room), Event::default());
        let result = wait(&queue, kq, &mut found[..room], timeout);
        for (index, event) in found.iter().take(*result.as_ref().unwrap_or(&0)).enumerate() {
            // SAFETY: there are at most `room` events.
            unsafe { events.add(index).write(numbers::from_event(&complete(event))) };
        }
        SCRATCH.set(found);
        result.map(count)
    })
}

/// sigaction(2), both with a struct sigaction or NULL, for a program whose own calls of it are led here, as
/// evl-kqueue does: the action of a signal that a queue counts is done beside the counting, from now
/// on, and the program never sees that there is another. Errors: EINVAL.
///
/// Thread: any, signal handlers too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_sigaction(
    signal: c_int,
    action: *const c_void,
    old_action: *mut c_void,
) -> c_int {
    guard_in_signal(|| {
        // SAFETY: NULL, or the caller's struct sigaction, which nobody changes during the call.
        let action = unsafe { action.cast::<libc::sigaction>().as_ref() };
        let old = signal::set_action(signal, action)?;
        if !old_action.is_null() {
            // SAFETY: the caller has room there for a struct sigaction.
            unsafe { old_action.cast::<libc::sigaction>().write(old) };
        }
        Ok(0)
    })
}

/// So many events come at once at most; the rest with the next call.
const MOST_EVENTS: usize = 4096;

/// How long a wait lasts before it looks whether another thread has closed the queue.
const CLOSED_CHECK_NS: u64 = 200_000_000;

thread_local! {
    /// The last call's room for events, so that not every call allocates.
    static SCRATCH: Cell<Vec<Event>> = const { Cell::new(Vec::new()) };
}

/// The length of an array.
fn length(array: *const evl_bsd_event, n: c_int) -> Result<usize> {
    match usize::try_from(n) {
        Ok(n) if n > 0 && array.is_null() => Err(Error::os(libc::EFAULT)),
        Ok(n) => Ok(n),
        Err(_) => Err(Error::os(libc::EINVAL)),
    }
}

/// Makes the changes. Failures and receipts are answered by records while there is room; returns how
/// many. Without room for some failure, the first is the result.
///
/// # Safety
/// There are `n` changes and room for `room` records. A record stands nowhere behind the change that
/// it answers, so both may be one array.
unsafe fn change(
    queue: &Queue,
    changes: *const evl_bsd_event,
    n: usize,
    records: *mut evl_bsd_event,
    room: usize,
) -> Result<usize> {
    let mut count = 0;
    let mut first_failure = None;
    let mut unanswered = false;
    for index in 0..n {
        // SAFETY: the caller gives `n` changes.
        let change = unsafe { changes.add(index).read() };
        let event = numbers::to_event(&change);
        let receipt = event.as_ref().is_ok_and(|event| event.flags.contains(Flags::RECEIPT));
        let result = event.and_then(|event| apply(queue, &event));
        if result.is_ok() && !receipt {
            continue;
        }
        if count < room {
            let errno = result.as_ref().err().map_or(0, |error| error.errno().unwrap_or(libc::EIO));
            let data = isize::try_from(errno).unwrap_or(0);
            let record = evl_bsd_event { flags: change.flags | EV_ERROR, data, ..change };
            // SAFETY: the caller gives room for more than `count` records.
            unsafe { records.add(count).write(record) };
            count += 1;
        } else {
            unanswered |= result.is_err();
        }
        first_failure = first_failure.or(result.err());
    }
    match first_failure {
        Some(failure) if unanswered => Err(failure),
        _ => Ok(count),
    }
}

/// Makes a change. ENABLE of a timer that gives a time restarts it, as macOS has it.
fn apply(queue: &Queue, event: &Event) -> Result<()> {
    let mut event = *event;
    let enables = event.flags.contains(Flags::ENABLE) && !event.flags.contains(Flags::ADD);
    if event.filter == Filter::TIMER && enables && event.data != 0 {
        event.fflags |= note::RESTART;
    }
    let result = queue.reactor.change(&[event], &mut []).map(drop);
    result.map_err(|error| match RawFd::try_from(event.ident) {
        Ok(fd) if error.errno() == Some(libc::ELOOP) && queue.is_at(fd) => {
            Error::invalid("a queue cannot watch itself")
        }
        _ => error,
    })
}

/// Waits for events, at most `timeout` nanoseconds; `None`: for ever. `EBADF` if `kq` is closed meanwhile.
fn wait(queue: &Queue, kq: RawFd, events: &mut [Event], timeout: Option<u64>) -> Result<usize> {
    let brief = timeout.is_some_and(|ns| ns <= CLOSED_CHECK_NS);
    if brief || process::is_single_threaded() {
        return queue.reactor.wait(events, timeout.map(Duration::from_nanos));
    }
    let end = timeout.map(|ns| clock::monotonic_ns().saturating_add(ns));
    loop {
        let left = end.map(|end| end.saturating_sub(clock::monotonic_ns()));
        let slice = left.unwrap_or(u64::MAX).min(CLOSED_CHECK_NS);
        let count = queue.reactor.wait(events, Some(Duration::from_nanos(slice)))?;
        if count > 0 || left == Some(slice) {
            return Ok(count);
        }
        if !queue.is_at(kq) {
            return Err(Error::os(libc::EBADF));
        }
    }
}

/// An event with what the reactor leaves out because it costs a system call.
fn complete(event: &Event) -> Event {
    let mut event = *event;
    let Ok(fd) = RawFd::try_from(event.ident) else { return event };
    if event.flags.intersects(Flags::DELETE | Flags::VANISHED) {
        // The last record of a knote, whose number may be another file's.
        return event;
    }
    let ended = event.flags.contains(Flags::EOF);
    match event.filter {
        Filter::READ if event.data == 0 => {
            event.data = fd::readable(fd).count();
            if event.data == 0 && !ended && queues::find(fd).is_ok() {
                event.data = 1;
            }
        }
        Filter::WRITE if event.data == 0 && !ended => event.data = fd::writable_bytes(fd),
        Filter::READ | Filter::WRITE | Filter::EXCEPT => {}
        _ => return event,
    }
    if ended && event.fflags == 0 {
        event.fflags = failure::pending_error(fd).cast_unsigned();
    }
    event
}
