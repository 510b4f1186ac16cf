// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses of stream sockets, as files, calls and people spell them.

use crate::error::{Error, Result};
use socket2::SockAddr;
use std::ffi::OsStr;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddress;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The port of an address that names none, as in nginx.
const DEFAULT_PORT: u16 = 80;

/// Where to listen, or to connect to. It parses from `127.0.0.1:8080`, `[::]:80`, `*:80`,
/// `localhost:80`, `8080` (on any IPv4 address) and `unix:/run/app.sock`; without a port it is 80. Names
/// other than `localhost` are not looked up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IPv4 or IPv6 address and a port.
    Ip(SocketAddr),
    /// The path of a unix socket; empty for one that has none.
    Unix(PathBuf),
}

impl Address {
    /// An address whose path, if it is one, may be any bytes.
    ///
    /// # Errors
    /// `EINVAL` with what an address looks like; `ENAMETOOLONG` for a path that no socket can have.
    pub fn from_bytes(text: &[u8]) -> Result<Self> {
        match text.strip_prefix(b"unix:") {
            Some(path) => unix(Path::new(OsStr::from_bytes(path))),
            None => ip(str::from_utf8(text).unwrap_or_default()),
        }
    }

    /// The text that [`from_bytes`](Self::from_bytes) makes this address of.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ip(address) => address.to_string().into(),
            Self::Unix(path) => [b"unix:", path.as_os_str().as_bytes()].concat(),
        }
    }

    /// What the system says where a socket is; `None` if it is neither of IP nor of unix.
    pub(super) fn of(address: &SockAddr) -> Option<Self> {
        if address.is_unix() {
            return Some(Self::Unix(address.as_pathname().unwrap_or(Path::new("")).into()));
        }
        address.as_socket().map(Self::Ip)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::from_bytes(text.as_bytes())
    }
}

fn ip(text: &str) -> Result<Address> {
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    if let Some(port) = port(text) {
        return Ok(Address::Ip(SocketAddr::new(any, port)));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, digits)) if !digits.ends_with(']') => (host, port(digits)),
        _ => (text, Some(DEFAULT_PORT)),
    };
    let ip = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(v6) => v6.parse().ok().map(IpAddr::V6),
        None if host == "*" => Some(any),
        None if host == "localhost" => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        None => host.parse().ok().map(IpAddr::V4),
    };
    match (ip, port) {
        (Some(ip), Some(port)) => Ok(Address::Ip(SocketAddr::new(ip, port))),
        (Some(_), None) => Err(Error::invalid("a port is a number from 0 to 65535")),
        (None, _) => Err(Error::invalid(
            "an address is `port`, `address:port`, `*:port`, `[v6]:port` or `unix:path`, where the \
             address is in numbers or `localhost`",
        )),
    }
}

fn port(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn unix(path: &Path) -> Result<Address> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(Error::invalid("`unix:` needs the path of a socket"));
    }
    if bytes.contains(&0) {
        return Err(Error::invalid("a path has no NUL in it"));
    }
    if UnixAddress::from_pathname(path).is_err() {
        let why = format!("{} cannot be the path of a socket", path.display());
        return Err(Error::os(libc::ENAMETOOLONG).context(why));
    }
    Ok(Address::Unix(path.into()))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
