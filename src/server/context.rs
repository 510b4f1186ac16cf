// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a worker lends to each of its connections in turn: the time, the logs and buffers. Connections
//! at rest own none of it.

use super::counters::Count;
use super::exchange::Response;
use super::limits;
use super::log::{Entry, Logs};
use crate::http::date::DateCache;
use crate::http::h1::head::Head;
use std::time::SystemTime;

pub(crate) struct Context {
    /// Nanoseconds of the monotonic clock, read once per turn.
    pub(crate) now: u64,
    /// The time of day, read once per turn.
    pub(crate) wall: SystemTime,
    pub(crate) dates: DateCache,
    /// Whether the server is stopping: each answer is its connection's last.
    pub(crate) draining: bool,
    /// Whether descriptors or memory ran out in this turn, so that idle connections are to make room.
    pub(crate) exhausted: bool,
    pub(crate) count: Count,
    pub(crate) logs: Logs,
    pub(crate) buffers: Buffers,
    /// The head that is being decoded, its path, and the answer to it.
    pub(crate) head: Head,
    pub(crate) path: Vec<u8>,
    pub(crate) response: Response,
}

impl Context {
    pub(crate) fn new(logs: Logs) -> Self {
        Self {
            now: 0,
            wall: SystemTime::UNIX_EPOCH,
            dates: DateCache::new(),
            draining: false,
            exhausted: false,
            count: Count::default(),
            logs,
            buffers: Buffers::default(),
            head: Head::default(),
            path: Vec::new(),
            response: Response::default(),
        }
    }

    /// Writes a line into its log and takes its buffer back.
    pub(crate) fn log(&mut self, entry: Entry) {
        self.buffers.give(self.logs.write(entry, self.wall));
    }
}

/// Empty vectors with their memory, so that steady work allocates nothing.
#[derive(Default)]
pub(crate) struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_else(|| Vec::with_capacity(limits::BUFFER))
    }

    /// Keeps a buffer for the next one who needs it, unless it grew large or there are enough.
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= limits::OUTPUT_HIGH && self.0.len() < limits::SPARE_BUFFERS {
            buffer.clear();
            self.0.push(buffer);
        }
    }
}
