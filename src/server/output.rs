// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection has still to send: encoded bytes first, then the payload of the last answer,
//! which is pulled only as room comes.

use super::body::{self, FileRange, Payload, Pull};
use super::context::Context;
use super::exchange::Response;
use super::limits;
use super::log::Entry;
use crate::http::h1::encoder::{self, BodyFraming, ResponseHead};
use crate::http::h1::head::Head;
use crate::http::method::Method;
use crate::http::status::Status;
use std::io;

#[derive(Default)]
pub(crate) struct Output {
    bytes: Vec<u8>,
    sent: usize,
    payload: Payload,
    framing: BodyFraming,
    /// The log line of the answer whose payload is being sent.
    entry: Option<Entry>,
}

/// What to send next.
pub(crate) enum Outgoing<'a> {
    /// These bytes; with `more`, a file follows at once.
    Bytes {
        bytes: &'a [u8],
        more: bool,
    },
    File(&'a FileRange),
    /// All that there is has been sent.
    Nothing,
}

impl Output {
    pub(crate) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len() && matches!(self.payload, Payload::None)
    }

    /// Whether only a reset tells the client that the answer is cut: its end was to be the
    /// connection's.
    pub(crate) fn ends_by_close(&self) -> bool {
        self.framing == BodyFraming::UntilClose && !self.is_empty()
    }

    /// Whether another answer has to wait: order forbids one behind a payload, and memory one behind
    /// much that the client has not taken.
    pub(crate) fn is_full(&self) -> bool {
        !matches!(self.payload, Payload::None)
            || self.bytes.len() - self.sent >= limits::OUTPUT_HIGH
    }

    /// Tells the client to go on with its body (RFC 9110 section 15.2.1).
    pub(crate) fn proceed(&mut self, cx: &mut Context) {
        self.ensure_buffer(cx);
        self.bytes.extend_from_slice(encoder::CONTINUE);
    }

    /// Encodes an answer to `request`; takes its payload. True if only closing the connection can
    /// mark its end.
    pub(crate) fn put(
        &mut self,
        request: &Head,
        response: &mut Response,
        close: bool,
        server: &'static str,
        entry: Option<Entry>,
        cx: &mut Context,
    ) -> bool {
        self.ensure_buffer(cx);
        if response.status == Status::RESET_CONTENT {
            response.clear_content();
        }
        let written = response.bytes.len() as u64;
        let framing = match &response.payload {
            _ if !response.status.has_body() => BodyFraming::None,
            Payload::None => BodyFraming::Length(written),
            Payload::File(range) => BodyFraming::Length(written + range.left),
            Payload::Stream { left: Some(left), .. } => BodyFraming::Length(written + left),
            Payload::Stream { left: None, .. } => BodyFraming::of_unknown_length(request.version),
        };
        let close = close || framing == BodyFraming::UntilClose;
        let head = ResponseHead {
            status: response.status,
            version: request.version,
            fields: &response.fields,
            date: cx.dates.at(cx.wall),
            server,
            framing,
            persistent: !close,
        };
        encoder::head(&mut self.bytes, &head);
        let mut entry = entry;
        let payload = std::mem::take(&mut response.payload);
        if request.method != Method::Head && framing != BodyFraming::None {
            self.framing = framing;
            if framing == BodyFraming::Chunked {
                encoder::chunk(&mut self.bytes, &response.bytes);
            } else {
                self.bytes.extend_from_slice(&response.bytes);
            }
            self.payload = payload;
            if let Some(entry) = &mut entry {
                entry.sent += written;
            }
        }
        self.entry = entry;
        if matches!(self.payload, Payload::None) {
            self.log(cx);
        }
        close
    }

    /// What to send next; pulls a streamed body if nothing else is left, but once only: one that has
    /// nothing yet must not keep the worker.
    pub(crate) fn next(&mut self, cx: &mut Context) -> io::Result<Outgoing<'_>> {
        if self.sent == self.bytes.len() && matches!(self.payload, Payload::Stream { .. }) {
            self.pull(cx)?;
        }
        if self.sent < self.bytes.len() {
            let more = matches!(self.payload, Payload::File(_));
            return Ok(Outgoing::Bytes { bytes: &self.bytes[self.sent..], more });
        }
        match &self.payload {
            Payload::File(range) => Ok(Outgoing::File(range)),
            _ => Ok(Outgoing::Nothing),
        }
    }

    fn pull(&mut self, cx: &mut Context) -> io::Result<()> {
        self.ensure_buffer(cx);
        let Payload::Stream { body, left } = &mut self.payload else { return Ok(()) };
        let mut piece = cx.buffers.take();
        let pulled = body::pull(&mut **body, left, &mut piece);
        if self.framing == BodyFraming::Chunked {
            encoder::chunk(&mut self.bytes, &piece);
        } else {
            self.bytes.extend_from_slice(&piece);
        }
        if let Some(entry) = &mut self.entry {
            entry.sent += piece.len() as u64;
        }
        cx.buffers.give(piece);
        if pulled? == Pull::End {
            if self.framing == BodyFraming::Chunked {
                encoder::last_chunk(&mut self.bytes);
            }
            self.payload = Payload::None;
            self.log(cx);
        }
        Ok(())
    }

    /// `count` of the bytes that [`next`](Self::next) gave are on their way.
    pub(crate) fn bytes_went(&mut self, count: usize, cx: &mut Context) {
        self.sent += count;
        if self.sent == self.bytes.len() {
            cx.buffers.give(std::mem::take(&mut self.bytes));
            self.sent = 0;
        }
    }

    /// `count` bytes of the file are on their way.
    pub(crate) fn file_went(&mut self, count: usize, cx: &mut Context) {
        let Payload::File(range) = &mut self.payload else { return };
        let count = count as u64;
        range.offset += count;
        range.left = range.left.saturating_sub(count);
        if let Some(entry) = &mut self.entry {
            entry.sent += count;
        }
        if range.left == 0 {
            self.payload = Payload::None;
            self.log(cx);
        }
    }

    /// The connection ends: what was not sent is dropped, what was is logged.
    pub(crate) fn abandon(&mut self, cx: &mut Context) {
        self.log(cx);
        if self.bytes.capacity() > 0 {
            cx.buffers.give(std::mem::take(&mut self.bytes));
        }
    }

    fn log(&mut self, cx: &mut Context) {
        if let Some(entry) = self.entry.take() {
            cx.log(entry);
        }
    }

    fn ensure_buffer(&mut self, cx: &mut Context) {
        if self.bytes.capacity() == 0 {
            self.bytes = cx.buffers.take();
        }
    }
}
