// SPDX-License-Identifier: MIT OR Apache-2.0
//! Content codings (RFC 9110 section 8.4.1) and which of them a client takes (section 12.5.3).

use super::headers::{Fields, elements, trim};

/// A content coding that the server can send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    /// RFC 7932
    Brotli,
    /// RFC 8878
    Zstandard,
    /// RFC 9110 section 8.4.1.3
    Gzip,
}

impl Coding {
    /// All of them, the one that usually makes the least bytes first.
    pub(crate) const ALL: [Self; 3] = [Self::Brotli, Self::Zstandard, Self::Gzip];

    /// As `Content-Encoding` names it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Zstandard => "zstd",
            Self::Gzip => "gzip",
        }
    }

    /// What a file with it has at the end of its name.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Zstandard => ".zst",
            Self::Gzip => ".gz",
        }
    }

    fn is_named(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.as_str().as_bytes())
            || (self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip"))
    }
}

/// How much a client likes a coding, in thousandths; 0: not at all.
type Weight = u16;

/// The codings of these that the client takes and likes no less than none, the best liked first.
pub(crate) fn accepted(
    fields: Fields<'_>,
    offered: impl Fn(Coding) -> bool,
) -> impl Iterator<Item = Coding> {
    // Without a word about it, `identity` is what is left when nothing else is there.
    let least = named(fields, |name| name.eq_ignore_ascii_case(b"identity")).unwrap_or(0);
    let mut weighed = Coding::ALL.map(|coding| {
        let weight = if offered(coding) { weight(fields, coding) } else { 0 };
        (weight, coding)
    });
    // Stable, so that the server's order decides between equals.
    weighed.sort_by_key(|&(weight, _)| std::cmp::Reverse(weight));
    weighed
        .into_iter()
        .filter(move |&(weight, _)| weight > 0 && weight >= least)
        .map(|(_, coding)| coding)
}

/// What `Accept-Encoding` says about a coding: its own weight, else that of `*`, else 0. A client
/// that does not send the field may understand none.
fn weight(fields: Fields<'_>, coding: Coding) -> Weight {
    named(fields, |name| coding.is_named(name))
        .or_else(|| named(fields, |name| name == b"*"))
        .unwrap_or(0)
}

/// The weight of the first element with such a name.
fn named(fields: Fields<'_>, is_meant: impl Fn(&[u8]) -> bool) -> Option<Weight> {
    fields.all("accept-encoding").flat_map(elements).find_map(|element| {
        let mut parts = element.split(|&byte| byte == b';');
        let name = trim(parts.next().unwrap_or_default());
        // What is no weight is taken for a refusal: the content without a coding is always right.
        let weight = parts.next().map_or(Some(1000), |part| quality(trim(part)));
        let weight = weight.filter(|_| parts.next().is_none()).unwrap_or(0);
        is_meant(name).then_some(weight)
    })
}

/// `q=` and up to three decimals, 0 to 1 (RFC 9110 section 12.4.2), in thousandths.
fn quality(parameter: &[u8]) -> Option<Weight> {
    let value = match parameter {
        [b'q' | b'Q', b'=', value @ ..] => value,
        _ => return None,
    };
    let (whole, decimals) = match value {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let digit = |index: usize| match decimals.get(index) {
        Some(digit) if digit.is_ascii_digit() => Some(Weight::from(digit - b'0')),
        Some(_) => None,
        None => Some(0),
    };
    let thousandths = digit(0)? * 100 + digit(1)? * 10 + digit(2)?;
    let total = Weight::from(whole - b'0') * 1000 + thousandths;
    (total <= 1000).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::super::headers::{FieldSpan, Span};
    use super::*;
    use proptest::prelude::*;

    fn with_field<R>(value: &[u8], check: impl FnOnce(Fields<'_>) -> R) -> R {
        let name = b"Accept-Encoding";
        let bytes = [name, value].concat();
        let (name, value) = bytes.split_at(name.len());
        let spans = [FieldSpan { name: Span::of(&bytes, name), value: Span::of(&bytes, value) }];
        check(Fields::new(&bytes, &spans))
    }

    #[test]
    fn weights() {
        for (value, expected) in [
            ("gzip", 1000),
            ("GZIP", 1000),
            ("x-gzip", 1000),
            ("deflate, gzip;q=0.5", 500),
            ("gzip ; q=0.125", 125),
            ("gzip;Q=1.000", 1000),
            ("gzip;q=0", 0),
            ("gzip;q=0.000, *", 0),
            ("*;q=0.3", 300),
            ("*;q=0.3, gzip;q=0.7", 700),
            ("*, gzip;q=0", 0),
            ("", 0),
            ("identity", 0),
            ("gzipx", 0),
            ("br, zstd", 0),
            ("gzip;q=1.001", 0),
            ("gzip;q=2", 0),
            ("gzip;q=0.1234", 0),
            ("gzip;q=", 0),
            ("gzip;q=-1", 0),
            ("gzip;q=0.x", 0),
            ("gzip;level=9", 0),
            ("gzip;q=1;q=0", 0),
        ] {
            let found = with_field(value.as_bytes(), |fields| weight(fields, Coding::Gzip));
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn the_client_chooses_and_the_server_between_equals() {
        use Coding::{Brotli, Gzip, Zstandard};
        for (value, expected) in [
            ("gzip, br, zstd", vec![Brotli, Zstandard, Gzip]),
            ("gzip, br;q=0.9", vec![Gzip, Brotli]),
            ("*;q=0.1, zstd;q=0.2", vec![Zstandard, Brotli, Gzip]),
            ("*, br;q=0", vec![Zstandard, Gzip]),
            ("deflate", vec![]),
            ("identity, gzip;q=0.5, br", vec![Brotli]),
            ("identity;q=0, gzip;q=0.1", vec![Gzip]),
        ] {
            let all = |fields: Fields<'_>| accepted(fields, |_| true).collect::<Vec<_>>();
            assert_eq!(with_field(value.as_bytes(), all), expected, "{value}");
        }
        let gzip =
            |fields: Fields<'_>| accepted(fields, |coding| coding == Gzip).collect::<Vec<_>>();
        assert_eq!(with_field(b"br, gzip", gzip), [Gzip]);
    }

    proptest! {
        #[test]
        fn any_value_is_taken(value: Vec<u8>) {
            for coding in Coding::ALL {
                prop_assert!(with_field(&value, |fields| weight(fields, coding)) <= 1000);
            }
        }

        #[test]
        fn a_weight_is_what_it_says(thousandths in 0..=1000u16) {
            let text = format!("gzip;q={}.{:03}", thousandths / 1000, thousandths % 1000);
            let found = with_field(text.as_bytes(), |fields| weight(fields, Coding::Gzip));
            prop_assert_eq!(found, thousandths);
        }
    }
}
