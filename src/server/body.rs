// SPDX-License-Identifier: MIT OR Apache-2.0
//! The content of an answer: what a handler leaves for the connection to send when there is room.

use super::open_files::Content;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::sync::Arc;

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
    /// Bytes of a file that are in memory.
    Memory(MemoryRange),
    File(FileRange),
    /// Content that is pulled; `left` is how many bytes have still to come, where that is known.
    Stream {
        body: Box<dyn Body>,
        left: Option<u64>,
    },
}

impl Payload {
    /// Its length in bytes, where that is known.
    pub(crate) fn length(&self) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Memory(bytes) => Some(bytes.len() as u64),
            Self::File(range) => Some(range.left),
            Self::Stream { left, .. } => *left,
        }
    }

    /// `length` bytes of a file, from `offset` on.
    pub(crate) fn of_file(content: &Content, offset: u64, length: u64) -> Self {
        match content {
            Content::Memory(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
                Self::Memory(MemoryRange { bytes: Arc::clone(bytes), range: start..end })
            }
            Content::Descriptor(file) => {
                Self::File(FileRange { file: Arc::clone(file), offset, left: length })
            }
        }
    }
}

/// Pulls a piece of content of which `left` bytes are still to come, where that is known: what is
/// beyond them is dropped.
pub(crate) fn pull(
    body: &mut dyn Body,
    left: &mut Option<u64>,
    piece: &mut Vec<u8>,
) -> io::Result<Pull> {
    let pulled = body.pull(piece);
    let Some(left) = left else { return pulled };
    piece.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
    *left -= piece.len() as u64;
    match (*left, pulled?) {
        (0, _) => Ok(Pull::End),
        (_, Pull::More) => Ok(Pull::More),
        (_, Pull::End) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "content too short")),
    }
}

/// Bytes of an open file.
#[derive(Debug)]
pub(crate) struct FileRange {
    pub(crate) file: Arc<File>,
    pub(crate) offset: u64,
    pub(crate) left: u64,
}

/// Bytes of a file's content, which others have too.
#[derive(Debug)]
pub(crate) struct MemoryRange {
    bytes: Arc<[u8]>,
    range: Range<usize>,
}

impl Deref for MemoryRange {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes.get(self.range.clone()).unwrap_or_default()
    }
}
