// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance table of the reactor: named cases that every backend passes through every face.
//!
//! A face (the Rust API, the C API) supplies a [`Face`]; a test calls [`run`] with it. A case gets a
//! [`Bench`], from which it makes queues, and fails by panicking.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "support code of tests: each binary uses its part, and a failure is a panic"
)]

pub mod actions;
pub mod calls;
pub mod closing;
pub mod descriptors;
pub mod directories;
pub mod errors;
pub mod exceptional;
pub mod farewells;
pub mod files;
pub mod flags;
pub mod processes;
pub mod signals;
pub mod strangers;
pub mod system;
pub mod timers;
pub mod users;
pub mod vnodes;

use evl::reactor::{BackendKind, Event, Filter, Flags};
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The result of a face's call: the error is an errno value.
pub type Outcome<T> = Result<T, i32>;

/// A queue as a face shows it.
pub trait Queue: Send + Sync {
    fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Outcome<usize>;
    /// Nanoseconds; -1 is for ever.
    fn wait(&self, events: &mut [Event], timeout_ns: i64) -> Outcome<usize>;
    fn trigger(&self, ident: usize) -> Outcome<()>;
    fn fd(&self) -> Outcome<RawFd>;
}

/// One way to use the library.
#[derive(Clone, Copy)]
pub struct Face {
    pub name: &'static str,
    pub create: fn(BackendKind) -> Outcome<Box<dyn Queue>>,
    /// The kernel is not a real one: it has no descriptor, and watches no files.
    pub simulated: bool,
}

/// A face and a backend.
#[derive(Clone, Copy)]
pub struct Bench {
    pub face: Face,
    pub kind: BackendKind,
}

/// One behaviour.
pub struct Case {
    pub name: &'static str,
    pub run: fn(&Bench),
    /// Whether the backend has on this system what the case is about.
    pub can_run: fn(&Bench) -> bool,
}

/// Makes a table of the functions named, each a case of its own name; `if` a function says that the
/// system has what they are about.
#[macro_export]
macro_rules! cases {
    (if $can_run:path; $($name:ident),* $(,)?) => {
        pub const CASES: &[$crate::conformance::Case] = &[$($crate::conformance::Case {
            name: stringify!($name),
            run: $name,
            can_run: $can_run,
        }),*];
    };
    ($($name:ident),* $(,)?) => {
        $crate::cases![if $crate::conformance::always; $($name),*];
    };
}

pub fn always(_bench: &Bench) -> bool {
    true
}

/// What "soon" is for something that must come: long enough for a busy machine.
pub const SOON_NS: i64 = 5_000_000_000;
/// What "not" is for something that must not come.
pub const NOT_NS: i64 = 30_000_000;

/// The environment variable that names the only cases to run, by a part of their names.
const ONLY: &str = "EVL_CASE";

/// Runs the tables on every backend and fails if a case did.
pub fn run(face: Face, tables: &[&[Case]]) {
    let only = std::env::var(ONLY).unwrap_or_default();
    let mut failed = Vec::new();
    for kind in BackendKind::ALL {
        if matches!((face.create)(kind), Err(libc::ENOTSUP)) {
            println!("skipped: this system has no {kind}");
            continue;
        }
        let bench = Bench { face, kind };
        for case in tables.iter().copied().flatten().filter(|case| case.name.contains(&only)) {
            if !(case.can_run)(&bench) {
                println!("skipped: {} on {kind}: this system cannot do it", case.name);
                continue;
            }
            if catch_unwind(AssertUnwindSafe(|| (case.run)(&bench))).is_err() {
                failed.push(format!("{} on {kind} through {}", case.name, face.name));
            }
        }
    }
    assert!(failed.is_empty(), "failed:\n  {}", failed.join("\n  "));
}

impl Bench {
    /// A new queue.
    pub fn queue(&self) -> Q {
        Q((self.face.create)(self.kind).unwrap())
    }
}

/// A queue with the shorthands that the cases are written in.
pub struct Q(pub Box<dyn Queue>);

impl Q {
    /// Applies a change that must succeed.
    #[track_caller]
    pub fn set(&self, change: Event) {
        self.try_set(change).unwrap();
    }

    pub fn try_set(&self, change: Event) -> Outcome<()> {
        self.0.change(&[change], &mut []).map(|count| assert_eq!(count, 0))
    }

    /// Waits for at most `capacity` events for that time.
    #[track_caller]
    pub fn wait(&self, capacity: usize, timeout_ns: i64) -> Vec<Event> {
        let mut events = vec![Event::default(); capacity];
        let count = self.0.wait(&mut events, timeout_ns).unwrap();
        events.truncate(count);
        events
    }

    /// Exactly one event comes soon.
    #[track_caller]
    pub fn one(&self) -> Event {
        let events = self.wait(8, SOON_NS);
        assert_eq!(events.len(), 1, "one event expected: {events:?}");
        events[0]
    }

    /// Exactly one event comes to a thread that waits already when `cause` is called.
    #[track_caller]
    pub fn woken_by(&self, cause: impl FnOnce()) -> Event {
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                sender.send(system::thread_id()).unwrap();
                self.one()
            });
            system::await_sleep(receiver.recv().unwrap());
            let start = Instant::now();
            cause();
            let event = waiter.join().unwrap();
            // What no one announced would be found when the time of the wait is over.
            assert!(start.elapsed() < Duration::from_nanos(SOON_NS.unsigned_abs()) / 2);
            event
        })
    }

    /// Nothing comes, neither now nor in a while.
    #[track_caller]
    pub fn none(&self) {
        assert_eq!(self.wait(8, 0), []);
        assert_eq!(self.wait(8, NOT_NS), []);
    }

    /// Nothing comes, and waiting for it costs no processor time.
    #[track_caller]
    pub fn idle(&self) {
        let before = system::thread_time();
        assert_eq!(self.wait(8, 100_000_000), []);
        let spent = system::thread_time() - before;
        assert!(spent < Duration::from_millis(30), "the wait spins: {spent:?} of 100 ms");
    }

    /// The filters of what is there now, in order of their numbers.
    #[track_caller]
    pub fn filters(&self) -> Vec<Filter> {
        let mut filters: Vec<Filter> = self.wait(8, 0).iter().map(|event| event.filter).collect();
        filters.sort_unstable();
        filters
    }
}

/// A change.
pub fn change(ident: usize, filter: Filter, flags: Flags) -> Event {
    Event { ident, filter, flags, ..Event::default() }
}

pub fn read(fd: &impl AsRawFd, flags: Flags) -> Event {
    change(ident(fd), Filter::READ, flags)
}

pub fn write(fd: &impl AsRawFd, flags: Flags) -> Event {
    change(ident(fd), Filter::WRITE, flags)
}

pub fn timer(ident: usize, flags: Flags, fflags: u32, data: i64) -> Event {
    Event { fflags, data, ..change(ident, Filter::TIMER, flags) }
}

pub fn user(ident: usize, flags: Flags, fflags: u32) -> Event {
    Event { fflags, ..change(ident, Filter::USER, flags) }
}

pub fn ident(fd: &impl AsRawFd) -> usize {
    usize::try_from(fd.as_raw_fd()).unwrap()
}
