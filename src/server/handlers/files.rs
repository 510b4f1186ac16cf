// SPDX-License-Identifier: MIT OR Apache-2.0
//! Static files: index files, the redirect of a directory to its `/`, types, validators, conditional
//! requests and ranges.

use super::autoindex;
use crate::http::conditional::{Validators, Verdict};
use crate::http::etag::EntityTag;
use crate::http::method::{Method, MethodSet};
use crate::http::range::Selection;
use crate::http::status::{Reject, Status};
use crate::http::{conditional, date, etag, mime, range, target};
use crate::server::body::{FileRange, Payload};
use crate::server::config::Matcher;
use crate::server::exchange::Exchange;
use crate::server::limits;
use crate::server::site::Found;
use crate::sys;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What files can be asked for with.
pub(crate) const METHODS: MethodSet = MethodSet::EMPTY.with(Method::Get).with(Method::Head);

/// Answers with the file or directory at `path`; another path says where to look instead.
pub(crate) fn serve(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
) -> Result<Option<Vec<u8>>, Reject> {
    let name = file_name(found, path)?;
    let (file, metadata) = open(x, &name)?;
    if metadata.is_dir() {
        return directory(found, x, path, &name);
    }
    send(x, file, &metadata, &name).map(|()| None)
}

/// Answers with a whole file, as an error page is sent: no validators, no ranges.
pub(crate) fn serve_whole(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    path: &[u8],
) -> Result<(), Reject> {
    let name = file_name(found, path)?;
    let (file, metadata) = open(x, &name)?;
    if metadata.is_dir() {
        return Err(Reject::new(Status::NOT_FOUND, "error page is a directory"));
    }
    x.response.line("Content-Type", mime::content_type(&name).as_bytes());
    content(x, file, 0, metadata.len())
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

fn open(x: &mut Exchange<'_>, name: &Path) -> Result<(File, Metadata), Reject> {
    let file = sys::file::open(name).map_err(|error| reject(x, &error))?;
    let metadata = file.metadata().map_err(|error| reject(x, &error))?;
    if metadata.is_file() || metadata.is_dir() {
        Ok((file, metadata))
    } else {
        Err(Reject::new(Status::NOT_FOUND, "neither a file nor a directory"))
    }
}

fn reject(x: &mut Exchange<'_>, error: &io::Error) -> Reject {
    if sys::socket::is_exhausted(error) {
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
    if !settings.autoindex {
        return Err(Reject::new(Status::FORBIDDEN, "directory without index"));
    }
    autoindex::list(x, name, path).map_err(|error| reject(x, &error))?;
    Ok(None)
}

/// Sends a regular file, or the part that is asked for, or says why not.
fn send(x: &mut Exchange<'_>, file: File, metadata: &Metadata, name: &Path) -> Result<(), Reject> {
    let length = metadata.len();
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let tag = etag::of_file(modified, length);
    // No answer may name a time after its own `Date` (RFC 9110 section 8.8.2.1).
    let modified = modified.min(x.request.now);
    let current =
        Validators { etag: EntityTag::parse(tag.as_bytes()), last_modified: Some(modified) };
    let request = &x.request;
    let (method, fields) = (request.known_method(), request.head.fields());
    let verdict = conditional::evaluate(method, fields, current);
    if verdict == Verdict::Failed {
        return Err(Reject::new(Status::PRECONDITION_FAILED, "precondition failed"));
    }
    let part = match fields.only("range") {
        Some(value) if method == Method::Get && conditional::if_range(fields, current) => {
            range::parse(value, length)
        }
        _ => Selection::Whole,
    };
    if verdict == Verdict::Proceed && part == Selection::Unsatisfiable {
        x.response.line("Content-Range", format!("bytes */{length}").as_bytes());
        return Err(Reject::new(Status::RANGE_NOT_SATISFIABLE, "no such range"));
    }
    x.response.line("Last-Modified", &date::format(modified));
    x.response.line("ETag", tag.as_bytes());
    if verdict == Verdict::NotModified {
        x.response.status = Status::NOT_MODIFIED;
        return Ok(());
    }
    x.response.line("Content-Type", mime::content_type(name).as_bytes());
    x.response.line("Accept-Ranges", b"bytes");
    if let Selection::One(part) = part {
        let (first, last) = part.into_inner();
        x.response.status = Status::PARTIAL_CONTENT;
        let range = format!("bytes {first}-{last}/{length}");
        x.response.line("Content-Range", range.as_bytes());
        content(x, file, first, last - first + 1)
    } else {
        content(x, file, 0, length)
    }
}

/// Leaves bytes of the file as content: small ones at once, others for sendfile(2).
fn content(x: &mut Exchange<'_>, file: File, offset: u64, left: u64) -> Result<(), Reject> {
    if left > limits::INLINE_FILE || x.request.known_method() == Method::Head {
        x.response.payload = Payload::File(FileRange { file, offset, left });
        return Ok(());
    }
    let bytes = &mut x.response.bytes;
    let from = bytes.len();
    bytes.resize(from + usize::try_from(left).unwrap_or(0), 0);
    let room = bytes.get_mut(from..).unwrap_or_default();
    file.read_exact_at(room, offset).map_err(|_| {
        // What was said of the file does not hold for the page that says so.
        x.response.fields.clear();
        Reject::new(Status::INTERNAL_SERVER_ERROR, "reading the file failed")
    })
}
