// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which connections are given up to make room for others.

use super::clients::Clients;
use super::driver::Client;
use super::limits;

/// Some of the connections that are idle, those that have been so the longest, in no order. A few of many: whoever
/// is idle may well be about to ask.
pub(crate) fn longest_idle(clients: &Clients<Client<impl Sized>>, now: u64) -> Vec<usize> {
    let idle = |(key, client): (usize, &Client<_>)| Some((client.connection.idle_since(now)?, key));
    let mut idle: Vec<_> = clients.iter().filter_map(idle).collect();
    let count = (idle.len() / 8).clamp(1, limits::SHED);
    if count < idle.len() {
        idle.select_nth_unstable(count);
        idle.truncate(count);
    }
    idle.into_iter().map(|(_, key)| key).collect()
}
