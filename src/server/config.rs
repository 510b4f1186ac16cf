// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server is to do, as plain data: the configuration file and the calls of the API both end
//! in this, and the workers only read it.

mod settings;

pub(crate) use settings::{
    Autoindex, CacheBounds, FileCaching, Gzip, ListingFormat, Settings, Symlinks, Trusted,
};

use super::options::{AcceptPolicy, Io};
use crate::http::status::Status;
use crate::net::Address;
use std::fmt;
use std::sync::Arc;

/// A whole configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// `worker_processes`; 0 is `auto`, one per processor.
    pub(crate) workers: Option<usize>,
    /// `io`, where the file says it.
    pub(crate) io: Option<Io>,
    /// `accept_policy`
    pub(crate) accept_policy: Option<AcceptPolicy>,
    /// `worker_connections`; 0 is no limit.
    pub(crate) worker_connections: Option<u64>,
    /// The virtual servers in the order of the file.
    pub(crate) servers: Vec<VirtualServer>,
}

/// A `server` block.
#[derive(Clone, Debug)]
pub(crate) struct VirtualServer {
    pub(crate) listens: Vec<Listen>,
    pub(crate) names: Vec<ServerName>,
    /// What holds outside every location.
    pub(crate) settings: Arc<Settings>,
    pub(crate) locations: Vec<Location>,
}

/// One `listen` of a virtual server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listen {
    pub(crate) address: Address,
    /// Whether the server answers for names that no server on the address has.
    pub(crate) default_server: bool,
    pub(crate) backlog: i32,
    /// Whether each worker is to have a socket of its own on the address.
    pub(crate) reuse_port: bool,
}

/// One of a `server_name`'s names, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ServerName {
    /// `example.org`; also `_` and the empty name, which match no `Host` of that kind.
    Exact(String),
    /// `*.example.org`: kept as `.example.org`.
    Suffix(String),
    /// `www.example.*`: kept as `www.example.`.
    Prefix(String),
}

/// As `server_name` takes it.
impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Suffix(name) => write!(f, "*{name}"),
            Self::Prefix(name) => write!(f, "{name}*"),
        }
    }
}

/// A `location` block.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    pub(crate) matcher: Matcher,
    pub(crate) settings: Arc<Settings>,
}

/// Which paths a location is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matcher {
    /// `= /path`
    Exact(String),
    /// `/path`, or `^~ /path` (which differ only once there are regular expressions).
    Prefix(String),
}

impl Config {
    /// Every location's and server's settings.
    pub(crate) fn settings(&self) -> impl Iterator<Item = &Arc<Settings>> {
        self.servers.iter().flat_map(|server| {
            let locations = server.locations.iter().map(|location| &location.settings);
            std::iter::once(&server.settings).chain(locations)
        })
    }

    /// Every address to listen on, each once.
    pub(crate) fn addresses(&self) -> Vec<&Address> {
        let mut addresses = Vec::new();
        for listen in self.servers.iter().flat_map(|server| &server.listens) {
            if !addresses.contains(&&listen.address) {
                addresses.push(&listen.address);
            }
        }
        addresses
    }
}

impl VirtualServer {
    /// The first of its names; empty if it has none.
    pub(crate) fn first_name(&self) -> &str {
        match self.names.first() {
            Some(ServerName::Exact(name) | ServerName::Suffix(name) | ServerName::Prefix(name)) => {
                name
            }
            None => "",
        }
    }
}

impl Matcher {
    /// The path that is compared.
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Exact(path) | Self::Prefix(path) => path,
        }
    }
}

/// One `error_page`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorPage {
    pub(crate) codes: Vec<Status>,
    /// `=code`: the status to answer with instead; `None` keeps the original.
    pub(crate) status: Option<Status>,
    /// A path of this server, or an absolute URI to redirect to.
    pub(crate) target: String,
}

/// A `return`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Return {
    /// 444 closes the connection without an answer.
    pub(crate) status: Status,
    /// The URL of a redirect, else the text of the body.
    pub(crate) text: Template,
}

impl Return {
    /// Whether the text is the URL for `Location`.
    pub(crate) const fn is_redirect(&self) -> bool {
        self.status.is_redirect()
    }
}

/// Text with variables in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Template(pub(crate) Vec<Part>);

impl Template {
    /// Whether nothing will ever come out of it.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Literal(text) if text.is_empty()))
    }
}

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Literal(String),
    Variable(Variable),
}

/// The variables that a request can fill in, named as nginx names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variable {
    /// `$args`, `$query_string`: the query without its `?`.
    Args,
    /// `$host`: the name in `Host`, in lower case and without the port; else the server's name.
    Host,
    /// `$http_host`: the `Host` field as it was sent.
    HttpHost,
    /// `$is_args`: `?` if there is a query, else nothing.
    IsArgs,
    /// `$remote_addr`: the client's address.
    RemoteAddr,
    /// `$request_method`
    RequestMethod,
    /// `$request_uri`: the target as it was sent.
    RequestUri,
    /// `$scheme`: `http`.
    Scheme,
    /// `$server_name`: the first name of the virtual server.
    ServerName,
    /// `$server_port`: the port of the address that accepted the connection.
    ServerPort,
    /// `$uri`: the path, decoded and normalised.
    Uri,
}
