// SPDX-License-Identifier: MIT OR Apache-2.0
//! One client's connection, in completion style: bytes came, bytes went. It knows neither sockets nor
//! which driver moves the bytes.
//!
//! Requests are taken one after the other and their answers queued in order. None is taken while much
//! is still to be sent, so that a client that does not read costs bounded memory. What only requests
//! need is lent by the worker while there are any, so that a connection at rest is small.

mod pending;
mod requests;
mod talk;
mod waiting;

use super::config::Settings;
use super::context::Context;
use super::limits;
use super::output::Output;
use super::site::Site;
use crate::net::Peer;
use crate::sys::clock;
use std::sync::Arc;
pub(crate) use talk::Passing;
use talk::{Phase, Talk};
use waiting::Waiting;

pub(crate) struct Connection {
    lasting: Lasting,
    /// There from when bytes come until nothing of them is left to be done.
    passing: Option<Box<Passing>>,
}

/// What a connection always has.
struct Lasting {
    peer: Peer,
    /// Which of the site's listening addresses accepted it.
    endpoint: u32,
    /// The client will send nothing more.
    ended: bool,
    /// Close once everything is sent.
    closing: bool,
    /// Something of the client's may still be unread then, and a reset would lose the answer.
    lingering: bool,
    waiting: Waiting,
    /// What the time-out counts from, in nanoseconds of the worker's clock.
    since: u64,
    /// Requests begun.
    served: u64,
    /// The latest request's.
    settings: Arc<Settings>,
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
        let lasting = Lasting {
            peer,
            // As many addresses would not fit into memory.
            endpoint: u32::try_from(endpoint).unwrap_or(u32::MAX),
            ended: false,
            closing: false,
            lingering: false,
            waiting: Waiting::Head,
            since: now,
            served: 0,
            settings,
        };
        Self { lasting, passing: None }
    }

    /// Bytes came.
    pub(crate) fn received(&mut self, bytes: &[u8], site: &Site, cx: &mut Context) {
        self.talk(cx).received(bytes, site, cx);
    }

    /// The client will send nothing more: what it asked for is still answered.
    pub(crate) fn received_end(&mut self) {
        self.lasting.ended = true;
    }

    /// Goes on with what was received before; called once there is room again.
    pub(crate) fn resume(&mut self, site: &Site, cx: &mut Context) {
        self.talk(cx).resume(site, cx);
    }

    /// Nothing more is done for now: a connection at rest gives back what was lent to it.
    pub(crate) fn settle(&mut self, cx: &mut Context) {
        if !self.lasting.closing
            && let Some(passing) = self.passing.take_if(|passing| passing.is_over())
        {
            cx.take_back(passing);
        }
    }

    fn talk(&mut self, cx: &mut Context) -> Talk<'_> {
        let passing = self.passing.get_or_insert_with(|| cx.lend());
        Talk { lasting: &mut self.lasting, passing }
    }

    /// What to do next.
    pub(crate) fn next(&self) -> Next {
        let Lasting { ended, closing, lingering, .. } = self.lasting;
        let passing = self.passing.as_deref();
        if passing.is_some_and(|passing| !passing.output.is_empty()) {
            Next::Send
        } else if closing && lingering && !ended {
            if self.lingers() { Next::Receive } else { Next::ShutDown }
        } else if closing {
            Next::Close
        } else if passing.is_some_and(Passing::can_resume) {
            Next::Resume
        } else if ended {
            Next::Close
        } else {
            Next::Receive
        }
    }

    /// What is to be sent.
    pub(crate) fn output(&mut self) -> &mut Output {
        &mut self.passing.get_or_insert_default().output
    }

    /// Bytes that came and have not been looked at.
    pub(crate) fn unprocessed(&self) -> usize {
        self.passing.as_ref().map_or(0, |passing| passing.input.len())
    }

    /// Something of the output was sent.
    pub(crate) fn sent(&mut self, now: u64) {
        self.lasting.since = now;
    }

    /// The sending side is shut; what still comes is dropped until the client closes too.
    pub(crate) fn linger(&mut self) {
        self.passing.get_or_insert_default().phase = Phase::Linger;
    }

    fn lingers(&self) -> bool {
        self.passing.as_ref().is_some_and(|passing| matches!(passing.phase, Phase::Linger))
    }

    /// The client seems to have sent something that nobody has read: closing now would reset the last
    /// answer away (RFC 9112 section 9.6). False if there is no more to wait for.
    pub(crate) fn begins_to_linger(&mut self) -> bool {
        let begins = !self.lasting.ended && !self.lingers();
        self.lasting.lingering |= begins;
        begins
    }

    /// Since when nothing has come and nothing is to be sent; `None` if a request has begun, or may be
    /// on its way from a client that has just connected.
    pub(crate) fn idle_since(&self, now: u64) -> Option<u64> {
        let Lasting { served, since, .. } = self.lasting;
        let sends = self.passing.as_ref().is_some_and(|passing| !passing.output.is_empty());
        let is_new =
            served == 0 && now.saturating_sub(since) < clock::nanoseconds(limits::SHED_PATIENCE);
        (self.is_resting() && !sends && !is_new).then_some(since)
    }

    fn is_resting(&self) -> bool {
        self.passing.as_ref().is_none_or(|passing| passing.is_resting())
    }

    /// Whether closing now cuts an answer whose end would be the connection's.
    pub(crate) fn is_cut(&self) -> bool {
        self.passing.as_ref().is_some_and(|passing| passing.output.ends_by_close())
    }

    /// The connection ends: what was not sent is dropped.
    pub(crate) fn abandon(&mut self, cx: &mut Context) {
        if let Some(mut passing) = self.passing.take() {
            passing.abandon(cx);
            cx.take_back(passing);
        }
    }
}
