// SPDX-License-Identifier: MIT OR Apache-2.0
//! The two clocks, as nanoseconds in 64 bits: good for 584 years.

use std::time::Duration;

/// Nanoseconds of the monotonic clock: for time-outs and intervals.
pub(crate) fn monotonic_ns() -> u64 {
    read(libc::CLOCK_MONOTONIC)
}

/// As [`monotonic_ns`], as of the kernel's last tick where it tells that for less: some milliseconds old.
pub(crate) fn coarse_ns() -> u64 {
    #[cfg(target_os = "linux")]
    let clock = libc::CLOCK_MONOTONIC_COARSE;
    #[cfg(not(target_os = "linux"))]
    let clock = libc::CLOCK_MONOTONIC;
    read(clock)
}

/// Nanoseconds since the epoch by the wall clock, which may jump.
pub(crate) fn realtime_ns() -> u64 {
    read(libc::CLOCK_REALTIME)
}

/// A duration in nanoseconds; what does not fit is as good as for ever.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn read(clock: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid timespec for the call to fill; both clocks exist on every POSIX system.
    unsafe { libc::clock_gettime(clock, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// The time of a wait as the kernel takes it. Longer than it can hold is cut to a century.
pub(super) fn timespec(ns: u64) -> libc::timespec {
    const CENTURY_S: u64 = 100 * 365 * 24 * 3600;
    let duration = Duration::from_nanos(ns);
    let seconds = duration.as_secs().min(CENTURY_S);
    libc::timespec {
        tv_sec: libc::time_t::try_from(seconds).unwrap_or(libc::time_t::MAX),
        tv_nsec: duration.subsec_nanos().cast_signed().into(),
    }
}

/// The time of a wait in milliseconds for calls that know no finer unit: rounded up, so that nobody
/// wakes before the time and spins; -1 is for ever.
#[cfg(not(target_os = "freebsd"))]
pub(super) fn milliseconds_up(timeout_ns: Option<u64>) -> libc::c_int {
    match timeout_ns {
        None => -1,
        Some(ns) => libc::c_int::try_from(ns.div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(target_os = "freebsd"))]
    #[test]
    fn milliseconds_are_rounded_up_and_bounded() {
        assert_eq!(milliseconds_up(None), -1);
        assert_eq!(milliseconds_up(Some(0)), 0);
        assert_eq!(milliseconds_up(Some(1)), 1);
        assert_eq!(milliseconds_up(Some(1_000_001)), 2);
        assert_eq!(milliseconds_up(Some(u64::MAX)), libc::c_int::MAX);
    }

    #[test]
    fn the_monotonic_clock_does_not_go_back() {
        let before = monotonic_ns();
        assert!(monotonic_ns() >= before);
    }
}
