// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text to tokens, as nginx cuts it: words, `;`, `{` and `}`.
//!
//! - White space ends a word, and so do `;` and `{`, save the `{` of `${name}`. A `}` or `#` inside
//!   a word is part of it; at the start of one, `}` closes a block and `#` starts a comment.
//! - A word in single or double quotes may hold anything, and white space, `;` or `{` must follow.
//! - A backslash takes the next character into the word as it is. `\"`, `\'` and `\\` stand for the
//!   second character, `\t`, `\r` and `\n` for the control characters; any other pair stays a pair.

use super::source::{Sources, Span};
use crate::error::Result;

/// A word, without its quotes and escapes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) span: Span,
}

/// What the grammar is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    Semicolon(Span),
    Open(Span),
    Close(Span),
    End(Span),
}

/// Reads the tokens of one file.
pub(super) struct Lexer<'a> {
    sources: &'a Sources,
    file: usize,
    /// The bytes that were read.
    at: usize,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of a file.
    pub(super) fn new(sources: &'a Sources, file: usize) -> Self {
        Self { sources, file, at: 0 }
    }

    /// The next token; at the end of the file [`Token::End`], for ever.
    pub(super) fn next(&mut self) -> Result<Token> {
        self.skip_blanks();
        let start = self.at;
        let Some(character) = self.peek() else { return Ok(Token::End(self.span(start))) };
        let token = match character {
            ';' => Token::Semicolon,
            '{' => Token::Open,
            '}' => Token::Close,
            '"' | '\'' => return self.quoted(character).map(Token::Word),
            _ => return Ok(Token::Word(self.bare())),
        };
        self.at += 1;
        Ok(token(self.span(start)))
    }

    fn skip_blanks(&mut self) {
        while let Some(character) = self.peek() {
            match character {
                '#' => self.at += self.rest().find('\n').unwrap_or(self.rest().len()),
                _ if is_blank(character) => self.at += 1,
                _ => return,
            }
        }
    }

    fn bare(&mut self) -> Word {
        let start = self.at;
        let mut text = String::new();
        let mut previous = None;
        while let Some(character) = self.peek() {
            if is_blank(character) || character == ';' {
                break;
            }
            if character == '{' && previous != Some('$') {
                break;
            }
            self.take(character, &mut text);
            previous = Some(character);
        }
        Word { text, span: self.span(start) }
    }

    fn quoted(&mut self, quote: char) -> Result<Word> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        while let Some(character) = self.peek() {
            if character == quote {
                self.at += 1;
                self.expect_end_of_word()?;
                return Ok(Word { text, span: self.span(start) });
            }
            self.take(character, &mut text);
        }
        let opening = Span { file: self.file, start, end: start + 1 };
        Err(self.sources.error(opening, "this quote is never closed"))
    }

    fn expect_end_of_word(&self) -> Result<()> {
        match self.peek() {
            Some(character) if !is_blank(character) && !matches!(character, ';' | '{') => {
                let here = Span { file: self.file, start: self.at, end: self.at };
                let sentence = "after a closing quote there must be white space, `;` or `{`";
                Err(self.sources.error(here, sentence))
            }
            _ => Ok(()),
        }
    }

    /// Moves one character, or one pair with a backslash, into the word.
    fn take(&mut self, character: char, text: &mut String) {
        self.at += character.len_utf8();
        if character != '\\' {
            return text.push(character);
        }
        let Some(escaped) = self.peek() else { return text.push('\\') };
        self.at += escaped.len_utf8();
        match escaped {
            '"' | '\'' | '\\' => text.push(escaped),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'n' => text.push('\n'),
            _ => text.extend(['\\', escaped]),
        }
    }

    fn span(&self, start: usize) -> Span {
        Span { file: self.file, start, end: self.at }
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn rest(&self) -> &'a str {
        self.sources.text(self.file).get(self.at..).unwrap_or("")
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The tokens of a text, one per item; words are marked by angle brackets.
    fn tokens(text: &str) -> Result<Vec<String>> {
        let mut sources = Sources::default();
        let file = sources.add(Path::new("t"), text.to_owned());
        let mut lexer = Lexer::new(&sources, file);
        let mut found = Vec::new();
        loop {
            found.push(match lexer.next()? {
                Token::Word(word) => format!("<{}>", word.text),
                Token::Semicolon(_) => ";".to_owned(),
                Token::Open(_) => "{".to_owned(),
                Token::Close(_) => "}".to_owned(),
                Token::End(_) => return Ok(found),
            });
        }
    }

    #[test]
    fn text_is_cut_as_nginx_cuts_it() {
        let table: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  # only a comment", &[]),
            ("a b;", &["<a>", "<b>", ";"]),
            ("a{b;}", &["<a>", "{", "<b>", ";", "}"]),
            ("a # no ; {\r\n;", &["<a>", ";"]),
            ("a#b}c;", &["<a#b}c>", ";"]),
            ("${host}x;", &["<${host}x>", ";"]),
            ("$a{", &["<$a>", "{"]),
            ("'a b;' \"c'd\";", &["<a b;>", "<c'd>", ";"]),
            ("''{", &["<>", "{"]),
            (r#""a\"b" 'c\'d' e\\f;"#, &["<a\"b>", "<c'd>", "<e\\f>", ";"]),
            (r"a\tb \r\n;", &["<a\tb>", "<\r\n>", ";"]),
            (r"a\ b\;c\{ ~\.;", &["<a\\ b\\;c\\{>", "<~\\.>", ";"]),
            ("a'b\"c;", &["<a'b\"c>", ";"]),
            ("\\", &["<\\>"]),
            ("é ü;", &["<é>", "<ü>", ";"]),
        ];
        for (text, expected) in table {
            assert_eq!(tokens(text).unwrap(), *expected, "{text}");
        }
    }

    #[test]
    fn quotes_must_be_closed_and_stand_apart() {
        let unclosed = tokens("a 'b").unwrap_err().to_string();
        assert!(unclosed.starts_with("t:1:3: this quote is never closed\n"), "{unclosed}");
        let glued = tokens("\"a\"b;").unwrap_err().to_string();
        assert!(glued.starts_with("t:1:4: after a closing quote"), "{glued}");
        assert!(tokens("\"a\"}").is_err());
    }
}
