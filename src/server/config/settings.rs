// SPDX-License-Identifier: MIT OR Apache-2.0
//! What blocks inherit from each other, and what holds where nothing is said.

use super::{ErrorPage, Return};
use crate::http::coding::Coding;
use crate::http::method::MethodSet;
use crate::server::limits;
use crate::sys::symlinks::Links;
use std::path::PathBuf;
use std::time::Duration;

/// What holds for a request once its location is known: each block starts from its parent's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `root`: the path of the request is appended to it.
    pub(crate) root: PathBuf,
    /// `alias`: replaces the location's prefix.
    pub(crate) alias: Option<PathBuf>,
    pub(crate) index: Vec<String>,
    /// `autoindex` and what comes with it.
    pub(crate) autoindex: Autoindex,
    /// `dotfiles`: whether names that start with a dot are served.
    pub(crate) dotfiles: bool,
    /// `disable_symlinks`
    pub(crate) symlinks: Symlinks,
    /// `open_file_cache` and what comes with it.
    pub(crate) open_files: FileCaching,
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
            autoindex: Autoindex::default(),
            dotfiles: false,
            symlinks: Symlinks::default(),
            open_files: FileCaching::default(),
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

/// How directories without an index are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Autoindex {
    pub(crate) on: bool,
    pub(crate) format: ListingFormat,
    /// `autoindex_exact_size`: sizes on the page are in bytes.
    pub(crate) exact_size: bool,
    /// `autoindex_localtime`: times on the page are not in UTC.
    pub(crate) local_time: bool,
}

impl Default for Autoindex {
    fn default() -> Self {
        Self { on: false, format: ListingFormat::Html, exact_size: true, local_time: false }
    }
}

/// `autoindex_format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListingFormat {
    Html,
    Json,
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

/// Which open files a worker keeps, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileCaching {
    /// `open_file_cache`; `None` is `off`. Blocks that have the same bounds share a cache.
    pub(crate) bounds: Option<CacheBounds>,
    /// `open_file_cache_valid`: how long it is not looked whether a name leads elsewhere.
    pub(crate) valid: Duration,
    /// `open_file_cache_min_uses`: how often a file is asked for before it is kept.
    pub(crate) min_uses: u64,
    /// `open_file_cache_errors`: whether it is kept that a file cannot be opened.
    pub(crate) errors: bool,
}

impl Default for FileCaching {
    fn default() -> Self {
        Self {
            bounds: Some(CacheBounds::default()),
            valid: limits::OPEN_FILE_VALID,
            min_uses: limits::OPEN_FILE_MIN_USES,
            errors: false,
        }
    }
}

/// What holds for all entries of a cache of open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CacheBounds {
    /// Most entries.
    pub(crate) max: usize,
    /// An entry that is not used for this long goes.
    pub(crate) inactive: Duration,
}

impl Default for CacheBounds {
    fn default() -> Self {
        Self { max: limits::OPEN_FILES, inactive: limits::OPEN_FILE_INACTIVE }
    }
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
