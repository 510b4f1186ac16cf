// SPDX-License-Identifier: MIT OR Apache-2.0
//! `listen` and `server_name`.

use super::build::{ListenDraft, Server};
use super::schema::suggestion;
use super::source::quoted;
use super::statement::Statement;
use super::values;
use crate::error::{Error, Result};
use crate::net::Address;
use crate::server::config::{Listen, ServerName};
use crate::server::limits;

/// Adds one address to the server.
pub(super) fn listen(server: &mut Server, statement: &Statement<'_>) -> Result<()> {
    let address = address(statement)?;
    let mut draft = ListenDraft {
        listen: Listen {
            address,
            default_server: false,
            backlog: limits::BACKLOG,
            reuse_port: false,
        },
        span: statement.span(),
        backlog: None,
    };
    for word in statement.arguments().iter().skip(1) {
        if let Some(number) = word.text.strip_prefix("backlog=") {
            draft.listen.backlog = values::number(number)
                .and_then(|number| i32::try_from(number).ok())
                .filter(|&number| number > 0)
                .ok_or_else(|| statement.error(word, "`backlog=` takes a number from 1 up"))?;
            draft.backlog = Some(word.span);
        } else if word.text == "default_server" {
            draft.listen.default_server = true;
        } else if word.text == "reuseport" {
            draft.listen.reuse_port = true;
        } else {
            let hint = suggestion(&word.text, ["default_server", "reuseport"].into_iter());
            let wanted =
                format!("an address, `default_server`, `reuseport` and `backlog=number`{hint}");
            return Err(statement.refuse(word, wanted));
        }
    }
    server.listens.push(draft);
    Ok(())
}

/// The path of a unix socket is relative to the file's folder, as every path is.
fn address(statement: &Statement<'_>) -> Result<Address> {
    let word = statement.argument(0);
    let folder = &statement.context.folder;
    let text = match word.text.strip_prefix("unix:") {
        Some(path) if !path.is_empty() => format!("unix:{}", folder.join(path).display()),
        _ => word.text.clone(),
    };
    text.parse().map_err(|reason: Error| statement.error(word, reason.to_string()))
}

/// Adds names to the server; `.example.org` stands for two.
pub(super) fn server_name(server: &mut Server, statement: &Statement<'_>) -> Result<()> {
    for word in statement.arguments() {
        let names = names(&word.text.to_ascii_lowercase());
        let names = names.map_err(|reason| {
            statement.error(word, format!("{} is not a server name: {reason}", quoted(&word.text)))
        })?;
        server.names.extend(names.into_iter().map(|name| (name, word.span)));
    }
    Ok(())
}

fn names(text: &str) -> std::result::Result<Vec<ServerName>, &'static str> {
    if text.starts_with('~') {
        return Err("regular expressions are not available");
    }
    if text.contains(|character: char| character.is_whitespace() || "/$".contains(character)) {
        return Err("it has a character that no host name has");
    }
    if text.contains(':') && !text.starts_with('[') {
        return Err("a name has no port; `listen` says the port");
    }
    let wild =
        || "a `*` may stand for the first or the last part alone: `*.example.org`, `www.example.*`";
    let (names, rest) = if let Some(suffix) = text.strip_prefix("*.") {
        (vec![ServerName::Suffix(format!(".{suffix}"))], suffix)
    } else if let Some(prefix) = text.strip_suffix(".*") {
        (vec![ServerName::Prefix(format!("{prefix}."))], prefix)
    } else if let Some(name) = text.strip_prefix('.') {
        (vec![ServerName::Exact(name.to_owned()), ServerName::Suffix(text.to_owned())], name)
    } else {
        return if text.contains('*') {
            Err(wild())
        } else {
            Ok(vec![ServerName::Exact(text.to_owned())])
        };
    };
    match rest {
        "" => Err("there is nothing but dots and stars"),
        _ if rest.contains('*') => Err(wild()),
        _ if rest.starts_with('.') || rest.ends_with('.') => Err("two dots stand together"),
        _ => Ok(names),
    }
}
