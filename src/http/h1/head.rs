// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request's head: what the decoder found, as offsets into the bytes that it consumed.
//!
//! A `Head` owns no bytes and is used again for the next request, so that none allocates once the
//! field list has grown to its usual size.

use super::framing::Framing;
use super::lines::parse_fields;
use super::request_line::RequestLine;
use crate::http::authority::{self, Authority};
use crate::http::headers::{FieldSpan, Fields, Span};
use crate::http::method::Method;
use crate::http::status::Reject;
use crate::http::target::Target;

/// The version that a message is read and answered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1, or a later minor version.
    #[default]
    Http11,
}

/// How a request's body is delimited (RFC 9112 section 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyLength {
    /// There is none.
    #[default]
    None,
    /// `Content-Length`, in bytes; may be 0.
    Length(u64),
    /// `Transfer-Encoding: chunked`
    Chunked,
}

/// A request's head.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) body: BodyLength,
    /// Whether the client wants the connection kept (RFC 9112 section 9.3).
    pub(crate) persistent: bool,
    /// Whether the client waits for 100 before it sends the body.
    pub(crate) expect_continue: bool,
    raw_target: Span,
    target: Target<Span>,
    authority: Span,
    fields: Vec<FieldSpan>,
}

impl Head {
    /// The head together with `bytes`, those that the decoder consumed with it.
    pub(crate) const fn view<'a>(&'a self, bytes: &'a [u8]) -> RequestHead<'a> {
        RequestHead { head: self, bytes }
    }

    /// Describes the request with this line and this block of `lines` field lines, both of which
    /// are parts of `bytes`.
    pub(super) fn fill(
        &mut self,
        bytes: &[u8],
        line: &RequestLine<'_>,
        block: &[u8],
        lines: usize,
    ) -> Result<(), Reject> {
        let mut framing = Framing::default();
        self.fields.clear();
        parse_fields(block, lines, |name, value| {
            framing.field(name, value);
            let (name, value) = (Span::of(bytes, name), Span::of(bytes, value));
            self.fields.push(FieldSpan { name, value });
            Ok(())
        })?;
        self.method = line.method;
        self.version = line.version;
        self.raw_target = Span::of(bytes, line.raw_target);
        self.target = line.target.map(|part| Span::of(bytes, part));
        let host = framing.host(line.version)?;
        let authority = line.target.authority.or(host);
        self.authority = authority.map_or(Span::default(), |part| Span::of(bytes, part));
        self.body = framing.body(line.version)?;
        self.expect_continue = framing.expects_continue(line.version, self.body)?;
        self.persistent = framing.persistent(line.version);
        Ok(())
    }
}

/// A request's head with its bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestHead<'a> {
    head: &'a Head,
    bytes: &'a [u8],
}

impl<'a> RequestHead<'a> {
    /// Method, version, framing.
    pub(crate) const fn head(self) -> &'a Head {
        self.head
    }

    /// The target as it was sent.
    pub(crate) fn raw_target(self) -> &'a [u8] {
        self.head.raw_target.of_bytes(self.bytes)
    }

    /// The target's parts.
    pub(crate) fn target(self) -> Target<&'a [u8]> {
        self.head.target.map(|part| part.of_bytes(self.bytes))
    }

    /// Host and port of the target, else of `Host`; `None` in HTTP/1.0 without either.
    pub(crate) fn authority(self) -> Option<Authority<'a>> {
        authority::authority(self.head.authority.of_bytes(self.bytes))
    }

    /// All fields.
    pub(crate) fn fields(self) -> Fields<'a> {
        Fields::new(self.bytes, &self.head.fields)
    }

    /// The value of the first field of this name.
    pub(crate) fn header(self, name: &str) -> Option<&'a [u8]> {
        self.fields().first(name)
    }
}
