// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program may choose of a socket.

use crate::error::{Error, Result};
use crate::sys::socket;
use socket2::SockRef;
use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// How a socket is to be; the default leaves all to the system. Connections inherit buffers,
/// keepalive, nodelay and linger from the listener that accepts them. What is TCP's is passed over on
/// a unix socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// Listening: sockets of this user that all ask for it may listen on one address. Linux and
    /// FreeBSD spread connections over them; elsewhere one of them gets all.
    pub reuse_port: bool,
    /// Listening on IPv6: not on IPv4 as well. Without it `[::]` takes both.
    pub v6only: bool,
    /// Listening: most connections that wait to be accepted; `None`: as many as the system allows.
    pub backlog: Option<u32>,
    /// Listening on a unix path: the file's permission bits, such as `0o660`; `None`: what the umask
    /// leaves.
    pub mode: Option<u32>,
    /// `SO_RCVBUF` in bytes. The system rounds it and has a limit.
    pub receive_buffer: Option<u32>,
    /// `SO_SNDBUF` in bytes. The system rounds it and has a limit.
    pub send_buffer: Option<u32>,
    /// TCP: find out about peers that have vanished.
    pub keepalive: Option<Keepalive>,
    /// TCP: send small segments at once (`TCP_NODELAY`).
    pub nodelay: bool,
    /// How long closing may take to deliver what was written; zero: what was not sent is dropped and
    /// the peer gets a reset (`SO_LINGER`).
    pub linger: Option<Duration>,
}

/// `SO_KEEPALIVE` with its times, in whole seconds; `None` is the system's. OpenBSD has no others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first probe.
    pub idle: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Probes without an answer after which the connection is dead.
    pub count: Option<u32>,
}

impl SocketOptions {
    /// Sets what also a connection can have.
    pub(super) fn apply(&self, fd: BorrowedFd<'_>, tcp: bool) -> Result<()> {
        let socket = SockRef::from(&fd);
        if let Some(bytes) = self.receive_buffer {
            told("SO_RCVBUF", socket.set_recv_buffer_size(size("receive_buffer", bytes)?))?;
        }
        if let Some(bytes) = self.send_buffer {
            told("SO_SNDBUF", socket.set_send_buffer_size(size("send_buffer", bytes)?))?;
        }
        if self.linger.is_some() {
            told("SO_LINGER", socket.set_linger(self.linger))?;
        }
        if tcp && self.nodelay {
            told("TCP_NODELAY", socket.set_tcp_nodelay(true))?;
        }
        match self.keepalive {
            Some(Keepalive { idle, interval, count }) if tcp => {
                told("SO_KEEPALIVE", socket::set_keepalive(fd, idle, interval, count))
            }
            _ => Ok(()),
        }
    }
}

/// The system takes it as an int.
fn size(name: &str, bytes: u32) -> Result<usize> {
    let size = i32::try_from(bytes).ok().and_then(|bytes| usize::try_from(bytes).ok());
    size.ok_or_else(|| Error::invalid(format!("{name}: {bytes} bytes are more than 2 GiB")))
}

fn told(option: &str, result: io::Result<()>) -> Result<()> {
    result.map_err(|error| Error::from(error).context(option))
}
