// SPDX-License-Identifier: MIT OR Apache-2.0
//! The notations of values: switches, numbers, sizes and times.

use crate::server::limits::LONGEST_TIME;
use std::time::Duration;

const SECOND: u64 = 1000;
const DAY: u64 = 24 * 60 * 60 * SECOND;

/// The units of time in milliseconds, in the order in which they may follow each other.
const UNITS: [(&str, u64); 8] = [
    ("y", 365 * DAY),
    ("M", 30 * DAY),
    ("w", 7 * DAY),
    ("d", DAY),
    ("h", 60 * 60 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1),
];

/// `on` or `off`, in any case as in nginx.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("on") => Some(true),
        _ if text.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    }
}

/// A number in decimal digits alone.
pub(super) fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A number of bytes; `k`, `m` and `g` stand for powers of 1024.
pub(super) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit: u64 = match text.get(digits.len()..)? {
        "" => 1,
        "k" | "K" => 1 << 10,
        "m" | "M" => 1 << 20,
        "g" | "G" => 1 << 30,
        _ => return None,
    };
    number(digits)?.checked_mul(unit).filter(|&size| i64::try_from(size).is_ok())
}

/// A time, at most [`LONGEST_TIME`]: numbers with units, the larger first and each at most once;
/// blanks may separate them. The last unit may be missing and is then the second.
pub(super) fn time(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut total: u64 = 0;
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (amount, tail) = rest.split_at_checked(digits)?;
        let letters = tail.len() - tail.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, tail) = tail.split_at_checked(letters)?;
        let unit = if unit.is_empty() && tail.is_empty() { "s" } else { unit };
        let index = units.iter().position(|&(name, _)| name == unit)?;
        let milliseconds = units.get(index)?.1;
        total = total.checked_add(number(amount)?.checked_mul(milliseconds)?)?;
        rest = tail.trim_start_matches(' ');
        units = units.get(index + 1..)?;
        if rest.is_empty() {
            return Some(Duration::from_millis(total)).filter(|&time| time <= LONGEST_TIME);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        let good = [
            ("0", 0),
            ("4096", 4096),
            ("8k", 8192),
            ("1M", 1 << 20),
            ("2g", 2 << 30),
            ("9223372036854775807", (1 << 63) - 1),
        ];
        for (text, expected) in good {
            assert_eq!(size(text), Some(expected), "{text}");
        }
        let bad = [
            "",
            "k",
            "-1",
            "+1",
            "1 k",
            "1kb",
            "1t",
            "0x10",
            "1.5m",
            "9223372036854775808",
            "8589934592g",
            "k1",
        ];
        for text in bad {
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_sums_of_units() {
        let good = [
            ("0", 0),
            ("75", 75_000),
            ("75s", 75_000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("1m30", 90_000),
            ("1h 30m", 5_400_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("1y", 31_536_000_000),
            ("1M", 2_592_000_000),
        ];
        for (text, expected) in good {
            assert_eq!(time(text), Some(Duration::from_millis(expected)), "{text}");
        }
        let bad = [
            "",
            "s",
            "1x",
            "-1",
            "1s1m",
            "1s1s",
            "1m1m",
            "1 30",
            "1m 30 s",
            "11y",
            "1ms1",
            "1 s",
            "é",
            "99999999999999999999",
            "18446744073709551615d",
        ];
        for text in bad {
            assert_eq!(time(text), None, "{text:?}");
        }
    }

    #[test]
    fn switches_are_on_and_off() {
        assert_eq!(["on", "Off", "yes", ""].map(flag), [Some(true), Some(false), None, None]);
    }
}
