// SPDX-License-Identifier: MIT OR Apache-2.0
//! Addresses to listen on, as `listen` spells them in files and in calls.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::net::SocketAddr as UnixAddress;
use std::path::PathBuf;
use std::str::FromStr;

/// The port of an address that names none, as in nginx.
const DEFAULT_PORT: u16 = 80;

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Address {
    Ip(SocketAddr),
    Unix(PathBuf),
}

impl FromStr for Address {
    /// What is wrong, as a sentence.
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix(path);
        }
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        if let Some(port) = port(text) {
            return Ok(Self::Ip(SocketAddr::new(any, port)));
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
            (Some(ip), Some(port)) => Ok(Self::Ip(SocketAddr::new(ip, port))),
            (Some(_), None) => Err("a port is a number from 0 to 65535".to_owned()),
            (None, _) => Err("an address is `port`, `address:port`, `*:port`, `[v6]:port` or \
                 `unix:path`, where the address is in numbers or `localhost`"
                .to_owned()),
        }
    }
}

fn port(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn unix(path: &str) -> Result<Address, String> {
    if path.is_empty() {
        return Err("`unix:` needs the path of a socket".to_owned());
    }
    match UnixAddress::from_pathname(path) {
        Ok(_) => Ok(Address::Unix(path.into())),
        Err(error) => Err(format!("{path} cannot be a socket: {error}")),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
