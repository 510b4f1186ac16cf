// SPDX-License-Identifier: MIT OR Apache-2.0
//! The blocks of a file, and which of them a connection and a request belong to.

use super::super::schema::Action::{Block, Include, Main, Server};
use super::super::schema::{Definition, Places};
use super::super::{listen, setters};
use super::ANY;

pub(super) static DEFINITIONS: &[Definition] = &[
    Definition {
        name: "include",
        syntax: "file | pattern",
        default: None,
        places: Places::all(),
        arguments: 1..=1,
        repeats: true,
        action: Include,
        about: "Puts the directives of another file here. A pattern with `*`, `?` or `[…]` \
                stands for all files that match, in alphabetical order and without hidden ones; \
                it may match none. A file without such a character must exist.",
    },
    Definition {
        name: "worker_processes",
        syntax: "number | auto",
        default: Some("1"),
        places: Places::MAIN,
        arguments: 1..=1,
        repeats: false,
        action: Main(setters::worker_processes),
        about: "How many workers serve, at most 1024; `auto` is one per processor. A worker is a \
                thread.",
    },
    Definition {
        name: "worker_connections",
        syntax: "number",
        default: Some("0"),
        places: Places::MAIN.union(Places::EVENTS),
        arguments: 1..=1,
        repeats: false,
        action: Main(|config, statement| {
            config.worker_connections = Some(statement.number(0..=u64::MAX)?);
            Ok(())
        }),
        about: "The most connections of clients that a worker has open; 0 is as many as \
                descriptors allow, where nginx's default is 512. At the limit idle connections are \
                closed for new ones, those first that have been idle the longest. If none is \
                idle, new ones wait in the queue of `listen` until a connection ends or falls \
                idle; nginx would close them.",
    },
    Definition {
        name: "accept_policy",
        syntax: "reuseport | shared | round_robin",
        default: Some("reuseport"),
        places: Places::MAIN.union(Places::EVENTS),
        arguments: 1..=1,
        repeats: false,
        action: Main(setters::accept_policy),
        about: "How new connections come to the workers. `reuseport`: each worker listens for \
                itself and the kernel spreads connections by a hash, which costs least; right for \
                many short connections. `shared`: all workers accept from one queue, so that a \
                busy one holds nobody up; right where some requests take long. With epoll one \
                worker is woken for a connection, otherwise all are. `round_robin`: the first \
                worker accepts and hands connections over in turn, those that are full being \
                passed over; right for few long connections, which it spreads exactly. On unix \
                paths, and where the kernel does not spread connections (all systems but Linux \
                and FreeBSD), `reuseport` is `shared`.",
    },
    Definition {
        name: "events",
        syntax: "",
        default: None,
        places: Places::MAIN,
        arguments: 0..=0,
        repeats: false,
        action: Block(Places::EVENTS),
        about: "Where nginx has the directives about connections; they may stand outside as well.",
    },
    Definition {
        name: "io",
        syntax: "readiness | uring",
        default: Some("readiness"),
        places: Places::MAIN.union(Places::EVENTS),
        arguments: 1..=1,
        repeats: false,
        action: Main(setters::io),
        about: "How the workers accept, receive and send: themselves when the system says that they \
                can, or through Linux' io_uring, which does it for them. Where there is no io_uring \
                to be had, as before Linux 6.1 and in many containers, `uring` is `readiness`. \
                Without this directive the environment variable `EVL_IO` decides.",
    },
    Definition {
        name: "http",
        syntax: "",
        default: None,
        places: Places::MAIN,
        arguments: 0..=0,
        repeats: false,
        action: Block(Places::HTTP),
        about: "Holds what all servers share. It may be left out: what may stand in it may stand \
                at the top of the file as well, and what stands there is inherited by `http`.",
    },
    Definition {
        name: "server",
        syntax: "",
        default: None,
        places: Places::HTTP,
        arguments: 0..=0,
        repeats: true,
        action: Block(Places::SERVER),
        about: "A virtual server. It must have a `listen`. Of the servers on an address, the one \
                with the name in the request's `Host` answers; see `server_name`.",
    },
    Definition {
        name: "listen",
        syntax: "address[:port] | port | unix:path [default_server] [reuseport] [backlog=number]",
        default: None,
        places: Places::SERVER,
        arguments: 1..=ANY,
        repeats: true,
        action: Server(listen::listen),
        about: "Where the server is reached. The address is `*` or in numbers, with an IPv6 \
                address in brackets; `localhost` is 127.0.0.1, other host names are not looked \
                up. Without a port it is 80, without an address it is every IPv4 address; with \
                port 0 the system chooses one. `default_server` makes this server the one for \
                names that no server on the address has; otherwise that is the first in the \
                file. `reuseport` is `accept_policy reuseport` for this address, where the policy \
                is `shared`. `backlog` is the length of the queue of connections that wait to be \
                accepted, 511 if not given, and may be given once for each address.",
    },
    Definition {
        name: "server_name",
        syntax: "name ...",
        default: Some("\"\""),
        places: Places::SERVER,
        arguments: 1..=ANY,
        repeats: true,
        action: Server(listen::server_name),
        about: "The names of the server, in any case. Looked for in this order: the exact name, \
                the longest name with a `*` first (`*.example.org`), the longest name with a `*` \
                last (`www.example.*`), the default server of the address. `.example.org` stands \
                for `example.org` and `*.example.org`. The empty name is for requests without \
                `Host`; `_` is a name that no request has. Two servers on one address cannot \
                have the same name.",
    },
    Definition {
        name: "location",
        syntax: "[= | ^~] path",
        default: None,
        places: Places::SERVER.union(Places::LOCATION),
        arguments: 1..=2,
        repeats: true,
        action: Block(Places::LOCATION),
        about: "What holds for some paths, compared after decoding and the removal of dot \
                segments. With `=` the path must be the same; otherwise it must start so, and \
                the longest such location is taken. `^~` changes nothing as long as there are no \
                regular expressions. A location may stand in another one whose path its own path \
                starts with, and inherits from it.",
    },
];
