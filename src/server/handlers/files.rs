// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static files: which file a path names, index files, the redirect of a directory to its `/`.

use super::{autoindex, representation};
use crate::http::h1::head::Version;
use crate::http::method::{Method, MethodSet};
use crate::http::status::{Reject, Status};
use crate::http::{coding, target};
use crate::server::config::{Matcher, Settings};
use crate::server::exchange::Exchange;
use crate::server::limits;
use crate::server::open_files::{Name, OpenFile, Opened};
use crate::server::site::Found;
use crate::sys;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// What files can be asked for with.
pub(crate) const METHODS: MethodSet = MethodSet::EMPTY.with(Method::Get).with(Method::Head);

/// Answers with the file or directory at `path`; another path, in a buffer of the worker's, says where to
/// look instead.
pub(crate) fn serve(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
) -> Result<Option<Vec<u8>>, Reject> {
    let settings = found.settings();
    if !settings.dotfiles && has_dotfile(path) {
        return Err(Reject::new(Status::NOT_FOUND, "name with a dot"));
    }
    let name = name(found, path)?;
    let opened = match open(x, settings, &name) {
        Ok(Opened::Directory(_)) => return directory(settings, x, path, &name),
        Ok(Opened::File(file)) => Ok(file),
        // A coded file may be there alone.
        Err(reject) if reject.status == Status::NOT_FOUND => Err(reject),
        Err(reject) => return Err(reject),
    };
    let file = twin(settings, x, &name).map_or(opened, Ok)?;
    representation::send(settings, x, &file).map(|()| None)
}

/// Whether a name in the path starts with a dot. `.well-known` at its start does not count: what is
/// there is meant for everybody (RFC 8615).
fn has_dotfile(path: &[u8]) -> bool {
    let path = path
        .strip_prefix(b"/.well-known")
        .filter(|rest| rest.first().is_none_or(|&byte| byte == b'/'))
        .unwrap_or(path);
    path.windows(2).any(|pair| pair == b"/.")
}

/// The file that lies there in the coding that the client likes best.
fn twin(settings: &Settings, x: &mut Exchange<'_>, name: &Name<'_>) -> Option<Arc<OpenFile>> {
    let offered = &settings.twins;
    if offered.is_empty() || x.request.head.head().version == Version::Http10 {
        return None;
    }
    let fields = x.request.head.fields();
    coding::accepted(fields, |coding| offered.contains(&coding)).find_map(|coding| {
        match x.files.open(&name.coded(coding), &settings.open_files) {
            Ok(Opened::File(file)) => Some(file),
            _ => None,
        }
    })
}

/// Answers with a whole file, as an error page is sent: no validators, no ranges.
pub(crate) fn serve_whole(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
) -> Result<(), Reject> {
    let Opened::File(file) = open(x, found.settings(), &name(found, path)?)? else {
        return Err(Reject::new(Status::NOT_FOUND, "error page is a directory"));
    };
    x.response.line("Content-Type", file.content_type.as_bytes());
    representation::content(x, &file, 0, file.length())
}

/// The file that a path names: appended to `root`, or in the place of the location's prefix (`alias`).
///
/// # Errors
/// 404 where a prefix that ends within a segment leaves `..` of it, as `/img` does of `/img../file`.
fn name<'a>(found: &Found<'a>, path: &'a [u8]) -> Result<Name<'a>, Reject> {
    let settings = found.settings();
    let (Some(alias), Some(location)) = (&settings.alias, found.location) else {
        return Ok(Name::new(settings, &settings.root, path));
    };
    let (Matcher::Exact(prefix) | Matcher::Prefix(prefix)) = &location.matcher;
    let rest = path.get(prefix.len()..).unwrap_or_default();
    if climbs(alias, rest) {
        return Err(Reject::new(Status::NOT_FOUND, "path above the alias"));
    }
    Ok(Name::new(settings, alias, rest))
}

/// Whether the two together have a `..` that `base` has not. It can only be where they meet: a decoded
/// path has none after a slash.
fn climbs(base: &Path, rest: &[u8]) -> bool {
    let base = base.as_os_str().as_bytes();
    let last = base.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    let first = rest.split(|&byte| byte == b'/').next().unwrap_or_default();
    !first.is_empty() && last.iter().chain(first).eq(b"..")
}

fn open(x: &mut Exchange<'_>, settings: &Settings, name: &Name<'_>) -> Result<Opened, Reject> {
    x.files.open(name, &settings.open_files).map_err(|error| reject(x, &error))
}

fn reject(x: &mut Exchange<'_>, error: &io::Error) -> Reject {
    if sys::file::is_exhausted(error) {
        x.response.exhausted = true;
        x.response.line("Retry-After", limits::RETRY_AFTER.as_bytes());
        return Reject::new(Status::SERVICE_UNAVAILABLE, "out of descriptors or memory");
    }
    match error.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidFilename => Reject::new(Status::NOT_FOUND, "no such file"),
        io::ErrorKind::PermissionDenied => Reject::new(Status::FORBIDDEN, "permission denied"),
        _ if sys::file::is_unreadable(error) => {
            Reject::new(Status::NOT_FOUND, "not a file that can be read")
        }
        _ => Reject::new(Status::INTERNAL_SERVER_ERROR, "opening the file failed"),
    }
}

fn directory(
    settings: &Settings,
    x: &mut Exchange<'_>,
    path: &[u8],
    name: &Name<'_>,
) -> Result<Option<Vec<u8>>, Reject> {
    if path.last() != Some(&b'/') {
        redirect(x, path);
        return Ok(None);
    }
    for index in &settings.index {
        if !index.starts_with('/') {
            match open(x, settings, &name.with(index)) {
                Ok(Opened::File(_)) => {}
                Err(reject) if reject.status != Status::NOT_FOUND => return Err(reject),
                _ => continue,
            }
        }
        let mut elsewhere = x.buffers.take();
        elsewhere.extend_from_slice(if index.starts_with('/') { b"" } else { path });
        elsewhere.extend_from_slice(index.as_bytes());
        return Ok(Some(elsewhere));
    }
    if !settings.autoindex.on {
        return Err(Reject::new(Status::FORBIDDEN, "directory without index"));
    }
    autoindex::list(x, &name.to_path(), path, settings).map_err(|error| reject(x, &error))?;
    Ok(None)
}

/// Sends the client to the path with a `/` after it.
fn redirect(x: &mut Exchange<'_>, path: &[u8]) {
    let mut location = x.buffers.take();
    if let Some(authority) = x.request.head.authority() {
        location.extend_from_slice(b"http://");
        location.extend_from_slice(authority.host);
        if let Some(port) = authority.port {
            location.push(b':');
            location.extend_from_slice(itoa::Buffer::new().format(port).as_bytes());
        }
    }
    target::encode_path(path, &mut location);
    location.push(b'/');
    if let Some(query) = x.request.query {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    x.response.line("Location", &location);
    x.buffers.give(location);
    super::status::page(x.response, Status::MOVED_PERMANENTLY);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_climbs_where_its_start_and_the_alias_make_two_dots() {
        for (alias, rest, expected) in [
            ("files/", "../x", true),
            ("files/", "..", true),
            ("files/.", "./x", true),
            ("", "../x", true),
            ("files", "../x", false),
            ("files/", "x", false),
            ("files/", "...", false),
            ("files/", "./x", false),
            ("files/..", "/x", false),
            ("files/..", "", false),
            ("files/.", "", false),
        ] {
            assert_eq!(climbs(Path::new(alias), rest.as_bytes()), expected, "{alias:?} {rest:?}");
        }
    }
}
