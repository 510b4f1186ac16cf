// SPDX-License-Identifier: MIT OR Apache-2.0
//! A request between its head and the end of its body.

use crate::http::h1::chunked::Trailers;
use crate::http::h1::head::Head;
use crate::http::status::Reject;
use crate::server::config::Settings;
use crate::server::content::Content;
use crate::server::exchange::OwnedField;
use crate::server::handler::Sink;

/// A request whose body is still coming.
pub(super) struct Pending {
    pub(super) head: Head,
    /// Those of the head.
    pub(super) bytes: Vec<u8>,
    pub(super) intake: Intake,
    pub(super) trailers: Vec<OwnedField>,
}

/// What becomes of a body.
pub(super) enum Intake {
    /// Nobody wants it, but its size decides on the answer.
    Counted,
    /// It gathers until it is whole.
    Whole(Content),
    /// It is taken as it comes.
    Streamed(Box<dyn Sink>),
}

impl Pending {
    /// Takes a piece of the body.
    ///
    /// # Errors
    /// The status to answer with at once.
    pub(super) fn data(&mut self, data: &[u8], settings: &Settings) -> Result<(), Reject> {
        match &mut self.intake {
            Intake::Counted => Ok(()),
            Intake::Whole(content) => content.push(data, settings),
            Intake::Streamed(sink) => sink.take(data),
        }
    }

    /// Takes what came after it.
    pub(super) fn trailers(&mut self, trailers: Trailers<'_>) {
        if !matches!(self.intake, Intake::Counted) {
            let owned = |(name, value): (&[u8], &[u8])| (name.into(), value.into());
            self.trailers = trailers.fields().map(owned).collect();
        }
    }
}
