// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text with nginx's variables in it, filled in for one request.

use super::config::{Part, Template, Variable};
use super::exchange::Exchange;
use super::site::Found;
use crate::net::Peer;

/// Appends the text for this request. Variables can bring in any byte but NUL.
pub(crate) fn fill(
    text: &mut Vec<u8>,
    template: &Template,
    found: &Found<'_>,
    x: &Exchange<'_>,
    path: &[u8],
) {
    for part in &template.0 {
        match part {
            Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
            Part::Variable(variable) => expand(text, *variable, found, x, path),
        }
    }
}

fn expand(
    text: &mut Vec<u8>,
    variable: Variable,
    found: &Found<'_>,
    x: &Exchange<'_>,
    path: &[u8],
) {
    let request = &x.request;
    match variable {
        Variable::Args => text.extend_from_slice(request.query.unwrap_or_default()),
        Variable::Host => match request.head.authority() {
            Some(authority) => text.extend(authority.host.to_ascii_lowercase()),
            None => text.extend_from_slice(found.server.first_name().as_bytes()),
        },
        Variable::HttpHost => text.extend_from_slice(request.header("host").unwrap_or_default()),
        Variable::IsArgs => text.extend(request.query.map(|_| b'?')),
        Variable::RemoteAddr => match request.peer {
            Peer::Ip(address) => text.extend(address.ip().to_string().into_bytes()),
            Peer::Unix => text.extend_from_slice(b"unix:"),
        },
        Variable::RequestMethod => text.extend_from_slice(request.method().as_bytes()),
        Variable::RequestUri => text.extend_from_slice(request.target()),
        Variable::Scheme => text.extend_from_slice(b"http"),
        Variable::ServerName => text.extend_from_slice(found.server.first_name().as_bytes()),
        Variable::ServerPort => {
            text.extend(
                found.endpoint.port.map(|port| port.to_string()).unwrap_or_default().into_bytes(),
            );
        }
        Variable::Uri => text.extend_from_slice(path),
    }
}
