// SPDX-License-Identifier: MIT OR Apache-2.0
//! The fields that decide where a message ends, whom it is for and what becomes of the connection.
//!
//! Two readers that differ about any of these can be played against each other (RFC 9112 section
//! 11.2), so whatever is ambiguous is refused here, even where the RFC would allow a guess.

use super::head::{BodyLength, Version};
use crate::http::authority::{Authority, authority};
use crate::http::headers::{elements, is_token, trim};
use crate::http::status::{Reject, Status};

/// What the framing fields of one head say, gathered field by field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Framing<'a> {
    host: Repeated<'a>,
    content_length: Repeated<'a>,
    coding: Coding,
    close: bool,
    keep_alive: bool,
    continues: bool,
    unknown_expectation: bool,
}

/// A field that may come once.
#[derive(Clone, Copy, Debug, Default)]
enum Repeated<'a> {
    #[default]
    Never,
    Once(&'a [u8]),
    Often,
}

impl<'a> Repeated<'a> {
    const fn and(self, value: &'a [u8]) -> Self {
        match self {
            Self::Never => Self::Once(value),
            Self::Once(_) | Self::Often => Self::Often,
        }
    }
}

/// What `Transfer-Encoding` says so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Coding {
    #[default]
    Absent,
    Chunked,
    /// A coding that this server does not know.
    Unknown,
    /// One or more such, and then `chunked`, so that the body has an end at least.
    UnknownChunked,
    /// Not a list of codings, or one that goes on after `chunked`.
    Malformed,
}

impl Coding {
    fn and_list(self, value: &[u8]) -> Self {
        value.split(|&byte| byte == b',').fold(self, |coding, element| {
            let element = trim(element);
            match coding {
                Self::Malformed | Self::Chunked | Self::UnknownChunked => Self::Malformed,
                Self::Absent | Self::Unknown => coding.and(element),
            }
        })
    }

    fn and(self, element: &[u8]) -> Self {
        let name = element.split(|&byte| byte == b';').next().unwrap_or_default();
        let name = trim(name);
        match name.eq_ignore_ascii_case(b"chunked") {
            // RFC 9112 section 7.1: chunked has no parameters.
            true if name.len() != element.len() => Self::Malformed,
            true if self == Self::Absent => Self::Chunked,
            true => Self::UnknownChunked,
            false if is_token(name) => Self::Unknown,
            false => Self::Malformed,
        }
    }
}

impl<'a> Framing<'a> {
    /// Takes one field into account; most have no say, which their length alone tells.
    pub(super) fn field(&mut self, name: &[u8], value: &'a [u8]) {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.host = self.host.and(value),
            6 if name.eq_ignore_ascii_case(b"expect") => self.expect(value),
            10 if name.eq_ignore_ascii_case(b"connection") => self.connection(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                self.content_length = self.content_length.and(value);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.coding = self.coding.and_list(value);
            }
            _ => {}
        }
    }

    fn expect(&mut self, value: &[u8]) {
        for element in elements(value) {
            let known = element.eq_ignore_ascii_case(b"100-continue");
            self.continues |= known;
            self.unknown_expectation |= !known;
        }
    }

    fn connection(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// The value of `Host`, which 1.1 must have and no version may have twice (RFC 9112 section
    /// 3.2).
    pub(super) fn host(&self, version: Version) -> Result<Option<Authority<'a>>, Reject> {
        match (self.host, version) {
            (Repeated::Once(value), _) => authority(value).map(Some).ok_or(bad("invalid Host")),
            (Repeated::Often, _) => Err(bad("two Host fields")),
            (Repeated::Never, Version::Http10) => Ok(None),
            (Repeated::Never, Version::Http11) => Err(bad("no Host")),
        }
    }

    /// How the body is delimited.
    pub(super) fn body(&self, version: Version) -> Result<BodyLength, Reject> {
        match (self.content_length, self.coding) {
            (Repeated::Never, Coding::Absent) => Ok(BodyLength::None),
            (Repeated::Once(value), Coding::Absent) => {
                length(value).map(BodyLength::Length).ok_or(bad("invalid Content-Length"))
            }
            (Repeated::Often, Coding::Absent) => Err(bad("two Content-Length fields")),
            (_, _) if version == Version::Http10 => Err(bad("Transfer-Encoding in HTTP/1.0")),
            (Repeated::Once(_) | Repeated::Often, _) => {
                Err(bad("both Content-Length and Transfer-Encoding"))
            }
            (Repeated::Never, Coding::Chunked) => Ok(BodyLength::Chunked),
            (Repeated::Never, Coding::Malformed) => Err(bad("malformed Transfer-Encoding")),
            // RFC 9112 section 6.3: nothing tells then where the body ends.
            (Repeated::Never, Coding::Unknown) => Err(bad("Transfer-Encoding without chunked")),
            (Repeated::Never, Coding::UnknownChunked) => {
                Err(Reject::new(Status::NOT_IMPLEMENTED, "unknown transfer coding"))
            }
        }
    }

    /// Whether the client waits for 100; HTTP/1.0 has no such thing (RFC 9110 section 10.1.1).
    pub(super) fn expects_continue(
        &self,
        version: Version,
        body: BodyLength,
    ) -> Result<bool, Reject> {
        if self.unknown_expectation {
            return Err(Reject::new(Status::EXPECTATION_FAILED, "unknown expectation"));
        }
        let has_body = !matches!(body, BodyLength::None | BodyLength::Length(0));
        Ok(self.continues && has_body && version == Version::Http11)
    }

    /// Whether the connection is to be kept (RFC 9112 section 9.3).
    pub(super) const fn persistent(&self, version: Version) -> bool {
        !self.close && (self.keep_alive || matches!(version, Version::Http11))
    }
}

