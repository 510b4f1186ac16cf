// SPDX-License-Identifier: MIT OR Apache-2.0
//! Hints to the processor.

/// Has what is about to be used, of at most a line of the cache, fetched into it without waiting for it.
/// Where the processor is none that we can tell, nothing happens.
#[inline]
pub(crate) fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch of any address is allowed and changes nothing; the instruction is part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let begin = std::ptr::from_ref(place).cast::<i8>();
        _mm_prefetch::<_MM_HINT_T0>(begin);
        if size_of::<T>() > 16 {
            // It may lie in two lines.
            _mm_prefetch::<_MM_HINT_T0>(begin.wrapping_add(size_of::<T>() - 1));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}
