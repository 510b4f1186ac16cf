// SPDX-License-Identifier: MIT OR Apache-2.0
//! The rules that hold between servers which share an address.

use super::build::{ListenDraft, Server};
use super::source::{Sources, Span, quoted};
use crate::error::Result;
use crate::net::Address;
use crate::server::config::ServerName;
use std::collections::HashMap;

/// On one address there is one default server, one `backlog=`, and one server for each name.
pub(super) fn check(sources: &Sources, servers: &[Server]) -> Result<()> {
    let mut defaults = HashMap::new();
    let mut backlogs = HashMap::new();
    let mut names = HashMap::new();
    for server in servers {
        check_own(sources, server)?;
        for ListenDraft { listen, span, backlog } in &server.listens {
            let address = &listen.address;
            if listen.default_server {
                let what = || format!("{address} has two default servers");
                claim(sources, &mut defaults, address, *span, what)?;
            }
            if let Some(span) = *backlog {
                let what = || format!("{address} has two values for `backlog=`");
                claim(sources, &mut backlogs, address, span, what)?;
            }
            for (name, span) in &server.names {
                let what = || clash(address, name);
                claim(sources, &mut names, (address, name), *span, what)?;
            }
        }
    }
    Ok(())
}

/// Within one server, each address and each name stands once.
fn check_own(sources: &Sources, server: &Server) -> Result<()> {
    let mut addresses = HashMap::new();
    for ListenDraft { listen, span, .. } in &server.listens {
        let what = || format!("this server listens on {} twice", listen.address);
        claim(sources, &mut addresses, &listen.address, *span, what)?;
    }
    let mut names = HashMap::new();
    for (name, span) in &server.names {
        let what = || format!("this server has the name {} twice", quoted(&name.to_string()));
        claim(sources, &mut names, name, *span, what)?;
    }
    Ok(())
}

fn clash(address: &Address, name: &ServerName) -> String {
    match name {
        ServerName::Exact(name) if name.is_empty() => {
            format!("two servers on {address} have no name; give one a `server_name`")
        }
        _ => format!("two servers on {address} have the name {}", quoted(&name.to_string())),
    }
}

/// Notes that `key` is taken at `span`; an error naming both places if it was taken before.
fn claim<K: std::hash::Hash + Eq>(
    sources: &Sources,
    taken: &mut HashMap<K, Span>,
    key: K,
    span: Span,
    what: impl Fn() -> String,
) -> Result<()> {
    match taken.insert(key, span) {
        None => Ok(()),
        Some(first) => {
            let sentence = format!("{}; the first is at {}", what(), sources.place(first));
            Err(sources.error(span, sentence))
        }
    }
}

/// Gives all listens of an address the `backlog=` that one of them has.
pub(super) fn share_backlogs(servers: &mut [Server]) {
    let all = || servers.iter().flat_map(|server| &server.listens);
    let chosen: HashMap<Address, i32> = all()
        .filter(|draft| draft.backlog.is_some())
        .map(|draft| (draft.listen.address.clone(), draft.listen.backlog))
        .collect();
    for draft in servers.iter_mut().flat_map(|server| &mut server.listens) {
        if let Some(&backlog) = chosen.get(&draft.listen.address) {
            draft.listen.backlog = backlog;
        }
    }
}
