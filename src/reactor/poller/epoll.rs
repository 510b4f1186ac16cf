// SPDX-License-Identifier: MIT OR Apache-2.0
//! The poller over `epoll(7)`.
//!
//! epoll's registrations belong to a pair of number and open file. A number that names another file now
//! is found by `ENOENT` (modify) or `EEXIST` (add, when an old registration turns up again). A closed
//! number whose file lives on through `dup` keeps reporting, and nobody can take it out: the caller
//! resets the set, which replaces the instance behind its descriptor. Whoever watches the set from
//! outside would lose it with that, so what they are given is a second instance, which holds the first.

use super::{Batch, Interest, Key, Mode, Outcome, Poller, Readiness, Ready, Registration};
use crate::error::ErrorKind;
use crate::reactor::backend::BackendKind;
use crate::reactor::internals::INTERNAL;
use crate::sys::epoll::{self, EpollEvent, Events};
use crate::{Error, Result};
use std::os::fd::RawFd;

/// Reports that one wait takes at most. More stay with the kernel, which gives them to the next wait
/// first.
const MAX_REPORTS: usize = 1024;

pub(in crate::reactor) struct Epoll {
    set: epoll::Epoll,
    /// There once the set was to be watched from outside. Holds `set`, nothing else.
    outside: Option<epoll::Epoll>,
}

impl Epoll {
    /// Refuses the poller's own descriptors.
    fn check(&self, fd: RawFd) -> Result<()> {
        if self.outside.as_ref().is_some_and(|outside| outside.fd() == fd) {
            return Err(Error::invalid("a queue cannot watch its own descriptor"));
        }
        if fd == self.set.fd() { Err(Error::os(libc::EBADF)) } else { Ok(()) }
    }
}

impl Poller for Epoll {
    const KIND: BackendKind = BackendKind::Epoll;
    const IN_KERNEL: bool = true;
    const TELLS_ENDS: bool = true;
    type Batch = EpollBatch;

    fn new() -> Result<Self> {
        match epoll::Epoll::new() {
            Ok(set) => Ok(Self { set, outside: None }),
            Err(error) if error.raw_os_error() == Some(libc::ENOTSUP) => Err(Error::new(
                ErrorKind::Os(libc::ENOTSUP),
                "backend epoll: this system has no epoll; poll and select are everywhere",
            )),
            Err(error) => Err(error.into()),
        }
    }

    fn set(&mut self, fd: RawFd, registration: Registration, known: bool) -> Result<Outcome> {
        self.check(fd)?;
        let key = pack(Key { fd, generation: registration.generation });
        let events = to_events(registration);
        if known {
            return match self.set.modify(fd, events, key) {
                Ok(()) => Ok(Outcome::Done),
                Err(error) if is_stale(&error) => Ok(Outcome::Stale),
                // What is exclusive, or becomes so, cannot be changed (epoll_ctl(2)).
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                    self.set.delete(fd)?;
                    self.set.add(fd, events, key)?;
                    Ok(Outcome::Done)
                }
                Err(error) => Err(error.into()),
            };
        }
        match self.set.add(fd, events, key) {
            Err(error) if error.raw_os_error() == Some(libc::EEXIST) => {
                self.set.modify(fd, events, key)?;
            }
            result => result?,
        }
        Ok(Outcome::Done)
    }

    fn clear(&mut self, fd: RawFd) -> Outcome {
        match self.set.delete(fd) {
            Ok(()) => Outcome::Done,
            Err(_) => Outcome::Stale,
        }
    }

    fn reset(&mut self) -> Result<Self> {
        if let Some(outside) = &self.outside {
            // It holds the set, which is open.
            let _ = outside.delete(self.set.fd());
        }
        let result = self.set.replace();
        if let Some(outside) = &self.outside {
            outside.add(self.set.fd(), Events::IN, 0)?;
        }
        Ok(Self { set: result?, outside: None })
    }

    /// Tries to add it: what is registered under the same number is there already, which the kernel
    /// finds out before all else but that the number is open.
    fn names_same_file(&self, fd: RawFd) -> bool {
        let unknown = pack(Key { fd, generation: INTERNAL });
        match self.set.add(fd, Events::empty(), unknown) {
            Ok(()) => {
                // It was not, and is not to be.
                let _ = self.set.delete(fd);
                false
            }
            Err(error) => error.raw_os_error() == Some(libc::EEXIST),
        }
    }

    fn prepare(&self, batch: &mut EpollBatch, room: usize) {
        batch.epoll = self.set.fd();
        batch.room = room.clamp(1, MAX_REPORTS);
        if batch.events.len() < batch.room {
            batch.events.resize(batch.room, EpollEvent::EMPTY);
        }
    }

    fn fd(&mut self) -> Result<Option<RawFd>> {
        if self.outside.is_none() {
            let outside = epoll::Epoll::new()?;
            outside.add(self.set.fd(), Events::IN, 0)?;
            self.outside = Some(outside);
        }
        Ok(self.outside.as_ref().map(epoll::Epoll::fd))
    }
}

/// Whether a registration is not of the file that the number names now: another one, none, or one that
/// cannot be polled.
fn is_stale(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EBADF | libc::EPERM))
}

fn to_events(registration: Registration) -> Events {
    let mut events = match registration.mode {
        Mode::Level => Events::empty(),
        Mode::Edge => Events::ET,
        Mode::Once => Events::ONESHOT,
        // With which RDHUP cannot be (epoll_ctl(2)); a listener has no end.
        Mode::Exclusive => return Events::EXCLUSIVE | Events::IN,
    };
    if registration.interest.contains(Interest::READ) {
        events |= Events::IN | Events::RDHUP;
    }
    if registration.interest.contains(Interest::WRITE) {
        events |= Events::OUT;
    }
    if registration.interest.contains(Interest::URGENT) {
        events |= Events::PRI | Events::RDHUP;
    }
    events
}

fn to_readiness(events: Events) -> Readiness {
    let mut readiness = Readiness::empty();
    readiness.set(Readiness::READ, events.contains(Events::IN));
    readiness.set(Readiness::WRITE, events.contains(Events::OUT));
    readiness.set(Readiness::READ_EOF, events.contains(Events::RDHUP));
    readiness.set(Readiness::HANGUP, events.contains(Events::HUP));
    readiness.set(Readiness::ERROR, events.contains(Events::ERR));
    readiness.set(Readiness::URGENT, events.contains(Events::PRI));
    readiness
}

fn pack(key: Key) -> u64 {
    (u64::from(key.generation) << 32) | u64::from(key.fd.cast_unsigned())
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of the word are taken apart")]
const fn unpack(word: u64) -> Key {
    Key { fd: (word as u32).cast_signed(), generation: (word >> 32) as u32 }
}

#[derive(Default)]
pub(in crate::reactor) struct EpollBatch {
    epoll: RawFd,
    events: Vec<EpollEvent>,
    room: usize,
    count: usize,
}

impl Batch for EpollBatch {
    fn wait(&mut self, timeout_ns: Option<u64>) -> Result<()> {
        self.count = 0;
        let room = self.room.min(self.events.len());
        self.count = epoll::wait(self.epoll, &mut self.events[..room], timeout_ns)?;
        Ok(())
    }

    fn ready(&self) -> impl Iterator<Item = Ready> {
        self.events.iter().take(self.count).map(|event| Ready {
            key: unpack(event.key()),
            readiness: to_readiness(event.events()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_trip_through_the_kernel() {
        let key = Key { fd: i32::MAX, generation: u32::MAX - 1 };
        assert_eq!(unpack(pack(key)), key);
    }
}
