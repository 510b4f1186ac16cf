// SPDX-License-Identifier: MIT OR Apache-2.0
//! `kqueue()` and `kevent()` as a face of the conformance table, with the numbers of
//! `include/kqueue/sys/event.h`, which are read from there.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "support code of tests")]
#![allow(unsafe_code, reason = "the C face is called as C calls it")]

use crate::conformance::{Face, Outcome, Queue};
use crate::sys_event::number;
use evl::ffi::{evl_bsd_event, evl_kevent, evl_kqueue};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::collections::HashMap;
use std::ffi::c_int;
use std::os::fd::RawFd;
use std::sync::Mutex;

pub(crate) const FACE: Face = Face {
    name: "kevent()",
    create,
    simulated: false,
    otherwise: &[
        ("read_tells_the_bytes_if_asked", "always tells them"),
        ("what_no_one_tells_of_files_is_refused", "takes NOTE_REVOKE"),
        ("a_process_knote_needs_a_note", "takes processes without one"),
        ("a_signal_handler_may_trigger", "takes locks, so it is not for handlers"),
        ("an_error_is_left_to_the_socket", "always tells it"),
        ("a_reset_tells_its_error_to_all_who_ask", "tells those who do not ask, too"),
        ("a_refused_connection_is_an_end_and_keeps_its_error", "always tells it"),
        ("an_error_of_a_datagram_is_told_once_if_asked", "always tells it"),
    ],
};

/// What `kqueue()` returned.
struct Kqueue {
    fd: RawFd,
    /// What is to be told of files: NOTE_EXTEND comes with NOTE_WRITE, asked for or not.
    vnodes: Mutex<HashMap<usize, u32>>,
}

fn create(kind: BackendKind) -> Outcome<Box<dyn Queue>> {
    // A descriptor that stands for a set needs a kernel that keeps one.
    if kind != BackendKind::Epoll {
        return Err(libc::ENOTSUP);
    }
    let kq = outcome(evl_kqueue(libc::O_CLOEXEC))?;
    let fd = RawFd::try_from(kq).unwrap();
    Ok(Box::new(Kqueue { fd, vnodes: Mutex::default() }))
}

/// A count or descriptor, or the errno value of a failure.
fn outcome(result: c_int) -> Outcome<usize> {
    usize::try_from(result).map_err(|_| -result)
}

impl Kqueue {
    fn kevent(
        &self,
        changes: &[evl_bsd_event],
        events: &mut [evl_bsd_event],
        timeout_ns: i64,
    ) -> Outcome<usize> {
        let (n, room) = (length(changes), length(events));
        let (changes, events) = (changes.as_ptr(), events.as_mut_ptr());
        // SAFETY: arrays of the lengths given.
        outcome(unsafe { evl_kevent(self.fd, changes, n, events, room, timeout_ns) })
    }
}

fn length(events: &[evl_bsd_event]) -> c_int {
    c_int::try_from(events.len()).unwrap()
}

impl Queue for Kqueue {
    fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Outcome<usize> {
        for change in changes.iter().filter(|change| change.filter == Filter::VNODE) {
            if change.flags.contains(Flags::ADD) {
                self.vnodes.lock().unwrap().insert(change.ident, change.fflags);
            }
        }
        let changes: Vec<evl_bsd_event> = changes.iter().map(to_bsd).collect();
        let mut records = vec![to_bsd(&Event::default()); receipts.len()];
        // Events would be collected, too, if all changes succeeded: one more leaves no doubt.
        let mut last = to_bsd(&Event { flags: Flags::ADD | Flags::RECEIPT, ..SENTINEL });
        let mut all = changes;
        if !records.is_empty() {
            last.flags |= flag("EV_RECEIPT");
            all.push(last);
            records.push(last);
        }
        let count = self.kevent(&all, &mut records, 0)?;
        if receipts.is_empty() {
            return Ok(count);
        }
        let remove = to_bsd(&Event { flags: Flags::DELETE, ..SENTINEL });
        self.kevent(&[remove], &mut [], 0)?;
        for (receipt, record) in receipts.iter_mut().zip(&records[..count - 1]) {
            *receipt = from_bsd(record);
        }
        Ok(count - 1)
    }

