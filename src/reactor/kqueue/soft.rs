// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the reactor does itself: timers, and user events where the kernel has none.
//!
//! A thread that waits wakes by itself for what it knew when it began. For what came later, and for
//! whoever watches the queue's descriptor, the alarm is set: a kernel timer that fires once.

use super::knote::{Key, Knote, Place};
use super::{AT_ONCE, NEVER, State};
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::filters::timer::{Schedule, WALL_CLOCK_CHECK_NS};
use crate::reactor::handover::last_record;
use crate::reactor::state::Name;
use crate::reactor::triggers::Triggers;
use crate::sys::clock;
use crate::sys::kqueue::{Kernel, Record, ev};
use crate::{Error, Result};

/// The kernel timers' numbers: nobody else has kernel timers.
pub(super) const ALARM: usize = 0;
const WAKE: usize = 1;

fn kernel_timer<K: Kernel>(kernel: &K, ident: usize, flags: u32, delay_ns: u64) {
    let dialect = kernel.dialect();
    // A periodic kernel timer of 0 is refused by some; one that fires late by a unit harms nobody.
    let (fflags, unit_ns) =
        dialect.nanoseconds.map_or((0, 1_000_000), |nanoseconds| (nanoseconds, 1));
    let delay = delay_ns.min(WALL_CLOCK_CHECK_NS).div_ceil(unit_ns).max(1);
    let data = i64::try_from(delay).unwrap_or(i64::MAX);
    let udata = Key::ALARM.0;
    let change = Record { ident, filter: dialect.timer, flags, fflags, data, udata };
    // Without memory for it, what is due is found at the next wait.
    _ = kernel.kevent(&[change], &mut [], Some(0));
}

/// Wakes a thread that waits. Async-signal-safe.
pub(super) fn wake<K: Kernel>(kernel: &K) {
    kernel_timer(kernel, WAKE, ev::ADD | ev::ONESHOT, 0);
}

impl<K: Kernel> State<K> {
    /// When a thread that goes to sleep has to wake for what is known now.
    pub(super) fn next_time(&mut self) -> u64 {
        if !self.active.is_empty() {
            return AT_ONCE;
        }
        let deadline = self.timers.next_deadline().unwrap_or(NEVER);
        let looks = [self.polled.next(), self.vanishing.next()];
        looks.into_iter().flatten().fold(deadline, u64::min)
    }

    /// Sees to it that a sleeping thread, or whoever watches the queue's descriptor, learns of what is
    /// left to do.
    pub(super) fn settle(&mut self) {
        let next = self.next_time();
        let wanted = next != NEVER && (self.watched || self.sleepers.all_oversleep(Some(next)));
        if !wanted {
            if self.alarm.take().is_some() {
                kernel_timer(&*self.kernel, ALARM, ev::DELETE, 0);
            }
        } else if self.alarm != Some(next) {
            // Added again, a timer is set again on some systems only.
            if self.alarm.is_some() {
                kernel_timer(&*self.kernel, ALARM, ev::DELETE, 0);
            }
            self.alarm = Some(next);
            let delay = next.saturating_sub(clock::monotonic_ns());
            kernel_timer(&*self.kernel, ALARM, ev::ADD | ev::ONESHOT, delay);
        }
    }

    pub(super) fn activate(&mut self, key: Key) {
        if let Some(knote) = self.knotes.get_mut(key)
            && knote.enabled
            && !knote.active
        {
            knote.active = true;
            self.active.push_back(key);
        }
    }

    /// Activates the timers that have expired and the user events that were triggered.
    pub(super) fn gather(&mut self, triggers: &Triggers) {
        if !triggers.is_empty() {
            triggers.take(|ident| {
                let name = Name { filter: Filter::USER, ident, udata: None };
                if let Some(key) = self.names.get(&name).copied()
                    && let Some(Knote { place: Place::User { triggered }, .. }) =
                        self.knotes.get_mut(key)
                {
                    *triggered = true;
                    self.activate(key);
                }
            });
        }
        let (polls, asks) = (self.polled.next().is_some(), self.vanishing.next().is_some());
        if self.timers.is_empty() && !polls && !asks {
            return;
        }
        let now = clock::monotonic_ns();
        if polls {
            self.look_at_all(now);
        }
        self.check_vanishing(now);
        while let Some(key) = self.timers.pop_expired(now) {
            if let Some(Knote { place: Place::Timer { alarm, .. }, .. }) = self.knotes.get_mut(key)
            {
                *alarm = None;
                self.schedule_timer(key);
            }
        }
    }

    /// Fills `events` from the active knotes; returns how many.
    pub(super) fn collect_soft(&mut self, events: &mut [Event], triggers: &Triggers) -> usize {
        let mut active = self.active.len();
        let mut count = 0;
        while active > 0
            && let Some(place) = events.get_mut(count)
            && let Some(key) = self.active.pop_front()
        {
            active -= 1;
            if let Some(event) = self.soft_event(key) {
                *place = event;
                count += 1;
                self.delivered(key, &event, triggers);
            }
        }
        count
    }

