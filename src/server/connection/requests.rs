// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection's requests: each is looked up, answered or refused, and the answer queued.

use super::{Connection, Phase};
use crate::http::h1::chunked::Trailers;
use crate::http::h1::head::{BodyLength, Head, RequestHead};
use crate::http::status::{Reject, Status};
use crate::http::target::{self, Form};
use crate::server::compression;
use crate::server::context::Context;
use crate::server::exchange::{Exchange, OwnedField, Request};
use crate::server::handlers::status;
use crate::server::limits;
use crate::server::log::Entry;
use crate::server::site::{Found, Site};
use std::cell::OnceCell;
use std::sync::Arc;

/// A request whose body is still coming.
pub(super) struct Pending {
    head: Head,
    bytes: Vec<u8>,
    /// Whether the handler will look at the body; else it is only counted.
    wanted: bool,
    body: Vec<u8>,
    trailers: Vec<OwnedField>,
}

impl Pending {
    /// A request whose head, with its bytes, is all that has come.
    fn new(head: Head, bytes: &[u8], wanted: bool) -> Self {
        let (body, trailers) = (Vec::new(), Vec::new());
        Self { head, bytes: bytes.to_vec(), wanted, body, trailers }
    }

    pub(super) fn data(&mut self, data: &[u8]) {
        if self.wanted {
            self.body.extend_from_slice(data);
        }
    }

    pub(super) fn trailers(&mut self, trailers: Trailers<'_>) {
        if self.wanted {
            let owned = |(name, value): (&[u8], &[u8])| (name.into(), value.into());
            self.trailers = trailers.fields().map(owned).collect();
        }
    }
}

/// A request that can be answered.
struct Message<'a> {
    head: &'a Head,
    bytes: &'a [u8],
    path: &'a [u8],
    body: &'a [u8],
    trailers: &'a [OwnedField],
}

impl Connection {
    /// A head is complete: answers at once, or waits for the body if the handler wants it.
    pub(super) fn begin(&mut self, bytes: &[u8], site: &Site, cx: &mut Context) {
        self.served += 1;
        self.since = cx.now;
        let head = std::mem::take(&mut cx.head);
        let mut path = std::mem::take(&mut cx.path);
        match self.look_up(head.view(bytes), &mut path, site) {
            Err(reject) => self.refuse_head(reject, &head, bytes, cx),
            Ok(found) => {
                let has_body = head.body != BodyLength::None;
                let message = Message { head: &head, bytes, path: &path, body: &[], trailers: &[] };
                if self.is_too_large(head.body) {
                    self.closing = true;
                    self.lingering = true;
                    self.answer(&message, &found, Some(Status::CONTENT_TOO_LARGE), cx);
                } else if has_body && found.wants_body(head.method, &path) {
                    if head.expect_continue {
                        self.output.proceed(cx);
                    }
                    self.phase = Phase::Body(Box::new(Pending::new(head, bytes, true)));
                    cx.path = path;
                    return;
                } else if self.may_grow_too_large(&head) {
                    self.phase = Phase::Body(Box::new(Pending::new(head, bytes, false)));
                    cx.path = path;
                    return;
                } else {
                    // A client that awaits 100 may or may not send its body after a final answer:
                    // what comes next on the connection cannot be told.
                    self.closing |= head.expect_continue && has_body;
                    self.lingering |= has_body;
                    self.phase = Phase::Discard;
                    self.answer(&message, &found, None, cx);
                }
            }
        }
        cx.head = head;
        cx.path = path;
    }

    fn is_too_large(&self, body: BodyLength) -> bool {
        let limit = self.settings.max_body;
        matches!(body, BodyLength::Length(length) if limit > 0 && length > limit)
    }

    /// Whether only the end of a body that nobody wants tells that it is not too large. A client that
    /// awaits 100 is not asked for such a body.
    fn may_grow_too_large(&self, head: &Head) -> bool {
        head.body == BodyLength::Chunked && self.settings.max_body > 0 && !head.expect_continue
    }

    /// The message is complete.
    pub(super) fn finish(&mut self, site: &Site, cx: &mut Context) {
        self.lingering = false;
        let Phase::Body(pending) = std::mem::replace(&mut self.phase, Phase::Head) else {
            // Answered before the server began to stop.
            self.closing |= cx.draining;
            return;
        };
        self.answer_pending(&pending, None, site, cx);
    }

