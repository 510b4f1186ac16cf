// SPDX-License-Identifier: MIT OR Apache-2.0
//! Knotes whose next event no kernel announces: they are looked at whenever a thread begins to wait, and
//! while there are some, a wait is cut into ticks so that what other threads do is noticed.
//!
//! That is so for CLEAR on poll and select, which know levels only. After a delivery the knote is
//! latched. It is released when it was seen unready, has more to read than when last seen, or has come
//! to its end. A reader that took everything, after which as much came again, cannot be told apart from
//! one that took nothing. Losing an event would be worse than repeating one, so after
//! [`REPEAT_NS`] a latched knote that is still ready is reported once more, and each time after twice
//! as long.
//!
//! It is also so for a low-water mark that has not been reached, where the kernel would report the
//! descriptor as ready all the time, for what the poller cannot tell at all (see `condition`), and for a
//! socket that is not connected yet.

use super::condition::{Condition, is_announced};
use super::descriptor::report_to;
use crate::reactor::event::Filter;
use crate::reactor::knote::{FilterState, KnoteId};
use crate::reactor::poller::{Outcome, Poller, Readiness};
use crate::reactor::state::State;
use crate::sys::{clock, fd};
use std::os::fd::RawFd;

/// How long a wait is at most while there are latched knotes.
pub(in crate::reactor) const TICK_NS: u64 = 10_000_000;
/// After how long a latched knote that is still ready is reported again for the first time.
const REPEAT_NS: u64 = 200_000_000;
/// The longest time between such repetitions.
const REPEAT_MAX_NS: u64 = 60_000_000_000;

/// Why a knote is latched.
#[derive(Clone, Copy, Debug)]
pub(in crate::reactor) enum Latch {
    /// It was delivered with CLEAR.
    Edge,
    /// It has less than its low-water mark.
    Mark,
    /// Its condition does not hold, and the poller would not tell if it did.
    Unannounced,
    /// The poller reports a hang-up of the socket all the time, since it is not connected.
    Unconnected,
}

/// What is known of a knote with CLEAR that only a level is told of.
#[derive(Debug, Default)]
pub(in crate::reactor) struct Edge {
    /// How much there was when last seen, and whether the end was.
    count: i64,
    end: bool,
    /// When to doubt that.
    repeat_at: u64,
    /// For how long the next latch may hold what is still ready.
    patience_ns: u64,
}

/// What to do with a latched knote.
#[derive(PartialEq, Eq)]
enum Verdict {
    Keep,
    Release,
    Report,
}

