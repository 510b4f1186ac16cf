// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a worker lends to each of its connections in turn: the time, the logs, buffers and open files.
//! Connections at rest own none of it.

use super::connection::Passing;
use super::counters::Count;
use super::exchange::Response;
use super::limits;
use super::log::{Entry, Logs};
use super::open_files::OpenFiles;
use super::output::Rests;
use crate::http::h1::common::CommonLines;
use crate::http::h1::head::Head;
use crate::sys::clock;
use std::time::SystemTime;

pub(crate) struct Context {
    /// Nanoseconds of the monotonic clock, read once per turn.
    pub(crate) now: u64,
    /// The time of day, read once per turn.
    pub(crate) wall: SystemTime,
    /// With `server_tokens off` and on.
    common: [CommonLines; 2],
    /// Whether the server is stopping: each answer is its connection's last.
    pub(crate) draining: bool,
    /// Whether descriptors or memory ran out in this turn, so that idle connections are to make room.
    pub(crate) exhausted: bool,
    pub(crate) count: Count,
    pub(crate) logs: Logs,
    pub(crate) buffers: Buffers,
    pub(crate) rests: Rests,
    pub(crate) files: OpenFiles,
    /// `None` while it is with a connection, and after a panic.
    pub(crate) scratch: Option<Box<Scratch>>,
    #[expect(clippy::vec_box, reason = "they go from hand to hand")]
    spare: Vec<Box<Passing>>,
}

/// A request that is being looked at.
#[derive(Default)]
pub(crate) struct Scratch {
    pub(crate) head: Head,
    /// Decoded.
    pub(crate) path: Vec<u8>,
    pub(crate) response: Response,
}

impl Context {
    pub(crate) fn new(logs: Logs) -> Self {
        Self {
            now: clock::monotonic_ns(),
            wall: SystemTime::UNIX_EPOCH,
            common: [limits::SERVER_BARE, limits::SERVER].map(CommonLines::new),
            draining: false,
            exhausted: false,
            count: Count::default(),
            logs,
            buffers: Buffers::default(),
            rests: Rests::default(),
            files: OpenFiles::default(),
            scratch: None,
            spare: Vec::new(),
        }
    }

    /// The lines that answers have in common now, with the server's version or without it.
    pub(crate) fn common_lines(&mut self, server_tokens: bool) -> &[u8] {
        self.common[usize::from(server_tokens)].at(self.wall)
    }

    /// What a connection has only while something is going on.
    pub(crate) fn lend(&mut self) -> Box<Passing> {
        self.spare.pop().unwrap_or_default()
    }

    /// Keeps what was lent, which is as new again, for the next who needs it.
    pub(crate) fn take_back(&mut self, passing: Box<Passing>) {
        if self.spare.len() < limits::SPARE_BUFFERS {
            self.spare.push(passing);
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
