// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request and the answer to it, as handlers see them.

use super::body::{Body, Payload};
use super::context::Buffers;
use super::limits;
use super::open_files::OpenFiles;
use super::routes::Params;
use crate::error::{Error, Result};
use crate::http::h1::encoder;
use crate::http::h1::head::RequestHead;
use crate::http::headers::Span;
use crate::http::method::Method;
use crate::http::status::Status;
use crate::net::Peer;
use std::cell::OnceCell;
use std::time::SystemTime;

/// A field's name and value, apart from the message they came in.
pub(crate) type OwnedField = (Box<[u8]>, Box<[u8]>);

/// One request and its answer.
pub struct Exchange<'a> {
    /// What the client asks.
    pub request: Request<'a>,
    /// What it will get.
    pub response: &'a mut Response,
    /// The worker's open files.
    pub(crate) files: &'a mut OpenFiles,
    /// The worker's buffers.
    pub(crate) buffers: &'a mut Buffers,
}

/// A request with its whole body. Everything in it is borrowed until the handler returns.
pub struct Request<'a> {
    pub(crate) head: RequestHead<'a>,
    pub(crate) path: &'a [u8],
    pub(crate) query: Option<&'a [u8]>,
    pub(crate) body: &'a [u8],
    pub(crate) trailers: &'a [OwnedField],
    pub(crate) params: Option<Params<'a, 'a>>,
    /// The time of day at which it is answered.
    pub(crate) now: SystemTime,
    pub(crate) peer: Peer,
    pub(crate) peer_text: OnceCell<String>,
}

impl<'a> Request<'a> {
    pub(crate) fn known_method(&self) -> Method {
        self.head.head().method
    }

    /// The method, such as `GET` (RFC 9110 section 9).
    pub fn method(&self) -> &'static str {
        self.head.head().method.as_str()
    }

    /// The target as it was sent (RFC 9112 section 3.2).
    pub fn target(&self) -> &'a [u8] {
        self.head.raw_target()
    }

    /// The path: percent-decoded once, dot segments removed, slashes merged.
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The query as it was sent, without its `?`; `None` if the target has none.
    pub fn query(&self) -> Option<&'a [u8]> {
        self.query
    }

    /// The value of the first field of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.head.header(name)
    }

    /// The fields in the order in which they came.
    pub fn headers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.head.fields().iter()
    }

    /// The content, whole and without its transfer coding; empty if there is none.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The fields that came after a chunked body (RFC 9110 section 6.5), without those that mean
    /// nothing there.
    pub fn trailers(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.trailers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// What stands in the path for `{name}` of the route's pattern.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.as_ref().and_then(|params| params.get(name))
    }

    /// The client's address and port as text, `unix:` for a unix socket.
    pub fn peer(&self) -> &str {
        self.peer_text.get_or_init(|| match self.peer {
            Peer::Ip(address) => address.to_string(),
            Peer::Unix => "unix:".to_owned(),
        })
    }
}

/// An answer being put together. The engine adds `Date`, `Server`, the length or the transfer coding,
/// and what the connection needs.
#[derive(Default)]
pub struct Response {
    pub(crate) status: Status,
    /// Encoded header lines.
    pub(crate) fields: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) payload: Payload,
    /// Close the connection after this answer; with `silent` instead of it.
    pub(crate) close: bool,
    pub(crate) silent: bool,
    /// Descriptors or memory ran out while it was made: idle connections are to make room.
    pub(crate) exhausted: bool,
}

impl Response {
    /// Empty again, with its buffers kept unless they grew large.
    pub(crate) fn reset(&mut self) {
        self.status = Status::OK;
        self.fields.clear();
        self.clear_content();
        self.bytes.shrink_to(limits::OUTPUT_HIGH);
        self.close = false;
        self.silent = false;
        self.exhausted = false;
    }

    /// Forgets the content, not the header lines.
    pub(crate) fn clear_content(&mut self) {
        self.bytes.clear();
        self.payload = Payload::None;
    }

    /// Sets the status; 200 if never called.
    ///
    /// # Errors
    /// `EINVAL` for a number that is not between 200 and 599.
    pub fn set_status(&mut self, code: u16) -> Result<()> {
        let status = Status::new(code).filter(|_| (200..=599).contains(&code));
        self.status = status.ok_or_else(|| {
            Error::invalid(format!("{code} is not a final status: use 200 to 599"))
        })?;
        Ok(())
    }

    /// Adds a header field.
    ///
    /// # Errors
    /// `EINVAL` for a name that is not a token (RFC 9110 section 5.1), for a value with CR, LF or NUL,
    /// and for the fields that the engine writes itself: `Connection`, `Content-Length`, `Date`,
    /// `Server`, `Transfer-Encoding` and their like.
    pub fn header(&mut self, name: &str, value: &[u8]) -> Result<()> {
        encoder::field(&mut self.fields, name.as_bytes(), value)
            .map_err(|why| Error::invalid(format!("header {name:?}: {why}")))
    }

    /// Appends to the content.
    pub fn write(&mut self, content: &[u8]) {
        self.bytes.extend_from_slice(content);
    }

    /// Has the rest of the content, after what was written, made by `body` while it is sent. Its
    /// length is not known, so it goes out chunked (RFC 9112 section 7.1), or, to a client of HTTP/1.0,
    /// until the connection closes.
    pub fn stream(&mut self, body: Box<dyn Body>) {
        self.payload = Payload::Stream { body, left: None };
    }

    /// As [`stream`](Self::stream) with content whose length is known: it goes out with that length. A
    /// body that ends sooner cuts the answer; what it gives beyond is not sent.
    pub fn stream_sized(&mut self, length: u64, body: Box<dyn Body>) {
        self.payload = Payload::Stream { body, left: Some(length) };
    }

    /// The value of the first header line of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&[u8]> {
        self.named(name)
            .next()
            .map(|line| line.get(name.len() + 2..line.len() - 2).unwrap_or_default())
    }

    /// Adds header lines, or pieces of one, that the engine knows to be right.
    pub(crate) fn lines(&mut self, lines: &str) {
        self.fields.extend_from_slice(lines.as_bytes());
    }

    /// The header lines of this name, which all end in CR LF and have `: ` after the name.
    fn named(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields.split_inclusive(|&byte| byte == b'\n').filter(move |line| {
            line.split_at_checked(name.len()).is_some_and(|(start, rest)| {
                start.eq_ignore_ascii_case(name.as_bytes()) && rest.starts_with(b": ")
            })
        })
    }

    /// Takes the header lines of this name away.
    pub(crate) fn remove(&mut self, name: &str) {
        loop {
            let line = self.named(name).next().map(|line| Span::of(&self.fields, line));
            let Some(line) = line else { break };
            self.fields.drain(line.range());
        }
    }

    /// Adds a header line that the engine knows to be right.
    pub(crate) fn line(&mut self, name: &str, value: &[u8]) {
        for piece in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.fields.extend_from_slice(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_answer_leaves_no_large_buffer_behind() {
        let mut response = Response::default();
        response.write(&[b'x'; 1 << 20]);
        response.reset();
        assert!(response.bytes.is_empty() && response.bytes.capacity() <= limits::OUTPUT_HIGH);
    }
}
