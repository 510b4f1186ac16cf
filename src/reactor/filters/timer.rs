// SPDX-License-Identifier: MIT OR Apache-2.0
//! TIMER: time has passed.
//!
//! A periodic timer stands in the wheel until it expires and then again once its event was collected;
//! how often it expired in between is computed from the clock, so an uncollected or disabled timer
//! wakes nobody and does not drift. An absolute timer follows the wall clock: it stands in the wheel
//! for [`WALL_CLOCK_CHECK_NS`] at most and looks then how far it is.

use super::{invalid, unsupported};
use crate::Result;
use crate::reactor::event::{Event, Flags, note};
use crate::reactor::knote::{FilterState, Knote, KnoteId};
use crate::reactor::poller::Poller;
use crate::reactor::state::{Name, State};
use crate::reactor::timers::TimerKey;
use crate::sys::clock;

/// How late a jump of the wall clock is noticed.
pub(in crate::reactor) const WALL_CLOCK_CHECK_NS: u64 = 1_000_000_000;

/// When a timer expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Schedule {
    /// First at `next` and then after each `period`, nanoseconds of the monotonic clock.
    Periodic { next: u64, period: u64 },
    /// Once at that time of the monotonic clock.
    Once(u64),
    /// Once at that time of the wall clock.
    WallClock(u64),
}

/// A timer's schedule and its place in the wheel.
#[derive(Debug)]
pub(in crate::reactor) struct TimerState {
    schedule: Schedule,
    key: Option<TimerKey>,
}

impl Schedule {
    /// The schedule that an ADD asks for; `once` for ONESHOT.
    pub(in crate::reactor) fn new(change: &Event, once: bool) -> Result<Self> {
        let (time, unit_ns) = time(change)?;
        if change.fflags & note::ABSOLUTE != 0 {
            return Ok(Self::WallClock(time));
        }
        let period = if once { time } else { time.max(unit_ns) };
        let next = clock::monotonic_ns().saturating_add(period);
        Ok(if once { Self::Once(next) } else { Self::Periodic { next, period } })
    }

    /// How long it is until the timer expires; 0 if it has.
    pub(in crate::reactor) fn remaining(self, now: u64) -> u64 {
        match self {
            Self::Periodic { next, .. } | Self::Once(next) => next.saturating_sub(now),
            Self::WallClock(time) => time.saturating_sub(clock::realtime_ns()),
        }
    }

    /// Counts the expirations up to now and moves on behind them.
    pub(in crate::reactor) fn take_expirations(&mut self, now: u64) -> u64 {
        match self {
            Self::Periodic { next, period } if *next <= now => {
                let expirations = 1 + (now - *next) / *period;
                *next = next.saturating_add(expirations.saturating_mul(*period));
                expirations
            }
            _ => u64::from(self.remaining(now) == 0),
        }
    }
}

const UNITS: u32 = note::SECONDS | note::MSECONDS | note::USECONDS | note::NSECONDS;
const OTHERS: u32 = note::ABSOLUTE | note::CRITICAL | note::BACKGROUND | note::LEEWAY;

/// The time and the unit that a change gives, in nanoseconds. More than 64 bits hold is as good as
/// never.
pub(super) fn time(change: &Event) -> Result<(u64, u64)> {
    if change.fflags & note::MACHTIME != 0 {
        return Err(unsupported(
            "TIMER: the ticks of NOTE_MACHTIME are those of one Mac; give nanoseconds, NOTE_NSECONDS",
        ));
    }
    let unit_ns: u64 = match change.fflags & UNITS {
        0 | note::MSECONDS => 1_000_000,
        note::SECONDS => 1_000_000_000,
        note::USECONDS => 1_000,
        note::NSECONDS => 1,
        _ => return Err(invalid("TIMER: more than one unit is given")),
    };
    if change.fflags & !(UNITS | OTHERS) != 0 {
        return Err(invalid("TIMER: fflags has bits that mean nothing for a timer"));
    }
    let count =
        u64::try_from(change.data).map_err(|_| invalid("TIMER: the time in data is negative"))?;
    Ok((count.saturating_mul(unit_ns), unit_ns))
}

impl TimerState {
    /// Whether the timer ends with its first event.
    pub(in crate::reactor) const fn is_once(&self) -> bool {
        matches!(self.schedule, Schedule::WallClock(_))
    }
}

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there.
    pub(in crate::reactor) fn attach_timer(&mut self, change: &Event) -> Result<()> {
        let schedule = Schedule::new(change, change.flags.contains(Flags::ONESHOT))?;
        let state = FilterState::Timer(TimerState { schedule, key: None });
        let mut knote = Knote::new(change, state);
        knote.flags |= Flags::CLEAR;
        let id = self.knotes.insert(knote);
        self.names.insert(Name::of(change), id);
        self.schedule_timer(id);
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_timer(&mut self, id: KnoteId, change: &Event) -> Result<()> {
        let Some(knote) = self.knotes.get_mut(id) else { return Ok(()) };
        if change.flags.contains(Flags::ADD) {
            let schedule = Schedule::new(change, knote.flags.contains(Flags::ONESHOT))?;
            (knote.fflags, knote.data) = (change.fflags, change.data);
            if let FilterState::Timer(state) = &mut knote.state {
                state.schedule = schedule;
            }
        }
        self.stop_timer(id);
        self.schedule_timer(id);
        Ok(())
    }

    /// Puts an enabled timer where it belongs: into the wheel, or among the active if it has expired.
    pub(in crate::reactor) fn schedule_timer(&mut self, id: KnoteId) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let FilterState::Timer(state) = &mut knote.state else { return };
        if !knote.enabled || state.key.is_some() {
            return;
        }
        let now = clock::monotonic_ns();
        let remaining = match state.schedule {
            Schedule::WallClock(_) => state.schedule.remaining(now).min(WALL_CLOCK_CHECK_NS),
            _ => state.schedule.remaining(now),
        };
        if remaining == 0 {
            self.knotes.activate(id);
        } else {
            state.key = Some(self.timers.insert(now.saturating_add(remaining), id));
        }
    }

    /// Takes a timer out of the wheel.
    pub(in crate::reactor) fn stop_timer(&mut self, id: KnoteId) {
        if let Some(knote) = self.knotes.get_mut(id)
            && let FilterState::Timer(state) = &mut knote.state
            && let Some(key) = state.key.take()
        {
            self.timers.remove(key);
        }
    }

    /// Activates the timers that have expired.
    pub(in crate::reactor) fn expire_timers(&mut self, now: u64) {
        while let Some(id) = self.timers.pop_expired(now) {
            if let Some(knote) = self.knotes.get_mut(id)
                && let FilterState::Timer(state) = &mut knote.state
            {
                state.key = None;
                self.schedule_timer(id);
            }
        }
    }

    /// The event of an active knote, if it has expired.
    pub(in crate::reactor) fn collect_timer(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get_mut(id)?;
        let mut event = knote.record();
        let FilterState::Timer(state) = &mut knote.state else { return None };
        let expirations = state.schedule.take_expirations(clock::monotonic_ns());
        if expirations == 0 {
            self.schedule_timer(id);
            return None;
        }
        event.data = i64::try_from(expirations).unwrap_or(i64::MAX);
        Some(event)
    }
}
