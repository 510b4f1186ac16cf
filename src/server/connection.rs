// SPDX-License-Identifier: MIT OR Apache-2.0
//! One client's connection, in completion style: bytes came, bytes went. It knows neither sockets nor
//! which driver moves the bytes.
//!
//! Requests are taken one after the other and their answers queued in order. None is taken while much
//! is still to be sent, so that a client that does not read costs bounded memory.

mod pending;
mod requests;
mod waiting;

use super::config::Settings;
use super::context::Context;
use super::limits;
use super::output::Output;
use super::site::Site;
use crate::http::h1::decoder::{Decoder, Limits, Step};
use crate::net::Peer;
use crate::sys::clock;
use pending::Pending;
use std::sync::Arc;
use waiting::Waiting;

pub(crate) struct Connection {
    peer: Peer,
    /// Which of the site's listening addresses accepted it.
    endpoint: usize,
    decoder: Decoder,
    phase: Phase,
    /// Received, not yet consumed.
    input: Vec<u8>,
    /// The decoder wants more than `input` holds.
    hungry: bool,
    /// The client will send nothing more.
    ended: bool,
    output: Output,
    /// Close once everything is sent.
    closing: bool,
    /// Something of the client's may still be unread then, and a reset would lose the answer.
    lingering: bool,
    /// Requests begun.
    served: u64,
    /// The latest request's.
    settings: Arc<Settings>,
    /// What the time-out counts from, in nanoseconds of the worker's clock.
    since: u64,
    waiting: Waiting,
    /// When that wait began.
    begun: u64,
    /// Bytes that have come of the latest request's body.
    came: u64,
}

/// Where the connection is between requests and in them.
enum Phase {
    /// Between requests, or in the head of one.
    Head,
    /// The whole body has to be there first: the handler wants it, or its size decides.
    Body(Box<Pending>),
    /// Answered already; the rest of the body is dropped.
    Discard,
    /// Everything is sent and the sending side shut; what still comes is dropped.
    Linger,
}

/// What a connection needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Something of [`Connection::output`] has to be sent.
    Send,
    /// [`Connection::resume`] has input to go on with.
    Resume,
    /// More has to come from the client.
    Receive,
    /// All is sent: shut the sending side, then [`Connection::linger`].
    ShutDown,
    Close,
}

impl Connection {
    pub(crate) fn new(peer: Peer, endpoint: usize, settings: Arc<Settings>, now: u64) -> Self {
        Self {
            peer,
            endpoint,
            decoder: Decoder::new(),
            phase: Phase::Head,
            input: Vec::new(),
            hungry: true,
            ended: false,
            output: Output::default(),
            closing: false,
            lingering: false,
            served: 0,
            settings,
            since: now,
            waiting: Waiting::Head,
            begun: now,
            came: 0,
        }
    }

    /// Bytes came.
    pub(crate) fn received(&mut self, bytes: &[u8], site: &Site, cx: &mut Context) {
        if !matches!(self.phase, Phase::Head) {
            self.heard(cx.now);
        }
        if matches!(self.phase, Phase::Linger) {
            return;
        }
        self.hungry = false;
        if self.input.is_empty() {
            let used = self.process(bytes, site, cx);
            let rest = bytes.get(used..).unwrap_or_default();
            if !rest.is_empty() && !self.closing {
                self.input = cx.buffers.take();
                self.input.extend_from_slice(rest);
            }
        } else {
            self.input.extend_from_slice(bytes);
            self.resume(site, cx);
        }
    }

    /// The client will send nothing more: what it asked for is still answered.
    pub(crate) fn received_end(&mut self) {
        self.ended = true;
    }

    /// Goes on with what was received before; called once there is room again.
    pub(crate) fn resume(&mut self, site: &Site, cx: &mut Context) {
        let mut input = std::mem::take(&mut self.input);
        let used = self.process(&input, site, cx);
        input.drain(..used);
        if input.is_empty() || self.closing {
            cx.buffers.give(input);
        } else {
            self.input = input;
        }
    }

