// SPDX-License-Identifier: MIT OR Apache-2.0
//! The request line (RFC 9112 section 3): method, target and version, with one space between.

use super::head::Version;
use crate::http::headers::is_token;
use crate::http::method::Method;
use crate::http::status::{Reject, Status};
use crate::http::target::Target;

/// A request line's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestLine<'a> {
    pub(super) method: Method,
    pub(super) raw_target: &'a [u8],
    pub(super) target: Target<&'a [u8]>,
    pub(super) version: Version,
}

impl<'a> RequestLine<'a> {
    /// Parses a line, which comes without its end.
    ///
    /// # Errors
    /// 400 for a malformed line, which one without a version (HTTP/0.9) is too; 505 for a version
    /// other than 1.x; 501 for an unknown method.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, Reject> {
        let (token, rest) = split_space(line).ok_or(bad("request line without a target"))?;
        let method = Method::parse(token);
        if method.is_none() && !is_token(token) {
            return Err(bad("malformed method"));
        }
        let (raw_target, version) =
            split_space(rest).ok_or(bad("request line without a version"))?;
        if raw_target.is_empty() {
            return Err(bad("two spaces in the request line"));
        }
        let version = parse_version(version)?;
        let method = method.ok_or(Reject::new(Status::NOT_IMPLEMENTED, "unknown method"))?;
        let target = Target::parse(method, raw_target)?;
        Ok(Self { method, raw_target, target, version })
    }
}

fn split_space(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    // Where targets are short, a search that prepares itself takes longer.
    let (before, after) = bytes.split_at(bytes.iter().position(|&byte| byte == b' ')?);
    Some((before, after.get(1..)?))
}

/// A later minor version of 1 is taken for 1.1 (RFC 9110 section 2.5).
fn parse_version(bytes: &[u8]) -> Result<Version, Reject> {
    match bytes {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'2'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
            Err(Reject::new(Status::VERSION_NOT_SUPPORTED, "unsupported version"))
        }
        _ => Err(bad("malformed version")),
    }
}

const fn bad(why: &'static str) -> Reject {
    Reject::new(Status::BAD_REQUEST, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_three_parts() {
        let line = RequestLine::parse(b"POST /a?b HTTP/1.0").unwrap();
        assert_eq!((line.method, line.version), (Method::Post, Version::Http10));
        assert_eq!((line.raw_target, line.target.path), (&b"/a?b"[..], &b"/a"[..]));
    }

    #[test]
    fn versions() {
        let version = |text: &str| {
            let line = format!("GET / {text}");
            RequestLine::parse(line.as_bytes())
                .map(|line| line.version)
                .map_err(|r| r.status.code())
        };
        assert_eq!(version("HTTP/1.7"), Ok(Version::Http11));
        for text in ["HTTP/2.0", "HTTP/0.9", "HTTP/3.0"] {
            assert_eq!(version(text), Err(505), "{text}");
        }
        for text in
            ["", " HTTP/1.1", "HTTP/1.1 ", "HTTP/1.10", "http/1.1", "HTTP/11", "HTTP/2", "HTTP/1."]
        {
            assert_eq!(version(text), Err(400), "{text}");
        }
    }
}
