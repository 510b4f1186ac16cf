// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C face: opaque handles, slices, errors and a guard that no panic passes. It knows nothing of
//! how anything works.
//!
//! - `build.rs` lists the modules that are sections of `include/evl.h`, in the header's order; the
//!   head of each is its section's banner, for C readers, as are the comments of what is public.
//! - An exported body is inside `guard`. Its comment ends with a `Thread:` line.
//! - A new function also needs a line in `evl.map`; `tests/header.rs` tells if it is not there.

#![allow(unsafe_code, reason = "the C border is unsafe by nature; each block says why it holds")]
#![allow(non_camel_case_types, reason = "types are spelled as C spells them")]
#![expect(
    clippy::missing_safety_doc,
    reason = "each section of the header states what callers owe"
)]

mod callback;
mod guard;
mod options;

mod handle;
mod text;

mod event;
mod reactor;

mod kqueue;
mod kqueue_numbers;
mod kqueue_queues;
mod socket;

mod server;
mod server_options;

mod request;
mod response;

mod error;
mod version;

pub use error::*;
pub use event::*;
pub use handle::*;
pub use kqueue::*;
pub use reactor::*;
pub use request::*;
pub use response::*;
pub use server::*;
pub use server_options::*;
pub use socket::*;
pub use text::*;
pub use version::*;
