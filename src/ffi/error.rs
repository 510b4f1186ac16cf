// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors
//!
//! A call answers 0 or a count if it succeeded, and if not a negative code: -errno, or one of
//! evl's own below. A call that makes an object answers NULL, and evl_last_error_code() has the
//! code. evl_last_error() tells in words what went wrong, and with what.

use crate::error::{Error, ErrorKind, os_text};
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::OnceLock;

/// The codes that are evl's own. A released code keeps its number and its meaning.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum evl_error {
    /// The configuration is wrong; evl_last_error() shows where.
    EVL_ECONFIG = -10001,
    /// The call came at the wrong time: before start, after stop, twice.
    EVL_ESTATE = -10002,
    /// What the call refers to has gone.
    EVL_EGONE = -10003,
    /// The library has a bug: the call was abandoned, its object should be freed.
    EVL_EPANIC = -10004,
}

/// What a code means, in a few words: "No such file or directory". Never NULL: a code that is not
/// known says so, 0 and counts are "Success". Borrowed for ever.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn evl_strerror(code: c_int) -> *const c_char {
    describe(code).1.as_ptr()
}

/// What a code is called: "ENOENT", "EVL_ECONFIG"; "OK" for 0 and counts, "UNKNOWN" for a code that
/// is not known. Never NULL. Borrowed for ever.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub extern "C" fn evl_error_name(code: c_int) -> *const c_char {
    describe(code).0.as_ptr()
}

/// Why this thread's last call failed, in sentences for people: of a configuration file the place,
/// the line and what was meant. Empty, never NULL, if the call succeeded. Borrowed until this
/// thread's next call. Calls that cannot fail (close, free, the request's readers) and evl_trigger()
/// leave it.
///
/// Thread: any; each has its own.
#[unsafe(no_mangle)]
pub extern "C" fn evl_last_error() -> *const c_char {
    last(|last| last.as_ref().map_or(c"".as_ptr(), |(_, sentence)| sentence.as_ptr()))
        .unwrap_or(c"".as_ptr())
}

/// The code of what evl_last_error() tells; 0 if the call succeeded.
///
/// Thread: any; each has its own.
#[unsafe(no_mangle)]
pub extern "C" fn evl_last_error_code() -> c_int {
    last(|last| last.as_ref().map_or(0, |(code, _)| *code)).unwrap_or(0)
}

thread_local! {
    static LAST: RefCell<Option<(c_int, CString)>> = const { RefCell::new(None) };
}

/// Looks at this thread's last error; `None` only while the thread ends.
fn last<T>(look: impl FnOnce(&mut Option<(c_int, CString)>) -> T) -> Option<T> {
    LAST.try_with(|last| look(&mut last.borrow_mut())).ok()
}

/// Forgets the last error, as each call that can fail does first.
pub(super) fn clear() {
    last(Option::take);
}

/// Keeps a failure for `evl_last_error` and answers its code.
pub(super) fn keep(error: &Error) -> c_int {
    let code = code(error);
    let mut sentence = error.to_string().into_bytes();
    sentence.retain(|&byte| byte != 0);
    let sentence = CString::new(sentence).unwrap_or_default();
    last(|last| last.replace((code, sentence)));
    code
}

/// The C code of a failure.
pub(super) fn code(error: &Error) -> c_int {
    match error.kind() {
        ErrorKind::Os(errno) => -errno,
        ErrorKind::Config => evl_error::EVL_ECONFIG as c_int,
        ErrorKind::State => evl_error::EVL_ESTATE as c_int,
        ErrorKind::Gone => evl_error::EVL_EGONE as c_int,
        ErrorKind::Panic => evl_error::EVL_EPANIC as c_int,
    }
}

/// What a code is called, for the log.
pub(super) fn name(code: c_int) -> &'static str {
    describe(code).0.to_str().unwrap_or_default()
}

