// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lives of timers. The account: the expirations that all events of a timer tell of are as many as the
//! clock says, whichever threads got them; a ONESHOT timer fires once, and none fires early.

use super::Storm;
use super::station::{End, Life, Scene, Wait};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Periodic,
    Oneshot,
    /// Periodic; whoever gets the event enables it again.
    Dispatch,
}

#[derive(Debug)]
pub(crate) struct Ticks {
    mode: Mode,
    period: Duration,
    /// It was added between these times.
    armed: (Instant, Instant),
    events: u64,
    expirations: u64,
    /// The latest beginning of a wait that brought an event, and the latest end of one.
    last_began: Option<Instant>,
    last_ended: Option<Instant>,
    disabled: Option<u64>,
    deleted: bool,
    /// A kernel's own timers round.
    slack: u64,
}

impl Ticks {
    pub(crate) fn begin(scene: &mut Scene) -> Self {
        let mode = scene.random.pick(&[Mode::Periodic, Mode::Oneshot, Mode::Dispatch]);
        let micros = scene.random.pick(&[300, 1_000, 2_000, 5_000]);
        let flags = match mode {
            Mode::Periodic => Flags::empty(),
            Mode::Oneshot => Flags::ONESHOT,
            Mode::Dispatch => Flags::DISPATCH,
        };
        let change = Event {
            fflags: note::USECONDS,
            data: micros,
            ..scene.change(scene.station.ident(), Filter::TIMER, Flags::ADD | flags)
        };
        let before = Instant::now();
        scene.storm.set(change, scene.random);
        Self {
            mode,
            period: Duration::from_micros(micros.cast_unsigned()),
            armed: (before, Instant::now()),
            events: 0,
            expirations: 0,
            last_began: None,
            last_ended: None,
            disabled: None,
            deleted: false,
            slack: u64::from(scene.storm.kind == BackendKind::Kqueue),
        }
    }

    fn note(&mut self, event: &Event, wait: Wait) {
        self.events += 1;
        assert!(event.data > 0, "{event:?}");
        self.expirations += event.data.cast_unsigned();
        self.last_began = self.last_began.max(Some(wait.began));
        self.last_ended = self.last_ended.max(Some(wait.ended));
        let early = wait.ended < self.armed.0 + self.period;
        assert!(!early, "the timer fired early: {}", self.describe());
    }

    fn periods_in(&self, time: Duration) -> u64 {
        u64::try_from(time.as_nanos() / self.period.as_nanos()).unwrap()
    }
}

impl Life for Ticks {
    fn act(&mut self, scene: &mut Scene) {
        if self.mode != Mode::Periodic {
            return;
        }
        let flags = if self.disabled.is_some() { Flags::ENABLE } else { Flags::DISABLE };
        let change = scene.change(scene.station.ident(), Filter::TIMER, flags);
        scene.storm.set(change, scene.random);
        self.disabled = self.disabled.is_none().then(|| scene.storm.tick());
    }

    fn take(&mut self, event: &Event, wait: Wait, scene: &mut Scene) {
        let silent = self.disabled.is_some_and(|since| wait.number > since);
        assert!(!silent, "an event of a disabled knote, to a wait that began later: {event:?}");
        self.note(event, wait);
        let count = &scene.storm.count;
        match self.mode {
            Mode::Periodic => {}
            Mode::Oneshot => {
                assert_eq!(self.events, 1, "ONESHOT was delivered again: {}", self.describe());
                count.oneshot.fetch_add(1, Ordering::Relaxed);
            }
            Mode::Dispatch => {
                count.dispatch.fetch_add(1, Ordering::Relaxed);
                scene.station.release();
                let change = scene.change(scene.station.ident(), Filter::TIMER, Flags::ENABLE);
                scene.storm.set(change, scene.random);
            }
        }
    }

    fn is_due(&self) -> bool {
        self.events == 0 && self.disabled.is_none()
    }

    fn recurs(&self) -> bool {
        true
    }

    fn end(&mut self, scene: &mut Scene) -> End {
        let change = scene.change(scene.station.ident(), Filter::TIMER, Flags::DELETE);
        match scene.storm.try_set(change, scene.random) {
            Ok(()) => self.deleted = true,
            Err(libc::ENOENT) if self.mode == Mode::Oneshot => {}
            Err(errno) => panic!("DELETE: errno {errno}: {}", self.describe()),
        }
        scene.storm.count.deletions.fetch_add(1, Ordering::Relaxed);
        End::Silent
    }

    fn take_late(&mut self, event: &Event, wait: Wait) {
        self.note(event, wait);
    }

    fn settle(&mut self, storm: &Storm) {
        storm.count.expirations.fetch_add(self.expirations, Ordering::Relaxed);
        if self.mode == Mode::Oneshot {
            assert_eq!(self.events, u64::from(!self.deleted), "ONESHOT: {}", self.describe());
            assert_eq!(self.expirations, self.events);
            return;
        }
        let (Some(began), Some(ended)) = (self.last_began, self.last_ended) else { return };
        let least = self.periods_in(began.saturating_duration_since(self.armed.1));
        let most = self.periods_in(ended - self.armed.0);
        let told = self.expirations;
        assert!(
            told + self.slack >= least && told <= most + self.slack,
            "{told} expirations, not {least} to {most}: {}",
            self.describe()
        );
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}
