// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server before its start: gathers what the calls and the file say and puts it together.

use super::conf;
use super::config::{Config, Listen, Location, Matcher, Return, Settings, Template, VirtualServer};
use super::driver::completion;
use super::handler::Handler;
use super::limits;
use super::listener::{Bound, Listener};
use super::log::Logs;
use super::mailbox::Mailbox;
use super::options::{self, AcceptPolicy, Io, Options};
use super::recruit::Recruit;
use super::routes::Routes;
use super::routing::Hosts;
use super::running::Running;
use super::site::{Endpoint, Site};
use super::team::Team;
use super::worker::{self, Rules};
use crate::error::{Error, ErrorKind, Result};
use crate::http::status::Status;
use crate::reactor::Reactor;
use std::path::Path;
use std::sync::Arc;
use std::thread;

pub(crate) struct Setup {
    options: Options,
    /// What the file says.
    config: Option<Config>,
    /// What `listen` took.
    bound: Vec<Bound>,
    /// What `serve_directory` added, for every virtual server.
    mounts: Vec<Location>,
    routes: Arc<Routes>,
}

impl Setup {
    pub(crate) fn new(options: Options) -> Result<Self> {
        if options.workers > limits::WORKERS {
            let most = limits::WORKERS;
            return Err(Error::invalid(format!("{} workers: {most} is the most", options.workers)));
        }
        Ok(Self {
            options,
            config: None,
            bound: Vec::new(),
            mounts: Vec::new(),
            routes: Arc::default(),
        })
    }

    pub(crate) fn load(&mut self, path: &Path) -> Result<()> {
        if self.config.is_some() {
            return Err(Error::new(ErrorKind::State, "a configuration file was loaded already"));
        }
        self.config = Some(conf::load(path)?);
        Ok(())
    }

    pub(crate) fn listen(&mut self, address: &str) -> Result<()> {
        self.bound.push(Bound::new(&address.parse()?)?);
        Ok(())
    }

    pub(crate) const fn caller_threads(&self) -> bool {
        self.options.caller_threads
    }

    pub(crate) fn address(&self, index: usize) -> Option<String> {
        self.bound.get(index).map(|bound| bound.address().to_string())
    }

    pub(crate) fn serve_directory(&mut self, prefix: &str, directory: &Path) -> Result<()> {
        if !prefix.starts_with('/') {
            return Err(Error::invalid(format!("prefix {prefix:?} must start with '/'")));
        }
        let directory = directory.canonicalize().map_err(|error| {
            Error::from(error).context(format_args!("directory {}", directory.display()))
        })?;
        let bare = prefix.trim_end_matches('/');
        let mut mount = |matcher, alias| {
            let settings = Settings { alias: Some(alias), ..self.options.settings() };
            self.mounts.push(Location { matcher, settings: Arc::new(settings) });
        };
        mount(Matcher::Prefix(format!("{bare}/")), directory.join(""));
        if !bare.is_empty() {
            // Answers with the redirect of a directory to its `/`.
            mount(Matcher::Exact(bare.to_owned()), directory);
        }
        Ok(())
    }

    pub(crate) fn route(
        &mut self,
        method: &str,
        pattern: &str,
        handler: Box<dyn Handler>,
    ) -> Result<()> {
        let routes = Arc::get_mut(&mut self.routes)
            .ok_or_else(|| Error::new(ErrorKind::State, "the server is being started"))?;
        routes.add(method, pattern, handler)
    }

