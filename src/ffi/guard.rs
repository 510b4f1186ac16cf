// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every exported body runs inside: a panic ends here, an error becomes a code and a kept
//! sentence, and the caller's errno is as it was.

use super::error;
use crate::error::{Error, ErrorKind, Result};
use errno::{errno, set_errno};
use std::ffi::c_int;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a body whose answer is 0, a count or a descriptor; a failure is its code.
pub(super) fn guard(body: impl FnOnce() -> Result<c_int>) -> c_int {
    run(body).unwrap_or_else(|error| error::keep(&error))
}

/// Runs a body that makes an object; a failure is NULL.
pub(super) fn guard_new<T>(body: impl FnOnce() -> Result<T>) -> *mut T {
    match run(body) {
        Ok(object) => Box::into_raw(Box::new(object)),
        Err(error) => {
            error::keep(&error);
            std::ptr::null_mut()
        }
    }
}

/// Runs a body that only looks or frees: nothing is told but `fallback`, and the last error stays.
pub(super) fn guard_or<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    caught(|| Ok(body())).unwrap_or(fallback)
}

/// Runs a body that a signal handler may call: the last error, which allocates, stays as it is.
pub(super) fn guard_in_signal(body: impl FnOnce() -> Result<c_int>) -> c_int {
    caught(body).unwrap_or_else(|error| error::code(&error))
}

/// A count as C gets it.
pub(super) fn count(n: usize) -> c_int {
    c_int::try_from(n).unwrap_or(c_int::MAX)
}

fn run<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    error::clear();
    caught(body)
}

fn caught<T>(body: impl FnOnce() -> Result<T>) -> Result<T> {
    let errno = errno();
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().map(String::as_str);
        let why = why.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Err(Error::new(ErrorKind::Panic, format!("the library panicked: {why}")))
    });
    set_errno(errno);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_code_and_a_sentence() {
        let code = guard(|| panic!("the {} broke", "thing"));
        assert_eq!(code, error::evl_error::EVL_EPANIC as c_int);
        assert_eq!(error::last_sentence(), "the library panicked: the thing broke");
    }

    #[test]
    fn a_success_clears_what_the_last_failure_left() {
        guard(|| Err(Error::os(libc::ENOENT)));
        assert_eq!(guard(|| Ok(3)), 3);
        assert_eq!(error::last_sentence(), "");
    }

    #[test]
    fn a_body_for_signal_handlers_leaves_the_last_error() {
        guard(|| Err(Error::new(ErrorKind::State, "kept")));
        assert_eq!(guard_in_signal(|| Err(Error::os(libc::EFAULT))), -libc::EFAULT);
        assert_eq!(guard_or(7, || panic!("gone")), 7);
        assert_eq!(error::last_sentence(), "kept");
    }

    #[test]
    fn errno_is_the_callers() {
        set_errno(errno::Errno(libc::EDOM));
        guard(|| {
            set_errno(errno::Errno(libc::EIO));
            Err(Error::os(libc::EIO))
        });
        assert_eq!(errno(), errno::Errno(libc::EDOM));
    }
}
