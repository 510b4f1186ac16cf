// SPDX-License-Identifier: MIT OR Apache-2.0
//! The handlers that come with the engine. Each takes what the location says and leaves an answer.

pub(crate) mod autoindex;
pub(crate) mod files;
mod parts;
pub(crate) mod redirect;
mod representation;
pub(crate) mod status;
