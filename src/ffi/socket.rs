// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets
//!
//! Stream sockets in one call each, ready for a reactor: non-blocking and close-on-exec from birth. A
//! descriptor is yours: close() it. Addresses are `127.0.0.1:8080`, `[::]:80`, `*:80`,
//! `localhost:80`, `8080` or `unix:/run/app.sock`; names are not looked up. Port 0 is any free port.

use super::guard::guard;
use super::options::{self, SizeFirst};
use super::text::{c_string, write};
use crate::error::{Error, Result};
use crate::net::{self, Address, Keepalive, SocketOptions};
use std::ffi::{c_char, c_int};
use std::os::fd::{BorrowedFd, IntoRawFd};
use std::time::Duration;

/// How a socket is to be. Set `size` to sizeof(evl_socket_options) and the rest to 0 for the system's
/// defaults. Connections inherit buffers, nodelay, keepalive and linger from the listener that accepts
/// them. What is TCP's is passed over on a unix socket.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct evl_socket_options {
    /// sizeof(evl_socket_options)
    pub size: libc::size_t,
    /// Listening: most connections that wait to be accepted. Default: as many as the system allows.
    pub backlog: u32,
    /// Listening: not 0: sockets of this user that all ask for it may listen on one address
    /// (SO_REUSEPORT). Linux and FreeBSD spread connections over them.
    pub reuse_port: u32,
    /// Listening on IPv6: not 0: not on IPv4 as well. Otherwise `[::]` takes both.
    pub v6only: u32,
    /// Listening on a unix path: permission bits, such as 0660. Default: what the umask leaves.
    pub mode: u32,
    /// SO_RCVBUF in bytes. The system rounds it and has a limit.
    pub receive_buffer: u32,
    /// SO_SNDBUF in bytes. The system rounds it and has a limit.
    pub send_buffer: u32,
    /// TCP: not 0: small segments are sent at once (TCP_NODELAY).
    pub nodelay: u32,
    /// TCP: not 0: silent peers are probed (SO_KEEPALIVE). The next three imply it.
    pub keepalive: u32,
    /// TCP: seconds of silence before the first probe.
    pub keepalive_idle_s: u32,
    /// TCP: seconds between probes.
    pub keepalive_interval_s: u32,
    /// TCP: probes without an answer after which the connection is dead.
    pub keepalive_count: u32,
    /// Not 0: close() takes up to `linger_s` to deliver what was written (SO_LINGER).
    pub linger: u32,
    /// Seconds; 0: what was not sent is dropped and the peer gets a reset.
    pub linger_s: u32,
}

// SAFETY: repr(C), size first, and any integer is a valid value.
unsafe impl SizeFirst for evl_socket_options {}

/// cbindgen:postfix=EVL_WARN_UNUSED EVL_NONNULL(1)
/// Makes a socket that listens on `address`, with SO_REUSEADDR, and returns its descriptor. NULL
/// `options` are the defaults. A unix socket's file is made, and that of a process that has ended is
/// replaced; unlink() it when you close the listener. Errors: EADDRINUSE, also for a unix path where
/// somebody listens or there is another file; EACCES, EADDRNOTAVAIL, EMFILE; EINVAL, and
/// ENAMETOOLONG for a path, for what is no address; EINVAL and ENOTSUP for options.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_listen(
    address: *const c_char,
    options: *const evl_socket_options,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a C string, and NULL or options as large as they say.
        let (address, options) = unsafe { (address_at(address)?, options_at(options)?) };
        net::listen(&address, &options).map(IntoRawFd::into_raw_fd)
    })
}

/// cbindgen:postfix=EVL_WARN_UNUSED
/// The next connection that waits at a listener. Call it until it returns -EAGAIN: nobody waits any
/// more. Connections that ended before they were accepted are passed over. After -EMFILE, -ENFILE,
/// -ENOBUFS and -ENOMEM the connection still waits: disable the listener's knote until there is room,
/// or each wait tells of it again. Other errors: EBADF, EINVAL, ENOTSOCK.
///
/// Thread: any, several at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_accept(listener: c_int) -> c_int {
    guard(|| {
        // SAFETY: the caller does not close the descriptor meanwhile.
        let accepted = net::accept(unsafe { descriptor(listener) }?)?;
        let (socket, _) = accepted.ok_or(Error::os(libc::EAGAIN))?;
        Ok(socket.into_raw_fd())
    })
}

