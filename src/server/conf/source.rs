// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of the files that make up a configuration, and errors that point into it.

use crate::error::{Error, ErrorKind};
use std::fmt;
use std::path::{Path, PathBuf};

/// Characters of a line that an error shows; of a longer line it shows the part around the fault.
const EXCERPT: usize = 100;
/// Characters of a word that a sentence repeats.
const QUOTED: usize = 60;

/// A stretch of one file's text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) file: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The files that were read, in order; a [`Span`] refers to them by index.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<Source>);

#[derive(Debug)]
struct Source {
    path: PathBuf,
    text: String,
}

impl Sources {
    /// Keeps a file's text and returns its index.
    pub(super) fn add(&mut self, path: &Path, text: String) -> usize {
        self.0.push(Source { path: path.to_owned(), text });
        self.0.len() - 1
    }

    /// The text of one file.
    pub(super) fn text(&self, file: usize) -> &str {
        self.0.get(file).map_or("", |source| &source.text)
    }

    /// The size of all files together, in bytes.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|source| source.text.len()).sum()
    }

    /// The line of a span's start, counted from 1.
    pub(super) fn line(&self, span: Span) -> usize {
        self.before(span).matches('\n').count() + 1
    }

    /// Where a span starts, as `file:line:column`, the last two counted from 1.
    pub(super) fn place(&self, span: Span) -> String {
        let path = self.0.get(span.file).map_or(Path::new(""), |source| &source.path);
        format!("{}:{}:{}", path.display(), self.line(span), self.column(span) + 1)
    }

    /// An error at a span: its place, a sentence, the line and a caret under the fault.
    pub(super) fn error(&self, span: Span, sentence: impl fmt::Display) -> Error {
        let width = self.text(span.file).get(span.start..span.end).unwrap_or("").chars().count();
        let start = self.before(span).rfind('\n').map_or(0, |newline| newline + 1);
        let rest = self.text(span.file).get(start..).unwrap_or("");
        let (shown, marks) = excerpt(rest.lines().next().unwrap_or(""), self.column(span), width);
        let number = self.line(span).to_string();
        let gutter = " ".repeat(number.len());
        let message =
            format!("{}: {sentence}\n  {number} | {shown}\n  {gutter} | {marks}", self.place(span));
        Error::new(ErrorKind::Config, message)
    }

    /// The characters between the start of the line and the span.
    fn column(&self, span: Span) -> usize {
        self.before(span).chars().rev().take_while(|&character| character != '\n').count()
    }

    fn before(&self, span: Span) -> &str {
        self.text(span.file).get(..span.start).unwrap_or("")
    }
}

/// The part of a line that holds the column, and the line of carets to print below it.
fn excerpt(line: &str, column: usize, width: usize) -> (String, String) {
    let skipped =
        if line.chars().count() > EXCERPT { column.saturating_sub(EXCERPT / 2) } else { 0 };
    let shown: String = line.chars().skip(skipped).take(EXCERPT).map(printable).collect();
    let indent: String = shown
        .chars()
        .take(column - skipped)
        .map(|character| if character == '\t' { '\t' } else { ' ' })
        .collect();
    let room = shown.chars().count().saturating_sub(column - skipped);
    let marks = "^".repeat(width.min(room).max(1));
    (shown, indent + &marks)
}

/// A word of the file as a sentence may repeat it: marked, bounded and free of control characters.
pub(super) fn quoted(word: &str) -> String {
    if word.is_empty() {
        return "empty".to_owned();
    }
    let shown: String = word.chars().take(QUOTED).map(printable).collect();
    let more = if word.chars().nth(QUOTED).is_some() { "…" } else { "" };
    format!("`{shown}{more}`")
}

fn printable(character: char) -> char {
    if character.is_control() && character != '\t' {
        char::REPLACEMENT_CHARACTER
    } else {
        character
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, start: usize, end: usize) -> String {
        let mut sources = Sources::default();
        let file = sources.add(Path::new("a.conf"), text.to_owned());
        sources.error(Span { file, start, end }, "no").to_string()
    }

    #[test]
    fn an_error_shows_the_line_with_carets_below_the_fault() {
        assert_eq!(message("a;\n\tbé c;\n", 8, 9), "a.conf:2:5: no\n  2 | \tbé c;\n    | \t   ^");
        assert_eq!(message("root x;\r\n", 0, 4), "a.conf:1:1: no\n  1 | root x;\n    | ^^^^");
        assert_eq!(message("a", 1, 1), "a.conf:1:2: no\n  1 | a\n    |  ^");
        assert_eq!(message("", 0, 0), "a.conf:1:1: no\n  1 | \n    | ^");
    }

    #[test]
    fn of_a_long_line_only_the_part_around_the_fault_is_shown() {
        let text = "x".repeat(100_000);
        let message = message(&text, 50_000, 60_000);
        assert!(message.starts_with("a.conf:1:50001: no\n"), "{message}");
        assert!(message.len() < 400, "{message}");
        assert!(message.ends_with(&format!("{}{}", " ".repeat(50), "^".repeat(50))), "{message}");
    }

    #[test]
    fn words_are_cut_and_cleaned() {
        assert_eq!(quoted(""), "empty");
        assert_eq!(quoted("a\x1bb"), "`a\u{fffd}b`");
        assert_eq!(quoted(&"é".repeat(61)), format!("`{}…`", "é".repeat(60)));
    }
}
