// SPDX-License-Identifier: MIT OR Apache-2.0
//! The content of an answer: what a handler leaves for the connection to send when there is room.

use std::fs::File;
use std::io;

/// Content that is made while it is sent: pulled whenever the connection has room, never sooner, so
/// that a slow client costs no memory.
pub trait Body: Send {
    /// Appends the next piece to `out`, some kilobytes at most.
    ///
    /// # Errors
    /// The answer has begun, so an error can only cut it short: the connection is closed.
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pull>;
}

/// What [`Body::pull`] says of what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// There is more; pull again once this piece is on its way.
    More,
    /// That was all.
    End,
}

/// What follows the head and the bytes that are already encoded.
#[derive(Default)]
pub(crate) enum Payload {
    #[default]
    None,
    File(FileRange),
    /// Content that is pulled; `left` is how many bytes have still to come, where that is known.
    Stream {
        body: Box<dyn Body>,
        left: Option<u64>,
    },
}

/// Bytes of an open file.
#[derive(Debug)]
pub(crate) struct FileRange {
    pub(crate) file: File,
    pub(crate) offset: u64,
    pub(crate) left: u64,
}
