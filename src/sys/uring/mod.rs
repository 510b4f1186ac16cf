// SPDX-License-Identifier: MIT OR Apache-2.0
//! io_uring(7): operations are handed to the kernel and their completions taken from it, many of both
//! with one system call.
//!
//! What an operation needs of memory belongs to the [`Ring`] until its last completion, whatever becomes
//! of whoever wanted it. Where the kernel has no io_uring, forbids it or lacks a part of what is used
//! here (that of Linux 6.1), making a ring fails; it never fails later for that reason.

#[cfg_attr(
    not(all(
        target_os = "linux",
        any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            target_arch = "riscv64",
            target_arch = "loongarch64",
            target_arch = "powerpc64"
        )
    )),
    path = "absent.rs"
)]
mod ring;

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;

pub(crate) use ring::Ring;

use std::io;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;

/// Names an operation that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation(NonZeroU64);

/// How large a ring's parts are.
#[allow(dead_code, reason = "a system without rings reads none of it")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// Operations handed over by one system call; a power of two.
    pub(crate) submissions: u32,
    /// Completions that wait to be taken; a power of two.
    pub(crate) completions: u32,
    /// Buffers to receive into; a power of two.
    pub(crate) buffers: u16,
    /// Bytes of each.
    pub(crate) buffer: u32,
}

/// What became of an operation.
#[derive(Debug)]
pub(crate) struct Completion {
    /// Who asked for it.
    pub(crate) owner: usize,
    pub(crate) outcome: Outcome,
    /// The operation is over; else there will be more of it.
    pub(crate) last: bool,
}

#[derive(Debug)]
#[allow(dead_code, reason = "on a system without rings there is none")]
pub(crate) enum Outcome {
    /// A connection.
    Accepted(io::Result<OwnedFd>),
    /// This many bytes came, which [`Ring::received`] shows; 0 is the end of the stream. `ENOBUFS`: all
    /// buffers were full.
    Received(io::Result<usize>),
    /// So many of the first bytes of the buffer have been sent; it is given back.
    Sent(io::Result<usize>, Vec<u8>),
    /// What was waited for.
    Ready,
}
