// SPDX-License-Identifier: MIT OR Apache-2.0
//! kqueue's semantics: changes go in, events come out.

mod event;

pub use event::{Event, Filter, Flags, note};
