// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events coming out: active knotes are looked at, and what delivery does to them is done.

use super::event::{Event, Flags};
use super::handover::Handover;
use super::knote::{FilterState, KnoteId};
use super::poller::Poller;
use super::state::State;
use super::triggers::Triggers;
use std::os::fd::RawFd;

impl<P: Poller> State<P> {
    /// Activates everything that the poller does not report; of timers as many as there is `room` for
    /// events, which spares the others a second visit.
    pub(super) fn gather(&mut self, triggers: &Triggers, now: u64, room: usize) {
        self.take_triggers(triggers);
        self.take_notices();
        if self.signals.are_watched() {
            self.count_signals();
        }
        if !self.timers.is_empty() {
            self.expire_timers(now, room);
        }
        if !self.latched.is_empty() {
            self.check_latches(now);
        }
        if !self.vanishing.is_empty() {
            self.check_vanishing(now);
        }
        if !self.files.is_empty() {
            self.check_files();
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
        self.turn = self.turn.wrapping_add(1).max(1);
        count
    }

    fn look_at(&mut self, id: KnoteId) -> Option<Event> {
        let knote = self.knotes.get(id)?;
        if !knote.enabled {
            return None;
        }
        match knote.state {
            FilterState::Descriptor(_) => self.collect_descriptor(id),
            FilterState::File(_) => self.collect_file(id),
            FilterState::Vnode(_) => self.collect_vnode(id),
            FilterState::Timer { .. } => self.collect_timer(id),
            FilterState::Signal(_) => self.collect_signal(id),
            FilterState::Process(_) => self.collect_process(id),
            FilterState::User { .. } => self.collect_user(id),
            FilterState::Gone(flag) => self.collect_gone(id, flag),
        }
    }

    fn delivered(&mut self, id: KnoteId, event: &Event, triggers: &Triggers) {
        let Some(knote) = self.knotes.get_mut(id) else { return };
        let fd = RawFd::try_from(event.ident).unwrap_or(-1);
        if knote.flags.contains(Flags::ONESHOT) || knote.is_over() {
            return self.discard(id, fd, triggers);
        }
        let stays = !knote.flags.contains(Flags::DISPATCH);
        knote.enabled = stays;
        knote.handover = if stays { Handover::None } else { Handover::Delivered };
        match knote.state {
            FilterState::Descriptor(_) if stays => self.delivered_descriptor(id, event),
            FilterState::Descriptor(_) => self.silence_descriptor(fd),
            FilterState::File(_) => self.delivered_file(id, event),
            FilterState::Timer { .. } => self.schedule_timer(id),
            FilterState::Signal(_) | FilterState::Process(_) | FilterState::Gone(_) => {}
            FilterState::User { .. } | FilterState::Vnode(_) => {
                if stays && !event.flags.contains(Flags::CLEAR) {
                    self.knotes.activate(id);
                }
            }
        }
    }

    /// Deletes a knote that was delivered for the last time.
    fn discard(&mut self, id: KnoteId, fd: RawFd, triggers: &Triggers) {
        let Some(knote) = self.knotes.get(id) else { return };
        match knote.state {
            FilterState::Timer { .. } => self.detach_timer(id),
            FilterState::Signal(_) => self.detach_signal(id),
            FilterState::Process(_) => self.detach_process(id),
            FilterState::User { .. } => self.detach_user(id, triggers),
            FilterState::Gone(_) => _ = self.knotes.remove(id),
            FilterState::Descriptor(_) | FilterState::File(_) | FilterState::Vnode(_) => {
                self.remove_descriptor(fd, id);
                self.silence_descriptor(fd);
            }
        }
    }
}
