// SPDX-License-Identifier: MIT OR Apache-2.0
//! Stream sockets: binding, accepting, receiving and sending, never blocking.

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// A host's address and port.
    Ip(SocketAddr),
    /// Unix sockets have no address that means anything to a server.
    Unix,
}

/// Whether the kernel spreads connections over sockets that share a port (`SO_REUSEPORT`, socket(7);
/// FreeBSD's `SO_REUSEPORT_LB`). Elsewhere workers share one listening socket.
pub(crate) const SPREADS_REUSED_PORTS: bool =
    cfg!(any(target_os = "linux", target_os = "android", target_os = "freebsd"));

/// A socket bound to `address`, not yet listening. With `shared`, other sockets of this user may bind
/// to the same address, and the kernel spreads connections over them. Without `v6only`, the
/// unspecified IPv6 address takes IPv4 as well; OpenBSD refuses that (ip6(4)).
pub(crate) fn bind_tcp(address: SocketAddr, shared: bool, v6only: bool) -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() && (v6only || address.ip().is_unspecified()) {
        socket.set_only_v6(v6only)?;
    }
    if shared {
        share_port(&socket)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(not(target_os = "freebsd"))]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(target_os = "freebsd")]
fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port_lb(true)
}

/// A socket bound to a new file at `path`. A socket that an ended process left behind, to which
/// nobody listens any more, is replaced; a living one, and whatever is no socket, is `EADDRINUSE`.
pub(crate) fn bind_unix(path: &Path) -> io::Result<OwnedFd> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            if !is_abandoned(path, &address)? {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            socket.bind(&address)?;
        }
        other => other?,
    }
    Ok(socket.into())
}

/// Whether there is a socket that nobody listens to. Connecting alone does not tell: a file of any
/// other kind refuses as well (connect(2)).
fn is_abandoned(path: &Path, address: &SockAddr) -> io::Result<bool> {
    if !std::fs::symlink_metadata(path)?.file_type().is_socket() {
        return Ok(false);
    }
    let probe = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A full backlog would let a blocking probe wait.
    probe.set_nonblocking(true)?;
    let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    Ok(probe.connect(address).is_err_and(refused))
}

/// Starts to accept connections, at most `backlog` of them waiting.
pub(crate) fn listen(socket: BorrowedFd<'_>, backlog: i32) -> io::Result<()> {
    SockRef::from(&socket).listen(backlog)
}

/// Has a listening TCP socket ignore those who begin to connect, while those whose handshake is under
/// way can finish it: a filter (socket(7), `SO_ATTACH_FILTER`) drops segments with SYN and without ACK.
/// A client sends its SYN again after a second. The filter is the socket's: it holds for all
/// processes that have it. `ENOTSUP` where there are no such filters.
#[cfg(target_os = "linux")]
#[expect(clippy::cast_possible_truncation, reason = "the codes of BPF fit into eight bits")]
pub(crate) fn drop_new_connections(listener: BorrowedFd<'_>) -> io::Result<()> {
    use libc::{BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET};
    /// Where TCP's flags are in a segment, and SYN and ACK among them (RFC 9293 section 3.1).
    const FLAGS: u32 = 13;
    const SYN: u32 = 0x02;
    const ACK: u32 = 0x10;
    let step = |code: u32, jt, jf, k| socket2::SockFilter::new(code as u16, jt, jf, k);
    SockRef::from(&listener).attach_filter(&[
        step(BPF_LD | BPF_B | BPF_ABS, 0, 0, FLAGS),
        step(BPF_ALU | BPF_AND | BPF_K, 0, 0, SYN | ACK),
        step(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYN),
        step(BPF_RET | BPF_K, 0, 0, 0),
        step(BPF_RET | BPF_K, 0, 0, u32::MAX),
    ])
}

