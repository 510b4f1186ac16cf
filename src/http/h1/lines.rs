// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines, and the field lines that make up a head's or a trailer section's block.
//!
//! A line ends in CR LF and in nothing else; it has no NUL. Each field line is looked at as soon as it
//! is whole, so that the first fault is the same however the bytes were cut.

use crate::http::headers::{is_token_byte, trim};
use crate::http::scan::run_length;
use crate::http::status::{Reject, Status};

/// Where a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Just before this offset.
    Ends(usize),
    /// Not in the bytes at hand: look on from this offset when there are more.
    Open(usize),
}

/// Finds the end of the line that has no end before `from`; `clean` becomes false if another control
/// character than HTAB comes before it.
///
/// # Errors
/// 400 for a CR or LF alone and for NUL, whichever comes first.
pub(super) fn line_end(input: &[u8], from: usize, clean: &mut bool) -> Result<Line, Reject> {
    let mut at = from;
    loop {
        let rest = input.get(at..).unwrap_or_default();
        let length = length_without_controls(rest);
        at += length;
        match rest.get(length..).unwrap_or_default() {
            [] | [b'\r'] => return Ok(Line::Open(at)),
            [b'\r', b'\n', ..] => return Ok(Line::Ends(at + 2)),
            [b'\r', ..] => return Err(bad("CR without LF")),
            [b'\n', ..] => return Err(bad("LF without CR")),
            [0, ..] => return Err(bad("NUL")),
            [_, ..] => {
                *clean = false;
                at += 1;
            }
        }
    }
}

/// How many bytes come before the first control character other than HTAB.
fn length_without_controls(bytes: &[u8]) -> usize {
    run_length(bytes, |byte| ((byte < b' ') & (byte != b'\t')) | (byte == 0x7f))
}

/// The first `limit` bytes: the only ones that are looked at while a limit may be exceeded, so that
/// what is refused does not depend on how much came at once.
pub(super) fn window(input: &[u8], limit: usize) -> &[u8] {
    input.get(..limit).unwrap_or(input)
}

/// Goes through a block of field lines to the empty line that ends it, and remembers how far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockScan {
    line_start: usize,
    looked: usize,
    /// The line has no control characters so far.
    clean: bool,
    /// How many field lines there are.
    pub(super) lines: usize,
}

impl BlockScan {
    /// A scan of a block that begins at this offset.
    pub(super) const fn from(start: usize) -> Self {
        Self { line_start: start, looked: start, clean: true, lines: 0 }
    }

    /// Calls `each` with name and value of every field whose line has become whole. The offset just
    /// after the empty line, once it is there within `limit` bytes.
    ///
    /// # Errors
    /// As [`line_end`]; 400 for a line that is no field, which a continuation line is too; 431 for more
    /// than `limit` bytes or `max_lines` lines.
    pub(super) fn end<'a>(
        &mut self,
        input: &'a [u8],
        limit: usize,
        max_lines: usize,
        mut each: impl FnMut(&'a [u8], &'a [u8]),
    ) -> Result<Option<usize>, Reject> {
        let seen = window(input, limit);
        loop {
            match line_end(seen, self.looked, &mut self.clean)? {
                Line::Ends(end) if end - self.line_start == 2 => return Ok(Some(end)),
                Line::Ends(_) if self.lines == max_lines => {
                    return Err(Reject::new(Status::HEADERS_TOO_LARGE, "too many fields"));
                }
                Line::Ends(end) => {
                    let rest = seen.get(self.line_start..).unwrap_or_default();
                    let (name, value) = split_field(rest, end - 2 - self.line_start)?;
                    if !self.clean {
                        return Err(bad("invalid field value"));
                    }
                    each(name, value);
                    *self = Self { lines: self.lines + 1, ..Self::from(end) };
                }
                Line::Open(_) if seen.len() >= limit => {
                    return Err(Reject::new(Status::HEADERS_TOO_LARGE, "fields too large"));
                }
                Line::Open(looked) => {
                    self.looked = looked;
                    return Ok(None);
                }
            }
        }
    }
}

