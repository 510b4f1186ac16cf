// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a number still names the file that was registered under it.
//!
//! A kernel that keeps the set watches files, not numbers. It goes on reporting a number that was closed
//! while its file stays open elsewhere (`dup`, a forked child), even if the number names another file by
//! now. No such report is to be delivered, but asking for each costs a system call. So a report is
//! verified
//!
//! - if the wait brought few,
//! - if it is the first one of a registration, or tells an end or an error,
//! - if the wait before reported the number as well: a level that nobody takes away any more,
//! - or if the number was verified too long ago.
//!
//! So in waits that bring many, one event of a number may be delivered that was closed since. The pollers
//! whose sets are kept here verify each report by themselves.

use super::poller::{Batch, Readiness};
use crate::sys::clock;

/// Up to so many reports of one wait are all verified.
const FEW: usize = 8;
/// Numbers are believed in waits that bring more until the next such time is over.
const PERIOD_NS: u64 = 100_000_000;

/// What the owner of the descriptors does before closing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// Calls `forget`: nothing has to be verified.
    Announced,
    /// Nothing, as `kevent(2)` allows.
    Unannounced,
}

/// Which reports of one wait are verified.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verification {
    None,
    All,
    /// Those in doubt, in this period of the coarse clock and in this collection.
    Doubtful {
        period: u32,
        turn: u32,
    },
}

/// What is remembered of a registered number, from its registration on.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// In which period it was verified; 0: not yet.
    verified_in: u32,
    /// In which collection it was last reported.
    reported_in: u32,
}

impl Verification {
    pub(super) fn of(batch: &impl Batch, closing: Closing, turn: u32) -> Self {
        match closing {
            Closing::Announced => Self::None,
            Closing::Unannounced if batch.ready().nth(FEW).is_none() => Self::All,
            Closing::Unannounced => Self::Doubtful { period: period(clock::coarse_ns()), turn },
        }
    }

    /// Whether a report of a number is to be verified, which is taken for done.
    pub(super) fn is_due(self, seen: &mut Seen, readiness: Readiness) -> bool {
        let (period, turn) = match self {
            Self::None => return false,
            Self::All => return true,
            Self::Doubtful { period, turn } => (period, turn),
        };
        let ends = Readiness::READ_EOF | Readiness::HANGUP | Readiness::ERROR;
        let due = period != seen.verified_in
            || turn == seen.reported_in.wrapping_add(1)
            || readiness.intersects(ends);
        *seen = Seen { verified_in: period, reported_in: turn };
        due
    }
}

/// The number of the period in which a time lies; none is 0.
fn period(ns: u64) -> u32 {
    let number = ns / PERIOD_NS % u64::from(u32::MAX);
    1 + u32::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_those_in_doubt_are_verified() {
        let mut seen = Seen::default();
        let mut is_due = |ns, turn, readiness| {
            Verification::Doubtful { period: period(ns), turn }.is_due(&mut seen, readiness)
        };
        assert!(is_due(0, 7, Readiness::READ), "the first report");
        assert!(!is_due(PERIOD_NS - 1, 9, Readiness::READ));
        assert!(is_due(PERIOD_NS - 1, 10, Readiness::READ), "the wait before reported it, too");
        assert!(is_due(PERIOD_NS - 1, 12, Readiness::HANGUP), "an end");
        assert!(is_due(PERIOD_NS, 14, Readiness::READ), "another period");
        assert!(!is_due(PERIOD_NS, 16, Readiness::READ));
    }
}
