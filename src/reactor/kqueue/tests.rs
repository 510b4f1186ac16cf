// SPDX-License-Identifier: MIT OR Apache-2.0
//! The conformance table on simulated kernels, and what the kernels are told.

use super::simulator::Simulator;
use super::{Backend, Kqueue};
use crate::conformance::{self, Face, Outcome, Queue};
use crate::reactor::{BackendKind, Event, Filter, Flags, note};
use crate::sys::epoll;
use crate::sys::kqueue::{self, Kernel, Record, ev};
use std::io::pipe;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

impl<const SYSTEM: usize> Queue for Kqueue<Simulator<SYSTEM>> {
    fn change(&self, changes: &[Event], receipts: &mut [Event]) -> Outcome<usize> {
        Backend::change(self, changes, receipts).map_err(|error| error.errno().unwrap())
    }

    fn wait(&self, events: &mut [Event], timeout_ns: i64) -> Outcome<usize> {
        let timeout = u64::try_from(timeout_ns).ok().map(Duration::from_nanos);
        Backend::wait(self, events, timeout).map_err(|error| error.errno().unwrap())
    }

    fn trigger(&self, ident: usize) -> Outcome<()> {
        Backend::trigger(self, ident).map_err(|error| error.errno().unwrap())
    }

    /// A simulated queue's descriptor is never readable.
    fn fd(&self) -> Outcome<RawFd> {
        match Backend::fd(self) {
            Ok(_) => Err(libc::ENOTSUP),
            Err(error) => Err(error.errno().unwrap()),
        }
    }
}

fn create<const SYSTEM: usize>(kind: BackendKind) -> Outcome<Box<dyn Queue>> {
    match kind {
        BackendKind::Kqueue => Ok(Box::new(Kqueue::<Simulator<SYSTEM>>::new().unwrap())),
        _ => Err(libc::ENOTSUP),
    }
}

const fn face<const SYSTEM: usize>(name: &'static str) -> Face {
    Face { name, create: create::<SYSTEM>, simulated: true, otherwise: &[] }
}

const FACES: [Face; 6] = [
    face::<MACOS>("macOS"),
    face::<FREEBSD>("FreeBSD"),
    face::<DRAGONFLY>("DragonFly"),
    face::<OPENBSD>("OpenBSD"),
    face::<NETBSD>("NetBSD"),
    face::<WITHOUT_USER>("NetBSD 9"),
];

#[test]
fn simulated_kernels_pass_the_table() {
    if !epoll::AVAILABLE {
        println!("skipped: the simulation needs epoll's edges");
        return;
    }
    conformance::run("reactor::kqueue::tests::simulated_kernels_pass_the_table", &FACES);
}

const MACOS: usize = 0;
const FREEBSD: usize = 1;
const DRAGONFLY: usize = 2;
const OPENBSD: usize = 3;
const NETBSD: usize = 4;
const WITHOUT_USER: usize = 5;

/// A descriptor that no test closes.
const STDIN: usize = 0;

type Simulated<const SYSTEM: usize> = Kqueue<Simulator<SYSTEM>>;

fn new<const SYSTEM: usize>() -> Simulated<SYSTEM> {
    Kqueue::new().unwrap()
}

fn knote(ident: usize, filter: Filter, fflags: u32) -> Event {
    Event { ident, filter, flags: Flags::ADD, fflags, udata: 77, ..Event::default() }
}

fn add<const SYSTEM: usize>(queue: &Simulated<SYSTEM>, change: Event) -> Outcome<()> {
    Queue::change(queue, &[change], &mut []).map(drop)
}

/// The events that are there now.
fn events<const SYSTEM: usize>(queue: &Simulated<SYSTEM>) -> Vec<Event> {
    let mut events = [Event::default(); 8];
    let count = Queue::wait(queue, &mut events, 0).unwrap();
    events[..count].to_vec()
}

/// What the kernel is told of a knote, and the event that its answer becomes.
fn round<const SYSTEM: usize>(change: Event, answer: Record) -> (Record, Event) {
    let queue = new::<SYSTEM>();
    add(&queue, change).unwrap();
    let told = queue.kernel.told(change.ident, answer.filter).unwrap();
    queue.kernel.inject(Record { ident: change.ident, ..answer });
    (told, events(&queue)[0])
}

#[test]
fn vnode_notes_are_translated_both_ways() {
    let ours = note::WRITE | note::FUNLOCK;
    let answer = Record { filter: -4, fflags: 0x0102, ..Record::default() };
    let (told, event) = round::<MACOS>(knote(STDIN, Filter::VNODE, ours), answer);
    assert_eq!((told.filter, told.fflags), (-4, 0x0102));
    assert_eq!((event.filter, event.fflags, event.udata), (Filter::VNODE, ours, 77));

    let ours = note::WRITE | note::CLOSE;
    let answer = Record { filter: -4, fflags: 0x0100, ..Record::default() };
    let (told, event) = round::<FREEBSD>(knote(STDIN, Filter::VNODE, ours), answer);
    assert_eq!(told.fflags, 0x0102);
    assert_eq!(event.fflags, note::CLOSE);

    let answer = Record { filter: 3, fflags: 0x0001, ..Record::default() };
    let (told, event) = round::<NETBSD>(knote(STDIN, Filter::VNODE, note::DELETE), answer);
    assert_eq!((told.filter, told.fflags, event.fflags), (3, 1, note::DELETE));
}

