// SPDX-License-Identifier: MIT OR Apache-2.0
//! Between the reactor's numbers and the kernel's.

use super::knote::{Key, Knote};
use crate::error::ErrorKind;
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::sys::kqueue::{self, Dialect, Record, ev};
use crate::{Error, Result};

/// The kernel's number of a filter. Errors: `EINVAL` for what is no filter, `ENOTSUP` for one that the
/// kernel does not have.
pub(super) fn filter(filter: Filter, dialect: &Dialect) -> Result<i32> {
    let number = match filter {
        Filter::READ => Some(dialect.read),
        Filter::WRITE => Some(dialect.write),
        Filter::EXCEPT => dialect.except,
        Filter::TIMER => Some(dialect.timer),
        Filter::SIGNAL => Some(dialect.signal),
        Filter::PROC => Some(dialect.proc),
        Filter::VNODE => Some(dialect.vnode),
        Filter::USER => Some(dialect.user),
        Filter::EMPTY => dialect.empty,
        Filter(number) => {
            return Err(Error::invalid(format!("{number} is not the number of a filter")));
        }
    };
    number.ok_or_else(|| {
        let why =
            format!("this filter is not available: {}'s kqueue has none such", dialect.system);
        Error::new(ErrorKind::Os(libc::ENOTSUP), why)
    })
}

/// The filter's own flags that are the reactor's number, the kernel's number or `None`, in pairs.
type Notes = [(u32, Option<u32>)];

/// VNODE
fn vnode_notes(dialect: &Dialect) -> [(u32, Option<u32>); 12] {
    use kqueue::note as kernel;
    [
        (note::DELETE, Some(kernel::DELETE)),
        (note::WRITE, Some(kernel::WRITE)),
        (note::EXTEND, Some(kernel::EXTEND)),
        (note::ATTRIB, Some(kernel::ATTRIB)),
        (note::LINK, Some(kernel::LINK)),
        (note::RENAME, Some(kernel::RENAME)),
        (note::REVOKE, Some(kernel::REVOKE)),
        (note::FUNLOCK, dialect.funlock),
        (note::OPEN, dialect.open),
        (note::CLOSE, dialect.close),
        (note::CLOSE_WRITE, dialect.close_write),
        (note::READ, dialect.read_file),
    ]
}

/// PROC. The status comes with EXIT; the kernels that want to be asked for it are asked.
fn proc_notes(dialect: &Dialect) -> [(u32, Option<u32>); 6] {
    use kqueue::note as kernel;
    [
        (note::EXIT, Some(kernel::EXIT | dialect.exit_status)),
        (note::EXITSTATUS, Some(dialect.exit_status)),
        (note::FORK, Some(kernel::FORK)),
        (note::EXEC, Some(kernel::EXEC)),
        (note::SIGNAL, dialect.process_signal),
        (note::REAP, None),
    ]
}

fn to_kernel(fflags: u32, notes: &Notes, dialect: &Dialect) -> Result<u32> {
    let known = notes.iter().filter(|(ours, _)| fflags & ours != 0);
    let (mut theirs, mut rest) = (0, fflags);
    for (ours, number) in known {
        let Some(number) = number else {
            let why = format!("{}'s kqueue does not tell of that: note {ours:#x}", dialect.system);
            return Err(Error::new(ErrorKind::Os(libc::ENOTSUP), why));
        };
        theirs |= number;
        rest &= !ours;
    }
    if rest != 0 {
        return Err(Error::invalid(format!("fflags has bits that mean nothing here: {rest:#x}")));
    }
    Ok(theirs)
}

fn from_kernel(fflags: u32, notes: &Notes) -> u32 {
    let seen = notes.iter().filter(|(_, theirs)| theirs.is_some_and(|bits| fflags & bits != 0));
    seen.fold(0, |all, (ours, _)| all | ours)
}

/// How the kernel is told of a knote.
pub(super) fn registration(knote: &Knote, key: Key, dialect: &Dialect) -> Result<Record> {
    let name = &knote.name;
    let (mut fflags, mut data) = (0, 0);
    match name.filter {
        Filter::VNODE => fflags = to_kernel(knote.fflags, &vnode_notes(dialect), dialect)?,
        Filter::PROC => fflags = to_kernel(knote.fflags, &proc_notes(dialect), dialect)?,
        Filter::EXCEPT => fflags = dialect.oob,
        _ if knote.has_mark() => (fflags, data) = (kqueue::note::LOWAT, knote.data),
        _ => {}
    }
    let sticky = [
        (Flags::ADD, ev::ADD),
        (Flags::CLEAR, ev::CLEAR),
        (Flags::ONESHOT, ev::ONESHOT),
        (Flags::DISPATCH, ev::DISPATCH),
    ];
    let given = sticky.iter().filter(|(ours, _)| knote.flags.contains(*ours));
    let flags = if knote.has_mark() {
        ev::ADD | ev::CLEAR
    } else {
        given.fold(0, |all, (_, theirs)| all | theirs)
    };
    let filter = filter(name.filter, dialect)?;
    Ok(Record { ident: name.ident, filter, flags, fflags, data, udata: key.0 })
}

/// What the kernel's record says of a knote.
pub(super) fn event(knote: &Knote, record: &Record, dialect: &Dialect) -> Event {
    let mut event = knote.record();
    event.data = record.data;
    let end = record.flags & ev::EOF != 0;
    event.flags.set(Flags::EOF, end);
    let asked = knote.on_disk || knote.fflags & (note::DATA | note::LOWAT) != 0;
    if matches!(knote.name.filter, Filter::READ | Filter::WRITE) && !asked {
        event.data = 0;
    }
    match knote.name.filter {
        Filter::EXCEPT if record.fflags & dialect.oob != 0 && !end => {
            event.fflags = note::OOB;
            event.flags |= Flags::OOBAND;
        }
        // The kernel always tells the socket's error; as elsewhere, only those who ask are told.
        Filter::READ | Filter::WRITE if end && knote.fflags & note::DATA != 0 => {
            event.fflags = record.fflags;
        }
        Filter::READ | Filter::WRITE | Filter::EXCEPT | Filter::EMPTY if end => event.fflags = 0,
        Filter::VNODE => event.fflags = from_kernel(record.fflags, &vnode_notes(dialect)),
        Filter::PROC => {
            let seen = from_kernel(record.fflags, &proc_notes(dialect)) & !note::EXITSTATUS;
            event.fflags = seen;
            if seen & note::EXIT != 0 {
                event.fflags |= knote.fflags & note::EXITSTATUS;
                event.flags |= Flags::EOF | Flags::ONESHOT;
            }
        }
        Filter::USER => event.data = knote.data,
        _ => {}
    }
    event
}
