// SPDX-License-Identifier: MIT OR Apache-2.0
//! A started server: who works, and how all of them are stopped.

use super::counters::Counters;
use super::mailbox::Order;
use super::options::Io;
use super::recruit::Recruit;
use super::team::Team;
use crate::error::{Error, ErrorKind, Result};
use crate::reactor::Reactor;
use crate::sys::{clock, sigpipe};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub(crate) struct Running {
    /// What is listened on, as text.
    pub(crate) addresses: Vec<String>,
    /// How the workers reach the kernel.
    pub(crate) io: Io,
    team: Arc<Team>,
    /// Whether the workers run on threads of the caller.
    pub(crate) caller_threads: bool,
    crew: Mutex<Crew>,
    ended: Condvar,
}

#[derive(Default)]
struct Crew {
    /// Workers that nobody runs yet, by index.
    idle: Vec<Option<Recruit>>,
    /// How many run.
    working: usize,
    stopping: bool,
    threads: Vec<JoinHandle<()>>,
    /// Whom to tell when the last has ended.
    end: Option<(Arc<Reactor>, usize)>,
    /// Why a worker gave up.
    failure: Option<Error>,
}

thread_local! {
    /// The server that this thread works for.
    static EMPLOYER: Cell<*const Running> = const { Cell::new(ptr::null()) };
}

impl Running {
    pub(crate) fn new(
        addresses: Vec<String>,
        team: Arc<Team>,
        workers: Vec<Recruit>,
        caller_threads: bool,
    ) -> Arc<Self> {
        let io = workers.first().map_or(Io::Readiness, |worker| worker.io);
        let idle = workers.into_iter().map(Some).collect();
        let crew = Mutex::new(Crew { idle, ..Crew::default() });
        Arc::new(Self { addresses, io, team, caller_threads, crew, ended: Condvar::new() })
    }

    pub(crate) fn workers(&self) -> usize {
        self.team.count()
    }

    /// What a worker has done; `None` past the last one.
    pub(crate) fn counters(&self, worker: usize) -> Option<Counters> {
        self.team.counters(worker)
    }

    /// Puts each worker on a thread of its own, unless the caller has threads for them.
    pub(crate) fn spawn(self: &Arc<Self>) -> Result<()> {
        if self.caller_threads {
            return Ok(());
        }
        for index in 0..self.workers() {
            let running = Arc::clone(self);
            let thread = thread::Builder::new()
                .name(format!("evl-worker-{index}"))
                .spawn(move || drop(running.work(index)))
                .inspect_err(|_| drop(self.stop(Duration::ZERO)))?;
            self.crew().threads.push(thread);
        }
        Ok(())
    }

    /// Runs a worker on this thread of the caller's until it ends.
    pub(crate) fn work_for_caller(&self, index: usize) -> Result<()> {
        if !self.caller_threads {
            let why = "without caller_threads the workers have threads of their own";
            return Err(Error::new(ErrorKind::State, why));
        }
        self.work(index)
    }

    /// Runs a worker on this thread until it ends.
    fn work(&self, index: usize) -> Result<()> {
        let mut crew = self.crew();
        if crew.stopping {
            return Ok(());
        }
        let worker = crew.idle.get_mut(index).and_then(Option::take);
        let worker = worker.ok_or_else(|| {
            let count = self.workers();
            let why = format!("worker {index} of {count} runs already or is not there");
            Error::new(ErrorKind::State, why)
        })?;
        crew.working += 1;
        drop(crew);

        let sigpipe = sigpipe::Blocked::on_this_thread();
        EMPLOYER.set(self);
        // What handlers do is caught where it happens. Should anything else panic, the worker ends,
        // but whoever waits for it must not wait for ever.
        let outcome = catch_unwind(AssertUnwindSafe(|| worker.run()))
            .unwrap_or_else(|_| Err(Error::new(ErrorKind::Panic, "a worker panicked")));
        EMPLOYER.set(ptr::null());
        drop(sigpipe);
        self.dismiss(index);

        let mut crew = self.crew();
        crew.working -= 1;
        if let Err(error) = &outcome {
            crew.failure.get_or_insert_with(|| error.clone());
        }
        if crew.working == 0 {
            crew.tell_end();
            self.ended.notify_all();
        }
        outcome
    }

    /// A worker works no more: what it is still told is in vain.
    fn dismiss(&self, index: usize) {
        drop(self.team.seat(index).map(|seat| seat.mailbox.close()));
    }

    /// Has `reactor`'s user event triggered when the last worker has ended.
    pub(crate) fn report_end_to(&self, reactor: Arc<Reactor>, ident: usize) {
        let mut crew = self.crew();
        crew.end = Some((reactor, ident));
        if crew.has_ended() {
            crew.tell_end();
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.crew().has_ended()
    }

    /// Tells the workers to stop and does not wait for them.
    pub(crate) fn order_stop(&self, grace: Duration) {
        let mut crew = self.crew();
        crew.stopping = true;
        // Those that nobody runs have only listeners to close, and what others have handed over to them.
        let idle = crew.idle.iter_mut().enumerate();
        idle.filter_map(|(index, worker)| worker.take().and(Some(index)))
            .for_each(|index| self.dismiss(index));
        if crew.has_ended() {
            crew.tell_end();
        }
        drop(crew);
        let deadline = clock::monotonic_ns().saturating_add(clock::nanoseconds(grace));
        for worker in 0..self.workers() {
            self.team.tell(worker, Order::Stop { deadline });
        }
    }

    /// Stops and waits for the workers, unless the caller is one of them.
    pub(crate) fn stop(&self, grace: Duration) -> Result<()> {
        self.order_stop(grace);
        if ptr::eq(EMPLOYER.get(), self) {
            return Ok(());
        }
        let crew = self.crew();
        let mut crew = self
            .ended
            .wait_while(crew, |crew| crew.working > 0)
            .unwrap_or_else(PoisonError::into_inner);
        let threads = std::mem::take(&mut crew.threads);
        let failure = crew.failure.clone();
        drop(crew);
        for thread in threads {
            // The thread does nothing that could panic but `work`, which catches it.
            let _ = thread.join();
        }
        failure.map_or(Ok(()), Err)
    }

    fn crew(&self) -> MutexGuard<'_, Crew> {
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Crew {
    /// Whether no worker runs or is still to run, be it that the server was stopped or that all
    /// gave up.
    fn has_ended(&self) -> bool {
        self.working == 0 && self.idle.iter().all(Option::is_none)
    }

    fn tell_end(&self) {
        if let Some((reactor, ident)) = &self.end {
            // Whoever waits keeps the event registered, so that this cannot fail.
            let _ = reactor.trigger(*ident);
        }
    }
}
