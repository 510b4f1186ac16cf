// SPDX-License-Identifier: MIT OR Apache-2.0
//! Bytes to messages and back: no descriptors, clocks, threads or files in here.

pub(crate) mod authority;
pub(crate) mod byteranges;
pub(crate) mod coding;
pub(crate) mod conditional;
pub(crate) mod date;
pub(crate) mod etag;
pub(crate) mod h1;
pub(crate) mod headers;
pub(crate) mod method;
pub(crate) mod mime;
#[cfg(any(test, fuzzing))]
pub(crate) mod properties;
pub(crate) mod range;
pub(crate) mod scan;
pub(crate) mod status;
pub(crate) mod target;
