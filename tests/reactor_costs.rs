// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a queue costs: no allocation per event, and no descriptor per knote.

#![allow(clippy::unwrap_used, reason = "a failure of a test is a panic")]
#![allow(unsafe_code, reason = "an allocator that counts")]

use evl::reactor::{BackendKind, Event, Filter, Flags, Reactor, note};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::time::Duration;

/// The system's allocator, which counts what this thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does it all.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) };
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test at a time: descriptors are counted for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

fn reactors() -> impl Iterator<Item = Reactor> {
    BackendKind::ALL.into_iter().filter_map(|kind| Reactor::with_backend(kind).ok())
}

fn change(ident: usize, filter: Filter, flags: Flags) -> Event {
    Event { ident, filter, flags, ..Event::default() }
}

/// Takes what is there for a while; returns how many events it was.
fn rounds(reactor: &Reactor, pairs: &[(UnixStream, UnixStream)], count: usize) -> usize {
    let mut events = [Event::default(); 64];
    let mut seen = 0;
    for round in 0..count {
        let (near, far) = &pairs[round % pairs.len()];
        (&*far).write_all(b"x").unwrap();
        reactor.trigger(round % 4).unwrap();
        seen += reactor.wait(&mut events, Some(Duration::from_millis(1))).unwrap();
        (&*near).read_exact(&mut [0]).unwrap();
    }
    seen
}

#[test]
fn events_allocate_nothing() {
    let _alone = ALONE.lock();
    for reactor in reactors() {
        let pairs: Vec<_> = (0..16).map(|_| UnixStream::pair().unwrap()).collect();
        let modes = [Flags::empty(), Flags::CLEAR, Flags::DISPATCH, Flags::empty()];
        for ((near, _), mode) in pairs.iter().zip(modes.into_iter().cycle()) {
            reactor.add(&Event::of(near, Filter::READ, mode)).unwrap();
        }
        reactor.add(&Event::of(&pairs[0].0, Filter::WRITE, Flags::empty())).unwrap();
        for ident in 0..4 {
            reactor.add(&change(ident, Filter::USER, Flags::CLEAR)).unwrap();
            let timer = change(ident, Filter::TIMER, Flags::empty());
            let period = 300 * (i64::try_from(ident).unwrap() + 1);
            reactor.add(&Event { fflags: note::USECONDS, data: period, ..timer }).unwrap();
        }
        rounds(&reactor, &pairs, 500);
        let before = ALLOCATIONS.get();
        let events = rounds(&reactor, &pairs, 1000);
        let allocations = ALLOCATIONS.get() - before;
        assert!(events > 2000, "{events} events");
        assert_eq!(allocations, 0, "{} for {events} events", reactor.backend());
    }
}

#[test]
fn changes_of_what_is_there_allocate_nothing() {
    let _alone = ALONE.lock();
    for reactor in reactors() {
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"x").unwrap();
        reactor.add(&Event::of(&near, Filter::READ, Flags::DISPATCH)).unwrap();
        let timer = Event { data: 60_000, ..change(1, Filter::TIMER, Flags::empty()) };
        let turn = || {
            let mut events = [Event::default(); 4];
            for _ in 0..100 {
                assert_eq!(reactor.wait(&mut events, None).unwrap(), 1);
                let enable = Event::of(&near, Filter::READ, Flags::ENABLE);
                let write = Event::of(&near, Filter::WRITE, Flags::ADD | Flags::DISABLE);
                let delete = Event { flags: Flags::DELETE, ..write };
                reactor.change(&[enable, write, delete], &mut []).unwrap();
                reactor.add(&timer).unwrap();
            }
        };
        turn();
        let before = ALLOCATIONS.get();
        turn();
        assert_eq!(ALLOCATIONS.get() - before, 0, "{}", reactor.backend());
    }
}

/// How many descriptors the process has open.
#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
#[test]
fn descriptors_do_not_grow_with_knotes() {
    let _alone = ALONE.lock();
    let (file, (near, _far)) = (tempfile::tempfile().unwrap(), UnixStream::pair().unwrap());
    let (directory, (reader, _writer)) =
        (std::fs::File::open("/").unwrap(), std::io::pipe().unwrap());
    let ident = |fd: &dyn std::os::fd::AsRawFd| usize::try_from(fd.as_raw_fd()).unwrap();
    let own = usize::try_from(std::process::id()).unwrap();
    let signal = usize::try_from(libc::SIGUSR2).unwrap();
    // What the first queue with signals opened stays for the next.
    let signals = change(signal, Filter::SIGNAL, Flags::empty());
    Reactor::new().unwrap().add(&signals).unwrap();
    let knotes = [
        (change(ident(&reader), Filter::READ, Flags::CLEAR), 0),
        (change(ident(&file), Filter::READ, Flags::CLEAR), 0),
        (change(ident(&near), Filter::WRITE, Flags::CLEAR), 0),
        (change(ident(&near), Filter::EXCEPT, Flags::CLEAR), 0),
        (change(ident(&near), Filter::EMPTY, Flags::CLEAR), 0),
        (change(1, Filter::TIMER, Flags::empty()), 0),
        (change(1, Filter::USER, Flags::empty()), 0),
        (signals, 0),
        (change(own, Filter::PROC, Flags::empty()), note::EXIT),
        (change(ident(&directory), Filter::VNODE, Flags::CLEAR), note::WRITE),
    ];
    for kind in [BackendKind::Epoll, BackendKind::Poll, BackendKind::Select] {
        for (knote, fflags) in knotes {
            let before = descriptors();
            let reactor = Reactor::with_backend(kind).unwrap();
            let mut after = [0; 2];
            for (count, after) in [1, 1000].into_iter().zip(&mut after) {
                for udata in 0..count {
                    let flags = knote.flags | Flags::UDATA_SPECIFIC;
                    reactor.add(&Event { flags, fflags, udata, ..knote }).unwrap();
                }
                reactor.wait(&mut [Event::default(); 4], Some(Duration::ZERO)).unwrap();
                *after = descriptors() - before;
            }
            assert_eq!(after[0], after[1], "{kind}: {:?}", knote.filter);
            // The poller's, the wake-up, and that of inotify, the signals or the process.
            assert!(after[1] <= 3, "{kind}: {:?} takes {} descriptors", knote.filter, after[1]);
            drop(reactor);
            assert_eq!(descriptors(), before, "{kind}: {:?} leaves some open", knote.filter);
        }
    }
}
