// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers to bytes (RFC 9112), appended to a buffer of the caller's.
//!
//! The status line and the fields about framing and the connection are written here and nowhere else;
//! `Server` and `Date` come in as lines that many answers share, all other fields as lines made by
//! [`field`].

use super::head::Version;
use crate::http::headers::{is_token, is_value_byte};
use crate::http::status::Status;
use std::fmt;
use std::io::Write as _;

/// The interim answer that asks for the body (RFC 9110 section 15.2.1).
pub(crate) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// How an answer's body is delimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    /// There is no body and nothing is said about one: 204, 304.
    #[default]
    None,
    /// `Content-Length`; of an answer to HEAD, the length that GET would have.
    Length(u64),
    /// `Transfer-Encoding: chunked`, which HTTP/1.0 does not know.
    Chunked,
    /// The body ends with the connection.
    UntilClose,
}

impl BodyFraming {
    /// The framing of a body whose length is not known, for a client of this version.
    pub(crate) const fn of_unknown_length(version: Version) -> Self {
        match version {
            Version::Http10 => Self::UntilClose,
            Version::Http11 => Self::Chunked,
        }
    }
}

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResponseHead<'a> {
    /// The version of the request.
    pub(crate) version: Version,
    pub(crate) status: Status,
    /// The lines of [`CommonLines`](super::common::CommonLines).
    pub(crate) common: &'a [u8],
    pub(crate) framing: BodyFraming,
    /// Whether the connection stays open after the answer.
    pub(crate) persistent: bool,
    /// Further field lines, made by [`field`].
    pub(crate) fields: &'a [u8],
}

/// Appends a head. The status decides over the framing where it allows no body.
pub(crate) fn head(out: &mut Vec<u8>, head: &ResponseHead<'_>) {
    let mut number = itoa::Buffer::new();
    let put = |out: &mut Vec<u8>, parts: &[&[u8]]| parts.iter().for_each(|part| out.extend(*part));
    out.reserve(128 + head.common.len() + head.fields.len());
    if head.status == Status::OK {
        out.extend(b"HTTP/1.1 200 OK\r\n");
    } else {
        let code = number.format(head.status.code()).as_bytes();
        put(out, &[b"HTTP/1.1 ", code, b" ", head.status.reason().as_bytes(), b"\r\n"]);
    }
    out.extend(head.common);
    let framing = if head.status.has_body() { head.framing } else { BodyFraming::None };
    match framing {
        BodyFraming::None | BodyFraming::UntilClose => {}
        BodyFraming::Length(length) => {
            put(out, &[b"Content-Length: ", number.format(length).as_bytes(), b"\r\n"]);
        }
        BodyFraming::Chunked => out.extend(b"Transfer-Encoding: chunked\r\n"),
    }
    match (head.persistent && framing != BodyFraming::UntilClose, head.version) {
        (false, _) => out.extend(b"Connection: close\r\n"),
        (true, Version::Http10) => out.extend(b"Connection: keep-alive\r\n"),
        (true, Version::Http11) => {}
    }
    put(out, &[head.fields, b"\r\n"]);
}

/// Why a field is not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldError {
    /// The name is not a token.
    Name,
    /// The value has a control character in it.
    Value,
    /// The field is the encoder's own.
    Reserved,
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "not a field name",
            Self::Value => "control character in a field value",
            Self::Reserved => "field that only the server sets",
        })
    }
}

/// The fields that [`head`] writes, and those that would contradict them.
const RESERVED: [&str; 9] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "proxy-connection",
    "server",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Appends a field line.
///
/// # Errors
/// A name or value that would break out of its line or contradict the head; nothing is appended.
pub(crate) fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), FieldError> {
    if !is_token(name) {
        return Err(FieldError::Name);
    }
    if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved.as_bytes())) {
        return Err(FieldError::Reserved);
    }
    if !value.iter().copied().all(is_value_byte) {
        return Err(FieldError::Value);
    }
    for part in [name, b": ", value, b"\r\n"] {
        out.extend(part);
    }
    Ok(())
}

