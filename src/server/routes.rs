// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handlers by method and path pattern.

use super::handler::Handler;
use crate::error::{Error, Result};
use crate::http::method::{Method, MethodSet};
use std::collections::HashMap;

/// All routes of a server.
#[derive(Default)]
pub(crate) struct Routes {
    router: matchit::Router<usize>,
    by_pattern: HashMap<String, usize>,
    entries: Vec<Vec<Route>>,
}

/// One handler of a pattern.
pub(crate) struct Route {
    /// `None`: whatever the method.
    pub(crate) method: Option<Method>,
    pub(crate) handler: Box<dyn Handler>,
}

impl Routes {
    /// Adds a handler; of several for one pattern and method, the first is asked first.
    pub(crate) fn add(
        &mut self,
        method: &str,
        pattern: &str,
        handler: Box<dyn Handler>,
    ) -> Result<()> {
        let method = match method {
            "*" => None,
            token => Some(Method::parse(token).ok_or_else(|| {
                Error::invalid(format!(
                    "unknown method {token:?}: use GET, POST, … or \"*\" for all"
                ))
            })?),
        };
        if !pattern.starts_with('/') {
            return Err(Error::invalid(format!("pattern {pattern:?} must start with '/'")));
        }
        let index = match self.by_pattern.get(pattern) {
            Some(&index) => index,
            None => {
                let index = self.entries.len();
                self.router
                    .insert(catch_all(pattern), index)
                    .map_err(|error| Error::invalid(format!("pattern {pattern:?}: {error}")))?;
                self.by_pattern.insert(pattern.to_owned(), index);
                self.entries.push(Vec::new());
                index
            }
        };
        if let Some(routes) = self.entries.get_mut(index) {
            routes.push(Route { method, handler });
        }
        Ok(())
    }

    /// The handlers for a path, and what stands in it for the pattern's names.
    pub(crate) fn find<'r, 'p>(
        &'r self,
        path: &'p [u8],
    ) -> Option<(&'r [Route], matchit::Params<'r, 'p>)> {
        if self.entries.is_empty() {
            return None;
        }
        let found = self.router.at(std::str::from_utf8(path).ok()?).ok()?;
        Some((self.entries.get(*found.value)?, found.params))
    }
}

impl Route {
    /// Whether it is for this method: HEAD is answered as GET is, without the content.
    pub(crate) fn is_for(&self, method: Method) -> bool {
        self.method
            .is_none_or(|own| own == method || (own == Method::Get && method == Method::Head))
    }
}

/// What a path can be asked for with: all but CONNECT, whose target has no path.
pub(crate) const ANY_METHOD: MethodSet = MethodSet::EMPTY
    .with(Method::Get)
    .with(Method::Head)
    .with(Method::Post)
    .with(Method::Put)
    .with(Method::Delete)
    .with(Method::Options)
    .with(Method::Trace)
    .with(Method::Patch);

/// The methods that some of these routes are for.
pub(crate) fn methods(routes: &[Route]) -> MethodSet {
    routes.iter().fold(MethodSet::default(), |set, route| match route.method {
        None => ANY_METHOD,
        Some(Method::Get) => set.with(Method::Get).with(Method::Head),
        Some(method) => set.with(method),
    })
}

/// `{name...}` takes the rest of the path, which the router spells `{*name}`.
fn catch_all(pattern: &str) -> String {
    match pattern.strip_suffix("...}").and_then(|start| start.rsplit_once('{')) {
        Some((start, name)) => format!("{start}{{*{name}}}"),
        None => pattern.to_owned(),
    }
}
