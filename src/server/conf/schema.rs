// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a definition of a directive is, and the checks that follow from it: the name is known, the
//! place is right, the number of arguments fits, a block is there or is not.

use super::directives::definitions;
use super::parser::Directive;
use super::source::{Sources, Span, quoted};
use super::statement::Statement;
use crate::error::Result;
use crate::server::config::{Config, Settings};
use std::ops::RangeInclusive;

bitflags::bitflags! {
    /// Where a directive may stand.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Places: u8 {
        const MAIN = 1;
        const EVENTS = 1 << 1;
        const HTTP = 1 << 2;
        const SERVER = 1 << 3;
        const LOCATION = 1 << 4;
        const LIMIT_EXCEPT = 1 << 5;
    }
}

impl Places {
    /// Wherever settings are inherited from the outside in.
    pub(super) const SETTINGS: Self = Self::HTTP.union(Self::SERVER).union(Self::LOCATION);
    /// The top of the file, where what belongs to `http` may stand too.
    pub(super) const TOP: Self = Self::MAIN.union(Self::HTTP);

    /// Their names, outermost first, separated by commas.
    pub(super) fn names(self) -> String {
        let names: Vec<String> =
            self.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.join(", ")
    }
}

/// A directive: everything that the reader, its errors and the manual know about it.
#[derive(Debug)]
pub(super) struct Definition {
    pub(super) name: &'static str,
    /// What follows the name, in the notation of nginx's manual.
    pub(super) syntax: &'static str,
    /// What holds where the directive is absent, as its arguments; `None` if that is nothing.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that writes the manual"))]
    pub(super) default: Option<&'static str>,
    pub(super) places: Places,
    /// How many arguments it takes.
    pub(super) arguments: RangeInclusive<usize>,
    /// Whether one block may have it several times.
    pub(super) repeats: bool,
    pub(super) action: Action,
    /// What it does, for the manual.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that writes the manual"))]
    pub(super) about: &'static str,
}

impl Definition {
    /// How the directive is written.
    pub(super) fn usage(&self) -> String {
        let Self { name, syntax, .. } = self;
        let space = if syntax.is_empty() { "" } else { " " };
        let end = if matches!(self.action, Action::Block(_)) { " { … }" } else { ";" };
        format!("{name}{space}{syntax}{end}")
    }

    /// The names of the places, with `main` for the top of the file where it stands for `http`.
    pub(super) fn contexts(&self) -> String {
        let http = self.places.contains(Places::HTTP);
        if http { self.places | Places::MAIN } else { self.places }.names()
    }
}

