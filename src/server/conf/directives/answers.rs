// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is answered instead of a file, and what is refused.

use super::super::schema::Action::{Access, Block, Settings};
use super::super::schema::{Definition, Places};
use super::super::{access, answers};
use super::ANY;

pub(super) static DEFINITIONS: &[Definition] = &[
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
];
