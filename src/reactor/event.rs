// SPDX-License-Identifier: MIT OR Apache-2.0
//! The one struct that goes both ways, as with `kevent(2)`: a change on the way in, an event on the
//! way out. Its layout is that of C's `evl_event`.

use bitflags::bitflags;
use std::os::fd::{AsFd, AsRawFd};

/// A change to make, or an event that happened.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What is watched: a descriptor, a timer's or user event's number.
    pub ident: usize,
    /// Which condition of it.
    pub filter: Filter,
    /// What to do, or what happened.
    pub flags: Flags,
    /// The filter's own flags: see [`note`].
    pub fflags: u32,
    /// The filter's own number: bytes, expirations, an errno value.
    pub data: i64,
    /// The caller's word, handed back untouched.
    pub udata: usize,
}

impl Event {
    /// A change for a descriptor's knote.
    pub fn of(fd: impl AsFd, filter: Filter, flags: Flags) -> Self {
        // A borrowed descriptor is not negative.
        let ident = fd.as_fd().as_raw_fd().cast_unsigned() as usize;
        Self { ident, filter, flags, ..Self::default() }
    }
}

/// The condition that a knote watches. Any number may come from C; those not named here are refused.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Filter(pub i16);

impl Filter {
    /// Bytes to read, a connection to accept, or the end of either.
    pub const READ: Self = Self(1);
    /// Room to write.
    pub const WRITE: Self = Self(2);
    /// Exceptional conditions: urgent data.
    pub const EXCEPT: Self = Self(3);
    /// Time has passed.
    pub const TIMER: Self = Self(4);
    /// A signal was delivered to the process.
    pub const SIGNAL: Self = Self(5);
    /// A process changed.
    pub const PROC: Self = Self(6);
    /// A file or directory changed.
    pub const VNODE: Self = Self(7);
    /// Triggered by the program itself.
    pub const USER: Self = Self(8);
    /// Everything written has been sent.
    pub const EMPTY: Self = Self(9);
    /// An asynchronous operation has ended. `ENOTSUP` everywhere.
    pub const AIO: Self = Self(10);
    /// A message came to a Mach port. `ENOTSUP` everywhere.
    pub const MACHPORT: Self = Self(11);
    /// A file system was mounted or unmounted. `ENOTSUP` everywhere.
    pub const FS: Self = Self(12);
    /// The process of a descriptor changed. `ENOTSUP` everywhere.
    pub const PROCDESC: Self = Self(13);
}

bitflags! {
    /// What to do with a knote (in) and what happened to it (out).
    #[repr(transparent)]
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Flags: u16 {
        /// Create the knote, or change the parameters of the one that exists.
        const ADD = 0x0001;
        /// Forget the knote; a pending event of it is dropped.
        const DELETE = 0x0002;
        /// Deliver its events (again).
        const ENABLE = 0x0004;
        /// Keep watching, but do not deliver.
        const DISABLE = 0x0008;
        /// Deliver once, then delete.
        const ONESHOT = 0x0010;
        /// Edge-triggered: state resets at delivery.
        const CLEAR = 0x0020;
        /// Disable at delivery; ENABLE re-arms.
        const DISPATCH = 0x0040;
        /// Answer this change with an ERROR event, `data` 0 on success.
        const RECEIPT = 0x0080;
        /// `udata` is part of the knote's name.
        const UDATA_SPECIFIC = 0x0100;
        /// Leave the knote's `udata` as it is.
        const KEEPUDATA = 0x0200;
        /// Say so once if the descriptor vanishes.
        const VANISHED = 0x0400;
        /// READ: urgent data is news, too. Out: urgent data is waiting.
        const OOBAND = 0x0800;
        /// The other side shut down; may come while data is still readable. `fflags` is 0, or with
        /// [`note::DATA`] the socket's error.
        const EOF = 0x1000;
        /// The change failed (`data` is the errno value), or is a receipt (`data` is 0).
        const ERROR = 0x2000;
    }
}

/// The filters' own flags, for [`Event::fflags`].
pub mod note {
    /// READ, WRITE: `data` of the change is the low-water mark.
    pub const LOWAT: u32 = 0x0001;
    /// READ, WRITE: fill `data` of each event with the bytes, connections or room there is, and, of a
    /// failed socket, `fflags` with its error, which takes it from the socket. Costs a system call per
    /// event where the kernel does not tell.
    pub const DATA: u32 = 0x0002;
    /// EXCEPT: urgent data waits. Implied in a change.
    pub const OOB: u32 = 0x0004;
    /// WRITE: a file on disk is not refused, but always ready.
    pub(crate) const ON_DISK: u32 = 0x0008;

