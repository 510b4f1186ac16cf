// SPDX-License-Identifier: MIT OR Apache-2.0
//! Request
//!
//! What a client asks. Every slice is borrowed until the handler returns. These functions cannot
//! fail: for what does not exist, and for a NULL request, they give a slice whose `ptr` is NULL.

use super::guard::guard_or;
use super::handle::{evl_request, shared};
use super::text::{evl_slice, string};
use crate::server::Request;
use std::ffi::c_char;

/// A header field.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_header {
    /// As the client spelled it.
    pub name: evl_slice,
    /// Without the white space around it.
    pub value: evl_slice,
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The method: "GET".
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_method(request: *const evl_request) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got.
    unsafe { look(request, |request| request.method().as_bytes().into()) }
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The target as it was sent: "/a%20file?x=1".
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_target(request: *const evl_request) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got.
    unsafe { look(request, |request| request.target().into()) }
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The path, percent-decoded, without dot segments and doubled slashes: "/a file".
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_path(request: *const evl_request) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got.
    unsafe { look(request, |request| request.path().into()) }
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The query as it was sent, without its "?": "x=1". Does not exist if the target has no "?".
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_query(request: *const evl_request) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got.
    unsafe { look(request, |request| request.query().into()) }
}

/// cbindgen:postfix=EVL_NONNULL(1, 2)
/// The value of the first header field of that name, in any case.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_header(
    request: *const evl_request,
    name: *const c_char,
) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got, and NULL or a C string.
    unsafe { look(request, |request| string(name).ok().and_then(|n| request.header(n)).into()) }
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The header field number `index` in the order in which they came; past the last one, both of its
/// slices do not exist.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_header_at(
    request: *const evl_request,
    index: libc::size_t,
) -> evl_header {
    let absent = evl_header { name: evl_slice::ABSENT, value: evl_slice::ABSENT };
    guard_or(absent, || {
        // SAFETY: the caller gives NULL or the request that its handler got.
        let request = unsafe { shared(request.cast::<Request<'_>>()) }.ok();
        request
            .and_then(|request| request.headers().nth(index))
            .map_or(absent, |(name, value)| evl_header { name: name.into(), value: value.into() })
    })
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The body, whole and without its transfer coding; empty if there is none.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_body(request: *const evl_request) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got.
    unsafe { look(request, |request| request.body().into()) }
}

/// cbindgen:postfix=EVL_NONNULL(1, 2)
/// What stands in the path for `{name}` of the route's pattern.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_param(
    request: *const evl_request,
    name: *const c_char,
) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got, and NULL or a C string.
    unsafe {
        look(request, |request| {
            string(name).ok().and_then(|n| request.param(n)).map(str::as_bytes).into()
        })
    }
}

/// cbindgen:postfix=EVL_NONNULL(1)
/// The client's address and port: `127.0.0.1:50123`, `[::1]:50123`; `unix:` for a unix socket.
///
/// Thread: the handler's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_request_peer(request: *const evl_request) -> evl_slice {
    // SAFETY: the caller gives NULL or the request that its handler got.
    unsafe { look(request, |request| request.peer().as_bytes().into()) }
}

/// What `reader` finds in a request.
///
/// # Safety
/// `request` is NULL or what a handler was called with, which has not returned.
unsafe fn look(
    request: *const evl_request,
    reader: impl FnOnce(&Request<'_>) -> evl_slice,
) -> evl_slice {
    guard_or(evl_slice::ABSENT, || {
        // SAFETY: `Callback` made this pointer from a Request, and the caller promises its life.
        unsafe { shared(request.cast::<Request<'_>>()) }.map_or(evl_slice::ABSENT, reader)
    })
}
