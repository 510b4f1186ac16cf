// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads an options struct of any age, and fills one that tells something: an older caller's is
//! shorter, a newer caller's longer.
//!
//! A struct of options begins with `size_t size`, set by the caller to the `sizeof` that it was
//! compiled with. What it does not have is zero, the default; what this library does not know has
//! to be zero.

use crate::error::{Error, Result};
use std::mem::MaybeUninit;

/// The largest struct that is looked at: a greater size is a mistake, not a newer caller.
const LARGEST: usize = 4096;

/// A struct that may grow: `#[repr(C)]`, `size: size_t` first, every bit pattern valid.
///
/// # Safety
/// All three hold.
pub(super) unsafe trait SizeFirst: Copy {}

/// The options at `pointer`, or all defaults if it is NULL.
///
/// # Safety
/// `pointer` is NULL or points to as many readable bytes as the `size_t` there says.
pub(super) unsafe fn read<T: SizeFirst>(pointer: *const T) -> Result<T> {
    let mut options = MaybeUninit::<T>::zeroed();
    if !pointer.is_null() {
        // SAFETY: the caller promises at least a `size_t` there; it need not be aligned.
        let size = unsafe { pointer.cast::<usize>().read_unaligned() };
        check_size(size)?;
        let known = size.min(size_of::<T>());
        // SAFETY: the caller promises `size` readable bytes, and `known` is at most that and at
        // most what `options` holds.
        let tail = unsafe {
            pointer.cast::<u8>().copy_to_nonoverlapping(options.as_mut_ptr().cast(), known);
            std::slice::from_raw_parts(pointer.cast::<u8>().add(known), size - known)
        };
        if tail.iter().any(|&byte| byte != 0) {
            let hint = "options: a field is set that this version does not have";
            return Err(Error::os(libc::E2BIG).context(hint));
        }
    }
    // SAFETY: all bytes are set, and the trait promises that any are valid.
    Ok(unsafe { options.assume_init() })
}

/// Fills a caller's struct, of any age, with what this library knows: all but its `size`, which
/// stays. What this library does not have becomes zero.
///
/// # Safety
/// `pointer` is NULL or points to as many writable bytes as the `size_t` there says.
pub(super) unsafe fn write<T: SizeFirst>(pointer: *mut T, known: &T) -> Result<()> {
    if pointer.is_null() {
        return Err(Error::os(libc::EFAULT));
    }
    // SAFETY: the caller promises at least a `size_t` there; it need not be aligned.
    let size = unsafe { pointer.cast::<usize>().read_unaligned() };
    check_size(size)?;
    let head = size_of::<usize>();
    let filled = size.min(size_of::<T>()) - head;
    // SAFETY: the caller promises `size` writable bytes, of which `head` are the `size` itself, and
    // `filled` is at most what is left of them and of `known`.
    unsafe {
        let fields = pointer.cast::<u8>().add(head);
        let source = std::ptr::from_ref(known).cast::<u8>().add(head);
        fields.copy_from_nonoverlapping(source, filled);
        fields.add(filled).write_bytes(0, size - head - filled);
    }
    Ok(())
}

fn check_size(size: usize) -> Result<()> {
    if size < size_of::<usize>() {
        let hint = "`size` has to be the sizeof the struct";
        return Err(Error::os(libc::EINVAL).context(hint));
    }
    if size > LARGEST {
        return Err(Error::os(libc::E2BIG).context("`size` is beyond every version"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Old {
        size: usize,
        first: u32,
        second: u32,
    }
    // SAFETY: repr(C), size first, integers.
    unsafe impl SizeFirst for Old {}

    #[repr(C)]
    struct New {
        old: Old,
        third: u64,
    }

    fn new(size: usize, third: u64) -> New {
        New { old: Old { size, first: 1, second: 2 }, third }
    }

    fn read_as_old(options: &New) -> Result<Old> {
        // SAFETY: the sizes in these tests are at most that of `New`, or refused unread.
        unsafe { read(std::ptr::from_ref(options).cast()) }
    }

    #[test]
    fn null_is_all_defaults() {
        // SAFETY: NULL is allowed.
        let options: Old = unsafe { read(std::ptr::null()) }.unwrap();
        assert_eq!((options.size, options.first, options.second), (0, 0, 0));
    }

    #[test]
    fn a_shorter_struct_leaves_the_rest_at_the_default() {
        let options = read_as_old(&new(size_of::<usize>() + 4, 0)).unwrap();
        assert_eq!((options.first, options.second), (1, 0));
    }

    #[test]
    fn a_longer_struct_is_read_if_what_is_unknown_is_zero() {
        let options = read_as_old(&new(size_of::<New>(), 0)).unwrap();
        assert_eq!((options.first, options.second), (1, 2));
        let refused = read_as_old(&new(size_of::<New>(), 1)).err();
        assert_eq!(refused.and_then(|error| error.errno()), Some(libc::E2BIG));
    }

    #[test]
    fn a_struct_of_any_age_is_filled() {
        let known = Old { size: 0, first: 7, second: 8 };
        let filled = |size| {
            let mut told = new(size, 9);
            // SAFETY: the sizes here are at most that of `New`.
            let result = unsafe { write((&raw mut told).cast(), &known) };
            result.map(|()| (told.old.size, told.old.first, told.old.second, told.third))
        };
        let (word, old, newer) = (size_of::<usize>(), size_of::<Old>(), size_of::<New>());
        assert_eq!(filled(word).unwrap(), (word, 1, 2, 9));
        assert_eq!(filled(word + 4).unwrap(), (word + 4, 7, 2, 9));
        assert_eq!(filled(old).unwrap(), (old, 7, 8, 9));
        assert_eq!(filled(newer).unwrap(), (newer, 7, 8, 0));
        assert_eq!(filled(3).unwrap_err().errno(), Some(libc::EINVAL));
    }

    #[test]
    fn sizes_that_no_version_has_are_refused() {
        for (size, errno) in [(0, libc::EINVAL), (3, libc::EINVAL), (usize::MAX, libc::E2BIG)] {
            let refused = read_as_old(&new(size, 0)).err();
            assert_eq!(refused.and_then(|error| error.errno()), Some(errno), "size {size}");
        }
    }
}