#[test]
fn notes_that_a_kernel_does_not_have_are_enotsup() {
    let lock = knote(STDIN, Filter::VNODE, note::FUNLOCK);
    let signal = knote(5, Filter::PROC, note::SIGNAL);
    assert_eq!(add(&new::<FREEBSD>(), lock), Err(libc::ENOTSUP));
    assert_eq!(add(&new::<FREEBSD>(), signal), Err(libc::ENOTSUP));
    assert_eq!(add(&new::<MACOS>(), signal), Ok(()));
    assert_eq!(add(&new::<MACOS>(), knote(STDIN, Filter::VNODE, note::OPEN)), Err(libc::ENOTSUP));
    assert_eq!(add(&new::<MACOS>(), knote(STDIN, Filter::VNODE, 1 << 20)), Err(libc::EINVAL));
}

#[test]
fn filters_that_a_kernel_does_not_have_are_polled() {
    let (near, _far) = UnixStream::pair().unwrap();
    let ident = usize::try_from(near.as_raw_fd()).unwrap();
    let (except, empty) = (knote(ident, Filter::EXCEPT, 0), knote(ident, Filter::EMPTY, 0));
    let queue = new::<MACOS>();
    add(&queue, empty).unwrap();
    assert!(queue.state.lock().unwrap().polled.next().is_some());
    let queue = new::<FREEBSD>();
    add(&queue, empty).unwrap();
    assert!(queue.kernel.told(ident, -13).is_some());
    add(&queue, except).unwrap();
    assert!(queue.state.lock().unwrap().polled.next().is_some());
    let queue = new::<OPENBSD>();
    add(&queue, except).unwrap();
    assert_eq!(queue.kernel.told(ident, -9).unwrap().fflags, 0x0004);
    let queue = new::<DRAGONFLY>();
    add(&queue, except).unwrap();
    assert_eq!(queue.kernel.told(ident, -8).unwrap().fflags, 0x0002);
}

#[test]
fn the_end_of_a_process_tells_its_status_and_ends_the_knote() {
    let status = 3 << 8;
    let answer = Record { flags: ev::EOF | ev::ONESHOT, data: status, ..Record::default() };
    let exit = knote(9, Filter::PROC, note::EXIT);
    let mac = Record { filter: -5, fflags: 0x8400_0000, ..answer };
    let (told, event) = round::<MACOS>(exit, mac);
    assert_eq!(told.fflags, 0x8400_0000, "macOS tells the status only if asked");
    assert_eq!((event.fflags & note::EXIT, event.data), (note::EXIT, status));

    let queue = new::<FREEBSD>();
    add(&queue, exit).unwrap();
    assert_eq!(queue.kernel.told(9, -5).unwrap().fflags, 0x8000_0000);
    queue.kernel.inject(Record { ident: 9, filter: -5, fflags: 0x8000_0000, ..answer });
    assert_eq!(events(&queue)[0].data, status);
    let delete = Event { flags: Flags::DELETE, ..exit };
    assert_eq!(add(&queue, Event { flags: Flags::ENABLE, ..delete }), Err(libc::ENOENT));
    assert_eq!(queue.state.lock().unwrap().names.len(), 0);
}

#[test]
fn signals_are_counted_by_the_kernel() {
    let answer = Record { filter: 5, data: 4, ..Record::default() };
    let (told, event) = round::<NETBSD>(knote(15, Filter::SIGNAL, 0), answer);
    assert_eq!(told.flags & ev::CLEAR, ev::CLEAR);
    assert_eq!((event.ident, event.data), (15, 4));
    assert_eq!(event.flags, Flags::ADD | Flags::CLEAR);
}

#[test]
fn a_mark_is_told_with_each_change_of_the_knote() {
    let queue = new::<FREEBSD>();
    let (reader, _writer) = pipe().unwrap();
    let ident = usize::try_from(reader.as_raw_fd()).unwrap();
    let marked = Event { data: 10, ..knote(ident, Filter::READ, note::LOWAT) };
    add(&queue, marked).unwrap();
    add(&queue, Event { flags: Flags::DISABLE, ..knote(ident, Filter::READ, 0) }).unwrap();
    add(&queue, Event { flags: Flags::ENABLE, ..knote(ident, Filter::READ, 0) }).unwrap();
    let told = queue.kernel.told(ident, -1).unwrap();
    assert_eq!((told.fflags, told.data), (kqueue::note::LOWAT, 10));
}

