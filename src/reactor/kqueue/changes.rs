// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes going in.
//!
//! A change of a knote that is there goes to the kernel twice: first without ADD, which finds out whether
//! the kernel still has the knote (it forgets those of closed descriptors, and ONESHOT ones as it
//! delivers them), and then, if ADD was given, with it, which is when some kernels look at fflags and
//! data. Flags that a knote was first given are sent again with it, so no kernel's view of what
//! they mean in a later change matters.

use super::check::{ON_DESCRIPTORS, check};
use super::knote::{Key, Knote, Place};
use super::{Kqueue, State, numbers};
use crate::reactor::event::{Event, Filter, Flags, note};
use crate::reactor::filters::descriptor;
use crate::reactor::state::Name;
use crate::sys::fd::Identity;
use crate::sys::kqueue::{self, Kernel, ev};
use crate::{Error, Result};
use std::os::fd::RawFd;
use std::sync::atomic::Ordering;

impl<K: Kernel> State<K> {
    /// Applies all changes. A failure, and each RECEIPT, is answered by a record while there is room for
    /// it in `records`; returns how many. If there was none for some failure, the first failure is the
    /// result.
    pub(super) fn apply_all(
        &mut self,
        changes: &[Event],
        records: &mut [Event],
        queue: &Kqueue<K>,
    ) -> Result<usize> {
        let mut room = records.iter_mut();
        let mut count = 0;
        let mut first_failure = None;
        let mut unanswered = false;
        for change in changes {
            let result = self.apply(change, queue);
            if result.is_ok() && !change.flags.contains(Flags::RECEIPT) {
                continue;
            }
            let errno = result.as_ref().err().map_or(0, |error| error.errno().unwrap_or(libc::EIO));
            match room.next() {
                Some(record) => {
                    let flags = change.flags | Flags::ERROR;
                    *record = Event { flags, data: errno.into(), ..*change };
                    count += 1;
                }
                None => unanswered |= result.is_err(),
            }
            first_failure = first_failure.or(result.err());
        }
        match first_failure {
            Some(failure) if unanswered => Err(failure),
            _ => Ok(count),
        }
    }

    fn apply(&mut self, change: &Event, queue: &Kqueue<K>) -> Result<()> {
        check(change, self.kernel.dialect())?;
        let found = self.names.get(&Name::of(change)).copied();
        match found {
            Some(key) if change.flags.contains(Flags::DELETE) => {
                if let Some(knote) = self.knotes.get_mut(key) {
                    knote.handover.defer(knote.flags, change)?;
                }
                self.delete(key, change, queue)
            }
            Some(key) if self.take_back(key, change, queue)? => Ok(()),
            Some(key) => self.update(key, change, queue),
            None if change.flags.contains(Flags::DELETE) => Err(missing(change)),
            None if change.flags.contains(Flags::ADD) => self.attach(change, queue),
            None => Err(missing(change)),
        }
    }

    /// ADD of a knote that is not there.
    fn attach(&mut self, change: &Event, queue: &Kqueue<K>) -> Result<()> {
        self.attach_somewhere(change, queue)?;
        if change.flags.contains(Flags::VANISHED)
            && let Some(key) = self.names.get(&Name::of(change))
        {
            self.vanishing.add(*key);
        }
        Ok(())
    }

    fn attach_somewhere(&mut self, change: &Event, queue: &Kqueue<K>) -> Result<()> {
        match change.filter {
            Filter::TIMER => self.attach_timer(change),
            Filter::USER if queue.soft_users.load(Ordering::Acquire) => {
                self.attach_user(change, &queue.triggers)
            }
            Filter::USER => match self.attach_kernel(change) {
                Err(error) if error.errno() == Some(libc::EINVAL) => {
                    queue.soft_users.store(true, Ordering::Release);
                    self.attach_user(change, &queue.triggers)
                }
                other => other,
            },
            Filter::EXCEPT | Filter::EMPTY => match self.attach_kernel(change) {
                // The kernel has no such filter, or not for this kind of descriptor.
                Err(error) if matches!(error.errno(), Some(libc::ENOTSUP | libc::EINVAL)) => {
                    self.attach_polled(change)
                }
                other => other,
            },
            _ => self.attach_kernel(change).or_else(|error| self.attach_past(change, error)),
        }
    }

