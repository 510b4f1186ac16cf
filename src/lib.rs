// SPDX-License-Identifier: MIT OR Apache-2.0
//! **evl**: kqueue's event model on every OS, and an HTTP server engine that one can link.
//!
//! Layers, each of which imports only from those below it:
//! `ffi` → `server` → `http`, `reactor` and `net` → `sys`.

pub mod error;
pub mod ffi;
pub(crate) mod http;
pub mod net;
#[cfg(any(test, fuzzing))]
pub mod properties;
pub mod reactor;
pub mod server;
pub(crate) mod sys;

pub use error::{Error, Result};

/// The conformance table of `tests/`, for backends that no test from outside can make.
#[cfg(test)]
#[path = "../tests/common/reactor/mod.rs"]
mod conformance;
#[cfg(test)]
extern crate self as evl;
