// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte ranges (RFC 9110 section 14): which part of a representation a `Range` field asks for.
//!
//! A field with several ranges, another unit or a broken syntax asks for the whole, as section
//! 14.2 allows.

use super::headers::elements;
use std::ops::RangeInclusive;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The whole representation, with 200.
    Whole,
    /// These bytes, with 206; never empty, and within the representation.
    One(RangeInclusive<u64>),
    /// Nothing: 416.
    Unsatisfiable,
}

/// Reads a `Range` value for a representation of `length` bytes.
pub(crate) fn parse(value: &[u8], length: u64) -> Selection {
    parse_single(value).map_or(Selection::Whole, |spec| spec.select(length))
}

/// One range as it was asked for; positions too large for the type become its largest.
#[derive(Clone, Copy)]
enum Spec {
    From { first: u64, last: Option<u64> },
    Suffix(u64),
}

impl Spec {
    fn select(self, length: u64) -> Selection {
        let Some(end) = length.checked_sub(1) else { return Selection::Unsatisfiable };
        match self {
            Self::From { first, .. } if first > end => Selection::Unsatisfiable,
            Self::From { first, last } => Selection::One(first..=last.unwrap_or(end).min(end)),
            Self::Suffix(0) => Selection::Unsatisfiable,
            Self::Suffix(count) => Selection::One(length.saturating_sub(count)..=end),
        }
    }
}

fn parse_single(value: &[u8]) -> Option<Spec> {
    let (unit, set) = value.split_at_checked("bytes=".len())?;
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return None;
    }
    let mut specs = elements(set);
    let spec = specs.next().filter(|_| specs.next().is_none())?;
    let (first, last) = spec.split_at(memchr::memchr(b'-', spec)?);
    match (first, last.get(1..)?) {
        (b"", count) => position(count).map(Spec::Suffix),
        (first, b"") => position(first).map(|first| Spec::From { first, last: None }),
        (first, last) => {
            let (first, last) = (position(first)?, position(last)?);
            (first <= last).then_some(Spec::From { first, last: Some(last) })
        }
    }
}

fn position(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = str::from_utf8(digits).ok()?.parse();
    Some(number.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn single_ranges() {
        for (value, expected) in [
            ("bytes=0-0", Selection::One(0..=0)),
            ("bytes=2-4", Selection::One(2..=4)),
            ("Bytes=5-", Selection::One(5..=9)),
            ("bytes=5-99999999999999999999999", Selection::One(5..=9)),
            ("bytes=-3", Selection::One(7..=9)),
            ("bytes=-30", Selection::One(0..=9)),
            ("bytes=,3-4, ", Selection::One(3..=4)),
            ("bytes=10-", Selection::Unsatisfiable),
            ("bytes=99999999999999999999999-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
        ] {
            assert_eq!(parse(value.as_bytes(), 10), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_one_byte_range_asks_for_the_whole() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=4-2",
            "bytes=a-b",
            "bytes=1-2,4-5",
            "lines=1-2",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=--1",
            "bytes = 1-2",
        ] {
            assert_eq!(parse(value.as_bytes(), 10), Selection::Whole, "{value}");
        }
    }

    #[test]
    fn nothing_can_be_had_of_an_empty_file() {
        for value in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(parse(value.as_bytes(), 0), Selection::Unsatisfiable, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_selection_lies_within(value in "bytes=[0-9,-]{0,12}", length in 0..2000u64) {
            if let Selection::One(range) = parse(value.as_bytes(), length) {
                prop_assert!(range.start() <= range.end() && *range.end() < length);
            }
        }

        #[test]
        fn an_inner_range_is_taken_as_it_is(first in 0..100u64, more in 0..100u64, after in 1..9u64) {
            let last = first + more;
            let value = format!("bytes={first}-{last}");
            prop_assert_eq!(parse(value.as_bytes(), last + after), Selection::One(first..=last));
        }
    }
}
