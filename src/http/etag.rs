// SPDX-License-Identifier: MIT OR Apache-2.0
//! Entity tags (RFC 9110 section 8.8.3): reading, comparing, and making one for a file.

use super::coding::Coding;
use super::headers::trim_start;
use std::time::{SystemTime, UNIX_EPOCH};

/// An entity tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EntityTag<'a> {
    pub(crate) weak: bool,
    /// What stands between the quotes.
    pub(crate) opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// The tag that is the whole of `value`.
    pub(crate) fn parse(value: &'a [u8]) -> Option<Self> {
        Self::parse_first(value).filter(|(_, rest)| rest.is_empty()).map(|(tag, _)| tag)
    }

    /// The tag at the start of `value`, and what follows it.
    fn parse_first(value: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (weak, quoted) = match value.strip_prefix(b"W/") {
            Some(quoted) => (true, quoted),
            None => (false, value),
        };
        let inner = quoted.strip_prefix(b"\"")?;
        let (opaque, rest) = inner.split_at(memchr::memchr(b'"', inner)?);
        let is_tag = opaque.iter().all(|&byte| byte > b' ' && byte != 0x7f);
        is_tag.then_some((Self { weak, opaque }, rest.get(1..).unwrap_or_default()))
    }

    /// Strong comparison: neither is weak, and they are the same.
    pub(crate) fn strongly_equals(self, other: Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Weak comparison: the same but for the mark.
    pub(crate) fn weakly_equals(self, other: Self) -> bool {
        self.opaque == other.opaque
    }
}

/// The tags of one `If-Match` or `If-None-Match` value that is not `*`, up to the first thing that
/// is none.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = EntityTag<'_>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (tag, tail) = EntityTag::parse_first(skip_separators(rest))?;
        let follows = trim_start(tail);
        rest = if follows.is_empty() || follows.starts_with(b",") { follows } else { b"" };
        Some(tag)
    })
}

fn skip_separators(value: &[u8]) -> &[u8] {
    let separates = |byte: &u8| matches!(byte, b',' | b' ' | b'\t');
    let start = value.iter().position(|byte| !separates(byte)).unwrap_or(value.len());
    value.get(start..).unwrap_or_default()
}

/// The strong tag of a file, quotes and all: as nginx makes it, time of modification in seconds and
/// size in bytes, and then the fraction of the second, which a strong tag cannot do without: a file
/// may change twice in a second and keep its size (RFC 9110 section 8.8.1). All in hexadecimal. The
/// name of a coding keeps the file's tag apart from that of the file which it stands for.
pub(crate) fn of_file(modified: SystemTime, size: u64, coding: Option<Coding>) -> String {
    let since_epoch = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, fraction) = (since_epoch.as_secs(), since_epoch.subsec_nanos());
    let mut tag = match fraction {
        0 => format!("\"{seconds:x}-{size:x}"),
        _ => format!("\"{seconds:x}-{size:x}-{fraction:x}"),
    };
    if let Some(coding) = coding {
        tag.push('-');
        tag.push_str(coding.as_str());
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const fn tag(weak: bool, opaque: &[u8]) -> EntityTag<'_> {
        EntityTag { weak, opaque }
    }

    #[test]
    fn strong_and_weak_tags() {
        assert_eq!(EntityTag::parse(b"\"a\""), Some(tag(false, b"a")));
        assert_eq!(EntityTag::parse(b"W/\"a\""), Some(tag(true, b"a")));
        assert_eq!(EntityTag::parse(b"\"\""), Some(tag(false, b"")));
        for value in [&b""[..], b"a", b"\"a", b"\"a\"b", b"w/\"a\"", b"\"a b\"", b"*"] {
            assert_eq!(EntityTag::parse(value), None);
        }
    }

    #[test]
    fn comparison_follows_the_table_of_the_rfc() {
        // RFC 9110 section 8.8.3.2: two tags, strong comparison, weak comparison.
        for (one, other, strong, weak) in [
            (tag(true, b"1"), tag(true, b"1"), false, true),
            (tag(true, b"1"), tag(true, b"2"), false, false),
            (tag(true, b"1"), tag(false, b"1"), false, true),
            (tag(false, b"1"), tag(false, b"1"), true, true),
        ] {
            assert_eq!(one.strongly_equals(other), strong);
            assert_eq!(one.weakly_equals(other), weak);
        }
    }

    #[test]
    fn lists_may_have_commas_in_tags_and_end_at_the_first_fault() {
        let all = |value| list(value).collect::<Vec<_>>();
        assert_eq!(
            all(b"\"a,b\", W/\"c\" ,,\"d\""),
            [tag(false, b"a,b"), tag(true, b"c"), tag(false, b"d")]
        );
        assert_eq!(all(b"\"a\" \"b\""), [tag(false, b"a")]);
        assert_eq!(all(b"a, \"b\""), []);
    }

    #[test]
    fn the_tag_of_a_file() {
        let modified = UNIX_EPOCH + Duration::from_secs(0x5f00_0000);
        assert_eq!(of_file(modified, 255, None), "\"5f000000-ff\"");
        let later = modified + Duration::from_nanos(0xabc);
        assert_eq!(of_file(later, 255, None), "\"5f000000-ff-abc\"");
        assert_eq!(of_file(modified, 255, Some(Coding::Brotli)), "\"5f000000-ff-br\"");
    }

    proptest! {
        #[test]
        fn a_printed_tag_is_read_back(weak: bool, opaque in "[!#-~\u{80}-\u{ff}]{0,12}") {
            let text = format!("{}\"{opaque}\"", if weak { "W/" } else { "" });
            prop_assert_eq!(EntityTag::parse(text.as_bytes()), Some(tag(weak, opaque.as_bytes())));
            let twice = format!("{text}, {text}");
            prop_assert_eq!(list(twice.as_bytes()).count(), 2);
        }
    }
}
