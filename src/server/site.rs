// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that a running server answers with, shared by its workers and never changed: which
//! virtual server, route and location a request belongs to, and in which order they are asked.

use super::compression;
use super::config::{Location, Settings, VirtualServer};
use super::exchange::Exchange;
use super::handler::{Handler, Outcome, Sink};
use super::handlers::{files, redirect, status};
use super::limits;
use super::routes::{self, Params, Routes};
use super::routing::Hosts;
use crate::http::method::{Method, MethodSet};
use crate::http::status::{Reject, Status};
use std::io::Write as _;
use std::sync::Arc;

pub(crate) struct Site {
    /// By the index that listeners have.
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) routes: Arc<Routes>,
}

/// What answers on one listening address.
pub(crate) struct Endpoint {
    pub(crate) hosts: Hosts,
    /// `None` on a unix socket.
    pub(crate) port: Option<u16>,
}

/// Where a request belongs.
#[derive(Clone, Copy)]
pub(crate) struct Found<'s> {
    pub(crate) site: &'s Site,
    pub(crate) endpoint: &'s Endpoint,
    pub(crate) server: &'s VirtualServer,
    pub(crate) location: Option<&'s Location>,
}

impl Site {
    /// The virtual server by listening address and host, the location by path.
    pub(crate) fn find(&self, endpoint: usize, host: &[u8], path: &[u8]) -> Found<'_> {
        let endpoint = &self.endpoints[endpoint];
        let server = endpoint.hosts.select(host);
        let location = server.select_location(path);
        Found { site: self, endpoint, server, location }
    }

    /// What holds for a connection until its first request says whom it is for.
    pub(crate) fn settings_before_request(&self, endpoint: usize) -> &Arc<Settings> {
        &self.endpoints[endpoint].hosts.default_server().settings
    }
}

