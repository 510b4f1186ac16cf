// SPDX-License-Identifier: MIT OR Apache-2.0
//! A directive together with its definition: what setters read their arguments from, and what they
//! complain with.

use super::lexer::Word;
use super::parser::Directive;
use super::schema::Definition;
use super::source::{Sources, Span, quoted};
use super::values;
use crate::error::{Error, Result};
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What all statements of one configuration share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) sources: &'a Sources,
    /// The folder of the main file: relative paths start there.
    pub(super) folder: &'a Path,
}

/// A directive that has its definition's shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement<'a> {
    pub(super) context: Context<'a>,
    pub(super) definition: &'static Definition,
    pub(super) directive: &'a Directive,
    /// Whether it is the first of its name in its block.
    pub(super) first: bool,
}

impl<'a> Statement<'a> {
    /// Where it starts.
    pub(super) fn span(&self) -> Span {
        self.directive.name.span
    }

    /// What stands in its block.
    pub(super) fn block(&self) -> &'a [Directive] {
        self.directive.block.as_deref().unwrap_or_default()
    }

    /// All arguments.
    pub(super) fn arguments(&self) -> &'a [Word] {
        &self.directive.arguments
    }

    /// An argument that the definition says is there; its index counts from 0.
    pub(super) fn argument(&self, index: usize) -> &'a Word {
        self.directive.arguments.get(index).unwrap_or(&self.directive.name)
    }

    /// An error at one of the arguments.
    pub(super) fn error(&self, word: &Word, sentence: impl fmt::Display) -> Error {
        self.context.sources.error(word.span, sentence)
    }

    /// The error that an argument is not what the directive takes.
    pub(super) fn refuse(&self, word: &Word, wanted: impl fmt::Display) -> Error {
        let name = self.definition.name;
        self.error(word, format!("`{name}` cannot be {}; it takes {wanted}", quoted(&word.text)))
    }

    /// The first argument as `on` or `off`.
    pub(super) fn flag(&self) -> Result<bool> {
        let word = self.argument(0);
        values::flag(&word.text).ok_or_else(|| self.refuse(word, "`on` or `off`"))
    }

    /// The first argument as a time.
    pub(super) fn time(&self) -> Result<Duration> {
        let word = self.argument(0);
        let wanted = "a time such as `75s`, `500ms` or `1m30s`";
        values::time(&word.text).ok_or_else(|| self.refuse(word, wanted))
    }

    /// An argument as a number of bytes.
    pub(super) fn size(&self, index: usize) -> Result<u64> {
        let word = self.argument(index);
        let wanted = "a size such as `4096`, `8k`, `1m` or `2g`";
        values::size(&word.text).ok_or_else(|| self.refuse(word, wanted))
    }

    /// The first argument as a number within bounds.
    pub(super) fn number(&self, bounds: RangeInclusive<u64>) -> Result<u64> {
        let word = self.argument(0);
        let number = values::number(&word.text).filter(|number| bounds.contains(number));
        number.ok_or_else(|| {
            let (least, most) = (bounds.start(), bounds.end());
            match *most {
                u64::MAX => self.refuse(word, format!("a number from {least} up")),
                _ => self.refuse(word, format!("a number from {least} to {most}")),
            }
        })
    }

    /// The first argument as a path; a relative one starts at the main file's folder.
    pub(super) fn path(&self) -> Result<PathBuf> {
        let word = self.argument(0);
        if word.text.is_empty() || word.text.contains('$') {
            return Err(self.refuse(word, "a path without variables"));
        }
        Ok(self.context.folder.join(&word.text))
    }
}
