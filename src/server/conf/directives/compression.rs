// SPDX-License-Identifier: MIT OR Apache-2.0
//! Content codings.

use super::super::schema::Action::Settings;
use super::super::schema::{Definition, Places};
use super::super::setters;
use super::ANY;
use crate::http::coding::Coding;

pub(super) static DEFINITIONS: &[Definition] = &[
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
];
