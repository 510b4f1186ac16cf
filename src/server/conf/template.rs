// SPDX-License-Identifier: MIT OR Apache-2.0
//! Text with variables: `$name` or `${name}`.

use super::lexer::Word;
use super::schema::suggestion;
use super::source::quoted;
use super::statement::Statement;
use crate::error::Result;
use crate::server::config::{Part, Template, Variable};

/// The variables that there are.
pub(super) const VARIABLES: [(&str, Variable); 12] = [
    ("args", Variable::Args),
    ("host", Variable::Host),
    ("http_host", Variable::HttpHost),
    ("is_args", Variable::IsArgs),
    ("query_string", Variable::Args),
    ("remote_addr", Variable::RemoteAddr),
    ("request_method", Variable::RequestMethod),
    ("request_uri", Variable::RequestUri),
    ("scheme", Variable::Scheme),
    ("server_name", Variable::ServerName),
    ("server_port", Variable::ServerPort),
    ("uri", Variable::Uri),
];

/// Takes a word apart into literal text and variables.
pub(super) fn template(statement: &Statement<'_>, word: &Word) -> Result<Template> {
    let mut parts = Vec::new();
    let mut rest = word.text.as_str();
    while let Some((literal, tail)) = rest.split_once('$') {
        if !literal.is_empty() {
            parts.push(Part::Literal(literal.to_owned()));
        }
        let (name, after) = name(tail).ok_or_else(|| {
            statement.error(word, "a `$` starts a variable, such as `$host` or `${host}`")
        })?;
        parts.push(Part::Variable(variable(statement, word, name)?));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest.to_owned()));
    }
    Ok(Template(parts))
}

/// The variable's name at the start of the text, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = match text.strip_prefix('{') {
        Some(braced) => braced.split_once('}')?,
        None => text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len())),
    };
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, rest))
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn variable(statement: &Statement<'_>, word: &Word, name: &str) -> Result<Variable> {
    let found = VARIABLES.iter().find(|(known, _)| *known == name);
    found.map(|&(_, variable)| variable).ok_or_else(|| {
        let hint = suggestion(name, VARIABLES.iter().map(|&(known, _)| known));
        statement.error(word, format!("unknown variable {}{hint}", quoted(name)))
    })
}
