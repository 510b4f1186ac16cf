// SPDX-License-Identifier: MIT OR Apache-2.0
//! Events coming out of the kernel.

use super::knote::{Key, Place};
use super::{State, numbers, soft};
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::state::Name;
use crate::sys::kqueue::{BATCH, Kernel, Record, ev};

impl<K: Kernel> State<K> {
    /// Turns the kernel's records into events; returns how many. There are not more records than `room`.
    pub(super) fn collect_all(&mut self, records: &[Record], room: &mut [Event]) -> usize {
        let mut count = 0;
        for (done, record) in records.iter().enumerate() {
            let is_group =
                Key(record.udata) == Key::GROUP && record.filter == self.kernel.dialect().read;
            if is_group {
                // The records that are still to come keep their places.
                let free = room.len() - count - (records.len() - done - 1);
                let place = room.get_mut(count..count + free).unwrap_or_default();
                count += self.collect_group(record, place);
            } else if let Some(event) = self.collect(record, None)
                && let Some(place) = room.get_mut(count)
            {
                *place = event;
                count += 1;
            }
        }
        count
    }

    fn collect_group(&mut self, record: &Record, room: &mut [Event]) -> usize {
        let Some((udata, queue)) = self.groups.find(record) else { return 0 };
        let mut records = [Record::default(); BATCH];
        let wanted = room.len().min(BATCH);
        let found = queue.kevent(&[], &mut records[..wanted], Some(0)).unwrap_or(0);
        let mut count = 0;
        for record in &records[..found.min(wanted)] {
            if let Some(event) = self.collect(record, Some(udata))
                && let Some(place) = room.get_mut(count)
            {
                *place = event;
                count += 1;
            }
        }
        count
    }

    /// The event that a record of the kernel means, if its knote is still there.
    fn collect(&mut self, record: &Record, udata: Option<usize>) -> Option<Event> {
        let dialect = self.kernel.dialect();
        if record.filter == dialect.timer {
            if record.ident == soft::ALARM {
                self.alarm = None;
            }
            return None;
        }
        let key = if record.filter == dialect.user {
            // A trigger by number overwrites the kernel's udata.
            *self.names.get(&Name { filter: Filter::USER, ident: record.ident, udata })?
        } else {
            Key(record.udata)
        };
        let knote = self.knotes.get(key)?;
        let event = numbers::event(knote, record, dialect);
        if knote.has_mark() {
            return self.collect_marked(key, event);
        }
        let ends = event.filter == Filter::PROC && event.fflags & note::EXIT != 0;
        let knote = self.knotes.get_mut(key)?;
        if ends || event.flags.contains(Flags::ONESHOT) {
            match &mut knote.place {
                Place::Kernel { lives } if *lives > 1 => *lives -= 1,
                _ => self.remove(key),
            }
        } else if event.flags.contains(Flags::DISPATCH) {
            knote.dispatch();
        }
        Some(event)
    }

    /// The event of a knote with a low-water mark, if the mark is reached.
    fn collect_marked(&mut self, key: Key, event: Event) -> Option<Event> {
        let knote = self.knotes.get_mut(key)?;
        if !knote.enabled || (event.data < knote.data && !event.flags.contains(Flags::EOF)) {
            return None;
        }
        if event.flags.contains(Flags::ONESHOT) {
            // The descriptor may have been closed meanwhile, and with it the knote.
            _ = self.tell(key, ev::DELETE);
            self.remove(key);
        } else if event.flags.contains(Flags::DISPATCH) {
            knote.dispatch();
            _ = self.tell(key, ev::DISABLE);
        } else if !event.flags.contains(Flags::CLEAR) {
            // The kernel looks again, as it does at any level-triggered knote.
            _ = self.tell(key, ev::ENABLE);
        }
        Some(event)
    }
}
