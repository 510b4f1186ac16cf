// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events
//!
//! A *knote* watches one condition. It is named by (ident, filter), or by (ident, filter, udata) if
//! it was added with EVL_UDATA_SPECIFIC. One struct goes both ways: as a change to a knote, and as
//! the event that it had.

use crate::reactor::Event;
use std::ffi::c_void;
use std::mem::offset_of;

/// What a knote watches: evl_event's `filter`.
#[repr(C)]
pub enum evl_filter {
    /// `ident` is a descriptor: bytes to read, a connection to accept, or the end of either.
    EVL_READ = 1,
    /// `ident` is a descriptor: room to write, or nobody left to read it.
    EVL_WRITE = 2,
    /// `ident` is a descriptor: urgent data, or the end of the other side.
    EVL_EXCEPT = 3,
    /// `ident` is any number: time has passed, `data` is how often since last told.
    EVL_TIMER = 4,
    /// `ident` is a signal: it was delivered to the process, `data` is how often since last told. What
    /// the program does at it is done all the same.
    EVL_SIGNAL = 5,
    /// `ident` is a process: it has ended.
    EVL_PROC = 6,
    /// `ident` is a descriptor: its file or directory changed.
    EVL_VNODE = 7,
    /// `ident` is any number: the program called evl_trigger().
    EVL_USER = 8,
    /// `ident` is a socket, terminal or pipe: everything written has been taken. Told up to ten
    /// milliseconds late, as no OS but FreeBSD announces it.
    EVL_EMPTY = 9,
    /// An asynchronous operation has ended. ENOTSUP everywhere, as the next three: evl_last_error() says
    /// why, and what to use instead.
    EVL_AIO = 10,
    /// A message came to a Mach port.
    EVL_MACHPORT = 11,
    /// A file system was mounted or unmounted.
    EVL_FS = 12,
    /// The process of a descriptor changed.
    EVL_PROCDESC = 13,
}

/// What to do with a knote, or what happened to it: evl_event's `flags`.
#[repr(C)]
pub enum evl_flag {
    /// Create the knote, or change the parameters of the one that exists. Enables it, too.
    EVL_ADD = 1 << 0,
    /// Forget the knote and its pending event.
    EVL_DELETE = 1 << 1,
    /// Deliver its events (again).
    EVL_ENABLE = 1 << 2,
    /// Keep watching, but do not deliver.
    EVL_DISABLE = 1 << 3,
    /// Deliver once, then delete.
    EVL_ONESHOT = 1 << 4,
    /// Edge-triggered: told again on a new transition only. Read or write until EAGAIN.
    EVL_CLEAR = 1 << 5,
    /// Disable at delivery; EVL_ENABLE re-arms.
    EVL_DISPATCH = 1 << 6,
    /// Answer this change with an EVL_ERROR event, `data` 0 if it succeeded.
    EVL_RECEIPT = 1 << 7,
    /// `udata` is part of the knote's name.
    EVL_UDATA_SPECIFIC = 1 << 8,
    /// Leave the knote's `udata` as it is.
    EVL_KEEPUDATA = 1 << 9,
    /// Say so once if the descriptor vanishes.
    EVL_VANISHED = 1 << 10,
    /// READ: urgent data is news, too. Out: urgent data is waiting.
    EVL_OOBAND = 1 << 11,
    /// Out: the other side shut down; data may still be readable. `fflags` is 0, or with EVL_NOTE_DATA
    /// the socket's error.
    EVL_EOF = 1 << 12,
    /// Out: the change failed and `data` is the errno value, or it is a receipt and `data` is 0.
    EVL_ERROR = 1 << 13,
}

/// READ, WRITE and EXCEPT: evl_event's `fflags`.
#[repr(C)]
pub enum evl_io_note {
    /// `data` of the change is the low-water mark, in bytes.
    EVL_NOTE_LOWAT = 1 << 0,
    /// Fill `data` with how many bytes, connections or how much room there is and, of a failed socket,
    /// `fflags` with its error, which takes it from the socket. Costs a system call per event where
    /// the kernel does not tell by itself.
    EVL_NOTE_DATA = 1 << 1,
    /// EXCEPT: urgent data waits. Implied in a change.
    EVL_NOTE_OOB = 1 << 2,
}

