// SPDX-License-Identifier: MIT OR Apache-2.0
//! Preconditions (RFC 9110 section 13): whether a request on an existing representation is to be
//! carried out, is answered 304, or has failed with 412.

use super::date;
use super::etag::{self, EntityTag};
use super::headers::Fields;
use super::method::Method;
use std::time::SystemTime;

/// What the server knows about the representation that it would send or change.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Validators<'a> {
    pub(crate) etag: Option<EntityTag<'a>>,
    pub(crate) last_modified: Option<SystemTime>,
}

/// What to do with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Carry it out.
    Proceed,
    /// Answer 304.
    NotModified,
    /// Answer 412.
    Failed,
}

/// Whether the request has no precondition and asks for no range, as most do: they need not be looked for
/// one by one.
pub(crate) fn is_plain(fields: Fields<'_>) -> bool {
    let is_condition = |name: &[u8]| {
        name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"if-"))
            || name.eq_ignore_ascii_case(b"range")
    };
    !fields.iter().any(|(name, _)| is_condition(name))
}

/// Evaluates the preconditions in the order of RFC 9110 section 13.2.2, all but `If-Range`.
pub(crate) fn evaluate(method: Method, fields: Fields<'_>, current: Validators<'_>) -> Verdict {
    let reads = matches!(method, Method::Get | Method::Head);
    let failed = match any_tag(fields, "if-match", current, |tag, sent| tag.strongly_equals(sent)) {
        Some(matches) => !matches,
        None => modified_since(fields, "if-unmodified-since", current) == Some(true),
    };
    if failed {
        return Verdict::Failed;
    }
    if let Some(matches) =
        any_tag(fields, "if-none-match", current, |tag, sent| tag.weakly_equals(sent))
    {
        return match (matches, reads) {
            (false, _) => Verdict::Proceed,
            (true, true) => Verdict::NotModified,
            (true, false) => Verdict::Failed,
        };
    }
    match modified_since(fields, "if-modified-since", current) {
        Some(false) if reads => Verdict::NotModified,
        _ => Verdict::Proceed,
    }
}

/// Whether a `Range` is to be honoured: there is no `If-Range`, or it names the current
/// representation by its strong tag or by exactly its date.
pub(crate) fn if_range(fields: Fields<'_>, current: Validators<'_>) -> bool {
    let mut values = fields.all("if-range");
    let Some(value) = values.next() else { return true };
    if values.next().is_some() {
        return false;
    }
    match EntityTag::parse(value) {
        Some(tag) => current.etag.is_some_and(|etag| etag.strongly_equals(tag)),
        None => match (date::parse(value), current.last_modified) {
            (Some(date), Some(modified)) => date::seconds(date) == date::seconds(modified),
            _ => false,
        },
    }
}

/// Whether a tag in the fields of this name is the current one; `None` if there is no such field.
fn any_tag(
    fields: Fields<'_>,
    name: &str,
    current: Validators<'_>,
    equals: fn(EntityTag<'_>, EntityTag<'_>) -> bool,
) -> Option<bool> {
    let mut values = fields.all(name).peekable();
    values.peek()?;
    Some(values.any(|value| {
        value == b"*"
            || current.etag.is_some_and(|etag| etag::list(value).any(|tag| equals(etag, tag)))
    }))
}

/// Whether the representation is newer than the date in the field; `None` where the field is to be
/// ignored: it is missing, repeated or no date, or the representation has no date.
fn modified_since(fields: Fields<'_>, name: &str, current: Validators<'_>) -> Option<bool> {
    let date = date::parse(fields.only(name)?)?;
    Some(date::seconds(current.last_modified?) > date::seconds(date))
}

