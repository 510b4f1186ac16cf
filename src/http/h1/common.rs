// SPDX-License-Identifier: MIT OR Apache-2.0
//! The field lines that all answers of one second have in common, made once for all of them.

use crate::http::date;
use std::time::SystemTime;

/// `Server` and `Date`.
#[derive(Clone, Debug)]
pub(crate) struct CommonLines {
    server: &'static str,
    now: SystemTime,
    second: u64,
    lines: Vec<u8>,
}

impl CommonLines {
    /// The lines with this value of `Server`.
    pub(crate) fn new(server: &'static str) -> Self {
        let now = SystemTime::UNIX_EPOCH;
        Self { server, now, second: 0, lines: lines(server, now) }
    }

    /// The lines at the time `now`.
    pub(crate) fn at(&mut self, now: SystemTime) -> &[u8] {
        // Many answers are of the very same time, and comparing it is cheaper than taking it apart.
        if now != self.now {
            self.now = now;
            let second = date::seconds(now);
            if second != self.second {
                self.second = second;
                self.lines = lines(self.server, now);
            }
        }
        &self.lines
    }
}

fn lines(server: &str, now: SystemTime) -> Vec<u8> {
    let date = date::format(now);
    [b"Server: ", server.as_bytes(), b"\r\nDate: ", &date, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn the_lines_follow_the_second() {
        let mut common = CommonLines::new("evl");
        for milliseconds in [0, 999, 5_999, 5_000, 6_000, 4_999] {
            let now = UNIX_EPOCH + Duration::from_millis(milliseconds);
            assert_eq!(common.at(now), lines("evl", now));
        }
    }
}
