// SPDX-License-Identifier: MIT OR Apache-2.0
//! A C function that answers requests, as the engine sees it: one more [`Handler`].

use super::error;
use super::handle::{evl_request, evl_response};
use crate::http::status::Status;
use crate::server::{Exchange, Handler, Outcome, Reject, Response};
use std::ffi::{c_int, c_void};
use std::ptr::{from_mut, from_ref};
use std::sync::{Arc, OnceLock};

type HandlerFn = unsafe extern "C" fn(*const evl_request, *mut evl_response, *mut c_void) -> c_int;
type FreeFn = unsafe extern "C" fn(*mut c_void);

/// The caller's pointer. It is the caller's to free until [`Udata::free_with`] says how it is freed
/// when the last holder drops it.
pub(super) struct Udata {
    pointer: *mut c_void,
    free: OnceLock<FreeFn>,
}

// SAFETY: the pointer is never followed here; C promises in `evl_server_route` that what it points
// to may be used and freed on any thread.
unsafe impl Send for Udata {}
// SAFETY: as above.
unsafe impl Sync for Udata {}

impl Udata {
    pub(super) fn new(pointer: *mut c_void) -> Arc<Self> {
        Arc::new(Self { pointer, free: OnceLock::new() })
    }

    pub(super) fn free_with(&self, free: Option<FreeFn>) {
        if let Some(free) = free {
            self.free.get_or_init(|| free);
        }
    }
}

impl Drop for Udata {
    fn drop(&mut self) {
        if let Some(free) = self.free.get() {
            // SAFETY: C promised that this function frees this pointer, and nobody has it any more.
            unsafe { free(self.pointer) };
        }
    }
}

/// A handler made of a C function and its pointer.
pub(super) struct Callback {
    function: HandlerFn,
    udata: Arc<Udata>,
}

impl Callback {
    pub(super) fn new(function: HandlerFn, udata: &Arc<Udata>) -> Self {
        Self { function, udata: Arc::clone(udata) }
    }
}

impl Handler for Callback {
    fn handle(&self, x: &mut Exchange<'_>) -> Result<Outcome, Reject> {
        let request = from_ref(&x.request).cast();
        let response = from_mut::<Response>(x.response).cast();
        // SAFETY: C promises a function of this type, and both objects outlive the call.
        match unsafe { (self.function)(request, response, self.udata.pointer) } {
            0 => Ok(Outcome::Answered),
            1 => Ok(Outcome::Declined),
            code => Err(Reject::new(Status::INTERNAL_SERVER_ERROR, error::name(code))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    unsafe extern "C" fn answer(
        _: *const evl_request,
        _: *mut evl_response,
        _: *mut c_void,
    ) -> c_int {
        0
    }

    unsafe extern "C" fn count(udata: *mut c_void) {
        // SAFETY: the tests hand in an AtomicUsize that lives on their stack.
        unsafe { &*udata.cast::<AtomicUsize>() }.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn udata_is_freed_once_and_not_before_the_last_holder_goes() {
        let freed = AtomicUsize::new(0);
        let udata = Udata::new(from_ref(&freed).cast_mut().cast());
        let handler = Callback::new(answer, &udata);
        udata.free_with(Some(count));
        drop(udata);
        assert_eq!(freed.load(Ordering::Relaxed), 0);
        drop(handler);
        assert_eq!(freed.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn udata_of_a_refused_route_is_left_alone() {
        let freed = AtomicUsize::new(0);
        let udata = Udata::new(from_ref(&freed).cast_mut().cast());
        drop(Callback::new(answer, &udata));
        drop(udata);
        assert_eq!(freed.load(Ordering::Relaxed), 0);
    }
}
