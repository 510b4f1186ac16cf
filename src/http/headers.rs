// SPDX-License-Identifier: MIT OR Apache-2.0
//! Header fields as offsets into the bytes they came in, and look-ups in them (RFC 9110 section 5).
//!
//! Nothing is copied: a field is two spans, a list of fields is a view over spans and bytes. Names
//! compare without regard to case; values are bytes without the white space around them.

use super::scan::run_length;
use std::iter;

/// Where a piece of a message lies, counted in bytes from the message's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// Where `part`, a slice of `whole`, lies in it.
    pub(crate) fn of(whole: &[u8], part: &[u8]) -> Self {
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        debug_assert!(start <= whole.len() && part.len() <= whole.len() - start);
        Self { start, end: start.wrapping_add(part.len()) }
    }

    /// Where it begins and where it ends.
    pub(crate) const fn range(self) -> std::ops::Range<usize> {
        self.start..self.end
    }

    /// The bytes there; empty if `whole` is too short to be the message that the span is of.
    pub(crate) fn of_bytes(self, whole: &[u8]) -> &[u8] {
        whole.get(self.start..self.end).unwrap_or_default()
    }
}

/// Where a field's name and value lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSpan {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// The fields of one message, in the order in which they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    spans: &'a [FieldSpan],
}

impl<'a> Fields<'a> {
    /// The fields at these places of the message `bytes`.
    pub(crate) const fn new(bytes: &'a [u8], spans: &'a [FieldSpan]) -> Self {
        Self { bytes, spans }
    }

    /// Name and value of every field.
    pub(crate) fn iter(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let bytes = self.bytes;
        self.spans.iter().map(move |span| (span.name.of_bytes(bytes), span.value.of_bytes(bytes)))
    }

    /// The values of all fields of this name.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let matching =
            self.iter().filter(move |(found, _)| found.eq_ignore_ascii_case(name.as_bytes()));
        matching.map(|(_, value)| value)
    }

    /// The value of the first field of this name.
    pub(crate) fn first(self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The value of the only field of this name: `None` also when there are several, for fields
    /// whose values do not make a list.
    pub(crate) fn only(self, name: &str) -> Option<&'a [u8]> {
        let mut values = self.all(name);
        values.next().filter(|_| values.next().is_none())
    }
}

/// The elements of a comma-separated list without quoted strings, as `Connection` is one; empty
/// elements are passed over (RFC 9110 section 5.6.1.2).
pub(crate) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(value);
    let split = iter::from_fn(move || {
        let list = rest?;
        let comma = run_length(list, |byte| byte == b',');
        let (element, tail) = list.split_at(comma);
        rest = tail.get(1..);
        Some(trim(element))
    });
    split.filter(|element| !element.is_empty())
}

/// The bytes without the spaces and tabs around them.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let mut rest = trim_start(bytes);
    while let [before @ .., b' ' | b'\t'] = rest {
        rest = before;
    }
    rest
}

/// The bytes without the spaces and tabs before them.
pub(crate) fn trim_start(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [b' ' | b'\t', after @ ..] = rest {
        rest = after;
    }
    rest
}

/// A set of bytes, looked up in a table.
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    /// Letters and digits.
    pub(crate) const ALPHANUMERIC: Self =
        Self([false; 256]).and_range(b'0', b'9').and_range(b'A', b'Z').and_range(b'a', b'z');

    /// The set with these as well.
    pub(crate) const fn and(mut self, bytes: &[u8]) -> Self {
        let mut at = 0;
        while at < bytes.len() {
            self.0[bytes[at] as usize] = true;
            at += 1;
        }
        self
    }

    const fn and_range(mut self, first: u8, last: u8) -> Self {
        let mut byte = first;
        while byte <= last {
            self.0[byte as usize] = true;
            byte += 1;
        }
        self
    }

    /// Whether the byte is in the set.
    pub(crate) const fn contains(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }
}

/// What a token is made of (RFC 9110 section 5.6.2).
static TOKEN: ByteSet = ByteSet::ALPHANUMERIC.and(b"!#$%&'*+-.^_`|~");

/// Whether the bytes are a token (RFC 9110 section 5.6.2).
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}

/// Whether the byte may stand in a token.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN.contains(byte)
}

/// Whether the byte may stand in a field's value (RFC 9110 section 5.5).
pub(crate) const fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: &[u8] = b"Accept:a\r\nHOST: b\r\naccept: c\r\n";

    fn spans() -> Vec<FieldSpan> {
        [(0..6, 7..8), (10..14, 16..17), (19..25, 27..28)]
            .map(|(name, value)| FieldSpan {
                name: Span::of(BYTES, &BYTES[name]),
                value: Span::of(BYTES, &BYTES[value]),
            })
            .to_vec()
    }

    #[test]
    fn names_compare_without_case() {
        let spans = spans();
        let fields = Fields::new(BYTES, &spans);
        assert_eq!(fields.first("ACCEPT"), Some(&b"a"[..]));
        assert_eq!(fields.all("accept").collect::<Vec<_>>(), [b"a", b"c"]);
        assert_eq!(fields.only("host"), Some(&b"b"[..]));
        assert_eq!(fields.only("accept"), None);
        assert_eq!(fields.first("cookie"), None);
    }

    #[test]
    fn list_elements_are_trimmed_and_empty_ones_passed_over() {
        let found: Vec<_> = elements(b" close,\t, keep-alive ,,x").collect();
        assert_eq!(found, [&b"close"[..], b"keep-alive", b"x"]);
        assert_eq!(elements(b" , ").count(), 0);
    }

    #[test]
    fn a_span_of_other_bytes_is_empty() {
        assert_eq!(spans()[2].value.of_bytes(b"short"), b"");
    }
}
