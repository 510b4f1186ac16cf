// SPDX-License-Identifier: MIT OR Apache-2.0
//! A station is a place where lives follow each other: knotes that are added, changed and deleted by the
//! one thread that owns the station, and whose events come to any thread.
//!
//! Each life has a number of its own in `udata`, so that every event is known to belong to one life. The
//! accounts of a season's lives are kept until no wait of the season is under way any more; only then it is
//! certain that no event is on its way.

use super::Storm;
use super::bytes::Bytes;
use super::random::Random;
use super::ticks::Ticks;
use super::users::{Asks, User};
use evl::reactor::{Event, Flags};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// The longest time until what must come has come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A wait that has returned.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    /// Its place in the order of waits and deaths.
    pub(crate) number: u64,
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
}

/// Where something happens: what a life needs besides itself.
pub(crate) struct Scene<'a> {
    pub(crate) storm: &'a Storm,
    pub(crate) station: &'a Station,
    pub(crate) random: &'a mut Random,
    /// The life's number, as its events bear it.
    pub(crate) udata: usize,
}

/// How a life came to its end.
pub(crate) enum End {
    /// No event of it may come from a wait that begins now.
    Silent,
    /// It ends with a last record.
    Later,
}

/// One knote, or all on one descriptor, from the addition to the deletion, and the account of it.
pub(crate) trait Life: Send {
    /// The owner does something with it.
    fn act(&mut self, scene: &mut Scene);
    /// An event of it has come.
    fn take(&mut self, event: &Event, wait: Wait, scene: &mut Scene);
    /// Whether an event must still come.
    fn is_due(&self) -> bool;
    /// Whether events of it come by themselves.
    fn recurs(&self) -> bool {
        false
    }
    /// The owner ends it.
    fn end(&mut self, scene: &mut Scene) -> End;
    /// An event has come that was on its way when it ended.
    fn take_late(&mut self, event: &Event, wait: Wait);
    /// Compares the account with what must be, when nothing is on its way any more.
    fn settle(&mut self, storm: &Storm);
    /// What a message says of it.
    fn describe(&self) -> String;
}

struct Entry {
    life: Box<dyn Life>,
    /// The place of its end in the order of waits and deaths; none if it lives.
    ended: Option<u64>,
}

#[derive(Default)]
struct Lives {
    /// Those of this season; the last one may live.
    entries: Vec<Entry>,
    /// The number of the first of these.
    first: usize,
    alive: bool,
}

/// See the module.
pub(crate) struct Station {
    index: usize,
    lives: Mutex<Lives>,
    changed: Condvar,
    /// Which life's DISPATCH event a thread has: one at a time.
    held: AtomicUsize,
    /// The user event that other threads may trigger.
    pub(crate) asks: Mutex<Option<Arc<Asks>>>,
}

/// What [`Station::held`] is if no event is held.
const NOBODY: usize = usize::MAX;
/// Bits of `udata` that count the lives of a station.
const LIFE_BITS: u32 = 20;

impl Station {
    pub(crate) fn new(index: usize) -> Self {
        Self {
            index,
            lives: Mutex::default(),
            changed: Condvar::new(),
            held: AtomicUsize::new(NOBODY),
            asks: Mutex::default(),
        }
    }

    /// The station whose life an event is of.
    pub(crate) const fn of(event: &Event) -> usize {
        event.udata >> LIFE_BITS
    }

    /// The number by which its timers and user events go.
    pub(crate) const fn ident(&self) -> usize {
        self.index
    }

    /// The owner does one thing.
    pub(crate) fn step(&self, storm: &Storm, random: &mut Random) {
        match random.below(10) {
            0 => self.end(storm, random),
            1 => self.await_all(),
            _ => self.act(storm, random),
        }
    }

