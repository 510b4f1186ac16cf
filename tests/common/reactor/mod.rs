// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance table of the reactor: named cases that every backend passes through every face.
//!
//! A face (the Rust API, the C API) supplies a [`Face`]; a test calls [`run`] with all of them. A case
//! gets a [`Bench`], from which it makes queues, and fails by panicking. [`matrix`] tells what was found.

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
pub mod edges;
pub mod errors;
pub mod exceptional;
pub mod farewells;
pub mod files;
pub mod flags;
pub mod kevents;
pub mod matrix;
pub mod processes;
pub mod shares;
pub mod signals;
pub mod strangers;
pub mod system;
pub mod threads;
pub mod timers;
pub mod users;
pub mod vnodes;
pub mod watched;

use evl::reactor::{BackendKind, Event, Filter, Flags};
use matrix::Matrix;
use shares::{Job, run_all};
use std::collections::HashMap;
use std::os::fd::{AsRawFd, RawFd};
use std::panic::{catch_unwind, resume_unwind};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

/// The result of a face's call: the error is an errno value.
pub type Outcome<T> = Result<T, i32>;

/// A queue as a face shows it.
pub trait Queue: Send + Sync {
    fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Outcome<usize>;
    /// Nanoseconds; -1 is for ever.
    fn wait(&self, events: &mut [Event], timeout_ns: i64) -> Outcome<usize>;
    fn trigger(&self, ident: usize) -> Outcome<()>;

    /// Changes, and then, if these placed no record, a wait.
    fn kevent(&self, changes: &[Event], events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        match self.change(changes, events)? {
            0 => self.wait(events, timeout_ns),
            records => Ok(records),
        }
    }

    /// As [`Queue::kevent`], with so many changes at the beginning of the array of events.
    fn kevent_in_place(
        &self,
        array: &mut [Event],
        changes: usize,
        timeout_ns: i64,
    ) -> Outcome<usize> {
        let changes = array[..changes].to_vec();
        self.kevent(&changes, array, timeout_ns)
    }

    fn fd(&self) -> Outcome<RawFd>;
}

/// One way to use the library.
#[derive(Clone, Copy)]
pub struct Face {
    pub name: &'static str,
    pub create: fn(BackendKind) -> Outcome<Box<dyn Queue>>,
    /// The kernel is not a real one: it has no descriptor, and watches no files.
    pub simulated: bool,
    /// Cases that do not hold for it, and what it does instead.
    pub otherwise: &'static [(&'static str, &'static str)],
}

/// A face and a backend.
#[derive(Clone, Copy)]
pub struct Bench {
    pub face: Face,
    pub kind: BackendKind,
}

/// One behaviour.
pub struct Case {
    /// Which rule it is of: a row of the table of rules that the module is about.
    pub rule: &'static str,
    pub name: &'static str,
    /// [`skip`]s the case where the backend or the system does not have what it is about.
    pub needs: fn(&Bench),
    pub run: fn(&Bench),
}

/// Makes a module's table of the functions named, each a case of its own name, under the rules that
/// they are of; `needs` a function that [`skip`]s them where they cannot run.
///
/// ```ignore
/// crate::cases![needs inotify; "fork": a_child_has_no_queue; "same array": one_array_will_do];
/// ```
#[macro_export]
macro_rules! cases {
    (needs $needs:expr; $($rule:literal: $($name:ident),+ $(,)?);+ $(;)?) => {
        pub const CASES: &[$crate::conformance::Case] = &[$($($crate::conformance::Case {
            rule: $rule,
            name: stringify!($name),
            needs: $needs,
            run: $name,
        }),+),+];
    };
    ($($rule:literal: $($name:ident),+ $(,)?);+ $(;)?) => {
        $crate::cases![needs |_| (); $($rule: $($name),+);+];
    };
}

/// Every case there is, by what they are about.
pub const TABLES: [(&str, &[Case]); 19] = [
    ("Calls", calls::CASES),
    ("Changes and a wait in one call", kevents::CASES),
    ("Threads", threads::CASES),
    ("The queue's own descriptor", watched::CASES),
    ("Flags", flags::CASES),
    ("CLEAR, and knotes that share a descriptor", edges::CASES),
    ("READ and WRITE: sockets and pipes", descriptors::CASES),
    ("Sockets that have failed", errors::CASES),
    ("Sockets that are not connected yet", strangers::CASES),
    ("READ and WRITE: files, devices, terminals, named pipes", files::CASES),
    ("EXCEPT and EMPTY", exceptional::CASES),
    ("Descriptors closed, duplicated and used again", closing::CASES),
    ("VANISHED, and the deferred deletion", farewells::CASES),
    ("TIMER", timers::CASES),
    ("SIGNAL", signals::CASES),
    ("PROC", processes::CASES),
    ("VNODE: files", vnodes::CASES),
    ("VNODE: directories", directories::CASES),
    ("USER", users::CASES),
];

/// Why a case cannot run.
struct Skipped(&'static str);

/// Ends a case that cannot run here.
pub fn skip(why: &'static str) -> ! {
    // As a panic does, but nothing is printed of it.
    resume_unwind(Box::new(Skipped(why)))
}

/// For cases whose events no simulated kernel tells.
pub fn needs_a_kernel(bench: &Bench) {
    if bench.face.simulated {
        skip("needs a real kernel");
    }
}

/// For cases in which a number comes to name another pipe.
pub fn needs_identities(bench: &Bench) {
    let looks = matches!(bench.kind, BackendKind::Poll | BackendKind::Select);
    if looks && !system::tells_pipes_apart() {
        skip("the system does not tell one pipe from another");
    }
}

/// What "soon" is for something that must come: long enough for a busy machine.
pub const SOON_NS: i64 = 5_000_000_000;
/// What "not" is for something that must not come.
pub const NOT_NS: i64 = 30_000_000;

/// The environment variable that names the only cases to run, by a part of their names.
const ONLY: &str = "EVL_CASE";

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    Passed,
    /// It cannot run, because of this.
    Skipped(String),
    Failed,
}

