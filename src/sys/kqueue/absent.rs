// SPDX-License-Identifier: MIT OR Apache-2.0
//! A system without kqueue.

use super::{Dialect, Kernel, Record};
use std::io;
use std::os::fd::RawFd;

/// Whether this system has kqueue.
pub(crate) const AVAILABLE: bool = false;

/// There is no value of this type.
pub(crate) enum Queue {}

impl Kernel for Queue {
    fn new() -> io::Result<Self> {
        Err(io::Error::from_raw_os_error(libc::ENOTSUP))
    }

    fn dialect(&self) -> &'static Dialect {
        match *self {}
    }

    fn kevent(&self, _: &[Record], _: &mut [Record], _: Option<u64>) -> io::Result<usize> {
        match *self {}
    }

    fn fd(&self) -> RawFd {
        match *self {}
    }
}
