// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many descriptors the process may have (getrlimit(2), `RLIMIT_NOFILE`).

use super::fd::check;
use std::io;

fn descriptors() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: it writes one structure, and the pointer is to one that lives.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(limit)
}

fn set_descriptors(limit: &libc::rlimit) -> io::Result<()> {
    // SAFETY: it only reads the structure.
    check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const *limit) }).map(drop)
}

/// The highest soft limit that this hard one allows. macOS takes none beyond `OPEN_MAX` of
/// <sys/syslimits.h>, although it says that there is no hard one (setrlimit(2), COMPATIBILITY).
fn highest(hard: libc::rlim_t) -> libc::rlim_t {
    if cfg!(target_vendor = "apple") { hard.min(10_240) } else { hard }
}

/// Raises the soft limit, which shells keep low for the sake of select(2).
pub(crate) fn raise_descriptors() -> io::Result<()> {
    let limit = descriptors()?;
    let raised = highest(limit.rlim_max);
    if raised <= limit.rlim_cur {
        return Ok(());
    }
    set_descriptors(&libc::rlimit { rlim_cur: raised, ..limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_as_high_as_may_be() {
        let hard = descriptors().unwrap().rlim_max;
        // Only a little lower, because other tests go on meanwhile.
        let lower = libc::rlimit { rlim_cur: highest(hard) - 1, rlim_max: hard };
        set_descriptors(&lower).unwrap();
        raise_descriptors().unwrap();
        assert_eq!(descriptors().unwrap().rlim_cur, highest(hard));
    }
}
