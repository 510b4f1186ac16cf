// SPDX-License-Identifier: MIT OR Apache-2.0
//! HTTP/1.1 on the wire (RFC 9112).

pub(crate) mod chunked;
pub(crate) mod common;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod framing;
pub(crate) mod head;
mod lines;
mod request_line;
#[cfg(test)]
mod tests;
#[cfg(any(test, fuzzing))]
pub(crate) mod trace;

pub(crate) use lines::MAX_FIELDS;
