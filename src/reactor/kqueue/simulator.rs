// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel with kqueue, for tests on a system without one. It watches real descriptors by looking at them
//! again and again, and has the peculiarities of the system whose numbers it speaks, as far as they
//! are known. What only a real kernel can see is put in by the test: [`Simulator::inject`].

use crate::reactor::poller::{Interest, Readiness, poll::to_events};
use crate::sys::epoll::{self, Epoll, EpollEvent};
use crate::sys::fd::{self, Identity};
use crate::sys::kqueue::{
    DRAGONFLY, Dialect, FREEBSD, Kernel, MACOS, NETBSD, OPENBSD, Record, ev, note,
};
use crate::sys::wakeup::Wakeup;
use crate::sys::{clock, poll, process};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, LazyLock, Mutex, Weak};

/// The systems, by the number that [`Simulator`] takes.
pub(super) const SYSTEMS: [&Dialect; 6] =
    [&MACOS, &FREEBSD, &DRAGONFLY, &OPENBSD, &NETBSD, &NETBSD];
/// The one that has no user events: NetBSD 9.
const WITHOUT_USER: usize = 5;

/// How often it looks.
const TICK_NS: u64 = 200_000;
const STICKY: u32 = ev::ADD | ev::CLEAR | ev::ONESHOT | ev::DISPATCH;

type Shared = Arc<Mutex<Queue>>;

/// All queues by their descriptors: one may watch another.
static QUEUES: LazyLock<Mutex<HashMap<RawFd, Weak<Mutex<Queue>>>>> = LazyLock::new(Mutex::default);

pub(super) struct Simulator<const SYSTEM: usize> {
    queue: Shared,
    /// Only its number is used.
    descriptor: Wakeup,
}

struct Queue {
    system: usize,
    knotes: VecDeque<Knote>,
}

struct Knote {
    /// The kernel's copy: flags that stay, fflags and data as last told.
    told: Record,
    enabled: bool,
    watch: Watch,
}

enum Watch {
    Descriptor {
        identity: Identity,
        edges: Option<Epoll>,
        active: bool,
        ready: bool,
        room: i64,
        error: i32,
    },
    Queue(Weak<Mutex<Queue>>),
    Timer {
        next: u64,
        period: u64,
    },
    User {
        triggered: bool,
    },
    Injected {
        /// Of the file that VNODE watches.
        file: Option<Identity>,
        record: Option<Record>,
    },
}