    fn attach_kernel(&mut self, change: &Event) -> Result<()> {
        let mut knote = Knote::new(change, Place::Kernel { lives: 1 });
        match change.filter {
            Filter::SIGNAL => knote.flags |= Flags::CLEAR,
            Filter::READ => knote.on_disk = is_on_disk(change),
            Filter::USER => {
                knote.fflags = 0;
                knote.operate(change);
            }
            _ => {}
        }
        let name = knote.name;
        let Some(key) = self.knotes.insert(knote) else { return Err(Error::os(libc::ENOMEM)) };
        let result = self.join_group(name.udata).and_then(|()| self.register(key, change));
        match result {
            Ok(()) => {
                self.names.insert(name, key);
                Ok(())
            }
            Err(error) => {
                self.knotes.remove(key);
                self.leave_group(name.udata);
                Err(error)
            }
        }
    }

    /// Tells the kernel of a new knote. A trigger comes after it: not every kernel sees one in an ADD.
    fn register(&self, key: Key, change: &Event) -> Result<()> {
        let silent = change.flags.contains(Flags::DISABLE);
        self.tell(key, ev::ADD | if silent { ev::DISABLE } else { ev::ENABLE })?;
        if change.filter == Filter::USER && change.fflags & note::TRIGGER != 0 {
            self.tell_trigger(key, 0)?;
        }
        Ok(())
    }

    fn tell_trigger(&self, key: Key, flags: u32) -> Result<()> {
        let Some(knote) = self.knotes.get(key) else { return Ok(()) };
        let Some(queue) = self.queue(knote.name.udata) else { return Err(Error::os(libc::ENOENT)) };
        let mut record = numbers::registration(knote, key, queue.dialect())?;
        (record.flags, record.fflags) = (flags, kqueue::note::TRIGGER);
        queue.kevent(&[record], &mut [], Some(0))?;
        Ok(())
    }

    /// A change of a knote that is there.
    fn update(&mut self, key: Key, change: &Event, queue: &Kqueue<K>) -> Result<()> {
        let Some(knote) = self.knotes.get(key) else { return Ok(()) };
        match knote.place {
            Place::Timer { .. } => return self.update_timer(key, change),
            Place::User { .. } => {
                self.update_user(key, change);
                return Ok(());
            }
            Place::Polled { .. } if self.is_current(key) => return self.update_polled(key, change),
            Place::Past { .. } if self.is_current(key) => {
                self.update_past(key, change);
                return Ok(());
            }
            Place::Polled { .. } | Place::Past { .. } => {
                return self.lost(key, change, queue, Error::os(libc::ENOENT));
            }
            Place::Kernel { .. } => {}
            Place::Gone(_) => return Ok(()),
        }
        let Some(knote) = self.knotes.get_mut(key) else { return Ok(()) };
        let (fflags, data) = (knote.fflags, knote.data);
        if change.filter == Filter::USER {
            knote.operate(change);
        } else if change.flags.contains(Flags::ADD) {
            (knote.fflags, knote.data) = (change.fflags, change.data);
        }
        match self.retell(key, change) {
            Ok(()) => {
                if let Some(knote) = self.knotes.get_mut(key) {
                    knote.adopt(change);
                }
                Ok(())
            }
            Err(error) if is_gone(&error) => self.lost(key, change, queue, error),
            Err(error) => {
                if let Some(knote) = self.knotes.get_mut(key) {
                    (knote.fflags, knote.data) = (fflags, data);
                }
                Err(error)
            }
        }
    }

