// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers of `include/kqueue/sys/event.h` and what each means to the reactor. They are macOS's;
//! what only others have got numbers that macOS leaves free.

use super::kqueue::evl_bsd_event;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor::{Event, Filter, Flags, note};

const FILTERS: [(i16, Filter); 13] = [
    (-1, Filter::READ),
    (-2, Filter::WRITE),
    (-3, Filter::AIO),
    (-4, Filter::VNODE),
    (-5, Filter::PROC),
    (-6, Filter::SIGNAL),
    (-7, Filter::TIMER),
    (-8, Filter::MACHPORT),
    (-9, Filter::FS),
    (-10, Filter::USER),
    (-15, Filter::EXCEPT),
    (-16, Filter::EMPTY),
    (-17, Filter::PROCDESC),
];

/// VM, LIO, SENDFILE, DEVICE: filters of single systems that the reactor does not know.
const ABSENT: [i16; 4] = [-12, -18, -19, -20];

/// EV_ERROR.
pub(super) const EV_ERROR: u16 = 0x4000;
/// EV_FORCEONESHOT.
const FORCED: u16 = 0x0400;

const FLAGS: [(u16, Flags); 13] = [
    (0x0001, Flags::ADD),
    (0x0002, Flags::DELETE),
    (0x0004, Flags::ENABLE),
    (0x0008, Flags::DISABLE),
    (0x0010, Flags::ONESHOT),
    (0x0020, Flags::CLEAR),
    (0x0040, Flags::RECEIPT),
    (0x0080, Flags::DISPATCH),
    (0x0100, Flags::UDATA_SPECIFIC),
    (0x0200, Flags::VANISHED),
    (0x0800, Flags::KEEPUDATA),
    (0x2000, Flags::OOBAND),
    (0x8000, Flags::EOF),
];

const IO_NOTES: [(u32, u32); 1] = [(0x0001, note::LOWAT)];

const EXCEPT_NOTES: [(u32, u32); 1] = [(0x0002, note::OOB)];

const TIMER_NOTES: [(u32, u32); 9] = [
    (0x0001, note::SECONDS),
    (0x0002, note::USECONDS),
    (0x0004, note::NSECONDS),
    (0x0008, note::ABSOLUTE),
    (0x0010, note::LEEWAY),
    (0x0020, note::CRITICAL),
    (0x0040, note::BACKGROUND),
    (0x0100, note::MACHTIME),
    (0x0200, note::MSECONDS),
];

const PROCESS_NOTES: [(u32, u32); 6] = [
    (0x8000_0000, note::EXIT),
    (0x4000_0000, note::FORK),
    (0x2000_0000, note::EXEC),
    (0x1000_0000, note::REAP),
    (0x0800_0000, note::SIGNAL),
    (0x0400_0000, note::EXITSTATUS),
];

const VNODE_NOTES: [(u32, u32); 11] = [
    (0x0001, note::DELETE),
    (0x0002, note::WRITE),
    (0x0004, note::EXTEND),
    (0x0008, note::ATTRIB),
    (0x0010, note::LINK),
    (0x0020, note::RENAME),
    (0x0100, note::FUNLOCK),
    (0x0400, note::OPEN),
    (0x0800, note::CLOSE),
    (0x1000, note::CLOSE_WRITE),
    (0x2000, note::READ),
];
/// NOTE_REVOKE, which nearly every program asks for. Linux revokes no file, so it need not be told.
const REVOKE: u32 = 0x0040;
/// NOTE_NONE asks for nothing.
const NONE: u32 = 0x0080;

/// NOTE_MACH_CONTINUOUS_TIME.
const MACH_CONTINUOUS_TIME: u32 = 0x0080;
/// NOTE_TRACK, NOTE_TRACKERR, NOTE_CHILD, NOTE_EXIT_DETAIL.
const TRACKING: u32 = 0x0200_0007;