fn errno(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl Queue {
    fn dialect(&self) -> &'static Dialect {
        SYSTEMS[self.system]
    }

    fn is(&self, systems: &[&Dialect]) -> bool {
        systems.iter().any(|system| system.system == self.dialect().system)
    }

    fn forget_closed(&mut self) {
        self.knotes.retain(|knote| match &knote.watch {
            Watch::Descriptor { identity, .. } | Watch::Injected { file: Some(identity), .. } => {
                Identity::of(number(&knote.told)).ok() == Some(*identity)
            }
            Watch::Queue(queue) => queue.strong_count() > 0,
            _ => true,
        });
    }

    fn change(&mut self, change: &Record) -> io::Result<()> {
        if change.flags & ev::ENABLE != 0 && change.flags & ev::DISABLE != 0 {
            return Err(errno(libc::EINVAL));
        }
        let is_named =
            |knote: &Knote| (knote.told.ident, knote.told.filter) == (change.ident, change.filter);
        let found = self.knotes.iter().position(is_named);
        let Some(index) = found else {
            if change.flags & ev::ADD == 0 {
                let user = change.filter == self.dialect().user && self.system == WITHOUT_USER;
                return Err(errno(if user { libc::EINVAL } else { libc::ENOENT }));
            }
            let knote = self.attach(change)?;
            self.knotes.push_back(knote);
            return Ok(());
        };
        if change.flags & ev::DELETE != 0 {
            self.knotes.remove(index);
            return Ok(());
        }
        let adds = change.flags & ev::ADD != 0;
        let (takes_over, restarts) =
            (adds || !self.is(&[&OPENBSD]), adds && !self.is(&[&DRAGONFLY]));
        let erases = self.is(&[&FREEBSD]) && change.flags & ev::CLEAR != 0;
        let unit = unit_ns(self.dialect(), change.fflags);
        let knote = &mut self.knotes[index];
        if takes_over {
            (knote.told.fflags, knote.told.data) = (change.fflags, change.data);
            knote.told.udata = change.udata;
        }
        match change.flags & (ev::ENABLE | ev::DISABLE) {
            ev::ENABLE => knote.enabled = true,
            ev::DISABLE => knote.enabled = false,
            _ => {}
        }
        match &mut knote.watch {
            Watch::Descriptor { active, .. } => *active = true,
            Watch::Timer { next, period } if restarts => {
                *period = change.data.unsigned_abs() * unit;
                *next = clock::monotonic_ns() + *period;
            }
            Watch::User { triggered } => {
                *triggered |= change.fflags & note::TRIGGER != 0;
                *triggered &= !erases;
            }
            _ => {}
        }
        Ok(())
    }

    fn attach(&self, change: &Record) -> io::Result<Knote> {
        let dialect = self.dialect();
        let filter = change.filter;
        let special = [dialect.except, dialect.empty].contains(&Some(filter));
        let watch = if filter == dialect.read || filter == dialect.write || special {
            self.watch(change)?
        } else if filter == dialect.timer {
            let period = change.data.unsigned_abs() * unit_ns(dialect, change.fflags);
            Watch::Timer { next: clock::monotonic_ns() + period, period }
        } else if filter == dialect.user && self.system != WITHOUT_USER {
            let triggered = change.fflags & note::TRIGGER != 0 && !self.is(&[&NETBSD]);
            Watch::User { triggered }
        } else if filter == dialect.proc
            && self.is(&[&MACOS])
            && process::zombie_status(number(change)).is_some()
        {
            return Err(errno(libc::ESRCH));
        } else if [dialect.signal, dialect.proc, dialect.vnode].contains(&filter) {
            let file = Identity::of(number(change)).ok().filter(|_| filter == dialect.vnode);
            Watch::Injected { file, record: None }
        } else {
            return Err(errno(libc::EINVAL));
        };
        let told = Record { flags: change.flags & STICKY, ..*change };
        Ok(Knote { told, enabled: change.flags & ev::DISABLE == 0, watch })
    }

    fn watch(&self, change: &Record) -> io::Result<Watch> {
        let fd = number(change);
        if let Some(queue) = QUEUES.lock().unwrap().get(&fd)
            && queue.strong_count() > 0
        {
            return Ok(Watch::Queue(Weak::clone(queue)));
        }
        let identity = Identity::of(fd)?;
        let dialect = self.dialect();
        let for_sockets = [dialect.except, dialect.empty].contains(&Some(change.filter));
        if for_sockets && !fd::is_socket(fd) {
            return Err(errno(libc::EINVAL));
        }
        let found: Readiness = poll::look(fd, to_events(Interest::WRITE)).into();
        let failed = found.contains(Readiness::ERROR) && !fd::is_socket(fd);
        if change.filter == self.dialect().write && failed {
            return Err(errno(libc::EPIPE));
        }
        let edges = Epoll::new()?;
        let wanted = match change.filter {
            filter if filter == self.dialect().read => epoll::Events::IN | epoll::Events::RDHUP,
            filter if filter == self.dialect().write => epoll::Events::OUT,
            _ => epoll::Events::PRI,
        };
        let edges = edges.add(fd, wanted | epoll::Events::ET, 0).is_ok().then_some(edges);
        Ok(Watch::Descriptor { identity, edges, active: true, ready: false, room: 0, error: 0 })
    }

    /// One round over the knotes, each of which goes to the end.
    fn collect(&mut self, events: &mut [Record]) -> usize {
        self.forget_closed();
        let mut count = 0;
        for _ in 0..self.knotes.len() {
            let Some(place) = events.get_mut(count) else { break };
            let Some(mut knote) = self.knotes.pop_front() else { break };
            let record = knote.look(self.dialect()).filter(|_| knote.enabled);
            if let Some(record) = record {
                *place = self.echo(&knote, record);
                count += 1;
                let exits = record.filter == self.dialect().proc && record.fflags & note::EXIT != 0;
                if exits || knote.told.flags & ev::ONESHOT != 0 {
                    continue;
                }
                knote.delivered();
            }
            self.knotes.push_back(knote);
        }
        count
    }

    /// The flags that the systems tell of a registration are not the same.
    fn echo(&self, knote: &Knote, mut record: Record) -> Record {
        record.flags |= knote.told.flags;
        if !self.is(&[&MACOS]) {
            record.flags &= !ev::ADD;
        }
        record
    }

    fn is_ready(&mut self) -> bool {
        self.forget_closed();
        let dialect = self.dialect();
        self.knotes.iter_mut().any(|knote| knote.enabled && knote.look(dialect).is_some())
    }
}

