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
