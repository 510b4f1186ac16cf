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
use crate::sys::clock;

/// How late a jump of the wall clock is noticed.
pub(in crate::reactor) const WALL_CLOCK_CHECK_NS: u64 = 1_000_000_000;

/// So many timers are taken from the wheel at once.
const GROUP: usize = 32;

/// One of so many places for events is for timers though others would fill them all.
const SHARE: usize = 4;

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

impl Schedule {
    /// The schedule that an ADD at the time `now` asks for; `once` for ONESHOT.
    pub(in crate::reactor) fn new(change: &Event, once: bool, now: u64) -> Result<Self> {
        let (time, unit_ns) = time(change.fflags, change.data)?;
        if change.fflags & note::ABSOLUTE != 0 {
            return Ok(Self::WallClock(time));
        }
        let period = if once { time } else { time.max(unit_ns) };
        let next = now.saturating_add(period);
        Ok(if once { Self::Once(next) } else { Self::Periodic { next, period } })
    }

    /// The schedule of a knote for which the wheel has that deadline.
    fn of(knote: &Knote, deadline: u64) -> Self {
        let FilterState::Timer { data } = knote.state else { return Self::Once(deadline) };
        match time(knote.fflags, data) {
            Ok((time, _)) if knote.fflags & note::ABSOLUTE != 0 => Self::WallClock(time),
            Ok((time, unit_ns)) if !knote.flags.contains(Flags::ONESHOT) => {
                Self::Periodic { next: deadline, period: time.max(unit_ns) }
            }
            _ => Self::Once(deadline),
        }
    }

    /// When to look whether it has expired.
    fn deadline(self, now: u64) -> u64 {
        match self {
            Self::Periodic { next, .. } | Self::Once(next) => next,
            Self::WallClock(_) => now.saturating_add(self.remaining(now).min(WALL_CLOCK_CHECK_NS)),
        }
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

/// Whether a change gives a time.
pub(super) fn sets_time(change: &Event) -> bool {
    change.flags.contains(Flags::ADD) || change.fflags & note::RESTART != 0
}

/// The time and the unit that a change gives by its `fflags` and `data`, in nanoseconds. More than 64 bits hold is as good as
/// never.
pub(super) fn time(fflags: u32, data: i64) -> Result<(u64, u64)> {
    if fflags & note::MACHTIME != 0 {
        return Err(unsupported(
            "TIMER: the ticks of NOTE_MACHTIME are those of one Mac; give nanoseconds, NOTE_NSECONDS",
        ));
    }
    let unit_ns: u64 = match fflags & UNITS {
        0 | note::MSECONDS => 1_000_000,
        note::SECONDS => 1_000_000_000,
        note::USECONDS => 1_000,
        note::NSECONDS => 1,
        _ => return Err(invalid("TIMER: more than one unit is given")),
    };
    if fflags & !(UNITS | OTHERS | note::RESTART) != 0 {
        return Err(invalid("TIMER: fflags has bits that mean nothing for a timer"));
    }
    let count = u64::try_from(data).map_err(|_| invalid("TIMER: the time in data is negative"))?;
    Ok((count.saturating_mul(unit_ns), unit_ns))
}

impl<P: Poller> State<P> {
    /// ADD of a knote that is not there.
    pub(in crate::reactor) fn attach_timer(&mut self, change: &Event) -> Result<()> {
        let schedule = Schedule::new(change, change.flags.contains(Flags::ONESHOT), self.now())?;
        let mut knote = Knote::new(change, FilterState::Timer { data: change.data });
        knote.flags |= Flags::CLEAR;
        let enabled = knote.enabled;
        let id = self.knotes.insert(knote);
        self.names.insert(Name::of(change), id);
        self.place_timer(id, schedule, enabled);
        Ok(())
    }

    /// A change of a knote that is there. `udata` and `enabled` are as they shall be.
    pub(in crate::reactor) fn update_timer(&mut self, id: KnoteId, change: &Event) -> Result<()> {
        let now = self.now();
        let Some(knote) = self.knotes.get_mut(id) else { return Ok(()) };
        let schedule = if sets_time(change) {
            knote.fflags = change.fflags & !note::RESTART;
            knote.state = FilterState::Timer { data: change.data };
            Schedule::new(change, knote.flags.contains(Flags::ONESHOT), now)?
        } else {
            Schedule::of(knote, self.timers.deadline(id.number()))
        };
        let enabled = knote.enabled;
        self.place_timer(id, schedule, enabled);
        Ok(())
    }

    /// Puts an enabled timer where it belongs: into the wheel, or among the active if it has expired.
    pub(in crate::reactor) fn schedule_timer(&mut self, id: KnoteId) {
        let Some(knote) = self.knotes.get(id) else { return };
        if knote.enabled && !self.timers.contains(id.number()) {
            let schedule = Schedule::of(knote, self.timers.deadline(id.number()));
            self.place_timer(id, schedule, true);
        }
    }

    fn place_timer(&mut self, id: KnoteId, schedule: Schedule, enabled: bool) {
        let now = self.now();
        let expired = schedule.remaining(now) == 0;
        let deadline = schedule.deadline(now);
        if enabled && !expired {
            self.timers.insert(id.number(), deadline);
        } else {
            self.timers.keep(id.number(), deadline);
        }
        if expired {
            self.knotes.activate(id);
        }
    }

    /// Forgets a knote.
    pub(in crate::reactor) fn detach_timer(&mut self, id: KnoteId) {
        self.timers.remove(id.number());
        self.remove_named(id);
    }

    /// Activates timers that have expired, while fewer than `room` knotes are active; and, so that those
    /// that are always ready do not starve them, a share of the room beyond that.
    pub(in crate::reactor) fn expire_timers(&mut self, now: u64, room: usize) {
        let free = room.saturating_sub(self.knotes.active());
        let mut left = free.max(room.div_ceil(SHARE));
        let mut numbers = [0; GROUP];
        while left > 0 {
            let mut count = 0;
            while count < GROUP.min(left)
                && let Some(number) = self.timers.pop_expired(now)
            {
                self.knotes.prefetch(number);
                numbers[count] = number;
                count += 1;
            }
            for number in &numbers[..count] {
                if let Some(id) = self.knotes.id(*number) {
                    self.schedule_timer(id);
                    self.foresee_end(id);
                }
            }
            if count == 0 {
                return;
            }
            left -= count;
        }
    }

    /// Has fetched what is needed to delete a timer that ends with its event.
    fn foresee_end(&self, id: KnoteId) {
        let knote = self.knotes.get(id).filter(|it| it.flags.contains(Flags::ONESHOT));
        knote.iter().for_each(|knote| self.names.prefetch(&Name::of(&knote.record())));
    }

    /// The event of an active knote, if it has expired.
    pub(in crate::reactor) fn collect_timer(&mut self, id: KnoteId) -> Option<Event> {
        let now = self.now();
        let knote = self.knotes.get(id)?;
        let mut event = knote.record();
        let mut schedule = Schedule::of(knote, self.timers.deadline(id.number()));
        let expirations = schedule.take_expirations(now);
        if expirations == 0 {
            self.schedule_timer(id);
            return None;
        }
        self.timers.keep(id.number(), schedule.deadline(now));
        event.data = i64::try_from(expirations).unwrap_or(i64::MAX);
        Some(event)
    }
}
