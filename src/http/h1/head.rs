// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request's head: what the decoder found, as offsets into the bytes that it consumed.
//!
//! A `Head` owns no bytes and is used again for the next request, so that none allocates once the
//! field list has grown to its usual size.

use super::framing::Framing;
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
    /// Empty if the request names none.
    host: Span,
    port: Option<u16>,
    fields: Vec<FieldSpan>,
}

impl Head {
    /// The head together with `bytes`, those that the decoder consumed with it.
    pub(crate) const fn view<'a>(&'a self, bytes: &'a [u8]) -> RequestHead<'a> {
        RequestHead { head: self, bytes }
    }

    /// Begins to describe another request, of which `bytes` are the first.
    pub(super) fn begin<'h, 'a>(&'h mut self, bytes: &'a [u8]) -> Gathering<'h, 'a> {
        self.fields.clear();
        Gathering { head: self, bytes, framing: Framing::default() }
    }
}

/// A head whose fields are being gathered.
pub(super) struct Gathering<'h, 'a> {
    head: &'h mut Head,
    bytes: &'a [u8],
    framing: Framing<'a>,
}

impl<'a> Gathering<'_, 'a> {
    /// Takes the next field, whose name and value are parts of the bytes.
    pub(super) fn field(&mut self, name: &'a [u8], value: &'a [u8]) {
        self.framing.field(name, value);
        let (name, value) = (Span::of(self.bytes, name), Span::of(self.bytes, value));
        self.head.fields.push(FieldSpan { name, value });
    }

    /// All fields are there; `line`, a part of the bytes too, came before them.
    pub(super) fn finish(self, line: &RequestLine<'_>) -> Result<(), Reject> {
        let Self { head, bytes, framing } = self;
        head.method = line.method;
        head.version = line.version;
        head.raw_target = Span::of(bytes, line.raw_target);
        head.target = line.target.map(|part| Span::of(bytes, part));
        let field = framing.host(line.version)?;
        let authority = line.target.authority.map_or(field, authority::authority);
        head.host = authority.map_or(Span::default(), |it| Span::of(bytes, it.host));
        head.port = authority.and_then(|it| it.port);
        head.body = framing.body(line.version)?;
        head.expect_continue = framing.expects_continue(line.version, head.body)?;
        head.persistent = framing.persistent(line.version);
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
        let host = self.head.host.of_bytes(self.bytes);
        (!host.is_empty()).then_some(Authority { host, port: self.head.port })
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
