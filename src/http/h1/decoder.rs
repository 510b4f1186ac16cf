// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes to requests, without I/O (RFC 9112).
//!
//! The caller keeps what has come and not been consumed, and calls [`Decoder::step`] until it needs
//! more. However the bytes are cut into pieces, the steps are the same, but that data may come in
//! more or fewer of them. Faults are found in the order of the bytes: first in lines, each as soon
//! as its line is whole or it is seen; then, with the whole head there, in what its fields mean. After
//! a [`Reject`] the bytes on the connection mean nothing any more.

use super::chunked::{Bounds, Chunked, Piece, Trailers};
use super::head::{BodyLength, Head};
use super::lines::{BlockScan, Line, MAX_FIELDS, line_end, window};
use super::request_line::RequestLine;
use crate::http::headers::is_token_byte;
use crate::http::status::{Reject, Status};

/// Bounds of a request. Those of the body may change after [`Step::Head`], which is when the
/// server knows whom it is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Longest request line in bytes, its end included; else 414.
    pub(crate) request_line: usize,
    /// Largest head in bytes, and largest trailer section; else 431.
    pub(crate) head: usize,
    /// Most fields in either, at most [`MAX_FIELDS`]; else 431.
    pub(crate) headers: usize,
    /// Largest body in bytes, 0 for any; else 413.
    pub(crate) body: u64,
}

impl Limits {
    fn max_body(&self) -> u64 {
        if self.body == 0 { u64::MAX } else { self.body }
    }

    fn max_fields(&self) -> usize {
        self.headers.min(MAX_FIELDS)
    }
}

/// What the decoder found next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// Nothing whole; some bytes may have been consumed all the same.
    NeedMore,
    /// A head, which the `Head` given describes by offsets into the bytes consumed.
    Head,
    /// A piece of the body, never empty.
    Data(&'a [u8]),
    /// The trailer section of a chunked body, where it has fields.
    Trailers(Trailers<'a>),
    /// The end of the request; comes for one without a body too.
    End,
}

/// Empty lines that are passed over before a request line (RFC 9112 section 2.2).
const LEADING_EMPTY_LINES: u8 = 4;

/// Decodes the requests of one connection, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In a request line, looked at up to this offset.
    RequestLine { looked: usize, empty_lines: u8 },
    /// In the fields after a request line that ends at this offset.
    Fields { line_end: usize, scan: BlockScan },
    /// In a body with a length.
    Length { total: u64, left: u64 },
    /// In a chunked body.
    Chunked(Chunked),
}

impl State {
    const START: Self = Self::RequestLine { looked: 0, empty_lines: 0 };
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the start of a connection.
    pub(crate) const fn new() -> Self {
        Self { state: State::START }
    }

    /// Whether no byte of a next request has been seen.
    pub(crate) const fn is_idle(&self) -> bool {
        matches!(self.state, State::RequestLine { looked: 0, .. })
    }

    /// Whether not even an empty line of a next request has been seen.
    pub(crate) const fn is_new(&self) -> bool {
        matches!(self.state, State::RequestLine { looked: 0, empty_lines: 0 })
    }

