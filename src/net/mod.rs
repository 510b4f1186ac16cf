// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sockets that servers need: listening, accepting and connecting on IPv4, IPv6 and unix paths, from
//! an address as people write it. Every socket is non-blocking and close-on-exec from birth.
//!
//! It knows nothing of reactors: what it returns is a descriptor, to be watched by any.

mod address;
mod options;

pub use crate::sys::socket::Peer;
pub use address::Address;
pub use options::{Keepalive, SocketOptions};

use crate::error::{Error, Result};
use crate::sys::socket;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A socket that listens on `address`. Port 0 takes a free port, which [`local_address`] tells.
///
/// A unix socket's file whose process has ended is replaced. The file is the caller's to remove.
///
/// # Errors
/// `EADDRINUSE` also for a unix path where somebody listens, or where there is a file of another kind;
/// `EACCES`, `EADDRNOTAVAIL`, `EMFILE`; `EINVAL` and `ENOTSUP` for options that cannot be had.
pub fn listen(address: &Address, options: &SocketOptions) -> Result<OwnedFd> {
    let socket = bind(address, options)?;
    let backlog = options.backlog.map_or(libc::SOMAXCONN, |n| i32::try_from(n).unwrap_or(i32::MAX));
    start_listening(&socket, address, backlog)?;
    Ok(socket)
}

/// A socket that has the address but does not listen yet.
pub(crate) fn bind(address: &Address, options: &SocketOptions) -> Result<OwnedFd> {
    let explain = |error| explain_listen(address, error);
    let fd = match address {
        Address::Ip(ip) => socket::bind_tcp(*ip, options.reuse_port, options.v6only),
        Address::Unix(_) if options.reuse_port => {
            return Err(Error::os(libc::ENOTSUP).context(format_args!(
                "listen on {address}: a unix path is of one socket, which threads may share"
            )));
        }
        Address::Unix(path) => socket::bind_unix(path),
    };
    let fd = fd.map_err(explain)?;
    match address {
        Address::Ip(_) => options.apply(fd.as_fd(), true)?,
        Address::Unix(path) => {
            let set = options
                .apply(fd.as_fd(), false)
                .and_then(|()| set_mode(path, options.mode).map_err(explain));
            if let Err(error) = set {
                // Nobody is to find what nobody will listen to; that it is gone already is as good.
                let _ = fs::remove_file(path);
                return Err(error);
            }
        }
    }
    Ok(fd)
}

/// Until it listens nobody can connect, so that it is never open to more than `mode` says.
fn set_mode(path: &Path, mode: Option<u32>) -> io::Result<()> {
    mode.map_or(Ok(()), |mode| fs::set_permissions(path, Permissions::from_mode(mode)))
}

/// Starts to accept connections on a bound socket, at most `backlog` of them waiting.
pub(crate) fn start_listening(socket: impl AsFd, address: &Address, backlog: i32) -> Result<()> {
    socket::listen(socket.as_fd(), backlog).map_err(|error| explain_listen(address, error))
}

/// The next connection that waits, and whose it is; `None` if none does. Connections that ended
/// before they were accepted are passed over.
///
/// # Errors
/// `EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`: the connection still waits, and the listener stays
/// readable; let it rest until there is room. `EBADF`, `ENOTSOCK`, `EINVAL`: it is no listener.
pub fn accept(listener: impl AsFd) -> Result<Option<(OwnedFd, Peer)>> {
    loop {
        match socket::accept(listener.as_fd()) {
            Ok(accepted) => return Ok(Some(accepted)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if socket::is_of_one_connection(&error) => {}
            Err(error) => return Err(Error::from(error).context("accept")),
        }
    }
}

/// A socket whose connection to `address` is under way or made. Writability tells that it has ended,
/// `SO_ERROR` how.
///
/// # Errors
/// Those of connect(2) that the system knows at once; on a unix path that is all of them, `EAGAIN` for
/// a full backlog among them.
pub fn connect(address: &Address, options: &SocketOptions) -> Result<OwnedFd> {
    let explain =
        |error: io::Error| Error::from(error).context(format_args!("connect to {address}"));
    let (to, tcp) = match address {
        Address::Ip(ip) => ((*ip).into(), true),
        Address::Unix(path) => (SockAddr::unix(path).map_err(explain)?, false),
    };
    let socket = Socket::new(to.domain(), Type::STREAM, None).map_err(explain)?;
    socket.set_nonblocking(true).map_err(explain)?;
    options.apply(socket.as_fd(), tcp)?;
    match socket.connect(&to) {
        // Interrupted, it goes on all the same (connect(2)).
        Err(error)
            if [libc::EINPROGRESS, libc::EINTR].map(Some).contains(&error.raw_os_error()) =>
        {
            Ok(socket.into())
        }
        other => other.map(|()| socket.into()).map_err(explain),
    }
}

/// Sets what of the options a socket can take that is in use: buffers, keepalive, nodelay and linger.
/// What is not given stays.
///
/// # Errors
/// `ENOTSOCK`, `EBADF`; `EINVAL` and `ENOTSUP` for options that cannot be had.
pub fn set_options(socket: impl AsFd, options: &SocketOptions) -> Result<()> {
    let domain = socket2::SockRef::from(&socket).local_addr()?.domain();
    options.apply(socket.as_fd(), domain != Domain::UNIX)
}

/// Where a socket is bound, with the port that the system chose.
///
/// # Errors
/// `ENOTSOCK`, `EBADF`; `EAFNOSUPPORT` for a socket of another family.
pub fn local_address(socket: impl AsFd) -> Result<Address> {
    let address = socket2::SockRef::from(&socket).local_addr()?;
    Address::of(&address).ok_or(Error::os(libc::EAFNOSUPPORT))
}

fn explain_listen(address: &Address, error: io::Error) -> Error {
    let advice = match (error.kind(), address) {
        (io::ErrorKind::AddrInUse, Address::Ip(_)) => {
            ": another program listens there; stop it or choose another port"
        }
        (io::ErrorKind::AddrInUse, Address::Unix(_)) => {
            ": another program listens there, or it is a file of another kind"
        }
        (io::ErrorKind::PermissionDenied, Address::Ip(_)) => {
            ": ports below 1024 are for root; choose another or grant CAP_NET_BIND_SERVICE"
        }
        (io::ErrorKind::AddrNotAvailable, Address::Ip(_)) => {
            ": this machine does not have that address"
        }
        _ => "",
    };
    let refusal = Error::from(error);
    Error::new(refusal.kind(), format!("listen on {address}: {refusal}{advice}"))
}
