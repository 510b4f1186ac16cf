// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lives of user events. The account: every trigger is answered by an event that comes after it, there
//! are no more events than triggers, ONESHOT answers once, and a deferred deletion has one last record.

use super::Storm;
use super::station::{End, Life, Scene, Wait};
use evl::reactor::{Event, Filter, Flags, note};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The triggers of one life, which other threads make without a lock.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    /// Triggers that were begun.
    begun: AtomicU64,
    /// The greatest of them that is known to have reached this life.
    done: AtomicU64,
    ending: AtomicBool,
}

impl Asks {
    /// Triggers the life's number. It may be at its end.
    pub(crate) fn ask(&self, storm: &Storm, ident: usize) {
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let result = storm.queue.trigger(ident);
        assert!(matches!(result, Ok(()) | Err(libc::ENOENT)), "{result:?}");
        // If the deletion has not even begun by now, it was this life that was found.
        if result.is_ok() && !self.ending.load(Ordering::SeqCst) {
            self.done.fetch_max(number, Ordering::SeqCst);
        }
        storm.count.triggers.fetch_add(1, Ordering::Relaxed);
    }
}

/// How its events are delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Clear,
    Oneshot,
    /// Whoever gets the event enables it again.
    Dispatch,
    /// As before, and `udata` is part of the name: a deletion waits for the thread that has the event.
    Handover,
}

#[derive(Debug)]
pub(crate) struct User {
    mode: Mode,
    asks: Arc<Asks>,
    /// Triggers that had begun when the last event came.
    answered: u64,
    events: u64,
    /// Disabled in this place of the order of waits and deaths.
    disabled: Option<u64>,
    /// The deletion was deferred.
    leaving: bool,
    farewells: u64,
    /// What ended ONESHOT was the deletion, not the event.
    deleted: bool,
}

impl User {
    pub(crate) fn begin(scene: &mut Scene) -> Self {
        let handover = if scene.storm.has_handover() { Mode::Handover } else { Mode::Dispatch };
        let mode = scene.random.pick(&[Mode::Clear, Mode::Oneshot, Mode::Dispatch, handover]);
        let flags = match mode {
            Mode::Clear => Flags::CLEAR,
            Mode::Oneshot => Flags::ONESHOT,
            Mode::Dispatch => Flags::DISPATCH | Flags::CLEAR,
            Mode::Handover => Flags::DISPATCH | Flags::CLEAR | Flags::UDATA_SPECIFIC,
        };
        let asks = Arc::new(Asks::default());
        let life = Self {
            mode,
            asks: Arc::clone(&asks),
            answered: 0,
            events: 0,
            disabled: None,
            leaving: false,
            farewells: 0,
            deleted: false,
        };
        scene.storm.set(
            scene.change(scene.station.ident(), Filter::USER, Flags::ADD | flags),
            scene.random,
        );
        if mode != Mode::Handover {
            *scene.station.asks.lock().unwrap() = Some(asks);
        }
        life
    }

    /// A change of the knote.
    fn change(&self, scene: &Scene, flags: Flags) -> Event {
        let specific = self.mode == Mode::Handover;
        let name = if specific { Flags::UDATA_SPECIFIC } else { Flags::empty() };
        scene.change(scene.station.ident(), Filter::USER, flags | name)
    }

    /// Triggers by a change, which names the knote.
    fn ask_by_change(&self, scene: &mut Scene) {
        let number = self.asks.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let change = Event { fflags: note::TRIGGER, ..self.change(scene, Flags::empty()) };
        let result = scene.storm.try_set(change, scene.random);
        let fired = self.mode == Mode::Oneshot && result == Err(libc::ENOENT);
        assert!(result.is_ok() || fired, "{result:?}: {}", self.describe());
        if result.is_ok() {
            self.asks.done.fetch_max(number, Ordering::SeqCst);
        }
        scene.storm.count.triggers.fetch_add(1, Ordering::Relaxed);
    }
}

impl Life for User {
    fn act(&mut self, scene: &mut Scene) {
        match scene.random.below(4) {
            0 if self.mode == Mode::Clear && self.disabled.is_some() => {
                self.disabled = None;
                scene.storm.set(self.change(scene, Flags::ENABLE), scene.random);
            }
            0 if self.mode == Mode::Clear => {
                scene.storm.set(self.change(scene, Flags::DISABLE), scene.random);
                self.disabled = Some(scene.storm.tick());
            }
            1 | 2 if self.mode != Mode::Handover => {
                self.asks.ask(scene.storm, scene.station.ident());
            }
            _ => self.ask_by_change(scene),
        }
    }

    fn take(&mut self, event: &Event, wait: Wait, scene: &mut Scene) {
        if event.flags.contains(Flags::DELETE) {
            assert!(self.leaving, "a last record that nobody asked for: {event:?}");
            self.farewells += 1;
            assert_eq!(self.farewells, 1);
            return;
        }
        let silent = self.disabled.is_some_and(|since| wait.number > since);
        assert!(!silent, "an event of a disabled knote, to a wait that began later: {event:?}");
        self.answered = self.asks.begun.load(Ordering::SeqCst);
        self.events += 1;
        let count = &scene.storm.count;
        match self.mode {
            Mode::Clear => {}
            Mode::Oneshot => {
                assert_eq!(self.events, 1, "ONESHOT was delivered again: {}", self.describe());
                count.oneshot.fetch_add(1, Ordering::Relaxed);
            }
            Mode::Dispatch | Mode::Handover => {
                count.dispatch.fetch_add(1, Ordering::Relaxed);
                scene.station.release();
                scene.storm.set(self.change(scene, Flags::ENABLE), scene.random);
            }
        }
    }

    fn is_due(&self) -> bool {
        let asked = self.asks.done.load(Ordering::SeqCst) > self.answered;
        let fired = self.mode == Mode::Oneshot && self.events > 0;
        let still = self.disabled.is_some() || self.leaving;
        (self.leaving && self.farewells == 0) || (asked && !fired && !still)
    }

    fn end(&mut self, scene: &mut Scene) -> End {
        self.asks.ending.store(true, Ordering::SeqCst);
        *scene.station.asks.lock().unwrap() = None;
        match scene.storm.try_set(self.change(scene, Flags::DELETE), scene.random) {
            Ok(()) => self.deleted = true,
            Err(libc::ENOENT) if self.mode == Mode::Oneshot => {}
            Err(libc::EINPROGRESS) if self.mode == Mode::Handover => {
                self.leaving = true;
                return End::Later;
            }
            Err(errno) => panic!("DELETE: errno {errno}: {}", self.describe()),
        }
        scene.storm.count.deletions.fetch_add(1, Ordering::Relaxed);
        End::Silent
    }

    fn take_late(&mut self, event: &Event, _wait: Wait) {
        assert!(!event.flags.contains(Flags::DELETE), "a last record after the last: {event:?}");
        self.events += 1;
    }

    fn settle(&mut self, storm: &Storm) {
        let asked = self.asks.begun.load(Ordering::SeqCst);
        assert!(self.events <= asked, "more events than triggers: {}", self.describe());
        if self.mode == Mode::Oneshot {
            let once = u64::from(!self.deleted);
            assert_eq!(self.events, once, "ONESHOT: {}", self.describe());
        }
        assert_eq!(self.farewells, u64::from(self.leaving));
        storm.count.answers.fetch_add(self.events, Ordering::Relaxed);
    }

    fn describe(&self) -> String {
        format!("{self:?}")
    }
}
