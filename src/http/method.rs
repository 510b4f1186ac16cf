// SPDX-License-Identifier: MIT OR Apache-2.0
//! Request methods (RFC 9110 section 9, RFC 5789) and sets of them.

use std::fmt;

/// A method that the server knows; any other is answered 501.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Method {
    /// RFC 9110 section 9.3.1.
    #[default]
    Get,
    /// RFC 9110 section 9.3.2.
    Head,
    /// RFC 9110 section 9.3.3.
    Post,
    /// RFC 9110 section 9.3.4.
    Put,
    /// RFC 9110 section 9.3.5.
    Delete,
    /// RFC 9110 section 9.3.6.
    Connect,
    /// RFC 9110 section 9.3.7.
    Options,
    /// RFC 9110 section 9.3.8.
    Trace,
    /// RFC 5789.
    Patch,
}

impl Method {
    /// All of them, in the order in which `Allow` names them.
    pub(crate) const ALL: [Self; 9] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Connect,
        Self::Options,
        Self::Trace,
        Self::Patch,
    ];

    /// The method that this token names; methods are case-sensitive.
    pub(crate) fn parse(token: impl AsRef<[u8]>) -> Option<Self> {
        Some(match token.as_ref() {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            _ => return None,
        })
    }

    /// The method's token.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
        }
    }
}

/// A set of methods; prints as the value of `Allow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MethodSet(u16);

impl MethodSet {
    /// No method.
    pub(crate) const EMPTY: Self = Self(0);

    /// The set with one more.
    #[must_use]
    pub(crate) const fn with(self, method: Method) -> Self {
        Self(self.0 | 1 << method as u16)
    }

    /// The set with one less.
    #[must_use]
    pub(crate) const fn without(self, method: Method) -> Self {
        Self(self.0 & !(1 << method as u16))
    }

    /// The methods that are in both.
    #[must_use]
    pub(crate) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether the method is in the set.
    pub(crate) const fn contains(self, method: Method) -> bool {
        self.0 & 1 << method as u16 != 0
    }

    /// Whether nothing is in the set.
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for method in Method::ALL.into_iter().filter(|&method| self.contains(method)) {
            write!(f, "{separator}{}", method.as_str())?;
            separator = ", ";
        }
        Ok(())
    }
}
