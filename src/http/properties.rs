// SPDX-License-Identifier: MIT OR Apache-2.0
//! What holds for any bytes from outside. Each property takes what a fuzzer makes up, and panics
//! where it does not hold. Lines of the input stand for field values, which have no LF.

use super::coding::{Coding, accepted};
use super::conditional::{Validators, Verdict, evaluate, if_range};
use super::date;
use super::etag::EntityTag;
use super::h1::decoder::Limits;
use super::h1::trace::{LIMITS, Seen, run};
use super::headers::{FieldSpan, Fields, Span};
use super::method::Method;
use super::range::{Selection, parse};
use super::target::{Target, decode_path, encode_path};

/// Limits that short streams cross.
const SMALL: Limits = Limits { request_line: 48, head: 160, headers: 4, body: 32 };

/// The steps of the decoder do not depend on how a stream of requests is cut into pieces. The first
/// byte is the size of a piece, and its lowest bit chooses the limits.
pub fn decoder(bytes: &[u8]) {
    let Some((&size, stream)) = bytes.split_first() else { return };
    let limits = if size & 1 == 0 { &LIMITS } else { &SMALL };
    let whole = run([stream], limits);
    assert_eq!(run(stream.chunks(usize::from(size).max(1)), limits), whole);
    assert_eq!(run(stream.chunks(1), limits), whole);
}

/// A chunked body that is let through is, for another reader of chunks, the same data.
pub fn chunked(body: &[u8]) {
    const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let seen = run([HEAD, body], &LIMITS);
    if !seen.contains(&Seen::End) {
        return;
    }
    let mut data = Vec::new();
    let mut rest = body;
    while let Ok(httparse::Status::Complete((start, size @ 1..))) = httparse::parse_chunk_size(rest)
    {
        let end = start + usize::try_from(size).unwrap_or(usize::MAX - start);
        data.extend_from_slice(rest.get(start..end).unwrap_or_default());
        rest = rest.get(end + b"\r\n".len()..).unwrap_or_default();
    }
    match seen.get(1) {
        Some(Seen::Data(ours)) => assert_eq!(ours, &data),
        _ => assert_eq!(data, b""),
    }
}

/// Ranges lie within the representation, and no two of them overlap or touch. The first eight bytes
/// are the length of the representation.
pub fn range(bytes: &[u8]) {
    const MOST: usize = 16;
    let Some((length, value)) = bytes.split_first_chunk() else { return };
    let length = u64::from_le_bytes(*length);
    let within = |range: &std::ops::RangeInclusive<u64>| !range.is_empty() && *range.end() < length;
    match parse(value, length, MOST) {
        Selection::Whole | Selection::Unsatisfiable => {}
        Selection::One(range) => assert!(within(&range)),
        Selection::Several(mut parts) => {
            assert!((2..=MOST).contains(&parts.len()));
            assert!(parts.iter().all(within));
            parts.sort_by_key(|part| *part.start());
            for pair in parts.windows(2) {
                let [one, two] = pair else { continue };
                assert!(one.end() + 1 < *two.start());
            }
        }
    }
}

/// A path that is let through stays below the root, and names itself when it is sent again.
pub fn target(raw: &[u8]) {
    for method in [Method::Get, Method::Options, Method::Connect] {
        let Ok(target) = Target::parse(method, raw) else { continue };
        let mut path = Vec::new();
        if decode_path(target.path, &mut path).is_err() {
            continue;
        }
        assert!(path.starts_with(b"/") && !path.contains(&0));
        let mut segments = path.split(|&byte| byte == b'/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            assert!(!matches!(segment, b"." | b"..") && (is_last || !segment.is_empty()));
        }
        let (mut encoded, mut again) = (Vec::new(), Vec::new());
        encode_path(&path, &mut encoded);
        assert_eq!(Target::parse(Method::Get, &encoded).map(|target| target.path), Ok(&*encoded));
        assert_eq!(decode_path(&encoded, &mut again), Ok(()));
        assert_eq!(again, path);
    }
}

/// The verdicts on a method that reads and on one that writes go together (RFC 9110 section
/// 13.2.2), and a range is only honoured for the current representation. The first two lines are its
/// tag and its date, the others the fields below.
pub fn conditional(bytes: &[u8]) {
    const NAMES: [&str; 5] =
        ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range"];
    let mut lines = bytes.split(|&byte| byte == b'\n');
    let etag = EntityTag::parse(lines.next().unwrap_or_default());
    let last_modified = date::parse(lines.next().unwrap_or_default());
    let current = Validators { etag, last_modified };
    let sent: Vec<_> = NAMES.into_iter().cycle().zip(lines.filter(|l| !l.is_empty())).collect();
    with_fields(&sent, |fields| {
        let reads = evaluate(Method::Get, fields, current);
        assert_eq!(evaluate(Method::Head, fields, current), reads);
        let has_tags = fields.first("if-none-match").is_some();
        let expected = match reads {
            Verdict::NotModified if has_tags => Verdict::Failed,
            Verdict::NotModified => Verdict::Proceed,
            other => other,
        };
        assert_eq!(evaluate(Method::Put, fields, current), expected);
        let unnamed = current.etag.is_none_or(|tag| tag.weak) && current.last_modified.is_none();
        let asks = fields.first("if-range").is_some();
        assert!(!(asks && unnamed && if_range(fields, current)));
    });
}

/// A coding is chosen once at most and only where it is offered, and a list may come in several
/// fields (RFC 9110 section 5.3). Each line is a field.
pub fn codings(bytes: &[u8]) {
    const NAME: &str = "Accept-Encoding";
    let values: Vec<_> = bytes.split(|&byte| byte == b'\n').collect();
    let several: Vec<_> = values.iter().map(|&value| (NAME, value)).collect();
    let choose = |fields: Fields<'_>| accepted(fields, |_| true).collect::<Vec<_>>();
    let chosen = with_fields(&several, choose);
    assert_eq!(with_fields(&[(NAME, &values.join(&b','))], choose), chosen);
    for left_out in Coding::ALL {
        let offered = |coding| coding != left_out;
        let fewer = with_fields(&several, |fields| accepted(fields, offered).collect::<Vec<_>>());
        let expected: Vec<_> = chosen.iter().copied().filter(|&coding| offered(coding)).collect();
        assert_eq!(fewer, expected);
    }
}

/// Fields with these names and values.
fn with_fields<R>(fields: &[(&str, &[u8])], check: impl FnOnce(Fields<'_>) -> R) -> R {
    let bytes = fields
        .iter()
        .fold(Vec::new(), |all, (name, value)| [all.as_slice(), name.as_bytes(), value].concat());
    let mut rest = bytes.as_slice();
    let mut next = |length| {
        let (part, tail) = rest.split_at(length);
        rest = tail;
        Span::of(&bytes, part)
    };
    let spans: Vec<_> = fields
        .iter()
        .map(|(name, value)| FieldSpan { name: next(name.len()), value: next(value.len()) })
        .collect();
    check(Fields::new(&bytes, &spans))
}