    /// The owner does one thing with the life, or begins one.
    pub(crate) fn act(&self, storm: &Storm, random: &mut Random) {
        let mut lives = self.lives.lock().unwrap();
        let number = lives.first + lives.entries.len() - usize::from(lives.alive);
        let udata = self.index << LIFE_BITS | number;
        let mut scene = Scene { storm, station: self, random, udata };
        if lives.alive {
            lives.entries.last_mut().unwrap().life.act(&mut scene);
            return;
        }
        let life: Box<dyn Life> = match scene.random.below(5) {
            0 | 1 => Box::new(Bytes::begin(&mut scene)),
            2 | 3 => Box::new(User::begin(&mut scene)),
            _ => Box::new(Ticks::begin(&mut scene)),
        };
        lives.entries.push(Entry { life, ended: None });
        lives.alive = true;
    }

    /// The owner ends the life if events of it come by themselves.
    pub(crate) fn end_recurring(&self, storm: &Storm, random: &mut Random) {
        let lives = self.lives.lock().unwrap();
        let recurs = lives.alive && lives.entries.last().unwrap().life.recurs();
        drop(lives);
        if recurs {
            self.end(storm, random);
        }
    }

    /// Waits until every event has come that must.
    pub(crate) fn await_all(&self) {
        let begun = Instant::now();
        let mut lives = self.lives.lock().unwrap();
        while lives.alive && lives.entries.last().unwrap().life.is_due() {
            let left = PATIENCE.checked_sub(begun.elapsed());
            let life = &lives.entries.last().unwrap().life;
            let left = left.unwrap_or_else(|| panic!("an event is lost: {}", life.describe()));
            lives = self.changed.wait_timeout(lives, left).unwrap().0;
        }
    }

    /// The owner ends the life, if there is one.
    pub(crate) fn end(&self, storm: &Storm, random: &mut Random) {
        let mut lives = self.lives.lock().unwrap();
        if !lives.alive {
            return;
        }
        let udata = self.index << LIFE_BITS | (lives.first + lives.entries.len() - 1);
        let entry = lives.entries.last_mut().unwrap();
        let end = entry.life.end(&mut Scene { storm, station: self, random, udata });
        // From the clock after the deleting call has returned.
        let now = storm.tick();
        match end {
            End::Silent => entry.ended = Some(now),
            End::Later => {
                drop(lives);
                self.await_all();
                lives = self.lives.lock().unwrap();
                lives.entries.last_mut().unwrap().ended = Some(storm.tick());
            }
        }
        lives.alive = false;
        storm.count.lives.fetch_add(1, Ordering::Relaxed);
    }

    /// An event has come.
    pub(crate) fn take(&self, event: &Event, wait: Wait, storm: &Storm, random: &mut Random) {
        if event.flags.contains(Flags::DISPATCH) && !event.flags.contains(Flags::DELETE) {
            let before = self.held.swap(event.udata, Ordering::SeqCst);
            assert_ne!(before, event.udata, "two threads have one DISPATCH event: {event:?}");
            if random.one_in(4) {
                std::thread::yield_now();
            }
        }
        let mut lives = self.lives.lock().unwrap();
        let number = event.udata & ((1 << LIFE_BITS) - 1);
        assert!(number >= lives.first, "an event of a former season: {event:?}");
        let place = number - lives.first;
        let current = lives.alive && place + 1 == lives.entries.len();
        let entry = lives.entries.get_mut(place);
        let Some(entry) = entry else { panic!("an event of a life to come: {event:?}") };
        if current {
            entry.life.take(
                event,
                wait,
                &mut Scene { storm, station: self, random, udata: event.udata },
            );
            self.changed.notify_all();
        } else {
            let late = entry.ended.is_none_or(|ended| wait.number < ended);
            assert!(
                late,
                "an event of a deleted knote, to a wait that began later: {event:?} of {}",
                entry.life.describe()
            );
            entry.life.take_late(event, wait);
            storm.count.late.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The DISPATCH event is not held any more: to be said before the knote is enabled again.
    pub(crate) fn release(&self) {
        self.held.store(NOBODY, Ordering::SeqCst);
    }

    /// Closes the accounts of a season. No event is on its way.
    pub(crate) fn settle(&self, storm: &Storm) {
        let mut lives = self.lives.lock().unwrap();
        assert!(!lives.alive);
        for entry in &mut lives.entries {
            entry.life.settle(storm);
        }
        lives.first += lives.entries.len();
        lives.entries.clear();
    }
}
