// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server is to do, as plain data: the configuration file and the calls of the API both end
//! in this, and the workers only read it.

use super::limits;
use crate::http::coding::Coding;
use crate::http::method::MethodSet;
use crate::http::status::Status;
use crate::net::Address;
use crate::sys::symlinks::Links;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A whole configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    /// `worker_processes`; `None` is `auto`, one per processor.
    pub(crate) workers: Option<usize>,
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

/// What holds for a request once its location is known: each block starts from its parent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `root`: the path of the request is appended to it.
    pub(crate) root: PathBuf,
    /// `alias`: replaces the location's prefix.
    pub(crate) alias: Option<PathBuf>,
    pub(crate) index: Vec<String>,
    pub(crate) autoindex: bool,
    /// `dotfiles`: whether names that start with a dot are served.
    pub(crate) dotfiles: bool,
    /// `disable_symlinks`
    pub(crate) symlinks: Symlinks,
    pub(crate) error_pages: Vec<ErrorPage>,
    pub(crate) answer: Option<Return>,
    /// `allow_methods`: others are answered 405; `None` allows what the handler can do.
    pub(crate) allow_methods: Option<MethodSet>,
    /// `limit_except … { deny all; }`: others are answered 403.
    pub(crate) limit_except: Option<MethodSet>,
    /// `client_max_body_size` in bytes; 0 is no limit.
    pub(crate) max_body: u64,
    pub(crate) header_timeout: Duration,
    pub(crate) body_timeout: Duration,
    /// `client_body_min_rate` in bytes per second; 0 is none.
    pub(crate) body_min_rate: u64,
    /// `client_body_buffer_size`: larger bodies go into a temporary file.
    pub(crate) body_buffer: usize,
    /// `client_body_temp_path`: where; `None` is the system's folder for such files.
    pub(crate) body_temp_path: Option<PathBuf>,
    pub(crate) send_timeout: Duration,
    /// How long a connection that is closed is read from: in all, and the longest pause.
    pub(crate) lingering_time: Duration,
    pub(crate) lingering_timeout: Duration,
    /// Zero: connections are closed after each answer.
    pub(crate) keepalive_timeout: Duration,
    pub(crate) keepalive_requests: u64,
    /// `large_client_header_buffers`: longest request line and largest head, in bytes.
    pub(crate) max_request_line: usize,
    pub(crate) max_header_block: usize,
    pub(crate) max_headers: usize,
    /// `max_ranges`: requests for more get the whole; 0 is no ranges at all.
    pub(crate) max_ranges: usize,
    /// `gzip` and what comes with it.
    pub(crate) gzip: Gzip,
    /// `brotli_static`, `zstd_static`, `gzip_static`: the codings that files may lie there in.
    pub(crate) twins: Vec<Coding>,
    /// `access_log`, in the combined format; `None` is `off`.
    pub(crate) access_log: Option<PathBuf>,
    /// `server_tokens`: whether the `Server` field tells the version.
    pub(crate) server_tokens: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            root: PathBuf::from("html"),
            alias: None,
            index: vec!["index.html".to_owned()],
            autoindex: false,
            dotfiles: false,
            symlinks: Symlinks::default(),
            error_pages: Vec::new(),
            answer: None,
            allow_methods: None,
            limit_except: None,
            max_body: limits::MAX_BODY,
            header_timeout: limits::HEADER_TIMEOUT,
            body_timeout: limits::BODY_TIMEOUT,
            body_min_rate: limits::BODY_MIN_RATE,
            body_buffer: limits::BODY_BUFFER,
            body_temp_path: None,
            send_timeout: limits::SEND_TIMEOUT,
            lingering_time: limits::LINGERING_TIME,
            lingering_timeout: limits::LINGERING_TIMEOUT,
            keepalive_timeout: limits::KEEPALIVE_TIMEOUT,
            keepalive_requests: limits::KEEPALIVE_REQUESTS,
            max_request_line: limits::REQUEST_LINE,
            max_header_block: limits::HEADER_BLOCK,
            max_headers: limits::HEADERS,
            max_ranges: limits::RANGES,
            gzip: Gzip::default(),
            twins: Vec::new(),
            access_log: None,
            server_tokens: true,
        }
    }
}

/// Which symbolic links lead to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Symlinks {
    pub(crate) followed: Links,
    /// `from=`: what is followed whatever it is.
    pub(crate) trusted: Trusted,
}

/// The part of a file's path in which symbolic links are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trusted {
    #[default]
    Nothing,
    /// `from=$document_root`: what `root` or `alias` says.
    DocumentRoot,
    Path(PathBuf),
}

/// Which answers are compressed while they are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gzip {
    pub(crate) on: bool,
    /// `gzip_types`, with `*` for all; `text/html` is always meant too.
    pub(crate) types: Vec<String>,
    /// `gzip_min_length` in bytes; does not hold for content of unknown length.
    pub(crate) min_length: u64,
    /// `gzip_comp_level`, 1 to 9.
    pub(crate) level: u32,
}

impl Default for Gzip {
    fn default() -> Self {
        let min_length = limits::GZIP_MIN_LENGTH;
        Self {
            on: false,
            types: vec!["text/html".to_owned()],
            min_length,
            level: limits::GZIP_LEVEL,
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
