// SPDX-License-Identifier: MIT OR Apache-2.0
//! The local calendar, for log lines and listings.

use std::mem::MaybeUninit;

/// A moment in the local time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalTime {
    pub(crate) year: i32,
    /// 0 to 11.
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    /// East of UTC.
    pub(crate) offset_minutes: i32,
}

/// The local calendar's reading of a number of seconds since the epoch (localtime_r(3)).
pub(crate) fn local_time(seconds: u64) -> LocalTime {
    let seconds = libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX);
    // SAFETY: tm is a plain struct, for which all zeroes is a valid value; localtime_r fills it, or
    // leaves it as it is for a year that does not fit.
    let tm: libc::tm = unsafe {
        let mut tm = MaybeUninit::zeroed().assume_init();
        libc::localtime_r(&raw const seconds, &raw mut tm);
        tm
    };
    let small = |value: i32| u8::try_from(value).unwrap_or(0);
    LocalTime {
        year: tm.tm_year.saturating_add(1900),
        month: small(tm.tm_mon),
        day: small(tm.tm_mday),
        hour: small(tm.tm_hour),
        minute: small(tm.tm_min),
        second: small(tm.tm_sec),
        offset_minutes: i32::try_from(tm.tm_gmtoff / 60).unwrap_or(0),
    }
}
