// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static files: which file a path names, index files, the redirect of a directory to its `/`.

use super::{autoindex, representation};
use crate::http::coding::Coding;
use crate::http::h1::head::Version;
use crate::http::method::{Method, MethodSet};
use crate::http::status::{Reject, Status};
use crate::http::{coding, mime, target};
use crate::server::config::{Matcher, Settings, Symlinks, Trusted};
use crate::server::exchange::Exchange;
use crate::server::limits;
use crate::server::site::Found;
use crate::sys::{self, symlinks};
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// What files can be asked for with.
pub(crate) const METHODS: MethodSet = MethodSet::EMPTY.with(Method::Get).with(Method::Head);

/// Answers with the file or directory at `path`; another path says where to look instead.
pub(crate) fn serve(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
) -> Result<Option<Vec<u8>>, Reject> {
    if !found.settings().dotfiles && has_dotfile(path) {
        return Err(Reject::new(Status::NOT_FOUND, "name with a dot"));
    }
    let name = file_name(found, path)?;
    let opened = match open(found, x, &name) {
        Ok((_, metadata)) if metadata.is_dir() => return directory(found, x, path, &name),
        // A coded file may be there alone.
        Err(reject) if reject.status != Status::NOT_FOUND => return Err(reject),
        opened => opened,
    };
    let (file, metadata, coding) = match twin(found, x, &name) {
        Some((file, metadata, coding)) => (file, metadata, Some(coding)),
        None => opened.map(|(file, metadata)| (file, metadata, None))?,
    };
    representation::send(found, x, file, &metadata, &name, coding).map(|()| None)
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
fn twin(found: &Found<'_>, x: &Exchange<'_>, name: &Path) -> Option<(File, Metadata, Coding)> {
    let offered = &found.settings().twins;
    if offered.is_empty() || x.request.head.head().version == Version::Http10 {
        return None;
    }
    coding::accepted(x.request.head.fields(), |coding| offered.contains(&coding)).find_map(
        |coding| {
            let mut twin = name.as_os_str().to_owned();
            twin.push(coding.extension());
            let file = open_as_allowed(found.settings(), Path::new(&twin)).ok()?;
            let metadata = file.metadata().ok().filter(Metadata::is_file)?;
            Some((file, metadata, coding))
        },
    )
}

/// Answers with a whole file, as an error page is sent: no validators, no ranges.
pub(crate) fn serve_whole(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
) -> Result<(), Reject> {
    let name = file_name(found, path)?;
    let (file, metadata) = open(found, x, &name)?;
    if metadata.is_dir() {
        return Err(Reject::new(Status::NOT_FOUND, "error page is a directory"));
    }
    x.response.line("Content-Type", mime::content_type(&name).as_bytes());
    representation::content(x, file, 0, metadata.len())
}

/// The file that a path names: appended to `root`, or in the place of the location's prefix (`alias`).
///
/// # Errors
/// 404 where a prefix that ends within a segment leaves `..` of it, as `/img` does of `/img../file`.
fn file_name(found: &Found<'_>, path: &[u8]) -> Result<PathBuf, Reject> {
    let settings = found.settings();
    let (Some(alias), Some(location)) = (&settings.alias, found.location) else {
        return Ok(append(&settings.root, path));
    };
    let (Matcher::Exact(prefix) | Matcher::Prefix(prefix)) = &location.matcher;
    let name = append(alias, path.get(prefix.len()..).unwrap_or_default());
    let climbs =
        |path: &Path| path.components().filter(|part| *part == Component::ParentDir).count();
    if climbs(&name) > climbs(alias) {
        return Err(Reject::new(Status::NOT_FOUND, "path above the alias"));
    }
    Ok(name)
}

fn append(base: &Path, rest: &[u8]) -> PathBuf {
    let mut name = OsString::with_capacity(base.as_os_str().len() + rest.len());
    name.push(base);
    name.push(OsStr::from_bytes(rest));
    name.into()
}

fn open(found: &Found<'_>, x: &mut Exchange<'_>, name: &Path) -> Result<(File, Metadata), Reject> {
    let file = open_as_allowed(found.settings(), name).map_err(|error| reject(x, &error))?;
    let metadata = file.metadata().map_err(|error| reject(x, &error))?;
    if metadata.is_file() || metadata.is_dir() {
        Ok((file, metadata))
    } else {
        Err(Reject::new(Status::NOT_FOUND, "neither a file nor a directory"))
    }
}

/// Opens a file by those symbolic links alone that may lead there.
fn open_as_allowed(settings: &Settings, name: &Path) -> io::Result<File> {
    let Symlinks { followed, trusted } = &settings.symlinks;
    let trusted = match trusted {
        Trusted::Nothing => Path::new(""),
        Trusted::DocumentRoot => settings.alias.as_ref().unwrap_or(&settings.root),
        Trusted::Path(path) => path,
    };
    symlinks::open(name, trusted, *followed)
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
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
    name: &Path,
) -> Result<Option<Vec<u8>>, Reject> {
    if path.last() != Some(&b'/') {
        let mut location = Vec::new();
        if let Some(authority) = x.request.head.authority() {
            location.extend_from_slice(b"http://");
            location.extend_from_slice(authority.host);
            if let Some(port) = authority.port {
                location.extend_from_slice(format!(":{port}").as_bytes());
            }
        }
        target::encode_path(path, &mut location);
        location.push(b'/');
        if let Some(query) = x.request.query {
            location.push(b'?');
            location.extend_from_slice(query);
        }
        x.response.line("Location", &location);
        super::status::page(x.response, Status::MOVED_PERMANENTLY);
        return Ok(None);
    }
    let settings = found.settings();
    for index in &settings.index {
        if index.starts_with('/') {
            return Ok(Some(index.clone().into_bytes()));
        }
        if name.join(index).is_file() {
            return Ok(Some([path, index.as_bytes()].concat()));
        }
    }
    if !settings.autoindex.on {
        return Err(Reject::new(Status::FORBIDDEN, "directory without index"));
    }
    autoindex::list(x, name, path, settings).map_err(|error| reject(x, &error))?;
    Ok(None)
}
