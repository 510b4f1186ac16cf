// SPDX-License-Identifier: MIT OR Apache-2.0
//! Listening sockets. Where the kernel spreads connections over sockets that share a port, each worker
//! has its own; elsewhere, and on unix paths, the workers share one.

use crate::error::Result;
use crate::net::{self, Address, SocketOptions};
use crate::sys::socket::SPREADS_REUSED_PORTS;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::Arc;

/// One worker's listening socket on one of the site's endpoints.
#[derive(Clone)]
pub(crate) struct Listener {
    socket: Arc<Socket>,
    endpoint: usize,
}

/// A bound socket. Its file, where it has one, goes when the last who holds it lets go.
struct Socket {
    fd: OwnedFd,
    file: Option<PathBuf>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            // Somebody else may have removed it.
            let _ = fs::remove_file(file);
        }
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
        let socket = Arc::new(Socket { fd, file });
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

    /// A listening socket for each of `workers` workers.
    pub(crate) fn listen(
        &self,
        endpoint: usize,
        workers: usize,
        backlog: i32,
    ) -> Result<Vec<Listener>> {
        let mut listeners = Vec::with_capacity(workers);
        for worker in 0..workers {
            let socket = match &self.address {
                Address::Ip(_) if worker > 0 && SPREADS_REUSED_PORTS => {
                    let fd = net::bind(&self.address, &options(true))?;
                    Arc::new(Socket { fd, file: None })
                }
                _ => Arc::clone(&self.socket),
            };
            net::start_listening(&socket.fd, &self.address, backlog)?;
            listeners.push(Listener { socket, endpoint });
        }
        Ok(listeners)
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
