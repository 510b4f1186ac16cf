// SPDX-License-Identifier: MIT OR Apache-2.0
//! Request targets (RFC 9112 section 3.2) and the path in them, decoded.
//!
//! Which bytes a target may have follows nginx, because browsers and command-line tools send them:
//! all but controls, space and DEL; so bytes over 0x7e are let through, as are the printable ones
//! that RFC 3986 wants encoded. `#` is refused: a target has no fragment, and what stands in
//! front of this server may have cut there.

use super::authority::{Authority, authority};
use super::method::Method;
use super::scan::run_length;
use super::status::{Reject, Status};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// Which of the four forms a target has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// `/path?query`
    #[default]
    Origin,
    /// `http://host/path?query`
    Absolute,
    /// `host:port`, with CONNECT only.
    Authority,
    /// `*`, with OPTIONS only.
    Asterisk,
}

/// A target's parts, as slices or as spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target<T> {
    pub(crate) form: Form,
    /// The host and port in absolute and authority form: they override `Host`.
    pub(crate) authority: Option<T>,
    /// The path as sent; empty where the target has none.
    pub(crate) path: T,
    /// What follows the first `?`, as sent.
    pub(crate) query: Option<T>,
}

impl<T> Target<T> {
    /// The same parts in another representation.
    pub(crate) fn map<U>(self, convert: impl Fn(T) -> U) -> Target<U> {
        Target {
            form: self.form,
            authority: self.authority.map(&convert),
            path: convert(self.path),
            query: self.query.map(&convert),
        }
    }
}

impl<'a> Target<&'a [u8]> {
    /// Splits the target of a request with this method.
    ///
    /// # Errors
    /// 400 for a byte that no target has, and for a form that the method does not go with; 421 for
    /// `https`.
    pub(crate) fn parse(method: Method, raw: &'a [u8]) -> Result<Self, Reject> {
        let forbidden = |byte| (byte <= b' ') | (byte == 0x7f) | (byte == b'#');
        if run_length(raw, forbidden) < raw.len() {
            return Err(bad("forbidden byte in the request target"));
        }
        let none = raw.get(..0).unwrap_or_default();
        match (method, raw) {
            (Method::Connect, _) => match authority(raw) {
                Some(Authority { port: Some(_), .. }) => {
                    let authority = Some(raw);
                    Ok(Self { form: Form::Authority, authority, path: none, query: None })
                }
                _ => Err(bad("CONNECT without host and port")),
            },
            (Method::Options, b"*") => {
                Ok(Self { form: Form::Asterisk, authority: None, path: none, query: None })
            }
            (_, [b'/', ..]) => {
                let (path, query) = split_query(raw);
                Ok(Self { form: Form::Origin, authority: None, path, query })
            }
            _ => Self::parse_absolute(raw),
        }
    }

    fn parse_absolute(raw: &'a [u8]) -> Result<Self, Reject> {
        let after = |scheme: &[u8]| {
            let (start, rest) = raw.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        };
        if after(b"https://").is_some() {
            // RFC 9110 section 7.4: only a secured connection is for such a target.
            return Err(Reject::new(Status::MISDIRECTED_REQUEST, "https without TLS"));
        }
        let rest = after(b"http://").ok_or(bad("request target of no known form"))?;
        let end = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
        let (host, tail) = rest.split_at(end);
        if authority(host).is_none() {
            return Err(bad("invalid authority in the request target"));
        }
        let (path, query) = split_query(tail);
        Ok(Self { form: Form::Absolute, authority: Some(host), path, query })
    }
}

fn split_query(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|&byte| byte == b'?') {
        Some(mark) => {
            let (path, query) = raw.split_at(mark);
            (path, query.get(1..))
        }
        None => (raw, None),
    }
}

/// Replaces `out` with the path that `raw` names: percent-decoded once, then normalised, so that
/// an encoded `/` or `.` counts as itself, as in nginx. What comes out begins with `/` and has no
/// `.`, `..` or empty segment (but for an empty last one) and no NUL. An empty path is `/`.
///
/// # Errors
/// 400 for a broken escape, an encoded NUL, and for `..` above the root.
pub(crate) fn decode_path(raw: &[u8], out: &mut Vec<u8>) -> Result<(), Reject> {
    out.clear();
    if is_plain(raw) {
        out.extend_from_slice(raw);
        return Ok(());
    }
    if memchr::memchr(b'%', raw).is_none() {
        out.extend_from_slice(raw);
    } else if escapes_are_valid(raw) {
        out.extend(percent_decode(raw));
    } else {
        return Err(bad("broken percent-escape in the path"));
    }
    if memchr::memchr(0, out).is_some() {
        return Err(bad("NUL in the path"));
    }
    normalise(out)
}

/// Whether a path names itself, as most do: nothing in it is encoded, and no segment is empty or begins
/// with a dot.
fn is_plain(raw: &[u8]) -> bool {
    let [b'/', rest @ ..] = raw else { return false };
    let is_special = |(&before, &byte): (&u8, &u8)| {
        let begins = before == b'/';
        (byte == b'%') | (byte == 0) | (begins & ((byte == b'/') | (byte == b'.')))
    };
    // Without an early end, so that many bytes are looked at together.
    !raw.iter().zip(rest).fold(false, |found, pair| found | is_special(pair))
}

