// SPDX-License-Identifier: MIT OR Apache-2.0
//! What holds for any text that is given for a configuration file.

use super::parse;
use crate::error::ErrorKind;
use std::path::Path;

/// A text becomes a configuration or an error that says in which file and, where it has a place, shows
/// the line. Those that would read further files are passed over.
///
/// # Panics
/// Where it does not hold.
pub fn configuration(text: &[u8]) {
    const FILE: &str = "/fuzz/evl.conf";
    if text.windows(b"include".len()).any(|word| word == b"include") {
        return;
    }
    if let Err(error) = parse(text, Path::new(FILE)) {
        assert_eq!(error.kind(), ErrorKind::Config);
        let message = error.to_string();
        let shows_the_line = message.contains('\n');
        assert!(message.starts_with(FILE), "{message}");
        assert_eq!(message.contains('^'), shows_the_line, "{message}");
    }
}
