// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection while bytes of it are looked at: from input to requests.

use super::Lasting;
use super::pending::Pending;
use crate::http::h1::decoder::{Decoder, Limits, Step};
use crate::http::h1::head::{BodyLength, Head};
use crate::http::status::{Reject, Status};
use crate::server::context::{Context, Scratch};
use crate::server::output::Output;
use crate::server::site::Site;

/// What a connection has only while something is received, answered or sent.
#[derive(Default)]
pub(crate) struct Passing {
    pub(super) decoder: Decoder,
    pub(super) phase: Phase,
    /// Received, not yet consumed.
    pub(super) input: Vec<u8>,
    /// The decoder wants more than `input` holds.
    hungry: bool,
    pub(super) output: Output,
    /// When the present wait began, in nanoseconds of the worker's clock.
    pub(super) begun: u64,
    /// Bytes that have come of the latest request's body.
    pub(super) came: u64,
}

/// Where the connection is between requests and in them.
#[derive(Default)]
pub(super) enum Phase {
    /// Between requests, or in the head of one.
    #[default]
    Head,
    /// The whole body has to be there first: the handler wants it, or its size decides.
    Body(Box<Pending>),
    /// Answered already; the rest of the body is dropped.
    Discard,
    /// Everything is sent and the sending side shut; what still comes is dropped.
    Linger,
}

impl Passing {
    /// Between requests, with nothing received of the next.
    pub(super) fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Head) && self.input.is_empty() && self.decoder.is_idle()
    }

    /// Nothing is left to be done or to be known of what came.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Head)
            && self.input.is_empty()
            && self.decoder.is_new()
            && self.output.is_empty()
    }

    /// There is input that can be gone on with.
    pub(super) fn can_resume(&self) -> bool {
        !self.hungry && !self.input.is_empty()
    }

    /// Drops what was not sent and not consumed.
    pub(super) fn abandon(&mut self, cx: &mut Context) {
        self.output.abandon(cx);
        if !self.input.is_empty() {
            cx.buffers.give(std::mem::take(&mut self.input));
        }
        *self = Self::default();
    }
}

/// All of a connection.
pub(super) struct Talk<'a> {
    pub(super) lasting: &'a mut Lasting,
    pub(super) passing: &'a mut Passing,
}

impl Talk<'_> {
    pub(super) fn received(&mut self, bytes: &[u8], site: &Site, cx: &mut Context) {
        if !matches!(self.passing.phase, Phase::Head) {
            self.heard(cx.now);
        }
        if matches!(self.passing.phase, Phase::Linger) {
            return;
        }
        self.passing.hungry = false;
        if self.passing.input.is_empty() {
            let used = self.process(bytes, site, cx);
            let rest = bytes.get(used..).unwrap_or_default();
            if !rest.is_empty() && !self.lasting.closing {
                self.passing.input = cx.buffers.take();
                self.passing.input.extend_from_slice(rest);
            }
        } else {
            self.passing.input.extend_from_slice(bytes);
            self.resume(site, cx);
        }
    }

    pub(super) fn resume(&mut self, site: &Site, cx: &mut Context) {
        let mut input = std::mem::take(&mut self.passing.input);
        let used = self.process(&input, site, cx);
        input.drain(..used);
        if input.is_empty() || self.lasting.closing {
            cx.buffers.give(input);
        } else {
            self.passing.input = input;
        }
    }

    /// The client goes on. That gives it no more time to take what waits for it.
    pub(super) fn heard(&mut self, now: u64) {
        if self.passing.output.is_empty() {
            self.lasting.since = now;
        }
    }

    /// Whether to go on with what was received. The rest of a request that is answered already is
    /// dropped even while its answer waits for room.
    fn takes_input(&self) -> bool {
        let Passing { phase, output, .. } = &*self.passing;
        !self.lasting.closing && (matches!(phase, Phase::Discard) || !output.is_full())
    }

    /// The request took too long.
    pub(super) fn refuse_late(&mut self, site: &Site, cx: &mut Context) {
        let reject = Reject::new(Status::REQUEST_TIMEOUT, "the request took too long");
        let mut scratch = cx.scratch.take().unwrap_or_default();
        self.refuse(reject, &[], site, &mut scratch, cx);
        cx.scratch = Some(scratch);
        self.lasting.lingering = false;
    }

    fn process(&mut self, input: &[u8], site: &Site, cx: &mut Context) -> usize {
        let mut scratch = cx.scratch.take().unwrap_or_default();
        let used = self.steps(input, site, &mut scratch, cx);
        cx.scratch = Some(scratch);
        used
    }

    fn steps(
        &mut self,
        input: &[u8],
        site: &Site,
        scratch: &mut Scratch,
        cx: &mut Context,
    ) -> usize {
        let mut used = 0;
        while self.takes_input() {
            let limits = Limits {
                request_line: self.lasting.settings.max_request_line,
                head: self.lasting.settings.max_header_block,
                headers: self.lasting.settings.max_headers,
                body: self.lasting.settings.max_body,
            };
            let rest = input.get(used..).unwrap_or_default();
            match self.passing.decoder.step(rest, &limits, &mut scratch.head) {
                Ok((count, Step::NeedMore)) => {
                    used += count;
                    self.passing.hungry = true;
                    break;
                }
                Ok((count, Step::Head)) => {
                    used += count;
                    let (head, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
                    self.begin(head, body_along(&scratch.head, after), site, scratch, cx);
                }
                Ok((count, Step::Data(data))) => {
                    used += count;
                    self.passing.came = self.passing.came.saturating_add(data.len() as u64);
                    if let Phase::Body(pending) = &mut self.passing.phase
                        && let Err(reject) = pending.data(data, &self.lasting.settings)
                    {
                        self.refuse(reject, &[], site, scratch, cx);
                        break;
                    }
                }
                Ok((count, Step::Trailers(trailers))) => {
                    used += count;
                    if let Phase::Body(pending) = &mut self.passing.phase {
                        pending.trailers(trailers);
                    }
                }
                Ok((count, Step::End)) => {
                    used += count;
                    self.finish(site, scratch, cx);
                    if used == input.len() {
                        self.passing.hungry = true;
                        break;
                    }
                }
                Err(reject) => {
                    self.refuse(reject, rest, site, scratch, cx);
                    break;
                }
            }
        }
        used
    }
}

/// The whole body, if it has come with the head and the client has sent it unasked.
fn body_along<'a>(head: &Head, after: &'a [u8]) -> Option<&'a [u8]> {
    match head.body {
        BodyLength::Length(length) if !head.expect_continue => {
            after.get(..usize::try_from(length).ok()?)
        }
        _ => None,
    }
}
