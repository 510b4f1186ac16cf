// SPDX-License-Identifier: MIT OR Apache-2.0
//! One cache of open files: its entries by name, in the order of their last use, within its bounds.

use super::file::{OpenFile, Version};
use super::name::{Key, Name};
use super::{Opened, Turn};
use crate::server::config::{CacheBounds, FileCaching};
use crate::server::limits;
use crate::sys::clock;
use crate::sys::file::is_exhausted;
use foldhash::fast::RandomState;
use lru::LruCache;
use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Cache {
    bounds: CacheBounds,
    entries: LruCache<Box<[u8]>, Entry, RandomState>,
    /// Bytes of content in memory.
    in_memory: usize,
}

struct Entry {
    kept: Kept,
    /// How often it was asked for, and when last.
    uses: u64,
    used: u64,
    /// When its name was looked up last, and when the file itself was looked at.
    looked_up: u64,
    looked_at: u64,
}

/// What is kept of what a name leads to.
enum Kept {
    /// It is not asked for often enough yet.
    Nothing,
    File(Arc<OpenFile>),
    Directory(Version),
    /// The system's number of an error.
    Error(i32),
}

impl Cache {
    pub(super) fn new(bounds: CacheBounds) -> Self {
        let entries = LruCache::unbounded_with_hasher(RandomState::default());
        Self { bounds, entries, in_memory: 0 }
    }

    pub(super) fn bounds(&self) -> CacheBounds {
        self.bounds
    }

    /// What is kept by this name, if it still holds.
    pub(super) fn get(
        &mut self,
        key: &Key,
        name: &Name<'_>,
        caching: &FileCaching,
        turn: Turn,
    ) -> Option<io::Result<Opened>> {
        let entry = self.entries.get_mut(key.bytes())?;
        entry.uses += 1;
        entry.used = turn.now;
        if !entry.is_current(key, name, caching.valid, turn) {
            return None;
        }
        match &entry.kept {
            Kept::Nothing => None,
            Kept::File(file) => Some(Ok(Opened::File(Arc::clone(file)))),
            Kept::Directory(version) => Some(Ok(Opened::Directory(*version))),
            Kept::Error(number) => Some(Err(io::Error::from_raw_os_error(*number))),
        }
    }

    /// Keeps what a name was just found to lead to, in the place of what it led to before.
    pub(super) fn put(
        &mut self,
        key: &Key,
        opened: &io::Result<Opened>,
        caching: &FileCaching,
        turn: Turn,
    ) {
        let uses = self.forget(key).map_or(1, |old| old.uses);
        let kept = match opened {
            Ok(_) if uses < caching.min_uses => Kept::Nothing,
            Ok(Opened::File(file)) => Kept::File(Arc::clone(file)),
            Ok(Opened::Directory(version)) => Kept::Directory(*version),
            Err(error) => match error.raw_os_error() {
                Some(number) if caching.errors && !is_exhausted(error) => Kept::Error(number),
                _ => return,
            },
        };
        let now = turn.now;
        let entry = Entry { kept, uses, used: now, looked_up: now, looked_at: now };
        self.in_memory += entry.in_memory();
        self.entries.put(key.bytes().into(), entry);
        while self.entries.len() > self.bounds.max || self.in_memory > limits::OPEN_FILE_MEMORY {
            self.forget_oldest();
        }
    }

    /// Closes what nobody has asked for in a while.
    pub(super) fn expire(&mut self, now: u64) {
        while self.next_deadline().is_some_and(|at| at <= now) {
            self.forget_oldest();
        }
    }

    /// When there will be something to expire.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        let (_, oldest) = self.entries.peek_lru()?;
        Some(oldest.used.saturating_add(clock::nanoseconds(self.bounds.inactive)))
    }

    /// Closes some descriptors that are not in use, those that have not been for the longest. False if
    /// there are none.
    pub(super) fn shed(&mut self) -> bool {
        let idle = self.entries.iter().rev().filter(|(_, entry)| entry.holds_idle_descriptor());
        let names: Vec<_> = idle.take(limits::SHED).map(|(name, _)| name.clone()).collect();
        for name in &names {
            // Such an entry has no content in memory.
            self.entries.pop(name);
        }
        !names.is_empty()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn forget(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.entries.pop(key.bytes())?;
        self.in_memory -= entry.in_memory();
        Some(entry)
    }

    fn forget_oldest(&mut self) {
        if let Some((_, entry)) = self.entries.pop_lru() {
            self.in_memory -= entry.in_memory();
        }
    }
}

impl Entry {
    /// Whether the name still leads to what is kept, as far as it has to be looked at.
    fn is_current(&mut self, key: &Key, name: &Name<'_>, valid: Duration, turn: Turn) -> bool {
        let is_valid = turn.now.saturating_sub(self.looked_up) <= clock::nanoseconds(valid);
        let is_seen = self.looked_at == turn.now;
        self.looked_at = turn.now;
        if !is_valid {
            self.looked_up = turn.now;
        }
        match &self.kept {
            Kept::Nothing => false,
            Kept::Error(_) => is_valid,
            Kept::Directory(version) => is_valid || key.leads_to(name, *version),
            Kept::File(file) if is_valid => is_seen || file.is_unchanged(),
            Kept::File(file) => {
                !file.is_to_be_read(turn.wall) && key.leads_to(name, file.version())
            }
        }
    }

    /// Bytes of content that it has in memory.
    fn in_memory(&self) -> usize {
        match &self.kept {
            Kept::File(file) => file.content().in_memory(),
            _ => 0,
        }
    }

    /// Whether forgetting it closes a descriptor.
    fn holds_idle_descriptor(&self) -> bool {
        match &self.kept {
            Kept::File(file) => Arc::strong_count(file) == 1 && file.content().is_idle_descriptor(),
            _ => false,
        }
    }
}
