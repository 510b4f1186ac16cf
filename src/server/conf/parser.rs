// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tokens to a tree of directives. Which directives there are, and what they mean, is for the
//! schema: here any name will do.

use super::lexer::{Lexer, Token, Word};
use super::source::{Sources, Span, quoted};
use crate::error::Result;
use crate::server::limits::CONFIG_DEPTH;

/// A directive as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) name: Word,
    pub(super) arguments: Vec<Word>,
    /// What stands between its braces; `None` when it ends with `;`.
    pub(super) block: Option<Vec<Self>>,
}

/// The directives of one file.
pub(super) fn parse(sources: &Sources, file: usize) -> Result<Vec<Directive>> {
    Parser { sources, lexer: Lexer::new(sources, file), open: Vec::new() }.directives()
}

struct Parser<'a> {
    sources: &'a Sources,
    lexer: Lexer<'a>,
    /// The braces that wait for their partner, outermost first.
    open: Vec<Span>,
}

impl Parser<'_> {
    /// Reads up to the end of the block, or of the file where no block is open.
    fn directives(&mut self) -> Result<Vec<Directive>> {
        let mut directives = Vec::new();
        loop {
            let (span, sentence) = match (self.lexer.next()?, self.open.last()) {
                (Token::Word(name), _) => {
                    directives.push(self.directive(name)?);
                    continue;
                }
                (Token::Close(_), Some(_)) | (Token::End(_), None) => return Ok(directives),
                (Token::Close(span), None) => (span, "there is no block to close here"),
                (Token::End(_), Some(&opening)) => (opening, "this block is never closed"),
                (Token::Semicolon(span), _) => (span, "there is no directive before this `;`"),
                (Token::Open(span), _) => (span, "there is no directive before this `{`"),
            };
            return Err(self.sources.error(span, sentence));
        }
    }

    /// Reads what follows a directive's name.
    fn directive(&mut self, name: Word) -> Result<Directive> {
        let mut arguments = Vec::new();
        loop {
            match self.lexer.next()? {
                Token::Word(word) => arguments.push(word),
                Token::Semicolon(_) => return Ok(Directive { name, arguments, block: None }),
                Token::Open(span) => {
                    let block = Some(self.block(span)?);
                    return Ok(Directive { name, arguments, block });
                }
                Token::Close(_) | Token::End(_) => {
                    let last = arguments.last().unwrap_or(&name);
                    let sentence = format!("{} must end with `;`", quoted(&name.text));
                    return Err(self.sources.error(last.span, sentence));
                }
            }
        }
    }

    fn block(&mut self, opening: Span) -> Result<Vec<Directive>> {
        if self.open.len() == CONFIG_DEPTH {
            let sentence = format!("blocks are nested more than {CONFIG_DEPTH} deep");
            return Err(self.sources.error(opening, sentence));
        }
        self.open.push(opening);
        let directives = self.directives()?;
        self.open.pop();
        Ok(directives)
    }
}
