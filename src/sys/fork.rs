// SPDX-License-Identifier: MIT OR Apache-2.0
//! Notices that the process is a forked child. A child made without the C library's `fork` (raw
//! `clone`, `vfork`) is not noticed.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static INSTALL: Once = Once::new();

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// How many forks lie between this process and the one that asked first.
pub(crate) fn generation() -> u32 {
    INSTALL.call_once(|| {
        // SAFETY: `in_child` only adds to an atomic, which is allowed in the child of any fork.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    GENERATION.load(Ordering::Relaxed)
}

/// [`generation`] for signal handlers: whoever calls it must have called that before.
pub(crate) fn current_generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}