    fn soft_event(&mut self, key: Key) -> Option<Event> {
        let knote = self.knotes.get_mut(key)?;
        knote.active = false;
        if !knote.enabled {
            return None;
        }
        let mut event = knote.record();
        match &mut knote.place {
            Place::Timer { schedule, .. } => {
                let expirations = schedule.take_expirations(clock::monotonic_ns());
                if expirations == 0 {
                    self.schedule_timer(key);
                    return None;
                }
                event.data = i64::try_from(expirations).unwrap_or(i64::MAX);
            }
            Place::User { triggered } => {
                if !*triggered {
                    return None;
                }
                *triggered = !knote.flags.contains(Flags::CLEAR);
                event.data = knote.data;
            }
            Place::Polled { .. } => return self.polled_event(key),
            Place::Past { .. } => return self.past_event(key),
            Place::Gone(flag) => return Some(last_record(event, *flag)),
            Place::Kernel { .. } => return None,
        }
        Some(event)
    }

    fn delivered(&mut self, key: Key, event: &Event, triggers: &Triggers) {
        if let Some(Knote { place: Place::Polled { told, .. }, .. }) = self.knotes.get_mut(key) {
            *told = true;
        }
        let is_timer = event.filter == Filter::TIMER;
        let once = is_timer && event.fflags & note::ABSOLUTE != 0;
        if once || event.flags.contains(Flags::ONESHOT) {
            if event.filter == Filter::USER && !event.flags.contains(Flags::UDATA_SPECIFIC) {
                triggers.remove(event.ident);
            }
            self.remove(key);
        } else if event.flags.contains(Flags::DISPATCH) {
            if let Some(knote) = self.knotes.get_mut(key) {
                knote.dispatch();
            }
        } else if is_timer {
            self.schedule_timer(key);
        } else if !event.flags.contains(Flags::CLEAR) {
            self.activate(key);
        }
    }

    /// ADD of a timer that is not there.
    pub(super) fn attach_timer(&mut self, change: &Event) -> Result<()> {
        let schedule =
            Schedule::new(change, change.flags.contains(Flags::ONESHOT), clock::monotonic_ns())?;
        let mut knote = Knote::new(change, Place::Timer { schedule, alarm: None });
        knote.flags |= Flags::CLEAR;
        let key = self.attach_soft(knote)?;
        self.schedule_timer(key);
        Ok(())
    }

    /// A knote that the kernel does not get to know.
    pub(super) fn attach_soft(&mut self, knote: Knote) -> Result<Key> {
        let name = knote.name;
        let Some(key) = self.knotes.insert(knote) else { return Err(Error::os(libc::ENOMEM)) };
        self.names.insert(name, key);
        Ok(key)
    }

    /// A change of a timer.
    pub(super) fn update_timer(&mut self, key: Key, change: &Event) -> Result<()> {
        let Some(knote) = self.knotes.get_mut(key) else { return Ok(()) };
        if change.flags.contains(Flags::ADD) {
            let new =
                Schedule::new(change, knote.flags.contains(Flags::ONESHOT), clock::monotonic_ns())?;
            (knote.fflags, knote.data) = (change.fflags, change.data);
            if let Place::Timer { schedule, .. } = &mut knote.place {
                *schedule = new;
            }
        }
        knote.adopt(change);
        self.stop_timer(key);
        self.schedule_timer(key);
        Ok(())
    }

    /// Puts an enabled timer where it belongs: among the deadlines, or among the active if it has
    /// expired.
    fn schedule_timer(&mut self, key: Key) {
        let Some(knote) = self.knotes.get_mut(key) else { return };
        let Place::Timer { schedule, alarm } = &mut knote.place else { return };
        if !knote.enabled || alarm.is_some() {
            return;
        }
        let now = clock::monotonic_ns();
        let remaining = match schedule {
            Schedule::WallClock(_) => schedule.remaining(now).min(WALL_CLOCK_CHECK_NS),
            _ => schedule.remaining(now),
        };
        if remaining == 0 {
            self.activate(key);
        } else {
            *alarm = Some(self.timers.insert(now.saturating_add(remaining), key));
        }
    }

    /// Takes a timer out of the deadlines.
    pub(super) fn stop_timer(&mut self, key: Key) {
        if let Some(Knote { place: Place::Timer { alarm, .. }, .. }) = self.knotes.get_mut(key)
            && let Some(alarm) = alarm.take()
        {
            self.timers.remove(alarm);
        }
    }

    /// ADD of a user event that is not there.
    pub(super) fn attach_user(&mut self, change: &Event, triggers: &Triggers) -> Result<()> {
        let mut knote = Knote::new(change, Place::User { triggered: false });
        knote.fflags = 0;
        if knote.name.udata.is_none() && !triggers.insert(change.ident) {
            return Err(Error::os(libc::ENOMEM));
        }
        let key = self.attach_soft(knote)?;
        self.update_user(key, change);
        Ok(())
    }

    /// A change of a user event.
    pub(super) fn update_user(&mut self, key: Key, change: &Event) {
        let Some(knote) = self.knotes.get_mut(key) else { return };
        knote.operate(change);
        knote.adopt(change);
        let Place::User { triggered } = &mut knote.place else { return };
        *triggered |= change.fflags & note::TRIGGER != 0;
        if *triggered {
            self.activate(key);
        }
    }
}
