// SPDX-License-Identifier: MIT OR Apache-2.0
//! From a file to a socket without passing through the process, where the OS can (sendfile(2)).

use std::io;
use std::os::fd::BorrowedFd;

/// Sends at most `count` bytes of `file`, from `offset` on; the file's own offset stays. 0 says that
/// the file ends at or before `offset`.
pub(crate) fn sendfile(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    offset: u64,
    count: usize,
) -> io::Result<usize> {
    imp::sendfile(socket, file, offset, count)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd};

    pub(super) fn sendfile(
        socket: BorrowedFd<'_>,
        file: BorrowedFd<'_>,
        offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        let mut offset = libc::off64_t::try_from(offset).map_err(io::Error::other)?;
        // SAFETY: both descriptors are open, and the offset lives until the call returns.
        let sent = unsafe {
            libc::sendfile64(socket.as_raw_fd(), file.as_raw_fd(), &raw mut offset, count)
        };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }
}

#[cfg(any(target_os = "macos", target_os = "freebsd", target_os = "dragonfly"))]
mod imp {
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd};
    use std::ptr;

    pub(super) fn sendfile(
        socket: BorrowedFd<'_>,
        file: BorrowedFd<'_>,
        offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        let (file, socket) = (file.as_raw_fd(), socket.as_raw_fd());
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        #[cfg(target_os = "macos")]
        let (result, sent) = {
            let mut length = libc::off_t::try_from(count).map_err(io::Error::other)?;
            // SAFETY: both descriptors are open, and the length lives until the call returns.
            let result = unsafe {
                libc::sendfile(file, socket, offset, &raw mut length, ptr::null_mut(), 0)
            };
            (result, length)
        };
        #[cfg(not(target_os = "macos"))]
        let (result, sent) = {
            let mut sent: libc::off_t = 0;
            // SAFETY: both descriptors are open, and the counter lives until the call returns.
            let result = unsafe {
                libc::sendfile(file, socket, offset, count, ptr::null_mut(), &raw mut sent, 0)
            };
            (result, sent)
        };
        // A full socket answers EAGAIN and still tells how much went.
        if result < 0 && sent == 0 {
            return Err(io::Error::last_os_error());
        }
        usize::try_from(sent).map_err(io::Error::other)
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "freebsd",
    target_os = "dragonfly"
)))]
mod imp {
    use std::io;
    use std::mem::ManuallyDrop;
    use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
    use std::os::unix::fs::FileExt;

    /// How much is copied through the process at a time.
    const COPY: usize = 64 * 1024;

    pub(super) fn sendfile(
        socket: BorrowedFd<'_>,
        file: BorrowedFd<'_>,
        offset: u64,
        count: usize,
    ) -> io::Result<usize> {
        // SAFETY: the descriptor is open and stays its owner's: ManuallyDrop never closes it.
        let file = ManuallyDrop::new(unsafe { std::fs::File::from_raw_fd(file.as_raw_fd()) });
        let mut buffer = [0; COPY];
        let count = count.min(COPY);
        let read = file.read_at(&mut buffer[..count], offset)?;
        if read == 0 { Ok(0) } else { crate::sys::socket::send(socket, &buffer[..read], false) }
    }
}
