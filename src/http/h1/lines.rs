// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines, and the field lines that make up a head's or a trailer section's block.
//!
//! A line ends in CR LF and in nothing else; it has no NUL. What a field line looks like inside is
//! left to httparse, once the block is complete.

use crate::http::status::{Reject, Status};

/// Where a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Just before this offset.
    Ends(usize),
    /// Not in the bytes at hand: look on from this offset when there are more.
    Open(usize),
}

/// Finds the end of the line that has no end before `from`.
///
/// # Errors
/// 400 for a CR or LF alone and for NUL, whichever comes first.
pub(super) fn line_end(input: &[u8], from: usize) -> Result<Line, Reject> {
    let rest = input.get(from..).unwrap_or_default();
    let Some(found) = memchr::memchr3(b'\r', b'\n', 0, rest) else {
        return Ok(Line::Open(input.len()));
    };
    match rest.get(found..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Ok(Line::Ends(from + found + 2)),
        [b'\r'] => Ok(Line::Open(from + found)),
        [b'\r', ..] => Err(Reject::new(Status::BAD_REQUEST, "CR without LF")),
        [b'\n', ..] => Err(Reject::new(Status::BAD_REQUEST, "LF without CR")),
        _ => Err(Reject::new(Status::BAD_REQUEST, "NUL")),
    }
}

/// The first `limit` bytes: the only ones that are looked at while a limit may be exceeded, so that
/// what is refused does not depend on how much came at once.
pub(super) fn window(input: &[u8], limit: usize) -> &[u8] {
    input.get(..limit).unwrap_or(input)
}

/// Searches for the empty line that ends a block of field lines, and remembers how far it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct BlockScan {
    line_start: usize,
    looked: usize,
    /// How many field lines there are.
    pub(super) lines: usize,
}

impl BlockScan {
    /// A search in a block that begins at this offset.
    pub(super) const fn from(start: usize) -> Self {
        Self { line_start: start, looked: start, lines: 0 }
    }

    /// The offset just after the empty line, once it is there within `limit` bytes.
    ///
    /// # Errors
    /// As [`line_end`], and 431 for more than `limit` bytes or `max_lines` lines.
    pub(super) fn end(
        &mut self,
        input: &[u8],
        limit: usize,
        max_lines: usize,
    ) -> Result<Option<usize>, Reject> {
        let seen = window(input, limit);
        loop {
            match line_end(seen, self.looked)? {
                Line::Ends(end) if end - self.line_start == 2 => return Ok(Some(end)),
                Line::Ends(_) if self.lines == max_lines => return Err(TOO_MANY_FIELDS),
                Line::Ends(end) => {
                    *self = Self { line_start: end, looked: end, lines: self.lines + 1 };
                }
                Line::Open(_) if seen.len() >= limit => return Err(BLOCK_TOO_LARGE),
                Line::Open(looked) => {
                    self.looked = looked;
                    return Ok(None);
                }
            }
        }
    }
}

/// The most fields that a block can have, whatever the limit says: they are parsed on the stack.
pub(crate) const MAX_FIELDS: usize = 256;

/// How many fields are parsed without preparing room for [`MAX_FIELDS`].
const USUAL_FIELDS: usize = 16;

const TOO_MANY_FIELDS: Reject = Reject::new(Status::HEADERS_TOO_LARGE, "too many fields");
const BLOCK_TOO_LARGE: Reject = Reject::new(Status::HEADERS_TOO_LARGE, "fields too large");

/// Calls `each` with name and value of every field of a complete block of `lines` lines.
///
/// # Errors
/// 400 for a line that is no field, which a continuation line is too; and what `each` returns.
pub(super) fn parse_fields<'a>(
    block: &'a [u8],
    lines: usize,
    each: impl FnMut(&'a [u8], &'a [u8]) -> Result<(), Reject>,
) -> Result<(), Reject> {
    if lines <= USUAL_FIELDS {
        parse_up_to::<USUAL_FIELDS>(block, each)
    } else {
        parse_up_to::<MAX_FIELDS>(block, each)
    }
}

fn parse_up_to<'a, const N: usize>(
    block: &'a [u8],
    mut each: impl FnMut(&'a [u8], &'a [u8]) -> Result<(), Reject>,
) -> Result<(), Reject> {
    let mut fields = [httparse::EMPTY_HEADER; N];
    match httparse::parse_headers(block, &mut fields) {
        Ok(httparse::Status::Complete((_, fields))) => {
            fields.iter().try_for_each(|field| each(field.name.as_bytes(), field.value))
        }
        Ok(httparse::Status::Partial) => Err(Reject::new(Status::BAD_REQUEST, "incomplete field")),
        Err(httparse::Error::HeaderName) => {
            Err(Reject::new(Status::BAD_REQUEST, "invalid field name"))
        }
        Err(httparse::Error::TooManyHeaders) => Err(TOO_MANY_FIELDS),
        Err(_) => Err(Reject::new(Status::BAD_REQUEST, "invalid field value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_in_cr_lf_only() {
        assert_eq!(line_end(b"ab\r\ncd", 0), Ok(Line::Ends(4)));
        assert_eq!(line_end(b"ab", 0), Ok(Line::Open(2)));
        assert_eq!(line_end(b"ab\r", 0), Ok(Line::Open(2)));
        assert_eq!(line_end(b"a\rb\n", 0).unwrap_err().why, "CR without LF");
        assert_eq!(line_end(b"a\nb\0", 0).unwrap_err().why, "LF without CR");
        assert_eq!(line_end(b"a\0\n", 0).unwrap_err().why, "NUL");
    }

    #[test]
    fn each_byte_is_looked_at_once() {
        let mut scan = BlockScan::default();
        assert_eq!(scan.end(b"a: b\r\nc: d", 99, 9), Ok(None));
        assert_eq!(scan, BlockScan { line_start: 6, looked: 10, lines: 1 });
        assert_eq!(scan.end(b"a: b\r\nc: d\r\n\r\nrest", 99, 9), Ok(Some(14)));
    }

    #[test]
    fn a_block_may_fill_its_limit_and_not_more() {
        let end = |limit| BlockScan::default().end(b"a: b\r\n\r\n", limit, 9);
        assert_eq!(end(8), Ok(Some(8)));
        assert_eq!(end(7), Err(BLOCK_TOO_LARGE));
        assert_eq!(BlockScan::default().end(b"a: b\r\n\r\n", 8, 0), Err(TOO_MANY_FIELDS));
    }
}