/// Digits and nothing else, within 64 bits.
fn length(value: &[u8]) -> Option<u64> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(value).ok()?.parse().ok()
}

const fn bad(why: &'static str) -> Reject {
    Reject::new(Status::BAD_REQUEST, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing<'a>(fields: &[(&str, &'a str)]) -> Framing<'a> {
        let mut framing = Framing::default();
        for (name, value) in fields {
            framing.field(name.as_bytes(), value.as_bytes());
        }
        framing
    }

    #[test]
    fn content_length_is_digits() {
        let body = |value| framing(&[("content-length", value)]).body(Version::Http11);
        assert_eq!(body("18446744073709551615"), Ok(BodyLength::Length(u64::MAX)));
        assert_eq!(body("007"), Ok(BodyLength::Length(7)));
        for value in ["", "+1", "-1", "0x1", "1_0", "1 0", "1,1", "1.0", "18446744073709551616"] {
            assert_eq!(body(value).unwrap_err().status, Status::BAD_REQUEST, "{value}");
        }
    }

    #[test]
    fn only_chunked_is_known_and_comes_last_and_once() {
        let body = |value| {
            let body = framing(&[("Transfer-Encoding", value)]).body(Version::Http11);
            body.map_err(|reject| reject.status.code())
        };
        assert_eq!(body("Chunked"), Ok(BodyLength::Chunked));
        for value in ["gzip, chunked", "gzip, br, chunked", "gzip;q=1, chunked"] {
            assert_eq!(body(value), Err(501), "{value}");
        }
        for value in [
            "",
            "gzip",
            "identity",
            "xchunked",
            "gzip, chunked, gzip",
            "chunked, chunked",
            "chunked, gzip",
            "chunked,",
            ",chunked",
            "chunked;a=b",
            "chu nked",
        ] {
            assert_eq!(body(value), Err(400), "{value}");
        }
        let twice = framing(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")]);
        assert_eq!(twice.body(Version::Http11).unwrap_err().status, Status::BAD_REQUEST);
    }

    #[test]
    fn persistence_follows_version_and_lists() {
        for (value, http10, http11) in [
            ("", false, true),
            ("keep-alive", true, true),
            ("Close", false, false),
            ("x, Keep-Alive", true, true),
            ("keep-alive, close", false, false),
            ("closed", false, true),
        ] {
            let framing = framing(&[("Connection", value)]);
            assert_eq!(framing.persistent(Version::Http10), http10, "{value}");
            assert_eq!(framing.persistent(Version::Http11), http11, "{value}");
        }
    }

    #[test]
    fn expectations() {
        let expects = |value, version, body| {
            framing(&[("Expect", value)])
                .expects_continue(version, body)
                .map_err(|r| r.status.code())
        };
        assert_eq!(expects("100-Continue", Version::Http11, BodyLength::Chunked), Ok(true));
        assert_eq!(expects("100-continue", Version::Http10, BodyLength::Length(1)), Ok(false));
        assert_eq!(expects("100-continue", Version::Http11, BodyLength::None), Ok(false));
        assert_eq!(expects("100-continue, x", Version::Http11, BodyLength::Chunked), Err(417));
    }
}