#[test]
fn queues_of_udata_go_with_their_last_knote() {
    let queue = new::<FREEBSD>();
    let own = |udata| Event {
        flags: Flags::ADD | Flags::UDATA_SPECIFIC,
        udata,
        ..knote(7, Filter::SIGNAL, 0)
    };
    add(&queue, own(1)).unwrap();
    add(&queue, own(2)).unwrap();
    let group = |udata| queue.state.lock().unwrap().groups.queue(udata).map(Kernel::fd);
    assert!(group(1).is_some() && group(2).is_some() && group(1) != group(2));
    add(&queue, Event { flags: Flags::DELETE | Flags::UDATA_SPECIFIC, ..own(1) }).unwrap();
    assert_eq!(group(1), None);
    let answer = Record { ident: 7, filter: -6, data: 1, ..Record::default() };
    queue.state.lock().unwrap().groups.queue(2).unwrap().inject(answer);
    assert_eq!(events(&queue)[0].udata, 2);
}

#[test]
fn queues_of_closed_descriptors_do_not_pile_up() {
    let queue = new::<NETBSD>();
    for udata in 0..100 {
        let (reader, _writer) = pipe().unwrap();
        let ident = usize::try_from(reader.as_raw_fd()).unwrap();
        let flags = Flags::ADD | Flags::UDATA_SPECIFIC;
        add(&queue, Event { flags, udata, ..knote(ident, Filter::READ, 0) }).unwrap();
    }
    let left = (0..100).filter(|it| queue.state.lock().unwrap().groups.queue(*it).is_some());
    assert!(left.count() <= 32);
}

#[test]
fn a_pipe_that_nobody_reads_any_more_is_at_its_end() {
    let queue = new::<FREEBSD>();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let ident = usize::try_from(writer.as_raw_fd()).unwrap();
    let change = knote(ident, Filter::WRITE, 0);
    add(&queue, change).unwrap();
    assert_eq!(events(&queue)[0].flags, Flags::ADD | Flags::EOF);
    assert_eq!(events(&queue).len(), 1, "level-triggered");
    add(&queue, Event { flags: Flags::DELETE, ..change }).unwrap();
    assert_eq!(events(&queue), []);
    add(&queue, change).unwrap();
    drop(writer);
    assert_eq!(events(&queue), []);
}

#[test]
fn a_zombie_that_the_kernel_does_not_find_is_told_once() {
    let queue = new::<MACOS>();
    let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
    conformance::system::await_zombie(libc::pid_t::try_from(child.id()).unwrap());
    let ident = usize::try_from(child.id()).unwrap();
    add(&queue, knote(ident, Filter::PROC, note::EXIT)).unwrap();
    let told = events(&queue);
    assert_eq!((told.len(), told[0].fflags, told[0].data), (1, note::EXIT, 3 << 8));
    assert_eq!(events(&queue), []);
    child.wait().unwrap();
}

/// A thread waits for ever; what comes of the change that is made meanwhile.
fn woken_by<const SYSTEM: usize>(queue: &Simulated<SYSTEM>, act: impl FnOnce()) -> Event {
    // A wait looks at everything once more when its time is over.
    let much_shorter = Duration::from_nanos(conformance::SOON_NS.unsigned_abs() / 2);
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut events = [Event::default()];
            Queue::wait(queue, &mut events, conformance::SOON_NS).map(|count| (count, events[0]))
        });
        while queue.state.lock().unwrap().sleepers.count() == 0 {
            std::thread::yield_now();
        }
        let start = Instant::now();
        act();
        let (count, event) = waiter.join().unwrap().unwrap();
        assert_eq!(count, 1);
        assert!(start.elapsed() < much_shorter, "nothing woke the waiting thread");
        event
    })
}

fn changes_wake<const SYSTEM: usize>() {
    let queue = new::<SYSTEM>();
    let timer = Event { data: 3, ..knote(1, Filter::TIMER, 0) };
    let once = |event: Event| Event { flags: event.flags | Flags::ONESHOT, ..event };
    let event = woken_by(&queue, || add(&queue, once(timer)).unwrap());
    assert_eq!(event.filter, Filter::TIMER);
    add(&queue, Event { flags: Flags::ADD | Flags::CLEAR, ..knote(2, Filter::USER, 0) }).unwrap();
    let event = woken_by(&queue, || Queue::trigger(&queue, 2).unwrap());
    assert_eq!(event.filter, Filter::USER);
    let (near, _far) = UnixStream::pair().unwrap();
    let ident = usize::try_from(near.as_raw_fd()).unwrap();
    let event = woken_by(&queue, || add(&queue, once(knote(ident, Filter::EMPTY, 0))).unwrap());
    assert_eq!(event.filter, Filter::EMPTY);
    let specific =
        Event { flags: Flags::ADD | Flags::UDATA_SPECIFIC, ..knote(ident, Filter::WRITE, 0) };
    let event = woken_by(&queue, || add(&queue, specific).unwrap());
    assert_eq!((event.filter, event.udata), (Filter::WRITE, 77));
}

#[test]
fn a_waiting_thread_learns_of_what_the_kernel_does_not_watch() {
    changes_wake::<MACOS>();
    changes_wake::<DRAGONFLY>();
    changes_wake::<WITHOUT_USER>();
}
