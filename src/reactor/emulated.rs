// SPDX-License-Identifier: MIT OR Apache-2.0
//! kqueue's calls on top of a poller: takes the lock, lets the state do the work, and waits in the kernel
//! without the lock.
//!
//! Whoever lets the lock go settles first: if there is work left, a sleeping thread is woken.

use super::backend::Backend;
use super::event::Event;
use super::filters::latch::TICK_NS;
use super::poller::{Batch, Poller};
use super::state::State;
use super::triggers::Triggers;
use super::verification::{Closing, Verification};
use super::wake::Wake;
use crate::error::ErrorKind;
use crate::sys::timerfd::TimerFd;
use crate::sys::{clock, fork};
use crate::{Error, Result};
use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The end of a wait that has none.
const NEVER: u64 = u64::MAX;
/// The end of a wait that does not wait.
const AT_ONCE: u64 = 0;

pub(super) struct Emulated<P: Poller> {
    state: Mutex<State<P>>,
    triggers: Triggers,
    wake: Wake,
    /// Forks that had happened when the queue was made: one more, and it is the parent's.
    generation: u32,
}

impl<P: Poller> Emulated<P> {
    pub(super) fn new(closing: Closing) -> Result<Self> {
        let generation = fork::generation();
        let wake = Wake::new()?;
        let state = State::new(P::new()?, wake.fd(), closing)?;
        Ok(Self { state: Mutex::new(state), triggers: Triggers::default(), wake, generation })
    }

    fn check_owner(&self) -> Result<()> {
        if fork::current_generation() == self.generation {
            return Ok(());
        }
        let why = "the queue belongs to the process that made it, not to its forked child";
        Err(Error::new(ErrorKind::Os(libc::EBADF), why))
    }

    fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that a sleeping thread, or whoever watches the queue's descriptor, learns of what is
    /// left to do, and that the wake-up is quiet when nothing is.
    fn settle(&self, state: &mut State<P>) {
        let news = state.listeners() > 0 && state.has_news();
        let woken = !news && std::mem::take(&mut state.woken);
        if news || (self.wake.take_back(woken) && !self.triggers.is_empty()) {
            self.wake.notify();
        }
    }

    /// One wait in the kernel. Returns the lock, taken again, and what the kernel said.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<P>>,
        room: usize,
        until: u64,
        now: u64,
    ) -> (MutexGuard<'a, State<P>>, Result<()>) {
        let mut batch = state.spare.pop().unwrap_or_default();
        state.poller.prepare(&mut batch, room);
        let version = state.version;
        let ticket = state.sleepers.enter(version, until);
        self.wake.set_listeners(state.listeners());
        self.settle(&mut state);
        let timeout = match until {
            _ if !self.triggers.is_empty() => Some(0),
            NEVER => None,
            until => Some(until.saturating_sub(now)),
        };
        drop(state);
        let result = batch.wait(timeout);
        let mut state = self.lock();
        state.sleepers.leave(ticket);
        self.wake.set_listeners(state.listeners());
        if result.is_ok() {
            let verification = Verification::of(&batch, state.closing, state.turn);
            for ready in batch.ready() {
                state.report(ready, verification);
            }
        }
        state.spare.push(batch);
        (state, result)
    }
}

impl<P: Poller> State<P> {
    /// How many may have to be woken.
    fn listeners(&self) -> usize {
        self.sleepers.count() + usize::from(self.alarm.is_some())
    }

    /// Sets the alarm; whether there is something to do that those who wait would not notice in time.
    fn has_news(&mut self) -> bool {
        let tick = if self.needs_tick() { self.tick(clock::monotonic_ns()) } else { None };
        let deadline = self.timers.next_deadline().into_iter().chain(tick).min();
        self.set_alarm(deadline);
        let outdated = self.sleepers.any_before(self.version);
        self.knotes.active() > 0 || outdated || self.sleepers.all_oversleep(deadline)
    }

    /// When to wake though nothing was reported.
    fn wake_time(&mut self, until: u64, now: u64) -> u64 {
        if self.knotes.active() > 0 {
            return AT_ONCE;
        }
        let tick = self.tick(now).unwrap_or(NEVER);
        until.min(self.timers.next_deadline().unwrap_or(NEVER)).min(tick)
    }