    /// READ: of several reactors with epoll that watch the same socket, at least one is told, not all
    /// (`EPOLLEXCLUSIVE`). The others, where it means nothing.
    pub(crate) const EXCLUSIVE: u32 = 0x8000_0000;

    /// TIMER: `data` is in seconds.
    pub const SECONDS: u32 = 0x0001;
    /// TIMER: `data` is in milliseconds, as it is when no unit is given.
    pub const MSECONDS: u32 = 0x0002;
    /// TIMER: `data` is in microseconds.
    pub const USECONDS: u32 = 0x0004;
    /// TIMER: `data` is in nanoseconds.
    pub const NSECONDS: u32 = 0x0008;
    /// TIMER: `data` is a point in wall-clock time since the epoch; fires once.
    pub const ABSOLUTE: u32 = 0x0010;
    /// TIMER: do not coalesce.
    pub const CRITICAL: u32 = 0x0020;
    /// TIMER: may be coalesced.
    pub const BACKGROUND: u32 = 0x0040;
    /// TIMER: leeway is given; accepted and treated as zero.
    pub const LEEWAY: u32 = 0x0080;
    /// TIMER: `data` is in ticks of a Mac. `ENOTSUP` everywhere.
    pub const MACHTIME: u32 = 0x0100;
    /// TIMER: a change that does not add sets the time, too, if the knote is there. For `kevent()`.
    pub(crate) const RESTART: u32 = 0x8000_0000;

    /// PROC: the process has ended; `data` is its wait status, if it is a child of this process and was
    /// not reaped. The event leaves it to the caller to reap.
    pub const EXIT: u32 = 0x0001;
    /// PROC: as [`EXIT`]; the event has it if `data` is the wait status.
    pub const EXITSTATUS: u32 = 0x0002;
    /// PROC: the process has forked.
    pub const FORK: u32 = 0x0004;
    /// PROC: the process has executed a program.
    pub const EXEC: u32 = 0x0008;
    /// PROC: the process was sent a signal.
    pub const SIGNAL: u32 = 0x0010;
    /// PROC: the process was reaped.
    pub const REAP: u32 = 0x0020;

    /// VNODE: the file's last name is gone.
    pub const DELETE: u32 = 0x0001;
    /// VNODE: the file was written to; a directory has got or lost an entry.
    pub const WRITE: u32 = 0x0002;
    /// VNODE: the file has grown; an entry was moved into or out of the directory.
    pub const EXTEND: u32 = 0x0004;
    /// VNODE: owner, mode or times have changed.
    pub const ATTRIB: u32 = 0x0008;
    /// VNODE: the number of names has changed.
    pub const LINK: u32 = 0x0010;
    /// VNODE: the file was renamed.
    pub const RENAME: u32 = 0x0020;
    /// VNODE: access was revoked, or the file system was unmounted.
    pub const REVOKE: u32 = 0x0040;
    /// VNODE: a lock was released.
    pub const FUNLOCK: u32 = 0x0080;
    /// VNODE: the file was opened.
    pub const OPEN: u32 = 0x0100;
    /// VNODE: a descriptor that could not write was closed.
    pub const CLOSE: u32 = 0x0200;
    /// VNODE: a descriptor that could write was closed.
    pub const CLOSE_WRITE: u32 = 0x0400;
    /// VNODE: the file was read from.
    pub const READ: u32 = 0x0800;

    /// USER: ignore the low 24 bits of the change's fflags.
    pub const FFNOP: u32 = 0x0000_0000;
    /// USER: AND them with the knote's.
    pub const FFAND: u32 = 0x1000_0000;
    /// USER: OR them with the knote's.
    pub const FFOR: u32 = 0x2000_0000;
    /// USER: copy them.
    pub const FFCOPY: u32 = 0x3000_0000;
    /// USER: mask of the four operations above.
    pub const FFCTRLMASK: u32 = 0x3000_0000;
    /// USER: mask of the bits that are the program's own.
    pub const FFLAGSMASK: u32 = 0x00ff_ffff;
    /// USER: fire the event.
    pub const TRIGGER: u32 = 0x0100_0000;
}
