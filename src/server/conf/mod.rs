// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration file, in nginx's grammar: text in, a [`Config`] or an error out.
//!
//! `include` reads the files with `lexer` and `parser`; `build` makes the model out of the tree.
//! What a directive is stands in `directives` alone. An error names file, line and column, shows
//! the line and says what would be right. Relative paths start at the folder of the main file.

mod access;
mod addresses;
mod answers;
mod build;
mod directives;
mod include;
mod lexer;
mod listen;
mod location;
mod parser;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
mod schema;
mod setters;
mod source;
mod statement;
mod template;
mod values;

#[cfg(test)]
mod manual;
#[cfg(test)]
mod tests;

use super::config::Config;
use crate::error::Result;
use std::path::Path;

/// Reads a configuration file and what it includes.
///
/// # Errors
/// [`ErrorKind::Config`](crate::error::ErrorKind::Config) if a file cannot be read or is wrong.
pub(crate) fn load(path: &Path) -> Result<Config> {
    build::build(&include::load(path)?, path)
}

/// Reads `text` as if it were the content of `file`.
///
/// # Errors
/// As for [`load`].
#[cfg(any(test, fuzzing))]
pub(crate) fn parse(text: impl Into<Vec<u8>>, file: &Path) -> Result<Config> {
    build::build(&include::parse(text.into(), file)?, file)
}
