// SPDX-License-Identifier: MIT OR Apache-2.0
//! Byte ranges (RFC 9110 section 14): which parts of a representation a `Range` field asks for.
//!
//! A field with another unit, a broken syntax or too many ranges asks for the whole, as section 14.2
//! allows. Ranges that overlap or touch become one, so that no byte is sent twice.

use super::headers::elements;
use std::ops::RangeInclusive;

/// Positions of the first and the last byte.
pub(crate) type ByteRange = RangeInclusive<u64>;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The whole representation, with 200.
    Whole,
    /// These bytes, with 206; never empty, and within the representation.
    One(ByteRange),
    /// Several parts, with 206 as `multipart/byteranges`, in the order in which they were asked for.
    Several(Vec<ByteRange>),
    /// Nothing: 416.
    Unsatisfiable,
}

/// Reads a `Range` value with at most `most` ranges for a representation of `length` bytes.
pub(crate) fn parse(value: &[u8], length: u64, most: usize) -> Selection {
    let Some((unit, set)) = value.split_at_checked("bytes=".len()) else { return Selection::Whole };
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return Selection::Whole;
    }
    // The usual single range needs no list.
    let mut first: Option<ByteRange> = None;
    let mut others: Vec<ByteRange> = Vec::new();
    let mut count = 0;
    for spec in elements(set) {
        count += 1;
        let Some(spec) = Spec::parse(spec).filter(|_| count <= most) else {
            return Selection::Whole;
        };
        match (spec.select(length), &first) {
            (None, _) => {}
            (Some(range), None) => first = Some(range),
            (Some(range), Some(_)) => others.push(range),
        }
    }
    match first {
        None if count == 0 => Selection::Whole,
        None => Selection::Unsatisfiable,
        Some(first) if others.is_empty() => Selection::One(first),
        Some(first) => {
            let mut parts = Vec::with_capacity(1 + others.len());
            std::iter::once(first).chain(others).for_each(|range| coalesce(&mut parts, range));
            match parts.as_slice() {
                [one] => Selection::One(one.clone()),
                _ => Selection::Several(parts),
            }
        }
    }
}

/// Adds a range to parts that neither overlap nor touch, so that they still do not.
fn coalesce(parts: &mut Vec<ByteRange>, range: ByteRange) {
    let (mut start, mut end) = range.into_inner();
    let mut place = parts.len();
    while let Some(near) = parts.iter().position(|part| {
        start <= part.end().saturating_add(1) && *part.start() <= end.saturating_add(1)
    }) {
        let (other_start, other_end) = parts.remove(near).into_inner();
        (start, end) = (start.min(other_start), end.max(other_end));
        place = place.min(near);
    }
    parts.insert(place.min(parts.len()), start..=end);
}

/// One range as it was asked for; positions too large for the type become its largest.
#[derive(Clone, Copy)]
enum Spec {
    From { first: u64, last: Option<u64> },
    Suffix(u64),
}

impl Spec {
    fn parse(spec: &[u8]) -> Option<Self> {
        let (first, last) = spec.split_at(memchr::memchr(b'-', spec)?);
        match (first, last.get(1..)?) {
            (b"", count) => position(count).map(Self::Suffix),
            (first, b"") => position(first).map(|first| Self::From { first, last: None }),
            (first, last) => {
                let (first, last) = (position(first)?, position(last)?);
                (first <= last).then_some(Self::From { first, last: Some(last) })
            }
        }
    }

    /// The bytes that there are of it.
    fn select(self, length: u64) -> Option<ByteRange> {
        let end = length.checked_sub(1)?;
        match self {
            Self::From { first, .. } if first > end => None,
            Self::From { first, last } => Some(first..=last.unwrap_or(end).min(end)),
            Self::Suffix(0) => None,
            Self::Suffix(count) => Some(length.saturating_sub(count)..=end),
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

    fn parse(value: &str, length: u64) -> Selection {
        super::parse(value.as_bytes(), length, 8)
    }

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
            assert_eq!(parse(value, 10), expected, "{value}");
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
            "bytes=1-2,4",
            "bytes=1-2,4-3",
            "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8",
            "lines=1-2",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=--1",
            "bytes = 1-2",
        ] {
            assert_eq!(parse(value, 10), Selection::Whole, "{value}");
        }
    }

