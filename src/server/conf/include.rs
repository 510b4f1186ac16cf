// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading: files to one tree, in which every `include` is replaced by what it names.
//!
//! As in nginx, a relative path starts at the folder of the main file, also inside an included
//! file. A pattern may match nothing; a plain path must exist. Patterns match in alphabetical order
//! and leave hidden files out.

use super::lexer::Word;
use super::parser::{self, Directive};
use super::schema::{self, Places};
use super::source::{Sources, Span, quoted};
use crate::error::{Error, ErrorKind, Result};
use crate::server::limits::{CONFIG_SIZE, INCLUDE_DEPTH};
use glob::{MatchOptions, Pattern};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What a reading found: the text, for errors, and the tree.
pub(super) struct Document {
    pub(super) sources: Sources,
    pub(super) directives: Vec<Directive>,
    /// The folder of the main file, as an absolute path.
    pub(super) folder: PathBuf,
}

/// Reads the main file and all that it includes.
pub(super) fn load(path: &Path) -> Result<Document> {
    let text = read(path, CONFIG_SIZE)
        .map_err(|error| Error::new(ErrorKind::Config, unreadable(path, error)))?;
    parse(text, path)
}

/// Takes the bytes for the main file's, and reads what they include.
pub(super) fn parse(text: Vec<u8>, path: &Path) -> Result<Document> {
    let absolute = std::path::absolute(path)?;
    let folder = absolute.parent().unwrap_or(&absolute).to_owned();
    let mut reader = Reader {
        sources: Sources::default(),
        folder: path.parent().unwrap_or(path).to_owned(),
        chain: vec![absolute.canonicalize().unwrap_or(absolute)],
    };
    let directives = reader.add(path, text)?;
    Ok(Document { sources: reader.sources, directives, folder })
}

fn unreadable(path: &Path, error: io::Error) -> String {
    format!("cannot read {}: {}", path.display(), Error::from(error))
}

/// The content of a file, if it is not longer than `limit`.
fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let bound = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        let sentence = format!("a configuration may have {CONFIG_SIZE} bytes, all files together");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, sentence));
    }
    Ok(bytes)
}

struct Reader {
    sources: Sources,
    /// The main file's folder as the caller named it, which is how errors show it.
    folder: PathBuf,
    /// The files that are being read, each included by the one before it, links resolved.
    chain: Vec<PathBuf>,
}

impl Reader {
    fn add(&mut self, path: &Path, bytes: Vec<u8>) -> Result<Vec<Directive>> {
        let (text, fault) = match String::from_utf8(bytes) {
            Ok(text) => {
                let fault = text.find('\0').map(|at| (at, "a NUL byte"));
                (text, fault)
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                (text, Some((at, "a byte that is not UTF-8 text")))
            }
        };
        let file = self.sources.add(path, text);
        if let Some((start, what)) = fault {
            let span = Span { file, start, end: start + 1 };
            return Err(self.sources.error(span, format!("the file has {what} here")));
        }
        let directives = parser::parse(&self.sources, file)?;
        self.expand(directives)
    }

    /// Replaces each `include`, at any depth, by the directives of its files.
    fn expand(&mut self, directives: Vec<Directive>) -> Result<Vec<Directive>> {
        let mut expanded = Vec::with_capacity(directives.len());
        for mut directive in directives {
            if schema::is_include(&directive) {
                schema::check(&self.sources, Places::all(), &directive)?;
                for argument in &directive.arguments {
                    self.include(argument, &mut expanded)?;
                }
                continue;
            }
            directive.block = directive.block.map(|block| self.expand(block)).transpose()?;
            expanded.push(directive);
        }
        Ok(expanded)
    }

    fn include(&mut self, pattern: &Word, into: &mut Vec<Directive>) -> Result<()> {
        for path in self.matches(pattern)? {
            into.extend(self.file(pattern, &path)?);
        }
        Ok(())
    }

    fn matches(&self, pattern: &Word) -> Result<Vec<PathBuf>> {
        let path = self.folder.join(&pattern.text);
        if !pattern.text.contains(['*', '?', '[']) {
            return Ok(vec![path]);
        }
        let Some(folder) = self.folder.to_str() else {
            let sentence = "patterns need a configuration folder whose name is UTF-8 text";
            return Err(self.sources.error(pattern.span, sentence));
        };
        let whole = Path::new(&Pattern::escape(folder)).join(&pattern.text);
        let options = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        let paths = glob::glob_with(&whole.to_string_lossy(), options).map_err(|error| {
            let sentence = format!("{} is not a pattern: {}", quoted(&pattern.text), error.msg);
            self.sources.error(pattern.span, sentence)
        })?;
        let unreadable = |error: glob::GlobError| self.sources.error(pattern.span, error);
        paths.map(|path| path.map_err(unreadable)).collect()
    }

    fn file(&mut self, from: &Word, path: &Path) -> Result<Vec<Directive>> {
        let left = CONFIG_SIZE.saturating_sub(self.sources.size());
        let opened = path.canonicalize().and_then(|real| Ok((real, read(path, left)?)));
        let (real, bytes) =
            opened.map_err(|error| self.sources.error(from.span, unreadable(path, error)))?;
        let sentence = if self.chain.contains(&real) {
            format!("{} includes itself, directly or through others", path.display())
        } else if self.chain.len() > INCLUDE_DEPTH {
            format!("files include each other more than {INCLUDE_DEPTH} deep")
        } else {
            self.chain.push(real);
            let directives = self.add(path, bytes)?;
            self.chain.pop();
            return Ok(directives);
        };
        Err(self.sources.error(from.span, sentence))
    }
}
