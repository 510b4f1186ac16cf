// SPDX-License-Identifier: MIT OR Apache-2.0
//! Response
//!
//! What the client is to get: a status, header fields and a body, put together in any order until
//! the handler returns. Without any call it is 200 with an empty body. Date, Server, the length and
//! what the connection needs are added.

use super::guard::guard;
use super::handle::{evl_response, exclusive};
use super::text::{bytes, c_string, string};
use crate::error::{Error, Result};
use crate::server::Response;
use std::ffi::{c_char, c_int, c_void};

/// cbindgen:postfix=EVL_NONNULL(1)
/// Answers in one call: status, Content-Type (NULL: none) and the whole body.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_respond(
    response: *mut evl_response,
    status: c_int,
    content_type: *const c_char,
    body: *const c_void,
    length: libc::size_t,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or the response that its handler got.
        let response = unsafe { inner(response) }?;
        // SAFETY: the caller gives NULL or `length` bytes.
        let body = unsafe { bytes(body, length) }?;
        response.set_status(status_code(status)?)?;
        if !content_type.is_null() {
            // SAFETY: the caller gives a C string.
            response.header("Content-Type", unsafe { c_string(content_type) }?)?;
        }
        response.write(body);
        Ok(0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Sets the status, 200 to 599; EINVAL for others.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_response_status(response: *mut evl_response, status: c_int) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or the response that its handler got.
        unsafe { inner(response) }?.set_status(status_code(status)?).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1, 2, 3)
/// Adds a header field. EINVAL for a name or value that would break the message, and for the fields
/// that the server writes itself, such as Content-Length and Connection.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_response_header(
    response: *mut evl_response,
    name: *const c_char,
    value: *const c_char,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or the response that its handler got.
        let response = unsafe { inner(response) }?;
        // SAFETY: the caller gives NULL or C strings.
        let (name, value) = unsafe { (string(name)?, c_string(value)?) };
        response.header(name, value).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// Appends to the body. The bytes are copied.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_response_write(
    response: *mut evl_response,
    data: *const c_void,
    length: libc::size_t,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or the response that its handler got.
        let response = unsafe { inner(response) }?;
        // SAFETY: the caller gives NULL or `length` bytes.
        response.write(unsafe { bytes(data, length) }?);
        Ok(0)
    })
}

/// The engine's response behind C's.
///
/// # Safety
/// `response` is NULL or what a handler was called with, which has not returned.
unsafe fn inner<'a>(response: *mut evl_response) -> Result<&'a mut Response> {
    // SAFETY: `Callback` made this pointer from a Response, and the caller promises its life; the
    // handler's thread is the only one that uses it.
    unsafe { exclusive(response.cast()) }
}

fn status_code(status: c_int) -> Result<u16> {
    u16::try_from(status)
        .map_err(|_| Error::os(libc::EINVAL).context(format_args!("{status} is not a status")))
}
