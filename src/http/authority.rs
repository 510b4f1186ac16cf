// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host and port of a URI, and of a `Host` field, which has the same form (RFC 3986 section
//! 3.2).

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in brackets; never empty.
    pub(crate) host: &'a [u8],
    /// The port if one is given; `host:` gives none.
    pub(crate) port: Option<u16>,
}

/// Splits `uri-host [ ":" port ]` (RFC 3986 section 3.2); `None` if it is not of that form. User
/// information is refused, and so is an empty host: no `http` URI has one (RFC 9110 section 4.2.1).
pub(crate) fn authority(raw: &[u8]) -> Option<Authority<'_>> {
    let (host, rest) = match raw {
        [b'[', tail @ ..] => {
            let close = memchr::memchr(b']', tail)?;
            let address = tail.get(..close)?;
            let known = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
            if !address.contains(&b':') || !address.iter().all(known) {
                return None;
            }
            raw.split_at_checked(close + 2)?
        }
        _ => {
            let (host, rest) = raw.split_at(memchr::memchr(b':', raw).unwrap_or(raw.len()));
            if host.is_empty() || !is_registered_name(host) {
                return None;
            }
            (host, rest)
        }
    };
    let port = match rest {
        [] | [b':'] => None,
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => {
            Some(str::from_utf8(digits).ok()?.parse().ok()?)
        }
        _ => return None,
    };
    Some(Authority { host, port })
}

/// `reg-name`: unreserved characters, sub-delimiters and percent-encoded bytes.
fn is_registered_name(host: &[u8]) -> bool {
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'.'
                    | b'_'
                    | b'~'
                    | b'!'
                    | b'$'
                    | b'&'
                    | b'\''
                    | b'('
                    | b')'
                    | b'*'
                    | b'+'
                    | b','
                    | b';'
                    | b'='
                    | b'%'
            )
    };
    host.iter().copied().all(plain) && escapes_are_valid(host)
}

/// Whether each `%` is followed by two hexadecimal digits.
pub(super) fn escapes_are_valid(raw: &[u8]) -> bool {
    memchr::memchr_iter(b'%', raw).all(|at| {
        raw.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        let split = |raw: &'static str| authority(raw.as_bytes()).map(|a| (a.host, a.port));
        assert_eq!(split("a.b"), Some((&b"a.b"[..], None)));
        assert_eq!(split("a:"), Some((&b"a"[..], None)));
        assert_eq!(split("a:80"), Some((&b"a"[..], Some(80))));
        assert_eq!(split("[::1]:80"), Some((&b"[::1]"[..], Some(80))));
        for raw in ["", ":80", "a:x", "a:65536", "a:+1", "a b", "a@b", "a/b", "[::1", "[x]", "[]"] {
            assert_eq!(split(raw), None, "{raw}");
        }
        for raw in ["a,b@c", "[::1]x", "a%zz", "\u{e4}", "a:1:2"] {
            assert_eq!(split(raw), None, "{raw}");
        }
    }
}
