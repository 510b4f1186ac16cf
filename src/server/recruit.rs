// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker that nobody runs yet. It has what others have to know of it or could fail for; its driver is
//! made by the thread that works.

use super::driver::{completion, readiness};
use super::listener::Listener;
use super::log::Logs;
use super::mailbox::Mailbox;
use super::options::Io;
use super::site::Site;
use super::worker::{self, Worker};
use crate::error::Result;
use crate::reactor::{BackendKind, Reactor};
use std::sync::Arc;

pub(crate) struct Recruit {
    site: Arc<Site>,
    listeners: Vec<Listener>,
    logs: Logs,
    reactor: Arc<Reactor>,
    mailbox: Arc<Mailbox>,
    io: Io,
}

impl Recruit {
    pub(crate) fn new(
        site: Arc<Site>,
        listeners: Vec<Listener>,
        logs: Logs,
        backend: Option<BackendKind>,
        io: Io,
    ) -> Result<Self> {
        let reactor = Arc::new(Reactor::for_careful_owner(backend)?);
        // An io_uring polls the reactor.
        let io = if io == Io::Uring && reactor.fd().is_ok() { io } else { Io::Readiness };
        let mailbox = Arc::new(Mailbox::new(Arc::clone(&reactor), worker::MAIL)?);
        Ok(Self { site, listeners, logs, reactor, mailbox, io })
    }

    /// How it is to reach the kernel.
    pub(crate) fn io(&self) -> Io {
        self.io
    }

    pub(crate) fn mailbox(&self) -> Arc<Mailbox> {
        Arc::clone(&self.mailbox)
    }

    /// Works until a stop has been ordered and is done.
    pub(crate) fn run(self) -> Result<()> {
        let Self { site, listeners, logs, reactor, mailbox, io } = self;
        if io == Io::Uring
            && let Ok(driver) = completion::Driver::new(Arc::clone(&reactor))
        {
            return Worker::new(site, listeners, logs, mailbox, driver)?.run();
        }
        let driver = readiness::Driver::new(reactor);
        Worker::new(site, listeners, logs, mailbox, driver)?.run()
    }
}
