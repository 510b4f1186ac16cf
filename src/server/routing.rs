// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which virtual server and which location a request is for. Look-ups allocate nothing.

use super::config::{Config, Location, Matcher, ServerName, VirtualServer};
use super::limits;
use crate::net::Address;
use std::cmp::Ordering;
use std::sync::Arc;

/// The virtual servers of one listening address, sorted by name.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    config: Arc<Config>,
    /// The index of the server for names that none has.
    default: usize,
    backlog: i32,
    reuses_port: bool,
    exact: Names,
    suffixes: Names,
    prefixes: Names,
}

/// Names in ascending order of their bytes, each with its server's index.
type Names = Vec<(String, usize)>;

impl Hosts {
    /// The virtual servers that listen on the address; `None` if none does.
    pub(crate) fn new(config: Arc<Config>, address: &Address) -> Option<Self> {
        let on_address = |server: &VirtualServer| {
            server.listens.iter().find(|listen| listen.address == *address).cloned()
        };
        let (mut first, mut marked) = (None, None);
        let (mut backlog, mut reuses_port) = (limits::BACKLOG, false);
        let [mut exact, mut suffixes, mut prefixes] = [Names::new(), Names::new(), Names::new()];
        for (index, server) in config.servers.iter().enumerate() {
            let Some(listen) = on_address(server) else { continue };
            first = first.or(Some(index));
            backlog = listen.backlog;
            reuses_port |= listen.reuse_port;
            marked = marked.or(listen.default_server.then_some(index));
            for name in &server.names {
                match name {
                    ServerName::Exact(name) => exact.push((name.clone(), index)),
                    ServerName::Suffix(name) => suffixes.push((name.clone(), index)),
                    ServerName::Prefix(name) => prefixes.push((name.clone(), index)),
                }
            }
        }
        for names in [&mut exact, &mut suffixes, &mut prefixes] {
            names.sort();
        }
        let default = marked.or(first)?;
        Some(Self { config, default, backlog, reuses_port, exact, suffixes, prefixes })
    }

    /// The server for names that none has.
    pub(crate) fn default_server(&self) -> &VirtualServer {
        &self.config.servers[self.default]
    }

    /// Longest queue of connections that wait on the address.
    pub(crate) const fn backlog(&self) -> i32 {
        self.backlog
    }

    /// Whether one of them asks for sockets of the workers' own on the address.
    pub(crate) const fn reuses_port(&self) -> bool {
        self.reuses_port
    }

    /// The server for a host: the exact name, else the longest suffix, else the longest prefix,
    /// else the default. The host comes without its port, in any case; without `Host` it is empty.
    pub(crate) fn select(&self, host: &[u8]) -> &VirtualServer {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let inner_dots = || memchr::memchr_iter(b'.', host).filter(|&dot| dot > 0);
        let suffixes = inner_dots().filter_map(|dot| host.get(dot..));
        let prefixes = inner_dots().rev().filter_map(|dot| host.get(..=dot));
        let index = find(&self.exact, host)
            .or_else(|| find_first(&self.suffixes, suffixes))
            .or_else(|| find_first(&self.prefixes, prefixes));
        &self.config.servers[index.unwrap_or(self.default)]
    }
}

fn find_first<'h>(names: &Names, mut hosts: impl Iterator<Item = &'h [u8]>) -> Option<usize> {
    // Most sites have no such names, and taking the host apart is dearer than looking it up.
    if names.is_empty() { None } else { hosts.find_map(|host| find(names, host)) }
}

fn find(names: &Names, host: &[u8]) -> Option<usize> {
    let found = names.binary_search_by(|(name, _)| compare(name, host)).ok()?;
    names.get(found).map(|&(_, index)| index)
}

/// Compares a name in lower case with a host in any case.
fn compare(name: &str, host: &[u8]) -> Ordering {
    name.bytes().cmp(host.iter().map(|byte| byte.to_ascii_lowercase()))
}

