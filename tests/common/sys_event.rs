// SPDX-License-Identifier: MIT OR Apache-2.0
//! The numbers of `include/kqueue/sys/event.h`.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "support code of tests: a failure is a panic"
)]

use std::collections::HashMap;
use std::sync::OnceLock;

const HEADER: &str = include_str!("../../include/kqueue/sys/event.h");

/// What a name stands for.
pub(crate) fn number(name: &str) -> i64 {
    static NUMBERS: OnceLock<HashMap<&str, i64>> = OnceLock::new();
    let numbers = NUMBERS.get_or_init(|| {
        let mut numbers = HashMap::new();
        for line in HEADER.lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some("#define") {
                continue;
            }
            let (Some(name), Some(value)) = (words.next(), words.next()) else { continue };
            if let Some(value) = parse(value).or_else(|| numbers.get(value).copied()) {
                numbers.insert(name, value);
            }
        }
        numbers
    });
    *numbers.get(name).unwrap_or_else(|| panic!("<sys/event.h> has no {name}"))
}

fn parse(value: &str) -> Option<i64> {
    let value = value.trim_start_matches('(').trim_end_matches(')');
    match value.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => value.parse().ok(),
    }
}
