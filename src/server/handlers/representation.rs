// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file as the answer: validators, conditional requests, ranges.

use super::parts::Parts;
use crate::http::byteranges::Byteranges;
use crate::http::conditional::{Validators, Verdict};
use crate::http::etag::EntityTag;
use crate::http::method::Method;
use crate::http::range::{ByteRange, Selection};
use crate::http::status::{Reject, Status};
use crate::http::{conditional, date, range};
use crate::server::body::Payload;
use crate::server::compression;
use crate::server::config::Settings;
use crate::server::exchange::{Exchange, Request, Response};
use crate::server::limits;
use crate::server::open_files::{Content, OpenFile};
use std::os::unix::fs::FileExt;
use std::time::SystemTime;

/// Sends a regular file, or the parts that are asked for, or says why not.
pub(super) fn send(
    settings: &Settings,
    x: &mut Exchange<'_>,
    file: &OpenFile,
) -> Result<(), Reject> {
    let length = file.length();
    // No answer may name a time after its own `Date` (RFC 9110 section 8.8.2.1).
    let modified = file.modified.min(x.request.now);
    let (verdict, selection) = if conditional::is_plain(x.request.head.fields()) {
        (Verdict::Proceed, Selection::Whole)
    } else {
        wanted(settings, &x.request, file, modified)
    };
    if verdict == Verdict::Failed {
        return Err(Reject::new(Status::PRECONDITION_FAILED, "precondition failed"));
    }
    if verdict == Verdict::Proceed && selection == Selection::Unsatisfiable {
        content_range(x.response, None, length);
        return Err(Reject::new(Status::RANGE_NOT_SATISFIABLE, "no such range"));
    }
    validators(x.response, file, modified);
    if !settings.twins.is_empty() {
        compression::vary(x.response);
    }
    if verdict == Verdict::NotModified {
        x.response.status = Status::NOT_MODIFIED;
        if file.coding.is_none() {
            compression::apply_to_304(settings, x, file.content_type, length);
        }
        return Ok(());
    }
    if settings.max_ranges > 0 {
        x.response.lines("Accept-Ranges: bytes\r\n");
    }
    match selection {
        Selection::One(part) => {
            x.response.status = Status::PARTIAL_CONTENT;
            x.response.lines(file.content_lines());
            content_range(x.response, Some(&part), length);
            let (first, last) = part.into_inner();
            content(x, file, first, last - first + 1)
        }
        Selection::Several(parts) => {
            several(x, file, parts);
            Ok(())
        }
        Selection::Whole | Selection::Unsatisfiable => {
            x.response.lines(file.content_lines());
            content(x, file, 0, length)
        }
    }
}

/// Whether the request is to be carried out, and which part of the file it asks for.
fn wanted(
    settings: &Settings,
    request: &Request<'_>,
    file: &OpenFile,
    modified: SystemTime,
) -> (Verdict, Selection) {
    let etag = EntityTag::parse(file.tag().as_bytes());
    let current = Validators { etag, last_modified: Some(modified) };
    let (method, fields) = (request.known_method(), request.head.fields());
    let selection = match fields.only("range") {
        Some(value) if method == Method::Get && conditional::if_range(fields, current) => {
            range::parse(value, file.length(), settings.max_ranges)
        }
        _ => Selection::Whole,
    };
    (conditional::evaluate(method, fields, current), selection)
}

/// Adds `Last-Modified` and `ETag`.
fn validators(response: &mut Response, file: &OpenFile, modified: SystemTime) {
    if modified == file.modified {
        response.lines(file.validator_lines());
    } else {
        response.line("Last-Modified", &date::format(modified));
        response.line("ETag", file.tag().as_bytes());
    }
}

/// Adds `Content-Range`; without a part, that of an answer which has none (RFC 9110 section 14.4).
fn content_range(response: &mut Response, part: Option<&ByteRange>, length: u64) {
    let mut number = itoa::Buffer::new();
    response.lines("Content-Range: bytes ");
    match part {
        Some(part) => {
            response.lines(number.format(*part.start()));
            response.lines("-");
            response.lines(number.format(*part.end()));
        }
        None => response.lines("*"),
    }
    response.lines("/");
    response.lines(number.format(length));
    response.lines("\r\n");
}

/// Leaves several parts of a file as content.
fn several(x: &mut Exchange<'_>, file: &OpenFile, ranges: Vec<ByteRange>) {
    let boundary = super::parts::boundary(file.tag());
    let form = Byteranges { boundary, content_type: file.content_type, length: file.length() };
    x.response.status = Status::PARTIAL_CONTENT;
    if let Some(coding) = file.coding {
        x.response.line("Content-Encoding", coding.as_str().as_bytes());
    }
    x.response.line("Content-Type", form.content_type().as_bytes());
    let total = form.total(&ranges);
    let parts = Parts::new(file.content().clone(), form, ranges);
    x.response.stream_sized(total, Box::new(parts));
}

/// Leaves bytes of the file as content: small ones at once, others for sendfile(2).
pub(super) fn content(
    x: &mut Exchange<'_>,
    file: &OpenFile,
    offset: u64,
    length: u64,
) -> Result<(), Reject> {
    let is_small = length <= limits::INLINE_FILE;
    let is_sent = x.request.known_method() != Method::Head;
    match file.content() {
        Content::Descriptor(file) if is_small && is_sent => {
            let bytes = &mut x.response.bytes;
            let from = bytes.len();
            bytes.resize(from + usize::try_from(length).unwrap_or(0), 0);
            let room = bytes.get_mut(from..).unwrap_or_default();
            file.read_exact_at(room, offset).map_err(|_| {
                // What was said of the file does not hold for the page that says so.
                x.response.fields.clear();
                Reject::new(Status::INTERNAL_SERVER_ERROR, "reading the file failed")
            })
        }
        content => {
            x.response.payload = Payload::of_file(content, offset, length);
            Ok(())
        }
    }
}
