// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several parts of a file as one answer's content, read while it is sent.

use crate::http::byteranges::Byteranges;
use crate::http::range::ByteRange;
use crate::server::body::{Body, Pull};
use crate::server::limits;
use crate::server::open_files::Content;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::LazyLock;
use std::vec;

pub(super) struct Parts {
    content: Content,
    form: Byteranges,
    /// Those that have not begun.
    waiting: vec::IntoIter<ByteRange>,
    /// What is left of the one that has.
    offset: u64,
    left: u64,
    is_first: bool,
}

impl Parts {
    pub(super) fn new(content: Content, form: Byteranges, parts: Vec<ByteRange>) -> Self {
        Self { content, form, waiting: parts.into_iter(), offset: 0, left: 0, is_first: true }
    }
}

impl Body for Parts {
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pull> {
        if self.left == 0 {
            let Some(part) = self.waiting.next() else {
                out.extend_from_slice(self.form.end().as_bytes());
                return Ok(Pull::End);
            };
            out.extend_from_slice(self.form.before(&part, self.is_first).as_bytes());
            self.is_first = false;
            let (first, last) = part.into_inner();
            (self.offset, self.left) = (first, last - first + 1);
        }
        let count = usize::try_from(self.left).map_or(limits::PIECE, |l| l.min(limits::PIECE));
        let from = out.len();
        out.resize(from + count, 0);
        self.content.read_exact_at(out.get_mut(from..).unwrap_or_default(), self.offset)?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(Pull::More)
    }
}

/// What separates the parts of the representation with this tag. Whoever writes the file cannot
/// guess it: it depends on a secret of the process, and a changed file has another tag.
pub(super) fn boundary(tag: &str) -> String {
    static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("{:016x}", SECRET.hash_one(tag))
}
