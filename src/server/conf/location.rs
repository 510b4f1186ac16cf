// SPDX-License-Identifier: MIT OR Apache-2.0
//! `location`: its pattern, what it inherits, and the rules that hold between locations.
//!
//! Nested locations end up beside the outer ones: the longest prefix wins all the same, because one
//! that would win only in a flat list is an error.

use super::source::{Sources, Span, quoted};
use super::statement::Statement;
use crate::error::Result;
use crate::server::config::{Matcher, Settings};
use std::path::PathBuf;

/// A `location` block while its server is read.
pub(super) struct LocationDraft {
    pub(super) matcher: Matcher,
    pub(super) settings: Settings,
    /// The index of the location that it is nested in.
    pub(super) parent: Option<usize>,
    pub(super) span: Span,
}

/// The pattern of a location that stands in `outer`, or in the server itself.
pub(super) fn matcher(outer: Option<&LocationDraft>, block: &Statement<'_>) -> Result<Matcher> {
    let word = block.argument(0);
    let (modifier, path) = match block.arguments() {
        [modifier, path] => (modifier.text.as_str(), path.text.as_str()),
        _ => split(&word.text),
    };
    let path_word = block.arguments().last().unwrap_or(word);
    let matcher = match modifier {
        "" | "^~" => Matcher::Prefix(path.to_owned()),
        "=" => Matcher::Exact(path.to_owned()),
        "~" | "~*" => {
            let sentence = "locations by regular expression are not available; use a prefix or `=`";
            return Err(block.error(word, sentence));
        }
        _ => {
            let modifier = quoted(modifier);
            let sentence = format!("{modifier} is no kind of location; there are `=` and `^~`");
            return Err(block.error(word, sentence));
        }
    };
    if path.starts_with('@') {
        return Err(block.error(path_word, "named locations are not available"));
    }
    if !path.starts_with('/') {
        let sentence = format!("the path of a location starts with `/`, not as {}", quoted(path));
        return Err(block.error(path_word, sentence));
    }
    match outer.map(|outer| &outer.matcher) {
        Some(Matcher::Exact(_)) => {
            let sentence = "a location with `=` is for one path and cannot hold others";
            Err(block.error(&block.directive.name, sentence))
        }
        Some(Matcher::Prefix(prefix)) if !path.starts_with(prefix) => {
            let sentence =
                format!("{} is outside of the location {}", quoted(path), quoted(prefix));
            Err(block.error(path_word, sentence))
        }
        _ => Ok(matcher),
    }
}

/// The modifier and the path of a pattern that is written as one word, such as `=/path`.
fn split(word: &str) -> (&str, &str) {
    let modifier = ["=", "^~", "~*", "~"].into_iter().find(|&modifier| word.starts_with(modifier));
    word.split_at(modifier.map_or(0, str::len))
}

/// What a location starts from. `return` and `limit_except` hold for one block alone, as in nginx;
/// an inherited `alias` grows by the part of the path that the inner location adds.
pub(super) fn inherit(
    inherited: &Settings,
    outer: Option<&LocationDraft>,
    matcher: &Matcher,
) -> Settings {
    let mut settings = Settings { answer: None, limit_except: None, ..inherited.clone() };
    if let (Some(alias), Some(outer)) = (&settings.alias, outer) {
        let added = matcher.path().strip_prefix(outer.matcher.path()).unwrap_or("");
        let mut longer = alias.clone().into_os_string();
        longer.push(added);
        settings.alias = Some(PathBuf::from(longer));
    }
    settings
}

/// Two locations of one server cannot match the same, and each must be reachable.
pub(super) fn check(sources: &Sources, locations: &[LocationDraft]) -> Result<()> {
    for (index, location) in locations.iter().enumerate() {
        let earlier = locations.iter().take(index);
        if let Some(first) = earlier.clone().find(|earlier| earlier.matcher == location.matcher) {
            let place = sources.place(first.span);
            let path = quoted(location.matcher.path());
            let sentence = format!("the location {path} is given twice, first at {place}");
            return Err(sources.error(location.span, sentence));
        }
        if let Some(winner) = winner(locations, location) {
            let place = sources.place(winner.span);
            let path = quoted(winner.matcher.path());
            let sentence = format!(
                "this location is never reached: the location {path} at {place} matches first"
            );
            return Err(sources.error(location.span, sentence));
        }
    }
    Ok(())
}

/// The location that takes a nested one's paths, by being a longer prefix than one of those that
/// the nested one stands in.
fn winner<'a>(locations: &'a [LocationDraft], nested: &LocationDraft) -> Option<&'a LocationDraft> {
    let path = nested.matcher.path();
    let parent = |location: &LocationDraft| location.parent.and_then(|index| locations.get(index));
    std::iter::successors(parent(nested), |outer| parent(outer)).find_map(|outer| {
        locations.iter().find(|rival| match &rival.matcher {
            Matcher::Prefix(prefix) => {
                rival.parent == outer.parent
                    && prefix.len() > outer.matcher.path().len()
                    && path.starts_with(prefix.as_str())
            }
            Matcher::Exact(_) => false,
        })
    })
}