    #[test]
    fn several_ranges_keep_their_order_and_never_overlap_or_touch() {
        for (value, expected) in [
            ("bytes=0-1,4-5", vec![0..=1, 4..=5]),
            ("bytes=4-5,0-1", vec![4..=5, 0..=1]),
            ("bytes=-1, 0-0", vec![9..=9, 0..=0]),
            ("bytes=8-,0-0,99-", vec![8..=9, 0..=0]),
            ("bytes=6-7,0-1,3-4,1-2", vec![6..=7, 0..=4]),
            ("bytes=0-0,2-2,4-4,6-6,1-1", vec![0..=2, 4..=4, 6..=6]),
        ] {
            assert_eq!(parse(value, 10), Selection::Several(expected), "{value}");
        }
        for (value, expected) in [
            ("bytes=0-1,2-3", 0..=3),
            ("bytes=2-3,0-1", 0..=3),
            ("bytes=0-,-1", 0..=9),
            ("bytes=0-0,9-9,1-8", 0..=9),
            ("bytes=3-4,10-,-0", 3..=4),
        ] {
            assert_eq!(parse(value, 10), Selection::One(expected), "{value}");
        }
        assert_eq!(parse("bytes=10-,-0", 10), Selection::Unsatisfiable);
        assert_eq!(super::parse(b"bytes=0-0", 10, 0), Selection::Whole);
    }

    #[test]
    fn nothing_can_be_had_of_an_empty_file() {
        for value in ["bytes=0-", "bytes=-1", "bytes=0-0"] {
            assert_eq!(parse(value, 0), Selection::Unsatisfiable, "{value}");
        }
    }

    proptest! {
        #[test]
        fn a_selection_lies_within(value in "bytes=[0-9,-]{0,12}", length in 0..2000u64) {
            if let Selection::One(range) = parse(&value, length) {
                prop_assert!(range.start() <= range.end() && *range.end() < length);
            }
        }

        #[test]
        fn parts_are_what_was_asked_for_and_nothing_twice(
            specs in prop::collection::vec((0..40u64, prop::option::of(0..9u64)), 1..8),
            length in 1..32u64,
        ) {
            let wanted = |at: &u64| specs.iter().any(|(first, more)| {
                first <= at && more.is_none_or(|more| *at <= first + more)
            });
            let list: Vec<_> = specs.iter().map(|(first, more)| match more {
                Some(more) => format!("{first}-{}", first + more),
                None => format!("{first}-"),
            }).collect();
            let parts = match parse(&format!("bytes={}", list.join(",")), length) {
                Selection::Whole => unreachable!(),
                Selection::One(part) => vec![part],
                Selection::Several(parts) => parts,
                Selection::Unsatisfiable => vec![],
            };
            let mut sent: Vec<u64> = parts.iter().cloned().flatten().collect();
            sent.sort_unstable();
            let expected: Vec<u64> = (0..length).filter(wanted).collect();
            prop_assert_eq!(sent, expected);
            for (index, part) in parts.iter().enumerate() {
                let touches = |other: &ByteRange| {
                    other != part && *other.start() <= part.end() + 1 && *part.start() <= other.end() + 1
                };
                prop_assert!(!parts.iter().skip(index).any(touches));
            }
        }

        #[test]
        fn an_inner_range_is_taken_as_it_is(first in 0..100u64, more in 0..100u64, after in 1..9u64) {
            let last = first + more;
            let value = format!("bytes={first}-{last}");
            prop_assert_eq!(parse(&value, last + after), Selection::One(first..=last));
        }
    }
}