/// The most fields that a block can have, whatever the limit says.
pub(crate) const MAX_FIELDS: usize = 256;

/// Splits the line of this length, without its end, that `bytes` begin with at the colon that follows
/// the name at once (RFC 9112 section 5.1).
fn split_field(bytes: &[u8], length: usize) -> Result<(&[u8], &[u8]), Reject> {
    match window(bytes, length).split_at_checked(token_length(bytes)) {
        Some((name @ [_, ..], [b':', value @ ..])) => Ok((name, trim(value))),
        _ => Err(bad("invalid field name")),
    }
}

/// How many bytes the token at the start has. Few tokens have others than letters, digits and `-`.
fn token_length(bytes: &[u8]) -> usize {
    let is_rare = |byte: u8| {
        ((byte | 0x20).wrapping_sub(b'a') >= 26) & (byte.wrapping_sub(b'0') >= 10) & (byte != b'-')
    };
    let common = run_length(bytes, is_rare);
    let rest = bytes.get(common..).unwrap_or_default();
    common + rest.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(rest.len())
}

const fn bad(why: &'static str) -> Reject {
    Reject::new(Status::BAD_REQUEST, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_in_cr_lf_only() {
        let line_end = |input: &[u8], from| line_end(input, from, &mut true);
        assert_eq!(line_end(b"ab\r\ncd", 0), Ok(Line::Ends(4)));
        assert_eq!(line_end(b"ab", 0), Ok(Line::Open(2)));
        assert_eq!(line_end(b"ab\r", 0), Ok(Line::Open(2)));
        assert_eq!(line_end(b"a\rb\n", 0).unwrap_err().why, "CR without LF");
        assert_eq!(line_end(b"a\nb\0", 0).unwrap_err().why, "LF without CR");
        assert_eq!(line_end(b"a\0\n", 0).unwrap_err().why, "NUL");
    }

    #[test]
    fn each_control_character_is_found_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let control = (byte < b' ' && byte != b'\t') || byte == 0x7f;
            for at in 0..40 {
                let mut bytes = [b'x'; 40];
                bytes[at] = byte;
                assert_eq!(length_without_controls(&bytes), if control { at } else { 40 });
            }
        }
    }

    #[test]
    fn a_scan_goes_on_where_it_stopped() {
        let mut scan = BlockScan::from(0);
        let mut fields = Vec::new();
        let mut end = |input, scan: &mut BlockScan| {
            scan.end(input, 99, 9, |name, value| fields.push((name, value)))
        };
        assert_eq!(end(b"a: b\r\nc: d", &mut scan), Ok(None));
        assert_eq!(scan, BlockScan { line_start: 6, looked: 10, clean: true, lines: 1 });
        assert_eq!(end(b"a: b\r\nc: d\r\n\r\nrest", &mut scan), Ok(Some(14)));
        assert_eq!(fields, [(&b"a"[..], &b"b"[..]), (b"c", b"d")]);
    }

    #[test]
    fn a_block_may_fill_its_limit_and_not_more() {
        let end = |limit| BlockScan::from(0).end(b"a: b\r\n\r\n", limit, 9, |_, _| {});
        assert_eq!(end(8), Ok(Some(8)));
        assert_eq!(end(7).unwrap_err().why, "fields too large");
        let none = BlockScan::from(0).end(b"a: b\r\n\r\n", 8, 0, |_, _| {});
        assert_eq!(none.unwrap_err().why, "too many fields");
    }

    #[test]
    fn the_first_line_with_a_fault_decides() {
        let why = |block: &[u8]| BlockScan::from(0).end(block, 99, 9, |_, _| {}).unwrap_err().why;
        assert_eq!(why(b"a b: c\r\nd: \n"), "invalid field name");
        assert_eq!(why(b"a: b\x01\r\nd e: f\r\n"), "invalid field value");
        assert_eq!(why(b"a b: \0\r\n"), "NUL");
    }
}
