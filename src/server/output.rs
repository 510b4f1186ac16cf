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
    /// The end of the last answer is that of the connection.
    until_close: bool,
    rest: Option<Box<Rest>>,
    /// Bytes are with whoever sends them; those that have been encoded since come behind.
    lent: bool,
}

/// What is left of an answer whose content is not all encoded yet. It is apart from the output because a
/// connection at rest should be small.
struct Rest {
    payload: Payload,
    chunked: bool,
    entry: Option<Entry>,
}

/// Boxes for what is left of answers, so that steady work allocates nothing.
#[derive(Default)]
#[expect(clippy::vec_box, reason = "it is the boxes that are used again")]
pub(crate) struct Rests(Vec<Box<Rest>>);

impl Rests {
    fn make(&mut self, rest: Rest) -> Box<Rest> {
        match self.0.pop() {
            Some(mut used) => {
                *used = rest;
                used
            }
            None => Box::new(rest),
        }
    }

    /// Drops what is left, but for the log's entry and the box.
    fn take_apart(&mut self, mut rest: Box<Rest>) -> Option<Entry> {
        rest.payload = Payload::None;
        let entry = rest.entry.take();
        if self.0.len() < limits::SPARE_RESTS {
            self.0.push(rest);
        }
        entry
    }
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
        self.sent == self.bytes.len() && self.rest.is_none() && !self.lent
    }

    /// Whether only a reset tells the client that the answer is cut: its end was to be the
    /// connection's.
    pub(crate) fn ends_by_close(&self) -> bool {
        self.until_close && !self.is_empty()
    }

    /// Whether another answer has to wait: order forbids one behind a payload, and memory one behind
    /// much that the client has not taken.
    pub(crate) fn is_full(&self) -> bool {
        self.rest.is_some() || self.bytes.len() - self.sent >= limits::OUTPUT_HIGH
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
        server_tokens: bool,
        entry: Option<Entry>,
        cx: &mut Context,
    ) -> bool {
        self.ensure_buffer(cx);
        if response.status == Status::RESET_CONTENT {
            response.clear_content();
        }
        let written = response.bytes.len() as u64;
        let framing = match response.payload.length() {
            _ if !response.status.has_body() => BodyFraming::None,
            Some(length) => BodyFraming::Length(written + length),
            None => BodyFraming::of_unknown_length(request.version),
        };
        let close = close || framing == BodyFraming::UntilClose;
        let head = ResponseHead {
            status: response.status,
            version: request.version,
            fields: &response.fields,
            common: cx.common_lines(server_tokens),
            framing,
            persistent: !close,
        };
        encoder::head(&mut self.bytes, &head);
        let mut entry = entry;
        let payload = std::mem::take(&mut response.payload);
        if request.method != Method::Head && framing != BodyFraming::None {
            let chunked = framing == BodyFraming::Chunked;
            self.until_close = framing == BodyFraming::UntilClose;
            if chunked {
                encoder::chunk(&mut self.bytes, &response.bytes);
            } else {
                self.bytes.extend_from_slice(&response.bytes);
            }
            let in_memory: &[u8] = if let Payload::Memory(bytes) = &payload { bytes } else { &[] };
            self.bytes.extend_from_slice(in_memory);
            if let Some(entry) = &mut entry {
                entry.sent += written + in_memory.len() as u64;
            }
            if !matches!(payload, Payload::None | Payload::Memory(_)) {
                self.rest = Some(cx.rests.make(Rest { payload, chunked, entry }));
                return close;
            }
        }
        log(entry, cx);
        close
    }

    /// What to send next; pulls a streamed body if nothing else is left, but once only: one that has
    /// nothing yet must not keep the worker.
    pub(crate) fn next(&mut self, cx: &mut Context) -> io::Result<Outgoing<'_>> {
        if self.sent == self.bytes.len() {
            self.pull(cx)?;
        }
        let file = self.rest.as_ref().and_then(|rest| match &rest.payload {
            Payload::File(range) => Some(range),
            _ => None,
        });
        if self.sent < self.bytes.len() {
            let bytes = &self.bytes[self.sent..];
            return Ok(Outgoing::Bytes { bytes, more: file.is_some() });
        }
        Ok(file.map_or(Outgoing::Nothing, Outgoing::File))
    }

    fn pull(&mut self, cx: &mut Context) -> io::Result<()> {
        let Some(rest) = self.rest.as_deref_mut() else { return Ok(()) };
        let Payload::Stream { body, left } = &mut rest.payload else { return Ok(()) };
        let mut piece = cx.buffers.take();
        let pulled = body::pull(&mut **body, left, &mut piece);
        if self.bytes.capacity() == 0 {
            self.bytes = cx.buffers.take();
        }
        if rest.chunked {
            encoder::chunk(&mut self.bytes, &piece);
        } else {
            self.bytes.extend_from_slice(&piece);
        }
        if let Some(entry) = &mut rest.entry {
            entry.sent += piece.len() as u64;
        }
        cx.buffers.give(piece);
        if pulled? == Pull::End {
            if rest.chunked {
                encoder::last_chunk(&mut self.bytes);
            }
            self.end_rest(cx);
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

    /// Lends the bytes that [`next`](Self::next) gave, with how many of the first are sent already, to
    /// whoever sends them in the background. Until they are [given back](Self::give_back), nothing
    /// else is to be sent.
    pub(crate) fn lend(&mut self) -> (Vec<u8>, usize) {
        self.lent = true;
        (std::mem::take(&mut self.bytes), std::mem::take(&mut self.sent))
    }

    /// The bytes are back, and the first `sent` of them on their way.
    pub(crate) fn give_back(&mut self, bytes: Vec<u8>, sent: usize, cx: &mut Context) {
        self.lent = false;
        if sent >= bytes.len() {
            cx.buffers.give(bytes);
            return;
        }
        let later = std::mem::replace(&mut self.bytes, bytes);
        self.sent = sent;
        if later.capacity() > 0 {
            self.bytes.extend_from_slice(&later);
            cx.buffers.give(later);
        }
    }

    /// `count` bytes of the file are on their way.
    pub(crate) fn file_went(&mut self, count: usize, cx: &mut Context) {
        let Some(rest) = self.rest.as_deref_mut() else { return };
        let Payload::File(range) = &mut rest.payload else { return };
        let count = count as u64;
        range.offset += count;
        range.left = range.left.saturating_sub(count);
        if let Some(entry) = &mut rest.entry {
            entry.sent += count;
        }
        if range.left == 0 {
            self.end_rest(cx);
        }
    }

    /// The connection ends: what was not sent is dropped, what was is logged.
    pub(crate) fn abandon(&mut self, cx: &mut Context) {
        self.end_rest(cx);
        if self.bytes.capacity() > 0 {
            cx.buffers.give(std::mem::take(&mut self.bytes));
        }
    }

    fn end_rest(&mut self, cx: &mut Context) {
        if let Some(rest) = self.rest.take() {
            let entry = cx.rests.take_apart(rest);
            log(entry, cx);
        }
    }

    fn ensure_buffer(&mut self, cx: &mut Context) {
        if self.bytes.capacity() == 0 {
            self.bytes = cx.buffers.take();
        }
    }
}

fn log(entry: Option<Entry>, cx: &mut Context) {
    if let Some(entry) = entry {
        cx.log(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_at_rest_is_small() {
        assert!(size_of::<Output>() <= 48, "{}", size_of::<Output>());
    }
}