impl VirtualServer {
    /// The location of a decoded and normalised path: the one with `=`, else the longest prefix.
    pub(crate) fn select_location(&self, path: &[u8]) -> Option<&Location> {
        let mut longest: Option<&Location> = None;
        for location in &self.locations {
            match &location.matcher {
                Matcher::Exact(exact) if exact.as_bytes() == path => return Some(location),
                Matcher::Prefix(prefix) if path.starts_with(prefix.as_bytes()) => {
                    let length = longest.map_or(0, |longest| longest.matcher.path().len());
                    if prefix.len() > length {
                        longest = Some(location);
                    }
                }
                _ => {}
            }
        }
        longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::conf;
    use std::path::Path;

    fn config(text: &str) -> Arc<Config> {
        Arc::new(conf::parse(text, Path::new("/t/t.conf")).unwrap())
    }

    fn hosts(config: &Arc<Config>, address: &str) -> Option<Hosts> {
        Hosts::new(config.clone(), &Address::Ip(address.parse().unwrap()))
    }

    #[test]
    fn the_server_is_selected_by_name_in_nginxs_order() {
        let config = config(
            "server { listen 81; server_name first; }
             server { listen 80; server_name first *.org www.example.*; }
             server { listen 80; server_name www.example.org; }
             server { listen 80; server_name *.example.org; }
             server { listen 80; server_name .example.net; }
             server { listen 80; server_name www.*; }
             server { listen 80 default_server; server_name _; }
             server { listen 80; server_name \"\"; }",
        );
        let hosts = hosts(&config, "0.0.0.0:80").unwrap();
        let table = [
            ("first", 1),
            ("www.example.org", 2),
            ("WWW.Example.ORG", 2),
            ("www.example.org.", 2),
            ("a.b.example.org", 3),
            (".example.org", 1),
            ("example.org", 1),
            ("example.net", 4),
            ("www.example.net", 4),
            ("www.example.com", 1),
            ("www.example.co.uk", 1),
            ("www.other.com", 5),
            ("www.", 6),
            ("www", 6),
            ("org", 6),
            (".org", 6),
            ("unknown", 6),
            ("é.ü", 6),
            ("", 7),
        ];
        for (host, expected) in table {
            let selected = hosts.select(host.as_bytes());
            assert!(std::ptr::eq(selected, &config.servers[expected]), "{host}: {selected:?}");
        }
    }

    #[test]
    fn the_first_server_is_the_default_where_none_is_marked() {
        let config = config(
            "server { listen 127.0.0.1:80; server_name a; }
             server { listen 80; server_name b; } server { listen 80; server_name c; }",
        );
        let any = hosts(&config, "0.0.0.0:80").unwrap();
        assert!(std::ptr::eq(any.select(b"a"), &config.servers[1]));
        assert!(hosts(&config, "0.0.0.0:81").is_none());
    }

    #[test]
    fn the_location_is_the_exact_one_or_the_longest_prefix() {
        let config = config(
            "server { listen 80; location /a { location /a/b/ { } location = /a/b { } }
             location = /a/b/c { } location ^~ /a/b/cc { } location /a/b/d { } }",
        );
        let table: [(&[u8], Option<usize>); 9] = [
            (b"/", None),
            (b"/a", Some(0)),
            (b"/ab\xff", Some(0)),
            (b"/a/b", Some(2)),
            (b"/a/b/", Some(1)),
            (b"/a/b/c", Some(3)),
            (b"/a/b/c/", Some(1)),
            (b"/a/b/ccc", Some(4)),
            (b"/A", None),
        ];
        let server = &config.servers[0];
        for (path, expected) in table {
            let selected = server.select_location(path);
            let index = selected
                .map(|selected| server.locations.iter().position(|at| std::ptr::eq(at, selected)));
            assert_eq!(index.flatten(), expected, "{}", String::from_utf8_lossy(path));
        }
    }
}
