// SPDX-License-Identifier: MIT OR Apache-2.0
//! The files that a worker has opened and keeps for the next request: `open_file_cache`.
//!
//! What is kept is looked at again before it is used: by its name once it is older than
//! `open_file_cache_valid`, and its descriptor in any case, but each only once per turn of the worker.
//! A file that changed is opened anew. So by default nobody is sent what was replaced before the turn
//! in which the request came, and a busy worker pays for one look, not for one per request.
//!
//! Descriptors that are kept are the first to go when the process runs out of them.

mod cache;
mod file;
mod name;
#[cfg(test)]
mod tests;

pub(crate) use file::{Content, OpenFile, Version};
pub(crate) use name::Name;

use super::config::{CacheBounds, FileCaching};
use crate::sys::file::is_exhausted;
use cache::Cache;
use name::Key;
use std::io;
use std::sync::Arc;
use std::time::SystemTime;

/// What a name leads to.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    File(Arc<OpenFile>),
    Directory(Version),
}

/// When something is looked at: both clocks are read once per turn.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// Nanoseconds of the monotonic clock.
    now: u64,
    /// The time of day.
    wall: SystemTime,
}

/// The files of one worker.
pub(crate) struct OpenFiles {
    turn: Turn,
    /// One for each pair of bounds that the configuration has.
    caches: Vec<Cache>,
    key: Key,
}

impl Default for OpenFiles {
    fn default() -> Self {
        let turn = Turn { now: 0, wall: SystemTime::UNIX_EPOCH };
        Self { turn, caches: Vec::new(), key: Key::default() }
    }
}

impl OpenFiles {
    /// A turn begins: what nobody has asked for in a while is closed.
    pub(crate) fn begin_turn(&mut self, now: u64, wall: SystemTime) {
        self.turn = Turn { now, wall };
        for cache in &mut self.caches {
            cache.expire(now);
        }
    }

    /// When the next one has to begin for that, in nanoseconds of the worker's clock.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        self.caches.iter().filter_map(Cache::next_deadline).min()
    }

    /// Descriptors ran out: closes some that are not in use. False if there are none.
    pub(crate) fn shed(&mut self) -> bool {
        self.caches.iter_mut().any(Cache::shed)
    }

    /// The file or directory of this name, opened now or before.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::NotFound`] also for what is neither a file nor a directory.
    pub(crate) fn open(&mut self, name: &Name<'_>, caching: &FileCaching) -> io::Result<Opened> {
        let mut key = std::mem::take(&mut self.key);
        key.set(name);
        let opened = match caching.bounds {
            Some(bounds) => self.open_kept(&key, name, caching, bounds),
            None => self.open_anew(&key, name),
        };
        self.key = key;
        opened
    }

    fn open_kept(
        &mut self,
        key: &Key,
        name: &Name<'_>,
        caching: &FileCaching,
        bounds: CacheBounds,
    ) -> io::Result<Opened> {
        let turn = self.turn;
        if let Some(opened) = self.cache(bounds).get(key, name, caching, turn) {
            return opened;
        }
        let opened = self.open_anew(key, name);
        self.cache(bounds).put(key, &opened, caching, turn);
        opened
    }

    fn open_anew(&mut self, key: &Key, name: &Name<'_>) -> io::Result<Opened> {
        match file::open(key, name, self.turn.wall) {
            Err(error) if is_exhausted(&error) && self.shed() => {
                file::open(key, name, self.turn.wall)
            }
            other => other,
        }
    }

    fn cache(&mut self, bounds: CacheBounds) -> &mut Cache {
        let known = self.caches.iter().position(|cache| cache.bounds() == bounds);
        let index = known.unwrap_or_else(|| {
            self.caches.push(Cache::new(bounds));
            self.caches.len() - 1
        });
        &mut self.caches[index]
    }
}
