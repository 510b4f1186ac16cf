// SPDX-License-Identifier: MIT OR Apache-2.0
//! The HTTP server engine: connections, workers, handlers, configuration.
//!
//! A [`Server`] is set up, started once, and stopped; every call may come from any thread, though
//! what is set up after the start is refused.

mod accepting;
mod body;
mod clients;
mod compression;
pub(crate) mod conf;
mod config;
mod connection;
mod content;
mod context;
mod counters;
mod driver;
mod exchange;
mod handler;
mod handlers;
mod limits;
mod listener;
mod log;
mod mailbox;
mod open_files;
mod options;
mod output;
mod recruit;
mod round;
mod routes;
mod routing;
mod running;
mod setup;
mod shedding;
mod site;
mod team;
mod template;
#[cfg(test)]
mod tests;
mod worker;

pub use body::{Body, Pull};
pub use counters::Counters;
pub use exchange::{Exchange, Request, Response};
pub use handler::{Handler, Outcome, Reject, Sink, Status};
pub use options::{AcceptPolicy, Io, Options};

use crate::error::{Error, ErrorKind, Result};
use crate::reactor::{Event, Filter, Flags, Reactor};
use crate::sys::ending::Watch;
use crate::sys::limit;
use running::Running;
use setup::Setup;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// An HTTP server.
pub struct Server {
    stage: Mutex<Stage>,
}

/// How far a server is.
enum Stage {
    Setup(Box<Setup>),
    Running(Arc<Running>),
}

/// The user event that ends [`Server::run`] when the workers have ended.
const ENDED: usize = 0;

impl Server {
    /// A server that listens nowhere yet.
    ///
    /// # Errors
    /// `EINVAL` for more workers than there can be.
    pub fn new(options: Options) -> Result<Self> {
        let setup = Setup::new(options)?;
        Ok(Self { stage: Mutex::new(Stage::Setup(Box::new(setup))) })
    }

    /// Takes over what a configuration file says. Nothing is changed if it has an error.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] with file, line, column and advice; [`ErrorKind::State`] after the start
    /// or after another file.
    pub fn load(&self, path: &Path) -> Result<()> {
        self.set_up(|setup| setup.load(path))
    }

    /// Takes an address: `127.0.0.1:8080`, `[::1]:80`, `*:80`, `8080` or `unix:/path`. Port 0 is any
    /// free port: [`address`](Self::address) tells which.
    ///
    /// # Errors
    /// The system's, such as `EADDRINUSE` and `EACCES`; `EINVAL` for what is not an address.
    pub fn listen(&self, address: &str) -> Result<()> {
        self.set_up(|setup| setup.listen(address))
    }

    /// The address of this index, in the order of [`listen`](Self::listen) and then of the file, with
    /// its real port; `None` past the last. The file's are there after the start.
    pub fn address(&self, index: usize) -> Option<String> {
        match &*self.stage() {
            Stage::Setup(setup) => setup.address(index),
            Stage::Running(running) => running.addresses.get(index).cloned(),
        }
    }

    /// Serves the files below `directory` under the paths that begin with `prefix`.
    ///
    /// # Errors
    /// `EINVAL` for a prefix that does not begin with `/`; the system's for a directory that is not
    /// there.
    pub fn serve_directory(&self, prefix: &str, directory: &Path) -> Result<()> {
        self.set_up(|setup| setup.serve_directory(prefix, directory))
    }

    /// Has `handler` answer requests with this method (`*` for all; GET answers HEAD as well) whose
    /// path matches `pattern`: `/users/{id}` takes one segment for `id`, `/files/{path...}` the rest,
    /// which may be empty.
    ///
    /// # Errors
    /// `EINVAL` for an unknown method and for a pattern that is wrong or in conflict with another.
    pub fn route(&self, method: &str, pattern: &str, handler: Box<dyn Handler>) -> Result<()> {
        self.set_up(|setup| setup.route(method, pattern, handler))
    }

    /// Starts the workers, on threads of the library or, with [`Options::caller_threads`], as soon as
    /// the caller runs them. Connections are accepted when it returns.
    ///
    /// # Errors
    /// What is wrong with the set-up: no address, an address that cannot be had, a log that cannot be
    /// opened. The server is then as it was before and can be started again.
    pub fn start(&self) -> Result<()> {
        let mut stage = self.stage();
        let Stage::Setup(setup) = &mut *stage else {
            return Err(Error::new(ErrorKind::State, "the server was started already"));
        };
        let running = setup.start()?;
        *stage = Stage::Running(running);
        Ok(())
    }

