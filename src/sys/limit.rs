// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many descriptors the process may have (getrlimit(2), `RLIMIT_NOFILE`).

use super::fd::check;
use std::io;

/// macOS says that there is no limit, but takes no soft one beyond `OPEN_MAX` of <sys/syslimits.h>
/// (setrlimit(2), COMPATIBILITY).
#[cfg(target_vendor = "apple")]
const MOST: libc::rlim_t = 10_240;
#[cfg(not(target_vendor = "apple"))]
const MOST: libc::rlim_t = libc::RLIM_INFINITY;

/// Raises the soft limit, which shells keep low for the sake of select(2), to the hard one.
pub(crate) fn raise_descriptors() -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes one structure, and the pointer is to one that lives.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    let raised = limit.rlim_max.min(MOST);
    if raised <= limit.rlim_cur {
        return Ok(());
    }
    limit.rlim_cur = raised;
    // SAFETY: it only reads the structure.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit() -> libc::rlimit {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: as above.
        check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }).unwrap();
        limit
    }

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        // Only a little lower, because other tests go on meanwhile.
        let hard = limit().rlim_max;
        let lower = libc::rlimit { rlim_cur: hard.min(MOST) - 1, rlim_max: hard };
        // SAFETY: as above.
        check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const lower) }).unwrap();
        raise_descriptors().unwrap();
        assert_eq!(limit().rlim_cur, hard.min(MOST));
    }
}
