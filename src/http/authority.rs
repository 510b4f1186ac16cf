// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host and port of a URI, and of a `Host` field, which has the same form (RFC 3986 section
//! 3.2).

use super::headers::ByteSet;

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
        _ => raw.split_at_checked(registered_name(raw)).filter(|(host, _)| !host.is_empty())?,
    };
    let port = match rest {
        [] | [b':'] => None,
        [b':', digits @ ..] => Some(digits.iter().try_fold(0_u16, |port, digit| {
            let digit = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
            port.checked_mul(10)?.checked_add(digit)
        })?),
        _ => return None,
    };
    Some(Authority { host, port })
}

/// Unreserved characters and sub-delimiters.
static NAME: ByteSet = ByteSet::ALPHANUMERIC.and(b"-._~!$&'()*+,;=");

/// How many bytes at the start make a `reg-name`: unreserved characters, sub-delimiters and
/// percent-encoded bytes.
fn registered_name(raw: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let rest = raw.get(end..).unwrap_or_default();
        end += rest.iter().position(|&byte| !NAME.contains(byte)).unwrap_or(rest.len());
        match raw.get(end..) {
            Some([b'%', high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                end += 3;
            }
            _ => return end,
        }
    }
}
