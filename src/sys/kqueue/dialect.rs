// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers in `<sys/event.h>`, one table for each system.
//!
//! [`ev`] and [`note`] are what all of them agree on. The tables can be used on every system; on the one
//! that a table is about, the compiler compares it with the C library's headers.
#![allow(dead_code, reason = "a system uses its own table; the tests use all")]

/// The flags, the same everywhere.
pub(crate) mod ev {
    pub(crate) const ADD: u32 = 0x0001;
    pub(crate) const DELETE: u32 = 0x0002;
    pub(crate) const ENABLE: u32 = 0x0004;
    pub(crate) const DISABLE: u32 = 0x0008;
    pub(crate) const ONESHOT: u32 = 0x0010;
    pub(crate) const CLEAR: u32 = 0x0020;
    pub(crate) const DISPATCH: u32 = 0x0080;
    pub(crate) const EOF: u32 = 0x8000;
}

/// The filters' flags that are the same everywhere.
pub(crate) mod note {
    /// READ, WRITE
    pub(crate) const LOWAT: u32 = 0x0001;
    /// USER
    pub(crate) const TRIGGER: u32 = 0x0100_0000;
    /// VNODE
    pub(crate) const DELETE: u32 = 0x0001;
    pub(crate) const WRITE: u32 = 0x0002;
    pub(crate) const EXTEND: u32 = 0x0004;
    pub(crate) const ATTRIB: u32 = 0x0008;
    pub(crate) const LINK: u32 = 0x0010;
    pub(crate) const RENAME: u32 = 0x0020;
    pub(crate) const REVOKE: u32 = 0x0040;
    /// PROC
    pub(crate) const EXIT: u32 = 0x8000_0000;
    pub(crate) const FORK: u32 = 0x4000_0000;
    pub(crate) const EXEC: u32 = 0x2000_0000;
}

/// One system's numbers. `None` is what it does not have.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// As `std::env::consts::OS` spells it; iOS speaks as macOS does.
    pub(crate) system: &'static str,

    pub(crate) read: i32,
    pub(crate) write: i32,
    pub(crate) vnode: i32,
    pub(crate) proc: i32,
    pub(crate) signal: i32,
    pub(crate) timer: i32,
    /// NetBSD before 10 and OpenBSD before 7.7 refuse it with `EINVAL`.
    pub(crate) user: i32,
    pub(crate) except: Option<i32>,
    pub(crate) empty: Option<i32>,

    /// EXCEPT's NOTE_OOB.
    pub(crate) oob: u32,
    /// TIMER's NOTE_NSECONDS, where all releases have it and keep time that exactly; else milliseconds.
    pub(crate) nanoseconds: Option<u32>,
    pub(crate) funlock: Option<u32>,
    pub(crate) open: Option<u32>,
    pub(crate) close: Option<u32>,
    pub(crate) close_write: Option<u32>,
    pub(crate) read_file: Option<u32>,
    /// PROC's NOTE_SIGNAL.
    pub(crate) process_signal: Option<u32>,
    /// NOTE_EXITSTATUS, without which the status is not told; 0 where it always is.
    pub(crate) exit_status: u32,
}

pub(crate) const MACOS: Dialect = Dialect {
    system: "macos",
    read: -1,
    write: -2,
    vnode: -4,
    proc: -5,
    signal: -6,
    timer: -7,
    user: -10,
    except: Some(-15),
    empty: None,
    oob: 0x0002,
    nanoseconds: Some(0x0004),
    funlock: Some(0x0100),
    open: None,
    close: None,
    close_write: None,
    read_file: None,
    process_signal: Some(0x0800_0000),
    exit_status: 0x0400_0000,
};

pub(crate) const FREEBSD: Dialect = Dialect {
    system: "freebsd",
    user: -11,
    except: None,
    empty: Some(-13),
    oob: 0,
    nanoseconds: Some(0x0008),
    funlock: None,
    open: Some(0x0080),
    close: Some(0x0100),
    close_write: Some(0x0200),
    read_file: Some(0x0400),
    process_signal: None,
    exit_status: 0,
    ..MACOS
};

pub(crate) const DRAGONFLY: Dialect = Dialect {
    system: "dragonfly",
    user: -9,
    except: Some(-8),
    empty: None,
    oob: 0x0002,
    nanoseconds: None,
    open: None,
    close: None,
    close_write: None,
    read_file: None,
    ..FREEBSD
};

pub(crate) const OPENBSD: Dialect =
    Dialect { system: "openbsd", user: -10, except: Some(-9), oob: 0x0004, ..DRAGONFLY };

pub(crate) const NETBSD: Dialect = Dialect {
    system: "netbsd",
    read: 0,
    write: 1,
    vnode: 3,
    proc: 4,
    signal: 5,
    timer: 6,
    user: 8,
    except: None,
    empty: Some(9),
    oob: 0,
    ..DRAGONFLY
};
