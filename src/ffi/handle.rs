// SPDX-License-Identifier: MIT OR Apache-2.0
//! Objects
//!
//! Everything that evl makes is behind a pointer, and each pointer is one of these:
//!
//!   owned     yours: free it once, with the function named for it; freeing NULL does nothing
//!   borrowed  evl's: valid until the callback returns, or the object it came from is freed
//!
//! A NULL where an object is due is answered with -EFAULT, never with a crash. Units stand in
//! names (`timeout_ns`, `grace_ms`). No function changes errno.

use crate::error::{Error, Result};
use crate::reactor::Reactor;
use crate::server::Server;

/// Watches conditions and hands out events. Owned: evl_create() to evl_close().
pub struct evl_reactor(pub(super) Reactor);

/// An HTTP server. Owned: evl_server_create() to evl_server_free().
pub struct evl_server(pub(super) Server);

/// What a client asks. Borrowed by a handler until it returns.
pub struct evl_request {
    _opaque: [u8; 0],
}

/// What the client is to get. Borrowed by a handler until it returns.
pub struct evl_response {
    _opaque: [u8; 0],
}

/// What a pointer from C points to.
///
/// # Safety
/// `pointer` is NULL or points to a `T` that lives, and is not written to, during the call.
pub(super) unsafe fn shared<'a, T>(pointer: *const T) -> Result<&'a T> {
    // SAFETY: the caller promises that what is not NULL is a live T.
    unsafe { pointer.as_ref() }.ok_or(Error::os(libc::EFAULT))
}

/// What a pointer from C points to, to be changed.
///
/// # Safety
/// `pointer` is NULL or points to a `T` that lives and that nobody else uses during the call.
pub(super) unsafe fn exclusive<'a, T>(pointer: *mut T) -> Result<&'a mut T> {
    // SAFETY: the caller promises that what is not NULL is a live T of which this is the only use.
    unsafe { pointer.as_mut() }.ok_or(Error::os(libc::EFAULT))
}

/// Takes back what `guard_new` gave out.
///
/// # Safety
/// `pointer` is NULL or came from `guard_new`, and is not used again.
pub(super) unsafe fn take<T>(pointer: *mut T) -> Option<Box<T>> {
    // SAFETY: the caller promises that what is not NULL was made by Box::into_raw and is given up.
    (!pointer.is_null()).then(|| unsafe { Box::from_raw(pointer) })
}