    /// Runs worker `index` (from 0, below [`workers`](Self::workers)) on the calling thread until the
    /// server is stopped.
    ///
    /// # Errors
    /// [`ErrorKind::State`] without [`Options::caller_threads`], before the start, or for a worker
    /// that somebody runs already.
    pub fn work(&self, index: usize) -> Result<()> {
        self.running()?.work_for_caller(index)
    }

    /// How many workers the server has, once started.
    ///
    /// # Errors
    /// [`ErrorKind::State`] before the start.
    pub fn workers(&self) -> Result<usize> {
        Ok(self.running()?.workers())
    }

    /// What worker `index` has done since the start; also after the stop. It counts up to the
    /// latest turn that the worker has ended, so an answer may come before it is counted.
    ///
    /// # Errors
    /// [`ErrorKind::State`] before the start; `EINVAL` for a worker that is not there.
    pub fn counters(&self, index: usize) -> Result<Counters> {
        let running = self.running()?;
        running.counters(index).ok_or_else(|| {
            let count = running.workers();
            Error::invalid(format!("worker {index} of {count} is not there"))
        })
    }

    /// How the workers reach the kernel, once started: not always as was asked for, see [`Io::Uring`].
    ///
    /// # Errors
    /// [`ErrorKind::State`] before the start.
    pub fn io(&self) -> Result<Io> {
        Ok(self.running()?.io)
    }

    /// Starts if need be, waits for SIGINT or SIGTERM, then drains as [`stop`](Self::stop) does with
    /// ten seconds' grace; a second signal ends at once. Returns also when another thread stops the
    /// server. As the main loop of a program that only serves, it lets the process have as many
    /// descriptors as the hard limit allows.
    ///
    /// # Errors
    /// Those of [`start`](Self::start); [`ErrorKind::State`] with [`Options::caller_threads`];
    /// `EBUSY` if another server of the process is in this call.
    pub fn run(&self) -> Result<()> {
        let caller_threads = match &*self.stage() {
            Stage::Setup(setup) => setup.caller_threads(),
            Stage::Running(running) => running.caller_threads,
        };
        if caller_threads {
            let why = "with caller_threads, call work on each thread and stop instead of run";
            return Err(Error::new(ErrorKind::State, why));
        }
        // With fewer descriptors it serves as well, only fewer clients.
        let _ = limit::raise_descriptors();
        let watch = Watch::start()?;
        let reactor = Arc::new(Reactor::new()?);
        let flags = Flags::ADD | Flags::CLEAR;
        reactor.add(&Event { ident: ENDED, filter: Filter::USER, flags, ..Event::default() })?;
        reactor.add(&Event::of(&watch, Filter::READ, Flags::ADD))?;
        if self.running().is_err() {
            self.start()?;
        }
        let running = self.running()?;
        running.report_end_to(Arc::clone(&reactor), ENDED);
        let mut events = [Event::default(); 2];
        let mut asked = false;
        loop {
            match reactor.wait(&mut events, None) {
                Err(error) if error.is_interrupted() => continue,
                other => other?,
            };
            while watch.take() {
                running.order_stop(if asked { Duration::ZERO } else { limits::DRAIN });
                asked = true;
            }
            if running.has_ended() {
                return running.stop(Duration::ZERO);
            }
        }
    }

    /// Stops: no connection is accepted any more, requests that run are finished within `grace`, and
    /// what is then left is cut off. Returns when all workers have ended; called by a handler, it
    /// returns at once. A stopped server stays stopped.
    ///
    /// # Errors
    /// [`ErrorKind::State`] before the start.
    pub fn stop(&self, grace: Duration) -> Result<()> {
        self.running()?.stop(grace)
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_up<T>(&self, change: impl FnOnce(&mut Setup) -> Result<T>) -> Result<T> {
        match &mut *self.stage() {
            Stage::Setup(setup) => change(setup),
            Stage::Running(_) => {
                Err(Error::new(ErrorKind::State, "set the server up before it is started"))
            }
        }
    }

    fn running(&self) -> Result<Arc<Running>> {
        match &*self.stage() {
            Stage::Running(running) => Ok(Arc::clone(running)),
            Stage::Setup(_) => Err(Error::new(ErrorKind::State, "the server is not started yet")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(running) = self.running() {
            // Dropping waits for the workers' threads; there is nothing to report to.
            let _ = running.stop(Duration::ZERO);
        }
    }
}
