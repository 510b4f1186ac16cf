// SPDX-License-Identifier: MIT OR Apache-2.0
//! Handlers by method and path pattern.

use super::handler::Handler;
use crate::error::{Error, Result};
use crate::http::method::{Method, MethodSet};
use foldhash::fast::RandomState;
use matchit::InsertError;
use std::collections::{HashMap, HashSet};

/// All routes of a server.
#[derive(Default)]
pub(crate) struct Routes {
    router: matchit::Router<usize>,
    by_pattern: HashMap<String, usize>,
    /// Patterns that only one path matches: no other is more exact, so that the router need not be asked.
    by_path: HashMap<Box<[u8]>, usize, RandomState>,
    entries: Vec<Entry>,
    /// What the router has for the sake of patterns whose rest may be empty, which it does not do by
    /// itself; a pattern that the program adds takes the place of such a one.
    implied: HashSet<String>,
}

/// One pattern's handlers.
struct Entry {
    routes: Vec<Route>,
    /// `name`, if the pattern ends in `{name...}`.
    rest: Option<Box<str>>,
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
            None => self.insert(pattern)?,
        };
        if let Some(entry) = self.entries.get_mut(index) {
            entry.routes.push(Route { method, handler });
        }
        Ok(())
    }

    fn insert(&mut self, pattern: &str) -> Result<usize> {
        let index = self.entries.len();
        let rest = rest_name(pattern);
        // The router spells `{name...}` as `{*name}`.
        let spelled = rest.map(|(start, name)| format!("{start}{{*{name}}}"));
        let spelled = spelled.unwrap_or_else(|| pattern.to_owned());
        let mut inserted = self.router.insert(spelled.as_str(), index);
        if let Err(InsertError::Conflict { with }) = &inserted
            && self.implied.remove(with)
        {
            self.router.remove(with.as_str());
            inserted = self.router.insert(spelled.as_str(), index);
        }
        inserted.map_err(|error| Error::invalid(format!("pattern {pattern:?}: {error}")))?;
        // Where another pattern has that path already, it is more exact than an empty rest.
        if let Some((start, _)) = rest
            && self.router.insert(start, index).is_ok()
        {
            self.implied.insert(start.to_owned());
        }
        self.by_pattern.insert(pattern.to_owned(), index);
        if !pattern.contains(['{', '}']) {
            self.by_path.insert(pattern.as_bytes().into(), index);
        }
        self.entries.push(Entry { routes: Vec::new(), rest: rest.map(|(_, name)| name.into()) });
        Ok(index)
    }

    /// The handlers for a path, and what stands in it for the pattern's names.
    pub(crate) fn find<'r, 'p>(&'r self, path: &'p [u8]) -> Option<(&'r [Route], Params<'r, 'p>)> {
        if self.entries.is_empty() {
            return None;
        }
        if let Some(&index) = self.by_path.get(path) {
            let Entry { routes, .. } = self.entries.get(index)?;
            return Some((routes, Params { found: None, rest: None }));
        }
        let found = self.router.at(std::str::from_utf8(path).ok()?).ok()?;
        let Entry { routes, rest } = self.entries.get(*found.value)?;
        Some((routes, Params { found: Some(found.params), rest: rest.as_deref() }))
    }
}

/// What stands in a path for the names of the pattern that it matches.
pub(crate) struct Params<'r, 'p> {
    found: Option<matchit::Params<'r, 'p>>,
    rest: Option<&'r str>,
}

impl Params<'_, '_> {
    /// What stands for this name; empty if that is the rest of a path without any.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.found.as_ref().and_then(|found| found.get(name));
        found.or_else(|| (self.rest == Some(name)).then_some(""))
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

/// What comes before a last `{name...}`, which takes the rest of the path, and the name.
fn rest_name(pattern: &str) -> Option<(&str, &str)> {
    pattern.strip_suffix("...}")?.rsplit_once('{')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Exchange, Outcome};

    #[test]
    fn a_pattern_with_names_is_no_path() {
        let mut routes = Routes::default();
        for pattern in ["/a/{id}", "/a/b", "/{rest...}"] {
            let handler = |_: &mut Exchange<'_>| Ok(Outcome::Answered);
            routes.add("GET", pattern, Box::new(handler)).unwrap();
        }
        let param = |path: &str, name| {
            let (_, params) = routes.find(path.as_bytes()).unwrap();
            params.get(name).map(str::to_owned)
        };
        assert_eq!(param("/a/{id}", "id").as_deref(), Some("{id}"));
        assert_eq!(param("/a/b", "id"), None);
        assert_eq!(param("/a/c", "id").as_deref(), Some("c"));
        assert_eq!(param("/a/b/", "rest").as_deref(), Some("a/b/"));
        assert_eq!(param("/{rest...}", "rest").as_deref(), Some("{rest...}"));
    }
}
