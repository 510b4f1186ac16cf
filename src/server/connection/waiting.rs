// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a connection waits for, how long it may, and what becomes of it then.

use super::Connection;
use super::talk::Phase;
use crate::server::context::Context;
use crate::server::limits;
use crate::server::site::Site;
use crate::sys::clock;
use std::time::Duration;

/// What a connection waits for, which decides on its time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// The rest of a head, or the first one.
    Head,
    /// The next request.
    Request,
    Body,
    /// Room to send.
    Room,
    /// The client's end of the connection.
    Goodbye,
}

impl Connection {
    /// When the present wait has to end, in nanoseconds of the worker's clock.
    pub(crate) fn deadline(&mut self, cx: &Context) -> u64 {
        let now = cx.now;
        let (waiting, mut limit) = self.waiting();
        let mut lingering_time = self.lasting.settings.lingering_time;
        if cx.draining
            && let Some(patience) = self.last_patience(waiting)
        {
            limit = limit.min(patience);
            lingering_time = lingering_time.min(patience);
        }
        let Self { lasting, passing } = self;
        if waiting != lasting.waiting {
            lasting.waiting = waiting;
            lasting.since = now;
            if let Some(passing) = passing {
                passing.begun = now;
            }
        }
        let pause = lasting.since.saturating_add(clock::nanoseconds(limit));
        let Some(passing) = passing else { return pause };
        let whole = match (waiting, lasting.settings.body_min_rate) {
            (Waiting::Goodbye, _) => lingering_time,
            // As long as a client is slower than the rate, its time runs out.
            (Waiting::Body, rate @ 1..) => limit.saturating_add(earned(passing.came, rate)),
            _ => return pause,
        };
        pause.min(passing.begun.saturating_add(clock::nanoseconds(whole)))
    }

    fn waiting(&self) -> (Waiting, Duration) {
        let settings = &self.lasting.settings;
        let between = match self.lasting.served {
            0 => (Waiting::Head, settings.header_timeout),
            _ => (Waiting::Request, settings.keepalive_timeout),
        };
        let Some(passing) = &self.passing else { return between };
        if !passing.output.is_empty() {
            return (Waiting::Room, settings.send_timeout);
        }
        match passing.phase {
            Phase::Head if passing.is_resting() => between,
            Phase::Head => (Waiting::Head, settings.header_timeout),
            Phase::Body(_) | Phase::Discard => (Waiting::Body, settings.body_timeout),
            Phase::Linger => (Waiting::Goodbye, settings.lingering_timeout),
        }
    }

    /// How long at most it waits for its client when the server stops; `None` where a request has
    /// begun.
    fn last_patience(&self, waiting: Waiting) -> Option<Duration> {
        match waiting {
            // A request may be on its way from a client that has just connected.
            Waiting::Head if self.is_resting() => Some(limits::SHED_PATIENCE),
            Waiting::Request => Some(limits::DRAIN_PATIENCE),
            Waiting::Goodbye => Some(limits::DRAIN_LINGERING),
            Waiting::Head | Waiting::Body | Waiting::Room => None,
        }
    }

    /// The wait took too long. True if a request has begun, whose client is told so; else there is
    /// nothing to do but to close.
    pub(crate) fn timed_out(&mut self, site: &Site, cx: &mut Context) -> bool {
        let begun = match self.lasting.waiting {
            Waiting::Head => !self.is_resting(),
            Waiting::Body => {
                self.passing.as_ref().is_some_and(|it| matches!(it.phase, Phase::Body(_)))
            }
            Waiting::Request | Waiting::Room | Waiting::Goodbye => false,
        };
        if begun {
            self.talk(cx).refuse_late(site, cx);
        }
        begun
    }
}

/// The time in which so many bytes come at this rate of bytes per second.
fn earned(came: u64, rate: u64) -> Duration {
    let milliseconds = u128::from(came) * 1000 / u128::from(rate.max(1));
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}