/// Name and meaning of a code.
type Description = (&'static CStr, CString);

fn describe(code: c_int) -> &'static Description {
    static KNOWN: OnceLock<Vec<(c_int, Description)>> = OnceLock::new();
    static SUCCESS: OnceLock<Description> = OnceLock::new();
    static UNKNOWN: OnceLock<Description> = OnceLock::new();

    if code >= 0 {
        return SUCCESS.get_or_init(|| (c"OK", c"Success".to_owned()));
    }
    let known = KNOWN.get_or_init(|| {
        let own = OWN.iter().map(|&(code, name, text)| (code as c_int, (name, text.to_owned())));
        let os = OS.iter().map(|&(errno, name)| {
            (-errno, (name, CString::new(os_text(errno)).unwrap_or_default()))
        });
        own.chain(os).collect()
    });
    match known.iter().find(|(known, _)| *known == code) {
        Some((_, description)) => description,
        None => UNKNOWN.get_or_init(|| (c"UNKNOWN", c"Unknown error".to_owned())),
    }
}

const OWN: &[(evl_error, &CStr, &CStr)] = &[
    (evl_error::EVL_ECONFIG, c"EVL_ECONFIG", c"Wrong configuration"),
    (evl_error::EVL_ESTATE, c"EVL_ESTATE", c"Call at the wrong time"),
    (evl_error::EVL_EGONE, c"EVL_EGONE", c"Already gone"),
    (evl_error::EVL_EPANIC, c"EVL_EPANIC", c"Internal error of the library"),
];

/// Pairs of errno value and name, from the names.
macro_rules! errno_names {
    ($($name:ident)*) => {
        &[$((libc::$name, match CStr::from_bytes_with_nul(
            concat!(stringify!($name), "\0").as_bytes(),
        ) {
            Ok(name) => name,
            Err(_) => c"",
        })),*]
    };
}

/// The numbers that POSIX names; where two names share one number, the first is told.
const OS: &[(c_int, &CStr)] = errno_names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT
    ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG
    ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY
    ELOOP ENOMSG EIDRM EPROTO EBADMSG EOVERFLOW EILSEQ EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE
    EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT ENOTSUP EOPNOTSUPP EPFNOSUPPORT
    EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED ECONNRESET
    ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH
    EALREADY EINPROGRESS ESTALE EDQUOT ECANCELED
};

/// This thread's last error as text.
#[cfg(test)]
pub(super) fn last_sentence() -> String {
    last(|last| last.as_ref().map(|(_, text)| text.to_string_lossy().into_owned()))
        .flatten()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: evl_strerror and evl_error_name give C strings that live for ever.
        unsafe { CStr::from_ptr(pointer) }.to_str().unwrap()
    }

    #[test]
    fn every_int_has_a_name_and_a_meaning() {
        for (code, name, meaning) in [
            (0, "OK", "Success"),
            (17, "OK", "Success"),
            (-libc::ENOENT, "ENOENT", "No such file or directory"),
            (-libc::EAGAIN, "EAGAIN", "Resource temporarily unavailable"),
            (-10001, "EVL_ECONFIG", "Wrong configuration"),
            (-10004, "EVL_EPANIC", "Internal error of the library"),
            (-9999, "UNKNOWN", "Unknown error"),
            (c_int::MIN, "UNKNOWN", "Unknown error"),
        ] {
            assert_eq!(text(evl_error_name(code)), name, "{code}");
            assert_eq!(text(evl_strerror(code)), meaning, "{code}");
        }
    }

    #[test]
    fn kinds_map_to_the_frozen_numbers() {
        let kinds = [ErrorKind::Config, ErrorKind::State, ErrorKind::Gone, ErrorKind::Panic];
        let codes = kinds.map(|kind| code(&Error::new(kind, "")));
        assert_eq!(codes, [-10001, -10002, -10003, -10004]);
        assert_eq!(code(&Error::os(libc::EBADF)), -libc::EBADF);
    }

    #[test]
    fn a_sentence_with_a_nul_in_it_is_kept_without() {
        keep(&Error::new(ErrorKind::Config, "a\0b"));
        assert_eq!(last_sentence(), "ab");
        assert_eq!(evl_last_error_code(), -10001);
    }

    #[test]
    fn each_thread_has_its_own_last_error() {
        keep(&Error::os(libc::EIO));
        assert_eq!(std::thread::spawn(|| evl_last_error_code()).join().unwrap(), 0);
        assert_eq!(evl_last_error_code(), -libc::EIO);
    }
}