/// cbindgen:postfix=EVL_WARN_UNUSED EVL_NONNULL(1)
/// Makes a socket that connects to `address` and returns its descriptor at once. EVL_WRITE tells when
/// the connection is made or has failed, which getsockopt(SO_ERROR) then tells apart. What the system
/// knows at once is an error of this call: ENETUNREACH; of a unix path ENOENT, ECONNREFUSED, and
/// EAGAIN for a full backlog; and those of evl_listen() for `address` and `options`.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_connect(
    address: *const c_char,
    options: *const evl_socket_options,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or a C string, and NULL or options as large as they say.
        let (address, options) = unsafe { (address_at(address)?, options_at(options)?) };
        net::connect(&address, &options).map(IntoRawFd::into_raw_fd)
    })
}

/// cbindgen:postfix=EVL_NONNULL(2)
/// Sets a connection's buffers, nodelay, keepalive and linger. What is 0 stays as it is, and what
/// is for listening is passed over. Errors: EBADF, ENOTSOCK; EINVAL and ENOTSUP for options.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_socket_set(
    socket: c_int,
    options: *const evl_socket_options,
) -> c_int {
    guard(|| {
        // SAFETY: the caller gives NULL or options as large as they say, and does not close the
        // descriptor meanwhile.
        let (socket, options) = unsafe { (descriptor(socket)?, options_at(options)?) };
        net::set_options(socket, &options).map(|()| 0)
    })
}

/// cbindgen:postfix=EVL_NONNULL(2)
/// Writes the address where a socket is bound, with its real port, into `buffer` as a C string that
/// evl_listen() and evl_connect() take, and returns its length. ERANGE if `capacity` is too small;
/// EBADF, ENOTSOCK; EAFNOSUPPORT if it is neither of IP nor of unix.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evl_socket_address(
    socket: c_int,
    buffer: *mut c_char,
    capacity: libc::size_t,
) -> c_int {
    guard(|| {
        // SAFETY: the caller does not close the descriptor meanwhile.
        let address = net::local_address(unsafe { descriptor(socket) }?)?;
        // SAFETY: the caller gives NULL or room for `capacity` bytes.
        unsafe { write(&address.to_bytes(), buffer, capacity) }
    })
}

impl From<evl_socket_options> for SocketOptions {
    fn from(c: evl_socket_options) -> Self {
        let given = |number: u32| (number != 0).then_some(number);
        let seconds = |number: u32| Duration::from_secs(number.into());
        let keepalive = Keepalive {
            idle: given(c.keepalive_idle_s).map(seconds),
            interval: given(c.keepalive_interval_s).map(seconds),
            count: given(c.keepalive_count),
        };
        let probed = c.keepalive != 0 || keepalive != Keepalive::default();
        Self {
            reuse_port: c.reuse_port != 0,
            v6only: c.v6only != 0,
            backlog: given(c.backlog),
            mode: given(c.mode),
            receive_buffer: given(c.receive_buffer),
            send_buffer: given(c.send_buffer),
            keepalive: probed.then_some(keepalive),
            nodelay: c.nodelay != 0,
            linger: (c.linger != 0).then(|| seconds(c.linger_s)),
        }
    }
}

/// # Safety
/// `address` is NULL or a C string.
unsafe fn address_at(address: *const c_char) -> Result<Address> {
    // SAFETY: the caller's promise.
    Address::from_bytes(unsafe { c_string(address) }?)
}

/// # Safety
/// As for [`options::read`].
unsafe fn options_at(options: *const evl_socket_options) -> Result<SocketOptions> {
    // SAFETY: the caller's promise.
    unsafe { options::read(options) }.map(SocketOptions::from)
}

/// # Safety
/// What `number` names is not closed while the result is in use. It may name nothing.
unsafe fn descriptor<'a>(number: c_int) -> Result<BorrowedFd<'a>> {
    // -1 is no value that a BorrowedFd may have.
    if number < 0 {
        return Err(Error::os(libc::EBADF));
    }
    // SAFETY: not -1; each use is one system call, which refuses a number that names nothing.
    Ok(unsafe { BorrowedFd::borrow_raw(number) })
}
