// SPDX-License-Identifier: MIT OR Apache-2.0
//! HTTP dates (RFC 9110 section 5.6.7). The time is always passed in; nothing here reads a clock.

use std::io::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A date as IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(crate) type DateText = [u8; 29];

/// The last second that has a four-digit year: 9999-12-31T23:59:59Z.
const LAST_SECOND: u64 = 253_402_300_799;

/// Formats a time. One outside the years 1970 to 9999, as a file can have, becomes the nearest
/// that has a text.
pub(crate) fn format(time: SystemTime) -> DateText {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    text(since_epoch.as_secs())
}

fn text(second: u64) -> DateText {
    let time = UNIX_EPOCH + Duration::from_secs(second.min(LAST_SECOND));
    let mut text = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    let written = write!(&mut text[..], "{}", httpdate::HttpDate::from(time));
    debug_assert!(written.is_ok());
    text
}

/// Parses a date in any of the three formats a recipient has to know.
pub(crate) fn parse(value: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(str::from_utf8(value).ok()?).ok()
}

/// The time in whole seconds since 1970, which is all that an HTTP date can tell.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second)
    }

    #[test]
    fn the_three_formats_of_the_rfc_name_one_time() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(at(784_111_777)), "{text}");
        }
        assert_eq!(&format(at(784_111_777)), b"Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "0", "yesterday", "Sun, 31 Feb 1994 08:49:37 GMT", "\u{e4}"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_without_a_text_become_the_nearest() {
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(&format(before), b"Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(&format(at(LAST_SECOND + 1)), b"Fri, 31 Dec 9999 23:59:59 GMT");
    }

    proptest! {
        #[test]
        fn parsing_undoes_formatting(second in 0..=LAST_SECOND) {
            prop_assert_eq!(parse(&format(at(second))), Some(at(second)));
        }

        #[test]
        fn parsing_takes_any_bytes(bytes: Vec<u8>) {
            let _ = parse(&bytes);
        }
    }
}