impl Knote {
    /// The record, if the condition holds.
    fn look(&mut self, dialect: &Dialect) -> Option<Record> {
        let mut record = Record { flags: 0, fflags: 0, data: 0, ..self.told };
        match &mut self.watch {
            Watch::Descriptor { edges, active, ready, room, error, .. } => {
                let fd = number(&self.told);
                let edge = edges.as_ref().is_some_and(|edges| {
                    epoll::wait(edges.fd(), &mut [EpollEvent::EMPTY], Some(0)).unwrap_or(0) > 0
                });
                let before = (*ready, *room);
                let interest = Interest::READ | Interest::WRITE | Interest::URGENT;
                let mut found: Readiness = poll::look(fd, to_events(interest)).into();
                if fd::is_unconnected(fd) {
                    found = Readiness::empty();
                }
                found.set(Readiness::DRAINED, fd::unsent_bytes(fd) == Some(0));
                if found.contains(Readiness::ERROR) {
                    *error = (*error).max(fd::take_socket_error(fd).unwrap_or(0));
                }
                let (plain, ends) = if self.told.filter == dialect.write {
                    *room = fd::writable_bytes(fd);
                    record.data = *room;
                    (Readiness::WRITE, Readiness::HANGUP | Readiness::ERROR)
                } else if self.told.filter == dialect.read {
                    record.data = fd::readable(fd).count();
                    (Readiness::READ, Readiness::READ_EOF | Readiness::HANGUP)
                } else if dialect.empty == Some(self.told.filter) {
                    (Readiness::DRAINED, Readiness::HANGUP)
                } else {
                    (Readiness::URGENT, Readiness::READ_EOF | Readiness::HANGUP)
                };
                let end = found.intersects(ends);
                *ready = end || found.intersects(plain | Readiness::ERROR);
                // epoll tells of room in a pipe only if there was none.
                *active |= edge || (*ready && !before.0) || *room > before.1;
                if end || *error != 0 {
                    (record.flags, record.fflags) = (ev::EOF, error.unsigned_abs());
                } else if dialect.except == Some(self.told.filter) {
                    record.fflags = dialect.oob;
                }
                let clear = self.told.flags & ev::CLEAR != 0;
                (*ready && (*active || !clear)).then_some(record)
            }
            Watch::Queue(queue) => {
                let queue = queue.upgrade()?;
                queue.lock().unwrap().is_ready().then_some(record)
            }
            Watch::Timer { next, period } => {
                let late = clock::monotonic_ns().checked_sub(*next)?;
                record.data = late.checked_div(*period).map_or(1, |more| 1 + more.cast_signed());
                Some(record)
            }
            Watch::User { triggered } => triggered.then_some(record),
            Watch::Injected { record, .. } => *record,
        }
    }

    fn delivered(&mut self) {
        let clear = self.told.flags & ev::CLEAR != 0;
        match &mut self.watch {
            Watch::Descriptor { active, .. } => *active = false,
            Watch::Timer { next, period } => *next += *period,
            Watch::User { triggered } => *triggered &= !clear,
            Watch::Injected { record, .. } => *record = None,
            Watch::Queue(_) => {}
        }
        if self.told.flags & ev::DISPATCH != 0 {
            self.enabled = false;
        }
    }
}

fn number(record: &Record) -> RawFd {
    RawFd::try_from(record.ident).unwrap_or(-1)
}

/// Systems without units ignore them.
fn unit_ns(dialect: &Dialect, fflags: u32) -> u64 {
    if dialect.nanoseconds.is_some_and(|bit| fflags & bit != 0) { 1 } else { 1_000_000 }
}

impl<const SYSTEM: usize> Simulator<SYSTEM> {
    /// Has the knote of that name fire with these values.
    pub(super) fn inject(&self, record: Record) {
        let mut queue = self.queue.lock().unwrap();
        let knote = queue
            .knotes
            .iter_mut()
            .find(|knote| (knote.told.ident, knote.told.filter) == (record.ident, record.filter));
        let knote = knote.unwrap();
        let record = Some(Record { udata: knote.told.udata, ..record });
        knote.watch = Watch::Injected { file: None, record };
    }

    /// What the kernel was told of a knote, if it has it.
    pub(super) fn told(&self, ident: usize, filter: i32) -> Option<Record> {
        let queue = self.queue.lock().unwrap();
        let mut told = queue.knotes.iter().map(|knote| knote.told);
        told.find(|told| (told.ident, told.filter) == (ident, filter))
    }
}

impl<const SYSTEM: usize> Kernel for Simulator<SYSTEM> {
    fn new() -> io::Result<Self> {
        let queue = Arc::new(Mutex::new(Queue { system: SYSTEM, knotes: VecDeque::new() }));
        let descriptor = Wakeup::new()?;
        QUEUES.lock().unwrap().insert(descriptor.fd(), Arc::downgrade(&queue));
        Ok(Self { queue, descriptor })
    }

    fn dialect(&self) -> &'static Dialect {
        SYSTEMS[SYSTEM]
    }

    fn kevent(
        &self,
        changes: &[Record],
        events: &mut [Record],
        timeout_ns: Option<u64>,
    ) -> io::Result<usize> {
        let mut queue = self.queue.lock().unwrap();
        queue.forget_closed();
        for change in changes {
            queue.change(change)?;
        }
        drop(queue);
        if events.is_empty() {
            return Ok(0);
        }
        let end = timeout_ns.map(|ns| clock::monotonic_ns().saturating_add(ns));
        loop {
            let count = self.queue.lock().unwrap().collect(events);
            let left = end.map_or(TICK_NS, |end| end.saturating_sub(clock::monotonic_ns()));
            if count > 0 || left == 0 {
                return Ok(count);
            }
            poll::poll(&mut [], Some(left.min(TICK_NS)))?;
        }
    }

    fn fd(&self) -> RawFd {
        self.descriptor.fd()
    }
}