    /// Answers a request whose body was waited for, if `failed` with the page for that.
    fn answer_pending(
        &mut self,
        pending: &Pending,
        failed: Option<Status>,
        site: &Site,
        cx: &mut Context,
    ) {
        let Pending { head, bytes, body, trailers, .. } = pending;
        let mut path = std::mem::take(&mut cx.path);
        match self.look_up(head.view(bytes), &mut path, site) {
            Err(reject) => self.refuse_head(reject, head, bytes, cx),
            Ok(found) => {
                let message = Message { head, bytes, path: &path, body, trailers };
                self.answer(&message, &found, failed, cx);
            }
        }
        cx.path = path;
    }

    /// Decodes the path and finds who answers.
    fn look_up<'s>(
        &mut self,
        view: RequestHead<'_>,
        path: &mut Vec<u8>,
        site: &'s Site,
    ) -> Result<Found<'s>, Reject> {
        let target = view.target();
        match target.form {
            // Nothing in it is a path; no file or route can be meant.
            Form::Asterisk | Form::Authority => path.clear(),
            Form::Origin | Form::Absolute => target::decode_path(target.path, path)?,
        }
        let host = view.authority().map(|authority| authority.host).unwrap_or_default();
        let host = str::from_utf8(host).unwrap_or_default();
        let found = site.find(self.endpoint, host, path);
        if !Arc::ptr_eq(&self.settings, found.settings()) {
            self.settings = Arc::clone(found.settings());
        }
        Ok(found)
    }

    fn answer(
        &mut self,
        message: &Message<'_>,
        found: &Found<'_>,
        failed: Option<Status>,
        cx: &mut Context,
    ) {
        let Message { head, bytes, path, body, trailers } = *message;
        let mut response = std::mem::take(&mut cx.response);
        let view = head.view(bytes);
        let request = Request {
            head: view,
            path,
            query: view.target().query,
            body,
            trailers,
            params: None,
            now: cx.wall,
            peer: self.peer,
            peer_text: OnceCell::new(),
        };
        let mut x = Exchange { request, response: &mut response };
        match failed {
            Some(status) => found.fail(&mut x, status),
            None => found.answer(&mut x),
        }
        compression::apply(found.settings(), &mut x);
        let keep = head.persistent
            && !cx.draining
            && self.served < self.settings.keepalive_requests
            && !self.settings.keepalive_timeout.is_zero();
        self.closing |= !keep || x.response.close;
        // A client that did not ask for the end may have sent more already.
        self.lingering |= self.closing && head.persistent;
        let silent = x.response.silent;
        cx.exhausted |= x.response.exhausted;
        let entry = self
            .log(cx)
            .map(|log| Entry::new(log, &x.request, x.response.status, cx.buffers.take()));
        if !silent {
            let server = self.server_field();
            self.closing |= self.output.put(head, &mut response, self.closing, server, entry, cx);
        } else if let Some(entry) = entry {
            cx.log(entry);
        }
        response.reset();
        cx.response = response;
    }

    /// What came cannot be understood, is too much or too late: says so, unless the request has its
    /// answer already, and closes. `rest` is what came and is not consumed.
    pub(super) fn refuse(&mut self, reject: Reject, rest: &[u8], site: &Site, cx: &mut Context) {
        self.closing = true;
        self.lingering = true;
        match std::mem::replace(&mut self.phase, Phase::Head) {
            Phase::Head => self.refuse_head(reject, &Head::default(), rest, cx),
            Phase::Body(pending) => self.answer_pending(&pending, Some(reject.status), site, cx),
            Phase::Discard | Phase::Linger => {}
        }
    }

    /// Answers a request of which it cannot be told whom it is for, and closes.
    fn refuse_head(&mut self, reject: Reject, head: &Head, bytes: &[u8], cx: &mut Context) {
        self.closing = true;
        self.lingering = true;
        let mut response = std::mem::take(&mut cx.response);
        status::page(&mut response, reject.status);
        let (peer, status) = (self.peer, reject.status);
        let entry =
            self.log(cx).map(|log| Entry::refused(log, peer, bytes, status, cx.buffers.take()));
        let server = self.server_field();
        self.output.put(head, &mut response, true, server, entry, cx);
        response.reset();
        cx.response = response;
    }

    /// Which of the worker's logs tells of the latest request.
    fn log(&self, cx: &Context) -> Option<usize> {
        cx.logs.index(self.settings.access_log.as_deref()?)
    }

    fn server_field(&self) -> &'static str {
        if self.settings.server_tokens { limits::SERVER } else { limits::SERVER_BARE }
    }
}
