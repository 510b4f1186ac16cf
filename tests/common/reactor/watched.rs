// SPDX-License-Identifier: MIT OR Apache-2.0
//! The queue's own descriptor: readable while events are pending.

use super::{Bench, change, ident, read, system, timer, user};
use evl::reactor::{Filter, Flags, note};
use std::io::{Read, Write, pipe};

crate::cases![
    "pollable":
        the_queue_is_pollable,
        the_queue_can_be_watched_by_another,
        a_watched_queue_stays_watched_whatever_is_closed,
        a_queue_does_not_watch_itself;
];

fn the_queue_is_pollable(bench: &Bench) {
    let queue = bench.queue();
    let fd = bench.descriptor(&queue);
    assert!(!system::is_readable(fd, 0));
    let (mut reader, mut writer) = pipe().unwrap();
    queue.set(read(&reader, Flags::ADD));
    writer.write_all(b"x").unwrap();
    assert!(system::is_readable(fd, 0));
    reader.read_exact(&mut [0]).unwrap();
    queue.none();
    assert!(!system::is_readable(fd, 0));

    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, note::SECONDS, 3_600));
    assert!(!system::is_readable(fd, 0));
    queue.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 5));
    assert!(system::is_readable(fd, 5_000));
    assert_eq!(queue.one().filter, Filter::TIMER);
    assert!(!system::is_readable(fd, 0));

    queue.set(user(1, Flags::ADD | Flags::CLEAR, 0));
    queue.0.trigger(1).unwrap();
    assert!(system::is_readable(fd, 0));
    queue.one();
    assert!(!system::is_readable(fd, 0));
    queue.set(user(1, Flags::empty(), note::TRIGGER));
    assert!(system::is_readable(fd, 0));
}

fn the_queue_can_be_watched_by_another(bench: &Bench) {
    let inner = bench.queue();
    let fd = bench.descriptor(&inner);
    let outer = bench.queue();
    outer.set(change(usize::try_from(fd).unwrap(), Filter::READ, Flags::ADD));
    outer.none();
    inner.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 2));
    assert_eq!(outer.one().ident, usize::try_from(fd).unwrap());
    inner.one();
    outer.none();
}

fn a_watched_queue_stays_watched_whatever_is_closed(bench: &Bench) {
    let inner = bench.queue();
    let Ok(fd) = inner.0.fd() else { return };
    let outer = bench.queue();
    outer.set(change(usize::try_from(fd).unwrap(), Filter::READ, Flags::ADD));
    let (kept, mut kept_writer) = pipe().unwrap();
    inner.set(read(&kept, Flags::ADD));
    let (reader, mut writer) = pipe().unwrap();
    inner.set(read(&reader, Flags::ADD));
    let _alive = reader.try_clone().unwrap();
    drop(reader);
    writer.write_all(b"x").unwrap();
    for _ in 0..50 {
        assert_eq!(inner.wait(8, 0), []);
    }
    assert_eq!(inner.0.fd(), Ok(fd));
    outer.idle();
    kept_writer.write_all(b"x").unwrap();
    assert_eq!(outer.one().ident, usize::try_from(fd).unwrap());
    assert_eq!(inner.one().ident, ident(&kept));
    (&kept).read_exact(&mut [0]).unwrap();
    outer.none();
    inner.set(timer(1, Flags::ADD | Flags::ONESHOT, 0, 2));
    outer.one();
}

fn a_queue_does_not_watch_itself(bench: &Bench) {
    let queue = bench.queue();
    let Ok(fd) = queue.0.fd() else { return };
    for filter in [Filter::READ, Filter::WRITE] {
        let itself = change(usize::try_from(fd).unwrap(), filter, Flags::ADD);
        assert_eq!(queue.try_set(itself), Err(libc::EINVAL));
    }
    queue.none();
}