/// Runs the tables on every backend through each face, and fails if a case did, or if the page that
/// tells what was found says something else. `test` is the name of the test that calls this.
pub fn run(test: &str, faces: &[Face]) {
    let Some(attempts) = run_all(test, faces) else { return };
    let mut matrix = Matrix::default();
    let mut failed = Vec::new();
    for (Job { case, bench: Bench { face, kind } }, attempt) in attempts {
        match attempt {
            Attempt::Passed => matrix.add(case.name, kind.name(), face.name, None),
            Attempt::Skipped(why) => {
                println!("skipped: {} on {kind} through {}: {why}", case.name, face.name);
                matrix.add(case.name, kind.name(), face.name, Some(why));
            }
            Attempt::Failed => failed.push(format!("{} on {kind}, {}", case.name, face.name)),
        }
    }
    assert!(failed.is_empty(), "failed:\n  {}", failed.join("\n  "));
    if std::env::var_os(ONLY).is_none() && cfg!(target_os = "linux") {
        matrix.check();
    }
}

/// Runs one case.
fn attempt(case: &Case, bench: &Bench) -> Attempt {
    let result = catch_unwind(|| {
        if let Some((_, instead)) = bench.face.otherwise.iter().find(|it| it.0 == case.name) {
            skip(instead);
        }
        (case.needs)(bench);
        (case.run)(bench);
    });
    match result.map_err(|payload| payload.downcast::<Skipped>()) {
        Ok(()) => Attempt::Passed,
        Err(Ok(skipped)) => Attempt::Skipped(skipped.0.to_owned()),
        Err(Err(_)) => Attempt::Failed,
    }
}

impl Bench {
    /// A new queue.
    pub fn queue(&self) -> Q {
        let repeats = matches!(self.kind, BackendKind::Poll | BackendKind::Select);
        Q((self.face.create)(self.kind).unwrap(), Told { repeats, at: Mutex::default() })
    }

    /// The queue's descriptor; a backend without one cannot run the case.
    pub fn descriptor(&self, queue: &Q) -> RawFd {
        needs_a_kernel(self);
        queue.0.fd().unwrap_or_else(|errno| {
            assert_eq!(errno, libc::ENOTSUP);
            assert!(matches!(self.kind, BackendKind::Poll | BackendKind::Select));
            skip("the queue has no descriptor")
        })
    }
}

/// A queue with the shorthands that the cases are written in.
pub struct Q(pub Box<dyn Queue>, Told);

/// When knotes with CLEAR were told of last.
///
/// What no kernel tells edges of is told again after [`REPEAT`] though it is not new; docs/differences.md
/// says of what. A thread that was held up for so long may meet that where nothing is to come.
pub struct Told {
    /// So it is with whatever the backend watches.
    repeats: bool,
    at: Mutex<HashMap<(usize, Filter, usize), Instant>>,
}

/// After how long an event may come again that is not new.
const REPEAT: Duration = Duration::from_millis(200);

impl Told {
    /// An event has come from a wait that began then; whether it may be no news.
    fn is_repetition(&self, event: &Event, began: Instant) -> bool {
        let watches = [Filter::READ, Filter::WRITE, Filter::EXCEPT].contains(&event.filter);
        let repeats = event.filter == Filter::EMPTY || (watches && self.repeats);
        if !repeats || !event.flags.contains(Flags::CLEAR) {
            return false;
        }
        let name = (event.ident, event.filter, event.udata);
        let before = self.at.lock().unwrap().insert(name, began);
        before.is_some_and(|before| before.elapsed() >= REPEAT)
    }
}

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
        self.collect(capacity, timeout_ns).into_iter().map(|(event, _)| event).collect()
    }

    /// Waits, and tells of each event whether it may be no news.
    #[track_caller]
    fn collect(&self, capacity: usize, timeout_ns: i64) -> Vec<(Event, bool)> {
        let began = Instant::now();
        let mut events = vec![Event::default(); capacity];
        let count = self.0.wait(&mut events, timeout_ns).unwrap();
        events.truncate(count);
        events.into_iter().map(|event| (event, self.1.is_repetition(&event, began))).collect()
    }

    /// As [`Q::wait`], but for what may be no news.
    #[track_caller]
    fn news(&self, capacity: usize, timeout_ns: i64) -> Vec<Event> {
        let events = self.collect(capacity, timeout_ns).into_iter();
        events.filter_map(|(event, repeats)| (!repeats).then_some(event)).collect()
    }

    /// Exactly one event comes soon.
    #[track_caller]
    pub fn one(&self) -> Event {
        let mut events = self.collect(8, SOON_NS);
        if events.len() > 1 {
            events.retain(|(_, repeats)| !repeats);
        }
        let events: Vec<_> = events.into_iter().map(|(event, _)| event).collect();
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
        assert_eq!(self.news(8, 0), []);
        assert_eq!(self.news(8, NOT_NS), []);
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
        let mut filters: Vec<Filter> = self.news(8, 0).iter().map(|event| event.filter).collect();
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
