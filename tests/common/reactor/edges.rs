// SPDX-License-Identifier: MIT OR Apache-2.0
//! CLEAR: told when it becomes so. And knotes that share a descriptor, whatever their modes.

use super::{Bench, NOT_NS, read, write};
use evl::reactor::{BackendKind, Event, Filter, Flags};
use std::io::{Read, Write, pipe};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

crate::cases![
    "CLEAR":
        clear_waits_for_a_new_transition,
        clear_reports_what_came_after_draining,
        clear_reports_more_data,
        what_is_left_unread_is_not_told_again_at_once;
    "any change of a CLEAR knote":
        any_change_has_a_clear_knote_looked_at_again,
        a_change_does_not_tell_what_is_gone,
        a_change_of_a_disabled_knote_tells_nothing;
    "knotes that share a descriptor":
        level_and_edge_share_a_descriptor,
        bytes_may_repeat_the_edge_of_room,
        dispatch_and_level_share_a_descriptor;
];

fn clear_waits_for_a_new_transition(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    writer.write_all(b"x").unwrap();
    queue.one();
    queue.none();
}

fn clear_reports_what_came_after_draining(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    for _ in 0..3 {
        writer.write_all(b"x").unwrap();
        queue.one();
        reader.read_exact(&mut [0]).unwrap();
        // As much as before came again before the queue could see the pipe empty.
    }
    queue.none();
    writer.write_all(b"x").unwrap();
    queue.one();
}

fn clear_reports_more_data(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD | Flags::CLEAR));
    far.write_all(b"x").unwrap();
    queue.one();
    far.write_all(b"y").unwrap();
    assert_eq!(queue.wait(8, NOT_NS).len(), 1, "what is new is told at once");
    queue.none();
}

/// Pollers without edges tell it once more after 200 ms, in case that it was read and came again.
fn what_is_left_unread_is_not_told_again_at_once(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    let start = Instant::now();
    queue.one();
    let again = queue.wait(8, 1_000_000_000);
    let repeats = matches!(bench.kind, BackendKind::Poll | BackendKind::Select);
    assert_eq!(again.len(), usize::from(repeats));
    assert!(start.elapsed() >= Duration::from_millis(200));
    // The next time it takes twice as long: another 400 ms.
    let later = queue.wait(8, 200_000_000);
    let late = repeats && start.elapsed() >= Duration::from_millis(600);
    assert!(later.is_empty() || late, "{later:?} after {:?}", start.elapsed());
}

fn any_change_has_a_clear_knote_looked_at_again(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    let (near, _far) = UnixStream::pair().unwrap();
    queue.set(write(&near, Flags::ADD | Flags::CLEAR));
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    for (flags, udata) in [(Flags::empty(), 5), (Flags::ENABLE, 6), (Flags::ADD, 7)] {
        queue.none();
        queue.set(Event { udata, ..read(&reader, flags) });
        let event = queue.one();
        assert_eq!((event.filter, event.udata), (Filter::READ, udata), "{flags:?}");
        queue.set(Event { udata, ..write(&near, flags | Flags::KEEPUDATA) });
        let event = queue.one();
        assert_eq!((event.filter, event.udata), (Filter::WRITE, 0), "{flags:?}");
    }
    queue.none();
}

fn a_change_does_not_tell_what_is_gone(bench: &Bench) {
    let queue = bench.queue();
    let (mut reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR));
    queue.one();
    reader.read_exact(&mut [0]).unwrap();
    for flags in [Flags::empty(), Flags::ENABLE, Flags::ADD] {
        queue.set(read(&reader, flags));
        queue.none();
    }
}

fn a_change_of_a_disabled_knote_tells_nothing(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::CLEAR | Flags::DISABLE));
    queue.set(Event { udata: 5, ..read(&reader, Flags::empty()) });
    queue.none();
    queue.set(Event { udata: 6, ..read(&reader, Flags::ENABLE) });
    assert_eq!(queue.one().udata, 6);
    queue.set(read(&reader, Flags::DISABLE));
    queue.set(read(&reader, Flags::empty()));
    queue.none();
}

fn level_and_edge_share_a_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    queue.set(write(&near, Flags::ADD | Flags::CLEAR));
    queue.set(read(&near, Flags::ADD));
    assert_eq!(queue.one().filter, Filter::WRITE);
    far.write_all(b"x").unwrap();
    assert!(queue.filters().contains(&Filter::READ));
    assert_eq!(queue.filters(), [Filter::READ]);
    assert_eq!(queue.filters(), [Filter::READ]);
    near.read_exact(&mut [0]).unwrap();
    queue.none();
}

fn bytes_may_repeat_the_edge_of_room(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD | Flags::CLEAR));
    queue.set(write(&near, Flags::ADD | Flags::CLEAR));
    assert_eq!(queue.one().filter, Filter::WRITE);
    queue.none();
    far.write_all(b"x").unwrap();
    let repeats = bench.kind == BackendKind::Epoll;
    let both = [Filter::READ, Filter::WRITE];
    assert_eq!(queue.filters(), if repeats { &both[..] } else { &both[..1] });
    queue.none();
}

fn dispatch_and_level_share_a_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (near, mut far) = UnixStream::pair().unwrap();
    queue.set(read(&near, Flags::ADD | Flags::DISPATCH));
    queue.set(write(&near, Flags::ADD));
    far.write_all(b"x").unwrap();
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    assert_eq!(queue.filters(), [Filter::WRITE]);
    queue.set(read(&near, Flags::ENABLE));
    assert_eq!(queue.filters(), [Filter::READ, Filter::WRITE]);
    queue.set(write(&near, Flags::DELETE));
    queue.none();
    queue.set(read(&near, Flags::ENABLE));
    assert_eq!(queue.filters(), [Filter::READ]);
}
