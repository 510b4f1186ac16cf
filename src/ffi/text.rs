// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text
//!
//! Text that evl takes is a C string, or a pointer with a length (NULL with length 0 is empty).
//! Text that evl gives is an evl_slice: bytes with a length, not ended by a NUL.

use super::guard::count;
use crate::error::{Error, Result};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Borrowed bytes: `len` of them from `ptr` on. What does not exist has a NULL `ptr`; what is empty
/// has not. Print it with `printf("%.*s", (int)slice.len, slice.ptr)`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_slice {
    /// The first byte.
    pub ptr: *const c_char,
    /// How many bytes.
    pub len: libc::size_t,
}

impl evl_slice {
    /// What does not exist.
    pub(super) const ABSENT: Self = Self { ptr: std::ptr::null(), len: 0 };
}

impl From<&[u8]> for evl_slice {
    fn from(bytes: &[u8]) -> Self {
        let ptr = if bytes.is_empty() { c"".as_ptr() } else { bytes.as_ptr().cast() };
        Self { ptr, len: bytes.len() }
    }
}

impl From<Option<&[u8]>> for evl_slice {
    fn from(bytes: Option<&[u8]>) -> Self {
        bytes.map_or(Self::ABSENT, Self::from)
    }
}

/// The bytes at a pointer from C.
///
/// # Safety
/// `ptr` is NULL or points to `len` bytes that live, and are not written to, during the call.
pub(super) unsafe fn bytes<'a>(ptr: *const c_void, len: usize) -> Result<&'a [u8]> {
    match (ptr.is_null(), len) {
        (_, 0) => Ok(&[]),
        (true, _) => Err(Error::os(libc::EFAULT)),
        (false, len) if isize::try_from(len).is_err() => Err(Error::os(libc::EINVAL)),
        // SAFETY: not NULL, and the caller promises that many bytes.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(ptr.cast(), len) }),
    }
}

/// A C string's bytes.
///
/// # Safety
/// `ptr` is NULL or a C string that lives, and is not written to, during the call.
pub(super) unsafe fn c_string<'a>(ptr: *const c_char) -> Result<&'a [u8]> {
    if ptr.is_null() {
        return Err(Error::os(libc::EFAULT));
    }
    // SAFETY: not NULL, and the caller promises a C string.
    Ok(unsafe { CStr::from_ptr(ptr) }.to_bytes())
}

/// A C string that has to be UTF-8, as names and patterns have.
///
/// # Safety
/// As for [`c_string`].
pub(super) unsafe fn string<'a>(ptr: *const c_char) -> Result<&'a str> {
    // SAFETY: the caller's promise is the same.
    let bytes = unsafe { c_string(ptr) }?;
    std::str::from_utf8(bytes)
        .map_err(|error| Error::os(libc::EINVAL).context(format_args!("not UTF-8 ({error})")))
}

/// A C string that names a file.
///
/// # Safety
/// As for [`c_string`].
pub(super) unsafe fn path<'a>(ptr: *const c_char) -> Result<&'a Path> {
    // SAFETY: the caller's promise is the same.
    unsafe { c_string(ptr) }.map(|bytes| Path::new(OsStr::from_bytes(bytes)))
}

/// Writes text as a C string to where C has room for `capacity` bytes, and returns its length.
///
/// # Safety
/// `buffer` is NULL or points to that much room, which nobody else uses during the call.
pub(super) unsafe fn write(text: &[u8], buffer: *mut c_char, capacity: usize) -> Result<c_int> {
    if buffer.is_null() {
        return Err(Error::os(libc::EFAULT));
    }
    if text.len() >= capacity {
        return Err(Error::os(libc::ERANGE));
    }
    // SAFETY: not NULL, and the caller promises `capacity` bytes, which is more than the text has.
    unsafe {
        buffer.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
        buffer.add(text.len()).write(0);
    }
    Ok(count(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null;

    #[test]
    fn null_is_empty_only_with_length_zero() {
        // SAFETY: NULL is allowed.
        unsafe {
            assert_eq!(bytes(null(), 0), Ok(&[][..]));
            assert_eq!(bytes(null(), 1), Err(Error::os(libc::EFAULT)));
            assert_eq!(string(null()), Err(Error::os(libc::EFAULT)));
        }
    }

    #[test]
    fn a_length_that_no_object_has_is_refused() {
        // SAFETY: the length is refused before anything is read.
        let refused = unsafe { bytes(c"x".as_ptr().cast(), usize::MAX) };
        assert_eq!(refused, Err(Error::os(libc::EINVAL)));
    }

    #[test]
    fn empty_and_absent_differ() {
        assert!(evl_slice::from(None).ptr.is_null());
        let empty = evl_slice::from(Some(&b""[..]));
        assert!(!empty.ptr.is_null() && empty.len == 0);
    }

    #[test]
    fn names_are_utf8_and_paths_are_bytes() {
        let latin1 = c"caf\xe9".as_ptr();
        // SAFETY: a C string literal.
        unsafe {
            assert_eq!(string(latin1).unwrap_err().errno(), Some(libc::EINVAL));
            assert_eq!(path(latin1).unwrap().as_os_str().as_bytes(), b"caf\xe9");
        }
    }
}
