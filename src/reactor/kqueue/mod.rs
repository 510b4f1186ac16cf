// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's own kqueue, made to follow the same rules on every system that has one.
//!
//! The kernel watches and delivers: READ, WRITE, SIGNAL, PROC, VNODE, USER, and EXCEPT and EMPTY where it
//! has them. What was asked for each knote is remembered beside it (`knote`), since the kernels
//! disagree on what a change leaves alone and on what an event tells; the kernel's udata is the knote's
//! key. `numbers` translates.
//!
//! The reactor itself does (`soft`): TIMER, because units, limits on their number, periods of zero,
//! changes and jumps of the clock differ everywhere; USER, EXCEPT and EMPTY (`polled`) where the kernel
//! has none; what was over before it was watched (`past`); and last records (`farewell`). A kernel timer,
//! the *alarm*, tells waiting threads and watchers of the queue's descriptor about those.
//!
//! Knotes whose udata is part of their name live in a queue of their own for each udata (`groups`), which
//! the main one watches.

mod changes;
mod check;
mod collect;
mod farewell;
mod groups;
mod knote;
mod numbers;
mod past;
mod polled;
mod soft;

#[cfg(test)]
mod simulator;
#[cfg(test)]
mod tests;

use super::backend::Backend;
use super::event::Event;
use super::sleepers::Sleepers;
use super::state::Name;
use super::timers::Timers;
use super::triggers::Triggers;
use crate::error::ErrorKind;
use crate::sys::kqueue::{BATCH, Kernel, Record, ev, note};
use crate::sys::{clock, fork};
use crate::{Error, Result};
use farewell::Vanishing;
use groups::Groups;
use knote::{Key, Knotes};
use polled::Polled;
use std::collections::{HashMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The end of a wait that has none.
const NEVER: u64 = u64::MAX;
/// The end of a wait that does not wait, and the time of an alarm that is due.
const AT_ONCE: u64 = 0;

/// A reactor's backend on a system with kqueue.
pub(super) struct Kqueue<K: Kernel> {
    kernel: Arc<K>,
    state: Mutex<State<K>>,
    triggers: Triggers,
    /// The kernel has no user events.
    soft_users: AtomicBool,
    generation: u32,
}

/// What is remembered beside the kernel, behind one lock that is not held while a thread waits.
struct State<K: Kernel> {
    kernel: Arc<K>,
    knotes: Knotes,
    names: HashMap<Name, Key>,
    groups: Groups<K>,
    timers: Timers<Key>,
    /// Soft knotes to look at, in the order in which they became active.
    active: VecDeque<Key>,
    sleepers: Sleepers,
    /// For when the alarm is set.
    alarm: Option<u64>,
    polled: Polled,
    vanishing: Vanishing,
    /// Somebody watches the queue's descriptor.
    watched: bool,
    /// Counts waits: the kernel's events and the soft ones take turns in being first.
    turn: u64,
}

impl<K: Kernel> Kqueue<K> {
    pub(super) fn new() -> Result<Self> {
        let generation = fork::generation();
        let kernel = Arc::new(K::new()?);
        let state = State {
            kernel: Arc::clone(&kernel),
            knotes: Knotes::default(),
            names: HashMap::new(),
            groups: Groups::default(),
            timers: Timers::new(clock::monotonic_ns()),
            active: VecDeque::new(),
            sleepers: Sleepers::default(),
            alarm: None,
            polled: Polled::default(),
            vanishing: Vanishing::default(),
            watched: false,
            turn: 0,
        };
        Ok(Self {
            kernel,
            state: Mutex::new(state),
            triggers: Triggers::default(),
            soft_users: AtomicBool::new(false),
            generation,
        })
    }

    fn check_owner(&self) -> Result<()> {
        if fork::current_generation() == self.generation {
            return Ok(());
        }
        let why = "the queue belongs to the process that made it, not to its forked child";
        Err(Error::new(ErrorKind::Os(libc::EBADF), why))
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One look into the kernel, with a wait if there was none yet. Returns how many events there are in
    /// `events` then, of which there were `count`.
    fn look<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<K>>,
        events: &mut [Event],
        count: usize,
        until: u64,
    ) -> (MutexGuard<'a, State<K>>, Result<usize>) {
        let Some(room) = events.get_mut(count..).filter(|room| !room.is_empty()) else {
            return (state, Ok(count));
        };
        let until = if count > 0 { AT_ONCE } else { until };
        let ticket = state.sleepers.enter(0, until);
        state.settle();
        let timeout = match until {
            NEVER => None,
            AT_ONCE => Some(0),
            until => Some(until.saturating_sub(clock::monotonic_ns())),
        };
        drop(state);
        let mut records = [Record::default(); BATCH];
        let wanted = room.len().min(BATCH);
        let result = self.kernel.kevent(&[], &mut records[..wanted], timeout);
        let mut state = self.lock();
        state.sleepers.leave(ticket);
        let result = match result {
            Ok(found) => Ok(count + state.collect_all(&records[..found.min(wanted)], room)),
            Err(_) if count > 0 => Ok(count),
            Err(error) => Err(error.into()),
        };
        (state, result)
    }
}

impl<K: Kernel> Backend for Kqueue<K> {
    fn change(&self, changes: &[Event], records: &mut [Event]) -> Result<usize> {
        self.check_owner()?;
        let mut state = self.lock();
        let result = state.apply_all(changes, records, self);
        state.settle();
        result
    }

    fn wait(&self, events: &mut [Event], timeout: Option<Duration>) -> Result<usize> {
        self.check_owner()?;
        if events.is_empty() {
            return Ok(0);
        }
        let mut state = self.lock();
        let end = match timeout.map(clock::nanoseconds) {
            None => NEVER,
            Some(0) => AT_ONCE,
            Some(limit) => clock::monotonic_ns().saturating_add(limit),
        };
        loop {
            state.turn += 1;
            state.gather(&self.triggers);
            let soft_first = state.turn.is_multiple_of(2);
            let before = if soft_first { state.collect_soft(events, &self.triggers) } else { 0 };
            let until = end.min(state.next_time());
            let (awake, result) = self.look(state, events, before, until);
            state = awake;
            state.gather(&self.triggers);
            let result = result.map(|count| match events.get_mut(count..) {
                Some(room) if before == 0 => count + state.collect_soft(room, &self.triggers),
                _ => count,
            });
            let over = end == AT_ONCE || (end != NEVER && end <= clock::monotonic_ns());
            if over || !matches!(result, Ok(0)) {
                state.settle();
                return result;
            }
        }
    }

    fn forget(&self, fd: RawFd) {
        self.lock().forget(fd);
    }

    fn trigger(&self, ident: usize) -> Result<()> {
        if fork::current_generation() != self.generation {
            return Err(Error::os(libc::EBADF));
        }
        if self.soft_users.load(Ordering::Acquire) {
            if !self.triggers.trigger(ident) {
                return Err(Error::os(libc::ENOENT));
            }
            soft::wake(&*self.kernel);
            return Ok(());
        }
        let filter = self.kernel.dialect().user;
        let change = Record { ident, filter, fflags: note::TRIGGER, ..Record::default() };
        match self.kernel.kevent(&[change], &mut [], Some(0)) {
            Ok(_) => Ok(()),
            // A kernel without user events may not know the filter at all.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                Err(Error::os(libc::ENOENT))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn fd(&self) -> Result<RawFd> {
        self.check_owner()?;
        let mut state = self.lock();
        state.watched = true;
        state.gather(&self.triggers);
        state.settle();
        Ok(self.kernel.fd())
    }
}

impl<K: Kernel> State<K> {
    /// The queue that holds the knotes of that udata, or the main one.
    fn queue(&self, udata: Option<usize>) -> Option<&K> {
        match udata {
            None => Some(&self.kernel),
            Some(udata) => self.groups.queue(udata),
        }
    }

    /// A change of a knote that the kernel has.
    fn tell(&self, key: Key, flags: u32) -> Result<()> {
        let Some(knote) = self.knotes.get(key) else { return Ok(()) };
        let Some(queue) = self.queue(knote.name.udata) else { return Err(Error::os(libc::ENOENT)) };
        let mut record = numbers::registration(knote, key, queue.dialect())?;
        record.flags = if flags & ev::ADD != 0 { record.flags | flags } else { flags };
        queue.kevent(&[record], &mut [], Some(0))?;
        Ok(())
    }
}
