// SPDX-License-Identifier: MIT OR Apache-2.0
//! `multipart/byteranges` (RFC 9110 section 14.6): what stands around the parts of a representation.

use super::range::ByteRange;

/// An answer of several parts of one representation.
#[derive(Clone, Debug)]
pub(crate) struct Byteranges {
    /// What separates the parts; it must not be in them.
    pub(crate) boundary: String,
    /// Of the representation.
    pub(crate) content_type: &'static str,
    /// Of the whole representation, in bytes.
    pub(crate) length: u64,
}

impl Byteranges {
    /// The value of the answer's `Content-Type`.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/byteranges; boundary={}", self.boundary)
    }

    /// What comes before a part's bytes.
    pub(crate) fn before(&self, part: &ByteRange, is_first: bool) -> String {
        let Self { boundary, content_type, length } = self;
        let line_end = if is_first { "" } else { "\r\n" };
        let (first, last) = (part.start(), part.end());
        format!(
            "{line_end}--{boundary}\r\nContent-Type: {content_type}\r\n\
             Content-Range: bytes {first}-{last}/{length}\r\n\r\n"
        )
    }

    /// What comes after the last part's bytes.
    pub(crate) fn end(&self) -> String {
        format!("\r\n--{}--\r\n", self.boundary)
    }

    /// The length of the whole answer's content in bytes.
    pub(crate) fn total(&self, parts: &[ByteRange]) -> u64 {
        let bytes = |part: &ByteRange| part.end() - part.start() + 1;
        let sizes = parts
            .iter()
            .enumerate()
            .map(|(index, part)| self.before(part, index == 0).len() as u64 + bytes(part));
        sizes.sum::<u64>() + self.end().len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_what_the_pieces_are() {
        let boundary = "b".to_owned();
        let answer = Byteranges { boundary, content_type: "text/plain", length: 10 };
        let mut text = String::new();
        for (part, content) in [(0..=1, "01"), (4..=9, "456789")] {
            text += &answer.before(&part, part == (0..=1));
            text += content;
        }
        text += &answer.end();
        assert_eq!(
            text,
            "--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n\
             --b\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-9/10\r\n\r\n456789\r\n--b--\r\n"
        );
        assert_eq!(answer.total(&[0..=1, 4..=9]), text.len() as u64);
    }
}