    pub(crate) fn start(&mut self) -> Result<Arc<Running>> {
        let config = Arc::new(self.complete_config());
        let from_file: Vec<Bound> = config
            .addresses()
            .into_iter()
            .filter(|address| !self.bound.iter().any(|bound| bound.wanted() == *address))
            .map(Bound::new)
            .collect::<Result<_>>()?;
        let bound: Vec<&Bound> = self.bound.iter().chain(&from_file).collect();
        if bound.is_empty() {
            let why = "nowhere to listen: call listen, or load a file with a listen directive";
            return Err(Error::new(ErrorKind::State, why));
        }
        let count = self.worker_count(&config);
        // Before anything listens: clients are not to wait for a start that fails.
        let logs: Vec<Logs> = (0..count).map(|_| Logs::open(&config)).collect::<Result<_>>()?;
        let rules = self.rules(&config);
        let mut endpoints = Vec::with_capacity(bound.len());
        let mut listeners: Vec<Vec<Listener>> = (0..count).map(|_| Vec::new()).collect();
        for bound in &bound {
            let Some(hosts) = Hosts::new(Arc::clone(&config), bound.wanted()) else { continue };
            let policy = match rules.policy {
                AcceptPolicy::Shared if hosts.reuses_port() => AcceptPolicy::ReusePort,
                policy => policy,
            };
            let own = bound.listen(endpoints.len(), count, policy, hosts.backlog())?;
            endpoints.push(Endpoint { hosts, port: bound.port() });
            for (listeners, listener) in listeners.iter_mut().zip(own) {
                listeners.push(listener);
            }
        }
        let site = Arc::new(Site { endpoints, routes: Arc::clone(&self.routes) });
        let addresses = bound.iter().map(|bound| bound.address().to_string()).collect();
        let team = Arc::new(self.team(count)?);
        let io = self.io(&config, &team)?;
        let workers = listeners
            .into_iter()
            .zip(logs)
            .enumerate()
            .map(|(index, (listeners, logs))| {
                let (team, site) = (Arc::clone(&team), Arc::clone(&site));
                Recruit { index, team, site, listeners, rules, logs, io }
            })
            .collect();
        let running = Running::new(addresses, team, workers, self.options.caller_threads);
        running.spawn()?;
        Ok(running)
    }

    /// The seats of so many workers, each with a reactor.
    fn team(&self, workers: usize) -> Result<Team> {
        let mailbox = |_| {
            let reactor = Reactor::for_careful_owner(self.options.backend)?;
            Mailbox::new(Arc::new(reactor), worker::MAIL)
        };
        Ok(Team::new((0..workers).map(mailbox).collect::<Result<_>>()?))
    }

    /// How the workers are to reach the kernel: as was asked for, if it can be.
    fn io(&self, config: &Config, team: &Team) -> Result<Io> {
        let io = config.io.or(self.options.io).map_or_else(options::default_io, Ok)?;
        let reactor = team.seat(0).map(|seat| seat.mailbox.reactor());
        let possible = || reactor.is_some_and(|reactor| completion::is_possible(&reactor));
        Ok(if io == Io::Uring && possible() { io } else { Io::Readiness })
    }

    fn rules(&self, config: &Config) -> Rules {
        let policy = config.accept_policy.unwrap_or(self.options.accept_policy);
        let most = match config.worker_connections.unwrap_or(self.options.worker_connections) {
            0 => u64::MAX,
            most => most,
        };
        Rules { policy, most }
    }

    /// The file's configuration with what the calls added.
    fn complete_config(&self) -> Config {
        let mut config = self.config.clone().unwrap_or_default();
        let listens = self.bound.iter().map(|bound| Listen {
            address: bound.wanted().clone(),
            default_server: false,
            backlog: limits::BACKLOG,
            reuse_port: false,
        });
        match config.servers.first_mut() {
            Some(first) => first.listens.extend(listens),
            None => {
                let mut settings = self.options.settings();
                let text = Template::default();
                settings.answer = Some(Return { status: Status::NOT_FOUND, text });
                config.servers.push(VirtualServer {
                    listens: listens.collect(),
                    names: Vec::new(),
                    settings: Arc::new(settings),
                    locations: Vec::new(),
                });
            }
        }
        for server in &mut config.servers {
            server.locations.extend_from_slice(&self.mounts);
        }
        config
    }

    fn worker_count(&self, config: &Config) -> usize {
        // nginx's default for a file that says nothing.
        let default = if self.config.is_some() { 1 } else { 0 };
        match config.workers.unwrap_or(self.options.workers.max(default)) {
            0 => thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
        .min(limits::WORKERS)
    }
}