    /// What to do next.
    pub(crate) fn next(&self) -> Next {
        let lingers = matches!(self.phase, Phase::Linger);
        if !self.output.is_empty() {
            Next::Send
        } else if self.closing && self.lingering && !self.ended {
            if lingers { Next::Receive } else { Next::ShutDown }
        } else if self.closing {
            Next::Close
        } else if !self.hungry && !self.input.is_empty() {
            Next::Resume
        } else if self.ended {
            Next::Close
        } else {
            Next::Receive
        }
    }

    /// What is to be sent.
    pub(crate) fn output(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Bytes that came and have not been looked at.
    pub(crate) fn unprocessed(&self) -> usize {
        self.input.len()
    }

    /// The client goes on. That gives it no more time to take what waits for it.
    fn heard(&mut self, now: u64) {
        if self.output.is_empty() {
            self.since = now;
        }
    }

    /// Something of the output was sent.
    pub(crate) fn sent(&mut self, now: u64) {
        self.since = now;
    }

    /// The sending side is shut; what still comes is dropped until the client closes too.
    pub(crate) fn linger(&mut self) {
        self.phase = Phase::Linger;
    }

    /// The client seems to have sent something that nobody has read: closing now would reset the last
    /// answer away (RFC 9112 section 9.6). False if there is no more to wait for.
    pub(crate) fn begins_to_linger(&mut self) -> bool {
        let begins = !self.ended && !matches!(self.phase, Phase::Linger);
        self.lingering |= begins;
        begins
    }

    /// The server stops: a connection between requests closes now, others after their answer.
    pub(crate) fn drain(&mut self) {
        self.closing |= self.is_resting();
    }

    /// Since when nothing has come and nothing is to be sent; `None` if a request has begun, or may be
    /// on its way from a client that has just connected.
    pub(crate) fn idle_since(&self, now: u64) -> Option<u64> {
        let is_idle = self.is_resting() && self.output.is_empty();
        let is_new = self.served == 0
            && now.saturating_sub(self.since) < clock::nanoseconds(limits::SHED_PATIENCE);
        (is_idle && !is_new).then_some(self.since)
    }

    fn is_resting(&self) -> bool {
        matches!(self.phase, Phase::Head) && self.input.is_empty() && self.decoder.is_idle()
    }

    /// Whether to go on with what was received. The rest of a request that is answered already is
    /// dropped even while its answer waits for room.
    fn takes_input(&self) -> bool {
        !self.closing && (matches!(self.phase, Phase::Discard) || !self.output.is_full())
    }

    fn process(&mut self, input: &[u8], site: &Site, cx: &mut Context) -> usize {
        let mut used = 0;
        while self.takes_input() {
            let limits = Limits {
                request_line: self.settings.max_request_line,
                head: self.settings.max_header_block,
                headers: self.settings.max_headers,
                body: self.settings.max_body,
            };
            let rest = input.get(used..).unwrap_or_default();
            match self.decoder.step(rest, &limits, &mut cx.head) {
                Ok((count, Step::NeedMore)) => {
                    used += count;
                    self.hungry = true;
                    break;
                }
                Ok((count, Step::Head)) => {
                    used += count;
                    self.begin(rest.get(..count).unwrap_or_default(), site, cx);
                }
                Ok((count, Step::Data(data))) => {
                    used += count;
                    self.came = self.came.saturating_add(data.len() as u64);
                    if let Phase::Body(pending) = &mut self.phase
                        && let Err(reject) = pending.data(data, &self.settings)
                    {
                        self.refuse(reject, &[], site, cx);
                        break;
                    }
                }
                Ok((count, Step::Trailers(trailers))) => {
                    used += count;
                    if let Phase::Body(pending) = &mut self.phase {
                        pending.trailers(trailers);
                    }
                }
                Ok((count, Step::End)) => {
                    used += count;
                    self.finish(site, cx);
                }
                Err(reject) => {
                    self.refuse(reject, rest, site, cx);
                    break;
                }
            }
        }
        used
    }

    /// Whether closing now cuts an answer whose end would be the connection's.
    pub(crate) fn is_cut(&self) -> bool {
        self.output.ends_by_close()
    }

    /// The connection ends: what was not sent is dropped.
    pub(crate) fn abandon(&mut self, cx: &mut Context) {
        self.output.abandon(cx);
        cx.buffers.give(std::mem::take(&mut self.input));
    }
}