/// `ENOTSUP`: this system has no filters for sockets.
#[cfg(not(target_os = "linux"))]
pub(crate) fn drop_new_connections(_listener: BorrowedFd<'_>) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// Bounds what a TCP socket holds beyond what its peer has room for (`TCP_NOTSENT_LOWAT`, tcp(7)), in
/// bytes; connections inherit it from their listener.
#[cfg(target_os = "linux")]
pub(crate) fn limit_unsent(listener: BorrowedFd<'_>, bytes: u32) -> io::Result<()> {
    SockRef::from(&listener).set_tcp_notsent_lowat(bytes)
}

/// Elsewhere the send buffer is the bound.
#[cfg(not(target_os = "linux"))]
pub(crate) fn limit_unsent(_listener: BorrowedFd<'_>, _bytes: u32) -> io::Result<()> {
    Ok(())
}

/// Probes a silent peer, at the given times or the system's. They are in whole seconds.
#[cfg(not(target_os = "openbsd"))]
pub(crate) fn set_keepalive(
    socket: BorrowedFd<'_>,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
) -> io::Result<()> {
    let mut probes = socket2::TcpKeepalive::new();
    if let Some(idle) = idle {
        probes = probes.with_time(idle);
    }
    if let Some(interval) = interval {
        probes = probes.with_interval(interval);
    }
    if let Some(count) = count {
        probes = probes.with_retries(count);
    }
    SockRef::from(&socket).set_tcp_keepalive(&probes)
}

/// Probes a silent peer at the times that are the whole system's: a socket has none of its own
/// (setsockopt(2)).
#[cfg(target_os = "openbsd")]
pub(crate) fn set_keepalive(
    socket: BorrowedFd<'_>,
    idle: Option<Duration>,
    interval: Option<Duration>,
    count: Option<u32>,
) -> io::Result<()> {
    if idle.is_some() || interval.is_some() || count.is_some() {
        return Err(io::Error::from_raw_os_error(libc::ENOTSUP));
    }
    SockRef::from(&socket).set_keepalive(true)
}

/// The next waiting connection: non-blocking and close-on-exec from birth.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, Peer)> {
    // SAFETY: the closure passes the pointers that socket2 made for it to accept(2) and returns the
    // new descriptor, which nobody else owns.
    let (socket, address) = unsafe {
        SockAddr::try_init(|address, length| {
            let fd = accept_raw(listener.as_raw_fd(), address.cast(), length);
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(OwnedFd::from_raw_fd(fd)) }
        })
    }?;
    #[cfg(any(target_os = "macos", target_os = "ios"))]
    {
        let socket = SockRef::from(&socket);
        socket.set_nonblocking(true)?;
        socket.set_cloexec(true)?;
        socket.set_nosigpipe(true)?;
    }
    Ok((socket, address.as_socket().map_or(Peer::Unix, Peer::Ip)))
}

/// Who is at the other end. `ENOTCONN`: nobody any more.
pub(crate) fn peer(socket: BorrowedFd<'_>) -> io::Result<Peer> {
    let address = SockRef::from(&socket).peer_addr()?;
    Ok(address.as_socket().map_or(Peer::Unix, Peer::Ip))
}

#[cfg(not(any(target_os = "macos", target_os = "ios")))]
fn accept_raw(fd: i32, address: *mut libc::sockaddr, length: *mut libc::socklen_t) -> i32 {
    // SAFETY: the caller passes a valid address buffer and its length (accept4(2)).
    unsafe { libc::accept4(fd, address, length, libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) }
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn accept_raw(fd: i32, address: *mut libc::sockaddr, length: *mut libc::socklen_t) -> i32 {
    // SAFETY: the caller passes a valid address buffer and its length (accept(2)).
    unsafe { libc::accept(fd, address, length) }
}

/// Receives what is there, at most `buffer`'s length; 0 is the end of the stream.
pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the buffer is valid for writes of its length while the call lasts.
    let count =
        unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Sends what the kernel takes of `bytes`. With `more`, the kernel may hold a partial segment back
/// because more follows at once (`MSG_MORE`, send(2); a no-op where the OS has none).
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], more: bool) -> io::Result<usize> {
    let flags = NO_SIGNAL | if more { MORE } else { 0 };
    // SAFETY: the bytes are valid for reads of their length while the call lasts.
    let count =
        unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
const NO_SIGNAL: i32 = 0;
#[cfg(not(any(target_os = "macos", target_os = "ios")))]
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;

#[cfg(any(target_os = "linux", target_os = "android"))]
const MORE: i32 = libc::MSG_MORE;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const MORE: i32 = 0;

/// Says that nothing more will be sent; the other direction stays open.
pub(crate) fn shutdown_write(socket: BorrowedFd<'_>) -> io::Result<()> {
    SockRef::from(&socket).shutdown(std::net::Shutdown::Write)
}

/// Has closing reset the connection, so that the other side sees that it was cut off (`SO_LINGER` of
/// zero, socket(7)).
pub(crate) fn reset_on_close(socket: BorrowedFd<'_>) -> io::Result<()> {
    SockRef::from(&socket).set_linger(Some(Duration::ZERO))
}

/// Whether accepting failed for one connection, which is gone from the queue, or was interrupted: the
/// next try can succeed (accept(2), with the errors that a network passes on).
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    use libc::{ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, EINTR, ENETDOWN, ENETUNREACH, EPROTO};
    [ECONNABORTED, EINTR, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH]
        .map(Some)
        .contains(&error.raw_os_error())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::fd::AsFd;

    #[test]
    fn only_a_socket_that_nobody_listens_to_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let refused = |path: &Path| bind_unix(path).unwrap_err().kind();
        fs::write(&path, "precious").unwrap();
        assert_eq!(refused(&path), io::ErrorKind::AddrInUse);
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        fs::remove_file(&path).unwrap();

        drop(bind_unix(&path).unwrap());
        let living = bind_unix(&path).unwrap();
        listen(living.as_fd(), 0).unwrap();
        // The second finds the backlog full.
        for _ in 0..2 {
            assert_eq!(refused(&path), io::ErrorKind::AddrInUse);
        }
    }
}
