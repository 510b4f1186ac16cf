// SPDX-License-Identifier: MIT OR Apache-2.0
//! Listening sockets: a worker's own, or one that workers share.

use super::limits;
use super::options::AcceptPolicy;
use crate::error::Result;
use crate::net::{self, Address, SocketOptions};
use crate::sys::poll::{self, Events};
use crate::sys::socket::{self, SPREADS_REUSED_PORTS};
use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// One worker's listening socket on one of the site's endpoints.
#[derive(Clone)]
pub(crate) struct Listener {
    socket: Arc<Socket>,
    endpoint: usize,
    /// Other workers listen on the same socket, and one of them is enough to wake.
    shared: bool,
}

/// A bound socket. Its file, where it has one, goes when the last who holds it lets go.
struct Socket {
    fd: OwnedFd,
    file: Mutex<Option<PathBuf>>,
}

impl Socket {
    fn new(fd: OwnedFd, file: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self { fd, file: Mutex::new(file) })
    }

    /// Removes the file, once: later there may be another's in its place.
    fn remove_file(&self) {
        if let Some(file) = self.file.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Somebody else may have removed it.
            let _ = fs::remove_file(file);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.remove_file();
    }
}

impl Listener {
    pub(crate) fn socket(&self) -> BorrowedFd<'_> {
        self.socket.fd.as_fd()
    }

    /// The index of the site's endpoint that it accepts for.
    pub(crate) fn endpoint(&self) -> usize {
        self.endpoint
    }

    /// Whether other workers listen on the same socket.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared
    }

    /// Whether a connection waits.
    pub(crate) fn is_awaited(&self) -> bool {
        poll::look(self.socket.fd.as_raw_fd(), Events::IN).contains(Events::IN)
    }

    /// Lets nobody new connect, while those whose connection is being made are still let in. Not
    /// every system can.
    pub(crate) fn turn_away(&self) {
        self.socket.remove_file();
        // What it cannot keep out is reset when the socket is closed.
        let _ = socket::drop_new_connections(self.socket());
    }
}

/// An address that is taken: bound, so that nobody else can have it, but not yet listening.
pub(crate) struct Bound {
    wanted: Address,
    address: Address,
    socket: Arc<Socket>,
}

impl Bound {
    /// Takes the address. Port 0 takes any free port.
    pub(crate) fn new(address: &Address) -> Result<Self> {
        let (actual, fd, file) = match address {
            Address::Unix(path) => {
                (address.clone(), net::bind(address, &options(false))?, Some(path.clone()))
            }
            Address::Ip(_) => {
                let fd = bind_exclusively(address)?;
                (net::local_address(&fd)?, fd, None)
            }
        };
        let socket = Socket::new(fd, file);
        Ok(Self { wanted: address.clone(), address: actual, socket })
    }

    /// The address as it was asked for.
    pub(crate) fn wanted(&self) -> &Address {
        &self.wanted
    }

    /// The port; `None` on a unix socket.
    pub(crate) fn port(&self) -> Option<u16> {
        match &self.address {
            Address::Ip(address) => Some(address.port()),
            Address::Unix(_) => None,
        }
    }

    /// The address with the port that the kernel chose.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The listeners of `workers` workers, from the first one on; where one accepts for all, it
    /// alone has one. Where the kernel does not spread connections over sockets that share a port,
    /// and on unix paths, workers share a socket instead of having their own.
    pub(crate) fn listen(
        &self,
        endpoint: usize,
        workers: usize,
        policy: AcceptPolicy,
        backlog: i32,
    ) -> Result<Vec<Listener>> {
        let is_spread = SPREADS_REUSED_PORTS && matches!(self.address, Address::Ip(_));
        let own = policy == AcceptPolicy::ReusePort && is_spread;
        let count = if policy == AcceptPolicy::RoundRobin { 1 } else { workers };
        let listener = |worker| {
            let socket = if own && worker > 0 {
                Socket::new(net::bind(&self.address, &options(true))?, None)
            } else {
                Arc::clone(&self.socket)
            };
            if matches!(self.address, Address::Ip(_)) {
                socket::limit_unsent(socket.fd.as_fd(), limits::UNSENT)?;
            }
            net::start_listening(&socket.fd, &self.address, backlog)?;
            Ok(Listener { socket, endpoint, shared: !own && count > 1 })
        };
        (0..count).map(listener).collect()
    }
}

/// As nginx has them: an IPv6 address is no IPv4 address, and small answers do not wait. That
/// connections inherit it saves a system call each.
fn options(reuse_port: bool) -> SocketOptions {
    SocketOptions { reuse_port, v6only: true, nodelay: true, ..SocketOptions::default() }
}

/// Binds so that workers can share the port, but no other program that is there already: a socket
/// that may share a port would be let in beside any other that may.
fn bind_exclusively(address: &Address) -> Result<OwnedFd> {
    let any_port = matches!(address, Address::Ip(address) if address.port() == 0);
    if SPREADS_REUSED_PORTS && !any_port {
        drop(net::bind(address, &options(false))?);
    }
    net::bind(address, &options(SPREADS_REUSED_PORTS))
}
