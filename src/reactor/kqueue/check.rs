// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes that are refused before the kernel hears of them, since kernels take some of these.

use super::{numbers, polled};
use crate::error::ErrorKind;
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::filters::timer::Schedule;
use crate::reactor::filters::{self, descriptor, file, foreign};
use crate::sys::fd::Identity;
use crate::sys::kqueue::Dialect;
use crate::sys::signal;
use crate::{Error, Result};

/// The filters whose ident is a descriptor.
pub(super) const ON_DESCRIPTORS: [Filter; 5] =
    [Filter::READ, Filter::WRITE, Filter::EXCEPT, Filter::EMPTY, Filter::VNODE];

/// Refuses a change that cannot be meant, before anything is done.
pub(super) fn check(change: &Event, dialect: &Dialect) -> Result<()> {
    foreign::check(change)?;
    let flags = change.flags;
    let unknown = numbers::filter(change.filter, dialect).err();
    if let Some(error) = unknown.filter(|error| error.errno() == Some(libc::EINVAL)) {
        return Err(error);
    }
    if flags.contains(Flags::OOBAND) && change.filter == Filter::READ {
        let why =
            "READ with OOBAND is not available with the backend kqueue: add EXCEPT beside READ";
        return Err(Error::new(ErrorKind::Os(libc::ENOTSUP), why));
    }
    if flags.contains(Flags::ENABLE | Flags::DISABLE) {
        return Err(Error::invalid("ENABLE and DISABLE in one change contradict each other"));
    }
    filters::check_vanished(change)?;
    if ON_DESCRIPTORS.contains(&change.filter) {
        descriptor::number(change)?;
    }
    if flags.contains(Flags::ADD) && !flags.contains(Flags::DELETE) {
        return check_add(change);
    }
    Ok(())
}

fn check_add(change: &Event) -> Result<()> {
    match change.filter {
        Filter::READ | Filter::WRITE | Filter::EXCEPT | Filter::EMPTY => {
            let identity = Identity::of(descriptor::number(change)?)?;
            if identity.is_on_disk() {
                file::check(change, &identity)?;
            }
            polled::check(change)
        }
        Filter::TIMER => Schedule::new(change, false, 0).map(drop),
        Filter::SIGNAL => match libc::c_int::try_from(change.ident) {
            Ok(number) if signal::can_be_handled(number) => Ok(()),
            _ => Err(Error::invalid("SIGNAL: no such signal, or one that cannot be handled")),
        },
        // A kernel takes the lower half of a number for a pid, and 0 for itself.
        Filter::PROC if !libc::pid_t::try_from(change.ident).is_ok_and(|pid| pid > 0) => {
            Err(Error::os(libc::ESRCH))
        }
        Filter::PROC if change.fflags & !note::EXITSTATUS == 0 => {
            Err(Error::invalid("PROC: fflags has to say what to tell of"))
        }
        Filter::VNODE if change.fflags == 0 => {
            Err(Error::invalid("VNODE: fflags has to say what to tell of"))
        }
        _ => Ok(()),
    }
}