#[cfg(test)]
mod tests {
    use super::super::headers::{FieldSpan, Span};
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const EXACT: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn current() -> Validators<'static> {
        let modified = UNIX_EPOCH + Duration::from_millis(784_111_777_500);
        Validators { etag: EntityTag::parse(b"\"now\""), last_modified: Some(modified) }
    }

    fn with_fields<R>(fields: &[(&str, &str)], check: impl FnOnce(Fields<'_>) -> R) -> R {
        let text: String = fields.iter().map(|(name, value)| format!("{name}{value}")).collect();
        let bytes = text.as_bytes();
        let mut spans = Vec::new();
        let mut at = 0;
        for (name, value) in fields {
            let middle = at + name.len();
            let end = middle + value.len();
            let span = |range: std::ops::Range<usize>| Span::of(bytes, &bytes[range]);
            spans.push(FieldSpan { name: span(at..middle), value: span(middle..end) });
            at = end;
        }
        check(Fields::new(bytes, &spans))
    }

    fn verdict(method: Method, fields: &[(&str, &str)]) -> Verdict {
        with_fields(fields, |fields| evaluate(method, fields, current()))
    }

    #[test]
    fn a_request_is_plain_without_conditions_and_ranges() {
        let plain = |name| with_fields(&[("Host", "h"), (name, "x")], is_plain);
        for name in ["Accept", "I", "If", "Ifs", "Ranges", "X-Range", "Accept-Ranges"] {
            assert!(plain(name), "{name}");
        }
        for name in ["If-Match", "IF-NONE-MATCH", "if-range", "If-Unmodified-Since", "rAnge"] {
            assert!(!plain(name), "{name}");
        }
    }

    #[test]
    fn each_precondition_alone() {
        use Verdict::{Failed, NotModified, Proceed};
        for (name, value, get, put) in [
            ("If-Match", "\"now\"", Proceed, Proceed),
            ("If-Match", "*", Proceed, Proceed),
            ("If-Match", "W/\"now\"", Failed, Failed),
            ("If-Match", "\"old\"", Failed, Failed),
            ("If-Match", "now", Failed, Failed),
            ("If-Unmodified-Since", BEFORE, Failed, Failed),
            ("If-Unmodified-Since", EXACT, Proceed, Proceed),
            ("If-Unmodified-Since", "soon", Proceed, Proceed),
            ("If-None-Match", "\"old\", W/\"now\"", NotModified, Failed),
            ("If-None-Match", "*", NotModified, Failed),
            ("If-None-Match", "\"old\"", Proceed, Proceed),
            ("If-Modified-Since", BEFORE, Proceed, Proceed),
            ("If-Modified-Since", EXACT, NotModified, Proceed),
            ("If-Modified-Since", AFTER, NotModified, Proceed),
            ("If-Modified-Since", "soon", Proceed, Proceed),
        ] {
            assert_eq!(verdict(Method::Get, &[(name, value)]), get, "GET {name}: {value}");
            assert_eq!(verdict(Method::Put, &[(name, value)]), put, "PUT {name}: {value}");
        }
    }

    #[test]
    fn tags_go_before_dates() {
        let get = |fields: &[_]| verdict(Method::Get, fields);
        let none_match = ("If-None-Match", "\"old\"");
        assert_eq!(get(&[none_match, ("If-Modified-Since", AFTER)]), Verdict::Proceed);
        let matches = ("If-Match", "\"now\"");
        assert_eq!(get(&[("If-Unmodified-Since", BEFORE), matches]), Verdict::Proceed);
        assert_eq!(get(&[matches, ("If-None-Match", "\"now\"")]), Verdict::NotModified);
        let failed = ("If-Match", "\"old\"");
        assert_eq!(get(&[("If-None-Match", "\"now\""), failed]), Verdict::Failed);
    }

    #[test]
    fn repeated_fields_are_one_list_but_dates_do_not_repeat() {
        let get = |fields: &[_]| verdict(Method::Get, fields);
        let tags = [("If-None-Match", "\"old\""), ("If-None-Match", "\"now\"")];
        assert_eq!(get(&tags), Verdict::NotModified);
        let dates = [("If-Modified-Since", AFTER), ("If-Modified-Since", AFTER)];
        assert_eq!(get(&dates), Verdict::Proceed);
    }

    #[test]
    fn a_range_needs_the_strong_tag_or_the_exact_date() {
        let honoured = |fields: &[_]| with_fields(fields, |fields| if_range(fields, current()));
        assert!(honoured(&[]));
        for (value, expected) in [
            ("\"now\"", true),
            ("W/\"now\"", false),
            ("\"old\"", false),
            (EXACT, true),
            (BEFORE, false),
            (AFTER, false),
            ("nonsense", false),
        ] {
            assert_eq!(honoured(&[("If-Range", value)]), expected, "{value}");
        }
    }
}