    fn wait(&self, events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        let mut found = vec![to_bsd(&Event::default()); events.len()];
        let count = self.kevent(&[], &mut found, timeout_ns)?;
        for (event, found) in events.iter_mut().zip(&found[..count]) {
            *event = from_bsd(found);
            if event.filter == Filter::VNODE {
                event.fflags &= self.vnodes.lock().unwrap()[&event.ident];
            }
        }
        Ok(count)
    }

    fn kevent(&self, changes: &[Event], events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        let changes: Vec<evl_bsd_event> = changes.iter().map(to_bsd).collect();
        let mut found = vec![to_bsd(&Event::default()); events.len()];
        let count = self.kevent(&changes, &mut found, timeout_ns)?;
        for (event, found) in events.iter_mut().zip(&found[..count]) {
            *event = from_bsd(found);
        }
        Ok(count)
    }

    fn kevent_in_place(
        &self,
        array: &mut [Event],
        changes: usize,
        timeout_ns: i64,
    ) -> Outcome<usize> {
        let mut records: Vec<evl_bsd_event> = array.iter().map(to_bsd).collect();
        let (at, n, room) = (records.as_mut_ptr(), length(&records[..changes]), length(&records));
        // SAFETY: one array of the length given, which may be both.
        let count = outcome(unsafe { evl_kevent(self.fd, at, n, at, room, timeout_ns) })?;
        for (event, found) in array.iter_mut().zip(&records[..count]) {
            *event = from_bsd(found);
        }
        Ok(count)
    }

    fn trigger(&self, ident: usize) -> Outcome<()> {
        let trigger = Event { ident, filter: Filter::USER, fflags: note::TRIGGER, ..KEEPING };
        self.kevent(&[to_bsd(&trigger)], &mut [], 0).map(drop)
    }

    fn fd(&self) -> Outcome<RawFd> {
        self.kevent(&[], &mut [], 0)?;
        Ok(self.fd)
    }
}

impl Drop for Kqueue {
    fn drop(&mut self) {
        // SAFETY: kqueue() made it for its caller, and nobody has it any more.
        unsafe { libc::close(self.fd) };
        // A call that finds no queue frees those that were closed.
        assert_eq!(self.kevent(&[], &mut [], 0), Err(libc::EBADF));
    }
}

/// A knote that no case uses.
const SENTINEL: Event = Event { ident: usize::MAX, filter: Filter::USER, ..KEEPING };

/// A change of nothing.
const KEEPING: Event =
    Event { ident: 0, filter: Filter(0), flags: Flags::KEEPUDATA, fflags: 0, data: 0, udata: 0 };

const FILTERS: [(Filter, &str); 13] = [
    (Filter::READ, "EVFILT_READ"),
    (Filter::WRITE, "EVFILT_WRITE"),
    (Filter::EXCEPT, "EVFILT_EXCEPT"),
    (Filter::TIMER, "EVFILT_TIMER"),
    (Filter::SIGNAL, "EVFILT_SIGNAL"),
    (Filter::PROC, "EVFILT_PROC"),
    (Filter::VNODE, "EVFILT_VNODE"),
    (Filter::USER, "EVFILT_USER"),
    (Filter::EMPTY, "EVFILT_EMPTY"),
    (Filter::AIO, "EVFILT_AIO"),
    (Filter::MACHPORT, "EVFILT_MACHPORT"),
    (Filter::FS, "EVFILT_FS"),
    (Filter::PROCDESC, "EVFILT_PROCDESC"),
];

/// The names of evl's flags are those of `<sys/event.h>` without the first part, as are the notes'.
fn flags() -> impl Iterator<Item = (Flags, u16)> {
    Flags::all().iter_names().map(|(name, flags)| (flags, flag(&format!("EV_{name}"))))
}

fn flag(name: &str) -> u16 {
    u16::try_from(number(name)).unwrap()
}

