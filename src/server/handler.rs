// SPDX-License-Identifier: MIT OR Apache-2.0
//! Who answers requests.

use super::exchange::Exchange;
pub use crate::http::status::{Reject, Status};

/// Answers requests. One handler serves every worker, several at a time.
pub trait Handler: Send + Sync {
    /// Answers the request in `x.response`, or declines it.
    ///
    /// # Errors
    /// The status to answer with instead; the server makes the page for it.
    fn handle(&self, x: &mut Exchange<'_>) -> Result<Outcome, Reject>;

    /// Asked when the head of a request with a body is there: a sink takes the body as it comes, and
    /// answers in the place of [`handle`](Self::handle). Without one, which is the default, `handle` gets
    /// the whole body. What is put into `x.response` here is dropped. Of several handlers for a path and
    /// method, only the first is asked.
    ///
    /// # Errors
    /// The status to answer with at once: the body is not asked for.
    fn receive(&self, x: &mut Exchange<'_>) -> Result<Option<Box<dyn Sink>>, Reject> {
        let _ = x;
        Ok(None)
    }
}

/// Takes the body of one request, piece by piece. The next piece is received when this one is taken, so
/// that a fast client costs no memory. It is dropped without [`end`](Self::end) if the body is not
/// completed.
pub trait Sink: Send {
    /// Takes the next piece; it is never empty.
    ///
    /// # Errors
    /// The status to answer with at once; the connection is closed then.
    fn take(&mut self, piece: &[u8]) -> Result<(), Reject>;

    /// The body has come to its end: answers in `x.response`. `x.request` has everything but the body.
    ///
    /// # Errors
    /// The status to answer with instead.
    fn end(self: Box<Self>, x: &mut Exchange<'_>) -> Result<(), Reject>;
}

/// What became of a request in a [`Handler`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer stands in `x.response`.
    Answered,
    /// Not mine: the next handler is asked, and after the last one the configuration's location.
    Declined,
}

impl<F> Handler for F
where
    F: Fn(&mut Exchange<'_>) -> Result<Outcome, Reject> + Send + Sync,
{
    fn handle(&self, x: &mut Exchange<'_>) -> Result<Outcome, Reject> {
        self(x)
    }
}
