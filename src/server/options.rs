// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a program may choose when it creates a server. What a configuration file says that is loaded
//! later goes before it.

use super::config::Settings;
use super::limits;
use crate::error::{Error, Result};
use crate::reactor::BackendKind;
use std::str::FromStr;
use std::time::Duration;

/// How new connections come to the workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AcceptPolicy {
    /// Each worker has listening sockets of its own, and the kernel spreads connections over them
    /// by a hash (`SO_REUSEPORT`): nothing is shared, but few connections may fall unevenly, and
    /// what waits for a worker that is busy waits though another is not. As
    /// [`Shared`](Self::Shared) on unix paths, and on systems that do not spread: all but Linux and
    /// FreeBSD.
    #[default]
    ReusePort,
    /// All workers accept from the same sockets: whoever is awake takes what waits, so that a busy
    /// one holds nobody up, but those that are often awake get more. With epoll, one worker is
    /// woken for a connection (`EPOLLEXCLUSIVE`), otherwise all are.
    Shared,
    /// Worker 0 accepts for all and hands connections over in turn, to those that have room: the
    /// balance is exact, for one wake-up more per connection.
    RoundRobin,
}

/// The environment variable that says how servers reach the kernel if nothing else does.
const IO_VARIABLE: &str = "EVL_IO";

/// How workers wait, accept and move bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// The reactor says what can be done.
    Readiness,
    /// An io_uring does it. Where there is none to be had, as [`Io::Readiness`].
    Uring,
}

impl Io {
    /// As options and files spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Readiness => "readiness",
            Self::Uring => "uring",
        }
    }
}

impl FromStr for Io {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "readiness" => Ok(Self::Readiness),
            "uring" => Ok(Self::Uring),
            _ => Err(Error::invalid(format!("io {name:?}: `readiness` or `uring`"))),
        }
    }
}

/// What `EVL_IO` names, or readiness.
pub(crate) fn default_io() -> Result<Io> {
    match std::env::var_os(IO_VARIABLE) {
        Some(name) => name.to_string_lossy().parse(),
        None => Ok(Io::Readiness),
    }
}

/// Choices for [`Server::new`](super::Server::new).
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of workers, each a thread with a reactor of its own; 0: one per processor, or with a
    /// file one.
    pub workers: usize,
    /// Workers run on threads of the caller, which calls [`Server::work`](super::Server::work) on
    /// each.
    pub caller_threads: bool,
    /// How connections come to the workers.
    pub accept_policy: AcceptPolicy,
    /// Most connections that a worker has open; 0: as many as there can be. At the limit idle
    /// connections are closed for new ones; if none is idle, new ones wait.
    pub worker_connections: u64,
    /// What the workers' reactors run on; `None`: the best that the system has.
    pub backend: Option<BackendKind>,
    /// How the workers reach the kernel; `None`: as `EVL_IO` in the environment says, else
    /// [`Io::Readiness`].
    pub io: Option<Io>,
    /// Largest request body in bytes, answered 413 beyond it; 0: no limit.
    pub max_body: u64,
    /// The whole head must be there within.
    pub header_timeout: Duration,
    /// Longest pause between two reads of a body.
    pub body_timeout: Duration,
    /// Longest pause between two writes of an answer.
    pub send_timeout: Duration,
    /// How long an idle connection is kept; zero: closed after each answer.
    pub keepalive_timeout: Duration,
    /// Answers on one connection before it is closed.
    pub keepalive_requests: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: 0,
            caller_threads: false,
            accept_policy: AcceptPolicy::default(),
            worker_connections: 0,
            backend: None,
            io: None,
            max_body: limits::MAX_BODY,
            header_timeout: limits::HEADER_TIMEOUT,
            body_timeout: limits::BODY_TIMEOUT,
            send_timeout: limits::SEND_TIMEOUT,
            keepalive_timeout: limits::KEEPALIVE_TIMEOUT,
            keepalive_requests: limits::KEEPALIVE_REQUESTS,
        }
    }
}

impl Options {
    /// The settings of a server that no file describes.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            max_body: self.max_body,
            header_timeout: self.header_timeout,
            body_timeout: self.body_timeout,
            send_timeout: self.send_timeout,
            keepalive_timeout: self.keepalive_timeout,
            keepalive_requests: self.keepalive_requests,
            ..Settings::default()
        }
    }
}
