// SPDX-License-Identifier: MIT OR Apache-2.0
//! What ended a socket, without taking its error away. Linux gives `SO_ERROR` to the first who asks,
//! be it `getsockopt`, `read` or `write`, so that whoever tells of an error by asking for it hides it
//! from them. What is told here is inferred from what stays.

use super::poll::{Events, look};
use std::os::fd::RawFd;

/// The errno value that the next call on a socket will probably fail with; 0 if there is no error.
pub(crate) fn pending_error(fd: RawFd) -> i32 {
    if !look(fd, Events::empty()).contains(Events::ERR) || !super::fd::is_socket(fd) {
        return 0;
    }
    tcp_failure(fd).unwrap_or(libc::ECONNRESET)
}

/// Why a TCP connection failed. One that the other side refused has had a segment from it but no
/// round trip; one of which a router told has had neither.
#[cfg(target_os = "linux")]
fn tcp_failure(fd: RawFd) -> Option<i32> {
    let info = super::fd::tcp_info(fd)?;
    let timed_out = info.tcpi_retransmits > 0 || info.tcpi_backoff > 0 || info.tcpi_probes > 0;
    let never_connected = info.tcpi_rtt == 0;
    Some(match (timed_out, never_connected) {
        (true, _) => libc::ETIMEDOUT,
        (false, true) => libc::ECONNREFUSED,
        (false, false) => libc::ECONNRESET,
    })
}

#[cfg(not(target_os = "linux"))]
fn tcp_failure(_fd: RawFd) -> Option<i32> {
    None
}