/// What a directive does, by what it acts on.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// Its place is taken by the content of files.
    Include,
    /// It opens a block of this kind.
    Block(Places),
    Main(fn(&mut Config, &Statement<'_>) -> Result<()>),
    Server(fn(&mut super::build::Server, &Statement<'_>) -> Result<()>),
    Settings(fn(&mut Settings, &Statement<'_>) -> Result<()>),
    /// It says whether methods outside a `limit_except` are refused.
    Access(fn(&Statement<'_>) -> Result<bool>),
}

/// Spellings that other servers and habits use, and the directive that is meant.
const SPELLINGS: [(&str, &str); 7] = [
    ("allowed_methods", "allow_methods"),
    ("cgi_extension", "cgi"),
    ("cgi_pass", "cgi"),
    ("max_body_size", "client_max_body_size"),
    ("methods", "allow_methods"),
    ("redirect", "return"),
    ("upload_path", "upload_store"),
];

/// Most edits between a word and the known word that is suggested for it.
const EDITS: usize = 3;

/// The definition that fits a directive standing in a block of the given kind.
pub(super) fn check(
    sources: &Sources,
    place: Places,
    directive: &Directive,
) -> Result<&'static Definition> {
    let name = &directive.name;
    let Some(definition) = find(&name.text) else {
        return Err(sources.error(name.span, unknown(&name.text)));
    };
    if !definition.places.intersects(place) {
        let here = if place == Places::TOP { Places::MAIN } else { place }.names();
        let sentence = format!(
            "`{}` cannot stand in {here}; it may stand in: {}",
            definition.name,
            definition.contexts()
        );
        return Err(sources.error(name.span, sentence));
    }
    check_shape(sources, definition, directive)?;
    Ok(definition)
}

/// Whether the directive stands for the content of files.
pub(super) fn is_include(directive: &Directive) -> bool {
    find(&directive.name.text).is_some_and(|found| matches!(found.action, Action::Include))
}

fn check_shape(sources: &Sources, definition: &Definition, directive: &Directive) -> Result<()> {
    let Definition { name, arguments, .. } = definition;
    let is_block = matches!(definition.action, Action::Block(_));
    let usage = definition.usage();
    let given = directive.arguments.len();
    if !arguments.contains(&given) {
        let (span, hint) = surplus(sources, directive, *arguments.end())
            .unwrap_or((directive.name.span, String::new()));
        let takes = count(arguments);
        let sentence = format!("`{name}` takes {takes}, not {given}{hint}; write `{usage}`");
        return Err(sources.error(span, sentence));
    }
    let sentence = match (is_block, directive.block.is_some()) {
        (true, false) => format!("`{name}` needs a block; write `{usage}`"),
        (false, true) => format!("`{name}` takes no block; write `{usage}`"),
        _ => return Ok(()),
    };
    Err(sources.error(directive.name.span, sentence))
}

/// Where the first argument too many is, and whether a `;` before it was forgotten.
fn surplus(sources: &Sources, directive: &Directive, most: usize) -> Option<(Span, String)> {
    let surplus = directive.arguments.get(most)?.span;
    let words = || std::iter::once(&directive.name).chain(&directive.arguments);
    let broken = words()
        .zip(words().skip(1))
        .map(|(word, next)| (sources.line(word.span), sources.line(next.span)))
        .find(|(line, next)| line != next);
    let hint = broken.map_or(String::new(), |(line, _)| {
        format!(" (is a `;` missing at the end of line {line}?)")
    });
    Some((surplus, hint))
}

fn count(arguments: &RangeInclusive<usize>) -> String {
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    match (*arguments.start(), *arguments.end()) {
        (0, 0) => "no argument".to_owned(),
        (least, most) if least == most => format!("{least} argument{}", plural(least)),
        (least, usize::MAX) => format!("at least {least} argument{}", plural(least)),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

fn find(name: &str) -> Option<&'static Definition> {
    definitions().find(|definition| definition.name == name)
}

/// The sentence about a name that nothing is known by.
fn unknown(name: &str) -> String {
    let sentence = format!("unknown directive {}", quoted(name));
    if let Some((_, meant)) = SPELLINGS.iter().find(|(spelling, _)| *spelling == name) {
        let absent = if find(meant).is_some() { "" } else { ", which this version does not have" };
        return format!("{sentence}; the word for it is `{meant}`{absent}");
    }
    sentence + &suggestion(name, definitions().map(|definition| definition.name))
}

/// `; did you mean …?` with the known word nearest to the given one, or nothing if none is near.
pub(super) fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let length = word.chars().take(100).count();
    let most = EDITS.min(length / 2);
    known
        .filter(|known| known.len().abs_diff(length) <= most)
        .map(|known| (strsim::osa_distance(word, known), known))
        .filter(|&(edits, _)| edits <= most)
        .min()
        .map_or(String::new(), |(_, known)| format!("; did you mean `{known}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_consistent() {
        for definition in definitions() {
            let Definition { name, places, .. } = definition;
            let same = definitions().filter(|other| other.name == *name).count();
            assert_eq!(same, 1, "{name} is defined twice");
            assert!(!places.is_empty(), "{name} may stand nowhere");
            assert!(
                !SPELLINGS.iter().any(|(spelling, _)| spelling == name),
                "{name} is a spelling"
            );
        }
    }

    #[test]
    fn the_nearest_known_word_is_suggested() {
        let nearest = |word: &str| suggestion(word, ["index", "autoindex", "include"].into_iter());
        assert_eq!(nearest("indxe"), "; did you mean `index`?");
        assert_eq!(nearest("autoidx"), "; did you mean `autoindex`?");
        assert_eq!(nearest("proxy_pass"), "");
        assert_eq!(nearest(""), "");
        assert_eq!(nearest(&"i".repeat(1_000_000)), "");
    }
}
