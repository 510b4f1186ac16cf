// SPDX-License-Identifier: MIT OR Apache-2.0
//! Changes and a wait in one call, as `kevent(2)` has them.

use super::{Bench, SOON_NS, read, system, user};
use evl::reactor::{Event, Filter, Flags, note};
use std::io::{Write, pipe};
use std::time::Duration;

crate::cases![
    "changes first":
        changes_are_made_before_events_are_collected,
        a_deletion_drops_what_the_same_call_would_collect,
        the_changes_of_an_interrupted_call_stay;
    "a call that produced records":
        a_failure_is_told_without_events,
        a_receipt_is_told_without_events;
    "same array":
        one_array_has_the_changes_and_then_the_events,
        one_array_has_the_changes_and_then_the_records;
];

fn changes_are_made_before_events_are_collected(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let changes = [read(&reader, Flags::ADD), user(1, Flags::ADD, note::TRIGGER)];
    let mut events = [Event::default(); 4];
    assert_eq!(queue.0.kevent(&changes, &mut events, SOON_NS), Ok(2));
    let mut filters = [events[0].filter, events[1].filter];
    filters.sort_unstable();
    assert_eq!(filters, [Filter::READ, Filter::USER]);
}

fn a_deletion_drops_what_the_same_call_would_collect(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD, note::TRIGGER));
    let delete = user(1, Flags::DELETE, 0);
    assert_eq!(queue.0.kevent(&[delete], &mut [Event::default(); 4], 0), Ok(0));
}

fn the_changes_of_an_interrupted_call_stay(bench: &Bench) {
    let queue = bench.queue();
    let signals = system::Signals::every(Duration::from_millis(10));
    let add = user(1, Flags::ADD, 0);
    let result = queue.0.kevent(&[add], &mut [Event::default(); 4], SOON_NS);
    drop(signals);
    assert_eq!(result, Err(libc::EINTR));
    queue.0.trigger(1).unwrap();
    assert_eq!(queue.one().ident, 1);
}

fn a_failure_is_told_without_events(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD, note::TRIGGER));
    let mut events = [Event::default(); 4];
    assert_eq!(queue.0.kevent(&[user(2, Flags::DELETE, 0)], &mut events, SOON_NS), Ok(1));
    assert!(events[0].flags.contains(Flags::ERROR));
    assert_eq!((events[0].ident, events[0].data), (2, libc::ENOENT.into()));
    assert_eq!(queue.0.kevent(&[], &mut events, SOON_NS), Ok(1));
    assert_eq!((events[0].ident, events[0].flags & Flags::ERROR), (1, Flags::empty()));
}

fn a_receipt_is_told_without_events(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD, note::TRIGGER));
    let mut events = [Event::default(); 4];
    let asking = user(2, Flags::ADD | Flags::RECEIPT, 0);
    assert_eq!(queue.0.kevent(&[asking], &mut events, SOON_NS), Ok(1));
    assert!(events[0].flags.contains(Flags::ERROR | Flags::RECEIPT));
    assert_eq!((events[0].ident, events[0].data), (2, 0));
    assert_eq!(queue.one().ident, 1);
}

fn one_array_has_the_changes_and_then_the_events(bench: &Bench) {
    let queue = bench.queue();
    let add = |ident: usize| Event { udata: ident, ..user(ident, Flags::ADD, note::TRIGGER) };
    let mut array = [add(1), add(2), add(3)];
    assert_eq!(queue.0.kevent_in_place(&mut array, 3, SOON_NS), Ok(3));
    let mut told = array.map(|event| (event.ident, event.udata));
    told.sort_unstable();
    assert_eq!(told, [(1, 1), (2, 2), (3, 3)]);
}

fn one_array_has_the_changes_and_then_the_records(bench: &Bench) {
    let queue = bench.queue();
    let wrong = |ident| user(ident, Flags::DELETE, 0);
    let mut array = [user(1, Flags::ADD, 0), wrong(2), user(3, Flags::ADD, 0), wrong(4)];
    assert_eq!(queue.0.kevent_in_place(&mut array, 4, SOON_NS), Ok(2));
    assert_eq!((array[0].ident, array[1].ident), (2, 4));
    for ident in [1, 3] {
        queue.0.trigger(ident).unwrap();
    }
    assert_eq!(queue.wait(4, SOON_NS).len(), 2);
}
