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
/// Default of `max_headers`: the most header fields in one request.
pub(crate) const HEADERS: usize = 100;
/// Default of `max_ranges`: the most ranges that one request may ask for.
pub(crate) const RANGES: usize = 64;
/// Default of `gzip_min_length`, in bytes.
pub(crate) const GZIP_MIN_LENGTH: u64 = 20;
/// Default of `gzip_comp_level`.
pub(crate) const GZIP_LEVEL: u32 = 1;
/// Bytes of a file that are read at a time where sendfile(2) cannot send them.
pub(crate) const PIECE: usize = 32 * 1024;
/// Bytes of encoded answers at which a connection takes no further request.
pub(crate) const OUTPUT_HIGH: usize = 64 * 1024;
/// First size of a connection's buffer, in bytes.
pub(crate) const BUFFER: usize = 4 * 1024;
/// Buffers that a worker keeps for re-use.
pub(crate) const SPARE_BUFFERS: usize = 64;
/// Bytes received by one system call.
pub(crate) const RECEIVE: usize = 64 * 1024;
/// Operations that an io_uring takes at a time.
pub(crate) const SUBMISSIONS: u32 = 1024;
/// Completions that an io_uring keeps until they are taken.
pub(crate) const COMPLETIONS: u32 = 8192;
/// Buffers that an io_uring receives into, all of a worker's connections together.
pub(crate) const RECEIVE_BUFFERS: u16 = 512;
/// Bytes of each of them.
pub(crate) const RECEIVE_BUFFER: u32 = 8 * 1024;
/// Bytes that the kernel takes for a client beyond what that has room for. Without a bound, each client
/// that does not read would have the server fill a send buffer, of megabytes (tcp(7), `tcp_wmem`).
pub(crate) const UNSENT: u32 = 128 * 1024;
/// Bytes of a file sent by one system call, after which it is the others' turn.
pub(crate) const SENDFILE: usize = 2 * 1024 * 1024;
/// Files up to this many bytes go out with their head in one call instead of by sendfile(2), because up to
/// there a copy costs less than a second call; a cache of open files holds their content.
pub(crate) const INLINE_FILE: u64 = 16 * 1024;
/// Default of `open_file_cache`'s `max`: entries of one cache of a worker.
pub(crate) const OPEN_FILES: usize = 1000;
/// Default of `open_file_cache`'s `inactive`: how long an entry is kept that nobody asks for.
pub(crate) const OPEN_FILE_INACTIVE: Duration = Duration::from_secs(60);
/// Default of `open_file_cache_valid`.
pub(crate) const OPEN_FILE_VALID: Duration = Duration::ZERO;
/// Default of `open_file_cache_min_uses`.
pub(crate) const OPEN_FILE_MIN_USES: u64 = 1;
/// Bytes of content that one cache of open files holds in memory.
pub(crate) const OPEN_FILE_MEMORY: usize = 16 * 1024 * 1024;
/// Longest tick of a file system's clock, which is FAT's: what changed within it may change again and
/// keep its times.
pub(crate) const FILE_CLOCK: Duration = Duration::from_secs(2);
/// Records of unfinished answers that a worker keeps for re-use.
pub(crate) const SPARE_RESTS: usize = 64;
/// System calls that one connection may make before the others have their turn.
pub(crate) const TURN: usize = 16;
/// Connections accepted in one turn.
pub(crate) const ACCEPTS: usize = 64;
/// Connections still accepted from one listener when the server stops: the longest queue that Linux
/// keeps unless told otherwise (`net.core.somaxconn`, listen(2)).
pub(crate) const LAST_ACCEPTS: usize = 4096;
/// When the server stops: how long its listeners still let in who is on the way, and how long after
/// an answer the connection waits for another request.
pub(crate) const DRAIN_PATIENCE: Duration = Duration::from_millis(100);
/// When the server stops: how long a connection that has its last answer is read from at most.
pub(crate) const DRAIN_LINGERING: Duration = Duration::from_secs(1);
/// Pause of accepting while there is no room for another connection, unless one ends before.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Most idle connections closed at a time to make room when descriptors or memory ran out.
pub(crate) const SHED: usize = 32;
/// How long a client that has connected and says nothing does not count as idle.
pub(crate) const SHED_PATIENCE: Duration = Duration::from_secs(1);
/// `Retry-After` of a 503, in seconds.
pub(crate) const RETRY_AFTER: &str = "1";
/// Default of `lingering_time`: how long a closed connection is read from at most, so that a reset
/// does not overtake its last answer.
pub(crate) const LINGERING_TIME: Duration = Duration::from_secs(30);
/// Default of `lingering_timeout`: the longest pause in that.
pub(crate) const LINGERING_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of `client_body_min_rate`, in bytes per second.
pub(crate) const BODY_MIN_RATE: u64 = 500;
/// Default of `client_body_buffer_size`, in bytes.
pub(crate) const BODY_BUFFER: usize = 16 * 1024;
/// Internal redirects of one request: index files and error pages.
pub(crate) const INTERNAL_REDIRECTS: usize = 10;
/// Events taken from the reactor at a time.
pub(crate) const EVENTS: usize = 512;
/// Longest part of a refused request's first line that is logged, in bytes.
pub(crate) const LOGGED_LINE: usize = 1024;
/// Bytes of log lines kept before they are written, at the latest at the end of the turn; of what a
/// log does not take, no more is kept either.
pub(crate) const LOG_BUFFER: usize = 64 * 1024;
/// The `Server` field, unless `server_tokens off`.
pub(crate) const SERVER: &str = concat!("evl/", env!("CARGO_PKG_VERSION"));
/// The `Server` field with `server_tokens off`.
pub(crate) const SERVER_BARE: &str = "evl";
/// Grace that requests have after the first signal to end.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);
/// Most entries that a directory's listing shows.
pub(crate) const LISTING: usize = 100_000;
/// Most workers that one server can have.
pub(crate) const WORKERS: usize = 1024;
/// Longest time that a directive may name: it can be added to any clock without overflow.
pub(crate) const LONGEST_TIME: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// Largest configuration, in bytes, all included files together.
pub(crate) const CONFIG_SIZE: usize = 16 * 1024 * 1024;
/// Deepest nesting of blocks in a configuration file.
pub(crate) const CONFIG_DEPTH: usize = 32;
/// Longest chain of files that include each other.
pub(crate) const INCLUDE_DEPTH: usize = 16;
