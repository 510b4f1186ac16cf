// SPDX-License-Identifier: MIT OR Apache-2.0
//! The filters: for each kind of condition how its knotes are attached, changed, collected and
//! detached. A new filter is a file here, a variant of `FilterState`, and an arm in each of the four
//! dispatches in `changes.rs` and `collect.rs`.

pub(super) mod condition;
pub(super) mod descriptor;
pub(super) mod file;
pub(super) mod foreign;
pub(super) mod latch;
pub(super) mod process;
pub(super) mod signal;
pub(super) mod timer;
pub(super) mod user;
pub(super) mod vnode;

use super::event::{Event, Filter, Flags, note};
use crate::error::ErrorKind;
use crate::{Error, Result};
use std::borrow::Cow;

/// Refuses a change that can not be meant, before anything is done: `EINVAL`, or `ENOTSUP` for what is
/// meant well but not available.
pub(super) fn check(change: &Event) -> Result<()> {
    foreign::check(change)?;
    if change.flags.contains(Flags::ENABLE | Flags::DISABLE) {
        return Err(invalid("ENABLE and DISABLE in one change contradict each other"));
    }
    check_vanished(change)?;
    match change.filter {
        Filter::PROC if change.flags.contains(Flags::ADD) => process::check(change),
        Filter::TIMER if timer::sets_time(change) => {
            timer::time(change.fflags, change.data).map(drop)
        }
        Filter::EXCEPT if change.fflags & !note::OOB != 0 => {
            Err(invalid("EXCEPT: fflags may be NOTE_OOB, nothing else"))
        }
        Filter::EMPTY if change.fflags != 0 => Err(invalid("EMPTY has no fflags")),
        Filter::VNODE if change.flags.contains(Flags::ADD) => vnode::check(change),
        Filter::READ
        | Filter::WRITE
        | Filter::EXCEPT
        | Filter::EMPTY
        | Filter::TIMER
        | Filter::SIGNAL
        | Filter::PROC
        | Filter::VNODE
        | Filter::USER => Ok(()),
        Filter(number) => Err(invalid(format!("{number} is not the number of a filter"))),
    }
}

/// Refuses VANISHED where no one would know whose last record it is.
pub(super) fn check_vanished(change: &Event) -> Result<()> {
    let exclusive = change.flags.contains(Flags::DISPATCH | Flags::UDATA_SPECIFIC);
    if change.flags.contains(Flags::VANISHED | Flags::ADD)
        && (is_named(change.filter) || !exclusive)
    {
        return Err(invalid(
            "VANISHED goes with DISPATCH and UDATA_SPECIFIC, and with filters of descriptors",
        ));
    }
    Ok(())
}

/// Whether a filter's knotes are named by a number that is no descriptor.
pub(super) const fn is_named(filter: Filter) -> bool {
    matches!(filter, Filter::TIMER | Filter::SIGNAL | Filter::PROC | Filter::USER)
}

/// The error for what means nothing.
fn invalid(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Os(libc::EINVAL), why)
}

/// The error for what kqueue has but this backend does not.
fn unsupported(why: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Os(libc::ENOTSUP), why)
}
