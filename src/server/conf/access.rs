// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which methods a location takes: `allow_methods`, and `limit_except` with its rules.

use super::schema::suggestion;
use super::source::quoted;
use super::statement::Statement;
use crate::error::Result;
use crate::http::method::{Method, MethodSet};

/// The arguments as methods, in any case as in nginx; GET brings HEAD with it.
pub(super) fn methods(statement: &Statement<'_>) -> Result<MethodSet> {
    let mut methods = MethodSet::default();
    for word in statement.arguments() {
        let token = word.text.to_ascii_uppercase();
        let method = Method::parse(&token).ok_or_else(|| {
            let hint = suggestion(&token, Method::ALL.into_iter().map(Method::as_str));
            statement.error(word, format!("{} is not a method{hint}", quoted(&word.text)))
        })?;
        methods = methods.with(method);
    }
    Ok(if methods.contains(Method::Get) { methods.with(Method::Head) } else { methods })
}

/// `allow` and `deny` know no clients yet: whether the rule denies.
pub(super) fn rule(statement: &Statement<'_>, denies: bool) -> Result<bool> {
    let word = statement.argument(0);
    if word.text == "all" { Ok(denies) } else { Err(statement.refuse(word, "`all` alone")) }
}
