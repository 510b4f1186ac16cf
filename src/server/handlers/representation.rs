// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file as the answer: validators, conditional requests, ranges.

use super::parts::Parts;
use crate::http::byteranges::Byteranges;
use crate::http::coding::Coding;
use crate::http::conditional::{Validators, Verdict};
use crate::http::etag::EntityTag;
use crate::http::method::Method;
use crate::http::range::{ByteRange, Selection};
use crate::http::status::{Reject, Status};
use crate::http::{conditional, date, etag, mime, range};
use crate::server::body::{FileRange, Payload};
use crate::server::compression;
use crate::server::exchange::Exchange;
use crate::server::limits;
use crate::server::site::Found;
use std::fs::{File, Metadata};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Sends a regular file, or the parts that are asked for, or says why not. The name tells the type;
/// with a coding, the file is the coded form of the one that has this name.
pub(super) fn send(
    found: &Found<'_>,
    x: &mut Exchange<'_>,
    file: File,
    metadata: &Metadata,
    name: &Path,
    coding: Option<Coding>,
) -> Result<(), Reject> {
    let length = metadata.len();
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let tag = etag::of_file(modified, length, coding);
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
    let settings = found.settings();
    let selection = match fields.only("range") {
        Some(value) if method == Method::Get && conditional::if_range(fields, current) => {
            range::parse(value, length, settings.max_ranges)
        }
        _ => Selection::Whole,
    };
    if verdict == Verdict::Proceed && selection == Selection::Unsatisfiable {
        x.response.line("Content-Range", format!("bytes */{length}").as_bytes());
        return Err(Reject::new(Status::RANGE_NOT_SATISFIABLE, "no such range"));
    }
    x.response.line("Last-Modified", &date::format(modified));
    x.response.line("ETag", tag.as_bytes());
    if !settings.twins.is_empty() {
        compression::vary(x.response);
    }
    let content_type = mime::content_type(name);
    if verdict == Verdict::NotModified {
        x.response.status = Status::NOT_MODIFIED;
        if coding.is_none() {
            compression::apply_to_304(settings, x, content_type, length);
        }
        return Ok(());
    }
    if let Some(coding) = coding {
        x.response.line("Content-Encoding", coding.as_str().as_bytes());
    }
    if settings.max_ranges > 0 {
        x.response.line("Accept-Ranges", b"bytes");
    }
    match selection {
        Selection::One(part) => {
            x.response.status = Status::PARTIAL_CONTENT;
            x.response.line("Content-Type", content_type.as_bytes());
            let (first, last) = part.into_inner();
            let range = format!("bytes {first}-{last}/{length}");
            x.response.line("Content-Range", range.as_bytes());
            content(x, file, first, last - first + 1)
        }
        Selection::Several(parts) => {
            several(x, file, content_type, length, parts, &tag);
            Ok(())
        }
        Selection::Whole | Selection::Unsatisfiable => {
            x.response.line("Content-Type", content_type.as_bytes());
            content(x, file, 0, length)
        }
    }
}

/// Leaves several parts of a file of this length as content.
fn several(
    x: &mut Exchange<'_>,
    file: File,
    content_type: &'static str,
    length: u64,
    ranges: Vec<ByteRange>,
    tag: &str,
) {
    let boundary = super::parts::boundary(tag);
    let form = Byteranges { boundary, content_type, length };
    x.response.status = Status::PARTIAL_CONTENT;
    x.response.line("Content-Type", form.content_type().as_bytes());
    let total = form.total(&ranges);
    x.response.stream_sized(total, Box::new(Parts::new(file, form, ranges)));
}

/// Leaves bytes of the file as content: small ones at once, others for sendfile(2).
pub(super) fn content(
    x: &mut Exchange<'_>,
    file: File,
    offset: u64,
    left: u64,
) -> Result<(), Reject> {
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