fn notes(filter: Filter) -> &'static [(u32, &'static str)] {
    match filter {
        Filter::READ | Filter::WRITE => &[(note::LOWAT, "NOTE_LOWAT")],
        Filter::EXCEPT => &[(note::OOB, "NOTE_OOB")],
        Filter::TIMER => &[
            (note::SECONDS, "NOTE_SECONDS"),
            (note::MSECONDS, "NOTE_MSECONDS"),
            (note::USECONDS, "NOTE_USECONDS"),
            (note::NSECONDS, "NOTE_NSECONDS"),
            (note::ABSOLUTE, "NOTE_ABSOLUTE"),
            (note::CRITICAL, "NOTE_CRITICAL"),
            (note::BACKGROUND, "NOTE_BACKGROUND"),
            (note::LEEWAY, "NOTE_LEEWAY"),
            (note::MACHTIME, "NOTE_MACHTIME"),
        ],
        Filter::PROC => &[
            (note::EXIT, "NOTE_EXIT"),
            (note::EXITSTATUS, "NOTE_EXITSTATUS"),
            (note::FORK, "NOTE_FORK"),
            (note::EXEC, "NOTE_EXEC"),
            (note::SIGNAL, "NOTE_SIGNAL"),
            (note::REAP, "NOTE_REAP"),
        ],
        Filter::VNODE => &[
            (note::DELETE, "NOTE_DELETE"),
            (note::WRITE, "NOTE_WRITE"),
            (note::EXTEND, "NOTE_EXTEND"),
            (note::ATTRIB, "NOTE_ATTRIB"),
            (note::LINK, "NOTE_LINK"),
            (note::RENAME, "NOTE_RENAME"),
            (note::REVOKE, "NOTE_REVOKE"),
            (note::FUNLOCK, "NOTE_FUNLOCK"),
            (note::OPEN, "NOTE_OPEN"),
            (note::CLOSE, "NOTE_CLOSE"),
            (note::CLOSE_WRITE, "NOTE_CLOSE_WRITE"),
            (note::READ, "NOTE_READ"),
        ],
        _ => &[],
    }
}

/// The operation of a user event is a number in the two highest bits there, and below them here.
fn user_notes(fflags: u32, operation: u32) -> u32 {
    fflags & (note::FFLAGSMASK | note::TRIGGER) | operation
}

fn to_bsd(event: &Event) -> evl_bsd_event {
    let filter = FILTERS.iter().find(|(filter, _)| *filter == event.filter);
    // Bits that have no name there are to be refused there, too.
    let unknown = event.fflags & !notes(event.filter).iter().fold(0, |all, row| all | row.0);
    let known = notes(event.filter).iter().filter(|row| event.fflags & row.0 != 0);
    evl_bsd_event {
        ident: event.ident,
        filter: filter
            .map_or(event.filter.0 << 8, |(_, name)| i16::try_from(number(name)).unwrap()),
        flags: flags().filter(|row| event.flags.contains(row.0)).fold(0, |all, row| all | row.1),
        fflags: match event.filter {
            Filter::USER => user_notes(event.fflags, (event.fflags & note::FFCTRLMASK) << 2),
            _ => known.fold(if unknown == 0 { 0 } else { 0x0000_8000 }, |all, row| {
                all | u32::try_from(number(row.1)).unwrap()
            }),
        },
        data: isize::try_from(event.data).unwrap(),
        udata: std::ptr::without_provenance_mut(event.udata),
    }
}

fn from_bsd(event: &evl_bsd_event) -> Event {
    let filter = FILTERS.iter().find(|row| number(row.1) == i64::from(event.filter));
    let filter = filter.map_or(Filter(event.filter >> 8), |row| row.0);
    let flags: Flags = flags().filter(|row| event.flags & row.1 != 0).map(|row| row.0).collect();
    let is_error = flags.contains(Flags::EOF)
        && [Filter::READ, Filter::WRITE, Filter::EXCEPT, Filter::EMPTY].contains(&filter);
    let known = |name| u32::try_from(number(name)).unwrap();
    let fflags = notes(filter).iter().filter(|row| event.fflags & known(row.1) != 0);
    Event {
        ident: event.ident,
        filter,
        flags,
        fflags: match filter {
            _ if is_error => event.fflags,
            Filter::USER => user_notes(event.fflags, (event.fflags & 0xc000_0000) >> 2),
            _ => fflags.fold(0, |all, row| all | row.0),
        },
        data: event.data.try_into().unwrap(),
        udata: event.udata.addr(),
    }
}