    /// Looks at `input`, which begins with the first byte not yet consumed, for the next step.
    /// Returns how many bytes of it are consumed, whatever the step.
    ///
    /// # Errors
    /// The status to answer with before the connection is closed.
    pub(crate) fn step<'a>(
        &mut self,
        input: &'a [u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<(usize, Step<'a>), Reject> {
        match &mut self.state {
            State::RequestLine { .. } | State::Fields { .. } => self.head(input, limits, head),
            State::Length { total, .. } if *total > limits.max_body() => {
                Err(Reject::new(Status::CONTENT_TOO_LARGE, "Content-Length too large"))
            }
            State::Length { left: 0, .. } => {
                self.state = State::START;
                Ok((0, Step::End))
            }
            State::Length { left, .. } => {
                let length =
                    usize::try_from(*left).map_or(input.len(), |left| left.min(input.len()));
                *left -= length as u64;
                match window(input, length) {
                    [] => Ok((0, Step::NeedMore)),
                    data => Ok((length, Step::Data(data))),
                }
            }
            State::Chunked(chunked) => {
                let (data, trailers, fields) =
                    (limits.max_body(), limits.head, limits.max_fields());
                let (consumed, piece) = chunked.step(input, Bounds { data, trailers, fields })?;
                let step = match piece {
                    Piece::NeedMore => Step::NeedMore,
                    Piece::Data(data) => Step::Data(data),
                    Piece::Trailers(trailers) => Step::Trailers(trailers),
                    Piece::End => {
                        self.state = State::START;
                        Step::End
                    }
                };
                Ok((consumed, step))
            }
        }
    }

    fn head<'a>(
        &mut self,
        input: &'a [u8],
        limits: &Limits,
        head: &mut Head,
    ) -> Result<(usize, Step<'a>), Reject> {
        let skipped = self.skip_empty_lines(input);
        let request = input.get(skipped..).unwrap_or_default();
        let (longest, max_fields) = (limits.head, limits.max_fields());
        let line_end = match &mut self.state {
            State::RequestLine { looked, empty_lines } => {
                match request_line_end(request, *looked, *empty_lines, limits)? {
                    Line::Open(here) => {
                        *looked = here;
                        return Ok((skipped, Step::NeedMore));
                    }
                    Line::Ends(end) => end,
                }
            }
            // What came with an earlier piece is parsed again: rarer than keeping it is dear.
            State::Fields { line_end, scan } => {
                if scan.end(request, longest, max_fields, |_, _| {})?.is_none() {
                    return Ok((skipped, Step::NeedMore));
                }
                *line_end
            }
            _ => return Ok((skipped, Step::NeedMore)),
        };
        let line = window(request, line_end.saturating_sub(2));
        let line = RequestLine::parse(line)?;
        let mut scan = BlockScan::from(line_end);
        let mut gathered = head.begin(input);
        let end =
            scan.end(request, longest, max_fields, |name, value| gathered.field(name, value))?;
        let Some(end) = end else {
            self.state = State::Fields { line_end, scan };
            return Ok((skipped, Step::NeedMore));
        };
        gathered.finish(&line)?;
        self.state = match head.body {
            BodyLength::None => State::Length { total: 0, left: 0 },
            BodyLength::Length(total) => State::Length { total, left: total },
            BodyLength::Chunked => State::Chunked(Chunked::new()),
        };
        Ok((skipped + end, Step::Head))
    }

    /// Counts the empty lines before a request, up to the bound, and returns their bytes.
    fn skip_empty_lines(&mut self, input: &[u8]) -> usize {
        let mut skipped = 0;
        if let State::RequestLine { looked: 0, empty_lines } = &mut self.state {
            while *empty_lines < LEADING_EMPTY_LINES
                && input.get(skipped..).is_some_and(|rest| rest.starts_with(b"\r\n"))
            {
                *empty_lines += 1;
                skipped += 2;
            }
        }
        skipped
    }
}

/// Finds the end of the request line, of which nothing ends before `looked`.
fn request_line_end(
    request: &[u8],
    looked: usize,
    empty_lines: u8,
    limits: &Limits,
) -> Result<Line, Reject> {
    match request {
        [] => return Ok(Line::Open(0)),
        [b'\r'] if empty_lines < LEADING_EMPTY_LINES => return Ok(Line::Open(0)),
        [first, ..] if is_token_byte(*first) => {}
        _ => return Err(Reject::new(Status::BAD_REQUEST, "request that begins with no method")),
    }
    let longest = limits.request_line.min(limits.head);
    let seen = window(request, longest);
    match line_end(seen, looked, &mut true)? {
        Line::Open(_) if seen.len() >= longest => {
            Err(Reject::new(Status::URI_TOO_LONG, "request line too long"))
        }
        line => Ok(line),
    }
}
