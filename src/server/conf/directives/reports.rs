// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server tells of itself and of its work.

use super::super::schema::Action::Settings;
use super::super::schema::{Definition, Places};
use super::super::setters;

pub(super) static DEFINITIONS: &[Definition] = &[
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
