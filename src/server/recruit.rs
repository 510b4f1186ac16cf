// SPDX-License-Identifier: MIT OR Apache-2.0
//! A worker that nobody runs yet. Its driver is made by the thread that works.

use super::driver::{completion, readiness};
use super::listener::Listener;
use super::log::Logs;
use super::options::Io;
use super::site::Site;
use super::team::Team;
use super::worker::{Rules, Worker};
use crate::error::{Error, Result};
use std::sync::Arc;

pub(crate) struct Recruit {
    /// Its place in the team.
    pub(crate) index: usize,
    pub(crate) team: Arc<Team>,
    pub(crate) site: Arc<Site>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) rules: Rules,
    pub(crate) logs: Logs,
    pub(crate) io: Io,
}

impl Recruit {
    /// Works until a stop has been ordered and is done. Should there be no io_uring any more, it does
    /// without.
    pub(crate) fn run(self) -> Result<()> {
        let Self { index, team, site, listeners, rules, logs, io } = self;
        let reactor = team.seat(index).map(|seat| seat.mailbox.reactor());
        let reactor = reactor.ok_or_else(|| Error::invalid("a worker has a place in the team"))?;
        if io == Io::Uring
            && let Ok(driver) = completion::Driver::new(Arc::clone(&reactor), rules.has_limit())
        {
            return Worker::new(index, team, site, listeners, rules, logs, driver)?.run();
        }
        let driver = readiness::Driver::new(reactor);
        Worker::new(index, team, site, listeners, rules, logs, driver)?.run()
    }
}
