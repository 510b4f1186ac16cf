// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files as a server opens them.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens for reading without ever waiting: a fifo or a device that somebody put into a document root
/// must not hang a worker (`O_NONBLOCK`, open(2)).
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// Opens for appending, without ever waiting either, now or when writing: a fifo that nobody reads is
/// `ENXIO` here and, like a terminal that was told to pause, `EAGAIN` later. A new file is made.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// Whether opening failed because of what the path leads to: a socket or a device without a driver
/// (`ENXIO`), or links that lead in a circle (`ELOOP`).
pub(crate) fn is_unreadable(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENXIO | libc::ENODEV | libc::ELOOP))
}

/// Whether opening failed because descriptors or memory ran out (open(2)).
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    let exhausted = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    error.raw_os_error().is_some_and(|errno| exhausted.contains(&errno))
}