impl<P: Poller> State<P> {
    /// A CLEAR knote was delivered by a poller without edges.
    pub(super) fn latch_edge(&mut self, id: KnoteId, end: bool) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let Ok(fd) = RawFd::try_from(knote.ident) else { return };
        let count = seen(fd, Condition::of(knote), knote.filter);
        let FilterState::Descriptor(state) = &mut knote.state else { return };
        let edge = &mut state.details.get_or_insert_default().edge;
        (edge.count, edge.end) = (count, end);
        edge.repeat_at = clock::monotonic_ns().saturating_add(edge.patience_ns.max(REPEAT_NS));
        self.set_latch(id, Latch::Edge);
    }

    /// A knote was ready, but has less than its low-water mark.
    pub(super) fn below_mark(&mut self, id: KnoteId) {
        let Some(knote) = self.knotes.get(id) else { return };
        // Edge-triggered epoll reports each arrival; of growing room to write nobody tells.
        if !P::IN_KERNEL || knote.filter == Filter::WRITE {
            self.set_latch(id, Latch::Mark);
        }
    }

    /// A knote that the poller does not report was found not to be ready.
    pub(super) fn look_for_later(&mut self, id: KnoteId) {
        self.set_latch(id, Latch::Unannounced);
    }

    /// A socket is not connected yet: nothing of it is told before it is.
    pub(super) fn await_connection(&mut self, fd: RawFd) {
        let Some(entry) = self.descriptors.get(fd) else { return };
        for id in entry.knotes().collect::<Vec<_>>() {
            let knote = self.knotes.get(id);
            if knote.is_some_and(|it| it.enabled && is_announced::<P>(it.filter)) {
                self.set_latch(id, Latch::Unconnected);
            }
        }
    }

    fn set_latch(&mut self, id: KnoteId, latch: Latch) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let FilterState::Descriptor(state) = &mut knote.state else { return };
        let Ok(fd) = RawFd::try_from(knote.ident) else { return };
        if state.latch.replace(latch).is_none() {
            self.latched.push(id);
            self.register_or_vanish(fd);
        }
    }

    /// Lets the poller report a knote again. The registration is still to be made.
    pub(super) fn unlatch(&mut self, id: KnoteId) {
        if let Some(knote) = self.knotes.get_mut(id)
            && let FilterState::Descriptor(state) = &mut knote.state
            && state.latch.take().is_some()
        {
            self.latched.retain(|latched| *latched != id);
        }
    }

    /// Looks at all latched knotes and activates those that have an event.
    pub(in crate::reactor) fn check_latches(&mut self, now: u64) {
        let mut place = 0;
        while let Some(id) = self.latched.get(place).copied() {
            self.check_latch(id, now);
            if self.latched.get(place) == Some(&id) {
                place += 1;
            }
        }
    }

    fn check_latch(&mut self, id: KnoteId, now: u64) {
        let Some(knote) = self.knotes.get(id) else { return };
        let Ok(fd) = RawFd::try_from(knote.ident) else { return };
        let (filter, condition) = (knote.filter, Condition::of(knote));
        let readiness = self.look(fd, condition);
        let ready = condition.is_ready(readiness);
        if readiness.contains(Readiness::GONE) {
            return self.vanish(fd);
        }
        let Some(FilterState::Descriptor(state)) = self.knotes.state_mut(id) else { return };
        let verdict = match state.latch {
            None => Verdict::Keep,
            Some(Latch::Unconnected) if fd::is_unconnected(fd) => Verdict::Keep,
            Some(Latch::Unconnected) => Verdict::Release,
            Some(Latch::Unannounced) if ready => Verdict::Report,
            Some(Latch::Unannounced) => Verdict::Keep,
            Some(_) if !ready && !is_announced::<P>(filter) => {
                state.latch = Some(Latch::Unannounced);
                Verdict::Keep
            }
            Some(_) if !ready => Verdict::Release,
            Some(Latch::Mark) if beats_mark(readiness) || condition.count(fd) >= state.mark() => {
                Verdict::Report
            }
            Some(Latch::Mark) => Verdict::Keep,
            Some(Latch::Edge) => {
                let edge = &mut state.details.get_or_insert_default().edge;
                let before = std::mem::replace(&mut edge.count, seen(fd, condition, filter));
                let news = edge.count > before || is_over(readiness) && !edge.end;
                let doubt = now >= edge.repeat_at;
                edge.patience_ns = match news {
                    true => REPEAT_NS,
                    false if doubt => (edge.patience_ns.max(REPEAT_NS) * 2).min(REPEAT_MAX_NS),
                    false => edge.patience_ns,
                };
                if news || doubt { Verdict::Report } else { Verdict::Keep }
            }
        };
        if verdict == Verdict::Keep {
            return;
        }
        self.unlatch(id);
        self.register_or_vanish(fd);
        if verdict == Verdict::Report {
            report_to(&mut self.knotes, id, readiness, self.turn);
        }
    }

    fn register_or_vanish(&mut self, fd: RawFd) {
        if !matches!(self.register(fd, false), Ok(Outcome::Done)) {
            self.vanish(fd);
        }
    }
}

const fn is_over(readiness: Readiness) -> bool {
    readiness.intersects(Readiness::READ_EOF.union(Readiness::HANGUP).union(Readiness::ERROR))
}

/// Whether there is something to tell though the low-water mark has not been reached.
const fn beats_mark(readiness: Readiness) -> bool {
    is_over(readiness) || readiness.contains(Readiness::URGENT)
}

/// What of a knote grows when something new has come.
fn seen(fd: RawFd, condition: Condition, filter: Filter) -> i64 {
    if filter == Filter::READ { condition.count(fd) } else { 0 }
}
