// SPDX-License-Identifier: MIT OR Apache-2.0
//! USER.

use super::{Bench, Event, Q, system, user};
use evl::reactor::{Filter, Flags, note};
use std::sync::Mutex;
use system::Action;

crate::cases![
    "NOTE_TRIGGER":
        triggers_are_one_event_until_collected,
        without_clear_it_stays_triggered,
        a_trigger_while_disabled_is_kept,
        a_trigger_of_a_deleted_event_is_forgotten,
        specific_events_are_triggered_by_name,
        any_number_can_be_an_ident,
        many_events_at_once,
        a_signal_handler_may_trigger;
    "a trigger with ADD":
        trigger_at_add_fires_and_applies_the_operation,
        clear_on_a_trigger_does_not_erase_it;
    "NOTE_FFAND, FFOR, FFCOPY":
        the_operations_on_fflags,
        a_change_hands_data_over;
];

fn triggers_are_one_event_until_collected(bench: &Bench) {
    let queue = bench.queue();
    queue.set(Event { udata: 3, ..user(1, Flags::ADD | Flags::CLEAR, 0) });
    queue.none();
    queue.0.trigger(1).unwrap();
    queue.0.trigger(1).unwrap();
    queue.set(Event { udata: 3, ..user(1, Flags::empty(), note::TRIGGER) });
    let event = queue.one();
    assert_eq!((event.ident, event.filter, event.udata), (1, Filter::USER, 3));
    queue.none();
}

/// The queue that the signal handler triggers.
static TRIGGERED: Mutex<Option<Q>> = Mutex::new(None);

/// Nobody holds the lock when the signal is raised.
extern "C" fn trigger(_signal: libc::c_int) {
    if let Ok(queue) = TRIGGERED.try_lock()
        && let Some(queue) = &*queue
    {
        _ = queue.0.trigger(1);
    }
}

fn a_signal_handler_may_trigger(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    *TRIGGERED.lock().unwrap() = Some(queue);
    let _handled = Action::handle(libc::SIGUSR1, trigger, 0);
    system::raise(libc::SIGUSR1);
    let queue = TRIGGERED.lock().unwrap().take().unwrap();
    assert_eq!(queue.one().ident, 1);
    queue.none();
}

fn without_clear_it_stays_triggered(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD, 0));
    queue.0.trigger(1).unwrap();
    queue.one();
    queue.one();
}

fn trigger_at_add_fires_and_applies_the_operation(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, note::TRIGGER | note::FFCOPY | 0x12));
    assert_eq!(queue.one().fflags, 0x12);
}

fn clear_on_a_trigger_does_not_erase_it(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    queue.set(user(1, Flags::CLEAR, note::TRIGGER));
    queue.one();
    queue.none();
}

fn the_operations_on_fflags(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, note::FFCOPY | 0b0110));
    let steps = [
        (note::FFNOP | 0xff, 0b0110),
        (note::FFOR | 0b0001, 0b0111),
        (note::FFAND | 0b1101, 0b0101),
        (note::FFCOPY | 0x00ff_ffff, 0x00ff_ffff),
    ];
    for (operation, expected) in steps {
        queue.set(user(1, Flags::empty(), operation | note::TRIGGER));
        assert_eq!(queue.one().fflags, expected, "{operation:#x}");
    }
}

fn a_change_hands_data_over(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    queue.set(Event { data: 77, udata: 8, ..user(1, Flags::empty(), note::TRIGGER) });
    let event = queue.one();
    assert_eq!((event.data, event.udata), (77, 8));
}

fn a_trigger_while_disabled_is_kept(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR | Flags::DISPATCH, 0));
    queue.0.trigger(1).unwrap();
    queue.one();
    queue.0.trigger(1).unwrap();
    queue.none();
    queue.set(user(1, Flags::ENABLE, 0));
    queue.one();
    queue.set(user(1, Flags::ENABLE, 0));
    queue.none();
}

fn a_trigger_of_a_deleted_event_is_forgotten(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    queue.0.trigger(1).unwrap();
    queue.set(user(1, Flags::DELETE, 0));
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    queue.none();
}

fn specific_events_are_triggered_by_name(bench: &Bench) {
    let queue = bench.queue();
    let specific =
        |udata, flags, fflags| Event { udata, ..user(1, flags | Flags::UDATA_SPECIFIC, fflags) };
    queue.set(specific(1, Flags::ADD | Flags::CLEAR, 0));
    queue.set(specific(2, Flags::ADD | Flags::CLEAR, 0));
    assert_eq!(queue.0.trigger(1), Err(libc::ENOENT));
    queue.set(specific(2, Flags::empty(), note::TRIGGER));
    assert_eq!(queue.one().udata, 2);
    queue.none();
}

fn any_number_can_be_an_ident(bench: &Bench) {
    let queue = bench.queue();
    for ident in [0, 1, usize::MAX, usize::MAX / 2, 64 << 40] {
        queue.set(user(ident, Flags::ADD | Flags::CLEAR, 0));
        queue.0.trigger(ident).unwrap();
        assert_eq!(queue.one().ident, ident);
    }
}

fn many_events_at_once(bench: &Bench) {
    let queue = bench.queue();
    for ident in 0..1000 {
        queue.set(user(ident, Flags::ADD | Flags::CLEAR, 0));
        queue.0.trigger(ident).unwrap();
    }
    let mut idents = Vec::new();
    while let events = queue.wait(64, 0)
        && !events.is_empty()
    {
        idents.extend(events.iter().map(|event| event.ident));
    }
    idents.sort_unstable();
    assert!(idents.iter().copied().eq(0..1000));
}
