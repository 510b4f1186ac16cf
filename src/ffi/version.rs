// SPDX-License-Identifier: MIT OR Apache-2.0
//! Version
//!
//! The library is compatible with every program built against an older header of the same soname.

use std::ffi::{CStr, c_char};

/// The version of the library that runs, such as "0.1.0". Borrowed for ever.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn evl_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => c"",
        };
    VERSION.as_ptr()
}
