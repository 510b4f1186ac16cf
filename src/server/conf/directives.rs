// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of directives: the one place where a directive is defined. The reader looks names up
//! here, errors take their hints from here, and `docs/configuration.md` is written from it.

use super::schema::Action::{Access, Block, Include, Main, Server, Settings};
use super::schema::{Definition, Places};
use super::{access, answers, listen, setters};
use crate::http::coding::Coding;
use crate::http::h1::MAX_FIELDS;

/// As many arguments as one likes.
const ANY: usize = usize::MAX;

/// All directives, in the order of the manual: from the outside in, then by topic.
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
        default: Some("auto"),
        places: Places::MAIN,
        arguments: 1..=1,
        repeats: false,
        action: Main(setters::worker_processes),
        about: "How many workers serve, at most 1024; `auto` is one per processor. A worker is a \
                thread.",
    },
    Definition {
        name: "events",
        syntax: "",
        default: None,
        places: Places::MAIN,
        arguments: 0..=0,
        repeats: false,
        action: Block(Places::EVENTS),
        about: "Accepted for nginx's sake: nothing but `include` may stand in it.",
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
        syntax: "address[:port] | port | unix:path [default_server] [backlog=number]",
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
                file. `backlog` is the length of the queue of connections that wait to be \
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
    Definition {
        name: "root",
        syntax: "path",
        default: Some("html"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(setters::root),
        about: "The folder of the files: the path of the request is appended to it.",
    },
    Definition {
        name: "alias",
        syntax: "path",
        default: None,
        places: Places::LOCATION,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.alias = Some(statement.path()?);
            Ok(())
        }),
        about: "What replaces the part of the path that the location names. Excludes `root` in \
                the same location.",
    },
    Definition {
        name: "index",
        syntax: "file ...",
        default: Some("index.html"),
        places: Places::SETTINGS,
        arguments: 1..=ANY,
        repeats: true,
        action: Settings(setters::index),
        about: "The files to look for, in this order, when the path names a folder. The first in \
                a block replaces what was inherited, more of them add to it.",
    },
    Definition {
        name: "autoindex",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.autoindex = statement.flag()?;
            Ok(())
        }),
        about: "Whether a folder without an index file is answered with a listing.",
    },
    Definition {
        name: "error_page",
        syntax: "code ... [=code] target",
        default: None,
        places: Places::SETTINGS,
        arguments: 2..=ANY,
        repeats: true,
        action: Settings(answers::error_page),
        about: "What to answer with instead of an error from 300 to 599: a path of this server, \
                or an absolute URL to redirect to. `=code` changes the status too. The first in \
                a block replaces what was inherited, more of them add to it.",
    },
    Definition {
        name: "return",
        syntax: "code [text] | code url | url",
        default: None,
        places: Places::SERVER.union(Places::LOCATION),
        arguments: 1..=2,
        repeats: false,
        action: Settings(answers::answer),
        about: "Answers at once, with a status from 200 to 999. With 301, 302, 303, 307 and 308 \
                the second argument is the URL to redirect to, otherwise the text of the answer; \
                a URL alone is a redirect with 302. 444 closes the connection without an answer. \
                In a server it answers for all its locations; an inner location does not inherit \
                it. Text and URL may hold variables.",
    },
    Definition {
        name: "allow_methods",
        syntax: "method ...",
        default: None,
        places: Places::SETTINGS,
        arguments: 1..=ANY,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.allow_methods = Some(access::methods(statement)?);
            Ok(())
        }),
        about: "The methods that are taken; others are answered 405 with `Allow`. `GET` brings \
                `HEAD` with it. Without it, what is asked for decides. nginx does not have it.",
    },
    Definition {
        name: "limit_except",
        syntax: "method ...",
        default: None,
        places: Places::LOCATION,
        arguments: 1..=ANY,
        repeats: false,
        action: Block(Places::LIMIT_EXCEPT),
        about: "What holds for all methods but these; `GET` brings `HEAD` with it. With `deny \
                all;` in it they are answered 403. An inner location does not inherit it.",
    },
    Definition {
        name: "allow",
        syntax: "all",
        default: None,
        places: Places::LIMIT_EXCEPT,
        arguments: 1..=1,
        repeats: true,
        action: Access(|statement| access::rule(statement, false)),
        about: "Takes the other methods too. The first of `allow` and `deny` decides.",
    },
    Definition {
        name: "deny",
        syntax: "all",
        default: None,
        places: Places::LIMIT_EXCEPT,
        arguments: 1..=1,
        repeats: true,
        action: Access(|statement| access::rule(statement, true)),
        about: "Refuses the other methods with 403. The first of `allow` and `deny` decides.",
    },
    Definition {
        name: "client_max_body_size",
        syntax: "size",
        default: Some("1m"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.max_body = statement.size(0)?;
            Ok(())
        }),
        about: "The largest request body; a larger one is answered 413. 0 is no limit.",
    },
    Definition {
        name: "client_header_timeout",
        syntax: "time",
        default: Some("60s"),
        places: Places::HTTP.union(Places::SERVER),
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.header_timeout = statement.time()?;
            Ok(())
        }),
        about: "Within what time the whole head of a request must be there.",
    },
    Definition {
        name: "client_body_timeout",
        syntax: "time",
        default: Some("60s"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.body_timeout = statement.time()?;
            Ok(())
        }),
        about: "The longest pause between two reads of a request body.",
    },
    Definition {
        name: "client_body_min_rate",
        syntax: "size",
        default: Some("500"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.body_min_rate = statement.size(0)?;
            Ok(())
        }),
        about: "The least number of bytes per second, on average, that a request body must come with. \
                `client_body_timeout` is granted on top. 0 is no such limit. nginx does not have it.",
    },
    Definition {
        name: "client_body_buffer_size",
        syntax: "size",
        default: Some("16k"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.body_buffer = usize::try_from(statement.size(0)?).unwrap_or(usize::MAX);
            Ok(())
        }),
        about: "How much of a request body that a handler wants whole is kept in memory; a larger one \
                goes into a temporary file.",
    },
    Definition {
        name: "client_body_temp_path",
        syntax: "path",
        default: None,
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.body_temp_path = Some(statement.path()?);
            Ok(())
        }),
        about: "The folder of these files, which have no name in it; without it the system's folder for \
                temporary files.",
    },
    Definition {
        name: "send_timeout",
        syntax: "time",
        default: Some("60s"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.send_timeout = statement.time()?;
            Ok(())
        }),
        about: "The longest pause between two writes of an answer.",
    },
    Definition {
        name: "keepalive_timeout",
        syntax: "time",
        default: Some("75s"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.keepalive_timeout = statement.time()?;
            Ok(())
        }),
        about: "How long a connection without a request is kept; with 0 it is closed after each \
                answer.",
    },
    Definition {
        name: "keepalive_requests",
        syntax: "number",
        default: Some("1000"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.keepalive_requests = statement.number(1..=u64::MAX)?;
            Ok(())
        }),
        about: "How many requests one connection may bring before it is closed.",
    },
    Definition {
        name: "lingering_time",
        syntax: "time",
        default: Some("30s"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.lingering_time = statement.time()?;
            Ok(())
        }),
        about: "How long at most a connection that the server closes is read from, so that its last \
                answer reaches a client that still sends.",
    },
    Definition {
        name: "lingering_timeout",
        syntax: "time",
        default: Some("5s"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.lingering_timeout = statement.time()?;
            Ok(())
        }),
        about: "The longest pause in that.",
    },
    Definition {
        name: "large_client_header_buffers",
        syntax: "number size",
        default: Some("4 8k"),
        places: Places::HTTP.union(Places::SERVER),
        arguments: 2..=2,
        repeats: false,
        action: Settings(setters::header_buffers),
        about: "The longest request line is one `size`, longer ones are answered 414; the \
                largest head is `number` times `size`, larger ones are answered 431.",
    },
    Definition {
        name: "max_headers",
        syntax: "number",
        default: Some("100"),
        places: Places::HTTP.union(Places::SERVER),
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            let number = statement.number(1..=MAX_FIELDS as u64)?;
            settings.max_headers = usize::try_from(number).unwrap_or(MAX_FIELDS);
            Ok(())
        }),
        about: "The most fields that a head, or the trailers after a chunked body, may have, up to \
                256; more are answered 431.",
    },
    Definition {
        name: "max_ranges",
        syntax: "number",
        default: Some("64"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            let number = statement.number(0..=u64::from(u32::MAX))?;
            settings.max_ranges = usize::try_from(number).unwrap_or(usize::MAX);
            Ok(())
        }),
        about: "How many ranges a request may ask for; one that asks for more gets the whole file. \
                With 0 files have no ranges. nginx has no limit by default.",
    },
    Definition {
        name: "gzip",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.gzip.on = statement.flag()?;
            Ok(())
        }),
        about: "Whether answers are compressed while they are sent, to clients of HTTP/1.1 that take it. \
                Answers that have a coding already, and parts of files, stay as they are.",
    },
    Definition {
        name: "gzip_types",
        syntax: "type ... | *",
        default: Some("text/html"),
        places: Places::SETTINGS,
        arguments: 1..=ANY,
        repeats: false,
        action: Settings(setters::gzip_types),
        about: "The types of content that `gzip` compresses; `*` is all. `text/html` always is.",
    },
    Definition {
        name: "gzip_min_length",
        syntax: "length",
        default: Some("20"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.gzip.min_length = statement.size(0)?;
            Ok(())
        }),
        about: "The least length that `gzip` compresses, in bytes; content of unknown length it always \
                does.",
    },
    Definition {
        name: "gzip_comp_level",
        syntax: "level",
        default: Some("1"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.gzip.level = u32::try_from(statement.number(1..=9)?).unwrap_or(1);
            Ok(())
        }),
        about: "How much `gzip` tries, from 1, the fastest, to 9, the smallest.",
    },
    Definition {
        name: "gzip_static",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| setters::twins(settings, statement, Coding::Gzip)),
        about: "Whether a client that takes it is sent the file with `.gz` after its name, where there \
                is one, instead of the file itself.",
    },
    Definition {
        name: "brotli_static",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| setters::twins(settings, statement, Coding::Brotli)),
        about: "Whether a client that takes it is sent the file with `.br` after its name, where there \
                is one, instead of the file itself.",
    },
    Definition {
        name: "zstd_static",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            setters::twins(settings, statement, Coding::Zstandard)
        }),
        about: "Whether a client that takes it is sent the file with `.zst` after its name, where there \
                is one, instead of the file itself.",
    },
    Definition {
        name: "server_tokens",
        syntax: "on | off",
        default: Some("on"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.server_tokens = statement.flag()?;
            Ok(())
        }),
        about: "Whether the field `Server` and the built-in error pages tell the version.",
    },
    Definition {
        name: "access_log",
        syntax: "path [combined] | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=2,
        repeats: false,
        action: Settings(setters::access_log),
        about: "The file to which a line is written for each request, in the format `combined`. \
                One block has one log.",
    },
];