    /// When to look for what no descriptor announces, if there is such.
    fn tick(&self, now: u64) -> Option<u64> {
        self.needs_tick().then(|| now.saturating_add(TICK_NS))
    }

    /// Sets the descriptor's alarm, where there is one and it is set otherwise.
    fn set_alarm(&mut self, deadline: Option<u64>) {
        if let Some((alarm, set)) = &mut self.alarm
            && *set != deadline
            && alarm.set(deadline).is_ok()
        {
            *set = deadline;
        }
    }
}

impl<P: Poller> Backend for Emulated<P> {
    fn change(&self, changes: &[Event], records: &mut [Event]) -> Result<usize> {
        self.check_owner()?;
        let mut state = self.lock();
        state.forget_time();
        let result = match changes {
            [change] if records.is_empty() => state.apply(change, &self.triggers).map(|()| 0),
            _ => state.apply_all(changes, records, &self.triggers),
        };
        self.settle(&mut state);
        result
    }

    fn wait(&self, events: &mut [Event], timeout: Option<Duration>) -> Result<usize> {
        self.check_owner()?;
        if events.is_empty() {
            return Ok(0);
        }
        let limit = timeout.map(clock::nanoseconds);
        let timed = limit.is_some_and(|limit| limit > 0);
        let mut state = self.lock();
        state.renew_signals();
        state.forget_time();
        let now = state.time(timed);
        let end = match limit {
            None => NEVER,
            Some(0) => AT_ONCE,
            Some(limit) => now.saturating_add(limit),
        };
        loop {
            // After a collection without events there may be a deadline where there was none.
            let now = state.time(timed);
            state.gather(&self.triggers, now, events.len());
            let until = state.wake_time(end, now);
            let (awake, result) = self.sleep(state, events.len(), until, now);
            state = awake;
            state.forget_time();
            let mut count = 0;
            // A signal that is watched is an event, and only an interruption if it was none.
            if result.is_ok() || state.signals.are_watched() {
                state.signals.heard |= result.is_err();
                let now = state.time(false);
                state.gather(&self.triggers, now, events.len());
                count = state.collect(events, &self.triggers);
            }
            if count > 0 || result.is_err() || end == AT_ONCE || end <= state.time(timed) {
                self.settle(&mut state);
                return if count > 0 { Ok(count) } else { result.map(|()| 0) };
            }
        }
    }

    fn forget(&self, fd: RawFd) {
        let mut state = self.lock();
        state.forget(fd);
        self.settle(&mut state);
    }

    fn trigger(&self, ident: usize) -> Result<()> {
        if fork::current_generation() != self.generation {
            return Err(Error::os(libc::EBADF));
        }
        if !self.triggers.trigger(ident) {
            return Err(Error::os(libc::ENOENT));
        }
        self.wake.notify();
        Ok(())
    }

    fn fd(&self) -> Result<RawFd> {
        self.check_owner()?;
        let mut state = self.lock();
        let Some(fd) = state.poller.fd()? else {
            let why = format!(
                "backend {}: there is no descriptor to watch, since the kernel keeps no set for it",
                P::KIND
            );
            return Err(Error::new(ErrorKind::Os(libc::ENOTSUP), why));
        };
        if state.alarm.is_none() {
            let alarm = TimerFd::new()?;
            state.watch_internal(alarm.fd())?;
            state.alarm = Some((alarm, None));
            self.wake.set_listeners(state.listeners());
        }
        self.settle(&mut state);
        if !self.triggers.is_empty() {
            self.wake.notify();
        }
        Ok(fd)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::reactor::poller::poll::Poll;
    use crate::sys::poll::{Events, PollFd, poll};

    /// Else the level of the descriptor would have every wait spin.
    #[test]
    fn a_signal_that_comes_late_is_taken_back() {
        let queue = Emulated::<Poll>::new(Closing::Unannounced).unwrap();
        queue.wake.signal_late();
        assert_eq!(queue.wait(&mut [Event::default()], Some(Duration::ZERO)).unwrap(), 0);
        let readable = &mut [PollFd::new(queue.wake.fd(), Events::IN)];
        assert_eq!(poll(readable, Some(0)).unwrap(), 0);
    }
}
