// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers that the configuration itself gives: `return` and `error_page`.

use super::lexer::Word;
use super::source::quoted;
use super::statement::Statement;
use super::template::template;
use super::values;
use crate::error::Result;
use crate::http::status::Status;
use crate::server::config::{ErrorPage, Return, Settings, Template};
use std::ops::RangeInclusive;

/// What `return` may answer with: interim statuses are not answers.
const RETURNED: RangeInclusive<u64> = 200..=999;
/// What `error_page` may stand for.
const REPLACED: RangeInclusive<u64> = 300..=599;

/// `return code;`, `return code text;`, `return code url;` or `return url;`
pub(super) fn answer(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let first = statement.argument(0);
    let answer = match statement.arguments().get(1) {
        Some(text) => Return {
            status: status(statement, first, &first.text, RETURNED)?,
            text: template(statement, text)?,
        },
        None if is_absolute(&first.text) || first.text.starts_with("$scheme") => {
            Return { status: Status::FOUND, text: template(statement, first)? }
        }
        None if values::number(&first.text).is_none() => {
            let wanted =
                "a status code, or a URL that starts with `http://`, `https://` or `$scheme`";
            return Err(statement.refuse(first, wanted));
        }
        None => Return {
            status: status(statement, first, &first.text, RETURNED)?,
            text: Template::default(),
        },
    };
    if answer.is_redirect() && answer.text == Template::default() {
        let code = answer.status.code();
        let sentence = format!("a redirect needs a URL, such as `return {code} /new;`");
        return Err(statement.error(first, sentence));
    }
    settings.answer = Some(answer);
    Ok(())
}

/// `error_page code … [=code] target;`
pub(super) fn error_page(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let Some((target, rest)) = statement.arguments().split_last() else { return Ok(()) };
    let (replacement, codes) = match rest.split_last() {
        Some((word, codes)) if word.text.starts_with('=') => (Some(word), codes),
        _ => (None, rest),
    };
    if codes.is_empty() {
        let sentence =
            "`error_page` needs a code that it stands for, such as `error_page 404 /404.html;`";
        return Err(statement.error(target, sentence));
    }
    let code = |word: &Word| status(statement, word, &word.text, REPLACED);
    let replaced = |word: &Word| {
        let digits = word.text.strip_prefix('=').unwrap_or(&word.text);
        status(statement, word, digits, RETURNED)
    };
    let page = ErrorPage {
        codes: codes.iter().map(code).collect::<Result<_>>()?,
        status: replacement.map(replaced).transpose()?,
        target: target.text.clone(),
    };
    if page.target.contains('$') || !(page.target.starts_with('/') || is_absolute(&page.target)) {
        let wanted = "a path that starts with `/`, or an absolute URL, without variables";
        return Err(statement.refuse(target, wanted));
    }
    if statement.first {
        settings.error_pages.clear();
    }
    settings.error_pages.push(page);
    Ok(())
}

fn is_absolute(url: &str) -> bool {
    url.starts_with("http://") || url.starts_with("https://")
}

fn status(
    statement: &Statement<'_>,
    word: &Word,
    digits: &str,
    range: RangeInclusive<u64>,
) -> Result<Status> {
    values::number(digits)
        .filter(|code| range.contains(code))
        .and_then(|code| u16::try_from(code).ok().and_then(Status::new))
        .ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            let wrong = quoted(&word.text);
            statement.error(word, format!("{wrong} is not a status code from {least} to {most}"))
        })
}
