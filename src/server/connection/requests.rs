// SPDX-License-Identifier: MIT OR Apache-2.0
//! A connection's requests: each is looked up, answered or refused, and the answer queued.

use super::Lasting;
use super::pending::{Intake, Pending};
use super::talk::{Phase, Talk};
use crate::http::h1::head::{BodyLength, Head, RequestHead};
use crate::http::status::{Reject, Status};
use crate::http::target::{self, Form};
use crate::server::config::Settings;
use crate::server::content::{Content, Whole};
use crate::server::context::{Context, Scratch};
use crate::server::exchange::{Exchange, OwnedField, Request, Response};
use crate::server::handler::Sink;
use crate::server::handlers::status;
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

impl Talk<'_> {
    /// A head is complete: answers at once, or waits for the body if the handler wants it. `body` is
    /// the whole of it if it came along.
    pub(super) fn begin(
        &mut self,
        bytes: &[u8],
        body: Option<&[u8]>,
        site: &Site,
        scratch: &mut Scratch,
        cx: &mut Context,
    ) {
        self.lasting.served += 1;
        cx.count.requests += 1;
        self.heard(cx.now);
        self.passing.came = 0;
        let Scratch { head, path, response } = scratch;
        let found = match self.look_up(head.view(bytes), path, site) {
            Err(reject) => return self.refuse_head(reject, head, bytes, response, cx),
            Ok(found) => found,
        };
        let message = Message { head, bytes, path, body: &[], trailers: &[] };
        let body = body.filter(|body| body.len() <= self.lasting.settings.body_buffer);
        match (self.intake(&message, &found, response, cx), body) {
            (Ok(Some(Intake::Whole(_))), Some(body)) => {
                self.passing.phase = Phase::Discard;
                self.answer(&Message { body, ..message }, &found, By::Found, response, cx);
            }
            (Ok(Some(intake)), _) => {
                if head.expect_continue {
                    self.passing.output.proceed(cx);
                }
                let (head, bytes) = (std::mem::take(head), bytes.to_vec());
                let pending = Pending { head, bytes, intake, trailers: Vec::new() };
                self.passing.phase = Phase::Body(Box::new(pending));
            }
            (Ok(None), _) => self.answer_early(&message, &found, By::Found, response, cx),
            (Err(reject), _) => {
                let by = By::Failure(reject.status);
                self.answer_early(&message, &found, by, response, cx);
            }
        }
    }

    /// What becomes of the request's body; `None` if the answer need not wait for it.
    fn intake(
        &self,
        message: &Message<'_>,
        found: &Found<'_>,
        response: &mut Response,
        cx: &mut Context,
    ) -> Result<Option<Intake>, Reject> {
        let Message { head, path, .. } = *message;
        let limit = self.lasting.settings.max_body;
        match head.body {
            BodyLength::None => return Ok(None),
            BodyLength::Length(length) if limit > 0 && length > limit => {
                return Err(Reject::new(Status::CONTENT_TOO_LARGE, "Content-Length too large"));
            }
            BodyLength::Length(_) | BodyLength::Chunked => {}
        }
        if let Some((handler, params)) = found.receiver(head.method, path) {
            let request = Request { params: Some(params), ..self.request(message, cx) };
            let (files, buffers) = (&mut cx.files, &mut cx.buffers);
            let sink = handler.receive(&mut Exchange { request, response, files, buffers });
            response.reset();
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
    fn answer_early(
        &mut self,
        message: &Message<'_>,
        found: &Found<'_>,
        by: By,
        response: &mut Response,
        cx: &mut Context,
    ) {
        let Head { body, expect_continue, .. } = *message.head;
        let has_body = body != BodyLength::None;
        // A client that awaits 100 may or may not send its body after a final answer: what comes next
        // on the connection cannot be told.
        self.lasting.closing |= expect_continue && has_body;
        self.lasting.closing |= matches!(by, By::Failure(Status::CONTENT_TOO_LARGE));
        self.lasting.lingering |= has_body;
        self.passing.phase = Phase::Discard;
        self.answer(message, found, by, response, cx);
    }

    /// The message is complete.
    pub(super) fn finish(&mut self, site: &Site, scratch: &mut Scratch, cx: &mut Context) {
        self.lasting.lingering = false;
        let Phase::Body(pending) = std::mem::take(&mut self.passing.phase) else {
            // Answered before the server began to stop.
            self.lasting.closing |= cx.draining;
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
        self.answer_pending(message, by, site, scratch, cx);
    }

    /// Answers a request that was waiting for its body; its path is looked up again.
    fn answer_pending(
        &mut self,
        message: Message<'_>,
        by: By,
        site: &Site,
        scratch: &mut Scratch,
        cx: &mut Context,
    ) {
        let Message { head, bytes, .. } = message;
        let Scratch { path, response, .. } = scratch;
        match self.look_up(head.view(bytes), path, site) {
            Err(reject) => self.refuse_head(reject, head, bytes, response, cx),
            Ok(found) => self.answer(&Message { path, ..message }, &found, by, response, cx),
        }
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
        let found = site.find(self.lasting.endpoint as usize, host, path);
        if !Arc::ptr_eq(&self.lasting.settings, found.settings()) {
            self.lasting.settings = Arc::clone(found.settings());
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
            peer: self.lasting.peer,
            peer_text: OnceCell::new(),
        }
    }

    fn answer(
        &mut self,
        message: &Message<'_>,
        found: &Found<'_>,
        by: By,
        response: &mut Response,
        cx: &mut Context,
    ) {
        let head = message.head;
        let mut x = Exchange {
            request: self.request(message, cx),
            response: &mut *response,
            files: &mut cx.files,
            buffers: &mut cx.buffers,
        };
        match by {
            By::Found => found.answer(&mut x),
            By::Sink(sink) => found.end(&mut x, sink),
            By::Failure(status) => found.fail(&mut x, status),
        }
        let entry = log(&self.lasting.settings, cx).map(|log| {
            let request = self.request(message, cx);
            Entry::new(log, &request, response.status, cx.buffers.take())
        });
        let Lasting { settings, served, closing, lingering, .. } = &mut *self.lasting;
        let keep = head.persistent
            && !cx.draining
            && *served < settings.keepalive_requests
            && !settings.keepalive_timeout.is_zero();
        *closing |= !keep || response.close;
        // A client that did not ask for the end may have sent more already.
        *lingering |= *closing && head.persistent;
        cx.exhausted |= response.exhausted;
        if !response.silent {
            let tokens = settings.server_tokens;
            *closing |= self.passing.output.put(head, response, *closing, tokens, entry, cx);
        } else if let Some(entry) = entry {
            cx.log(entry);
        }
        response.reset();
    }

    /// What came cannot be understood, is too much or too late: says so, unless the request has its
    /// answer already, and closes. `rest` is what came and is not consumed.
    pub(super) fn refuse(
        &mut self,
        reject: Reject,
        rest: &[u8],
        site: &Site,
        scratch: &mut Scratch,
        cx: &mut Context,
    ) {
        self.lasting.closing = true;
        self.lasting.lingering = true;
        match std::mem::take(&mut self.passing.phase) {
            Phase::Head => {
                self.refuse_head(reject, &Head::default(), rest, &mut scratch.response, cx);
            }
            Phase::Body(pending) => {
                let Pending { head, bytes, .. } = &*pending;
                let message = Message { head, bytes, path: &[], body: &[], trailers: &[] };
                self.answer_pending(message, By::Failure(reject.status), site, scratch, cx);
            }
            Phase::Discard | Phase::Linger => {}
        }
    }

    /// Answers a request of which it cannot be told whom it is for, and closes.
    fn refuse_head(
        &mut self,
        reject: Reject,
        head: &Head,
        bytes: &[u8],
        response: &mut Response,
        cx: &mut Context,
    ) {
        self.lasting.closing = true;
        self.lasting.lingering = true;
        status::page(response, reject.status);
        let Lasting { peer, settings, .. } = &*self.lasting;
        let entry = log(settings, cx)
            .map(|log| Entry::refused(log, *peer, bytes, reject.status, cx.buffers.take()));
        self.passing.output.put(head, response, true, settings.server_tokens, entry, cx);
        response.reset();
    }
}

/// Which of the worker's logs tells of a request with these settings.
fn log(settings: &Settings, cx: &Context) -> Option<usize> {
    cx.logs.index(settings.access_log.as_deref()?)
}
