// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reactor
//!
//! kqueue's model on every OS. Changes to knotes go in, events come out. Closing a descriptor
//! removes its knotes. Without flags a knote is level-triggered: its event comes back for as long as
//! its condition holds.

use super::event::evl_event;
use super::guard::{count, guard, guard_in_signal, guard_new, guard_or};
use super::handle::{evl_reactor, shared, take};
use super::options::{self, SizeFirst};
use super::text::string;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor::{BackendKind, Event, Filter, Reactor};
use std::ffi::{c_char, c_int};
use std::time::Duration;

/// How a reactor is to be. Set `size` to sizeof(evl_options) and the rest to 0 for the defaults.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_options {
    /// sizeof(evl_options)
    pub size: libc::size_t,
    /// "kqueue", "epoll", "poll" or "select". NULL: what EVL_BACKEND says, else the best.
    pub backend: *const c_char,
}

// SAFETY: repr(C), size first, and any pointer is a valid value.
unsafe impl SizeFirst for evl_options {}

/// cbindgen:postfix=EVL_WARN_UNUSED
/// Makes a reactor. It belongs to this process: a child after fork() gets -EBADF from it. NULL
/// `options` are the defaults. NULL on failure: EMFILE, ENFILE, ENOMEM; EINVAL for an unknown
/// backend, ENOTSUP for one that this OS does not have. Owned: evl_close().
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_create(options: *const evl_options) -> *mut evl_reactor {
    guard_new(|| {
        // SAFETY: the caller gives NULL or options that are as large as they say.
        let options = unsafe { options::read(options) }?;
        // SAFETY: the caller gives NULL or a C string.
        let backend = unsafe { backend_kind(options.backend) }?;
        backend.map_or_else(Reactor::new, Reactor::with_backend).map(evl_reactor)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1, 2)
/// Makes one change, with EVL_ADD set. Errors: EBADF, EINVAL, ENOTSUP, ESRCH for a process; and by
/// limits EMFILE, ENFILE, ENOMEM, ENOSPC.
///
/// Thread: any, also while others wait: they see the change at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_add(reactor: *mut evl_reactor, change: *const evl_event) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
        let reactor = unsafe { shared(reactor) }?;
        // SAFETY: the caller gives NULL or one evl_event, which has Event's layout.
        let change = unsafe { shared(change.cast::<Event>()) }?;
        reactor.0.add(change).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Forgets the knote of that name and its pending event. ENOENT if there is none, EBADF if the
/// descriptor is not open.
///
/// Thread: any, also while others wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_delete(
    reactor: *mut evl_reactor,
    ident: usize,
    filter: c_int,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
        let reactor = unsafe { shared(reactor) }?;
        let filter = i16::try_from(filter).map_err(|_| Error::os(libc::EINVAL))?;
        reactor.0.delete(ident, Filter(filter)).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Makes `n` changes in their order. A change that fails, or that has EVL_RECEIPT, is answered with
/// an EVL_ERROR event in `receipts`, whose count is returned; the other changes are made all the
/// same. If there is no room for it, the call fails with the first failing change's error, after
/// all changes. `receipts` may be the array of the changes itself.
///
/// Thread: any, also while others wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_change(
    reactor: *mut evl_reactor,
    changes: *const evl_event,
    n: libc::size_t,
    receipts: *mut evl_event,
    capacity: libc::size_t,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
        let reactor = unsafe { shared(reactor) }?;
        // SAFETY: the caller gives NULL or `n` events, which nobody else writes to meanwhile.
        let changes = unsafe { events(changes, n) }?;
        // Two references may not overlap as two C arrays may.
        let overlap = overlap(changes, receipts, capacity);
        let copy = if overlap { changes.to_vec() } else { Vec::new() };
        let changes = if overlap { &copy } else { changes };
        // SAFETY: the caller gives NULL or room for `capacity` events; `changes` is elsewhere now.
        let receipts = unsafe { events_mut(receipts, capacity) }?;
        reactor.0.change(changes, receipts).map(count)
    })
}

/// cbindgen:postfix=EVL_WARN_UNUSED EVL_NONNULL(1)
/// Waits for events and returns how many it put into `events`: 0 when the time is over, and at once
/// when `capacity` is 0. `timeout_ns` is in nanoseconds: 0 only looks, -1 waits for ever. EINTR if a
/// signal handler ran.
///
/// Thread: any, several at once: an event goes to one of them if it has EVL_CLEAR, EVL_ONESHOT or
/// EVL_DISPATCH.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_wait(
    reactor: *mut evl_reactor,
    events: *mut evl_event,
    capacity: libc::size_t,
    timeout_ns: i64,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
        let reactor = unsafe { shared(reactor) }?;
        let timeout = match timeout_ns {
            -1 => None,
            ns => match u64::try_from(ns) {
                Ok(ns) => Some(Duration::from_nanos(ns)),
                Err(_) => return Err(Error::os(libc::EINVAL).context("timeout_ns below -1")),
            },
        };
        // SAFETY: the caller gives NULL or room for `capacity` events.
        let events = unsafe { events_mut(events, capacity) }?;
        reactor.0.wait(events, timeout).map(count)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Fires the EVL_USER knote of that number. ENOENT if there is none. Leaves evl_last_error().