/// Whether each `%` is followed by two hexadecimal digits.
fn escapes_are_valid(raw: &[u8]) -> bool {
    memchr::memchr_iter(b'%', raw).all(|at| {
        raw.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

/// Appends a path so that it can stand in a URI: all bytes but unreserved characters, `/` and the
/// sub-delimiters that mean nothing in a path are percent-encoded (RFC 3986 section 3.3).
pub(crate) fn encode_path(path: &[u8], out: &mut Vec<u8>) {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~')
        .remove(b'!')
        .remove(b'$')
        .remove(b'(')
        .remove(b')')
        .remove(b'*')
        .remove(b'+')
        .remove(b',')
        .remove(b'=')
        .remove(b'@');
    percent_encode(path, ENCODED).for_each(|piece| out.extend_from_slice(piece.as_bytes()));
}

/// Merges slashes and removes dot segments (RFC 3986 section 5.2.4) in place.
fn normalise(path: &mut Vec<u8>) -> Result<(), Reject> {
    let mut read = 0;
    let mut written = 0_usize;
    // Everything before `written` is normal and, as long as segments follow, ends in `/`.
    while read < path.len() {
        let rest = path.get(read..).unwrap_or_default();
        let length = memchr::memchr(b'/', rest).unwrap_or(rest.len());
        let is_last = length == rest.len();
        match rest.get(..length).unwrap_or_default() {
            b"" if written > 0 => {}
            b"." => {}
            b".." => {
                let parent = path.get(..written.saturating_sub(1)).unwrap_or_default();
                let slash = memchr::memrchr(b'/', parent);
                written = slash.ok_or(bad("path above the root"))? + 1;
            }
            _ => {
                let end = read + length + usize::from(!is_last);
                path.copy_within(read..end, written);
                written += end - read;
            }
        }
        read += length + 1;
    }
    path.truncate(written);
    if path.is_empty() {
        path.push(b'/');
    }
    Ok(())
}

const fn bad(why: &'static str) -> Reject {
    Reject::new(Status::BAD_REQUEST, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(raw: &str) -> Result<String, &'static str> {
        let mut out = b"left over".to_vec();
        decode_path(raw.as_bytes(), &mut out).map_err(|reject| reject.why)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn paths_are_decoded_once_and_normalised() {
        for (raw, expected) in [
            ("/", "/"),
            ("", "/"),
            ("/a%20b", "/a b"),
            ("/%2541", "/%41"),
            ("//a///b/", "/a/b/"),
            ("/a/./b/.", "/a/b/"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/..", "/"),
            ("/a%2f..%2fb", "/b"),
            ("/a/.../..b/b..", "/a/.../..b/b.."),
            ("/a/%2e%2E/b", "/b"),
            ("/./a", "/a"),
            ("/a//../b", "/b"),
        ] {
            assert_eq!(path(raw).as_deref(), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn bad_paths_are_refused() {
        for raw in ["/..", "/../a", "/a/../../b", "/%2e%2e/", "/a%2f..%2f..%2fb", "//../x"] {
            assert_eq!(path(raw), Err("path above the root"), "{raw}");
        }
        for raw in ["/%", "/%4", "/%zz", "/%%41", "/a%2"] {
            assert_eq!(path(raw), Err("broken percent-escape in the path"), "{raw}");
        }
        assert_eq!(path("/a%00b"), Err("NUL in the path"));
    }

    #[test]
    fn the_four_forms() {
        let parse = |method, raw: &'static str| Target::parse(method, raw.as_bytes());
        let origin = parse(Method::Get, "/a?b?c").unwrap();
        assert_eq!((origin.path, origin.query), (&b"/a"[..], Some(&b"b?c"[..])));
        let absolute = parse(Method::Get, "HTTP://h:8?q").unwrap();
        assert_eq!(absolute.form, Form::Absolute);
        assert_eq!(absolute.authority, Some(&b"h:8"[..]));
        assert_eq!((absolute.path, absolute.query), (&b""[..], Some(&b"q"[..])));
        assert_eq!(parse(Method::Connect, "h:443").unwrap().form, Form::Authority);
        assert_eq!(parse(Method::Options, "*").unwrap().form, Form::Asterisk);
        for (method, raw) in [
            (Method::Get, "*"),
            (Method::Get, "h:443"),
            (Method::Get, "ftp://h/"),
            (Method::Get, "https://h/"),
            (Method::Get, "http:///a"),
            (Method::Get, "http://user@h/"),
            (Method::Get, "a"),
            (Method::Get, "/a#b"),
            (Method::Get, "/a\x7f"),
            (Method::Connect, "h"),
            (Method::Connect, "/"),
        ] {
            assert!(parse(method, raw).is_err(), "{raw}");
        }
    }

    proptest! {
        #[test]
        fn an_encoded_path_is_decoded_to_itself(raw: Vec<u8>) {
            let (mut path, mut encoded, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
            prop_assume!(decode_path(&[b"/", &raw[..]].concat(), &mut path).is_ok());
            encode_path(&path, &mut encoded);
            decode_path(&encoded, &mut decoded).unwrap();
            prop_assert_eq!(&decoded, &path);
            prop_assert!(Target::parse(Method::Get, &encoded).is_ok_and(|t| t.path == encoded));
        }

        #[test]
        fn a_decoded_path_is_safe_and_normal(raw in "/([a./]|%2[eEfF]|%2541|%00|%|\\PC|\\x00){0,20}") {
            let mut once = Vec::new();
            if decode_path(raw.as_bytes(), &mut once).is_ok() {
                prop_assert!(once.starts_with(b"/"));
                prop_assert!(!once.contains(&0));
                let segments: Vec<_> = once[1..].split(|&byte| byte == b'/').collect();
                let (_, inner) = segments.split_last().unwrap();
                prop_assert!(segments.iter().all(|segment| *segment != b".." && *segment != b"."));
                prop_assert!(inner.iter().all(|segment| !segment.is_empty()));
                let mut twice = once.clone();
                normalise(&mut twice).unwrap();
                prop_assert_eq!(once, twice);
            }
        }
    }
}