/// TIMER: evl_event's `fflags`. The first four are the unit of `data`; without one it is the
/// millisecond.
#[repr(C)]
pub enum evl_timer_note {
    /// Seconds.
    EVL_NOTE_SECONDS = 1 << 0,
    /// Milliseconds.
    EVL_NOTE_MSECONDS = 1 << 1,
    /// Microseconds.
    EVL_NOTE_USECONDS = 1 << 2,
    /// Nanoseconds.
    EVL_NOTE_NSECONDS = 1 << 3,
    /// `data` is a point in wall-clock time since the epoch; fires once.
    EVL_NOTE_ABSOLUTE = 1 << 4,
    /// Do not coalesce.
    EVL_NOTE_CRITICAL = 1 << 5,
    /// May be coalesced.
    EVL_NOTE_BACKGROUND = 1 << 6,
    /// Accepted; the leeway is taken as zero.
    EVL_NOTE_LEEWAY = 1 << 7,
    /// `data` is in ticks of a Mac. ENOTSUP everywhere.
    EVL_NOTE_MACHTIME = 1 << 8,
}

/// PROC: evl_event's `fflags`. Systems without a kqueue of their own tell of the end only; the other
/// notes are ENOTSUP there.
#[repr(C)]
pub enum evl_process_note {
    /// It has ended. `data` is its wait status if it is a child of this process and was not reaped:
    /// reaping is left to the program. The knote ends with its event.
    EVL_NOTE_EXIT = 1 << 0,
    /// With EVL_NOTE_EXIT. The event has it if `data` is the wait status.
    EVL_NOTE_EXITSTATUS = 1 << 1,
    /// It has forked.
    EVL_NOTE_FORK = 1 << 2,
    /// It has executed a program.
    EVL_NOTE_EXEC = 1 << 3,
    /// It was sent a signal.
    EVL_NOTE_SIGNAL = 1 << 4,
    /// It was reaped.
    EVL_NOTE_REAP = 1 << 5,
}

/// VNODE: evl_event's `fflags`: what to tell of, and what happened. What an OS cannot tell is ENOTSUP.
#[repr(C)]
pub enum evl_vnode_note {
    /// Its last name is gone.
    EVL_NOTE_DELETE = 1 << 0,
    /// It was written to; a directory has got or lost an entry.
    EVL_NOTE_WRITE = 1 << 1,
    /// It has grown; an entry was moved into or out of the directory.
    EVL_NOTE_EXTEND = 1 << 2,
    /// Its owner, mode or times have changed.
    EVL_NOTE_ATTRIB = 1 << 3,
    /// The number of its names has changed.
    EVL_NOTE_LINK = 1 << 4,
    /// It was renamed.
    EVL_NOTE_RENAME = 1 << 5,
    /// Access was revoked, or its file system unmounted. ENOTSUP on Linux.
    EVL_NOTE_REVOKE = 1 << 6,
    /// A lock on it was released. ENOTSUP on Linux.
    EVL_NOTE_FUNLOCK = 1 << 7,
    /// It was opened.
    EVL_NOTE_OPEN = 1 << 8,
    /// A descriptor that could not write to it was closed.
    EVL_NOTE_CLOSE = 1 << 9,
    /// A descriptor that could write to it was closed.
    EVL_NOTE_CLOSE_WRITE = 1 << 10,
    /// It was read from.
    EVL_NOTE_READ = 1 << 11,
}

/// USER: evl_event's `fflags`. The low 24 bits are the program's own.
#[repr(C)]
pub enum evl_user_note {
    /// Leave the knote's own bits.
    EVL_NOTE_FFNOP = 0,
    /// AND them with the change's.
    EVL_NOTE_FFAND = 1 << 28,
    /// OR them with the change's.
    EVL_NOTE_FFOR = 2 << 28,
    /// Copy the change's.
    EVL_NOTE_FFCOPY = 3 << 28,
    /// Which bits are the program's own.
    EVL_NOTE_FFLAGSMASK = (1 << 24) - 1,
    /// Fire the event.
    EVL_NOTE_TRIGGER = 1 << 24,
}

/// A change to make, or an event that happened.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_event {
    /// Descriptor, process, signal, or number of a timer or user event.
    pub ident: usize,
    /// One of evl_filter.
    pub filter: i16,
    /// Some of evl_flag.
    pub flags: u16,
    /// Some of the filter's notes.
    pub fflags: u32,
    /// The filter's number: bytes, a period, expirations, an errno value.
    pub data: i64,
    /// Yours: comes back with each event.
    pub udata: *mut c_void,
}

// The one struct has two spellings: `Event` for Rust, `evl_event` for C.
const _: () = {
    assert!(size_of::<evl_event>() == size_of::<Event>());
    assert!(align_of::<evl_event>() == align_of::<Event>());
    assert!(offset_of!(evl_event, ident) == offset_of!(Event, ident));
    assert!(offset_of!(evl_event, filter) == offset_of!(Event, filter));
    assert!(offset_of!(evl_event, flags) == offset_of!(Event, flags));
    assert!(offset_of!(evl_event, fflags) == offset_of!(Event, fflags));
    assert!(offset_of!(evl_event, data) == offset_of!(Event, data));
    assert!(offset_of!(evl_event, udata) == offset_of!(Event, udata));
};
