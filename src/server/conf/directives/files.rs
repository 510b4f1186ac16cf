// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static files: where they are and how they are found.

use super::super::schema::Action::Settings;
use super::super::schema::{Definition, Places};
use super::super::setters;
use super::ANY;

pub(super) static DEFINITIONS: &[Definition] = &[
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
            settings.autoindex.on = statement.flag()?;
            Ok(())
        }),
        about: "Whether a folder without an index file is answered with a listing.",
    },
    Definition {
        name: "autoindex_format",
        syntax: "html | json",
        default: Some("html"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(setters::autoindex_format),
        about: "What a listing is: a page, or an array with name, type, time and size of each entry.",
    },
    Definition {
        name: "autoindex_exact_size",
        syntax: "on | off",
        default: Some("on"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.autoindex.exact_size = statement.flag()?;
            Ok(())
        }),
        about: "Whether the page of a listing tells sizes in bytes, or else in KiB, MiB and so on.",
    },
    Definition {
        name: "autoindex_localtime",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.autoindex.local_time = statement.flag()?;
            Ok(())
        }),
        about: "Whether the page of a listing tells times in the server's time zone, or else in UTC.",
    },
    Definition {
        name: "dotfiles",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.dotfiles = statement.flag()?;
            Ok(())
        }),
        about: "Whether files are served whose path has a name that starts with a dot, such as \
                `/.git/config`. If not, they are answered 404, but for what is in `/.well-known/` \
                (RFC 8615). A listing never has them. nginx does not have it and serves them.",
    },
    Definition {
        name: "disable_symlinks",
        syntax: "off | on | if_not_owner [from=path]",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=2,
        repeats: false,
        action: Settings(setters::disable_symlinks),
        about: "Whether a file is refused with 403 if a symbolic link is on the way to it: `on` for \
                any, `if_not_owner` for one that leads to what another user owns. With `from`, links \
                in that part of the path do not count; `from=$document_root` is what `root` or \
                `alias` says. A listing leaves out the links that are refused.",
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
        name: "open_file_cache",
        syntax: "off | max=number [inactive=time]",
        default: Some("max=1000 inactive=60s"),
        places: Places::SETTINGS,
        arguments: 1..=2,
        repeats: false,
        action: Settings(setters::open_file_cache),
        about: "How many files and folders each worker keeps, files of up to 16 KiB in memory and others open, \
                and for how long while nobody asks for them. Blocks with the same bounds share a cache. \
                Files that are kept open are closed first when descriptors run out. nginx's default is \
                `off`.",
    },
    Definition {
        name: "open_file_cache_valid",
        syntax: "time",
        default: Some("0"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.open_files.valid = statement.time()?;
            Ok(())
        }),
        about: "For how long it is not looked whether a name leads to another file, and whether a file changed \
                whose content is in memory. With 0 each worker looks whenever it wakes up, once for all the \
                requests that it finds then. A file that is kept open is looked at as often in any case. \
                nginx's default is 60s.",
    },
    Definition {
        name: "open_file_cache_min_uses",
        syntax: "number",
        default: Some("1"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.open_files.min_uses = statement.number(1..=u64::from(u32::MAX))?;
            Ok(())
        }),
        about: "How often a file has to be asked for, with no more than the `inactive` time in between, \
                before it is kept open.",
    },
    Definition {
        name: "open_file_cache_errors",
        syntax: "on | off",
        default: Some("off"),
        places: Places::SETTINGS,
        arguments: 1..=1,
        repeats: false,
        action: Settings(|settings, statement| {
            settings.open_files.errors = statement.flag()?;
            Ok(())
        }),
        about: "Whether it is kept too that a file is not there or cannot be opened: for the time of \
                `open_file_cache_valid` it is not tried again.",
    },
];
