// SPDX-License-Identifier: MIT OR Apache-2.0
//! A storm: eight threads add, change, delete, close, trigger and wait on one reactor, and every event is
//! accounted for.
//!
//! It lasts [`SECONDS`] seconds on each backend through each face; `EVL_STORM_SECONDS=60` makes that
//! longer, and `EVL_STORM_SEED` repeats the choices of a storm, though not the order in which the system
//! lets its threads run. `EVL_BACKEND` limits it to one backend.
//!
//! It goes by seasons. Four threads own the stations and make things happen; four wait. At the end of a
//! season the owners end every life, a roll call makes sure that no wait is under way which began before,
//! and the accounts are settled. In every other season nobody waits for less than ever, so that no lost
//! wake-up is made good by another wait; in the others there are waits of all lengths, by owners too.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure of a test is a panic")]

mod bytes;
#[path = "../common/c_face.rs"]
mod c_face;
#[path = "../common/reactor/mod.rs"]
mod conformance;
mod crew;
mod gate;
mod random;
#[path = "../common/rust_face.rs"]
mod rust_face;
mod station;
mod ticks;
mod users;

use conformance::{Face, Outcome, Queue};
use crew::{owner, waiter};
use evl::reactor::{BackendKind, Event, Filter, Flags};
use gate::Gate;
use random::Random;
use station::{Scene, Station};
use std::fs;
use std::io::{self, Write};
use std::panic;
use std::process::exit;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long a storm lasts if nobody says.
const SECONDS: u64 = 1;
const OWNERS: usize = 4;
const WAITERS: usize = 4;
const STATIONS: usize = 32;

/// What all threads of a storm share.
pub(crate) struct Storm {
    pub(crate) queue: Box<dyn Queue>,
    pub(crate) kind: BackendKind,
    seed: u64,
    clock: AtomicU64,
    stations: Vec<Station>,
    count: Count,
    /// Nobody waits for less than ever.
    strict: AtomicBool,
    over: AtomicBool,
    owners: Gate,
    everyone: Gate,
}

/// How much there was of everything.
#[derive(Debug, Default)]
pub(crate) struct Count {
    pub(crate) seasons: AtomicU64,
    pub(crate) lives: AtomicU64,
    pub(crate) events: AtomicU64,
    /// Of these, those that were on their way when their life ended.
    pub(crate) late: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) triggers: AtomicU64,
    pub(crate) answers: AtomicU64,
    pub(crate) oneshot: AtomicU64,
    pub(crate) dispatch: AtomicU64,
    pub(crate) expirations: AtomicU64,
    pub(crate) deletions: AtomicU64,
    pub(crate) closes: AtomicU64,
    pub(crate) ghosts: AtomicU64,
}

impl Storm {
    fn new(face: Face, kind: BackendKind, seed: u64) -> Outcome<Self> {
        Ok(Self {
            queue: (face.create)(kind)?,
            kind,
            seed,
            clock: AtomicU64::new(0),
            stations: (0..STATIONS).map(Station::new).collect(),
            count: Count::default(),
            strict: AtomicBool::new(true),
            over: AtomicBool::new(false),
            owners: Gate::new(OWNERS),
            everyone: Gate::new(OWNERS + WAITERS),
        })
    }

    /// The next place in the order of waits and deaths.
    pub(crate) fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Applies a change, half of the times with a receipt.
    pub(crate) fn try_set(&self, change: Event, random: &mut Random) -> Outcome<()> {
        if random.one_in(2) {
            return self.queue.change(&[change], &mut []).map(drop);
        }
        let mut receipt = [Event::default()];
        let change = Event { flags: change.flags | Flags::RECEIPT, ..change };
        assert_eq!(self.queue.change(&[change], &mut receipt)?, 1);
        assert!(receipt[0].flags.contains(Flags::ERROR));
        match receipt[0].data {
            0 => Ok(()),
            errno => Err(i32::try_from(errno).unwrap()),
        }
    }

    /// Applies a change that must succeed.
    pub(crate) fn set(&self, change: Event, random: &mut Random) {
        let result = self.try_set(change, random);
        assert_eq!(result, Ok(()), "{change:?}");
    }

    /// Whether the backend defers the deletion of a knote whose event is with a thread.
    pub(crate) fn has_handover(&self) -> bool {
        self.kind != BackendKind::Kqueue
    }

    /// Everything is over: nothing may be left.
    fn check_that_nothing_is_left(&self) {
        let mut events = [Event::default(); 8];
        assert_eq!(self.queue.wait(&mut events, 0), Ok(0), "left: {:?}", events[0]);
        for station in &self.stations {
            for filter in [Filter::USER, Filter::TIMER] {
                let delete = Event {
                    ident: station.ident(),
                    filter,
                    flags: Flags::DELETE,
                    ..Event::default()
                };
                assert_eq!(self.queue.change(&[delete], &mut []), Err(libc::ENOENT));
            }
        }
    }
}

impl Scene<'_> {
    /// A change that bears the life's number.
    pub(crate) fn change(&self, ident: usize, filter: Filter, flags: Flags) -> Event {
        Event { ident, filter, flags, udata: self.udata, ..Event::default() }
    }
}

/// How many descriptors the process has. ThreadSanitizer opens some when it has something to say.
fn descriptors() -> Option<usize> {
    std::env::var_os("TSAN_OPTIONS").is_none().then(|| fs::read_dir("/dev/fd").unwrap().count())
}

/// The number that a variable of the environment gives.
fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap())
}

/// A thread that failed leaves others that wait for ever: the whole process ends with it.
fn end_at_the_first_failure(seed: u64, what: String) {
    panic::set_hook(Box::new(move |info| {
        let _ = writeln!(io::stderr(), "EVL_STORM_SEED={seed}, {what}: {info}");
        exit(101);
    }));
}

fn storm(face: Face, kind: BackendKind, seed: u64, time: Duration) {
    let before = descriptors();
    let storm = match Storm::new(face, kind, seed) {
        Err(libc::ENOTSUP) => return println!("skipped: this system has no {kind}"),
        storm => storm.unwrap(),
    };
    end_at_the_first_failure(seed, format!("{kind} through {}", face.name));
    let begun = Instant::now();
    thread::scope(|scope| {
        for place in 0..OWNERS {
            let storm = &storm;
            scope.spawn(move || owner(storm, place, begun + time));
        }
        for place in 0..WAITERS {
            let storm = &storm;
            scope.spawn(move || waiter(storm, OWNERS + place));
        }
    });
    storm.check_that_nothing_is_left();
    let count = format!("{:?}", storm.count);
    drop(storm);
    assert_eq!(descriptors(), before, "descriptors are left");
    let _ = panic::take_hook();
    println!("{kind} through {}, EVL_STORM_SEED={seed}, {:?}: {count}", face.name, begun.elapsed());
}

/// Storms count the process' descriptors: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn storm_on_every_backend(face: Face) {
    let _alone = ALONE.lock().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = number("EVL_STORM_SEED").unwrap_or(u64::from(now.subsec_nanos()));
    let time = Duration::from_secs(number("EVL_STORM_SECONDS").unwrap_or(SECONDS));
    let only = std::env::var("EVL_BACKEND").ok();
    for kind in BackendKind::ALL {
        if only.as_ref().is_none_or(|name| name == kind.name()) {
            storm(face, kind, seed, time);
        }
    }
}

#[test]
fn every_event_is_accounted_for_through_rust() {
    storm_on_every_backend(rust_face::FACE);
}

#[test]
fn every_event_is_accounted_for_through_c() {
    storm_on_every_backend(c_face::FACE);
}
