// SPDX-License-Identifier: MIT OR Apache-2.0
//! A system without io_uring.

use super::{Capacity, Completion, Operation};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

/// There is no value of this type.
pub(crate) enum Ring {}

impl Ring {
    pub(crate) fn new(_: Capacity) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn accept(&mut self, _: usize, _: BorrowedFd<'_>) -> Operation {
        match *self {}
    }

    pub(crate) fn receive(&mut self, _: usize, _: BorrowedFd<'_>) -> Operation {
        match *self {}
    }

    pub(crate) fn send(
        &mut self,
        _: usize,
        _: BorrowedFd<'_>,
        _: Vec<u8>,
        _: usize,
        _: bool,
    ) -> Operation {
        match *self {}
    }

    pub(crate) fn poll_readable(&mut self, _: usize, _: RawFd) -> Operation {
        match *self {}
    }

    pub(crate) fn poll_writable(&mut self, _: usize, _: BorrowedFd<'_>) -> Operation {
        match *self {}
    }

    pub(crate) fn cancel(&mut self, _: Operation) {
        match *self {}
    }

    pub(crate) fn stop(&mut self, _: Operation) {
        match *self {}
    }

    pub(crate) fn is_unheard_of(&self, _: Operation) -> bool {
        match *self {}
    }

    pub(crate) fn close(&mut self, _: OwnedFd) {
        match *self {}
    }

    pub(crate) fn wait(&mut self, _: Option<Duration>) -> io::Result<()> {
        match *self {}
    }

    pub(crate) fn next(&mut self) -> Option<Completion> {
        match *self {}
    }

    pub(crate) fn received(&self) -> &[u8] {
        match *self {}
    }
}
