// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection's requests: each is looked up, answered or refused, and the answer queued.

use super::pending::{Intake, Pending};
use super::{Connection, Phase};
use crate::http::h1::head::{BodyLength, Head, RequestHead};
use crate::http::status::{Reject, Status};
use crate::http::target::{self, Form};
use crate::server::content::{Content, Whole};
use crate::server::context::Context;
use crate::server::exchange::{Exchange, OwnedField, Request};
use crate::server::handler::Sink;
use crate::server::handlers::status;
use crate::server::limits;
use crate::server::log::Entry;
use crate::server::site::{Found, Site};
use std::cell::OnceCell;
use std::sync::Arc;

/// A request that can be answered.
#[derive(Clone, Copy)]
struct Message<'a> {
    head: &'a Head,
    bytes: &'a [u8],
    path: &'a [u8],
    body: &'a [u8],
    trailers: &'a [OwnedField],
}

/// Who answers it.
enum By {
    /// Routes and location.
    Found,
    /// The sink that took the body.
    Sink(Box<dyn Sink>),
    /// The page of a failure.
    Failure(Status),
}

impl Connection {
    /// A head is complete: answers at once, or waits for the body if the handler wants it.
    pub(super) fn begin(&mut self, bytes: &[u8], site: &Site, cx: &mut Context) {
        self.served += 1;
        self.heard(cx.now);
        self.came = 0;
        let head = std::mem::take(&mut cx.head);
        let mut path = std::mem::take(&mut cx.path);
        match self.look_up(head.view(bytes), &mut path, site) {
            Err(reject) => self.refuse_head(reject, &head, bytes, cx),
            Ok(found) => {
                let message = Message { head: &head, bytes, path: &path, body: &[], trailers: &[] };
                match self.intake(&message, &found, cx) {
                    Ok(Some(intake)) => {
                        if head.expect_continue {
                            self.output.proceed(cx);
                        }
                        let (bytes, trailers) = (bytes.to_vec(), Vec::new());
                        self.phase =
                            Phase::Body(Box::new(Pending { head, bytes, intake, trailers }));
                        cx.path = path;
                        return;
                    }
                    Ok(None) => self.answer_early(&message, &found, By::Found, cx),
                    Err(reject) => {
                        self.answer_early(&message, &found, By::Failure(reject.status), cx);
                    }
                }
            }
        }
        cx.head = head;
        cx.path = path;
    }

    /// What becomes of the request's body; `None` if the answer need not wait for it.
    fn intake(
        &self,
        message: &Message<'_>,
        found: &Found<'_>,
        cx: &mut Context,
    ) -> Result<Option<Intake>, Reject> {
        let Message { head, path, .. } = *message;
        let limit = self.settings.max_body;
        match head.body {
            BodyLength::None => return Ok(None),
            BodyLength::Length(length) if limit > 0 && length > limit => {
                return Err(Reject::new(Status::CONTENT_TOO_LARGE, "Content-Length too large"));
            }
            BodyLength::Length(_) | BodyLength::Chunked => {}
        }
        if let Some((handler, params)) = found.receiver(head.method, path) {
            let mut response = std::mem::take(&mut cx.response);
            let request = Request { params: Some(params), ..self.request(message, cx) };
            let sink = handler.receive(&mut Exchange { request, response: &mut response });
            response.reset();
            cx.response = response;
            return Ok(Some(
                sink?.map_or_else(|| Intake::Whole(Content::default()), Intake::Streamed),
            ));
        }
        // Only the end of a chunked body tells that it is not too large. A client that awaits 100 is not
        // asked for one that nobody wants.
        let may_grow = head.body == BodyLength::Chunked && limit > 0 && !head.expect_continue;
        Ok(may_grow.then_some(Intake::Counted))
    }

    /// Answers a request whose body, if it has one, is still to come and wanted by nobody.
    fn answer_early(&mut self, message: &Message<'_>, found: &Found<'_>, by: By, cx: &mut Context) {
        let Head { body, expect_continue, .. } = *message.head;
        let has_body = body != BodyLength::None;
        // A client that awaits 100 may or may not send its body after a final answer: what comes next
        // on the connection cannot be told.
        self.closing |= expect_continue && has_body;
        self.closing |= matches!(by, By::Failure(Status::CONTENT_TOO_LARGE));
        self.lingering |= has_body;
        self.phase = Phase::Discard;
        self.answer(message, found, by, cx);
    }

    /// The message is complete.
    pub(super) fn finish(&mut self, site: &Site, cx: &mut Context) {
        self.lingering = false;
        let Phase::Body(pending) = std::mem::replace(&mut self.phase, Phase::Head) else {
            // Answered before the server began to stop.
            self.closing |= cx.draining;
            return;
        };
        let Pending { head, bytes, intake, trailers } = *pending;
        let (body, by) = match intake {
            Intake::Counted => (Whole::default(), By::Found),
            Intake::Streamed(sink) => (Whole::default(), By::Sink(sink)),
            Intake::Whole(content) => match content.whole() {
                Ok(body) => (body, By::Found),
                Err(reject) => (Whole::default(), By::Failure(reject.status)),
            },
        };
        let message =
            Message { head: &head, bytes: &bytes, path: &[], body: &body, trailers: &trailers };
        self.answer_pending(message, by, site, cx);
    }

    /// Answers a request that was waiting for its body; its path is looked up again.
    fn answer_pending(&mut self, message: Message<'_>, by: By, site: &Site, cx: &mut Context) {
        let Message { head, bytes, .. } = message;
        let mut path = std::mem::take(&mut cx.path);
        match self.look_up(head.view(bytes), &mut path, site) {
            Err(reject) => self.refuse_head(reject, head, bytes, cx),
            Ok(found) => self.answer(&Message { path: &path, ..message }, &found, by, cx),
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

    #[inline]
    fn request<'a>(&self, message: &Message<'a>, cx: &Context) -> Request<'a> {
        let Message { head, bytes, path, body, trailers } = *message;
        let view = head.view(bytes);
        Request {
            head: view,
            path,
            query: view.target().query,
            body,
            trailers,
            params: None,
            now: cx.wall,
            peer: self.peer,
            peer_text: OnceCell::new(),
        }
    }

    fn answer(&mut self, message: &Message<'_>, found: &Found<'_>, by: By, cx: &mut Context) {
        let head = message.head;
        let mut response = std::mem::take(&mut cx.response);
        let request = self.request(message, cx);
        let mut x = Exchange { request, response: &mut response };
        match by {
            By::Found => found.answer(&mut x),
            By::Sink(sink) => found.end(&mut x, sink),
            By::Failure(status) => found.fail(&mut x, status),
        }
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
            Phase::Body(pending) => {
                let Pending { head, bytes, .. } = &*pending;
                let message = Message { head, bytes, path: &[], body: &[], trailers: &[] };
                self.answer_pending(message, By::Failure(reject.status), site, cx);
            }
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
