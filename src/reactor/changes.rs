// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes going in: the rules that all filters share, and the records that answer changes.

use super::event::{Event, Filter, Flags};
use super::filters::{self, descriptor};
use super::knote::{FilterState, KnoteId};
use super::poller::Poller;
use super::state::{Name, State};
use super::triggers::Triggers;
use crate::{Error, Result};

/// Up to so many names, the processor's cache holds all there is to them.
const MANY: usize = 4096;
/// For so many changes memory is fetched at once.
const GROUP: usize = 32;

/// The records that answer changes.
struct Answers<'a> {
    room: std::slice::IterMut<'a, Event>,
    count: usize,
    first_failure: Option<Error>,
    /// There was no room for a failure.
    unanswered: bool,
}

impl Answers<'_> {
    /// False if there is no room.
    fn give(&mut self, change: &Event, errno: i32) -> bool {
        let Some(record) = self.room.next() else { return false };
        let flags = change.flags | Flags::ERROR;
        *record = Event { flags, data: errno.into(), ..*change };
        self.count += 1;
        true
    }

    #[cold]
    fn fail(&mut self, change: &Event, failure: Error) {
        self.unanswered |= !self.give(change, failure.errno().unwrap_or(libc::EIO));
        self.first_failure.get_or_insert(failure);
    }
}

impl<P: Poller> State<P> {
    /// Applies all changes. A failure, and each RECEIPT, is answered by a record while there is room for
    /// it in `records`; returns how many. If there was none for some failure, the first failure is the
    /// result.
    pub(super) fn apply_all(
        &mut self,
        changes: &[Event],
        records: &mut [Event],
        triggers: &Triggers,
    ) -> Result<usize> {
        let room = records.iter_mut();
        let mut answers = Answers { room, count: 0, first_failure: None, unanswered: false };
        for group in changes.chunks(GROUP) {
            if self.names.len() > MANY {
                self.foresee(group);
            }
            for change in group {
                match self.apply(change, triggers) {
                    Err(failure) => answers.fail(change, failure),
                    Ok(()) if change.flags.contains(Flags::RECEIPT) => {
                        answers.give(change, 0);
                    }
                    Ok(()) => {}
                }
            }
        }
        match answers.first_failure {
            Some(failure) if answers.unanswered => Err(failure),
            _ => Ok(answers.count),
        }
    }

    /// Has fetched into the cache what changes of timers are going to need. Where there are very many
    /// timers, waiting for memory is most of what a change costs; for several at once it is one wait.
    #[inline(never)]
    fn foresee(&self, changes: &[Event]) {
        let timers = || changes.iter().filter(|it| it.filter == Filter::TIMER).map(Name::of);
        timers().for_each(|name| self.names.prefetch(&name));
        let found = || timers().filter_map(|name| self.names.get(&name)).map(KnoteId::number);
        found().for_each(|number| {
            self.knotes.prefetch(number);
            self.timers.prefetch(number);
        });
        found().for_each(|number| self.timers.prefetch_neighbours(number));
    }

    /// Applies one change.
    pub(super) fn apply(&mut self, change: &Event, triggers: &Triggers) -> Result<()> {
        filters::check(change)?;
        let found = self.find(change)?;
        match found {
            Some(id) if change.flags.contains(Flags::DELETE) => {
                self.defer_delete(id, change)?;
                self.delete(id, change, triggers)
            }
            Some(id) if self.take_back(id, change, triggers)? => Ok(()),
            Some(id) => self.update(id, change),
            None if change.flags.contains(Flags::DELETE) => Err(missing(change)),
            None if change.flags.contains(Flags::ADD) => self.attach(change, triggers),
            None => Err(missing(change)),
        }
    }

    fn find(&mut self, change: &Event) -> Result<Option<KnoteId>> {
        match change.filter {
            filter if filters::is_named(filter) => Ok(self.names.get(&Name::of(change))),
            _ => {
                let fd = descriptor::number(change)?;
                let found = self.find_descriptor(fd, change);
                Ok(found.filter(|id| self.is_current(*id, fd)))
            }
        }
    }

    fn attach(&mut self, change: &Event, triggers: &Triggers) -> Result<()> {
        match change.filter {
            Filter::TIMER => self.attach_timer(change),
            Filter::SIGNAL => self.attach_signal(change),
            Filter::PROC => self.attach_process(change),
            Filter::USER => self.attach_user(change, triggers),
            _ => {
                self.attach_descriptor(change)?;
                if !change.flags.contains(Flags::VANISHED) {
                    return Ok(());
                }
                let fd = descriptor::number(change)?;
                self.find_descriptor(fd, change).map_or(Ok(()), |id| self.tell_vanishing(id, fd))
            }
        }
    }

    fn update(&mut self, id: KnoteId, change: &Event) -> Result<()> {
        let Some(knote) = self.knotes.get_mut(id) else { return Ok(()) };
        if !change.flags.contains(Flags::KEEPUDATA) {
            knote.udata = change.udata;
        }
        if change.flags.contains(Flags::DISABLE) {
            knote.enabled = false;
        } else if change.flags.intersects(Flags::ENABLE | Flags::ADD) {
            knote.enabled = true;
        }
        match knote.state {
            FilterState::Descriptor(_) => return self.update_descriptor(id, change),
            FilterState::File(_) => self.update_file(id, change),
            FilterState::Vnode(_) => {
                return self.update_vnode(id, descriptor::number(change)?, change);
            }
            FilterState::Timer { .. } => return self.update_timer(id, change),
            FilterState::Signal(_) => return self.update_signal(id, change),
            FilterState::Process(_) => self.update_process(id, change),
            FilterState::User { .. } => self.update_user(id, change),
            FilterState::Gone(_) => {}
        }
        Ok(())
    }

    pub(super) fn delete(
        &mut self,
        id: KnoteId,
        change: &Event,
        triggers: &Triggers,
    ) -> Result<()> {
        match self.knotes.get(id).map(|knote| &knote.state) {
            Some(FilterState::Descriptor(_) | FilterState::File(_) | FilterState::Vnode(_)) => {
                return self.detach_descriptor(id, descriptor::number(change)?);
            }
            Some(FilterState::Timer { .. }) => self.detach_timer(id),
            Some(FilterState::Signal(_)) => self.detach_signal(id),
            Some(FilterState::Process(_)) => self.detach_process(id),
            Some(FilterState::User { .. }) => self.detach_user(id, triggers),
            Some(FilterState::Gone(_)) | None => {}
        }
        Ok(())
    }
}

fn missing(change: &Event) -> Error {
    match descriptor::number(change) {
        _ if filters::is_named(change.filter) => Error::os(libc::ENOENT),
        Ok(fd) => descriptor::missing(fd),
        Err(error) => error,
    }
}
