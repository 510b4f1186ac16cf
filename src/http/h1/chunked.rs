// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chunked transfer coding (RFC 9112 section 7.1), bytes to data.

use super::lines::{self, BlockScan, Line};
use crate::http::headers::{is_token_byte, is_value_byte, trim, trim_start};
use crate::http::status::{Reject, Status};

/// Longest line with a chunk's size and extensions, in bytes with its end.
const SIZE_LINE: usize = 256;

/// Most digits of a chunk's size: 64 bits.
const SIZE_DIGITS: usize = 16;

/// Where in a chunked body the decoder stands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Chunked {
    /// In a line with a chunk's size, looked at up to this offset.
    Size { looked: usize, total: u64 },
    /// In a chunk's data.
    Data { left: u64, total: u64 },
    /// At the line end after the data.
    DataEnd { total: u64 },
    /// In the trailer section.
    Trailers(BlockScan),
    /// After it.
    End,
}

/// What one look at the input gave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    NeedMore,
    Data(&'a [u8]),
    Trailers(Trailers<'a>),
    End,
}

/// Bounds of a chunked body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Most bytes of data.
    pub(super) data: u64,
    /// Most bytes of the trailer section.
    pub(super) trailers: usize,
    /// Most fields in it.
    pub(super) fields: usize,
}

impl Chunked {
    /// At the start of a body.
    pub(super) const fn new() -> Self {
        Self::Size { looked: 0, total: 0 }
    }

    /// Consumes up to the next piece of data, the trailers or the end.
    pub(super) fn step<'a>(
        &mut self,
        input: &'a [u8],
        bounds: Bounds,
    ) -> Result<(usize, Piece<'a>), Reject> {
        let mut consumed = 0;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            match *self {
                Self::Size { looked, total } => {
                    let line = lines::window(rest, SIZE_LINE);
                    match lines::line_end(line, looked, &mut true)? {
                        Line::Ends(end) => {
                            let line = line.get(..end - 2).unwrap_or_default();
                            *self = Self::after_size(parse_size(line)?, total, bounds.data)?;
                            consumed += end;
                        }
                        Line::Open(_) if line.len() >= SIZE_LINE => {
                            return Err(bad("chunk extensions too long"));
                        }
                        Line::Open(looked) => {
                            *self = Self::Size { looked, total };
                            return Ok((consumed, Piece::NeedMore));
                        }
                    }
                }
                Self::Data { left, total } => {
                    let length =
                        usize::try_from(left).map_or(rest.len(), |left| left.min(rest.len()));
                    let data = rest.get(..length).unwrap_or_default();
                    if data.is_empty() {
                        return Ok((consumed, Piece::NeedMore));
                    }
                    let left = left - length as u64;
                    *self = if left == 0 {
                        Self::DataEnd { total }
                    } else {
                        Self::Data { left, total }
                    };
                    return Ok((consumed + length, Piece::Data(data)));
                }
                Self::DataEnd { total } => match rest {
                    [b'\r', b'\n', ..] => {
                        *self = Self::Size { looked: 0, total };
                        consumed += 2;
                    }
                    [] | [b'\r'] => return Ok((consumed, Piece::NeedMore)),
                    _ => return Err(bad("chunk data not followed by CR LF")),
                },
                Self::Trailers(mut scan) => {
                    let end = scan.end(rest, bounds.trailers, bounds.fields, |_, _| {})?;
                    let Some(end) = end else {
                        *self = Self::Trailers(scan);
                        return Ok((consumed, Piece::NeedMore));
                    };
                    *self = Self::End;
                    consumed += end;
                    if scan.lines > 0 {
                        let block = rest.get(..end).unwrap_or_default();
                        return Ok((consumed, Piece::Trailers(Trailers { block })));
                    }
                }
                Self::End => return Ok((consumed, Piece::End)),
            }
        }
    }

    fn after_size(size: u64, total: u64, limit: u64) -> Result<Self, Reject> {
        match total.checked_add(size) {
            _ if size == 0 => Ok(Self::Trailers(BlockScan::from(0))),
            Some(total) if total <= limit => Ok(Self::Data { left: size, total }),
            _ => Err(Reject::new(Status::CONTENT_TOO_LARGE, "chunked body too large")),
        }
    }
}

/// Parses `chunk-size [ chunk-ext ]`.
fn parse_size(line: &[u8]) -> Result<u64, Reject> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (size, extensions) = line.split_at(digits);
    if size.is_empty() || size.len() > SIZE_DIGITS {
        return Err(bad("invalid chunk size"));
    }
    if !extensions_are_valid(extensions) {
        return Err(bad("invalid chunk extension"));
    }
    let size = str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
    size.ok_or(bad("invalid chunk size"))
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )` (section 7.1.1).
fn extensions_are_valid(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some(after) = blank_then(rest, b';') else { return false };
        let Some(after) = skip_token(after) else { return false };
        rest = after;
        if let Some(value) = blank_then(rest, b'=') {
            let skipped = match value {
                [b'"', quoted @ ..] => skip_quoted(quoted),
                _ => skip_token(value),
            };
            let Some(after) = skipped else { return false };
            rest = after;
        }
    }
    true
}

/// What follows this mark, if it is next but for white space around it.
fn blank_then(bytes: &[u8], mark: u8) -> Option<&[u8]> {
    let after = trim_start(bytes).strip_prefix(&[mark])?;
    Some(trim_start(after))
}

fn skip_token(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes.iter().take_while(|&&byte| is_token_byte(byte)).count();
    bytes.get(length..).filter(|_| length > 0)
}

/// What follows a quoted string whose opening quote has been passed.
fn skip_quoted(mut bytes: &[u8]) -> Option<&[u8]> {
    loop {
        bytes = match bytes {
            [b'"', rest @ ..] => return Some(rest),
            [b'\\', escaped, rest @ ..] if is_value_byte(*escaped) => rest,
            [byte, rest @ ..] if is_value_byte(*byte) && *byte != b'\\' => rest,
            _ => return None,
        };
    }
}

const fn bad(why: &'static str) -> Reject {
    Reject::new(Status::BAD_REQUEST, why)
}

/// A trailer section whose lines are known to be fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trailers<'a> {
    block: &'a [u8],
}

impl<'a> Trailers<'a> {
    /// Name and value of each field but for those that may not come after the data.
    pub(crate) fn fields(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let lines = self.block.split(|&byte| byte == b'\n');
        let fields = lines.filter_map(|line| {
            let colon = memchr::memchr(b':', line)?;
            let (name, rest) = line.split_at_checked(colon)?;
            let value = rest.get(1..)?.strip_suffix(b"\r")?;
            Some((name, trim(value)))
        });
        fields.filter(|(name, _)| {
            !FORBIDDEN.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden.as_bytes()))
        })
    }
}

/// Fields that decide on framing, routing, authentication or how the content is read (RFC 9110
/// section 6.5.1): after the content it is too late for them.
const FORBIDDEN: [&str; 28] = [
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "pragma",
    "proxy-authorization",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
];
