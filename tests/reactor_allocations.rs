// SPDX-License-Identifier: MIT OR Apache-2.0
//! Once a reactor has seen its load, no event and no change of a knote that is there allocates memory.

#![allow(clippy::unwrap_used, reason = "a failure of a test is a panic")]
#![allow(unsafe_code, reason = "a global allocator is unsafe by nature")]

use evl::reactor::{BackendKind, Event, Filter, Flags, Reactor};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::time::Duration;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is handed to the system's allocator as it comes.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PIPES: usize = 40;
const ROUNDS: usize = 50;
const WARM_UP: usize = 4;
const TIMER: Event = Event {
    ident: 7,
    filter: Filter::TIMER,
    flags: Flags::ADD,
    fflags: evl::reactor::note::USECONDS,
    data: 1,
    udata: PIPES,
};

/// Each pipe gets so many bytes, which are taken when its event comes; a timer and a user event come as
/// well. More bytes than before are an edge on every backend.
fn round(
    reactor: &Reactor,
    pipes: &mut [(PipeReader, PipeWriter)],
    events: &mut [Event],
    bytes: usize,
) {
    reactor.trigger(9).unwrap();
    reactor.change(&[TIMER], &mut []).unwrap();
    for (_, writer) in pipes.iter_mut() {
        writer.write_all(&[0; ROUNDS][..bytes]).unwrap();
    }
    let mut read = 0;
    while read < pipes.len() * bytes {
        let count = reactor.wait(events, Some(Duration::from_secs(10))).unwrap();
        assert!(count > 0);
        for event in events.iter().take(count).filter(|event| event.filter == Filter::READ) {
            read += pipes.get_mut(event.udata).unwrap().0.read(&mut [0; ROUNDS]).unwrap();
        }
    }
}

#[test]
fn events_and_changes_of_what_is_there_allocate_nothing() {
    for kind in BackendKind::ALL {
        for flags in [Flags::empty(), Flags::CLEAR] {
            let Ok(reactor) = Reactor::with_backend(kind) else {
                println!("skipped: no {kind} here");
                continue;
            };
            let mut pipes: Vec<_> = (0..PIPES).map(|_| pipe().unwrap()).collect();
            for (udata, (reader, _)) in pipes.iter().enumerate() {
                let knote = Event { udata, ..Event::of(reader, Filter::READ, flags) };
                reactor.add(&knote).unwrap();
            }
            let user = Event { ident: 9, filter: Filter::USER, flags: Flags::CLEAR, ..TIMER };
            reactor.add(&Event { fflags: 0, ..user }).unwrap();
            let mut events = [Event::default(); 16];
            let mut before = 0;
            for bytes in 1..=ROUNDS {
                if bytes == WARM_UP {
                    before = COUNT.get();
                }
                round(&reactor, &mut pipes, &mut events, bytes);
            }
            assert_eq!(COUNT.get() - before, 0, "allocations on {kind} with {flags:?}");
        }
    }
}
