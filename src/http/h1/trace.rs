// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a decoder makes of a stream, in a form that can be compared: tests and fuzzers feed the same
//! bytes in different pieces and want the same trace.

use super::decoder::{Decoder, Limits, Step};
use super::head::Head;
use crate::http::status::Reject;
use crate::http::target::decode_path;

/// Limits that most requests stay within.
pub(crate) const LIMITS: Limits =
    Limits { request_line: 8 << 10, head: 32 << 10, headers: 256, body: 1 << 20 };

/// A step in a form that outlives the input; neighbouring data is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Head(String),
    Data(Vec<u8>),
    Trailers(Vec<(String, String)>),
    End,
    Refused(Reject),
}

fn text(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn see(step: Step<'_>, head: &Head, consumed: &[u8]) -> Option<Result<Seen, Reject>> {
    let strings = |(name, value)| (text(name), text(value));
    Some(Ok(match step {
        Step::NeedMore => return None,
        Step::Head => {
            let view = head.view(consumed);
            let mut path = Vec::new();
            if let Err(reject) = decode_path(view.target().path, &mut path) {
                return Some(Err(reject));
            }
            let (target, authority) = (view.target().map(text), view.authority());
            let fields: Vec<_> = view.fields().iter().map(strings).collect();
            let Head { method, version, body, persistent, expect_continue, .. } = head;
            Seen::Head(format!(
                "{method:?} {version:?} {body:?} {persistent} {expect_continue} {target:?} \
                 {authority:?} {fields:?} {}",
                text(view.raw_target())
            ))
        }
        Step::Data(data) => Seen::Data(data.to_vec()),
        Step::Trailers(trailers) => Seen::Trailers(trailers.fields().map(strings).collect()),
        Step::End => Seen::End,
    }))
}

/// Feeds the pieces one after the other, as a connection would, and gathers the steps.
pub(crate) fn run<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Vec<Seen> {
    let (mut decoder, mut head) = (Decoder::new(), Head::default());
    let mut buffer = Vec::new();
    let mut seen = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            let result = decoder.step(&buffer, limits, &mut head).map(|(consumed, step)| {
                let is_idle = consumed == 0 && matches!(step, Step::NeedMore);
                let found = see(step, &head, buffer.get(..consumed).unwrap_or_default());
                (consumed, is_idle, found.transpose())
            });
            match result.and_then(|(consumed, is_idle, found)| Ok((consumed, is_idle, found?))) {
                Err(reject) => {
                    seen.push(Seen::Refused(reject));
                    return seen;
                }
                Ok((_, true, _)) => break,
                Ok((consumed, _, found)) => {
                    buffer.drain(..consumed);
                    match (found, seen.last_mut()) {
                        (Some(Seen::Data(more)), Some(Seen::Data(data))) => data.extend(more),
                        (Some(found), _) => seen.push(found),
                        (None, _) => {}
                    }
                }
            }
        }
        if matches!(seen.last(), None | Some(Seen::End)) {
            assert_eq!(decoder.is_idle(), buffer.is_empty() || buffer == b"\r");
        }
    }
    seen
}