    fn retell(&self, key: Key, change: &Event) -> Result<()> {
        let adds = change.flags.contains(Flags::ADD);
        let enabling = if change.flags.contains(Flags::DISABLE) {
            ev::DISABLE
        } else if adds || change.flags.contains(Flags::ENABLE) {
            ev::ENABLE
        } else {
            0
        };
        if change.filter == Filter::USER && change.fflags & note::TRIGGER != 0 {
            return self.tell_trigger(key, enabling);
        }
        self.tell(key, enabling)?;
        if adds && change.filter != Filter::USER {
            self.tell(key, ev::ADD | enabling)?;
        }
        Ok(())
    }

    /// The kernel has no such knote any more.
    fn lost(&mut self, key: Key, change: &Event, queue: &Kqueue<K>, error: Error) -> Result<()> {
        let adds = change.flags.contains(Flags::ADD);
        let Some(knote) = self.knotes.get_mut(key) else { return Err(error) };
        let in_flight = knote.flags.contains(Flags::ONESHOT);
        if adds && in_flight && matches!(change.filter, Filter::USER | Filter::SIGNAL) {
            knote.adopt(change);
            if let Place::Kernel { lives } = &mut knote.place {
                *lives += 1;
            }
            return self.register(key, change);
        }
        self.lose(key);
        if adds { self.attach(change, queue) } else { Err(missing(change)) }
    }

    /// DELETE.
    pub(super) fn delete(&mut self, key: Key, change: &Event, queue: &Kqueue<K>) -> Result<()> {
        let Some(knote) = self.knotes.get(key) else { return Ok(()) };
        let result = match knote.place {
            Place::Kernel { .. } => self.tell(key, ev::DELETE),
            Place::Timer { .. } => {
                self.stop_timer(key);
                Ok(())
            }
            Place::Polled { .. } | Place::Past { .. } if self.is_current(key) => Ok(()),
            Place::Polled { .. } | Place::Past { .. } => Err(Error::os(libc::ENOENT)),
            Place::User { .. } => {
                if knote.name.udata.is_none() {
                    queue.triggers.remove(knote.name.ident);
                }
                Ok(())
            }
            Place::Gone(_) => Ok(()),
        };
        match result {
            Err(error) if is_gone(&error) => {
                self.lose(key);
                Err(missing(change))
            }
            other => {
                self.remove(key);
                other
            }
        }
    }

    /// Forgets a knote that neither the kernel nor the timers have any more.
    pub(super) fn remove(&mut self, key: Key) {
        let Some(knote) = self.knotes.remove(key) else { return };
        if self.names.get(&knote.name) == Some(&key) {
            self.names.remove(&knote.name);
        }
        if matches!(knote.place, Place::Kernel { .. }) {
            self.leave_group(knote.name.udata);
        }
    }

    /// Forgets the knotes of a descriptor that its owner closes next; the kernel does so by itself.
    pub(super) fn forget(&mut self, fd: RawFd) {
        let Ok(ident) = usize::try_from(fd) else { return };
        for filter in ON_DESCRIPTORS {
            if let Some(key) = self.names.get(&Name { filter, ident, udata: None }) {
                self.remove(*key);
            }
        }
        self.forget_in_groups(ident);
    }
}

fn is_on_disk(change: &Event) -> bool {
    descriptor::number(change).and_then(|fd| Ok(Identity::of(fd)?)).is_ok_and(|it| it.is_on_disk())
}

/// Whether the kernel does not have the knote that was to be changed.
fn is_gone(error: &Error) -> bool {
    matches!(error.errno(), Some(libc::ENOENT | libc::EBADF))
}

fn missing(change: &Event) -> Error {
    match descriptor::number(change) {
        Ok(fd) if ON_DESCRIPTORS.contains(&change.filter) => descriptor::missing(fd),
        _ => Error::os(libc::ENOENT),
    }
}
