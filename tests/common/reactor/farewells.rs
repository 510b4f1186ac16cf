// SPDX-License-Identifier: MIT OR Apache-2.0
//! Last records: VANISHED, and the deferred deletion of a knote whose event is with a thread.

use super::{Bench, NOT_NS, change, ident, needs_identities, read, system, timer, user};
use evl::reactor::{BackendKind, Event, Filter, Flags, note};
use std::fs::File;
use std::io::{Write, pipe};
use std::os::fd::AsRawFd;

crate::cases![
    "VANISHED":
        a_closed_descriptor_is_told_once,
        a_close_wakes_the_wait,
        a_number_that_names_another_file_has_vanished,
        reusing_a_number_tells_of_the_old_knote,
        a_closed_file_is_told,
        a_disabled_knote_tells_that_it_vanished,
        without_vanished_a_close_is_silent,
        an_event_does_not_say_vanished,
        waiting_for_a_close_does_not_spin,
        a_deleted_knote_does_not_vanish,
        vanished_goes_with_dispatch_and_udata_specific;
    "deferred deletion":
        a_deletion_during_delivery_is_deferred,
        a_deferred_deletion_is_told_once_and_final,
        a_deferred_deletion_ends_with_its_descriptor,
        enabling_and_deleting_in_one_is_at_once,
        a_knote_that_is_only_disabled_is_deleted_at_once,
        a_deletion_without_dispatch_is_at_once,
        timers_and_user_events_are_deferred_as_well;
];

const EXCLUSIVE: Flags = Flags::ADD.union(Flags::DISPATCH).union(Flags::UDATA_SPECIFIC);

fn exclusive(event: Event, flags: Flags) -> Event {
    Event { udata: 5, flags: flags | Flags::UDATA_SPECIFIC, ..event }
}

fn vanishing(fd: &impl AsRawFd) -> Event {
    Event { udata: 5, ..read(fd, EXCLUSIVE | Flags::VANISHED) }
}

fn assert_vanished(event: Event, ident: usize) {
    assert_eq!((event.ident, event.filter, event.udata), (ident, Filter::READ, 5));
    assert!(event.flags.contains(Flags::VANISHED | Flags::ONESHOT));
    assert_eq!((event.fflags, event.data), (0, 0));
}

fn a_closed_descriptor_is_told_once(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let number = ident(&reader);
    queue.set(vanishing(&reader));
    queue.none();
    drop(reader);
    assert_vanished(queue.one(), number);
    queue.idle();
}

fn a_close_wakes_the_wait(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let number = ident(&reader);
    let event = queue.woken_by(|| {
        queue.set(vanishing(&reader));
        drop(reader);
    });
    assert_vanished(event, number);
}