///
/// Thread: any, signal handlers too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_trigger(reactor: *mut evl_reactor, ident: usize) -> c_int {
    guard_in_signal(|| {
        // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
        unsafe { shared(reactor) }?.0.trigger(ident).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// A descriptor that is readable while events are pending, to be watched by poll() or another
/// reactor. Borrowed until evl_close(): do not close it, do not read from it. ENOTSUP with the
/// backends poll and select.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_fd(reactor: *const evl_reactor) -> c_int {
    // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
    guard(|| unsafe { shared(reactor) }?.0.fd())
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// What the reactor runs on: "kqueue", "epoll", "poll" or "select". Borrowed for ever.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_backend(reactor: *const evl_reactor) -> *const c_char {
    // SAFETY: the caller gives NULL or a reactor that is not closed meanwhile.
    let kind = guard_or(None, || unsafe { shared(reactor) }.ok().map(|r| r.0.backend()));
    match kind {
        Some(BackendKind::Kqueue) => c"kqueue".as_ptr(),
        Some(BackendKind::Epoll) => c"epoll".as_ptr(),
        Some(BackendKind::Poll) => c"poll".as_ptr(),
        Some(BackendKind::Select) => c"select".as_ptr(),
        None => c"".as_ptr(),
    }
}

/// Frees a reactor and its knotes; what they watched stays open. NULL is allowed.
///
/// Thread: any, once no other uses the reactor.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_close(reactor: *mut evl_reactor) {
    // SAFETY: the caller gives NULL or what evl_create made, and does not use it again.
    guard_or((), || drop(unsafe { take(reactor) }));
}

/// The backend that a C string names; `None` for NULL.
///
/// # Safety
/// `name` is NULL or a C string.
pub(super) unsafe fn backend_kind(name: *const c_char) -> Result<Option<BackendKind>> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller promises a C string.
    let name = unsafe { string(name) }?;
    let unknown = || format!("there is no backend {name:?}: use kqueue, epoll, poll or select");
    let kind = name.parse().map_err(|()| Error::new(ErrorKind::Os(libc::EINVAL), unknown()))?;
    Ok(Some(kind))
}

/// The events at a pointer from C.
///
/// # Safety
/// `ptr` is NULL or points to `n` events that nobody writes to during the call.
unsafe fn events<'a>(ptr: *const evl_event, n: usize) -> Result<&'a [Event]> {
    match n {
        0 => Ok(&[]),
        _ if ptr.is_null() => Err(Error::os(libc::EFAULT)),
        _ if n > MOST_EVENTS => Err(Error::os(libc::EINVAL)),
        // SAFETY: not NULL, not beyond what can exist, and the caller promises that many.
        _ => Ok(unsafe { std::slice::from_raw_parts(ptr.cast(), n) }),
    }
}

/// The room for events at a pointer from C.
///
/// # Safety
/// `ptr` is NULL or points to room for `n` events that nobody else uses during the call.
unsafe fn events_mut<'a>(ptr: *mut evl_event, n: usize) -> Result<&'a mut [Event]> {
    match n.min(MOST_EVENTS) {
        0 => Ok(&mut []),
        _ if ptr.is_null() => Err(Error::os(libc::EFAULT)),
        // SAFETY: not NULL, not beyond what can exist, and the caller promises that much; every bit
        // pattern is an Event.
        n => Ok(unsafe { std::slice::from_raw_parts_mut(ptr.cast(), n) }),
    }
}

/// Whether the changes lie in the room for receipts.
fn overlap(changes: &[Event], receipts: *const evl_event, capacity: usize) -> bool {
    let from = receipts.addr();
    let to = from.saturating_add(capacity.saturating_mul(size_of::<Event>()));
    let changes = changes.as_ptr_range();
    changes.start.addr() < to && from < changes.end.addr()
}

/// More events than can be counted in the answer, or be in memory, are not looked at.
const MOST_EVENTS: usize = {
    let countable = c_int::MAX.cast_unsigned() as usize;
    let possible = isize::MAX.cast_unsigned() / size_of::<Event>();
    if countable < possible { countable } else { possible }
};
