// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every bound that is not a directive, and the defaults of those that are, by name.

use std::time::Duration;

/// Default of `client_max_body_size`, in bytes.
pub(crate) const MAX_BODY: u64 = 1024 * 1024;
/// Default of `client_header_timeout`: the whole head must be there within.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_secs(60);
/// Default of `client_body_timeout`: the longest pause between two reads of a body.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// Default of `send_timeout`: the longest pause between two writes of an answer.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// Default of `keepalive_timeout`: how long an idle connection is kept.
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(75);
/// Default of `keepalive_requests`: answers on one connection before it is closed.
pub(crate) const KEEPALIVE_REQUESTS: u64 = 1000;
/// Default size of one of `large_client_header_buffers`: the longest request line, in bytes.
pub(crate) const REQUEST_LINE: usize = 8 * 1024;
/// Default number times size of `large_client_header_buffers`: the largest head, in bytes.
pub(crate) const HEADER_BLOCK: usize = 4 * 8 * 1024;
/// Longest queue of connections not yet accepted (`listen … backlog=`).
pub(crate) const BACKLOG: i32 = 511;

/// Most workers that `worker_processes` may ask for.
pub(crate) const WORKERS: usize = 1024;
/// Longest time that a directive may name: it can be added to any clock without overflow.
pub(crate) const LONGEST_TIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Largest configuration, in bytes, all included files together.
pub(crate) const CONFIG_SIZE: usize = 16 * 1024 * 1024;
/// Deepest nesting of blocks in a configuration file.
pub(crate) const CONFIG_DEPTH: usize = 32;
/// Longest chain of files that include each other.
pub(crate) const INCLUDE_DEPTH: usize = 16;
