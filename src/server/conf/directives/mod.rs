// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of directives: the one place where a directive is defined, a file for each topic. The
//! reader looks names up here, errors take their hints from here, and `docs/configuration.md` is
//! written from it.

mod answers;
mod compression;
mod files;
mod limits;
mod reports;
mod structure;

use super::schema::Definition;

/// As many arguments as one likes.
const ANY: usize = usize::MAX;

/// The topics in the order of the manual: from the outside in.
static TOPICS: [&[Definition]; 6] = [
    structure::DEFINITIONS,
    files::DEFINITIONS,
    answers::DEFINITIONS,
    limits::DEFINITIONS,
    compression::DEFINITIONS,
    reports::DEFINITIONS,
];

/// All directives, in the order of the manual.
pub(super) fn definitions() -> impl Iterator<Item = &'static Definition> {
    TOPICS.into_iter().flatten()
}
