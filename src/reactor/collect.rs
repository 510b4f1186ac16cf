// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events coming out: active knotes are looked at, and what delivery does to them is done.

use super::event::{Event, Filter, Flags};
use super::filters::timer;
use super::knote::{FilterState, KnoteId};
use super::poller::Poller;
use super::state::State;
use super::triggers::Triggers;
use std::os::fd::RawFd;

/// What delivery does to a knote.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delete,
    Disable,
    Stay,
}

impl<P: Poller> State<P> {
    /// Activates everything that the kernel does not report: timers, triggers and latched knotes.
    pub(super) fn gather(&mut self, triggers: &Triggers, now: u64) {
        self.take_triggers(triggers);
        if !self.timers.is_empty() {
            self.expire_timers(now);
        }
        if !self.latched.is_empty() {
            self.check_latches(now);
        }
    }

    /// Fills `events` from the queue of active knotes; returns how many. A knote that stays ready goes
    /// to the end of the queue and is not met again in the same collection.
    pub(super) fn collect(&mut self, events: &mut [Event], triggers: &Triggers) -> usize {
        let mut active = self.knotes.active();
        let mut count = 0;
        while active > 0
            && let Some(place) = events.get_mut(count)
            && let Some(id) = self.knotes.next_active()
        {
            active -= 1;
            if let Some(event) = self.look_at(id) {
                *place = event;
                count += 1;
                self.delivered(id, &event, triggers);
            }
        }
        self.turn += 1;
        count
    }

    fn look_at(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get(id)?;
        if !knote.enabled {
            return None;
        }
        match knote.state {
            FilterState::Descriptor(_) => self.collect_descriptor(id),
            FilterState::Timer(_) => self.collect_timer(id),
            FilterState::User(_) => self.collect_user(id),
        }
    }

    fn delivered(&mut self, id: KnoteId, event: &Event, triggers: &Triggers) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let once = event.filter == Filter::TIMER && timer::is_once(knote);
        let fate = if once || knote.flags.contains(Flags::ONESHOT) {
            Fate::Delete
        } else if knote.flags.contains(Flags::DISPATCH) {
            knote.enabled = false;
            Fate::Disable
        } else {
            Fate::Stay
        };
        let fd = RawFd::try_from(event.ident).unwrap_or(-1);
        match (event.filter, fate) {
            (Filter::TIMER, Fate::Delete) => _ = self.remove_named(id),
            (Filter::TIMER, Fate::Disable) => {}
            (Filter::TIMER, Fate::Stay) => self.schedule_timer(id),
            (Filter::USER, Fate::Delete) => self.detach_user(id, triggers),
            (Filter::USER, Fate::Disable) => {}
            (Filter::USER, Fate::Stay) => {
                if !event.flags.contains(Flags::CLEAR) {
                    self.knotes.activate(id);
                }
            }
            (_, Fate::Delete) => {
                self.remove_descriptor(fd, id);
                self.silence_descriptor(fd);
            }
            (_, Fate::Disable) => self.silence_descriptor(fd),
            (_, Fate::Stay) => self.delivered_descriptor(id, event),
        }
    }
}