impl<'s> Found<'s> {
    pub(crate) fn settings(&self) -> &'s Arc<Settings> {
        self.location.map_or(&self.server.settings, |location| &location.settings)
    }

    /// The handler that will look at the request's body, and what stands for its pattern's names.
    pub(crate) fn receiver<'p>(
        &self,
        method: Method,
        path: &'p [u8],
    ) -> Option<(&'s dyn Handler, Params<'s, 'p>)> {
        let (routes, params) = self.site.routes.find(path)?;
        let route = routes.iter().find(|route| route.is_for(method))?;
        Some((&*route.handler, params))
    }

    /// Answers: routes first, then the location; a failure gets its page.
    pub(crate) fn answer<'a>(&self, x: &mut Exchange<'a>)
    where
        's: 'a,
    {
        let settings = match self.try_answer(x) {
            Ok(settings) => settings,
            Err(reject) => self.page(x, reject.status),
        };
        self.complete(x, settings);
    }

    /// Has the sink that took the body answer.
    pub(crate) fn end<'a>(&self, x: &mut Exchange<'a>, sink: Box<dyn Sink>)
    where
        's: 'a,
    {
        x.request.params = self.site.routes.find(x.request.path).map(|(_, params)| params);
        let settings = match sink.end(x) {
            Ok(()) => self.settings(),
            Err(reject) => {
                x.response.reset();
                self.page(x, reject.status)
            }
        };
        self.complete(x, settings);
    }

    /// Answers with the page of a failure.
    pub(crate) fn fail(&self, x: &mut Exchange<'_>, failure: Status) {
        let settings = self.page(x, failure);
        self.complete(x, settings);
    }

    /// Adds what an answer has to have, whoever made it, and compresses it if the settings of the
    /// location that it comes from say so.
    fn complete(&self, x: &mut Exchange<'_>, settings: &Settings) {
        if x.response.status == Status::METHOD_NOT_ALLOWED && x.response.value("Allow").is_none() {
            // RFC 9110 section 15.5.6 wants the list, be it empty.
            let routes = self.site.routes.find(x.request.path);
            let offered = routes.map_or(MethodSet::EMPTY, |(routes, _)| routes::methods(routes));
            allow(x, offered.without(x.request.known_method()));
        }
        compression::apply(settings, x);
    }

    /// The settings of the location that the answer comes from.
    fn try_answer<'a>(&self, x: &mut Exchange<'a>) -> Result<&'s Settings, Reject>
    where
        's: 'a,
    {
        if x.request.path.is_empty() {
            return match x.request.known_method() {
                Method::Options => {
                    options(x, routes::ANY_METHOD);
                    Ok(self.settings())
                }
                // CONNECT asks for a proxy.
                _ => Err(not_allowed(x, routes::ANY_METHOD)),
            };
        }
        let mut offered = MethodSet::default();
        if let Some((routes, params)) = self.site.routes.find(x.request.path) {
            offered = routes::methods(routes);
            x.request.params = Some(params);
            let method = x.request.known_method();
            for route in routes.iter().filter(|route| route.is_for(method)) {
                let outcome = route.handler.handle(x);
                if !matches!(outcome, Ok(Outcome::Answered)) {
                    x.response.reset();
                }
                if outcome? == Outcome::Answered {
                    return Ok(self.settings());
                }
            }
        }
        if !offered.is_empty() && x.request.known_method() == Method::Options {
            options(x, offered);
            return Ok(self.settings());
        }
        let refused = |status| matches!(status, Status::NOT_FOUND | Status::METHOD_NOT_ALLOWED);
        match self.locate(x) {
            Err(reject) if refused(reject.status) && !offered.is_empty() => {
                if offered.contains(x.request.known_method()) {
                    return Err(reject);
                }
                // The location's own `Allow` knows nothing of the routes.
                x.response.fields.clear();
                Err(not_allowed(x, offered))
            }
            other => other,
        }
    }

    /// Serves from the location, following internal redirects.
    fn locate(&self, x: &mut Exchange<'_>) -> Result<&'s Settings, Reject> {
        let mut found = *self;
        let mut elsewhere = self.serve(x, x.request.path)?;
        let mut redirects = 0;
        while let Some(path) = elsewhere {
            if redirects == limits::INTERNAL_REDIRECTS {
                let why = "too many internal redirects";
                return Err(Reject::new(Status::INTERNAL_SERVER_ERROR, why));
            }
            redirects += 1;
            found.location = found.server.select_location(&path);
            let served = found.serve(x, &path);
            x.buffers.give(path);
            elsewhere = served?;
        }
        Ok(found.settings())
    }

    /// Answers from one location; a path, in a buffer of the worker's, says where to look instead.
    fn serve(&self, x: &mut Exchange<'_>, path: &[u8]) -> Result<Option<Vec<u8>>, Reject> {
        let settings = self.settings();
        let method = x.request.known_method();
        if let Some(answer) = &settings.answer {
            return redirect::answer(self, x, path, answer).map(|()| None);
        }
        if settings.limit_except.is_some_and(|allowed| !allows(allowed, method)) {
            return Err(Reject::new(Status::FORBIDDEN, "method denied by limit_except"));
        }
        let offered = settings.allow_methods.unwrap_or(files::METHODS);
        if method == Method::Options {
            options(x, offered);
            return Ok(None);
        }
        if !allows(offered, method) || !files::METHODS.contains(method) {
            let both = offered.intersection(files::METHODS);
            return Err(not_allowed(x, both));
        }
        files::serve(self, x, path)
    }

    /// Makes the page of a failure: the configured one, else the built-in one. Header lines that the
    /// failing handler left, such as `Allow`, stay. Returns the settings of the page's location.
    fn page(&self, x: &mut Exchange<'_>, failure: Status) -> &'s Settings {
        x.response.clear_content();
        let page = self.settings().error_pages.iter().find(|page| page.codes.contains(&failure));
        match page {
            Some(page) if page.target.starts_with('/') => {
                let path = page.target.as_bytes();
                let mut found = *self;
                found.location = found.server.select_location(path);
                if found.error_page(x, path).is_ok() {
                    // A page that sends the client elsewhere does so, as in nginx.
                    if !x.response.status.is_redirect() {
                        x.response.status = page.status.unwrap_or(failure);
                    }
                    return found.settings();
                }
                x.response.clear_content();
                status::page(x.response, failure);
            }
            Some(page) => {
                x.response.line("Location", page.target.as_bytes());
                let redirect = page.status.filter(|status| status.is_redirect());
                status::page(x.response, redirect.unwrap_or(Status::FOUND));
            }
            None => status::page(x.response, failure),
        }
        self.settings()
    }

    fn error_page(&self, x: &mut Exchange<'_>, path: &[u8]) -> Result<(), Reject> {
        match &self.settings().answer {
            Some(answer) => redirect::answer(self, x, path, answer),
            None => files::serve_whole(self, x, path),
        }
    }
}

/// A set that has GET has HEAD (RFC 9110 section 9.3.2).
fn allows(set: MethodSet, method: Method) -> bool {
    set.contains(method) || (method == Method::Head && set.contains(Method::Get))
}

fn options(x: &mut Exchange<'_>, methods: MethodSet) {
    x.response.status = Status::NO_CONTENT;
    allow(x, methods.with(Method::Options));
}

fn not_allowed(x: &mut Exchange<'_>, methods: MethodSet) -> Reject {
    allow(x, methods.with(Method::Options));
    Reject::new(Status::METHOD_NOT_ALLOWED, "method not allowed here")
}

fn allow(x: &mut Exchange<'_>, methods: MethodSet) {
    let methods = if methods.contains(Method::Get) { methods.with(Method::Head) } else { methods };
    // Writing to a vector does not fail.
    let _ = write!(x.response.fields, "Allow: {methods}\r\n");
}
