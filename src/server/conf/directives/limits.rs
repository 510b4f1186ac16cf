// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bounds of size, number and time.

use super::super::schema::Action::Settings;
use super::super::schema::{Definition, Places};
use super::super::setters;
use crate::http::h1::MAX_FIELDS;

pub(super) static DEFINITIONS: &[Definition] = &[
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
];