/// Appends a chunk with this data; none for empty data, which would end the body.
pub(crate) fn chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    // Writing to a vector does not fail.
    let _ = write!(out, "{:x}\r\n", data.len());
    out.extend(data);
    out.extend(b"\r\n");
}

/// Appends the chunk that ends a body without trailers.
pub(crate) fn last_chunk(out: &mut Vec<u8>) {
    out.extend(b"0\r\n\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMON: &[u8] = b"Server: evl\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";

    fn encoded(version: Version, code: u16, framing: BodyFraming, persistent: bool) -> String {
        let (status, fields) = (Status::new(code).unwrap(), &b"X: y\r\n"[..]);
        let mut out = Vec::new();
        let answer = ResponseHead { version, status, common: COMMON, framing, persistent, fields };
        head(&mut out, &answer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_whole_head() {
        let text = encoded(Version::Http11, 200, BodyFraming::Length(5), true);
        let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        let expected =
            format!("HTTP/1.1 200 OK\r\nServer: evl\r\n{date}Content-Length: 5\r\nX: y\r\n\r\n");
        assert_eq!(text, expected);
        let text = encoded(Version::Http11, 299, BodyFraming::Length(0), true);
        assert!(text.starts_with("HTTP/1.1 299 \r\n"));
    }

    #[test]
    fn connection_follows_version_and_framing() {
        use BodyFraming::{Chunked, Length, UntilClose};
        for (version, framing, persistent, expected) in [
            (Version::Http11, Length(1), true, None),
            (Version::Http11, Chunked, false, Some("Connection: close\r\n")),
            (Version::Http10, Length(1), true, Some("Connection: keep-alive\r\n")),
            (Version::Http10, Length(1), false, Some("Connection: close\r\n")),
            (Version::Http10, UntilClose, true, Some("Connection: close\r\n")),
        ] {
            let text = encoded(version, 200, framing, persistent);
            let found = text.find("Connection").map(|at| text[at..].split_inclusive('\n').next());
            assert_eq!(found.flatten(), expected);
        }
    }

    #[test]
    fn no_framing_where_there_is_no_body() {
        for code in [100, 204, 304] {
            for framing in [BodyFraming::Length(1), BodyFraming::Chunked, BodyFraming::None] {
                let text = encoded(Version::Http11, code, framing, true);
                assert!(!text.contains("Length") && !text.contains("Encoding"), "{text}");
            }
        }
    }

    #[test]
    fn fields_that_would_break_the_head_are_refused() {
        for (name, value, expected) in [
            ("", "x", FieldError::Name),
            ("a b", "x", FieldError::Name),
            ("a:", "x", FieldError::Name),
            ("a", "x\r\nb: c", FieldError::Value),
            ("a", "x\n", FieldError::Value),
            ("a", "\0", FieldError::Value),
            ("content-LENGTH", "1", FieldError::Reserved),
            ("Date", "x", FieldError::Reserved),
        ] {
            let mut out = Vec::new();
            assert_eq!(field(&mut out, name.as_bytes(), value.as_bytes()), Err(expected));
            assert!(out.is_empty());
        }
        let mut out = Vec::new();
        assert_eq!(field(&mut out, b"X-Name", "\t\u{e4}".as_bytes()), Ok(()));
        assert_eq!(out, "X-Name: \t\u{e4}\r\n".as_bytes());
    }

    #[test]
    fn empty_data_makes_no_chunk() {
        let mut out = Vec::new();
        chunk(&mut out, b"");
        chunk(&mut out, &[b'x'; 26]);
        last_chunk(&mut out);
        assert_eq!(out, b"1a\r\nxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n0\r\n\r\n");
    }

    proptest! {
        #[test]
        fn a_field_is_one_line_or_nothing(name: Vec<u8>, value: Vec<u8>) {
            let mut out = Vec::new();
            let written = field(&mut out, &name, &value).is_ok();
            prop_assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), usize::from(written));
            prop_assert_eq!(out.ends_with(b"\r\n"), written);
        }
    }
}
