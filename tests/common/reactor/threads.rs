// SPDX-License-Identifier: MIT OR Apache-2.0
//! Threads that change, trigger and wait at the same time; more of them is in `tests/reactor_threads.rs`.

use super::{Bench, Q, SOON_NS, read, system, timer, user, write};
use evl::reactor::{Event, Filter, Flags, note};
use std::io::{Read, Write, pipe};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;

crate::cases![
    "a waiting thread sees the change":
        a_descriptor_added_during_a_wait_wakes_it,
        a_knote_enabled_during_a_wait_wakes_it,
        a_timer_added_during_a_wait_wakes_it,
        a_trigger_during_a_wait_wakes_it,
        a_deletion_during_a_wait_silences_it;
    "one event goes to one thread":
        an_event_with_clear_goes_to_one_thread,
        an_event_with_oneshot_goes_to_one_thread,
        an_event_with_dispatch_goes_to_one_thread;
];

fn a_descriptor_added_during_a_wait_wakes_it(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.woken_by(|| queue.set(read(&reader, Flags::ADD))).filter, Filter::READ);
}

fn a_knote_enabled_during_a_wait_wakes_it(bench: &Bench) {
    let queue = bench.queue();
    let (near, _far) = UnixStream::pair().unwrap();
    queue.set(write(&near, Flags::ADD | Flags::DISABLE));
    assert_eq!(queue.woken_by(|| queue.set(write(&near, Flags::ENABLE))).filter, Filter::WRITE);
}

fn a_timer_added_during_a_wait_wakes_it(bench: &Bench) {
    let queue = bench.queue();
    queue.set(timer(1, Flags::ADD, note::SECONDS, 60));
    let soon = timer(2, Flags::ADD | Flags::ONESHOT, 0, 1);
    assert_eq!(queue.woken_by(|| queue.set(soon)).ident, 2);
}

fn a_trigger_during_a_wait_wakes_it(bench: &Bench) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    assert_eq!(queue.woken_by(|| queue.0.trigger(1).unwrap()).ident, 1);
    let trigger = user(1, Flags::empty(), note::TRIGGER);
    assert_eq!(queue.woken_by(|| queue.set(trigger)).ident, 1);
}

fn a_deletion_during_a_wait_silences_it(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    let event = queue.woken_by(|| {
        queue.set(read(&reader, Flags::DELETE));
        writer.write_all(b"x").unwrap();
        queue.0.trigger(1).unwrap();
    });
    assert_eq!(event.filter, Filter::USER);
    reader.read_exact(&mut [0]).unwrap();
}

/// Ends the waits of all threads, as it stays triggered.
const END: usize = 99;

/// What three threads get that wait already when `cause` is called, until one of them has got something.
fn told_to_three(queue: &Q, cause: impl FnOnce()) -> Vec<Event> {
    let (asleep, sleepers) = mpsc::channel();
    let (told, first) = mpsc::channel();
    queue.set(user(END, Flags::ADD, 0));
    let events = std::thread::scope(|scope| {
        let waiters = [(); 3].map(|()| {
            let (asleep, told) = (asleep.clone(), told.clone());
            scope.spawn(move || {
                asleep.send(system::thread_id()).unwrap();
                let mut events = Vec::new();
                while events.last().is_none_or(|event: &Event| event.ident != END) {
                    events.append(&mut queue.wait(1, SOON_NS));
                    told.send(()).unwrap();
                }
                events
            })
        });
        sleepers.iter().take(3).for_each(system::await_sleep);
        cause();
        first.recv().unwrap();
        queue.0.trigger(END).unwrap();
        let events = waiters.into_iter().flat_map(|waiter| waiter.join().unwrap());
        events.filter(|event| event.ident != END).collect()
    });
    queue.set(user(END, Flags::DELETE, 0));
    events
}

/// One trigger and one byte; what stays ready or triggered is told once nevertheless.
fn goes_to_one_thread(bench: &Bench, mode: Flags) {
    let queue = bench.queue();
    queue.set(user(1, Flags::ADD | mode, 0));
    let events = told_to_three(&queue, || queue.0.trigger(1).unwrap());
    assert_eq!(events.len(), 1, "{events:?}");
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | mode));
    if !mode.contains(Flags::CLEAR) {
        let events = told_to_three(&queue, || writer.write_all(b"x").unwrap());
        assert_eq!(events.len(), 1, "{events:?}");
    }
}

fn an_event_with_clear_goes_to_one_thread(bench: &Bench) {
    goes_to_one_thread(bench, Flags::CLEAR);
}

fn an_event_with_oneshot_goes_to_one_thread(bench: &Bench) {
    goes_to_one_thread(bench, Flags::ONESHOT);
}

fn an_event_with_dispatch_goes_to_one_thread(bench: &Bench) {
    goes_to_one_thread(bench, Flags::DISPATCH);
}
