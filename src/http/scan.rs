// SPDX-License-Identifier: MIT OR Apache-2.0
//! Searches for the end of a run of bytes, many bytes at a time.
//!
//! Runs in a head are short, and what follows them is at hand mostly: so a chunk's bytes are compared
//! together, which the compiler does with vectors, and the search may look beyond the run's end.

/// So many bytes are looked at together.
const CHUNK: usize = 16;

/// How many bytes come before the first that `ends` the run; all of them if none does.
pub(crate) fn run_length(bytes: &[u8], ends: impl Fn(u8) -> bool) -> usize {
    let Some(last) = bytes.len().checked_sub(CHUNK) else {
        return bytes.iter().position(|&byte| ends(byte)).unwrap_or(bytes.len());
    };
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        match first_end(chunk, &ends) {
            Some(end) => return at + end,
            None if at == last => break,
            // The last chunk may begin with bytes that have been looked at.
            None => at = (at + CHUNK).min(last),
        }
    }
    bytes.len()
}

fn first_end(chunk: &[u8; CHUNK], ends: impl Fn(u8) -> bool) -> Option<usize> {
    if !chunk.iter().fold(false, |found, &byte| found | ends(byte)) {
        return None;
    }
    let marks = u128::from_le_bytes(chunk.map(|byte| if ends(byte) { u8::MAX } else { 0 }));
    Some(marks.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_ends_where_the_first_byte_ends_it(bytes in "[ab]{0,50}") {
            let expected = bytes.find('b').unwrap_or(bytes.len());
            prop_assert_eq!(run_length(bytes.as_bytes(), |byte| byte == b'b'), expected);
        }

        #[test]
        fn a_run_of_any_length_is_measured(length in 0..99_usize, beyond in 0..99_usize) {
            let bytes = [vec![b'a'; length], vec![b'b'; beyond]].concat();
            prop_assert_eq!(run_length(&bytes, |byte| byte == b'b'), length);
        }
    }
}