fn a_number_that_names_another_file_has_vanished(bench: &Bench) {
    needs_identities(bench);
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let (second, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(vanishing(&reader));
    let number = reader.as_raw_fd();
    let reader = {
        drop(reader);
        system::dup2(&second, number)
    };
    assert_vanished(queue.one(), ident(&reader));
    queue.none();
}

fn reusing_a_number_tells_of_the_old_knote(bench: &Bench) {
    needs_identities(bench);
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    let (second, mut writer) = pipe().unwrap();
    queue.set(vanishing(&reader));
    let number = reader.as_raw_fd();
    let reader = {
        drop(reader);
        system::dup2(&second, number)
    };
    queue.set(Event { udata: 6, ..vanishing(&reader) });
    assert_vanished(queue.one(), ident(&reader));
    writer.write_all(b"x").unwrap();
    let event = queue.one();
    assert_eq!((event.udata, event.flags & Flags::VANISHED), (6, Flags::empty()));
}

fn a_closed_file_is_told(bench: &Bench) {
    let queue = bench.queue();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    std::fs::write(&path, "").unwrap();
    let file = File::open(&path).unwrap();
    let number = ident(&file);
    queue.set(vanishing(&file));
    drop(file);
    assert_vanished(queue.one(), number);
    if cfg!(target_os = "linux") || bench.kind == BackendKind::Kqueue {
        let file = File::open(&path).unwrap();
        let flags = EXCLUSIVE | Flags::VANISHED;
        queue.set(Event { fflags: note::WRITE, ..change(ident(&file), Filter::VNODE, flags) });
        drop(file);
        assert!(queue.one().flags.contains(Flags::VANISHED));
    }
    queue.none();
}

fn a_disabled_knote_tells_that_it_vanished(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    let number = ident(&reader);
    writer.write_all(b"x").unwrap();
    queue.set(vanishing(&reader));
    assert!(!queue.one().flags.contains(Flags::VANISHED));
    drop(reader);
    assert_vanished(queue.one(), number);
}

fn without_vanished_a_close_is_silent(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    queue.set(read(&reader, EXCLUSIVE));
    drop(reader);
    queue.none();
}

fn an_event_does_not_say_vanished(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    queue.set(vanishing(&reader));
    writer.write_all(b"x").unwrap();
    assert_eq!(queue.one().flags, EXCLUSIVE);
}

fn waiting_for_a_close_does_not_spin(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    queue.set(vanishing(&reader));
    queue.idle();
}

fn a_deleted_knote_does_not_vanish(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    queue.set(vanishing(&reader));
    queue.set(exclusive(read(&reader, Flags::DELETE), Flags::DELETE));
    drop(reader);
    assert_eq!(queue.wait(8, NOT_NS), []);
}

fn vanished_goes_with_dispatch_and_udata_specific(bench: &Bench) {
    let queue = bench.queue();
    let (reader, _writer) = pipe().unwrap();
    for flags in [Flags::empty(), Flags::DISPATCH, Flags::UDATA_SPECIFIC] {
        let wrong = read(&reader, Flags::ADD | Flags::VANISHED | flags);
        assert_eq!(queue.try_set(wrong), Err(libc::EINVAL), "{flags:?}");
    }
    let no_descriptor = user(1, EXCLUSIVE | Flags::VANISHED, 0);
    assert_eq!(queue.try_set(no_descriptor), Err(libc::EINVAL));
}

fn a_deletion_during_delivery_is_deferred(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(exclusive(read(&reader, Flags::ADD), EXCLUSIVE));
    assert_eq!(queue.one().udata, 5);
    let delete = exclusive(read(&reader, Flags::DELETE), Flags::DELETE);
    assert_eq!(queue.try_set(delete), Err(libc::EINPROGRESS));
    assert_eq!(queue.try_set(delete), Err(libc::EINPROGRESS));
    queue.none();
    queue.set(exclusive(read(&reader, Flags::ENABLE), Flags::ENABLE));
    let event = queue.one();
    assert_eq!((event.ident, event.udata, event.data), (ident(&reader), 5, 0));
    assert!(event.flags.contains(Flags::DELETE | Flags::ONESHOT));
    queue.none();
}

fn a_deferred_deletion_is_told_once_and_final(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(exclusive(read(&reader, Flags::ADD), EXCLUSIVE));
    queue.one();
    let delete = exclusive(read(&reader, Flags::DELETE), Flags::DELETE);
    assert_eq!(queue.try_set(delete), Err(libc::EINPROGRESS));
    let enable = exclusive(read(&reader, Flags::ENABLE), Flags::ENABLE);
    queue.set(enable);
    assert_eq!(queue.try_set(enable), Err(libc::ENOENT));
    assert_eq!(queue.try_set(delete), Err(libc::ENOENT));
    queue.set(exclusive(read(&reader, Flags::ADD), EXCLUSIVE));
    let mut told: Vec<_> = queue.wait(8, 0).iter().map(|event| event.flags).collect();
    told.sort_unstable_by_key(|flags| flags.bits());
    assert_eq!(told, [EXCLUSIVE, EXCLUSIVE | Flags::DELETE | Flags::ONESHOT]);
}

fn enabling_and_deleting_in_one_is_at_once(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(exclusive(read(&reader, Flags::ADD), EXCLUSIVE));
    queue.one();
    queue.set(exclusive(read(&reader, Flags::DELETE), Flags::DELETE | Flags::ENABLE));
    queue.none();
}

fn a_knote_that_is_only_disabled_is_deleted_at_once(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(exclusive(read(&reader, Flags::ADD), EXCLUSIVE | Flags::DISABLE));
    queue.none();
    queue.set(exclusive(read(&reader, Flags::DELETE), Flags::DELETE));
    queue.none();
}

fn a_deletion_without_dispatch_is_at_once(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    queue.set(read(&reader, Flags::ADD | Flags::DISPATCH));
    queue.one();
    queue.set(read(&reader, Flags::DELETE));
    let specific = Flags::ADD | Flags::UDATA_SPECIFIC;
    queue.set(exclusive(read(&reader, specific), specific));
    queue.one();
    queue.set(exclusive(read(&reader, Flags::DELETE), Flags::DELETE));
    queue.none();
}

/// Whoever has the event learns of it in any case, if only by an error.
fn a_deferred_deletion_ends_with_its_descriptor(bench: &Bench) {
    let queue = bench.queue();
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let delete = exclusive(read(&reader, Flags::DELETE), Flags::DELETE);
    let enable = exclusive(read(&reader, Flags::ENABLE), Flags::ENABLE);
    queue.set(exclusive(read(&reader, Flags::ADD), EXCLUSIVE));
    queue.one();
    assert_eq!(queue.try_set(delete), Err(libc::EINPROGRESS));
    drop(reader);
    assert_eq!(queue.try_set(enable), Err(libc::EBADF));
    queue.none();
}

fn timers_and_user_events_are_deferred_as_well(bench: &Bench) {
    let queue = bench.queue();
    let once = timer(1, EXCLUSIVE, note::USECONDS, 100);
    for event in
        [exclusive(once, EXCLUSIVE), exclusive(user(1, EXCLUSIVE, note::TRIGGER), EXCLUSIVE)]
    {
        queue.set(event);
        queue.one();
        let delete = exclusive(event, Flags::DELETE);
        assert_eq!(queue.try_set(delete), Err(libc::EINPROGRESS), "{event:?}");
        queue.set(Event { fflags: 0, ..exclusive(event, Flags::ENABLE) });
        assert!(queue.one().flags.contains(Flags::DELETE));
        queue.none();
        assert_eq!(queue.try_set(delete), Err(libc::ENOENT), "{event:?}");
    }
}
