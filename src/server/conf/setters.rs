// SPDX-License-Identifier: MIT OR Apache-2.0
//! Setters that are more than an assignment; the table of directives has the others.

use super::statement::Statement;
use super::values;
use crate::error::Result;
use crate::http::coding::Coding;
use crate::http::headers::is_token;
use crate::server::config::{CacheBounds, Config, ListingFormat, Settings, Symlinks, Trusted};
use crate::server::limits::{self, WORKERS};
use crate::server::options::AcceptPolicy;
use crate::sys::symlinks::Links;

/// `worker_processes number | auto`
pub(super) fn worker_processes(config: &mut Config, statement: &Statement<'_>) -> Result<()> {
    let word = statement.argument(0);
    if word.text == "auto" {
        config.workers = Some(0);
        return Ok(());
    }
    let number = values::number(&word.text).and_then(|number| usize::try_from(number).ok());
    let number = number.filter(|number| (1..=WORKERS).contains(number));
    let wanted = || format!("`auto` or a number from 1 to {WORKERS}");
    config.workers = Some(number.ok_or_else(|| statement.refuse(word, wanted()))?);
    Ok(())
}

/// `io readiness | uring`
pub(super) fn io(config: &mut Config, statement: &Statement<'_>) -> Result<()> {
    let word = statement.argument(0);
    let io = word.text.parse();
    config.io = Some(io.map_err(|_| statement.refuse(word, "`readiness` or `uring`"))?);
    Ok(())
}

/// `accept_policy reuseport | shared | round_robin`
pub(super) fn accept_policy(config: &mut Config, statement: &Statement<'_>) -> Result<()> {
    let word = statement.argument(0);
    config.accept_policy = Some(match word.text.as_str() {
        "reuseport" => AcceptPolicy::ReusePort,
        "shared" => AcceptPolicy::Shared,
        "round_robin" => AcceptPolicy::RoundRobin,
        _ => return Err(statement.refuse(word, "`reuseport`, `shared` or `round_robin`")),
    });
    Ok(())
}

/// `root path`, which ends an inherited `alias`.
pub(super) fn root(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    settings.root = statement.path()?;
    settings.alias = None;
    Ok(())
}

/// `index file …`
pub(super) fn index(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    if statement.first {
        settings.index.clear();
    }
    for word in statement.arguments() {
        if word.text.is_empty() || word.text.contains('$') {
            return Err(statement.refuse(word, "names of files without variables"));
        }
        settings.index.push(word.text.clone());
    }
    Ok(())
}

/// `autoindex_format html | json`
pub(super) fn autoindex_format(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let word = statement.argument(0);
    settings.autoindex.format = match word.text.as_str() {
        "html" => ListingFormat::Html,
        "json" => ListingFormat::Json,
        _ => return Err(statement.refuse(word, "`html` or `json`")),
    };
    Ok(())
}

/// `disable_symlinks off`, `disable_symlinks on | if_not_owner [from=path]`
pub(super) fn disable_symlinks(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let word = statement.argument(0);
    let followed = match word.text.as_str() {
        "off" => Links::All,
        "on" => Links::None,
        "if_not_owner" => Links::OfOneOwner,
        _ => return Err(statement.refuse(word, "`off`, `on` or `if_not_owner`")),
    };
    let trusted = match statement.arguments().get(1) {
        None => Trusted::Nothing,
        Some(word) if followed == Links::All => {
            return Err(statement.error(word, "`disable_symlinks off` takes nothing more"));
        }
        Some(word) => match word.text.strip_prefix("from=") {
            Some("$document_root") => Trusted::DocumentRoot,
            Some(path) if !path.is_empty() && !path.contains('$') => {
                Trusted::Path(statement.context.folder.join(path))
            }
            _ => {
                let wanted = "`from=` with a path without variables, or `from=$document_root`";
                return Err(statement.refuse(word, wanted));
            }
        },
    };
    settings.symlinks = Symlinks { followed, trusted };
    Ok(())
}

/// `open_file_cache off | max=number [inactive=time]`
pub(super) fn open_file_cache(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    if statement.argument(0).text == "off" {
        if let Some(word) = statement.arguments().get(1) {
            return Err(statement.error(word, "`open_file_cache off` takes nothing more"));
        }
        settings.open_files.bounds = None;
        return Ok(());
    }
    let (mut max, mut inactive) = (None, limits::OPEN_FILE_INACTIVE);
    for word in statement.arguments() {
        match word.text.split_once('=') {
            Some(("max", text)) => {
                let number = values::number(text).and_then(|number| usize::try_from(number).ok());
                max = number.filter(|&number| number > 0);
                if max.is_none() {
                    return Err(statement.refuse(word, "`max=` with a number from 1 up"));
                }
            }
            Some(("inactive", text)) => {
                let wanted = "`inactive=` with a time such as `75s`, `500ms` or `1m30s`";
                inactive = values::time(text).ok_or_else(|| statement.refuse(word, wanted))?;
            }
            _ => {
                let wanted = "`off`, or `max=number` and perhaps `inactive=time`";
                return Err(statement.refuse(word, wanted));
            }
        }
    }
    let missing = || statement.error(statement.argument(0), "`open_file_cache` needs `max=number`");
    settings.open_files.bounds = Some(CacheBounds { max: max.ok_or_else(missing)?, inactive });
    Ok(())
}

/// `large_client_header_buffers number size`
pub(super) fn header_buffers(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let number = statement.number(1..=u64::MAX)?;
    let size = statement.size(1)?;
    let one = usize::try_from(size).ok().filter(|&one| one > 0);
    let all = number.checked_mul(size).and_then(|all| usize::try_from(all).ok());
    match (one, all) {
        (Some(one), Some(all)) => {
            settings.max_request_line = one;
            settings.max_header_block = all;
            Ok(())
        }
        _ => Err(statement.refuse(statement.argument(1), "a size from 1 byte up that fits memory")),
    }
}

/// `gzip_types type …`
pub(super) fn gzip_types(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let is_type = |text: &str| {
        text == "*"
            || text.split_once('/').is_some_and(|(kind, subtype)| {
                is_token(kind.as_bytes()) && is_token(subtype.as_bytes())
            })
    };
    if let Some(word) = statement.arguments().iter().find(|word| !is_type(&word.text)) {
        return Err(statement.refuse(word, "types such as `text/css`, or `*`"));
    }
    settings.gzip.types = statement.arguments().iter().map(|word| word.text.clone()).collect();
    Ok(())
}

/// `gzip_static on | off` and its like: whether files with this coding are looked for.
pub(super) fn twins(
    settings: &mut Settings,
    statement: &Statement<'_>,
    coding: Coding,
) -> Result<()> {
    settings.twins.retain(|known| *known != coding);
    if statement.flag()? {
        settings.twins.push(coding);
    }
    Ok(())
}

/// `access_log path [combined] | off`
pub(super) fn access_log(settings: &mut Settings, statement: &Statement<'_>) -> Result<()> {
    let word = statement.argument(0);
    if let Some(format) = statement.arguments().get(1) {
        if word.text == "off" {
            return Err(statement.error(format, "`access_log off` takes nothing more"));
        }
        if format.text != "combined" {
            return Err(statement.error(format, "the one log format is `combined`"));
        }
    }
    if word.text.starts_with("syslog:") {
        return Err(statement.refuse(word, "the path of a file, or `off`"));
    }
    settings.access_log = if word.text == "off" { None } else { Some(statement.path()?) };
    Ok(())
}
