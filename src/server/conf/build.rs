// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tree to a configuration: walks the blocks, applies the definitions' setters, inherits.
//!
//! In each block the simple directives are applied first and the blocks after them, so that a block
//! inherits all that its parent says, whatever the order in the file.

use super::access;
use super::addresses;
use super::include::Document;
use super::location::{self, LocationDraft};
use super::parser::Directive;
use super::schema::{self, Action, Places};
use super::source::Span;
use super::statement::{Context, Statement};
use crate::error::{Error, ErrorKind, Result};
use crate::server::config::{Config, Listen, Location, ServerName, Settings, VirtualServer};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A `server` block while it is read.
pub(super) struct Server {
    pub(super) listens: Vec<ListenDraft>,
    pub(super) names: Vec<(ServerName, Span)>,
    pub(super) settings: Settings,
    pub(super) locations: Vec<LocationDraft>,
}

/// A `listen` and where it stands.
pub(super) struct ListenDraft {
    pub(super) listen: Listen,
    pub(super) span: Span,
    /// Where its `backlog=` stands, if it has one.
    pub(super) backlog: Option<Span>,
}

/// The configuration that a document describes.
pub(super) fn build(document: &Document, path: &Path) -> Result<Config> {
    let context = Context { sources: &document.sources, folder: &document.folder };
    let mut builder = Builder { context, config: Config::default(), servers: Vec::new() };
    let settings = Settings { root: document.folder.join("html"), ..Settings::default() };
    builder.http(&settings, Places::TOP, &document.directives)?;
    let Builder { mut config, mut servers, .. } = builder;
    if servers.is_empty() {
        let message = format!("{}: there is no `server` in the configuration", path.display());
        return Err(Error::new(ErrorKind::Config, message));
    }
    addresses::check(context.sources, &servers)?;
    addresses::share_backlogs(&mut servers);
    config.servers = servers.into_iter().map(finish).collect();
    Ok(config)
}

struct Builder<'a> {
    context: Context<'a>,
    config: Config,
    servers: Vec<Server>,
}

impl<'a> Builder<'a> {
    /// The block `http`, or the top of the file, which may stand for it.
    fn http(&mut self, inherited: &Settings, place: Places, block: &'a [Directive]) -> Result<()> {
        let statements = self.statements(place, block)?;
        let mut settings = inherited.clone();
        for statement in &statements {
            match statement.definition.action {
                Action::Main(set) => set(&mut self.config, statement)?,
                Action::Settings(set) => set(&mut settings, statement)?,
                _ => {}
            }
        }
        for statement in &statements {
            match statement.definition.action {
                Action::Block(Places::SERVER) => self.server(&settings, statement)?,
                Action::Block(Places::HTTP) => {
                    self.http(&settings, Places::HTTP, statement.block())?;
                }
                Action::Block(other) => self.main(other, statement.block())?,
                _ => {}
            }
        }
        Ok(())
    }

    /// A block of what holds for the whole process.
    fn main(&mut self, place: Places, block: &'a [Directive]) -> Result<()> {
        for statement in self.statements(place, block)? {
            if let Action::Main(set) = statement.definition.action {
                set(&mut self.config, &statement)?;
            }
        }
        Ok(())
    }

    fn server(&mut self, inherited: &Settings, block: &Statement<'a>) -> Result<()> {
        let statements = self.statements(Places::SERVER, block.block())?;
        let mut server = Server {
            listens: Vec::new(),
            names: Vec::new(),
            settings: inherited.clone(),
            locations: Vec::new(),
        };
        for statement in &statements {
            match statement.definition.action {
                Action::Server(set) => set(&mut server, statement)?,
                Action::Settings(set) => set(&mut server.settings, statement)?,
                _ => {}
            }
        }
        if server.listens.is_empty() {
            let sentence = "this server has no address; give it one, such as `listen 8080;`";
            return Err(self.context.sources.error(block.span(), sentence));
        }
        if server.names.is_empty() {
            server.names.push((ServerName::Exact(String::new()), block.span()));
        }
        let settings = server.settings.clone();
        for statement in &statements {
            if let Action::Block(_) = statement.definition.action {
                self.location(&mut server, &settings, None, statement)?;
            }
        }
        location::check(self.context.sources, &server.locations)?;
        self.servers.push(server);
        Ok(())
    }

    fn location(
        &mut self,
        server: &mut Server,
        inherited: &Settings,
        parent: Option<usize>,
        block: &Statement<'a>,
    ) -> Result<()> {
        let outer = parent.and_then(|index| server.locations.get(index));
        let matcher = location::matcher(outer, block)?;
        let mut settings = location::inherit(inherited, outer, &matcher);
        let statements = self.statements(Places::LOCATION, block.block())?;
        for statement in &statements {
            match statement.definition.action {
                Action::Settings(set) => set(&mut settings, statement)?,
                Action::Block(Places::LIMIT_EXCEPT) => {
                    self.limit_except(&mut settings, statement)?;
                }
                _ => {}
            }
        }
        let index = server.locations.len();
        let draft = LocationDraft { matcher, settings, parent, span: block.span() };
        let settings = draft.settings.clone();
        server.locations.push(draft);
        for statement in &statements {
            if let Action::Block(Places::LOCATION) = statement.definition.action {
                self.location(server, &settings, Some(index), statement)?;
            }
        }
        Ok(())
    }

    /// The first rule decides, as in nginx; without one all methods stay allowed.
    fn limit_except(&self, settings: &mut Settings, block: &Statement<'a>) -> Result<()> {
        let methods = access::methods(block)?;
        let mut denied = None;
        for statement in self.statements(Places::LIMIT_EXCEPT, block.block())? {
            if let Action::Access(rule) = statement.definition.action {
                denied = denied.or(Some(rule(&statement)?));
            }
        }
        settings.limit_except = denied.unwrap_or(false).then_some(methods);
        Ok(())
    }

    /// The directives of a block with their definitions, each checked.
    fn statements(&self, place: Places, block: &'a [Directive]) -> Result<Vec<Statement<'a>>> {
        let sources = self.context.sources;
        let mut seen: HashMap<&str, Span> = HashMap::new();
        let mut statements = Vec::with_capacity(block.len());
        for directive in block {
            let definition = schema::check(sources, place, directive)?;
            let span = directive.name.span;
            let earlier = seen.get(definition.name).copied();
            let first = earlier.is_none();
            if let Some(earlier) = earlier.filter(|_| !definition.repeats) {
                let place = sources.place(earlier);
                let sentence = format!("`{}` is given twice, first at {place}", definition.name);
                return Err(sources.error(span, sentence));
            }
            seen.entry(definition.name).or_insert(span);
            statements.push(Statement { context: self.context, definition, directive, first });
        }
        if let (Some(&root), Some(&alias)) = (seen.get("root"), seen.get("alias")) {
            let place = sources.place(root);
            let sentence = format!("`alias` excludes `root`, which stands at {place}");
            return Err(sources.error(alias, sentence));
        }
        Ok(statements)
    }
}

/// A server's `return` answers before any location is looked for, as in nginx.
fn finish(server: Server) -> VirtualServer {
    let answer = server.settings.answer.clone();
    let locations = server.locations.into_iter().map(|draft| {
        let mut settings = draft.settings;
        settings.answer = answer.clone().or(settings.answer);
        Location { matcher: draft.matcher, settings: Arc::new(settings) }
    });
    VirtualServer {
        locations: locations.collect(),
        listens: server.listens.into_iter().map(|draft| draft.listen).collect(),
        names: server.names.into_iter().map(|(name, _)| name).collect(),
        settings: Arc::new(server.settings),
    }
}
