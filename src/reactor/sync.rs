// SPDX-License-Identifier: MIT OR Apache-2.0
//! What threads reach each other by without a lock: the standard library's atomics and the system's
//! wake-up. The model checker loom needs its own in their place (`models`).

#[cfg(not(all(test, loom)))]
pub(super) use {
    crate::sys::wakeup::Wakeup,
    std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};

#[cfg(all(test, loom))]
pub(super) use {
    super::models::Wakeup,
    loom::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence},
};
