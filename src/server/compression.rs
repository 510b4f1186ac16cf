// SPDX-License-Identifier: MIT OR Apache-2.0
//! gzip on the fly: which answers are compressed, and how while they are sent.
//!
//! What is compressed has no length, no ranges and a weak tag, because another run may give other
//! bytes. Small and already coded answers, parts of a file and whatever goes to HTTP/1.0 stay as they
//! are, as in nginx.

use super::body::{self, Body, Payload, Pull};
use super::config::{Gzip, Settings};
use super::exchange::{Exchange, Request, Response};
use super::limits;
use crate::http::coding::{self, Coding};
use crate::http::h1::head::Version;
use crate::http::headers::trim;
use crate::http::status::Status;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt;

/// Compresses the answer if it is to be.
pub(crate) fn apply(settings: &Settings, x: &mut Exchange<'_>) {
    let gzip = &settings.gzip;
    let response = &mut *x.response;
    if !gzip.on || !is_whole(response) {
        return;
    }
    let written = response.bytes.len() as u64;
    let length = response.payload.length().map(|length| written + length);
    let content_type = response.value("Content-Type").unwrap_or_default();
    if gzip.is_for(content_type, length) && mark(&x.request, response) {
        response.remove("Accept-Ranges");
        response.line("Content-Encoding", Coding::Gzip.as_str().as_bytes());
        let input = std::mem::take(&mut response.bytes);
        let source = std::mem::take(&mut response.payload);
        let level = Compression::new(gzip.level);
        let body = Box::new(Compressed { input, used: 0, source, level, encoder: None });
        response.payload = Payload::Stream { body, left: None };
    }
}

/// Gives a 304 the fields that the answer with the content would have.
pub(crate) fn apply_to_304(
    settings: &Settings,
    x: &mut Exchange<'_>,
    content_type: &str,
    length: u64,
) {
    let gzip = &settings.gzip;
    if gzip.on && gzip.is_for(content_type.as_bytes(), Some(length)) {
        mark(&x.request, x.response);
    }
}

/// Says that the answer depends on `Accept-Encoding`, once.
pub(crate) fn vary(response: &mut Response) {
    const VARY: &[u8] = b"Accept-Encoding";
    if response.value("Vary") != Some(VARY) {
        response.line("Vary", VARY);
    }
}

/// Whether the answer has all of a content, and nobody has coded it yet.
fn is_whole(response: &Response) -> bool {
    let status = response.status;
    let is_part = matches!(status, Status::PARTIAL_CONTENT | Status::RESET_CONTENT);
    status.has_body()
        && !is_part
        && !response.silent
        && response.value("Content-Encoding").is_none()
}

/// Sets the fields of a content that can be compressed; true if the client takes it so.
fn mark(request: &Request<'_>, response: &mut Response) -> bool {
    vary(response);
    let fields = request.head.fields();
    let takes = || coding::accepted(fields, |coding| coding == Coding::Gzip).next().is_some();
    let compressed = request.head.head().version == Version::Http11 && takes();
    if compressed && let Some(strong) = response.value("ETag").filter(|tag| tag.starts_with(b"\""))
    {
        let weak = [b"W/", strong].concat();
        response.remove("ETag");
        response.line("ETag", &weak);
    }
    compressed
}

impl Gzip {
    /// Whether content of this type and length is worth it. HTML always is.
    fn is_for(&self, content_type: &[u8], length: Option<u64>) -> bool {
        if length.is_some_and(|length| length < self.min_length) {
            return false;
        }
        let essence = content_type.split(|&byte| byte == b';').next().unwrap_or_default();
        let essence = trim(essence);
        let is_listed =
            |listed: &String| listed == "*" || essence.eq_ignore_ascii_case(listed.as_bytes());
        essence.eq_ignore_ascii_case(b"text/html") || self.types.iter().any(is_listed)
    }
}

/// Content that is compressed while it is sent.
struct Compressed {
    /// What is to be compressed next, but for its first `used` bytes.
    input: Vec<u8>,
    used: usize,
    /// Where more comes from.
    source: Payload,
    level: Compression,
    /// None until the first byte is asked for: an answer to HEAD needs none.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Body for Compressed {
    fn pull(&mut self, out: &mut Vec<u8>) -> io::Result<Pull> {
        let mut is_live = false;
        if self.used == self.input.len() {
            is_live = matches!(self.source, Payload::Stream { .. });
            self.refill()?;
        }
        let rest = self.input.get(self.used..).unwrap_or_default();
        let piece = rest.get(..limits::PIECE).unwrap_or(rest);
        let encoder = self.encoder.get_or_insert_with(|| GzEncoder::new(Vec::new(), self.level));
        encoder.write_all(piece)?;
        self.used += piece.len();
        let is_end = self.used == self.input.len() && matches!(self.source, Payload::None);
        if is_end {
            encoder.try_finish()?;
        } else if is_live && !piece.is_empty() {
            // Whoever streams wants it to arrive.
            encoder.flush()?;
        }
        out.append(encoder.get_mut());
        Ok(if is_end { Pull::End } else { Pull::More })
    }
}

impl Compressed {
    /// Takes the next input from the source, which becomes None with its last.
    fn refill(&mut self) -> io::Result<()> {
        self.input.clear();
        self.used = 0;
        let ended = match &mut self.source {
            Payload::None => true,
            Payload::Memory(bytes) => {
                self.input.extend_from_slice(bytes);
                true
            }
            Payload::File(range) => {
                let count =
                    usize::try_from(range.left).map_or(limits::PIECE, |l| l.min(limits::PIECE));
                self.input.resize(count, 0);
                range.file.read_exact_at(&mut self.input, range.offset)?;
                range.offset += count as u64;
                range.left -= count as u64;
                range.left == 0
            }
            Payload::Stream { body, left } => {
                body::pull(&mut **body, left, &mut self.input)? == Pull::End
            }
        };
        if ended {
            self.source = Payload::None;
        }
        Ok(())
    }
}