/// A change as the reactor takes it.
///
/// Errors: `ENOTSUP` for filters, flags and notes that are known but mean nothing here; the reactor
/// refuses a filter that has no meaning at all.
pub(super) fn to_event(change: &evl_bsd_event) -> Result<Event> {
    let known = FILTERS.iter().find(|(number, _)| *number == change.filter);
    let filter = match known {
        Some((_, filter)) => *filter,
        None if ABSENT.contains(&change.filter) => {
            return Err(unsupported("this filter needs what only another system has"));
        }
        None => Filter::default(),
    };
    if change.flags & FORCED != 0 {
        return Err(unsupported("EV_FORCEONESHOT: FreeBSD only"));
    }
    let fflags = to_notes(filter, change.fflags)?;
    Ok(Event {
        ident: change.ident,
        filter,
        flags: FLAGS.iter().filter(|row| change.flags & row.0 != 0).map(|row| row.1).collect(),
        fflags,
        data: change.data as i64,
        udata: change.udata.expose_provenance(),
    })
}

/// An event as the caller gets it. The end of a descriptor has an errno value in `fflags`.
pub(super) fn from_event(event: &Event) -> evl_bsd_event {
    let known = FILTERS.iter().find(|(_, filter)| *filter == event.filter);
    let flags = FLAGS.iter().filter(|row| event.flags.contains(row.1));
    let is_error = event.flags.contains(Flags::EOF) && is_io(event.filter);
    evl_bsd_event {
        ident: event.ident,
        filter: known.map_or(0, |(number, _)| *number),
        flags: flags.fold(0, |all, row| all | row.0),
        fflags: if is_error { event.fflags } else { from_notes(event.filter, event.fflags) },
        data: isize::try_from(event.data).unwrap_or(isize::MAX),
        udata: std::ptr::with_exposed_provenance_mut(event.udata),
    }
}

/// READ, WRITE, EXCEPT, EMPTY.
fn is_io(filter: Filter) -> bool {
    matches!(filter, Filter::READ | Filter::WRITE | Filter::EXCEPT | Filter::EMPTY)
}

fn notes(filter: Filter) -> &'static [(u32, u32)] {
    match filter {
        Filter::READ | Filter::WRITE => &IO_NOTES,
        Filter::EXCEPT => &EXCEPT_NOTES,
        Filter::TIMER => &TIMER_NOTES,
        Filter::PROC => &PROCESS_NOTES,
        Filter::VNODE => &VNODE_NOTES,
        _ => &[],
    }
}

fn to_notes(filter: Filter, bsd: u32) -> Result<u32> {
    if filter == Filter::USER {
        return Ok(user_notes(bsd));
    }
    let table = notes(filter);
    let (absent, ignored) = match filter {
        Filter::TIMER => (MACH_CONTINUOUS_TIME, 0),
        Filter::PROC => (TRACKING, 0),
        Filter::VNODE => (0, REVOKE | NONE),
        Filter::EXCEPT | Filter::EMPTY => (0, 0),
        // Each system has hints of its own here.
        _ => (0, u32::MAX),
    };
    if bsd & absent != 0 {
        return Err(unsupported("fflags has a note that only another system can keep"));
    }
    if table.iter().fold(bsd & !ignored, |left, row| left & !row.0) != 0 {
        return Err(Error::invalid("fflags has bits that mean nothing for the filter"));
    }
    let notes = table.iter().filter(|row| bsd & row.0 != 0).fold(0, |all, row| all | row.1);
    Ok(match filter {
        // The BSDs tell of growth with each write that makes the file grow.
        Filter::VNODE if notes & note::WRITE != 0 => notes | note::EXTEND,
        Filter::WRITE => notes | note::ON_DISK,
        // They also take a process of which nothing is to be told. It is told that it ends.
        Filter::PROC if notes == 0 => note::EXIT,
        _ => notes,
    })
}

fn from_notes(filter: Filter, notes_of_evl: u32) -> u32 {
    if filter == Filter::USER {
        return notes_of_evl & note::FFLAGSMASK;
    }
    notes(filter).iter().filter(|row| notes_of_evl & row.1 != 0).fold(0, |all, row| all | row.0)
}

/// The operation of a user event is a number, not a bit.
fn user_notes(bsd: u32) -> u32 {
    let operation = (bsd >> 30) << 28;
    operation | bsd & (note::FFLAGSMASK | note::TRIGGER)
}

fn unsupported(why: &'static str) -> Error {
    Error::new(ErrorKind::Os(libc::ENOTSUP), why)
}
